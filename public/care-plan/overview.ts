/** What the plan holds at a glance: allergies, each section that this role sees, when it was written, what is overdue. */
import { authorOf, type Entry } from './composition.js'
import { type Day, dayOf, showDay, writeDay } from './dates.js'
import type { Section } from './definition.js'
import { h } from './dom.js'
import { reviewOf } from './review.js'
import { linkTo } from './section-view.js'
import { plural } from './text.js'

type Newest = ReadonlyMap<string, Entry>

function stateOf(section: Section, entry: Entry | undefined, today: Day, partial: boolean) {
  if (!entry) return h('span', { class: 'overview__state' }, partial ? 'none shown' : 'no entry')
  const { at } = authorOf(entry.composition)
  const written = at === undefined ? 'date not recorded' : showDay(writeDay(dayOf(at)))
  const tag = reviewOf(section, entry, today)?.overdue
    ? h('strong', { class: 'nhsuk-tag nhsuk-tag--orange' }, 'Review overdue')
    : undefined
  return h('span', { class: 'overview__state' }, written, ' ', tag)
}

/** @param partial whether entries may have been left out of what was read */
export function overview(
  sections: readonly Section[],
  newest: Newest,
  today: Day,
  allergies: readonly HTMLElement[],
  partial: boolean,
): HTMLElement | undefined {
  if (sections.length < 2) return undefined
  const entryOf = ({ template }: Section) => newest.get(template)
  const due = sections.filter((one) => reviewOf(one, entryOf(one), today)?.overdue)
  const items = sections.map((section) =>
    h('li', {}, linkTo(section), ' ', stateOf(section, entryOf(section), today, partial)),
  )
  const words =
    due.length === 0
      ? undefined
      : h(
          'p',
          { class: 'overview__due' },
          h('strong', {}, `Past ${due.length === 1 ? 'its' : 'their'} review date: `),
          `${plural(due.length, 'section')} (${due.map(({ title }) => title).join(', ')}).`,
        )
  return h(
    'div',
    { class: 'overview' },
    ...allergies,
    h(
      'nav',
      { 'aria-label': 'Sections of this plan' },
      words,
      h('ul', { class: 'overview__list' }, ...items),
    ),
  )
}
