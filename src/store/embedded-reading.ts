/** Reads of LMDB by name, for which lmdb-js's own way is too dear. */
import * as lmdb from 'lmdb'
import type { Text } from './store.js'

export interface EmbeddedReading {
  /** What stands there now, in the order asked: all of one moment, as any process had committed it before the call. */
  values(keys: readonly string[]): readonly Text[]
  /** Nothing is read after it. */
  close(): Promise<void>
}

/** Of lmdb-js what its types leave out. */
const { nativeAddon } = lmdb as unknown as {
  readonly nativeAddon: {
    /** Lets go of what a transaction sees; the next read in it sees what stands then. */
    resetTxn(address: number): void
  }
}
type Transaction = lmdb.Transaction & { readonly address: number }

/**
 * Reads in a transaction that is theirs alone, by a handle of their own. lmdb-js ends its transactions by a timer, one
 * for each that begins, and the event loop turns once more for it: for a call that reads once, as dear as the read.
 * Between two calls nothing is held, or pages that were given up could not be written anew and the file would grow.
 *
 * @param path of a database that is there
 */
export function openReading(path: string): EmbeddedReading {
  const db = lmdb.open<string, string>({ path, encoding: 'string', readOnly: true })
  const transaction = db.useReadTransaction() as Transaction
  // What is in use when it is reset is from then on no longer the handle's own.
  db.resetReadTxn()
  const letGo = () => nativeAddon.resetTxn(transaction.address)
  letGo()
  const within = { transaction }
  return {
    values(keys) {
      try {
        return keys.map((key) => db.get(key, within))
      } finally {
        letGo()
      }
    },
    async close() {
      transaction.done()
      await db.close()
    },
  }
}
