/** Where the pretend provider keeps its sessions, codes and tokens: in memory, bounded, gone at a restart. */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

const MOST_RECORDS = 10_000

interface Kept {
  readonly payload: AdapterPayload
  readonly until: number
}

/** Everything that one grant gave goes with it. */
const belongs = ({ grantId, kind }: AdapterPayload, grant: string): boolean =>
  grantId === grant && kind !== 'Session' && kind !== 'Interaction'

/** Each provider gets a memory of its own. Expiry follows the system's clock, as the library's does. */
export function providerMemory(): AdapterFactory {
  const kept = new Map<string, Kept>()
  const get = (key: string): AdapterPayload | undefined => {
    const record = kept.get(key)
    if (record && record.until > Date.now()) return record.payload
    kept.delete(key)
    return undefined
  }
  const search = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
    [...kept.values()].find(({ payload, until }) => until > Date.now() && matches(payload))?.payload
  return (kind: string): Adapter => ({
    async upsert(id, payload, expiresIn = 3600) {
      kept.delete(`${kind}:${id}`)
      kept.set(`${kind}:${id}`, { payload, until: Date.now() + expiresIn * 1000 })
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST_RECORDS) break
        kept.delete(oldest)
      }
    },
    find: async (id) => get(`${kind}:${id}`),
    findByUid: async (uid) => search((payload) => payload.kind === kind && payload.uid === uid),
    findByUserCode: async () => undefined,
    async consume(id) {
      const payload = get(`${kind}:${id}`)
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      kept.delete(`${kind}:${id}`)
    },
    async revokeByGrantId(grant) {
      for (const [key, { payload }] of kept) if (belongs(payload, grant)) kept.delete(key)
    },
  })
}
