/**
 * The store of one machine: LMDB in the data directory. Several processes may open the directory when
 * they share a PID namespace and a local disk (LMDB's locks need both).
 *
 * A commit is acknowledged when it is on disk, and it is there wholly or not at all: claims, entries,
 * puts and drops are one transaction.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { newWriter } from '../core/chain.js'
import type { Clock, EpochMs, Random } from '../core/values.js'
import { storeOf } from './back-end.js'
import { type Database, openChains } from './embedded-chains.js'
import { type EmbeddedReading, openReading } from './embedded-reading.js'
import { openWriting } from './embedded-writing.js'
import { StoreFailure } from './failure.js'
import { encodeUntil, untilOf } from './records.js'
import type { Store } from './store.js'

export interface EmbeddedOptions {
  /** Made when it is absent, for this user alone. */
  readonly dir: string
  readonly clock: Clock
  readonly random: Random
}

/** The file that is the store. */
export const DATABASE = 'gateway.mdb'

/** @throws Error when the directory cannot be written to */
export async function openEmbedded({ dir, clock, random }: EmbeddedOptions): Promise<Store> {
  const db = openDatabase(dir)
  const chains = openChains(db)
  const reading = await readingOf(db, join(dir, DATABASE))
  const writing = openWriting({ db, chains, writer: newWriter(clock(), random), clock })
  const backEnd = {
    kind: 'embedded' as const,
    chains,
    values: async (keys: readonly string[]) => reading.values(keys),
    async ids(kind: string) {
      // A read sees what any process had committed before it began, not the snapshot of an earlier one.
      db.resetReadTxn()
      const keys = [...db.getKeys({ start: `${kind}/`, end: `${kind}0` })]
      return keys.map((key) => key.slice(kind.length + 1))
    },
    commit: writing.commit,
    count: (key: string, until: EpochMs) => count(db, key, until),
    sweep: (now: EpochMs) => sweep(db, now),
    async close() {
      await writing.idle()
      await reading.close().finally(() => db.close())
    },
  }
  return storeOf(backEnd, clock)
}

/** A database whose reading cannot be opened is not left open. */
async function readingOf(db: Database, path: string): Promise<EmbeddedReading> {
  try {
    return openReading(path)
  } catch (error) {
    await db.close()
    throw error
  }
}

function openDatabase(dir: string): Database {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, DATABASE)
  // Without overlappingSync, a transaction is acknowledged only once it is flushed.
  const db: Database = open({ path, encoding: 'string', overlappingSync: false })
  for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600)
  hearFailures(db)
  return db
}

/**
 * When a commit fails, lmdb-js rejects two promises besides those that it has given out: the one of the whole turn's
 * batch, and the cause, which its errors carry as `commitError`. If nobody heard them, a full disk would end the process.
 */
function hearFailures(db: Database): void {
  const nothing = () => undefined
  const hear = ({ commitError }: { readonly commitError?: Promise<never> }) => {
    commitError?.catch(nothing)
  }
  // The batch's is made just after this event, and cannot fail in the same turn.
  db.on('beforecommit', () => queueMicrotask(() => void db.committed.then(nothing, hear)))
}

/** Shares the flush of whatever is being written: nobody needs it on disk, and a flush of its own would cost more. */
async function count(db: Database, key: string, until: EpochMs): Promise<number> {
  try {
    return await db.childTransaction(() => {
      const next = Number(db.get(key)?.split(' ')[1] ?? 0) + 1
      db.put(key, `${encodeUntil(until)} ${next}`)
      return next
    })
  } catch {
    // LMDB's own error goes no further: it may quote a key.
    throw new StoreFailure('uncertain', 'the transaction could not be written')
  }
}

const SWEEP_PAGE = 1000
/** Everything but the trail, which lies between the two. */
const SWEPT = [
  { start: ' ', end: 'trail/' },
  { start: 'trail0', end: '\u007f' },
] as const

/** A page at a time, so that calls are answered in between. */
async function sweep(db: Database, now: EpochMs): Promise<number> {
  let gone = 0
  for (const { start, end } of SWEPT) {
    for (let from: string = start; ; ) {
      db.resetReadTxn()
      const page = [...db.getRange({ start: from, end, limit: SWEEP_PAGE })]
      const over = page.filter(({ value }) => untilOf(value) <= now).map(({ key }) => key)
      if (over.length > 0) gone += await remove(db, over, now)
      const last = page.at(-1)
      if (page.length < SWEEP_PAGE || !last) break
      from = `${last.key} `
    }
  }
  return gone
}

/** Judges each once more inside the transaction: it may have been written anew since it was read. */
const remove = (db: Database, keys: readonly string[], now: EpochMs): Promise<number> =>
  db.childTransaction(() => {
    const over = keys.filter((key) => untilOf(db.get(key) ?? 'live') <= now)
    for (const key of over) db.remove(key)
    return over.length
  })
