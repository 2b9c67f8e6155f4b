/**
 * Signatures of others, read and checked here. By way of WebCrypto, which all of jose goes, each check is a
 * journey to another thread that costs more than most checks do. What jose refuses is refused here too
 * (test/keys/signature.test.ts).
 */
import { constants, type KeyObject, verify } from 'node:crypto'
import { promisify } from 'node:util'

interface Row {
  readonly kty: 'EC' | 'RSA' | 'OKP'
  readonly crv?: string
  /** Ed25519 has its own. */
  readonly hash: string | null
  /** Where the algorithm gives signatures one length: RFC 7518 §3.4 is two numbers side by side, not DER. */
  readonly bytes?: number
  readonly how: {
    readonly dsaEncoding?: 'ieee-p1363'
    readonly padding?: number
    readonly saltLength?: number
  }
  /** Takes longer than the journey to another thread: half a millisecond and more. */
  readonly slow?: true
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING } = constants

/** Every algorithm that a signature of others may have. `none` and shared secrets are no rows. @see RFC 7518 §3.1, RFC 8037 §3.1 */
// biome-ignore format: a table
export const ALGORITHMS = {
  ES256: { kty: 'EC',  crv: 'P-256',   hash: 'sha256', bytes: 64, how: { dsaEncoding: 'ieee-p1363' } },
  ES384: { kty: 'EC',  crv: 'P-384',   hash: 'sha384', bytes: 96, how: { dsaEncoding: 'ieee-p1363' }, slow: true },
  RS384: { kty: 'RSA',                 hash: 'sha384',            how: { padding: RSA_PKCS1_PADDING } },
  PS256: { kty: 'RSA',                 hash: 'sha256',            how: { padding: RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', hash: null,     bytes: 64, how: {} },
} as const satisfies Record<string, Row>

export type Algorithm = keyof typeof ALGORITHMS

export interface JwsHeader {
  readonly alg: Algorithm
  readonly kid: string
  readonly [member: string]: unknown
}

/** A JWS as it was sent, whose signature nobody has looked at. */
export interface Jws {
  readonly header: JwsHeader
  /** What it says, once {@link isSignedBy} has found it signed. */
  readonly payload: string
  readonly input: Buffer
  readonly signature: Buffer
}

/** RFC 7515 §2: base64url without padding. Node's own decoder would skip what is not. */
const BASE64URL = /^[\w-]+$/

const textOf = (part: string): string => Buffer.from(part, 'base64url').toString()

function readHeader(part: string, needsKid: boolean): JwsHeader {
  let header: unknown
  try {
    header = JSON.parse(textOf(part))
  } catch {
    throw new Error('header: not JSON')
  }
  if (typeof header !== 'object' || header === null) throw new Error('header: not an object')
  const { alg, kid } = header as Record<string, unknown>
  if (typeof alg !== 'string' || !Object.hasOwn(ALGORITHMS, alg)) throw new Error('header: alg')
  if (needsKid && (typeof kid !== 'string' || kid === '')) throw new Error('header: no kid')
  // §4.1.11 An extension that is not understood makes the JWS invalid, and none is (RFC 7797 is one).
  if ('crit' in header || 'b64' in header) throw new Error('header: crit')
  return header as JwsHeader
}

/**
 * @throws Error whatever is wrong with its form
 * @see RFC 7515 §5.2, RFC 8725 §3.1
 */
export function readJws(
  text: string,
  { kid }: { kid: 'required' | 'optional' } = { kid: 'required' },
): Jws {
  const parts = text.split('.', 4)
  const [head = '', payload = '', signature = ''] = parts
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part))) {
    throw new Error('not a JWS')
  }
  return {
    header: readHeader(head, kid === 'required'),
    payload: textOf(payload),
    input: Buffer.from(`${head}.${payload}`),
    signature: Buffer.from(signature, 'base64url'),
  }
}

const verifyAside = promisify(verify)

/** @param key one that fits the header's algorithm: the algorithm is not the key's to choose */
export async function isSignedBy({ header, input, signature }: Jws, key: KeyObject) {
  const { hash, bytes, how, slow }: Row = ALGORITHMS[header.alg]
  if (bytes !== undefined && signature.length !== bytes) return false
  return slow
    ? verifyAside(hash, input, { key, ...how }, signature)
    : verify(hash, input, { key, ...how }, signature)
}
