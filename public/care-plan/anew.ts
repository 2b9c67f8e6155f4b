/** The plan that is on the screen, as it stands after the record was read anew. */
import { newsOf, together } from './news.js'
import type { PlanShown } from './plan-view.js'

/** @param asked whether the user asked: only then is it told, too, that nothing has changed */
export function anew(before: PlanShown, reading: PlanShown, asked: boolean): PlanShown {
  const next = newsOf(before, reading)
  const tells = next && (asked || next.changes.length > 0)
  const { begun, joined, left, news: told } = before
  return {
    ...reading,
    // What somebody has begun here, others too, is to be read until the page is opened anew.
    ...(begun === 'listed' ? { begun, ...(joined ? { joined } : {}) } : {}),
    ...(left ? { left } : {}),
    news: tells ? together(told, next) : told,
  }
}

/**
 * The plan while a section of it is being changed; `undefined` where what was read cannot stand beside the form: the
 * next save, or the next look after it, says so.
 * @param begun the reading as a plan that this user may begin, where there is none
 */
export function beside(
  before: PlanShown,
  reading: PlanShown & { readonly finding: string },
  begun: PlanShown | undefined,
): PlanShown | undefined {
  if (reading.granted !== before.granted) return undefined
  if (before.begun !== 'unlisted')
    return reading.finding === 'plan' ? anew(before, reading, false) : undefined
  if (begun) return anew(before, begun, false)
  // Somebody else has begun it meanwhile: what is saved next is saved into theirs.
  if (reading.index !== 'active') return undefined
  const others = reading.content === 'empty' ? {} : { joined: true }
  return { ...anew(before, reading, false), begun: 'listed', ...others }
}

/** Whether all that is offered and said of sections is as it was, but for those that were changed. */
export const isAlike = (before: PlanShown, after: PlanShown): boolean =>
  before.granted === after.granted &&
  before.content === after.content &&
  before.begun === after.begun &&
  before.left === after.left &&
  before.entries.withheld === after.entries.withheld &&
  [...after.entries.several].join() === [...before.entries.several].join()
