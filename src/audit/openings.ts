/**
 * How a chain begins: with the heads of the other writers' chains. To cut off the end of an old chain, or
 * to take it away, one would have to change the younger chains that name it.
 */
import type { Happening, TrailEntry } from '../core/audit.js'
import type { Head, Store } from '../store/store.js'

const HEADS_IN_ONE = 100
const AT_ONCE = 32

/** `writer:seq:hash` */
export const nameHead = ({ writer, seq, hash }: Head): string => `${writer}:${seq}:${hash}`

/** @param text of an entry that may have been changed */
export function readHead(text: unknown): Head | undefined {
  const match = typeof text === 'string' && /^([^:]{1,64}):(\d{1,15}):([\w-]{43})$/.exec(text)
  const [, writer = '', seq, hash = ''] = match || []
  return match ? { writer, seq: Number(seq), hash } : undefined
}

/** The heads that an entry of this kind names. */
export function headsIn(entry: TrailEntry): readonly unknown[] {
  const heads = entry.what === 'writer_opened' ? entry.detail?.heads : undefined
  return Array.isArray(heads) ? heads : []
}

async function namedBy(store: Store, writer: string): Promise<readonly unknown[]> {
  const names: unknown[] = []
  for await (const entry of store.trail({ writer })) {
    if (entry.what !== 'writer_opened') break
    names.push(...headsIn(entry))
  }
  return names
}

/** The first entries of a new chain: they name each head that no older chain names where it now stands. */
export async function openings(store: Store): Promise<readonly Happening[]> {
  const heads = await store.heads()
  const named = new Set<unknown>()
  for (let start = 0; start < heads.length; start += AT_ONCE) {
    const some = heads.slice(start, start + AT_ONCE)
    const names = await Promise.all(some.map(({ writer }) => namedBy(store, writer)))
    for (const name of names.flat()) named.add(name)
  }
  const fresh = heads.map(nameHead).filter((name) => !named.has(name))
  const parts = Math.max(1, Math.ceil(fresh.length / HEADS_IN_ONE))
  return Array.from({ length: parts }, (_, part) => ({
    what: 'writer_opened',
    outcome: 'success',
    detail: { heads: fresh.slice(part * HEADS_IN_ONE, (part + 1) * HEADS_IN_ONE) },
  }))
}
