/**
 * oidc-provider's adapter for Redis, with fewer trips than the one that its documentation shows: one value a
 * record, codes as hashes so that `consume` is one command, everything of a turn in one pipeline. Two
 * redemptions of one code cannot both win, which the documented one allows.
 */
import { Redis } from 'ioredis'
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'

/** What is used once. */
const ONCE = new Set(['AuthorizationCode', 'PushedAuthorizationRequest', 'RefreshToken'])
/** Seconds. The library always names one. */
const FALLBACK_LIFETIME = 3600

export function providerRedis(url: string): AdapterFactory {
  const redis = new Redis(url, { enableAutoPipelining: true })
  return (kind: string): Adapter => {
    const keyOf = (id: string) => `op:${kind}:${id}`
    const uidKey = (uid: string) => `op:uid:${uid}`
    const grantKey = (id: string) => `op:grant:${id}`
    async function find(id: string): Promise<AdapterPayload | undefined> {
      if (!ONCE.has(kind)) {
        const text = await redis.get(keyOf(id))
        return text === null ? undefined : JSON.parse(text)
      }
      const [text, consumed] = await redis.hmget(keyOf(id), 'payload', 'consumed')
      if (!text) return undefined
      return { ...JSON.parse(text), ...(consumed ? { consumed: Number(consumed) } : {}) }
    }
    return {
      find,
      async upsert(id, payload, expiresIn = FALLBACK_LIFETIME) {
        const text = JSON.stringify(payload)
        const acts: Promise<unknown>[] = []
        if (ONCE.has(kind)) {
          acts.push(redis.hset(keyOf(id), 'payload', text), redis.expire(keyOf(id), expiresIn))
        } else acts.push(redis.set(keyOf(id), text, 'EX', expiresIn))
        if (kind === 'Session' && payload.uid)
          acts.push(redis.set(uidKey(payload.uid), id, 'EX', expiresIn))
        if (ONCE.has(kind) && payload.grantId) {
          const members = grantKey(payload.grantId)
          acts.push(redis.sadd(members, keyOf(id)), redis.expire(members, expiresIn))
        }
        await Promise.all(acts)
      },
      async findByUid(uid) {
        const id = await redis.get(uidKey(uid))
        return id === null ? undefined : find(id)
      },
      findByUserCode: async () => undefined,
      async consume(id) {
        const first = await redis.hsetnx(keyOf(id), 'consumed', Math.floor(Date.now() / 1000))
        if (first === 0) throw new errors.InvalidGrant('already consumed')
      },
      async destroy(id) {
        await redis.del(keyOf(id))
      },
      async revokeByGrantId(id) {
        const members = await redis.smembers(grantKey(id))
        await redis.del(grantKey(id), ...members)
      },
    }
  }
}
