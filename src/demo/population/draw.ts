/** Draws by a seed: the same seed draws the same, on every machine and in every release of Node. */
import { createHash } from 'node:crypto'

export interface Draw {
  /** A whole number; both ends can come. */
  between(least: number, most: number): number
  /** @param share from 0 (never) to 1 (always) */
  chance(share: number): boolean
  /** @throws RangeError of an empty list */
  one<T>(all: readonly T[]): T
  /** So many different ones at most, in the order in which they stand in the list. */
  some<T>(all: readonly T[], count: number): readonly T[]
  shuffled<T>(all: readonly T[]): readonly T[]
}

/** mulberry32: thirty-two bits of state, enough for what must only look drawn. */
function numbers(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function drawFrom(seed: string): Draw {
  const next = numbers(seed)
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  /** The first `count` of them shuffled. @see Fisher and Yates */
  function shuffled<T>(all: readonly T[], count = all.length): readonly T[] {
    const left = [...all]
    for (let at = 0; at < Math.min(count, left.length - 1); at += 1) {
      const other = between(at, left.length - 1)
      const here = left[at] as T
      left[at] = left[other] as T
      left[other] = here
    }
    return left.slice(0, count)
  }
  return {
    between,
    chance: (share) => next() < share,
    one(all) {
      if (all.length === 0) throw new RangeError('Nothing to draw from')
      return all[between(0, all.length - 1)] as (typeof all)[number]
    },
    some(all, count) {
      if (count === 0) return []
      const chosen = shuffled([...all.keys()], count)
      return all.filter((_, place) => chosen.includes(place))
    },
    shuffled: (all) => shuffled(all),
  }
}
