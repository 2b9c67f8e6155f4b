/** Others' keys: what launch systems and apps sign with, and how we check it. */
import { types as values } from 'node:util'
import { compactDecrypt, decodeJwt, type JWTPayload } from 'jose'
import type { KeySource } from '../core/launch-system.js'
import { Refusal, type RefusalCode } from '../core/refusal.js'
import type { Clock } from '../core/values.js'
import { chooseKey, hasKid, type Jwk, readKeys } from './key-choice.js'
import { openKeySets } from './key-set.js'
import type { Outbound } from './outbound.js'
import { isSignedBy, type JwsHeader, readJws } from './signature.js'

/** What a signature must be of. */
export interface Expected {
  readonly algorithms: readonly string[]
  /** Types that are accepted, in lower case; `undefined` among them lets it be left out. */
  readonly types: readonly (string | undefined)[]
  readonly code: RefusalCode
  /** How the claims are read: core/json-text.ts where some of them go on as they came. @throws SyntaxError */
  readonly read?: (text: string) => unknown
}

export interface TrustedKeys {
  /**
   * Checks a signature under keys that were registered, with an algorithm that was registered, of the
   * expected type. Times are the caller's to judge. Keys that the header brings along (`jwk`, `x5c`, `x5u`)
   * are never used; a `jku` must be the registered address, and is not followed either.
   *
   * @throws Refusal of the given code
   * @see RFC 7515 §5.2; RFC 8725 §3.1 (algorithms), §3.11 (types)
   */
  verify(jwt: string, source: KeySource, expected: Expected): Promise<JWTPayload>
  /**
   * The keys that were registered, for another proof than a signature; fetched anew where `has` finds none.
   * @throws Refusal of the given code
   */
  keys(
    source: KeySource,
    has: (keys: readonly Jwk[]) => boolean,
    code: RefusalCode,
  ): Promise<readonly Jwk[]>
}

/**
 * The claims of a JWS without a look at its signature: only to learn whose keys to ask.
 * @throws Refusal of the given code
 */
export function peek(jwt: string, code: RefusalCode): JWTPayload {
  try {
    return decodeJwt(jwt)
  } catch (cause) {
    throw new Refusal(code, 'not a JWT', { cause })
  }
}

/** RFC 7515 §4.1.9: the `application/` prefix may be left out, and case does not count. */
const plainType = (sent: unknown): unknown =>
  typeof sent === 'string' ? sent.toLowerCase().replace(/^application\//, '') : sent

const addressOf = (source: KeySource): string | undefined =>
  'jwksUri' in source ? source.jwksUri : undefined

/** @throws Error for a header that asks for something else than was registered */
function checkHeader(header: JwsHeader, source: KeySource, { algorithms, types }: Expected): void {
  if (!algorithms.includes(header.alg)) throw new Error('alg')
  if (!types.includes(plainType(header.typ) as string)) throw new Error('typ')
  if ('jku' in header && header.jku !== addressOf(source)) throw new Error('jku')
}

function readClaims(payload: string, read: (text: string) => unknown): JWTPayload {
  let claims: unknown
  try {
    claims = read(payload)
  } catch {
    throw new Error('claims: not JSON')
  }
  if (typeof claims !== 'object' || claims === null) throw new Error('not a claims set')
  return claims as JWTPayload
}

/** Fetched key sets are kept here, as long as their owners say. */
export function openTrustedKeys(parts: {
  readonly clock: Clock
  readonly outbound: Pick<Outbound, 'get'>
}): TrustedKeys {
  const published = openKeySets(parts)
  const keysOf = async (source: KeySource, has: (keys: readonly Jwk[]) => boolean) =>
    'jwksUri' in source ? published(source.jwksUri, has) : readKeys(source.jwks)
  const keyOf = async (source: KeySource, header: JwsHeader) =>
    chooseKey(await keysOf(source, (keys) => hasKid(keys, header.kid)), header)
  return {
    keys: (source, has, code) =>
      keysOf(source, has).catch((cause: unknown) => {
        throw new Refusal(code, values.isNativeError(cause) ? cause.message : 'keys', { cause })
      }),
    async verify(jwt, source, expected) {
      try {
        const jws = readJws(jwt)
        checkHeader(jws.header, source, expected)
        const key = await keyOf(source, jws.header)
        if (!(await isSignedBy(jws, key))) throw new Error('signature')
        return readClaims(jws.payload, expected.read ?? JSON.parse)
      } catch (cause) {
        const why = values.isNativeError(cause) ? cause.message : 'signature'
        throw new Refusal(expected.code, why, { cause })
      }
    },
  }
}

/** Opens what was sealed with a secret that we share with one system (JWE `dir`, A256GCM). @throws Refusal seal_invalid */
export async function unsealWith(jwe: string, secret: Uint8Array): Promise<string> {
  const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] }
  const opened = await compactDecrypt(jwe, secret, options).catch((cause: unknown) => {
    throw new Refusal('seal_invalid', 'not sealed with the registered secret', { cause })
  })
  return new TextDecoder().decode(opened.plaintext)
}
