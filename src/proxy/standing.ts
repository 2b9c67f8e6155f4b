/**
 * Whether who calls is still let in, for calls that take their time: the record may be slow, and one call may ask for
 * much. Reads that are answered at once are answered as of when they were asked, and ask the store no second time.
 */
import type { Clock, EpochMs } from '../core/values.js'

/** How long an answer to it holds good. */
const HOLDS_MS: EpochMs = 100

/**
 * Throws once what let a call in is over: to be asked before more is read, and before what was read is released.
 * @throws Refusal token_ended, token_expired, policy_stale, policy_changed; StoreFailure
 */
export type Stands = () => Promise<void> | undefined

/** What may end while a call is answered. */
export interface Meanwhile {
  readonly stands: Stands
  /** Whether a write still comes from where the chart is. @throws Refusal of context.ts */
  readonly mayWrite: () => Promise<void>
}

/** @param still asks the store; it has just been asked, when the call was let in */
export function standsFrom(clock: Clock, still: () => Promise<void>): Stands {
  let at = clock()
  return () => {
    const now = clock()
    // Whichever way the clock was set.
    if (Math.abs(now - at) < HOLDS_MS) return undefined
    at = now
    const asked = still()
    asked.catch(() => {
      at = Number.NEGATIVE_INFINITY
    })
    return asked
  }
}

/**
 * A read whose refusal is told to who is still let in alone: that something is not there was read as well. A write's is
 * told in any case, for it may have been done.
 */
export const toldIn = <T>(stands: Stands, read: Promise<T>): Promise<T> =>
  read.catch(async (refusal: unknown) => {
    await stands()
    throw refusal
  })

/** For a write, when all of it has been judged and before it goes on. */
export async function goesOn({ stands, mayWrite }: Meanwhile): Promise<void> {
  await stands()
  await mayWrite()
}

/** Of a write that has been done, which is told in any case: whether its answer may say what stands now. */
export async function maySee(stands: Stands): Promise<boolean> {
  try {
    await stands()
    return true
  } catch {
    return false
  }
}
