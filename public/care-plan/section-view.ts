/** The sections of the plan as a reader sees them. */
import { rowsOf } from '../../src/core/plan-values.js'
import { authorOf, type Entry, unclearFields, unshown, valuesOf } from './composition.js'
import { type Day, showDay, showMoment } from './dates.js'
import { decisionBar, decisionOf } from './decision-view.js'
import type { Section } from './definition.js'
import { bdi, button, facts, h, hiddenText } from './dom.js'
import type { History } from './history.js'
import { historyPanel } from './history-view.js'
import { reviewOf } from './review.js'
import { sourcesOf, type Told } from './sourced.js'
import { sourcesView } from './sources-view.js'
import { plural } from './text.js'
import { valueView } from './values-view.js'

export interface SectionShown {
  readonly section: Section
  readonly entry: Entry | undefined
  /** More than one entry was found: the newest is shown. */
  readonly several: boolean
  /** Whether an entry may have been left out of what was read. */
  readonly unsure: boolean
  /** Absent when this role may not change it. */
  readonly edit?: (() => void) | undefined
  /** Reads what the section was before; absent where nobody may ask. */
  readonly history?: ((entry: Entry, more: boolean) => Promise<History>) | undefined
  readonly today: Day
}

export const sectionId = (section: Section): string => `section-${section.id}`

/** Focuses the section itself: a link alone would leave the keyboard where it was in some browsers. */
export function leadTo(section: Section): void {
  const place = document.getElementById(sectionId(section))
  // One that is being changed is on paper only; its form stands in its place.
  const shown = place?.classList.contains('on-paper') ? place.parentElement : place
  const heading = shown?.querySelector<HTMLElement>('h3')
  if (!shown || !heading) return
  heading.tabIndex = -1
  heading.focus({ preventScroll: true })
  shown.scrollIntoView()
}

export function linkTo(section: Section): HTMLElement {
  const click = (event: Event) => {
    event.preventDefault()
    leadTo(section)
  }
  return h('a', { href: `#${sectionId(section)}`, click }, section.title)
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

const NO_ENTRY = 'No entry was found for this section.'
const UNSURE = 'An entry of this section may not be shown here: check the full record.'
const CANNOT = 'Cannot be shown here: check the full record.'

/** A value, and under it what of it came from somewhere else. */
function sourced(field: Section['fields'][number], value: string, told: readonly Told[]) {
  const parts = field.type === 'group' ? rowsOf(value).length : value.split('\n').length
  const view = valueView(field, value)
  return told.length === 0 ? view : h('div', {}, view, ...sourcesView(told, told.length === parts))
}

function rows(section: Section, entry: Entry, without: readonly string[] = []): HTMLElement {
  const sources = sourcesOf(section, entry.composition.content)
  const values = valuesOf(section, entry.composition)
  const unclear = unclearFields(section, entry.composition)
  return facts(
    section.fields.flatMap((field) => {
      if (without.includes(field.id)) return []
      if (unclear.has(field.id)) return [[field.title, h('strong', {}, CANNOT)] as const]
      const value = values[field.id] ?? ''
      const told = sources.get(field.id) ?? []
      return value === '' ? [] : [[field.title, sourced(field, value, told)] as const]
    }),
  )
}

function head(shown: SectionShown, ...buttons: (HTMLElement | undefined)[]): HTMLElement {
  const { title } = shown.section
  const acts = [...buttons, editButton(shown)].filter((one) => one !== undefined)
  return h(
    'div',
    { class: 'section__head' },
    h('h3', {}, title),
    acts.length === 0 ? undefined : h('div', { class: 'section__acts' }, ...acts),
  )
}

/** When it is to be looked at again; marked where that day has passed. */
function reviewLine({ section, entry, today }: SectionShown): HTMLElement | undefined {
  const due = reviewOf(section, entry, today)
  if (!due) return undefined
  const words = due.implied ? 'Review due by' : 'Review date'
  return h(
    'p',
    { class: due.overdue ? 'review review--overdue' : 'review' },
    `${words} ${showDay(due.day)}`,
    due.overdue ? ' ' : undefined,
    due.overdue
      ? h('strong', { class: 'nhsuk-tag nhsuk-tag--orange' }, 'Review date has passed')
      : undefined,
  )
}

/** What stands under a section's heading, and the button that opens its history. */
function historyOf(shown: SectionShown) {
  const { section, entry, history } = shown
  return entry && history ? historyPanel(section, (more) => history(entry, more)) : undefined
}

export function sectionView(shown: SectionShown): HTMLElement {
  const { section, entry, unsure } = shown
  const decision = section.decision && decisionOf(shown, section.decision)
  const past = historyOf(shown)
  // The day of a review stands in a line of its own.
  const told = [...(decision?.told ?? []), section.review?.field ?? '']
  const unclear = unclearFields(section, entry?.composition)
  const without = told.filter((id) => !unclear.has(id))
  const look = decision ? ` resus resus--${decision.look}` : ''
  return h(
    'article',
    {
      class: `section${look}${entry || decision ? '' : ' section--empty'}`,
      id: sectionId(section),
      'aria-label': section.title,
    },
    head(shown, past?.button),
    ...(decision ? [decisionBar(decision), decision.about] : []),
    ...(entry
      ? [
          // Below a long section nobody would see it open.
          past?.panel,
          section.hint === undefined ? undefined : h('p', { class: 'hint' }, section.hint),
          reviewLine(shown),
          rows(section, entry, without),
          ...notes(shown),
          changedLine(entry),
        ]
      : [decision ? undefined : h('p', { class: 'empty' }, unsure ? UNSURE : NO_ENTRY)]),
  )
}
