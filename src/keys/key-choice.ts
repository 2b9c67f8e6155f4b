/** Which key of a set a signature is checked with: exactly one that it names, and that fits its algorithm. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { ALGORITHMS, type JwsHeader } from './signature.js'

/** A key as its owner published it. */
export type Jwk = Readonly<Record<string, unknown>>

const MOST_KEYS = 50

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: whoever can read one of these can sign. */
const PRIVATE_MEMBERS = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth']

/** RFC 7518 §3.3 asks for 2048 bits; beyond 8192 a signature is a means of keeping us busy. */
const RSA_BITS = { least: 2048, most: 8192 }
const RSA_EXPONENT = { least: 3n, most: 0xffff_ffffn }

/** @throws Error for what is no JWK set, or one of too many keys (RFC 7517 §5) */
export function readKeys(body: unknown): readonly Jwk[] {
  const { keys } = (body ?? {}) as { readonly keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('not a key set')
  if (keys.length > MOST_KEYS) throw new Error(`more than ${MOST_KEYS} keys`)
  if (!keys.every((key) => typeof key === 'object' && key !== null)) throw new Error('not a key')
  return keys
}

export const hasKid = (keys: readonly Jwk[], kid: string): boolean =>
  keys.some((key) => key.kid === kid)

/** What keeps a key from being used with an algorithm; `undefined` for nothing. */
function unfit(jwk: Jwk, { alg }: JwsHeader): string | undefined {
  const { crv }: { readonly kty: string; readonly crv?: string } = ALGORITHMS[alg]
  if (PRIVATE_MEMBERS.some((member) => member in jwk)) return 'holds a private key'
  if (crv !== undefined && jwk.crv !== crv) return 'is of another curve'
  if (jwk.alg !== undefined && jwk.alg !== alg) return 'is for another algorithm'
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'is for another use'
  const { key_ops: uses = ['verify'] } = jwk
  if (!Array.isArray(uses) || !uses.includes('verify')) return 'is for another use'
  return undefined
}

const isSound = ({ asymmetricKeyDetails: details }: KeyObject): boolean => {
  const { modulusLength: bits, publicExponent: exponent } = details ?? {}
  if (bits === undefined || exponent === undefined) return true
  return (
    bits >= RSA_BITS.least &&
    bits <= RSA_BITS.most &&
    exponent >= RSA_EXPONENT.least &&
    exponent <= RSA_EXPONENT.most
  )
}

const read = new WeakMap<Jwk, KeyObject>()

function publicKey(jwk: Jwk): KeyObject {
  const known = read.get(jwk)
  if (known) return known
  const { kty, crv, x, y, n, e } = jwk
  const key = createPublicKey({ key: { kty, crv, x, y, n, e } as JsonWebKey, format: 'jwk' })
  if (!isSound(key)) throw new Error('the key is too weak or too large')
  read.set(jwk, key)
  return key
}

/**
 * Names are not unique across kinds (RFC 7517 §4.5), so a key is named by `kid` and `kty`; two that share
 * both are refused, for nobody could say which was meant.
 *
 * @throws Error for none, several, or one that does not fit
 * @see SMART App Launch 2.2, "Client Authentication: Asymmetric", Signature Verification
 */
export function chooseKey(keys: readonly Jwk[], header: JwsHeader): KeyObject {
  const { kty } = ALGORITHMS[header.alg]
  const [jwk, other] = keys.filter((key) => key.kid === header.kid && key.kty === kty)
  if (!jwk) throw new Error('no key has this kid and kty')
  if (other) throw new Error('several keys have this kid and kty')
  const problem = unfit(jwk, header)
  if (problem !== undefined) throw new Error(`the key ${problem}`)
  return publicKey(jwk)
}
