/**
 * Reads the whole trail and says what does not fit: entries that were changed, removed, moved or added,
 * chains that were cut off or taken away although a younger chain or a checkpoint names them, checkpoints
 * that we did not sign. What it cannot see by itself is that the end of a chain is gone which nothing here names
 * yet, or that all of it was written anew by somebody who holds the keys as well: checkpoints that were kept
 * elsewhere show both.
 */
import type { TrailEntry } from '../core/audit.js'
import { checkLink, genesis, type LinkProblem } from '../core/chain.js'
import type { EpochMs } from '../core/values.js'
import type { Head, Store } from '../store/store.js'
import { headsIn, readHead } from './openings.js'

export interface VerifyOptions {
  /** The payload of a checkpoint that we signed, `undefined` for any other. Without it, none is looked at. */
  readonly verifyCheckpoint?: (jws: string) => Promise<object | undefined>
  /** What checkpoints that were kept elsewhere name, their signatures checked: it must still stand here. */
  readonly kept?: readonly Head[]
}

export interface TrailProblem {
  readonly writer: string
  readonly seq: number
  /** Of the entry; absent when the entry is. */
  readonly at?: EpochMs
  readonly problem: string
}

export interface TrailReport {
  readonly entries: number
  readonly writers: number
  /** The first thousand. */
  readonly problems: readonly TrailProblem[]
  /** The youngest whose signature was checked. */
  readonly lastCheckpoint?: { readonly writer: string; readonly seq: number; readonly at: EpochMs }
}

const MOST_PROBLEMS = 1000
/** How many hashes of a chain are remembered: what is named is mostly what came just before. */
const RECENT = 512

type Place = Pick<TrailEntry, 'writer' | 'seq' | 'hash'> & { readonly at?: EpochMs }

/** How far a chain has been read. */
interface State {
  readonly last: Place
  readonly recent: Map<number, string>
}
/** What is said of an entry: that it is there, with this hash. */
interface Named {
  readonly head: Head
  /** Who says so. */
  readonly by: string
}
interface Reading {
  readonly states: Map<string, State>
  /** Named, but not seen yet. */
  readonly unseen: Named[]
  readonly problems: TrailProblem[]
  entries: number
  lastCheckpoint?: NonNullable<TrailReport['lastCheckpoint']>
}

// biome-ignore format: a table
const TEXTS: Readonly<Record<LinkProblem, (entry: TrailEntry, before: number) => string>> = {
  changed:   ()              => 'the entry was changed: its hash is not that of what it says',
  missing:   (entry, before) => `missing before it: entries ${before + 1} to ${entry.seq - 1}`,
  moved:     (_, before)     => `the entry stands after entry ${before}`,
  unlinked:  (_, before)     => `the entry follows another entry ${before} than the one here`,
  backwards: ()              => 'the entry is older than the one before it',
}

/** Judges everything that was written when it began. */
export async function verifyTrail(
  store: Pick<Store, 'heads' | 'trail'>,
  { verifyCheckpoint, kept = [] }: VerifyOptions = {},
): Promise<TrailReport> {
  const heads = await store.heads()
  const limits = new Map(heads.map(({ writer, seq }) => [writer, seq]))
  const unseen = kept.map((head) => ({ head, by: 'a checkpoint that was kept elsewhere' }))
  const reading: Reading = { states: new Map(), unseen, problems: [], entries: 0 }
  for await (const entry of store.trail()) {
    if (!isLegible(entry)) {
      reading.entries += 1
      reportIllegible(reading, entry)
      continue
    }
    // What is written meanwhile may be seen by halves, so it is left to the next time.
    if (entry.seq > (limits.get(entry.writer) ?? 0)) continue
    reading.entries += 1
    judgePlace(reading, entry)
    judgeNames(reading, entry, headsIn(entry).map(readHead))
    if (verifyCheckpoint && entry.what === 'checkpoint')
      await judgeCheckpoint(reading, entry, verifyCheckpoint)
  }
  judgeEnds(reading, heads)
  await lookUp(store, reading)
  const { states, entries, problems, lastCheckpoint } = reading
  return { entries, writers: states.size, problems, ...(lastCheckpoint && { lastCheckpoint }) }
}

function report({ problems }: Reading, { writer, seq, at }: Place, problem: string): void {
  if (problems.length < MOST_PROBLEMS)
    problems.push({ writer, seq, ...(at === undefined ? {} : { at }), problem })
}

/** In milliseconds: what is later is no date. */
const LAST_MOMENT = 8.64e15

/** Whoever changes an entry may put anything in a member's place: then its place cannot be judged, nor a time shown. */
const isLegible = ({ writer, seq, at, prev, hash }: TrailEntry): boolean =>
  [writer, prev, hash].every((text) => typeof text === 'string') &&
  Number.isSafeInteger(seq) &&
  typeof at === 'number' &&
  Math.abs(at) <= LAST_MOMENT

function reportIllegible(reading: Reading, { writer, seq }: TrailEntry): void {
  const place = {
    writer: typeof writer === 'string' ? writer : 'an unknown writer',
    seq: Number.isSafeInteger(seq) ? seq : 0,
    hash: '',
  }
  report(reading, place, 'the entry was changed: its place or its time cannot be read')
}

function judgePlace(reading: Reading, entry: TrailEntry): void {
  const { writer, seq, at, hash } = entry
  const state = reading.states.get(writer) ?? { last: genesis(writer), recent: new Map() }
  const before = state.last
  for (const problem of checkLink(before, entry))
    report(reading, entry, TEXTS[problem](entry, before.seq))
  if (seq === 1 && entry.what !== 'writer_opened')
    report(reading, entry, 'the chain does not begin with its opening')
  state.recent.set(seq, hash)
  state.recent.delete(seq - RECENT)
  const last = seq > before.seq ? { writer, seq, at, hash } : before
  reading.states.set(writer, { last, recent: state.recent })
}

function judgeNames(reading: Reading, by: TrailEntry, heads: readonly (Head | undefined)[]): void {
  for (const head of heads) {
    if (!head) report(reading, by, 'the entry names no head')
    else if (reading.states.get(head.writer)?.recent.get(head.seq) !== head.hash)
      reading.unseen.push({ head, by: `entry ${by.seq} of ${by.writer}` })
  }
}

async function judgeCheckpoint(
  reading: Reading,
  entry: TrailEntry,
  verify: NonNullable<VerifyOptions['verifyCheckpoint']>,
): Promise<void> {
  const jws = entry.detail?.jws
  const payload = typeof jws === 'string' ? await verify(jws) : undefined
  if (!payload) return report(reading, entry, 'the checkpoint is forged: its signature is not ours')
  const { writer, seq, hash } = payload as Partial<Head>
  if (writer !== entry.writer || !Number.isSafeInteger(seq) || Number(seq) >= entry.seq)
    return report(reading, entry, 'the checkpoint is not of this place')
  judgeNames(reading, entry, [{ writer, seq: Number(seq), hash: String(hash) }])
  reading.lastCheckpoint = { writer, seq: entry.seq, at: entry.at }
}

/** The heads are what the store says of itself; chains that end before them were cut while it was open. */
function judgeEnds(reading: Reading, heads: readonly Head[]): void {
  for (const head of heads) {
    const end = reading.states.get(head.writer)?.last.seq ?? 0
    if (end < head.seq) report(reading, head, `the chain ends at entry ${end}`)
  }
}

/** What was named and not seen shortly before it is looked for in its chain. */
async function lookUp(store: Pick<Store, 'trail'>, reading: Reading): Promise<void> {
  for (const writer of new Set(reading.unseen.map(({ head }) => head.writer))) {
    const asked = reading.unseen.filter(({ head }) => head.writer === writer)
    const seqs = new Set(asked.map(({ head }) => head.seq))
    const found = new Map<number, string>()
    // A chain that the trail does not hand out is gone, even if it can still be found by its name.
    if (reading.states.has(writer))
      for await (const { seq, hash } of store.trail({ writer }))
        if (seqs.has(seq)) found.set(seq, hash)
    for (const { head, by } of asked) {
      const named = `${by} names it`
      if (!found.has(head.seq)) report(reading, head, `the entry is gone: ${named}`)
      else if (found.get(head.seq) !== head.hash)
        report(reading, head, `the entry was changed: ${named} with another hash`)
    }
  }
}
