/** A section that says what to do at once, such as resuscitation: colour, shape and words say the same. */
import type { Decision } from '../../src/core/plan.js'
import { unclearFields, valuesOf } from './composition.js'
import { showDay, showSince } from './dates.js'
import { decidedIn } from './decision.js'
import type { Values } from './definition.js'
import { bdi, h, type IconName, icon } from './dom.js'
import type { SectionShown } from './section-view.js'
import { sourcesOf } from './sourced.js'
import { sourcesView } from './sources-view.js'

const SHAPES: Readonly<Record<string, IconName>> = { go: 'heart', stop: 'stop' }

/** @param unclear fields whose value cannot be told: not the same as not recorded */
function factsOf(
  decision: Decision,
  values: Values,
  unclear: ReadonlySet<string>,
  { today }: SectionShown,
): HTMLElement {
  const [decided, by] = [decision.decided ?? '', decision.by ?? ''].map((id) => values[id] ?? '')
  const since = showSince(decided ?? '', today)
  const none = (id = '') => (unclear.has(id) ? 'cannot be shown here' : 'not recorded')
  const made = decided
    ? `Decided ${showDay(decided)}`
    : `Date of decision ${none(decision.decided)}`
  return h(
    'p',
    { class: 'resus__facts' },
    h(
      'span',
      {},
      made,
      since === '' ? undefined : h('span', { class: 'resus__since' }, ` (${since})`),
    ),
    h('span', {}, by ? 'Decided by ' : `Decided by: ${none(decision.by)}`, bdi(by ?? '')),
  )
}

export interface DecisionShown {
  readonly words: string
  readonly look: string
  readonly shape: IconName
  readonly about: HTMLElement
  /** Fields that are told by this, and need no row. */
  readonly told: readonly string[]
}

const undecided = (words: string, about: string, field: string): DecisionShown => ({
  words,
  look: 'none',
  shape: 'query',
  about: h('p', { class: 'resus__facts' }, h('span', {}, about)),
  told: [field],
})

export function decisionOf(shown: SectionShown, decision: Decision): DecisionShown {
  const { section, entry } = shown
  const values = valuesOf(section, entry?.composition)
  const unclear = unclearFields(section, entry?.composition)
  const { state, words, made } = decidedIn(shown, decision)
  if (state === 'made') {
    const look = decision.looks[made] ?? 'none'
    const sources = sourcesOf(section, entry?.composition.content).get(decision.field) ?? []
    const told = [decision.field, decision.decided, decision.by, section.review?.field]
    return {
      words,
      look,
      shape: SHAPES[look] ?? 'query',
      about: h('div', {}, factsOf(decision, values, unclear, shown), ...sourcesView(sources, true)),
      told: told.filter((id) => id !== undefined).filter((id) => !unclear.has(id)),
    }
  }
  const unseen = 'This does not mean that there is none: check the full record.'
  return undecided(words, state === 'unseen' ? unseen : decision.none, decision.field)
}

export const decisionBar = ({ shape, words }: DecisionShown): HTMLElement =>
  h('p', { class: 'resus__decision' }, icon(shape), h('strong', {}, words))
