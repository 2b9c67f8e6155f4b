/** The sections of the plan as a reader sees them. */
import { authorOf, type Entry, unclearFields, unshown, valuesOf } from './composition.js'
import { type Day, isPast, showDay, showMoment, showSince } from './dates.js'
import { type Section, type Values, wordsFor } from './definition.js'
import { bdi, button, facts, h, hiddenText, icon } from './dom.js'
import { plural } from './text.js'
import { valueView } from './values-view.js'

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

const CANNOT = 'Cannot be shown here: check the full record.'

function rows(section: Section, entry: Entry, without: readonly string[] = []): HTMLElement {
  const values = valuesOf(section, entry.composition)
  const unclear = unclearFields(section, entry.composition)
  return facts(
    section.fields.flatMap((field) => {
      if (without.includes(field.id)) return []
      if (unclear.has(field.id)) return [[field.title, h('strong', {}, CANNOT)] as const]
      const value = values[field.id] ?? ''
      return value === '' ? [] : [[field.title, valueView(field, value)] as const]
    }),
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
      ? [rows(section, entry), ...notes(shown), changedLine(entry)]
      : [h('p', { class: 'empty' }, 'No entry was found for this section.')]),
  )
}

/** How each decision looks: colour, shape and words say the same, so that none is needed alone. */
const LOOKS = {
  attempt: { look: 'go', shape: 'heart' },
  'do-not-attempt': { look: 'stop', shape: 'stop' },
} as const

/** @param unclear fields whose value cannot be told: not the same as not recorded */
function decisionFacts(values: Values, unclear: ReadonlySet<string>, today: Day): HTMLElement {
  const { decided = '', review = '', 'decided-by': by = '' } = values
  const since = showSince(decided, today)
  const overdue = isPast(review, today)
  const none = (id: string) => (unclear.has(id) ? 'cannot be shown here' : 'not recorded')
  const made =
    decided === '' ? `Date of decision ${none('decided')}` : `Decided ${showDay(decided)}`
  return h(
    'p',
    { class: 'resus__facts' },
    h('span', {}, since === '' ? made : `${made} (${since})`),
    h('span', {}, by === '' ? `Decided by: ${none('decided-by')}` : 'Decided by ', bdi(by)),
    review === '' ? undefined : h('span', {}, `Review date ${showDay(review)}`),
    overdue
      ? h('strong', { class: 'nhsuk-tag nhsuk-tag--orange' }, 'Review date has passed')
      : undefined,
  )
}

/** The facts that stand under a decision rather than in its rows, where they can be told. */
const UNDER = ['decision', 'decided', 'review', 'decided-by']

interface Decision {
  readonly words: string
  readonly look: string
  readonly shape: Parameters<typeof icon>[0]
  readonly about: HTMLElement
}

const undecided = (words: string, about: string): Decision => ({
  words,
  look: 'none',
  shape: 'query',
  about: h('p', { class: 'resus__facts' }, h('span', {}, about)),
})

function decisionOf({ section, entry, today }: SectionShown): Decision {
  const values = valuesOf(section, entry?.composition)
  const field = section.fields.find(({ id }) => id === 'decision')
  const unclear = unclearFields(section, entry?.composition)
  const { decision = '' } = values
  if (decision !== '' && field) {
    const looks = LOOKS[decision as keyof typeof LOOKS] ?? { look: 'none', shape: 'query' }
    return {
      words: wordsFor(field, decision),
      ...looks,
      about: decisionFacts(values, unclear, today),
    }
  }
  // What is not shown may be the decision.
  if (entry && unshown(section, entry.composition) > 0) {
    return undecided(
      'The CPR decision cannot be shown here',
      'This does not mean that there is none: check the full record.',
    )
  }
  return undecided(
    'No CPR decision was found',
    'This plan does not say whether CPR should be attempted.',
  )
}

function resuscitationView(shown: SectionShown): HTMLElement {
  const { section, entry } = shown
  const { words, look, shape, about } = decisionOf(shown)
  const decided = look !== 'none' || valuesOf(section, entry?.composition).decision !== ''
  const unclear = unclearFields(section, entry?.composition)
  const under = decided ? UNDER.filter((id) => !unclear.has(id)) : ['decision']
  return h(
    'article',
    {
      class: `section resus resus--${look}`,
      id: sectionId(section),
      'aria-label': section.title,
    },
    head(shown, section.title),
    h('p', { class: 'resus__decision' }, icon(shape), h('strong', {}, words)),
    about,
    ...(entry ? [rows(section, entry, under), ...notes(shown), changedLine(entry)] : []),
  )
}
