/**
 * A server that has stopped answering is left alone for a while: who asks of it is told at once, instead of waiting for
 * their turn to time out, and it is not drowned as it comes back.
 */
import type { Clock, EpochMs } from '../core/values.js'

/**
 * So many calls in a row came to nothing. One that is answered begins the count anew; and one that was under way while
 * another was answered says nothing of the server, or whoever asks for much at once would end it for everybody.
 */
export const FAILURES = 8
/** How long it is left alone, in milliseconds, before one call is let through to see. */
export const REST_MS: EpochMs = 2_000

export interface Breaker {
  /** Whether a call may be sent. While the server rests, one after another is let through to see, and no more. */
  mayTry(): boolean
  /** It answered, whatever it said. */
  answered(): void
  /** How often it has answered. */
  answers(): number
  /**
   * It did not, or only to say that it cannot.
   * @param before how often it had answered when the call was sent
   */
  failed(before?: number): void
}

/** @param told hears when the server is left alone, and when it is well again */
export function createBreaker(clock: Clock, told: (resting: boolean) => void = () => {}): Breaker {
  let [failures, answers] = [0, 0]
  /** When the next call may be tried; `undefined` while the server is well. */
  let next: EpochMs | undefined
  return {
    mayTry() {
      if (next === undefined) return true
      if (clock() < next) return false
      // Whoever is let through to see has this long: then the next one may.
      next = clock() + REST_MS
      return true
    },
    answers: () => answers,
    answered() {
      answers += 1
      failures = 0
      if (next === undefined) return
      next = undefined
      told(false)
    },
    failed(before = answers) {
      if (before !== answers) return
      failures += 1
      if (failures < FAILURES) return
      if (next === undefined) told(true)
      next = clock() + REST_MS
    },
  }
}
