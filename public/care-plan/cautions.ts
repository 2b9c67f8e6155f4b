/** What is to be known of a whole plan before anything is read of it: what is not known, not shown, or may be old. */

import { isAuthor, isUnlisted } from './begin.js'
import { showMoment, showTime } from './dates.js'
import type { Definitions } from './definition.js'
import { button, h } from './dom.js'
import type { Content, Index } from './finding.js'
import { newsView } from './news-view.js'
import { type Acts, type PlanShown, writableIn } from './plan-view.js'
import { isShort, unknownIn } from './reading.js'
import { plural } from './text.js'

const caution = (text: string): HTMLElement =>
  h('div', { class: 'caution', role: 'note' }, h('strong', {}, 'Take care: '), h('span', {}, text))

// biome-ignore format: a table
const OF_INDEX: Readonly<Record<Index, string | undefined>> = {
  active: undefined,
  listed: 'the record lists a plan for this patient, but not as active. It may be a draft, or on hold.',
  none:   'the record lists no active plan for this patient. These sections may be from a plan that has ended, and other systems may show none: also after something is changed here.',
  unread: 'it could not be checked whether this plan is still active.',
}

// biome-ignore format: a table
const OF_CONTENT: Readonly<Partial<Record<Content, string>>> = {
  empty:    'the record lists a plan for this patient, but no sections of it were found.',
  hidden:   'the record holds sections of a care plan that your role may not see, and none that it may.',
  withheld: 'the record lists a plan for this patient, and none of its sections were read: your role may see none of them.',
  unread:   'what else stands in this plan could not be read: somebody else may have begun it too. Check for changes before you act on it.',
}

/** What a change in a plan that is not listed will come to, for who may make one. */
const LIST_AGAIN =
  ' When you save a section, you are asked whether the plan is to be listed as active again.'
const OTHERS_LIST =
  ' You can change sections of it, but not list it as active again: ask a clinician who may begin care plans.'

/** Somebody else may begin one in every moment since. */
function begunView({ readAt, left }: PlanShown): HTMLElement {
  const held = `The record held no shared care plan for this patient when it was read on ${showMoment(readAt)}. `
  const next = left
    ? 'Nothing was recorded from this view.'
    : 'Nothing is recorded until you save the first section.'
  return h('p', { class: 'begun' }, h('strong', {}, held + next))
}

const LEFT =
  'Nothing can be saved from this view any more: another care plan has been opened from the patient record since. '
const ELSEWHERE =
  'To change this plan, or to begin one, open this patient’s care plan again from the patient record.'

/** The chart has moved on: said where somebody would otherwise go on. */
function leftView({ left }: PlanShown, { typed }: Acts): HTMLElement {
  return h(
    'div',
    { class: 'caution left', role: 'note' },
    h('p', {}, h('strong', {}, LEFT), ELSEWHERE),
    left === 'typed' ? button('Show what you typed', typed, 'secondary') : undefined,
  )
}

/** Of a plan with sections that is not listed. */
function listingWords(plan: PlanShown, definitions: Definitions): string {
  if (plan.left || !isUnlisted(plan)) return ''
  if (isAuthor(plan, definitions)) return LIST_AGAIN
  return definitions.listing && writableIn(plan).length > 0 ? OTHERS_LIST : ''
}

const SHORT =
  'the record holds sections that were not shown to you, whatever is said of them below: check the full record.'

function unknownOnes(plan: PlanShown): string | undefined {
  const count = unknownIn(plan)
  return count === 0
    ? undefined
    : `the record holds ${plural(count, 'section')} that this app cannot show: check the full record.`
}

function cautions(plan: PlanShown, definitions: Definitions): HTMLElement[] {
  const { index, content, sight, unchecked, readAt, begun, joined } = plan
  const known = begun === 'unlisted'
  const ofIndex = OF_INDEX[index]
  const texts = [
    unchecked &&
      `changes could not be looked for at ${showTime(unchecked)}: the service did not answer. This is the plan as it was read on ${showMoment(readAt)}.`,
    known || !ofIndex ? undefined : ofIndex + listingWords(plan, definitions),
    known ? undefined : OF_CONTENT[content],
    joined &&
      `somebody else has begun this plan too. It is shown as it was read on ${showMoment(readAt)}: read it before you go on.`,
    content === 'found' && isShort(plan) ? SHORT : undefined,
    unknownOnes(plan),
    ...sight.hidden.map(({ decision }) => decision?.hidden),
  ]
  return texts.filter((text) => typeof text === 'string').map(caution)
}

export const notices = (plan: PlanShown, definitions: Definitions, acts: Acts): HTMLElement =>
  h(
    'div',
    { class: 'plan__notices' },
    plan.left ? leftView(plan, acts) : undefined,
    plan.begun === 'unlisted' ? begunView(plan) : undefined,
    newsView(plan.news, acts.seen),
    ...cautions(plan, definitions),
  )
