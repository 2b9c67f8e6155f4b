/** Reads of LMDB by name, for which lmdb-js's own way is too dear. */
import * as lmdb from 'lmdb'
import { StoreFailure } from './failure.js'
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
 * Reads in a transaction that is theirs alone, by a handle of their own on what this process has open. lmdb-js ends its
 * transactions by a timer, one for each that begins, and the event loop turns once more for it: for a call that reads
 * once, as dear as the read. Between two calls nothing is held, or pages that were given up could not be written anew and
 * the file would grow.
 *
 * @param path of a database that is there
 */
export function openReading(path: string): EmbeddedReading {
  const db = lmdb.open<string, string>({ path, encoding: 'string', readOnly: true })
  try {
    const transaction = db.useReadTransaction() as Transaction
    // What is in use when it is reset is from then on no longer the handle's own.
    db.resetReadTxn()
    return readingIn(db, transaction)
  } catch (error) {
    void db.close()
    throw error
  }
}

function readingIn(db: lmdb.RootDatabase<string, string>, transaction: Transaction) {
  const within = { transaction }
  let closed = false
  const letGo = () => nativeAddon.resetTxn(transaction.address)
  letGo()
  return {
    values(keys: readonly string[]) {
      // lmdb-js looks no more when it is given a transaction, and it would be memory that is another's.
      if (closed) throw new StoreFailure('closed', 'the store was closed')
      try {
        return keys.map((key) => db.get(key, within))
      } finally {
        letGo()
      }
    },
    async close() {
      closed = true
      transaction.done()
      await db.close()
    },
  }
}
