/** What launches brought of their systems' own records: kept sealed, by launch, for as long as the launch lives. */
import type { Handover } from '../core/handover.js'
import type { LaunchId } from '../core/ids.js'
import type { Records } from '../core/records.js'
import type { EncryptionKeys } from '../keys/encryption.js'
import type { Store } from '../store/store.js'

export interface Handovers {
  /** Only this launch can open it. */
  seal(launch: LaunchId, handover: Handover): Promise<Records['handover']>
  /** @throws StoreFailure; Error when it is not as it was sealed */
  read(launch: LaunchId): Promise<Handover | undefined>
}

interface Parts {
  readonly store: Pick<Store, 'get'>
  readonly encryption: EncryptionKeys
  /** What an organisation is called, by its ODS code. */
  readonly nameOf: (ods: string) => string | undefined
}

/** Authenticated with what it names: what is sealed for one launch does not open for another. */
const sealOf = (launch: LaunchId): string => `handover/${launch}`

export function createHandovers({ store, encryption, nameOf }: Parts): Handovers {
  const { current, previous } = encryption
  return {
    async seal(launch, handover) {
      const { from } = handover
      const name = nameOf(from.organization)
      const whole = name === undefined ? from : { ...from, organizationName: name }
      const text = JSON.stringify({ ...handover, from: whole })
      return { sealed: await current.wrap(sealOf(launch), text) }
    },
    async read(launch) {
      const kept = await store.get('handover', launch)
      if (!kept) return undefined
      const open = (key: typeof current) => key.unwrap(sealOf(launch), kept.sealed)
      const text = await open(current).catch((error: unknown) => {
        if (!previous) throw error
        return open(previous)
      })
      return JSON.parse(text) as Handover
    },
  }
}
