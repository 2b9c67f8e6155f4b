/** What members type, read with bounds: an answer that cannot be used is said on the page, not thrown. */
import { plainText } from '../core/text.js'
import type { Visit } from './page.js'

const LONGEST = 200
const LONGEST_REASON = 300
const SHORTEST_REASON = 5

type Typed = Pick<Visit, 'sent' | 'posted'>

/**
 * One field of a form as plain text, cut to a size; empty when it was left out. What stands in an address is not
 * looked at: what people type may be a patient's number, and addresses are kept by browsers and proxies.
 */
export const typed = ({ sent, posted }: Typed, name: string, most = LONGEST): string =>
  posted ? plainText(sent.get(name) ?? '', most) : ''

export type Reason = { readonly text: string } | { readonly problem: string }

/** Why an act is done: it stands in the trail, so there must be one. */
export function reasonOf(visit: Typed): Reason {
  const text = typed(visit, 'reason', LONGEST_REASON)
  return text.length < SHORTEST_REASON
    ? { problem: 'Say in a few words why: it stands in the trail.' }
    : { text }
}
