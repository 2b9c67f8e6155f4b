/** Commits to LMDB, those that wait together in one transaction and one flush. */
import type { TrailEntry } from '../core/audit.js'
import type { Clock } from '../core/values.js'
import type { Database, EmbeddedChains } from './embedded-chains.js'
import { StoreFailure } from './failure.js'
import { assertFollows, encodeUntil, MOST_WAITING, untilOf, type Writing } from './records.js'
import type { Head } from './store.js'

interface Job {
  readonly writing: Writing
  readonly resolve: (won: boolean) => void
  readonly reject: (error: unknown) => void
}
interface Outcome {
  readonly won: boolean
  readonly head: Head
  /** What `entries` threw: a fault of this commit alone. */
  readonly fault?: { readonly error: unknown }
}

export interface EmbeddedWriting {
  commit(writing: Writing): Promise<boolean>
  /** Resolves once nothing waits. */
  idle(): Promise<void>
}

export interface EmbeddedWritingParts {
  readonly db: Database
  readonly chains: EmbeddedChains
  readonly writer: string
  readonly clock: Clock
}

/** So that a burst does not hold the write lock, and the event loop, for long. */
const MOST_IN_ONE_TRANSACTION = 256

export function openWriting({ db, chains, writer, clock }: EmbeddedWritingParts): EmbeddedWriting {
  const jobs: Job[] = []
  /** Unknown at first, and after a transaction that may or may not have been written. */
  let head: Head | undefined
  let working: Promise<void> | undefined

  function applyAll(batch: Job[], outcomes: Outcome[]): void {
    // Taken only here, once the lock is held, so that all who came in the meantime share the flush.
    batch.push(...jobs.splice(0, MOST_IN_ONE_TRANSACTION))
    let from = head ?? chains.headOf(writer)
    for (const { writing } of batch) {
      const outcome = apply(db, chains, writing, from, clock())
      outcomes.push(outcome)
      from = outcome.head
    }
  }

  /**
   * Entries alone depend on nothing that another process writes, so they need no turn of this thread inside the
   * transaction: that costs as much again as the transaction. What is put in one turn is committed together.
   */
  async function append(from: Head, batch: Job[], outcomes: Outcome[]): Promise<boolean> {
    batch.push(...jobs.splice(0, MOST_IN_ONE_TRANSACTION))
    const all: TrailEntry[] = []
    for (const { writing } of batch) {
      const { follow, ...outcome } = followed(writing.entries, outcomes.at(-1)?.head ?? from)
      outcomes.push(outcome)
      all.push(...follow)
    }
    try {
      await Promise.all(chains.put(all))
      return true
    } catch {
      return false
    }
  }

  async function work(): Promise<void> {
    while (jobs.length > 0) {
      const [batch, outcomes]: [Job[], Outcome[]] = [[], []]
      const written =
        head && jobs.every(isOfEntries)
          ? await append(head, batch, outcomes)
          : await transact(db, () => applyAll(batch, outcomes))
      head = written ? outcomes.at(-1)?.head : undefined
      if (written) answer(batch, outcomes)
      else fail(batch.length > 0 ? batch : jobs.splice(0))
    }
    working = undefined
  }

  return {
    commit(writing) {
      if (jobs.length >= MOST_WAITING) throw new StoreFailure('overloaded', 'too many commits wait')
      return new Promise((resolve, reject) => {
        jobs.push({ writing, resolve, reject })
        working ??= work()
      })
    },
    idle: async () => working,
  }
}

/** A child transaction: when `work` throws, nothing of it is written. Answers whether it was. */
async function transact(db: Database, work: () => void): Promise<boolean> {
  try {
    await db.childTransaction(work)
    return true
  } catch {
    // LMDB's own error goes no further: it may quote a key.
    return false
  }
}

function answer(batch: readonly Job[], outcomes: readonly Outcome[]): void {
  for (const [index, { resolve, reject }] of batch.entries()) {
    const { won = false, fault } = outcomes[index] ?? {}
    if (fault) reject(fault.error)
    else resolve(won)
  }
}

function fail(jobs: readonly Job[]): void {
  const failure = new StoreFailure('uncertain', 'the transaction could not be written')
  for (const { reject } of jobs) reject(failure)
}

/** Inside the transaction. Whatever a caller's fault may be, it shows before the first write. */
function apply(
  db: Database,
  chains: EmbeddedChains,
  { claims, entries, puts, drops }: Writing,
  head: Head,
  now: number,
): Outcome {
  const taken = new Set<string>()
  const lost = claims.findIndex(({ key, until }) => {
    const held = until <= now || taken.has(key) || untilOf(db.get(key) ?? '') > now
    taken.add(key)
    return held
  })
  const { follow, ...outcome } = followed(lost === -1 ? entries : undefined, head)
  if (outcome.fault) return outcome
  for (const { key, until } of lost === -1 ? claims : claims.slice(0, lost))
    db.put(key, encodeUntil(until))
  if (lost !== -1) return { won: false, head }
  chains.put(follow)
  for (const { key, text } of puts) db.put(key, text)
  for (const { key } of drops) db.remove(key)
  return outcome
}

const isOfEntries = ({ writing: { claims, puts, drops } }: Job): boolean =>
  claims.length + puts.length + drops.length === 0

/** The entries of one commit, after those before them; none where their maker is at fault. */
function followed(entries: Writing['entries'], head: Head) {
  try {
    const follow = entries?.(head) ?? []
    assertFollows(head, follow)
    return { won: true, head: follow.at(-1) ?? head, follow }
  } catch (error) {
    return { won: false, head, fault: { error }, follow: [] }
  }
}
