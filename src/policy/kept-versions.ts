/** Versions as the store holds them: read, never written. */
import type { Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import type { Store } from '../store/store.js'
import { aboutVersion } from './publishing.js'
import { hashOfFiles, type PolicyFiles } from './source.js'

/** A version with its files, whole. */
export interface WholeVersion {
  readonly about: Records['policy']
  readonly files: PolicyFiles
}

export function keptVersions(store: Pick<Store, 'get' | 'getAll'>) {
  async function current(): Promise<Records['policy']> {
    const found = await store.get('policy', 'current')
    if (!found) throw new Error('the store holds no policy version')
    return found
  }

  /** @throws Refusal `policy_version_unknown` */
  async function version(number: number): Promise<WholeVersion> {
    const known = Number.isSafeInteger(number) && number > 0
    const found = known ? await store.get('policy', String(number)) : undefined
    if (!found?.files || found.version > (await current()).version)
      throw new Refusal('policy_version_unknown', String(number))
    const { files, ...about } = found
    if (hashOfFiles(files) !== about.hash) throw new Error(`version ${number} is not whole`)
    return { about, files }
  }

  return {
    current,
    version,
    inForce: async () => version((await current()).version),
    /** Versions from the youngest on, without their files. */
    async history(most: number): Promise<readonly Records['policy'][]> {
      const { version: last } = await current()
      const numbers = Array.from({ length: Math.min(most, last) }, (_, i) => last - i)
      const ids = numbers.map((number) => ({ kind: 'policy', id: aboutVersion(number) }) as const)
      const found: readonly (Records['policy'] | undefined)[] = await store.getAll(ids)
      return found.flatMap((about) => about ?? [])
    },
  }
}
