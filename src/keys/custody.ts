/**
 * Who holds our private keys. The built-in custody keeps them in the ring, encrypted, and uses them in this process.
 * A hardware module (PKCS#11) or a key service is another {@link Custody}: it makes its keys where they stay, and what
 * it leaves in the ring is only how to find them (docs/operating.md, "A hardware module or key service").
 */
import { createPrivateKey, type JsonWebKey, sign as signBytes } from 'node:crypto'
import {
  type CryptoKey,
  calculateJwkThumbprint,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose'
import { canonical } from '../core/chain.js'
import {
  type KeyAlgorithm,
  OUR_KEYS,
  type PublicJwk,
  type RingKey,
  type SigningAlgorithm,
} from '../core/key-ring.js'
import type { EncryptionKey } from './encryption.js'

/** One key that signs. */
export interface Signer {
  readonly jwk: PublicJwk
  /**
   * The signature as it stands in a JWS (RFC 7518 §3.3, §3.4): for ES256 the two numbers side by side, not DER.
   * At once where that can be: a token waits for it.
   *
   * @param alg the key's own
   */
  sign(alg: SigningAlgorithm, input: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** One key that opens what was sealed to it. */
export interface Unsealer {
  readonly jwk: PublicJwk
  /** JWE compact, ECDH-ES with A256GCM. @throws Error */
  unseal(jwe: string): Promise<Uint8Array>
}

export type MadeKey = Pick<RingKey, 'kid' | 'alg' | 'jwk'> & { readonly held: string }

export interface Custody {
  make(alg: KeyAlgorithm): Promise<MadeKey>
  /** @throws Error when what is held is not the key of this public part */
  signer(key: RingKey): Promise<Signer>
  /** @throws Error when what is held is not the key of this public part */
  unsealer(key: RingKey): Promise<Unsealer>
  /** What is held, for a ring under another encryption key. */
  moved(key: RingKey, to: EncryptionKey): Promise<string>
}

/** @param under the encryption key of the ring that the keys stand in */
export type OpenCustody = (under: EncryptionKey) => Custody

const MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'] as const

/** Of a JWK, what anyone may see. */
export const publicPart = (jwk: JWK): PublicJwk =>
  Object.fromEntries(
    MEMBERS.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]])),
  ) as unknown as PublicJwk

export const publicKey = async ({ jwk, alg }: Pick<RingKey, 'jwk' | 'alg'>): Promise<CryptoKey> =>
  (await importJWK(jwk as JWK, alg)) as CryptoKey

/** A private JWK as the ring holds it. */
export async function held(jwk: JWK, under: EncryptionKey): Promise<MadeKey> {
  const shown = publicPart(jwk)
  const { kid } = shown
  const alg = shown.alg as KeyAlgorithm
  return { kid, alg, jwk: shown, held: await under.wrap(kid, JSON.stringify(jwk)) }
}

/** The private JWK again. @throws Error */
async function released(key: RingKey, under: EncryptionKey): Promise<JWK> {
  const jwk = JSON.parse(await under.unwrap(key.kid, key.held ?? '')) as JWK
  if (canonical(publicPart(jwk)) !== canonical(key.jwk)) throw new Error('another public part')
  return jwk
}

/**
 * Signed at once and here: by way of WebCrypto, which all of jose goes, each signature is a journey to another
 * thread that costs more than the signature (ES256: 58 µs against 30, and a wake-up).
 */
async function openSigner(key: RingKey, jwk: JWK): Promise<Signer> {
  const privateKey = createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' })
  const signing = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return { jwk: key.jwk, sign: (_alg, input) => signBytes('sha256', input, signing) }
}

async function openUnsealer(key: RingKey, jwk: JWK): Promise<Unsealer> {
  const opening = (await importJWK(jwk, key.alg)) as CryptoKey
  const options = {
    keyManagementAlgorithms: ['ECDH-ES'],
    contentEncryptionAlgorithms: ['A256GCM'],
  }
  return {
    jwk: key.jwk,
    unseal: async (jwe) => (await compactDecrypt(jwe, opening, options)).plaintext,
  }
}

export const builtInCustody: OpenCustody = (under) => ({
  async make(alg) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true, crv: 'P-256' })
    const jwk = await exportJWK(privateKey)
    const use = OUR_KEYS.find((row) => row.alg === alg)?.use ?? 'sig'
    return held({ ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use }, under)
  },
  signer: async (key) => openSigner(key, await released(key, under)),
  unsealer: async (key) => openUnsealer(key, await released(key, under)),
  moved: async (key, to) => to.wrap(key.kid, JSON.stringify(await released(key, under))),
})
