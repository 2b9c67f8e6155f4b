/** Reads whose keys are known beforehand, in one trip: what is the same at each call need not be found out step by step. */
import type { Kind, Records } from '../core/records.js'
import type { Clock, EpochMs } from '../core/values.js'
import { decodeRecord, untilOf } from './records.js'
import type { Answers, Ask, Store, Text } from './store.js'

/** What a request asked for, each once, and how it was kept. */
export interface Kept {
  readonly asks: readonly Ask[]
  readonly texts: readonly Text[]
  /** When the first of these records is over. */
  readonly until: EpochMs
}

export interface Ahead extends Pick<Store, 'get' | 'getAll'> {
  /** Whether what was read ahead is kept as it was then: until the first of it is over, it means the same. */
  isAs(before: Kept): boolean
  asked(): Kept
}

const nameOf = ({ kind, id }: Ask): string => `${kind} ${id}`

/**
 * The store as it stands now, for one request: what is likely to be asked has been read, and anything else is read when
 * it is asked for. Nothing of it is good for the next request, which reads anew.
 *
 * @param likely what a request like this asked for the last time
 */
export async function readAhead(
  { store, clock }: { readonly store: Pick<Store, 'texts'>; readonly clock: Clock },
  likely: readonly Ask[],
): Promise<Ahead> {
  const first = likely.length === 0 ? [] : await store.texts(likely)
  const held = new Map<string, Text>()
  const asked = new Map<string, Ask>()
  const hold = (asks: readonly Ask[], texts: readonly Text[]): void => {
    for (const [i, ask] of asks.entries()) held.set(nameOf(ask), texts[i])
  }
  const getAll = async <const A extends readonly Ask[]>(asks: A): Promise<Answers<A>> => {
    if (held.size === 0) hold(likely, first)
    for (const ask of asks) asked.set(nameOf(ask), ask)
    const missing = asks.filter((ask) => !held.has(nameOf(ask)))
    if (missing.length > 0) hold(missing, await store.texts(missing))
    const now = clock()
    return asks.map((ask) => decodeRecord(held.get(nameOf(ask)), now)) as Answers<A>
  }
  return {
    getAll,
    async get<K extends Kind>(kind: K, id: string) {
      const [value] = await getAll([{ kind, id } as Ask])
      return value as Records[K] | undefined
    },
    isAs: ({ asks, texts }) => asks === likely && texts.every((text, i) => text === first[i]),
    asked() {
      const texts = [...asked.keys()].map((name) => held.get(name))
      const until = Math.min(
        ...texts.map((text) => (text ? untilOf(text) : Number.POSITIVE_INFINITY)),
      )
      return { asks: [...asked.values()], texts, until }
    },
  }
}
