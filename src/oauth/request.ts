/** Where an authorize request's parameters come from: the request itself, a request object, or what was kept. */
import type { Client } from '../core/client.js'
import { hashOf, launchOfSecret } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type Clock, type Seconds, seconds } from '../core/values.js'
import type { TrustedKeys } from '../keys/trusted.js'
import type { OAuthParts } from './parts.js'

export type Parameters = ReadonlyMap<string, string>

export const REQUEST_URI = 'urn:ietf:params:oauth:request_uri:'

/** A request as it counts. */
export interface Asking {
  readonly parameters: Parameters
  /** Set for one that we kept: hash of its secret. The browser comes back with the handle of the launch that it led to. */
  readonly request?: string
  /** Set for one that was pushed: the id of its record. It is spent when it is answered. */
  readonly pushed?: string
}

interface Checking {
  readonly issuer: string
  readonly clock: Clock
  readonly skew: Seconds
  readonly trusted: TrustedKeys
}

/** Members of a request object that are no parameters. */
const OBJECT_ONLY = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sub'])

/**
 * The parameters of a request object: all that counts is inside it.
 *
 * @throws Refusal request_unsupported, request_object_invalid
 * @see RFC 9101 §6; FAPI 2.0 Message Signing §5.3.1
 */
export async function readRequestObject(
  { issuer, clock, skew, trusted }: Checking,
  client: Client,
  jwt: string,
): Promise<Parameters> {
  const { requestObjects, keys } = client
  if (!requestObjects || !keys) throw new Refusal('request_unsupported', client.id)
  if (jwt.length > 16_384) throw new Refusal('request_object_invalid', 'too long')
  const claims = await trusted.verify(jwt, keys, {
    algorithms: client.assertionAlgorithms,
    types: ['oauth-authz-req+jwt', 'jwt', undefined],
    code: 'request_object_invalid',
  })
  const now = seconds(clock())
  const must = (fine: boolean, what: string) => {
    if (!fine) throw new Refusal('request_object_invalid', what)
  }
  must(claims.iss === client.id && (claims.client_id ?? client.id) === client.id, 'iss, client_id')
  must([claims.aud].flat().includes(issuer), 'aud')
  must(typeof claims.exp === 'number' && claims.exp + skew > now, 'exp')
  must((claims.nbf ?? 0) <= now + skew, 'nbf')
  must((claims.exp ?? 0) <= Math.max(claims.nbf ?? 0, now) + 3600 + skew, 'exp is too far')
  // §4: nothing nested, so that nothing is fetched or read twice.
  must(claims.request === undefined && claims.request_uri === undefined, 'nested')
  const members = Object.entries(claims)
    .filter(([name]) => !OBJECT_ONLY.has(name))
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
  // An object names whom it is for by its own `aud`, and that is what SMART's parameter of this name asks as well.
  return new Map([...members, ['aud', issuer]] as [string, string][])
}

/** What a pushed request holds; it is spent when it is answered, so that a page may be loaded anew until then. @see RFC 9126 §4, §7.3 */
async function pushedRequest(parts: OAuthParts, client: Client, uri: string): Promise<Asking> {
  if (!uri.startsWith(REQUEST_URI)) throw new Refusal('request_uri_unsupported', 'request_uri')
  const id = hashOf(uri)
  const pushed = await parts.store.get('pushed', id)
  if (pushed?.client !== client.id) throw new Refusal('request_uri_invalid', 'unknown')
  return { parameters: new Map(Object.entries(pushed.parameters)), pushed: id }
}

/** The request that led to the launch whose handle comes back, if one did. */
async function keptRequest(parts: OAuthParts, client: Client, handle: string | undefined) {
  const launch = handle === undefined ? undefined : launchOfSecret('hdl', handle)
  const kept = launch && (await parts.store.get('request', launch))
  return kept?.client === client.id ? kept : undefined
}

/**
 * The parameters that count for this request.
 *
 * @throws Refusal push_required, request_uri_unsupported, request_uri_invalid, request_unsupported,
 *   request_object_invalid
 */
export async function askingOf(
  parts: OAuthParts,
  client: Client,
  sent: Parameters,
): Promise<Asking> {
  const handle = sent.get('launch')
  const returning = handle !== undefined && !sent.has('redirect_uri') && !sent.has('request_uri')
  const kept = returning ? await keptRequest(parts, client, handle) : undefined
  if (kept)
    return {
      parameters: new Map(Object.entries(kept.parameters)),
      request: kept.ask.request,
      ...(kept.pushed === undefined ? {} : { pushed: kept.pushed }),
    }
  const uri = sent.get('request_uri')
  if (uri !== undefined) return pushedRequest(parts, client, uri)
  if (client.pushed) throw new Refusal('push_required', client.id)
  const object = sent.get('request')
  if (object !== undefined) return { parameters: await readRequestObject(parts, client, object) }
  if (client.requestObjects === 'required') throw new Refusal('request_object_invalid', 'none sent')
  return { parameters: sent }
}
