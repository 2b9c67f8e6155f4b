/** Checkpoints of the trail that we signed: good for as long as the trail is kept, whatever became of their key. */
import { type CryptoKey, compactVerify } from 'jose'
import { CHECKPOINT_ALGORITHM, type RingKey } from '../core/key-ring.js'
import { publicKey } from './custody.js'

/** `typ` of a signed checkpoint of the trail. */
export const CHECKPOINT_TYPE = 'checkpoint+jwt'

/**
 * Checks checkpoints under every key of the ring that ever signed one: no private part is needed. Those of a key that
 * was compromised count as well: what its thief might forge, the next key's checkpoints contradict.
 *
 * @param issuer ours
 */
export function checkpointVerifier(keys: readonly RingKey[], issuer: string) {
  const imported = new Map<string, Promise<CryptoKey>>()
  const keyOf = ({ kid, typ }: { kid?: string; typ?: string }): Promise<CryptoKey> => {
    const key = keys.find((each) => each.kid === kid && each.alg === CHECKPOINT_ALGORITHM)
    if (!key || typ !== CHECKPOINT_TYPE) throw new Error('not a checkpoint of ours')
    const known = imported.get(key.kid) ?? publicKey(key)
    imported.set(key.kid, known)
    return known
  }
  /** Its payload, or `undefined` when we did not sign it. */
  return async (jws: string): Promise<object | undefined> => {
    try {
      const algorithms = [CHECKPOINT_ALGORITHM]
      const { payload } = await compactVerify(jws, keyOf, { algorithms })
      const claims = JSON.parse(new TextDecoder().decode(payload))
      return claims.iss === issuer ? claims : undefined
    } catch {
      return undefined
    }
  }
}
