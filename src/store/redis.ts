/**
 * The store of many machines: Redis, by one server, Sentinel or a Cluster.
 *
 * A commit is not one transaction here. Claims are taken, then entries written, then puts and drops made,
 * each confirmed before the next begins: a cut leaves a spent claim, or an entry without its record.
 *
 * What is promised when a server is lost: Redis replicates after it has answered, so a failover may lose
 * the last writes. A claim that is lost can be won again, and an entry that is lost leaves a gap that
 * `verify` shows. `replicas` makes a commit wait until that many replicas hold it, which narrows this but,
 * as Redis says of WAIT, does not end it. With the append-only file off, a restart loses everything.
 */
import { newWriter } from '../core/chain.js'
import type { Kind } from '../core/records.js'
import type { Clock, Random } from '../core/values.js'
import { storeOf } from './back-end.js'
import { recordKey } from './records.js'
import { type Connection, connect, type RedisAddress } from './redis-connection.js'
import { openCounting } from './redis-counting.js'
import { openRedisChains } from './redis-stream.js'
import { indexKey, openRedisWriting } from './redis-writing.js'
import type { Store } from './store.js'

export type RedisStoreOptions = RedisAddress & {
  readonly clock: Clock
  readonly random: Random
  /** What every key begins with. */
  readonly prefix?: string
  /** How many replicas must hold a commit before it is acknowledged. */
  readonly replicas?: number
  /** Told of what an operator should mend. Never holds a key or a value. */
  readonly warn?: (message: string) => void
}

/** @throws StoreFailure unavailable */
export async function openRedis(options: RedisStoreOptions): Promise<Store> {
  const { clock, random, prefix = 'lg:', replicas = 0, warn = () => undefined } = options
  const connection = await connect(options, replicas)
  await examine(connection, warn)
  const writer = newWriter(clock(), random)
  const writing = openRedisWriting({ connection, prefix, writer, clock, warn })
  const tidy = openTidying(connection, prefix)
  const backEnd = {
    kind: 'redis' as const,
    chains: openRedisChains(connection, prefix),
    values: (keys: readonly string[]) => connection.values(keys.map((key) => prefix + key)),
    async ids(kind: Kind) {
      const [members] = await connection.read([['smembers', indexKey(prefix, kind)]])
      return (members as string[]).sort()
    },
    commit: writing.commit,
    count: openCounting(connection, prefix, clock),
    sweep: async () => {
      await tidy()
      // Records, the server removes by itself.
      return 0
    },
    async close() {
      await writing.idle()
      await connection.close()
    },
  }
  return storeOf(backEnd, clock)
}

/** Kinds whose ids are never used again, so that one without its record may be forgotten. */
const USED_ONCE: readonly Kind[] = ['draft', 'node', 'shadow', 'notice']

/**
 * Takes ids out of the index whose records the server has let go. Only those that were without one at two sweeps: on a
 * Cluster a new record's id may be there a moment before the record is.
 */
function openTidying(connection: Connection, prefix: string): () => Promise<void> {
  let before: ReadonlySet<string> = new Set()
  return async () => {
    const absent = new Set<string>()
    for (const kind of USED_ONCE) {
      const index = indexKey(prefix, kind)
      const [members] = await connection.read([['smembers', index]])
      const ids = members as string[]
      if (ids.length === 0) continue
      const found = await connection.values(ids.map((id) => prefix + recordKey(kind, id)))
      const gone = ids.filter((_, i) => found[i] === null || found[i] === undefined)
      for (const id of gone) absent.add(recordKey(kind, id))
      const over = gone.filter((id) => before.has(recordKey(kind, id)))
      if (over.length > 0) await connection.write([['srem', index, ...over]])
    }
    before = absent
  }
}

/** Settings of the server that would lose what we keep. */
async function examine(connection: Connection, warn: (message: string) => void): Promise<void> {
  const every = async (section: string, line: RegExp) =>
    (await connection.info(section)).every((text) => line.test(text))
  try {
    if (!(await every('persistence', /^aof_enabled:1/m)))
      warn('Redis has its append-only file off: a restart loses claims, sessions and the trail')
    if (!(await every('memory', /^maxmemory_policy:noeviction/m)))
      warn('Redis may evict keys when its memory is full: a spent launch could be used again')
  } catch {
    warn('Redis does not tell whether it keeps what it is given (INFO was refused)')
  }
}
