/** Signatures under a key that their own header carries: they show that the signer holds it, and not who that is. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { ClaimedProof } from '../core/dpop.js'
import { isSignedBy, readJws } from './signature.js'

/** Clients sign many proofs with one key: reading it costs more than the check. */
const REMEMBERED = 1_000
const read = new Map<string, KeyObject>()

function keyOf({ key, jkt }: ClaimedProof): KeyObject {
  const known = read.get(jkt)
  if (known) return known
  const made = createPublicKey({ key: { ...key } as JsonWebKey, format: 'jwk' })
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
  const signed = readJws(jws, { kid: 'optional' })
  const right = signed.header.alg === proof.alg && (await isSignedBy(signed, keyOf(proof)))
  if (!right) throw new Error('signature')
}
