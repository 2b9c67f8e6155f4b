/** Signatures under a key that their own header carries: they show that the signer holds it, and not who that is. */
import { type CryptoKey, compactVerify, importJWK } from 'jose'
import type { ClaimedProof } from '../core/dpop.js'
import { verifyEs256 } from './es256.js'

/** Clients sign many proofs with one key: reading it costs more than the check. */
const REMEMBERED = 1_000
const read = new Map<string, CryptoKey>()

async function keyOf({ alg, key, jkt }: ClaimedProof): Promise<CryptoKey> {
  const known = read.get(jkt)
  if (known) return known
  const made = (await importJWK({ ...key }, alg)) as CryptoKey
  if (read.size >= REMEMBERED) read.delete(read.keys().next().value ?? '')
  read.set(jkt, made)
  return made
}

/**
 * Checks that a proof is signed by the key that it carries, under the algorithm that it names: both were
 * judged when it was read.
 *
 * @param jws the text that `proof` was read from
 * @throws Error whatever is wrong
 * @see RFC 9449 §4.3, number 6
 */
export async function verifyEmbedded(jws: string, proof: ClaimedProof): Promise<void> {
  const key = await keyOf(proof)
  if (proof.alg === 'ES256') await verifyEs256(jws, { alg: proof.alg }, async () => key)
  else await compactVerify(jws, key, { algorithms: [proof.alg] })
}
