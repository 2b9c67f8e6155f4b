/** Nodes that share one store and one hand clock, each with our keys open: what the tests of the ring share. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTrail } from '../../src/audit/trail.js'
import type { RingTimes } from '../../src/core/key-ring.js'
import { type EncryptionKeys, encryptionKey } from '../../src/keys/encryption.js'
import type { RingParts } from '../../src/keys/ring.js'
import { type Keys, openKeys } from '../../src/keys/signing.js'
import { openEmbedded } from '../../src/store/embedded.js'
import { openRedis } from '../../src/store/redis.js'
import type { Store } from '../../src/store/store.js'
import { startRedis } from '../redis-server.js'

export const ISSUER = 'https://gateway.example'
export const START = Date.UTC(2026, 0, 5, 9)
export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const TIMES: RingTimes = { rotateEvery: 90 * 86_400, publishAhead: 86_400, keepFor: 86_700 }

export const newEncryption = () => encryptionKey(new Uint8Array(randomBytes(32)))

export interface Site {
  now: number
  readonly encryption: EncryptionKeys
  /** One more node, as another process or machine would be. */
  node(change?: Partial<RingParts>): Promise<Node>
  close(): Promise<void>
}

export interface Node {
  readonly store: Store
  readonly parts: RingParts
  readonly keys: Keys
}

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

export async function openSite(kind: 'embedded' | 'redis'): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), 'keys-'))
  const redis = kind === 'redis' ? await startRedis() : undefined
  const stores: Store[] = []
  const site: Site = {
    now: START,
    encryption: { current: newEncryption() },
    async node(change = {}) {
      const clock = () => site.now
      const given = { clock, random }
      const store = redis
        ? await openRedis({ ...given, url: redis.url, replicas: 0, warn: () => undefined })
        : await openEmbedded({ ...given, dir })
      stores.push(store)
      const { commit } = await openTrail({ store, clock })
      const kept = { store, commit, clock, times: TIMES, encryption: site.encryption }
      const parts: RingParts = { ...kept, ...change }
      return { store, parts, keys: await openKeys({ ...parts, issuer: ISSUER }) }
    },
    async close() {
      for (const store of stores) await store.close()
      await redis?.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
  return site
}

export const kidOf = (jws: string): string =>
  JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()).kid

/** An access token of ours, for five minutes from now. */
export const tokenBy = ({ keys }: Node, now: number, change: object = {}): Promise<string> =>
  keys.sign('ES256', 'at+jwt', { iss: ISSUER, exp: now / 1000 + 300, jti: 'tok_1', ...change })

/** A store whose reads are counted. */
export function countingReads(store: Store): {
  readonly reads: () => number
  readonly store: Store
} {
  let count = 0
  const get: Store['get'] = (kind, id) => {
    count += 1
    return store.get(kind, id)
  }
  return { reads: () => count, store: { ...store, get } }
}
