/**
 * Nonces for DPoP proofs, without a record for each: a code over the time of day under one secret, which all
 * nodes of a store know. Whoever has one shows that the proof was made lately, not that nobody else has it.
 *
 * @see RFC 9449 §8, §9, §11.3
 */
import { createHmac } from 'node:crypto'
import type { Clock, EpochMs, Random, Seconds } from '../core/values.js'
import { storedSecret } from '../store/secrets.js'
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

const bucketOf = (time: EpochMs): number => Math.floor(time / BUCKET_MS)

export function createNonces(parts: Parts): Nonces {
  const { clock, skew } = parts
  let known: { readonly bucket: number; readonly secret: Promise<string> } | undefined

  /** Read anew in each bucket, so that all nodes follow when it is replaced. */
  function secret(): Promise<string> {
    const bucket = bucketOf(clock())
    if (known?.bucket === bucket) return known.secret
    const reading = { bucket, secret: storedSecret(parts, SECRET) }
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
