/** What stands in the place of a plan that cannot be shown, by what was found of it. */

import { isAuthor } from './begin.js'
import { type CallFailed, type Connection, grantedTo, isSilence } from './connection.js'
import type { Definitions } from './definition.js'
import { failedPage, type Lost, nonePage, UNASKED } from './pages.js'
import type { PlanShown } from './plan-view.js'
import type { Reading } from './reading.js'

export interface Around {
  readonly emergencyText: string
  /** For those who help, where no call gave a reference. */
  readonly launch: string | undefined
  readonly lost: Lost | undefined
  /** When the view was opened. */
  readonly opened: Date
  readonly retry: () => void
  readonly definitions: Definitions
  /** Begins a plan; absent where this user may not, or there may be one. */
  readonly begin: (() => void) | undefined
}

/** Whether a plan that was read before stays on the screen: nobody answered, and it is all granted still. */
export const stays = (
  connection: Connection,
  before: PlanShown | undefined,
  failure: CallFailed | undefined,
): before is PlanShown =>
  before !== undefined && isSilence(failure) && before.granted === grantedTo(connection)

export function failedInstead(
  failure: CallFailed | undefined,
  { emergencyText, launch, lost, retry }: Around,
): HTMLElement {
  const reference = failure?.reference || launch
  return failedPage({ emergencyText, words: failure?.words ?? '', reference, lost, retry })
}

/** Whether there is a plan is not known: a call failed, or none was allowed. */
function unknownInstead({ failure, content }: Reading, around: Around): HTMLElement {
  const words = failure ? undefined : UNASKED[content]
  if (words === undefined) return failedInstead(failure, around)
  const { emergencyText, launch, lost } = around
  return failedPage({ emergencyText, words, reference: launch, lost })
}

function noneInstead(reading: Reading, around: Around): HTMLElement {
  const { emergencyText, opened, retry, begin, definitions } = around
  if (reading.content !== 'no-ehr') return nonePage(reading.readAt, { emergencyText, retry, begin })
  return nonePage(opened, {
    emergencyText,
    begin: isAuthor(reading, definitions) ? 'no-ehr' : undefined,
  })
}

/** `undefined` where there is a plan to show. @throws CallFailed for which it is not known whether there is one */
export function insteadOf(reading: Reading, around: Around): HTMLElement | undefined {
  if (reading.finding === 'unknown' && reading.failure) throw reading.failure
  if (reading.finding === 'unknown') return unknownInstead(reading, around)
  return reading.finding === 'none' ? noneInstead(reading, around) : undefined
}
