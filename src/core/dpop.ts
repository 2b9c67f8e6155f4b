/**
 * A DPoP proof: a JWS by which a client shows, for one request, that it holds the private half of a key.
 * Its header carries the public half, so a proof names its own key: it proves possession and no identity.
 *
 * @see RFC 9449 §4.2 (what a proof holds), §4.3 (how it is checked); RFC 7638 (thumbprints)
 */
import { z } from 'zod'
import { sha256 } from './ids.js'
import { Refusal } from './refusal.js'
import type { EpochMs, Seconds } from './values.js'

/** A proof is fresh this long, and the skew of clocks longer. */
export const PROOF_LIFETIME: Seconds = 60
/** A proof under an RSA key of 8192 bits is near 4 kB; a header past this is not one. */
const LONGEST = 8_192
const LONGEST_ADDRESS = 4_000

/** RFC 7518 §6: base64url of so many octets, in the one way in which they are written. */
const octets = (fewest: number, most = fewest) =>
  z.string().refine((text) => {
    const bytes = Buffer.from(text, 'base64url')
    return bytes.length >= fewest && bytes.length <= most && bytes.toString('base64url') === text
  })

/** 2048 to 8192 bits, without zeros before them (§6.3.1.1). */
const modulus = octets(256, 1024).refine((text) => {
  const { length, 0: first = 0 } = Buffer.from(text, 'base64url')
  return first >= (length === 256 ? 0x80 : 1)
})

/** The members of each algorithm's public key: those of its thumbprint, and no other (RFC 7638 §3.2, RFC 8037 §2). */
// biome-ignore format: a table
const KEYS = {
  ES256: z.object({ kty: z.literal('EC'),  crv: z.literal('P-256'),   x: octets(32), y: octets(32) }),
  ES384: z.object({ kty: z.literal('EC'),  crv: z.literal('P-384'),   x: octets(48), y: octets(48) }),
  PS256: z.object({ kty: z.literal('RSA'), n: modulus,                e: octets(1, 4) }),
  EdDSA: z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: octets(32) }),
}

export type DpopAlgorithm = keyof typeof KEYS
/** Discovery and challenges name these. */
export const DPOP_ALGORITHMS = Object.keys(KEYS) as readonly DpopAlgorithm[]

/** RFC 7518 §6: what a public key never holds. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const header = z.object({
  typ: z.literal('dpop+jwt'),
  alg: z.enum(DPOP_ALGORITHMS),
  jwk: z.looseObject({
    use: z.literal('sig').optional(),
    key_ops: z.array(z.string()).optional(),
    alg: z.string().optional(),
  }),
  // RFC 7515 §4.1.11 An extension that is not understood makes the JWS invalid, and none is.
  crit: z.never().optional(),
  b64: z.never().optional(),
})

const claims = z.object({
  jti: z.string().min(1).max(200),
  htm: z.string(),
  htu: z.string().max(LONGEST_ADDRESS),
  iat: z.number(),
  exp: z.number().optional(),
  nbf: z.number().optional(),
  nonce: z.string().optional(),
  ath: z.string().optional(),
})
export type ProofClaims = z.infer<typeof claims>

export type PublicKey = z.infer<(typeof KEYS)[DpopAlgorithm]>

/** What a proof says of itself. Nothing in it is true yet. */
export interface ClaimedProof {
  readonly alg: DpopAlgorithm
  readonly key: PublicKey
  /** The key's thumbprint. */
  readonly jkt: string
  readonly claims: ProofClaims
}

const refuse = (detail: string, options?: ErrorOptions) =>
  new Refusal('dpop_invalid', detail, options)

/** SHA-256 of the required members in the order of their names. @see RFC 7638 §3 */
export function thumbprint(key: PublicKey): string {
  const members = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))
  return sha256(JSON.stringify(Object.fromEntries(members)))
}

/** RFC 9449 §10: a SHA-256 in base64url. */
export const isThumbprint = (text: string): boolean => /^[\w-]{43}$/.test(text)

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch (cause) {
    throw refuse('not JSON', { cause })
  }
}

function readKey(alg: DpopAlgorithm, jwk: z.infer<typeof header>['jwk']): PublicKey {
  if (PRIVATE.some((member) => Object.hasOwn(jwk, member))) throw refuse('jwk: private')
  if (jwk.alg !== undefined && jwk.alg !== alg) throw refuse('jwk: alg')
  if (jwk.key_ops?.includes('verify') === false) throw refuse('jwk: key_ops')
  const key = KEYS[alg].safeParse(jwk)
  if (!key.success) throw refuse(`jwk: ${String(key.error.issues[0]?.path[0] ?? '')}`)
  return key.data
}

/**
 * Reads a proof without a look at its signature.
 *
 * @param jws the value of the one DPoP header
 * @throws Refusal dpop_invalid
 * @see RFC 9449 §4.3, numbers 2 to 5 and 7
 */
export function readProof(jws: string): ClaimedProof {
  if (jws.length > LONGEST || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jws)) throw refuse('not one JWS')
  const [head = '', payload = ''] = jws.split('.')
  const said = header.safeParse(decode(head))
  if (!said.success) throw refuse(`header: ${String(said.error.issues[0]?.path[0] ?? '')}`)
  const { alg, jwk } = said.data
  const key = readKey(alg, jwk)
  const claimed = claims.safeParse(decode(payload))
  if (!claimed.success) throw refuse(`claims: ${String(claimed.error.issues[0]?.path[0] ?? '')}`)
  return { alg, key, jkt: thumbprint(key), claims: claimed.data }
}

/** RFC 3986 §3.2.2 and §3.3, without user information. */
const ADDRESS = /^https?:\/\/[a-z0-9.:[\]-]+(?:\/[\w.~%!$&'()*+,;=:@/-]*)?$/i

/**
 * An address as it is compared: without query and fragment, scheme and host in lower case, without a
 * standard port and dot segments, each octet encoded only if it must be. `undefined` for what is none.
 *
 * @see RFC 9449 §4.3; RFC 3986 §6.2.2, §6.2.3
 */
export function targetUri(text: string): string | undefined {
  const bare = text.replace(/[?#].*$/s, '')
  if (!ADDRESS.test(bare) || !URL.canParse(bare)) return undefined
  const { protocol, host, pathname } = new URL(bare)
  const path = pathname.replace(/%[0-9a-f]{2}/gi, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : octet.toUpperCase()
  })
  return `${protocol}//${host}${path}`
}

/** The request that a proof must be for. */
export interface ProvenRequest {
  readonly method: string
  /** Under our issuer, whatever Host says. */
  readonly uri: string
  /** At a resource: the token beside the proof. */
  readonly accessToken?: string | undefined
}

/**
 * Holds a proof's claims against the request that it came with. Says nothing of nonce and `jti`, which only
 * a store can judge.
 *
 * @param skew clock difference allowed, in seconds
 * @returns until when the proof is fresh: from then on this refuses it
 * @throws Refusal dpop_invalid
 * @see RFC 9449 §4.3, numbers 8, 9, 11 and 12; §7 (ath)
 */
export function judgeProof(
  { htm, htu, iat, exp, nbf, ath }: ProofClaims,
  { method, uri, accessToken }: ProvenRequest,
  now: EpochMs,
  skew: Seconds,
): EpochMs {
  if (htm !== method) throw refuse('htm')
  const target = targetUri(uri)
  if (target === undefined || targetUri(htu) !== target) throw refuse('htu')
  if (Math.max(iat, nbf ?? iat) * 1000 > now + skew * 1000) throw refuse('iat: ahead')
  const until = (Math.min(iat + PROOF_LIFETIME, exp ?? Number.POSITIVE_INFINITY) + skew) * 1000
  if (until <= now) throw refuse('iat: old')
  if (accessToken !== undefined && ath !== sha256(accessToken)) throw refuse('ath')
  return until
}
