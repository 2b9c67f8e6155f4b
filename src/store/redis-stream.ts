/**
 * The trail in Redis: a stream for each writer. All entries that wait together are one element of it, by
 * one XADD: all of them are there or none. The element's id is the number of its first entry, and Redis
 * refuses an id that is not above the last: two elements can never hold the same number, however late a
 * command arrives that was believed lost.
 */
import type { TrailEntry } from '../core/audit.js'
import { entryText, genesis } from '../core/chain.js'
import type { Chains } from './reading.js'
import { assertFollows, decodeEntry } from './records.js'
import type { Command, Connection } from './redis-connection.js'
import type { Commit, Head } from './store.js'

type Element = readonly [id: string, fields: readonly string[]]

const CHUNK = 100

const writersKey = (prefix: string): string => `${prefix}writers`
const streamKey = (prefix: string, writer: string): string => `${prefix}trail/{${writer}}`

const entriesOf = (writer: string, [id, fields]: Element): readonly TrailEntry[] => {
  const first = Number(id.split('-', 1)[0])
  const texts = fields.filter((_, index) => index % 2 === 1)
  return texts.map((text, index) => decodeEntry(text, writer, first + index))
}

export function openRedisChains(connection: Connection, prefix: string): Chains {
  return {
    async last(writer) {
      if (writer !== undefined) return lastOf(connection, prefix, [writer])
      const [members] = await connection.read([['smembers', writersKey(prefix)]])
      const writers = [...(members as string[])].sort()
      const last: TrailEntry[] = []
      for (let start = 0; start < writers.length; start += CHUNK)
        last.push(...(await lastOf(connection, prefix, writers.slice(start, start + CHUNK))))
      return last
    },
    async page(writer, seq, count) {
      const key = streamKey(prefix, writer)
      // The element that begins at or before the number asked for, then those after it.
      const [at, later] = await connection.read([
        ['xrevrange', key, `${seq}-0`, '-', 'COUNT', 1],
        ['xrange', key, `${seq + 1}-0`, '+', 'COUNT', count],
      ])
      const elements = [...(at as Element[]), ...(later as Element[])]
      return elements.flatMap((element) => entriesOf(writer, element)).filter((e) => e.seq >= seq)
    },
  }
}

/** Writers whose stream is empty are left out. */
async function lastOf(
  connection: Connection,
  prefix: string,
  writers: readonly string[],
): Promise<readonly TrailEntry[]> {
  const newest = (writer: string): Command => {
    return ['xrevrange', streamKey(prefix, writer), '+', '-', 'COUNT', 1]
  }
  const replies = await connection.read(writers.map(newest))
  return writers.flatMap((writer, index) => {
    const [element] = replies[index] as Element[]
    return element ? entriesOf(writer, element).slice(-1) : []
  })
}

export interface Appending {
  /**
   * Calls each maker with the head that the one before it left. Answers, in their order, what a maker
   * threw: nothing of that one was written. One call at a time.
   *
   * @throws StoreFailure when it is unknown whether the entries are there; the chain goes on whole
   */
  append(makers: readonly EntryMaker[]): Promise<readonly (Fault | undefined)[]>
  /** The connection was lost: what Redis holds must be looked at before the chain goes on. */
  doubt(): void
}

/** What a caller's own function threw. */
export interface Fault {
  readonly error: unknown
}

export type EntryMaker = NonNullable<Commit['entries']>

export function openAppending(
  connection: Connection,
  prefix: string,
  writer: string,
  warn: (message: string) => void,
): Appending {
  let head: Head = genesis(writer)
  let certain = false

  /** Whether what was sent has been written, Redis knows. It also may have lost what it had. */
  async function ascertain(): Promise<void> {
    await connection.write([['sadd', writersKey(prefix), writer]])
    const [stored = genesis(writer)] = await lastOf(connection, prefix, [writer])
    // Numbers that were acknowledged are not given out again: the gap must show.
    if (stored.seq < head.seq)
      warn(`Redis lost entries ${stored.seq + 1} to ${head.seq} of the trail's writer ${writer}`)
    else head = stored
    certain = true
  }

  return {
    async append(makers) {
      if (!certain) await ascertain()
      const { entries, faults } = made(makers, head)
      const [first] = entries
      if (!first) return faults
      const fields = entries.flatMap((entry) => ['e', entryText(entry)])
      certain = false
      await connection.write([['xadd', streamKey(prefix, writer), `${first.seq}-0`, ...fields]])
      certain = true
      head = entries.at(-1) ?? head
      return faults
    },
    doubt: () => {
      certain = false
    },
  }
}

/** What the makers make, one after the other; a fault of one is its own. */
function made(makers: readonly EntryMaker[], head: Head) {
  const entries: TrailEntry[] = []
  const faults = makers.map((make): Fault | undefined => {
    const before = entries.at(-1) ?? head
    try {
      const follow = make(before)
      assertFollows(before, follow)
      entries.push(...follow)
      return undefined
    } catch (error) {
      return { error }
    }
  })
  return { entries, faults }
}
