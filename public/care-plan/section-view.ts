/** The sections of the plan as a reader sees them. */
import { authorOf, type Entry, unshown, valuesOf } from './composition.js'
import { type Day, isPast, showDay, showMoment, showSince } from './dates.js'
import { type Field, type Section, type Values, wordsFor } from './definition.js'
import { bdi, button, facts, h, hiddenText, icon, prose } from './dom.js'
import { plural } from './text.js'

export interface SectionShown {
  readonly section: Section
  readonly entry: Entry | undefined
  /** More than one entry was found: the newest is shown. */
  readonly several: boolean
  /** Absent when this role may not change it. */
  readonly edit?: (() => void) | undefined
  readonly today: Day
}

export const sectionId = (section: Section): string => `section-${section.id}`

function valueView(field: Field, value: string): HTMLElement {
  return field.type === 'date' ? bdi(showDay(value)) : prose(wordsFor(field, value))
}

export const changedLine = (entry: Entry): HTMLElement => {
  const { name, at } = authorOf(entry.composition)
  const when = at === undefined ? 'at a time not recorded' : showMoment(at)
  return h('p', { class: 'changed' }, `Last changed ${when} by `, bdi(name))
}

function notes({ section, entry, several }: SectionShown): HTMLElement[] {
  const more = entry === undefined ? 0 : unshown(section, entry.composition)
  return [
    ...(several
      ? [
          'The record holds more than one entry for this section. The newest is shown: check the full record.',
        ]
      : []),
    ...(more > 0
      ? [
          `${plural(more, 'recorded value')} of this section cannot be shown here: check the full record.`,
        ]
      : []),
  ].map((text) => h('p', { class: 'note' }, text))
}

function editButton({ section, entry, edit }: SectionShown): HTMLElement | undefined {
  if (!edit) return undefined
  const made = button(
    [entry ? 'Edit' : 'Add', hiddenText(` ${section.title}`)],
    () => edit(),
    'secondary',
  )
  made.classList.add('section__edit')
  return made
}

function rows(section: Section, values: Values, without: readonly string[] = []): HTMLElement {
  const shown = section.fields.filter(({ id }) => !without.includes(id) && values[id])
  return facts(
    shown.map((field) => [field.title, valueView(field, values[field.id] ?? '')] as const),
  )
}

function head(shown: SectionShown, title: Node | string): HTMLElement {
  return h('div', { class: 'section__head' }, h('h3', {}, title), editButton(shown))
}

export function sectionView(shown: SectionShown): HTMLElement {
  const { section, entry } = shown
  if (section.id === 'resuscitation') return resuscitationView(shown)
  return h(
    'article',
    { class: 'section', id: sectionId(section), 'aria-label': section.title },
    head(shown, section.title),
    ...(entry
      ? [rows(section, valuesOf(section, entry.composition)), ...notes(shown), changedLine(entry)]
      : [h('p', { class: 'empty' }, 'No entry was found for this section.')]),
  )
}

/** How each decision looks: colour, shape and words say the same, so that none is needed alone. */
const LOOKS = {
  attempt: { look: 'go', shape: 'heart' },
  'do-not-attempt': { look: 'stop', shape: 'stop' },
} as const

function decisionFacts(values: Values, today: Day): HTMLElement {
  const { decided = '', review = '', 'decided-by': by = '' } = values
  const since = showSince(decided, today)
  const overdue = isPast(review, today)
  const made = decided === '' ? 'Date of decision not recorded' : `Decided ${showDay(decided)}`
  return h(
    'p',
    { class: 'resus__facts' },
    h('span', {}, since === '' ? made : `${made} (${since})`),
    h('span', {}, by === '' ? 'Decided by: not recorded' : 'Decided by ', bdi(by)),
    review === '' ? undefined : h('span', {}, `Review date ${showDay(review)}`),
    overdue
      ? h('strong', { class: 'nhsuk-tag nhsuk-tag--orange' }, 'Review date has passed')
      : undefined,
  )
}

function resuscitationView(shown: SectionShown): HTMLElement {
  const { section, entry, today } = shown
  const values = valuesOf(section, entry?.composition)
  const decision = values.decision ?? ''
  const field = section.fields.find(({ id }) => id === 'decision')
  const { look, shape } = LOOKS[decision as keyof typeof LOOKS] ?? { look: 'none', shape: 'query' }
  const words = decision === '' || !field ? 'No CPR decision was found' : wordsFor(field, decision)
  return h(
    'article',
    {
      class: `section resus resus--${look}`,
      id: sectionId(section),
      'aria-label': section.title,
    },
    head(shown, section.title),
    h('p', { class: 'resus__decision' }, icon(shape), h('strong', {}, words)),
    decision === ''
      ? h(
          'p',
          { class: 'resus__facts' },
          h('span', {}, 'This plan does not say whether CPR should be attempted.'),
        )
      : decisionFacts(values, today),
    ...(entry
      ? [
          rows(section, values, ['decision', 'decided', 'review', 'decided-by']),
          ...notes(shown),
          changedLine(entry),
        ]
      : []),
  )
}
