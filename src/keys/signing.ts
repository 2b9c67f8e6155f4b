/**
 * Our own keys: one ES256 pair for access tokens, one RS256 pair for id_tokens (SMART asks for it), one
 * ECDH-ES pair that launch systems seal to. Made once per store, by whichever node comes first.
 */
import {
  createHmac,
  createPrivateKey,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto'
import {
  type CryptoKey,
  calculateJwkThumbprint,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWTPayload,
  jwtVerify,
} from 'jose'
import { Refusal } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import type { Store } from '../store/store.js'

export type SigningAlgorithm = 'ES256' | 'RS256'

export interface Keys {
  /** A compact JWS of the claims as they are. `typ` is the header's type (RFC 8725 §3.11). */
  sign(alg: SigningAlgorithm, typ: string, claims: JWTPayload): Promise<string>
  /**
   * Checks a JWS that we made: signature, type, issuer, time. Answers its claims.
   * @throws JOSEError
   */
  verify(jwt: string, typ: string, now: EpochMs): Promise<JWTPayload>
  /** Opens what was sealed to our `use: enc` key (JWE compact, ECDH-ES with A256GCM). @throws Refusal seal_invalid */
  unseal(jwe: string): Promise<string>
  /** A mark that nobody else can make, the same for the same text (HMAC-SHA-256, base64url). */
  mac(text: string): string
  /** The private key with which we authenticate at others (private_key_jwt). */
  client(): { readonly key: CryptoKey; readonly kid: string; readonly alg: 'ES256' }
  /** What /oauth/jwks publishes: public members only. */
  readonly jwks: { readonly keys: readonly JWK[] }
}

interface KeyPair {
  readonly kid: string
  readonly alg: string
  readonly private: CryptoKey
  readonly public: CryptoKey
  /** The private key again, as {@link compactJws} takes it. */
  readonly signing: KeyObject
  readonly jwk: JWK
}

const MADE = [
  { alg: 'ES256', use: 'sig' },
  { alg: 'RS256', use: 'sig' },
  { alg: 'ECDH-ES', use: 'enc' },
] as const

/** Never expires of itself: rotation replaces it. */
const FOREVER: EpochMs = Date.UTC(9999, 0)

async function makeKey({ alg, use }: (typeof MADE)[number]): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, crv: 'P-256' })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg, use }
}

/** The members of a JWK that anyone may see (RFC 7518 §6). */
const publicPart = ({ kty, crv, x, y, n, e, kid, alg, use }: JWK): JWK =>
  Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e, kid, alg, use }).filter(([, v]) => v !== undefined),
  )

async function load(jwk: JWK): Promise<KeyPair> {
  const [alg, kid] = [jwk.alg ?? '', jwk.kid ?? '']
  return {
    kid,
    alg,
    private: (await importJWK(jwk, alg)) as CryptoKey,
    public: (await importJWK(publicPart(jwk), alg)) as CryptoKey,
    signing: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }),
    jwk: publicPart(jwk),
  }
}

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Signed at once and here: by way of WebCrypto, which all of jose goes, each signature is a journey to another
 * thread that costs more than the signature (ES256: 58 µs against 30, and a wake-up). What others may read in
 * it is checked with jose (test/keys/signing.test.ts).
 *
 * @see RFC 7515 §5.1; RFC 7518 §3.3 (RS256), §3.4 (ES256: the two numbers side by side, not DER)
 */
function compactJws({ kid, alg, signing }: KeyPair, typ: string, claims: JWTPayload): string {
  const input = `${base64url({ alg, kid, typ })}.${base64url(claims)}`
  const key = { key: signing, dsaEncoding: 'ieee-p1363' } as const
  return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`
}

/** The stored keys, or new ones: of several nodes that start at once, one makes them for all. */
async function storedKeys(store: Store): Promise<readonly JWK[]> {
  const stored = await store.get('keys', 'current')
  if (stored) return stored.keys as readonly JWK[]
  const keys = await Promise.all(MADE.map(makeKey))
  const first = await store.commit({
    claims: [{ what: 'keys/first', until: FOREVER }],
    puts: [{ kind: 'keys', id: 'current', value: { keys }, until: FOREVER }],
  })
  if (first) return keys
  const theirs = await store.get('keys', 'current')
  if (theirs) return theirs.keys as readonly JWK[]
  throw new Error('another node is making the first keys: start again in a moment')
}

/** The private number of an elliptic key. */
const secretOf = ({ signing }: KeyPair): Buffer =>
  Buffer.from(signing.export({ format: 'jwk' }).d ?? '', 'base64url')

const row = (pairs: readonly KeyPair[], alg: string): KeyPair => {
  const pair = pairs.find((candidate) => candidate.alg === alg)
  if (!pair) throw new Error(`the store holds no ${alg} key`)
  return pair
}

/** @param issuer ours, as `iss` of everything that we sign */
export async function openKeys(store: Store, issuer: string): Promise<Keys> {
  const pairs = await Promise.all((await storedKeys(store)).map(load))
  const seal = row(pairs, 'ECDH-ES')
  const macKey = Buffer.from(
    hkdfSync('sha256', secretOf(row(pairs, 'ES256')), '', 'launch-gateway mac', 32),
  )
  return {
    jwks: { keys: pairs.map((pair) => pair.jwk) },
    sign: async (alg, typ, claims) => compactJws(row(pairs, alg), typ, claims),
    async verify(jwt, typ, now) {
      const choose = (header: { kid?: string; alg?: string }): CryptoKey => {
        const pair = pairs.find(({ kid, alg }) => kid === header.kid && alg === header.alg)
        if (!pair) throw new Error('unknown key')
        return pair.public
      }
      const options = { issuer, typ, algorithms: ['ES256', 'RS256'], currentDate: new Date(now) }
      return (await jwtVerify(jwt, choose, options)).payload
    },
    async unseal(jwe) {
      const options = {
        keyManagementAlgorithms: ['ECDH-ES'],
        contentEncryptionAlgorithms: ['A256GCM'],
      }
      const opened = await compactDecrypt(jwe, seal.private, options).catch((cause: unknown) => {
        throw new Refusal('seal_invalid', 'not sealed to our key', { cause })
      })
      return new TextDecoder().decode(opened.plaintext)
    },
    mac: (text) => createHmac('sha256', macKey).update(text).digest('base64url'),
    client: () => {
      const pair = row(pairs, 'ES256')
      return { key: pair.private, kid: pair.kid, alg: 'ES256' }
    },
  }
}
