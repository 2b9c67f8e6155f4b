/**
 * Nonces for DPoP proofs, without a record for each: a code over the time of day under one secret, which all
 * nodes of a store know. Whoever has one shows that the proof was made lately, not that nobody else has it.
 *
 * @see RFC 9449 §8, §9, §11.3
 */
import { createHmac } from 'node:crypto'
import { after, type Clock, type EpochMs, type Random, type Seconds } from '../core/values.js'
import type { Store } from '../store/store.js'

export interface Nonces {
  /** For an answer's DPoP-Nonce. */
  current(): Promise<string>
  /** Whether a node of this store gave it in this time or the one before: 5 to 10 minutes ago at most. */
  accepts(nonce: string): Promise<boolean>
}

interface Parts {
  readonly store: Pick<Store, 'get' | 'commit'>
  readonly clock: Clock
  readonly random: Random
  readonly skew: Seconds
}

const BUCKET_MS = 300_000
const SECRET = 'dpop-nonce'
/** Longer than a commit can take. A node that dies in between keeps the others waiting no longer. */
const MAKING: Seconds = 60
const FOREVER: EpochMs = Date.UTC(9999, 0)

const bucketOf = (time: EpochMs): number => Math.floor(time / BUCKET_MS)

/** The stored secret, or a new one: of several nodes that need it at once, one makes it for all. */
async function storedSecret({ store, clock, random }: Parts): Promise<string> {
  const stored = await store.get('secret', SECRET)
  if (stored) return stored.value
  const value = Buffer.from(random(32)).toString('base64url')
  await store.commit({
    claims: [{ what: `secret/${SECRET}`, until: after(clock(), MAKING) }],
    puts: [{ kind: 'secret', id: SECRET, value: { value }, until: FOREVER }],
  })
  const made = await store.get('secret', SECRET)
  if (made) return made.value
  throw new Error('another node is making the secret of nonces: try again in a moment')
}

export function createNonces(parts: Parts): Nonces {
  const { clock, skew } = parts
  let known: { readonly bucket: number; readonly secret: Promise<string> } | undefined

  /** Read anew in each bucket, so that all nodes follow when it is replaced. */
  function secret(): Promise<string> {
    const bucket = bucketOf(clock())
    if (known?.bucket === bucket) return known.secret
    const reading = { bucket, secret: storedSecret(parts) }
    known = reading
    reading.secret.catch(() => {
      if (known === reading) known = undefined
    })
    return reading.secret
  }
  const nonceOf = async (bucket: number): Promise<string> =>
    createHmac('sha256', await secret())
      .update(`${SECRET}/${bucket}`)
      .digest('base64url')

  return {
    current: () => nonceOf(bucketOf(clock())),
    async accepts(nonce) {
      const now = clock()
      // The last: another node's clock may be a little ahead.
      const buckets = [bucketOf(now), bucketOf(now) - 1, bucketOf(now + skew * 1000)]
      return (await Promise.all(buckets.map(nonceOf))).includes(nonce)
    },
  }
}
