/**
 * The trail from its young end backwards, in slices of time: what people look for happened lately, and a region's
 * trail is too long to read from its beginning while somebody waits. Bounded in how much is read.
 */
import { setImmediate as breathe } from 'node:timers/promises'
import type { TrailEntry } from '../core/audit.js'
import type { EpochMs } from '../core/values.js'
import type { Store } from '../store/store.js'
import { matches, type TrailQuery } from './search.js'

type Trail = Pick<Store, 'trail'>

export interface Stretch {
  readonly from: EpochMs
  readonly to: EpochMs
  /** The most entries to read. */
  readonly most: number
}

/** Entries of one slice, the oldest first; everything from `from` on has been read by then. */
export interface Slice {
  readonly entries: readonly TrailEntry[]
  readonly from: EpochMs
  readonly read: number
}

const FIRST_SPAN: EpochMs = 60_000
const SHORTEST: EpochMs = 1_000
/** Slices grow until they hold about so many. */
const ENOUGH = 2_000
/** How many entries are read before others may have the thread. */
const AT_ONCE = 250

/** `undefined` where there are more than `most`. */
async function readSlice(
  store: Trail,
  range: { readonly from: EpochMs; readonly to: EpochMs },
  most: number,
): Promise<readonly TrailEntry[] | undefined> {
  const entries: TrailEntry[] = []
  for await (const entry of store.trail(range)) {
    if (entries.length >= most) return undefined
    if (entries.push(entry) % AT_ONCE === 0) await breathe()
  }
  return entries
}

/** Slices from `to` back to `from`, as many as `most` entries allow; a second that holds more is the last. */
export async function* walkBack(
  store: Trail,
  { from, to, most }: Stretch,
): AsyncGenerator<Slice, void, void> {
  let span = FIRST_SPAN
  let read = 0
  for (let end = to; end > from && read < most; ) {
    const start = Math.max(from, end - span)
    const entries = await readSlice(store, { from: start, to: end }, most - read)
    if (!entries && span > SHORTEST) {
      span = Math.max(SHORTEST, Math.floor(span / 4))
      continue
    }
    if (!entries) return
    read += entries.length
    yield { entries, from: start, read }
    end = start
    if (entries.length < ENOUGH) span *= 4
    else if (entries.length > 4 * ENOUGH) span = Math.max(SHORTEST, Math.floor(span / 2))
  }
}

export interface Found {
  /** The newest first. */
  readonly entries: readonly TrailEntry[]
  /** Everything from then on has been looked at: what is older begins before it. */
  readonly reached: EpochMs
  /** Nothing older is left in the time that was asked for. */
  readonly whole: boolean
}

/**
 * The newest entries that match. Where there are more than `limit`, those of the last moment are all there, so that
 * the next page can begin before it and loses none.
 */
export async function searchBack(
  store: Trail,
  query: Omit<TrailQuery, 'limit'>,
  { from, to, most, limit }: Stretch & { readonly limit: number },
): Promise<Found> {
  const found: TrailEntry[] = []
  let reached = to
  for await (const slice of walkBack(store, { from, to, most })) {
    found.push(...slice.entries.filter((entry) => matches(entry, query)).reverse())
    reached = slice.from
    const last = found[limit - 1]
    if (last) {
      const entries = found.filter(({ at }, i) => i < limit || at === last.at)
      const cut = entries.length < found.length
      return { entries, reached: cut ? last.at : reached, whole: !cut && reached <= from }
    }
  }
  return { entries: found, reached, whole: reached <= from }
}
