/** Tries of which a few would do to guess: a patient's birth date. */
import {
  type Caller,
  type Excess,
  keyOf,
  type LimitName,
  type TooMany,
  type Window,
} from '../core/rates.js'
import { Refusal } from '../core/refusal.js'
import type { Clock } from '../core/values.js'
import { consume, type Limiter } from './limiter.js'

/** Numbers and birth dates that were wrong. A record that does not answer says nothing of the try. */
const WRONG: readonly string[] = ['patient_unknown', 'patient_mismatch']

/** How long to wait when too much is under way at once, in milliseconds. */
const BURST = 1000

/** What is under way on one key. */
interface Underway {
  count: number
  readonly burst: Window
}

/**
 * Lets a try through while fewer than the row's points were wrong, else turns it away unread. Those still
 * under way count as wrong, so that a burst gains nothing. What other nodes counted is known here after
 * one try, so that a right one never costs a trip to the store.
 */
export function openTries(
  limiters: ReadonlyMap<LimitName, Limiter>,
  clock: Clock,
  tooMany: (excess: Excess) => TooMany,
) {
  const underway = new Map<string, Underway>()
  const enter = (limit: LimitName, limiter: Limiter, key: string): (() => void) => {
    const place = limiter.getKey(key)
    const now = underway.get(place) ?? { count: 0, burst: { until: clock() + BURST, count: 0 } }
    const heard = limiter.heard(key)
    const wrong = heard?.count ?? 0
    if (wrong + now.count >= limiter.points) {
      const over = heard && wrong >= limiter.points
      throw tooMany({ limit, key, window: over ? heard : now.burst })
    }
    now.count += 1
    underway.set(place, now)
    return () => {
      now.count -= 1
      if (now.count === 0) underway.delete(place)
    }
  }
  return async <T>(caller: Caller, attempt: () => Promise<T>): Promise<T> => {
    const begun: { limiter: Limiter; key: string; leave: () => void }[] = []
    try {
      for (const name of ['patients', 'people'] as const) {
        const [limiter, key] = [limiters.get(name), keyOf(name, caller)]
        if (limiter && key !== undefined)
          begun.push({ limiter, key, leave: enter(name, limiter, key) })
      }
      return await attempt()
    } catch (error) {
      if (error instanceof Refusal && WRONG.includes(error.code))
        await Promise.all(begun.map(({ limiter, key }) => consume(limiter, key)))
      throw error
    } finally {
      for (const { leave } of begun) leave()
    }
  }
}
