/** What the two stores share: keys, time, and refusing once closed. A back end moves text. */
import type { Kind } from '../core/records.js'
import type { Clock, EpochMs } from '../core/values.js'
import { StoreFailure } from './failure.js'
import { type Chains, readTrail } from './reading.js'
import {
  assertListed,
  counterKey,
  decodeRecord,
  recordKey,
  type Writing,
  writingOf,
} from './records.js'
import type { Answers, Ask, Store, Text } from './store.js'

export interface BackEnd {
  readonly kind: Store['kind']
  readonly chains: Chains
  /** In the order asked. */
  values(keys: readonly string[]): Promise<readonly Text[]>
  /** Ids of a kind that is listed; some may be of records that are gone. */
  ids(kind: Kind): Promise<readonly string[]>
  commit(writing: Writing): Promise<boolean>
  count(key: string, until: EpochMs): Promise<number>
  sweep(now: EpochMs): Promise<number>
  /** Once nothing is under way. */
  close(): Promise<void>
}

const PING_LIFETIME = 60_000

export function storeOf(backEnd: BackEnd, clock: Clock): Store {
  let closed = false
  let sweeping: Promise<unknown> = Promise.resolve()
  const open = (): BackEnd => {
    if (closed) throw new StoreFailure('closed', 'the store was closed')
    return backEnd
  }
  // A reader of the trail may still be at it when the store is closed.
  const chains: Chains = {
    last: async (writer) => open().chains.last(writer),
    page: async (writer, seq, count) => open().chains.page(writer, seq, count),
  }
  return {
    ...readsOf(open, clock),
    kind: backEnd.kind,
    commit: async (commit) => await open().commit(writingOf(commit)),
    count: async (what, until) => open().count(counterKey(what), until),
    trail: (range = {}) => readTrail(chains, range),
    heads: async () =>
      (await chains.last()).map(({ writer, seq, hash }) => ({ writer, seq, hash })),
    async sweep() {
      const swept = open().sweep(clock())
      sweeping = swept.catch(() => undefined)
      return swept
    },
    async ping() {
      // A write: what is full, or became a replica, can still be read from.
      const until = clock() + PING_LIFETIME
      const puts = [{ key: 'ping', text: String(until), until }]
      await open().commit({ claims: [], entries: undefined, puts, drops: [] })
    },
    async close() {
      if (closed) return
      closed = true
      await sweeping
      await backEnd.close()
    },
  }
}

function readsOf(
  open: () => BackEnd,
  clock: Clock,
): Pick<Store, 'get' | 'getAll' | 'texts' | 'list'> {
  const known = new WeakMap<readonly Ask[], readonly string[]>()
  /** Whoever asks the same at each call asks with the same list: see access/judged.ts. */
  const keysOf = (asks: readonly Ask[]): readonly string[] => {
    const before = known.get(asks)
    if (before) return before
    const keys = asks.map(({ kind, id }) => recordKey(kind, id))
    known.set(asks, keys)
    return keys
  }
  const texts = async (asks: readonly Ask[]) => await open().values(keysOf(asks))
  return {
    texts,
    async get(kind, id) {
      const [text] = await open().values([recordKey(kind, id)])
      return decodeRecord(text, clock())
    },
    async getAll<const A extends readonly Ask[]>(asks: A) {
      const kept = await open().values(asks.map(({ kind, id }) => recordKey(kind, id)))
      const now = clock()
      return kept.map((text) => decodeRecord(text, now)) as Answers<A>
    },
    async list(kind) {
      assertListed(kind)
      const ids = await open().ids(kind)
      const texts = await open().values(ids.map((id) => recordKey(kind, id)))
      const now = clock()
      return ids.flatMap((id, index) => {
        const value = decodeRecord<typeof kind>(texts[index], now)
        return value === undefined ? [] : [{ id, value }]
      })
    },
  }
}
