/** Others' keys: what launch systems and apps sign with, and how we check it. */
import { types as values } from 'node:util'
import {
  type CompactJWSHeaderParameters,
  type CompactVerifyGetKey,
  compactDecrypt,
  compactVerify,
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
} from 'jose'
import type { KeySource } from '../core/launch-system.js'
import { Refusal, type RefusalCode } from '../core/refusal.js'
import { verifyEs256 } from './es256.js'

const FETCH = { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 }

/** One key set per source, kept for the process's life: a remote one caches and refetches on an unknown `kid`. */
const keySets = new WeakMap<KeySource, CompactVerifyGetKey>()

function keySet(source: KeySource): CompactVerifyGetKey {
  const known = keySets.get(source)
  if (known) return known
  const set =
    'jwksUri' in source
      ? createRemoteJWKSet(new URL(source.jwksUri), FETCH)
      : createLocalJWKSet({ keys: source.jwks.keys.map((key) => ({ ...key })) as never })
  keySets.set(source, set)
  return set
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

async function checked(jws: string, keys: CompactVerifyGetKey, algorithms: readonly string[]) {
  const header = decodeProtectedHeader(jws) as CompactJWSHeaderParameters
  if (header.alg === 'ES256' && algorithms.includes('ES256')) {
    return { header, payload: await verifyEs256(jws, header, keys) }
  }
  const { protectedHeader, payload } = await compactVerify(jws, keys, {
    algorithms: [...algorithms],
  })
  return { header: protectedHeader, payload: new TextDecoder().decode(payload) }
}

/**
 * Checks a signature under keys that were registered, with an algorithm that was registered, of the
 * expected type. Times are the caller's to judge. The header's own keys (`jwk`, `jku`, `x5c`) are never used.
 *
 * @throws Refusal of the given code
 * @see RFC 7515 §5.2; RFC 8725 §3.1 (algorithms), §3.11 (types)
 */
export async function verifyJws(
  jwt: string,
  source: KeySource,
  {
    algorithms,
    types,
    code,
  }: {
    readonly algorithms: readonly string[]
    /** Types that are accepted, in lower case; `undefined` among them lets it be left out. */
    readonly types: readonly (string | undefined)[]
    readonly code: RefusalCode
  },
): Promise<JWTPayload> {
  try {
    const { header, payload } = await checked(jwt, keySet(source), algorithms)
    if (typeof header.kid !== 'string') throw new Error('no kid')
    if (!types.includes(plainType(header.typ) as string)) throw new Error('typ')
    const claims: unknown = JSON.parse(payload)
    if (typeof claims !== 'object' || claims === null) throw new Error('not a claims set')
    return claims as JWTPayload
  } catch (cause) {
    throw new Refusal(code, values.isNativeError(cause) ? cause.message : 'signature', { cause })
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
