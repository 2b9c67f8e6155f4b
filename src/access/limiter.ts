/** rate-limiter-flexible over our store's word, by our clock: one class for both back ends. And what needs no store. */
import { RateLimiterRes } from 'rate-limiter-flexible'
import StoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js'
import { LIMITS, type LimitName, type Window, windowEnd } from '../core/rates.js'
import type { Clock, EpochMs } from '../core/values.js'
import type { Store } from '../store/store.js'

export type Count = Store['count']

interface Parts {
  readonly name: LimitName
  readonly points: number
  readonly count: Count
  readonly clock: Clock
}

/** Keys remembered by one limiter of one node: an attacker has more addresses than we have memory. */
const MOST_KEYS = 20_000

/** Lets go of what is over, and of the oldest where that is not enough. They lie in the order of their ends. */
function makeRoom(kept: Map<string, { readonly until: EpochMs }>, now: EpochMs): void {
  for (const [key, { until }] of kept) {
    if (until > now && kept.size < MOST_KEYS) return
    kept.delete(key)
  }
}

/** Counts of this node alone. */
export function countHere(clock: Clock): Count {
  const kept = new Map<string, { count: number; readonly until: EpochMs }>()
  return async (what, until) => {
    const known = kept.get(what)
    if (known) return ++known.count
    makeRoom(kept, clock())
    kept.set(what, { count: 1, until })
    return 1
  }
}

/**
 * What each node counts for itself, at every request: nothing has to be waited for, and so it is counted where it
 * stands. The library's way costs a call some 10 µs, of which all but one are promises.
 */
export class OwnLimiter {
  readonly #clock: Clock
  readonly #points: number
  readonly #length: EpochMs
  readonly #kept = new Map<string, Window>()

  constructor({ name, points, clock }: Omit<Parts, 'count'>) {
    this.#clock = clock
    this.#points = points
    this.#length = LIMITS[name].per * 1000
  }

  /** Counts one on a key. The window in which it was one too many, if it was. */
  consume(key: string): Window | undefined {
    const now = this.#clock()
    const until = windowEnd(now, this.#length)
    const known = this.#kept.get(key)
    // This one and no other: a clock that was ahead and is set back would hold a hospital to one window for as long.
    if (known?.until === until) {
      known.count += 1
      return known.count > this.#points ? known : undefined
    }
    this.#kept.delete(key)
    makeRoom(this.#kept, now)
    const begun = { until, count: 1 }
    this.#kept.set(key, begun)
    return begun.count > this.#points ? begun : undefined
  }
}

/**
 * The library keeps whom it turns away in a map of its own, by the machine's clock. Here the last number
 * that was heard of a key is kept instead, by ours: whoever is over is turned away without asking the
 * store, and whoever tries is judged without asking it.
 */
export class Limiter extends StoreAbstract {
  readonly #parts: Parts
  readonly #heard = new Map<string, Window>()

  constructor(parts: Parts) {
    const duration = LIMITS[parts.name].per
    super({ storeClient: undefined, keyPrefix: parts.name, points: parts.points, duration })
    this.#parts = parts
  }

  /** What this node heard last of a key, if that is the window of now. */
  heard(key: string): Window | undefined {
    return this.#current(this.getKey(key))
  }

  #current(prefixed: string): Window | undefined {
    const window = this.#heard.get(prefixed)
    const { name, clock } = this.#parts
    return window?.until === windowEnd(clock(), LIMITS[name].per * 1000) ? window : undefined
  }

  /** The library's name. How long a key is turned away, without asking the store. */
  getInMemoryBlockMsBeforeExpire(prefixed: string): number {
    const window = this.#current(prefixed)
    if (!window || window.count <= this.points) return 0
    return window.until - this.#parts.clock()
  }

  /** The library's name. Counts one; always one, and never for longer than the window. */
  async _upsert(prefixed: string, _points: number, length: EpochMs): Promise<Window> {
    const { count, clock } = this.#parts
    const until = windowEnd(clock(), length)
    return { count: await count(`${prefixed}/${until}`, until), until }
  }

  /** The library's name. */
  _getRateLimiterRes(prefixed: string, _points: number, counted: Window): RateLimiterRes {
    const now = this.#parts.clock()
    const known = this.#heard.get(prefixed)
    // Answers may overtake each other.
    if (known?.until === counted.until) known.count = Math.max(known.count, counted.count)
    else if (!this.#current(prefixed)) {
      this.#heard.delete(prefixed)
      makeRoom(this.#heard, now)
      this.#heard.set(prefixed, counted)
    }
    const left = Math.max(this.points - counted.count, 0)
    return new RateLimiterRes(left, counted.until - now, counted.count, counted.count === 1)
  }
}

/** Counts one on a key. The window in which it was one too many, if it was. */
export async function consume(limiter: Limiter, key: string): Promise<Window | undefined> {
  try {
    await limiter.consume(key)
    return undefined
  } catch (over) {
    if (!(over instanceof RateLimiterRes)) throw over
    return limiter.heard(key)
  }
}
