/** Key sets that their owners publish at an address: kept as long as they say, and no longer. */
import { after, type Clock, type EpochMs, type Seconds } from '../core/values.js'
import { type Jwk, readKeys } from './key-choice.js'
import type { JsonAnswer, Outbound } from './outbound.js'

/** Of an answer that says nothing of its age. */
const STANDARD_AGE: Seconds = 600
const LONGEST_AGE: Seconds = 86_400
/** An unknown key makes us ask again, but not oftener: anyone can make up a `kid`, or a certificate. */
const UNKNOWN_PAUSE: Seconds = 30
/** One that could not be used is left alone so long: anyone can make us ask. */
const FAILURE_PAUSE: Seconds = 5
/** The set that was first asked for goes. */
const MOST_SETS = 1000

interface Parts {
  readonly clock: Clock
  readonly outbound: Pick<Outbound, 'get'>
}

/**
 * How long an answer may be kept.
 * @see SMART App Launch 2.2, "Client Authentication: Asymmetric" (never past its Cache-Control); RFC 9111 §4.2, §5.2.2
 */
export function ageOf({ cacheControl = '', age = '0' }: Omit<JsonAnswer, 'body'>): Seconds {
  const directives = cacheControl.split(',').map((directive) => directive.trim().toLowerCase())
  if (directives.some((directive) => /^no-(?:store|cache)\b/.test(directive))) return 0
  const ages = directives
    .filter((directive) => /^max-age\b/.test(directive))
    // One that cannot be read, and of several the shortest, is the careful reading (§4.2.1).
    .map((directive) => Number(/^max-age="?(\d+)"?$/.exec(directive)?.[1] ?? 0))
  const said = Math.min(LONGEST_AGE, ...(ages.length > 0 ? ages : [STANDARD_AGE]))
  const spent = /^\d+$/.test(age) ? Number(age) : LONGEST_AGE
  return Math.max(0, said - spent)
}

/** Whether the key that is looked for is among these. */
type Has = (keys: readonly Jwk[]) => boolean
type Keys = (has: Has) => Promise<readonly Jwk[]>

function openKeySet(address: string, { clock, outbound }: Parts): Keys {
  let kept: { readonly keys: readonly Jwk[]; readonly until: EpochMs } | undefined
  let failed: { readonly error: unknown; readonly until: EpochMs } | undefined
  let again: Promise<readonly Jwk[]> | undefined
  let mayAskAgain: EpochMs = 0

  async function ask(): Promise<readonly Jwk[]> {
    if (failed && clock() < failed.until) throw failed.error
    try {
      const answer = await outbound.get(address)
      const keys = readKeys(answer.body)
      kept = { keys, until: after(answer.askedAt, ageOf(answer)) }
      failed = undefined
      return keys
    } catch (error) {
      // What is kept already stays good for as long as it was.
      failed = { error, until: after(clock(), FAILURE_PAUSE) }
      throw error
    }
  }

  /** The set once more, for a key that it does not hold; the same one while it is too early. */
  async function askAgain(keys: readonly Jwk[]): Promise<readonly Jwk[]> {
    if (!again) {
      if (clock() < mayAskAgain) return keys
      mayAskAgain = after(clock(), UNKNOWN_PAUSE)
      again = ask().finally(() => {
        again = undefined
      })
    }
    return again
  }

  return async (has) => {
    if (!kept || clock() >= kept.until) return ask()
    const { keys } = kept
    return has(keys) ? keys : askAgain(keys)
  }
}

/**
 * The keys at an address, asked for anew where the one that is looked for is not among those at hand.
 * @throws Error, OutboundFailure where it cannot be asked, or gives no key set
 */
export function openKeySets(parts: Parts): (address: string, has: Has) => Promise<readonly Jwk[]> {
  const sets = new Map<string, Keys>()
  return (address, has) => {
    let keys = sets.get(address)
    if (!keys) {
      keys = openKeySet(address, parts)
      sets.set(address, keys)
      for (const oldest of sets.keys()) {
        if (sets.size <= MOST_SETS) break
        sets.delete(oldest)
      }
    }
    return keys(has)
  }
}
