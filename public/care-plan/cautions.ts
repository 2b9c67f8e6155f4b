/** What is to be known of a whole plan before anything is read of it: what is not known, not shown, or may be old. */
import { showMoment, showTime } from './dates.js'
import { h } from './dom.js'
import type { Content, Index } from './finding.js'
import type { PlanShown } from './plan-view.js'
import { isShort, unknownIn } from './reading.js'
import { plural } from './text.js'

const caution = (text: string): HTMLElement =>
  h('div', { class: 'caution', role: 'note' }, h('strong', {}, 'Take care: '), h('span', {}, text))

// biome-ignore format: a table
const OF_INDEX: Readonly<Record<Index, string | undefined>> = {
  active: undefined,
  listed: 'the record lists a plan for this patient, but not as active. It may be a draft, or on hold.',
  none:   'the record lists no active plan for this patient. These sections may be from a plan that has ended.',
  unread: 'it could not be checked whether this plan is still active.',
}

// biome-ignore format: a table
const OF_CONTENT: Readonly<Partial<Record<Content, string>>> = {
  empty:    'the record lists a plan for this patient, but no sections of it were found.',
  hidden:   'the record holds sections of a care plan that your role may not see, and none that it may.',
  withheld: 'the record lists a plan for this patient, and none of its sections were read: your role may see none of them.',
  unread:   'what else stands in this plan could not be read: somebody else may have begun it too. Check for changes before you act on it.',
}

/** Somebody else may begin one in every moment since. */
const begunWords = (readAt: Date): string =>
  `The record held no shared care plan for this patient when it was read on ${showMoment(readAt)}. Nothing is recorded until you save the first section.`

const SHORT =
  'the record holds sections that were not shown to you, whatever is said of them below: check the full record.'

function unknownOnes(plan: PlanShown): string | undefined {
  const count = unknownIn(plan)
  return count === 0
    ? undefined
    : `the record holds ${plural(count, 'section')} that this app cannot show: check the full record.`
}

function cautions(plan: PlanShown): HTMLElement[] {
  const { index, content, sight, unchecked, readAt, begun, joined } = plan
  const known = begun === 'unlisted'
  const texts = [
    unchecked &&
      `changes could not be looked for at ${showTime(unchecked)}: the service did not answer. This is the plan as it was read on ${showMoment(readAt)}.`,
    known ? undefined : OF_INDEX[index],
    known ? undefined : OF_CONTENT[content],
    joined &&
      `somebody else has begun this plan too. It is shown as it was read on ${showMoment(readAt)}: read it before you go on.`,
    content === 'found' && isShort(plan) ? SHORT : undefined,
    unknownOnes(plan),
    ...sight.hidden.map(({ decision }) => decision?.hidden),
  ]
  return texts.filter((text) => typeof text === 'string').map(caution)
}

export const notices = (plan: PlanShown): HTMLElement =>
  h(
    'div',
    { class: 'plan__notices' },
    plan.begun === 'unlisted'
      ? h('p', { class: 'begun' }, h('strong', {}, begunWords(plan.readAt)))
      : undefined,
    ...cautions(plan),
  )
