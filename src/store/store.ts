/**
 * The store's interface and its promises. Two back ends keep them (embedded.ts, redis.ts), shown by
 * one contract suite (test/contract/store.ts).
 *
 * A store is opened by one process and writes its trail entries under a writer name of its own, so that
 * each writer's chain has one author.
 */
import type { TrailEntry } from '../core/audit.js'
import type { Kind, Records } from '../core/records.js'
import type { EpochMs } from '../core/values.js'

/** One record to be written. From `until` on it reads as absent, judged by our clock. */
export type Put = {
  [K in Kind]: {
    readonly kind: K
    readonly id: string
    readonly value: Records[K]
    readonly until: EpochMs
  }
}[Kind]

/** What may happen only once before `until`: a launch's `jti`, a handle's use, a code's use. */
export interface Claim {
  readonly what: string
  readonly until: EpochMs
}

/** Where a writer's chain stands: its last entry's number and hash. */
export interface Head {
  readonly writer: string
  readonly seq: number
  readonly hash: string
}

export interface Commit {
  readonly claims?: readonly Claim[]
  /** Given the head at the moment of writing, the entries that follow it. Pure; may be called again. */
  readonly entries?: (head: Head) => readonly TrailEntry[]
  readonly puts?: readonly Put[]
  readonly drops?: readonly { readonly kind: Kind; readonly id: string }[]
}

/** A record as it is kept; nothing, where there is none. */
export type Text = string | null | undefined

export type Ask = { [K in Kind]: { readonly kind: K; readonly id: string } }[Kind]
export type Answers<A extends readonly Ask[]> = {
  -readonly [I in keyof A]: A[I] extends { kind: infer K extends Kind }
    ? Records[K] | undefined
    : never
}

/** Open end, or only entries with `from <= at < to`. One writer's entries come in their order. */
export interface TrailRange {
  readonly writer?: string
  readonly from?: EpochMs
  readonly to?: EpochMs
}

export interface Store {
  readonly kind: 'embedded' | 'redis'
  get<K extends Kind>(kind: K, id: string): Promise<Records[K] | undefined>
  /** Several records at the cost of one trip, in the order asked. What they hold is a copy. */
  getAll<const A extends readonly Ask[]>(asks: A): Promise<Answers<A>>
  /** The same, as they are kept: equal texts are equal records. For who remembers what came of them (ahead.ts). */
  texts(asks: readonly Ask[]): Promise<readonly Text[]>
  /**
   * Every live record of a kind, by id. Only for kinds of which there are few: apps, systems, policies,
   * keys, notices, alerts, emergencies to be reviewed, drafts, nodes, pages of questions. @throws Error for any other
   */
  list<K extends Kind>(
    kind: K,
  ): Promise<readonly { readonly id: string; readonly value: Records[K] }[]>
  /**
   * Writes in this order: claims, entries, then puts and drops; durable when it returns `true`.
   *
   * Claims are taken in order, and each has exactly one winner before its `until`, however many
   * callers, processes and machines try. At the first lost claim nothing more happens and the answer
   * is `false`; claims taken before it stay spent. One whose `until` is over is lost: whoever names a time
   * from before they looked, and then stood still, changes nothing. Entries are durable before any put takes effect,
   * so a cut between the two leaves an entry without its record, never a record without its entry.
   *
   * @throws Error when durability is unknown; the caller must treat the commit as not done
   */
  commit(commit: Commit): Promise<boolean>
  /**
   * Adds one to a counter and answers how far it is: each number once, however many machines count. The
   * name says which stretch of time it counts, for from `until` on it may be forgotten. Not durable: a
   * count that is lost lets somebody try once more.
   */
  count(what: string, until: EpochMs): Promise<number>
  /** The trail as written, in the order of time. */
  trail(range?: TrailRange): AsyncIterable<TrailEntry>
  /** The head of every writer that ever wrote, this one included once it has. */
  heads(): Promise<readonly Head[]>
  /** Removes what is past its `until`; reading never depends on it. Answers how many went. */
  sweep(): Promise<number>
  /** Resolves when the store can be written to and read from now. */
  ping(): Promise<void>
  close(): Promise<void>
}
