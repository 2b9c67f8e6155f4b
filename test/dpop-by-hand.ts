/** DPoP proofs as an app makes them, and as nobody should. */
import {
  constants,
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import type { DpopAlgorithm } from '../src/core/dpop.js'

export interface ProofKey {
  readonly alg: DpopAlgorithm
  readonly jwk: JsonWebKey
  readonly signing: KeyObject
}

const GENERATED = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const satisfies Record<DpopAlgorithm, () => unknown>

export function proofKey(alg: DpopAlgorithm = 'ES256'): ProofKey {
  const { publicKey, privateKey } = GENERATED[alg]()
  return { alg, jwk: publicKey.export({ format: 'jwk' }), signing: privateKey }
}

// biome-ignore format: a table
const SIGN: Readonly<Record<DpopAlgorithm, (input: Buffer, key: KeyObject) => Buffer>> = {
  ES256: (input, key) => sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' }),
  ES384: (input, key) => sign('sha384', input, { key, dsaEncoding: 'ieee-p1363' }),
  PS256: (input, key) => sign('sha256', input, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  EdDSA: (input, key) => sign(null, input, key),
}

/** Laid over what is said; `undefined` leaves a member out. */
type Said = Readonly<Record<string, unknown>>

export const hashed = (text: string): string =>
  createHash('sha256').update(text).digest('base64url')

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** What is signed, whoever signs it. */
export const unsigned = (key: ProofKey, claims: Said, header: Said = {}): string => {
  const said = { jti: randomBytes(12).toString('base64url'), ...claims }
  return `${base64url({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header })}.${base64url(said)}`
}

/** A proof, signed as its key's own algorithm asks, whatever the header says. */
export function proofBy(key: ProofKey, claims: Said, header: Said = {}): string {
  const input = unsigned(key, claims, header)
  return `${input}.${SIGN[key.alg](Buffer.from(input), key.signing).toString('base64url')}`
}
