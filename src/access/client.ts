/** Which app calls, and how it proves it. */
import type { Request } from 'express'
import { z } from 'zod'
import { holdsKey } from '../core/certificate.js'
import type { Client } from '../core/client.js'
import { type ClientType, profileOf } from '../core/client-profile.js'
import { isSecret, sha256 } from '../core/ids.js'
import { CLAIM_MARGIN } from '../core/launch-claims.js'
import { Refusal } from '../core/refusal.js'
import { type Clock, type Seconds, seconds } from '../core/values.js'
import { peek, type TrustedKeys } from '../keys/trusted.js'
import type { Store } from '../store/store.js'
import { type CertificateOf, type MutualTls, requireKey, requireName } from './certificate.js'
import type { Registry } from './registry.js'

interface Parts {
  readonly store: Pick<Store, 'commit'>
  readonly registry: Registry
  readonly trusted: TrustedKeys
  readonly certificateOf: CertificateOf
  readonly mtls?: MutualTls | undefined
  readonly clock: Clock
  readonly issuer: string
  readonly skew: Seconds
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** SMART: `exp` at most five minutes ahead. */
const ASSERTION_LIFETIME: Seconds = 300

const assertionClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.tuple([z.string()])]),
  exp: z.number().int(),
  nbf: z.number().optional(),
  jti: z.string().min(1).max(200),
})

type Sent = ReadonlyMap<string, string>

/** The app behind a call of one of the endpoints that apps call. */
export type ClientAuthentication = (req: Request, sent: Sent) => Promise<Client>

/** What a call shows as proof. */
type Shown =
  | { readonly by: 'basic' | 'body'; readonly id: string; readonly secret: string }
  | { readonly by: 'assertion'; readonly assertion: string }
  | { readonly by: 'name'; readonly id: string }

/** RFC 6749 §2.3.1 */
function basicOf(header: string): Shown {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]{1,1000})$/i.exec(header) ?? []
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 1) throw new Refusal('client_unproven', 'Authorization header')
  try {
    const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)].map(decodeURIComponent)
    return { by: 'basic', id: id ?? '', secret: secret ?? '' }
  } catch (cause) {
    throw new Refusal('client_unproven', 'Authorization header', { cause })
  }
}

/**
 * The one proof of a call. RFC 6749 §2.3: never more than one.
 * @throws Refusal client_unproven
 */
function shownBy(req: Request, sent: Sent): Shown {
  const header = req.get('authorization')
  const assertion = sent.get('client_assertion')
  const secret = sent.get('client_secret')
  const id = sent.get('client_id') ?? ''
  if ([header, assertion, secret].filter((proof) => proof !== undefined).length > 1)
    throw new Refusal('client_unproven', 'more than one way of authentication')
  if (header !== undefined) return basicOf(header)
  if (secret !== undefined) return { by: 'body', id, secret }
  if (assertion === undefined) return { by: 'name', id }
  if (sent.get('client_assertion_type') !== ASSERTION_TYPE || assertion.length > 8192)
    throw new Refusal('client_unproven', 'client_assertion_type')
  return { by: 'assertion', assertion }
}

type Proof = (parts: Parts, client: Client, shown: Shown, req: Request) => Promise<void>

/** Whose secret has the hash that was registered. */
const bySecret: Proof = async (_parts, client, shown) => {
  if (!('secret' in shown) || !client.secretHash || !isSecret(shown.secret, client.secretHash))
    throw new Refusal('client_unproven', 'secret')
  if (shown.by === 'body' && !profileOf(client).secretInBody)
    throw new Refusal('client_unproven', 'a secret in the body is not part of its profile')
}

/**
 * An assertion is spent by being shown, whatever comes of the request: were it spent with the code, one
 * that was used before would look like a second use of the code and end its grant.
 *
 * @see SMART App Launch 2.2, "Client Authentication: Asymmetric"; RFC 7523 §3; FAPI 2.0 §5.3.2.1
 */
const byKey: Proof = async (parts, client, shown, { path }) => {
  if (shown.by !== 'assertion' || !client.keys) throw new Refusal('client_unproven', 'no keys')
  const verified = assertionClaims.safeParse(
    await parts.trusted.verify(shown.assertion, client.keys, {
      algorithms: client.assertionAlgorithms,
      types: ['jwt', 'client-authentication+jwt', undefined],
      code: 'client_unproven',
    }),
  )
  if (!verified.success) throw new Refusal('client_unproven', 'claims')
  const { iss, sub, aud, exp, nbf, jti } = verified.data
  const now = seconds(parts.clock())
  if (iss !== sub || iss !== client.id) throw new Refusal('client_unproven', 'iss, sub, client_id')
  // Other endpoints are named by the token endpoint's address as well (RFC 9126 §2).
  const { issuer } = parts
  const hosts = [issuer, ...(parts.mtls ? [parts.mtls.alias] : [])]
  const endpoints = hosts.flatMap((host) => [`${host}/oauth/token`, `${host}${path}`])
  // FAPI 2.0 §5.3.2.1: the issuer alone, "as a string". Elsewhere a list of one says the same.
  const fits =
    profileOf(client).assertionAudience === 'issuer'
      ? aud === issuer
      : [issuer, ...endpoints].includes([aud].flat()[0] ?? '')
  if (!fits) throw new Refusal('client_unproven', 'aud')
  if (exp + parts.skew <= now || exp > now + ASSERTION_LIFETIME + parts.skew)
    throw new Refusal('client_unproven', 'exp')
  if (nbf !== undefined && nbf > now + parts.skew) throw new Refusal('client_unproven', 'nbf')
  const claim = {
    what: `assertion/${client.id}/${sha256(jti)}`,
    until: (exp + parts.skew) * 1000 + CLAIM_MARGIN,
  }
  if (!(await parts.store.commit({ claims: [claim] })))
    throw new Refusal('assertion_replayed', 'jti')
}

/** @see RFC 8705 §2.1 (a name that an authority vouches for), §2.2 (a registered key's own certificate) */
const byCertificate: Proof = async (parts, client, shown, req) => {
  if (shown.by !== 'name') throw new Refusal('client_unproven', 'not by certificate')
  const presented = parts.certificateOf(req, 'client_unproven')
  const { certificate, keys: source } = client
  if (certificate) return requireName(certificate, presented, 'client_unproven')
  if (!source) throw new Refusal('client_unproven', 'no keys')
  const has = (keys: Parameters<typeof holdsKey>[0]) => holdsKey(keys, presented)
  const keys = await parts.trusted.keys(source, has, 'client_unproven')
  requireKey(keys, presented, 'client_unproven')
}

/** How each type of app proves itself. */
const PROOFS: Readonly<Record<ClientType, Proof>> = {
  public: async (_parts, _client, shown) => {
    if (shown.by !== 'name') throw new Refusal('client_unproven', 'a public app shows no proof')
  },
  secret: bySecret,
  key: byKey,
  certificate: byCertificate,
}

const idOf = (shown: Shown): string =>
  shown.by === 'assertion'
    ? String(peek(shown.assertion, 'client_unproven').iss).slice(0, 64)
    : shown.id

/**
 * Whether the proof of a call must carry a nonce: asked before its app is proven, so that an app that is told one has
 * spent no assertion. What names no app is refused where it is to prove itself.
 */
export async function needsNonce(
  registry: Pick<Registry, 'client'>,
  req: Request,
  sent: Sent,
): Promise<boolean> {
  try {
    return (await registry.client(idOf(shownBy(req, sent))))?.nonceRequired ?? false
  } catch (error) {
    if (error instanceof Refusal && error.code === 'client_unproven') return false
    throw error
  }
}

/**
 * @throws Refusal client_unproven, assertion_replayed
 * @see RFC 6749 §2.3, §3.2.1
 */
export function createClientAuthentication(parts: Parts): ClientAuthentication {
  return async (req, sent) => {
    const shown = shownBy(req, sent)
    const id = idOf(shown)
    const client = await parts.registry.client(id)
    if (!client) throw new Refusal('client_unproven', 'unknown')
    if ((sent.get('client_id') ?? client.id) !== client.id)
      throw new Refusal('client_unproven', 'client_id names another')
    await PROOFS[client.type](parts, client, shown, req)
    return client
  }
}
