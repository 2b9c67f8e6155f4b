/** What launches brought of their systems' own records: kept sealed, by launch, for as long as the launch lives. */
import type { Handover } from '../core/handover.js'
import type { LaunchId } from '../core/ids.js'
import type { Records } from '../core/records.js'
import type { EncryptionKeys } from '../keys/encryption.js'
import type { Store } from '../store/store.js'
import { createSealing } from './sealing.js'

export interface Handovers {
  /** Only this launch can open it. */
  seal(launch: LaunchId, handover: Handover): Promise<Records['handover']>
  /** @throws StoreFailure; Error when it is not as it was sealed */
  read(launch: LaunchId): Promise<Handover | undefined>
}

interface Parts {
  readonly store: Pick<Store, 'get'>
  readonly encryption: EncryptionKeys
}

/** Authenticated with what it names: what is sealed for one launch does not open for another. */
const nameOf = (launch: LaunchId): string => `handover/${launch}`

export function createHandovers({ store, encryption }: Parts): Handovers {
  const sealing = createSealing(encryption)
  return {
    seal: async (launch, handover) => ({ sealed: await sealing.seal(nameOf(launch), handover) }),
    async read(launch) {
      const kept = await store.get('handover', launch)
      return kept && ((await sealing.open(nameOf(launch), kept.sealed)) as Handover)
    },
  }
}
