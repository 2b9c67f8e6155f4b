/** Reads the writers' chains as one trail, in the order of time, a page at a time. */
import type { TrailEntry } from '../core/audit.js'
import { writerTime } from '../core/chain.js'
import type { EpochMs } from '../core/values.js'
import type { TrailRange } from './store.js'

/** What a back end offers of the chains that it holds. */
export interface Chains {
  /** The last entry of a writer, or of every writer that wrote. */
  last(writer?: string): Promise<readonly TrailEntry[]>
  /** Entries of a writer from number `seq` on, about `count` of them; none at the end. */
  page(writer: string, seq: number, count: number): Promise<readonly TrailEntry[]>
}

const FIRST_PAGE = 8
const LARGEST_PAGE = 512

/** The number of the writer's first entry that is not before `from`. Times never run backwards in a chain. */
async function seqAt(chains: Chains, last: TrailEntry, from: EpochMs): Promise<number> {
  let [low, high] = [1, last.seq]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [entry] = await chains.page(last.writer, middle, 1)
    if (entry && entry.at < from) low = entry.seq + 1
    else high = middle
  }
  return low
}

async function* readChain(
  chains: Chains,
  last: TrailEntry,
  { from, to }: TrailRange,
): AsyncGenerator<TrailEntry> {
  let seq = from === undefined ? 1 : await seqAt(chains, last, from)
  // Small pages first: who wants to see how a chain begins should not pay for the whole of it.
  for (let count = FIRST_PAGE; ; count = Math.min(count * 2, LARGEST_PAGE)) {
    const page = await chains.page(last.writer, seq, count)
    for (const entry of page) {
      if (to !== undefined && entry.at >= to) return
      if (from === undefined || entry.at >= from) yield entry
    }
    const end = page.at(-1)
    if (!end) return
    seq = end.seq + 1
  }
}

interface Reader {
  next: TrailEntry
  readonly rest: AsyncGenerator<TrailEntry>
}

/**
 * Entries in the order of time, each writer's in the order of its chain. A chain is opened when the
 * time of its writer has come, so that only writers that lived side by side are held at once.
 */
export async function* readTrail(chains: Chains, range: TrailRange): AsyncGenerator<TrailEntry> {
  const { writer, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = range
  const waiting = (await chains.last(writer))
    .filter((last) => last.at >= from && writerTime(last.writer) < to)
    .sort((a, b) => writerTime(a.writer) - writerTime(b.writer))
  const open: Reader[] = []
  for (;;) {
    let first = earliest(open)
    while (waiting[0] && (!first || writerTime(waiting[0].writer) <= first.next.at)) {
      const rest = readChain(chains, waiting[0], range)
      waiting.shift()
      const { value } = await rest.next()
      if (value) open.push({ next: value, rest })
      first = earliest(open)
    }
    if (!first) return
    yield first.next
    const { value } = await first.rest.next()
    if (value) first.next = value
    else open.splice(open.indexOf(first), 1)
  }
}

function earliest(readers: readonly Reader[]): Reader | undefined {
  let first = readers[0]
  for (const reader of readers) if (first && reader.next.at < first.next.at) first = reader
  return first
}
