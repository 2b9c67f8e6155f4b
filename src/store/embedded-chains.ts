/** The trail in LMDB: one key for each entry, `trail/<writer>/<number>`, so that chains read in their order. */
import type { RootDatabase } from 'lmdb'
import type { TrailEntry } from '../core/audit.js'
import { entryText, genesis } from '../core/chain.js'
import type { Chains } from './reading.js'
import { decodeEntry } from './records.js'
import type { Head } from './store.js'

export type Database = RootDatabase<string, string>

const SEQ_DIGITS = 15
/** The character after `/`: the end of everything that begins with a prefix and `/`. */
const END = '0'

const entryKey = (writer: string, seq: number): string =>
  `trail/${writer}/${String(seq).padStart(SEQ_DIGITS, '0')}`

const entryOf = ({ key, value }: { key: string; value: string }): TrailEntry =>
  decodeEntry(value, key.slice(6, -SEQ_DIGITS - 1), Number(key.slice(-SEQ_DIGITS)))

export interface EmbeddedChains extends Chains {
  /** As committed; the beginning of a chain for a writer that wrote nothing yet. */
  headOf(writer: string): Head
  /** Inside a transaction, or in one of its own. */
  put(entries: readonly TrailEntry[]): readonly Promise<boolean>[]
}

export function openChains(db: Database): EmbeddedChains {
  const lastOf = (writer: string): TrailEntry | undefined => {
    const range = { start: `trail/${writer}${END}`, end: `trail/${writer}/`, reverse: true }
    const [last] = db.getRange({ ...range, limit: 1 })
    return last && entryOf(last)
  }
  function* writers(): Generator<string> {
    for (let start = 'trail/'; ; ) {
      const [key] = db.getKeys({ start, end: `trail${END}`, limit: 1 })
      if (key === undefined) return
      const writer = key.slice(6, -SEQ_DIGITS - 1)
      yield writer
      start = `trail/${writer}${END}`
    }
  }
  return {
    headOf: (writer) => lastOf(writer) ?? genesis(writer),
    async last(writer) {
      db.resetReadTxn()
      return (writer === undefined ? [...writers()] : [writer])
        .map(lastOf)
        .filter((entry) => entry !== undefined)
    },
    async page(writer, seq, count) {
      db.resetReadTxn()
      const range = { start: entryKey(writer, seq), end: `trail/${writer}${END}`, limit: count }
      return [...db.getRange(range)].map(entryOf)
    },
    put: (entries) =>
      entries.map((entry) => db.put(entryKey(entry.writer, entry.seq), entryText(entry))),
  }
}
