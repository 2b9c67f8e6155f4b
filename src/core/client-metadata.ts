/**
 * An app's metadata as RFC 7591 names it, and the row that it becomes. The row is judged as every other
 * is (client-registration.ts); here is only what the two call differently, and what no stranger may choose.
 *
 * @see RFC 7591 §2; RFC 7592 §2.2; OpenID Connect Dynamic Client Registration 1.0 §2
 */
import { z } from 'zod'
import { registered } from './authorization.js'
import { CERTIFICATE_NAMES } from './certificate.js'
import type { ClientGrant } from './client.js'
import { type ClientType, PROFILES, type ProfileName } from './client-profile.js'
import { CLIENT_MEMBERS, clientRow } from './client-registration.js'
import type { Json } from './json.js'
import { Refusal } from './refusal.js'
import { readScopes, writeScope } from './scope.js'
import { plainText } from './text.js'

/** What an operator lets strangers register. */
export interface MetadataRules {
  readonly profile: ProfileName
  /** The most that an app may be registered for. */
  readonly scopes: readonly string[]
  /** Grant types on offer. */
  readonly grants: readonly string[]
  /** Whether clients can be known by certificate here. */
  readonly certificates: boolean
}

// biome-ignore format: a table
const METHODS = {
  none:                        'public',
  client_secret_basic:         'secret',
  client_secret_post:          'secret',
  private_key_jwt:             'key',
  tls_client_auth:             'certificate',
  self_signed_tls_client_auth: 'certificate',
} as const satisfies Record<string, ClientType>
type Method = keyof typeof METHODS

/** Members that are called alike, as far as rows have them. */
const ALIKE: readonly string[] = [
  ...['redirect_uris', 'grant_types', 'jwks', 'jwks_uri', 'authorization_details_types'],
  ...['tls_client_auth_subject_dn', 'tls_client_auth_san_dns', 'tls_client_auth_san_uri'],
  ...['tls_client_auth_san_ip', 'tls_client_auth_san_email'],
  ...['tls_client_certificate_bound_access_tokens', 'dpop_bound_access_tokens'],
  // Ours: no specification has a word for it.
  'dpop_nonce',
  ...['require_pushed_authorization_requests', 'post_logout_redirect_uris'],
  ...['backchannel_logout_uri', 'backchannel_logout_session_required'],
].filter((name) => (CLIENT_MEMBERS as readonly string[]).includes(name))

/** Where codes go, and who may say that they are this app: what a statement must vouch for by itself. */
export const VOUCHED: readonly string[] = [
  ...['redirect_uris', 'initiate_login_uri', 'jwks', 'jwks_uri'],
  ...ALIKE.filter((name) => /^tls_client_auth_|_uris?$/.test(name)),
]

/** What a row calls otherwise. */
// biome-ignore format: a table
const OTHERWISE: Readonly<Record<string, string>> = {
  name:                 'client_name',
  type:                 'token_endpoint_auth_method',
  scopes:               'scope',
  launch_urls:          'initiate_login_uri',
  assertion_algorithms: 'token_endpoint_auth_signing_alg',
  id_token_algorithm:   'id_token_signed_response_alg',
  userinfo_algorithm:   'userinfo_signed_response_alg',
  request_objects:      'require_signed_request_object',
}

const word = z.string().max(300)

/** What we understand. All else is ignored, as §2 asks: `id` and `secret_hash` among it. */
const metadata = z.object({
  client_name: word.optional(),
  token_endpoint_auth_method: z
    .enum(Object.keys(METHODS) as [Method, ...Method[]])
    .default('client_secret_basic'),
  grant_types: z.array(word).min(1).max(10).default(['authorization_code']),
  response_types: z.array(word).max(5).optional(),
  scope: z.string().max(4000).optional(),
  initiate_login_uri: z.string().max(2000).optional(),
  token_endpoint_auth_signing_alg: word.optional(),
  request_object_signing_alg: word.optional(),
  require_signed_request_object: z.boolean().default(false),
  id_token_signed_response_alg: z.string().default('RS256'),
  userinfo_signed_response_alg: z.string().optional(),
  subject_type: z.literal('public').optional(),
  software_id: word.optional(),
  software_version: word.optional(),
  ...Object.fromEntries(
    ALIKE.filter((name) => name !== 'grant_types').map((name) => [name, z.unknown().optional()]),
  ),
})
type Metadata = z.infer<typeof metadata>

/** @throws Refusal redirect_invalid, metadata_invalid; the answer says where and, in our words, why */
function refuse(name: string, why: string): never {
  const code = name === 'redirect_uris' ? 'redirect_invalid' : 'metadata_invalid'
  const told = `${name}: ${why}`.replace(/\.$/, '')
  throw new Refusal(code, told, { told })
}

/**
 * An https address in the one form that all readers agree on: no credentials, no steps back, no escapes of
 * its host, nothing that a browser would read otherwise than we compare it.
 */
export function isPlainAddress(text: unknown): boolean {
  if (typeof text !== 'string' || text.length > 2000 || !text.startsWith('https://')) return false
  if (!URL.canParse(text) || /[#*]/.test(text)) return false
  const { href, username, password } = new URL(text)
  return username + password === '' && (href === text || href === `${text}/`)
}

const PLAIN = 'expected an https address, complete and in its plain form, without a fragment'

/** Members that a browser, or we, go to. */
const ADDRESSES = [
  ...['redirect_uris', 'post_logout_redirect_uris'],
  ...['initiate_login_uri', 'backchannel_logout_uri'],
]

function checkAddresses(sent: Json): void {
  for (const name of ADDRESSES) {
    const addresses = sent[name] === undefined ? [] : [sent[name]].flat()
    if (!addresses.every(isPlainAddress)) refuse(name, PLAIN)
  }
}

/** @throws Refusal metadata_invalid for what the parts of it say against each other, or against us */
function checkTogether(sent: Metadata & Json, rules: MetadataRules): void {
  const { token_endpoint_auth_method: method, grant_types: grants } = sent
  const must = (fine: boolean, name: string, why: string) => fine || refuse(name, why)
  if (method === 'client_secret_post')
    must(PROFILES[rules.profile].secretInBody, 'token_endpoint_auth_method', 'not offered here')
  if (METHODS[method] === 'certificate')
    must(rules.certificates, 'token_endpoint_auth_method', 'not offered here')
  // A row knows the two apart by what it holds.
  const named = CERTIFICATE_NAMES.some((name) => sent[name] !== undefined)
  if (method === 'tls_client_auth') {
    must(sent.jwks === undefined, 'jwks', 'not together with tls_client_auth')
    must(named, 'tls_client_auth_subject_dn', 'expected one tls_client_auth_… name')
  }
  if (method === 'self_signed_tls_client_auth')
    must(!named, method, 'not together with a tls_client_auth_… name')
  must(
    grants.every((type) => rules.grants.includes(type)),
    'grant_types',
    'not all of these are offered',
  )
  const code = grants.includes('authorization_code')
  const { response_types: types = code ? ['code'] : [] } = sent
  must(types.join() === (code ? 'code' : ''), 'response_types', 'expected code, for its grant type')
  const { token_endpoint_auth_signing_alg: a, request_object_signing_alg: b } = sent
  must(a === undefined || b === undefined || a === b, 'request_object_signing_alg', 'one for both')
}

/** What of it may be registered, in its own words. */
function scopeOf({ scope }: Metadata, { scopes }: MetadataRules): string {
  const asked = scope === undefined ? scopes.join(' ') : scope
  const granted = registered(readScopes(asked), { scopes }).map(writeScope)
  if (granted.length === 0) refuse('scope', 'nothing of it may be registered')
  return granted.join(' ')
}

/**
 * Reads metadata and answers what is registered of it, with what was left to us filled in.
 *
 * @param id stands for an app without a name
 * @throws Refusal redirect_invalid, metadata_invalid
 * @see RFC 7591 §3.2.1 (what is registered may differ from what was asked), §3.2.2
 */
export function readMetadata(sent: Json, id: string, rules: MetadataRules): Json {
  const read = metadata.safeParse(sent)
  if (!read.success) {
    const [issue] = read.error.issues
    return refuse(String(issue?.path[0] ?? 'metadata'), issue?.message ?? '')
  }
  const asked = read.data as Metadata & Json
  checkAddresses(asked)
  checkTogether(asked, rules)
  const { grant_types } = asked
  return {
    ...asked,
    client_name: plainText(asked.client_name ?? '', 100) || id,
    response_types: grant_types.includes('authorization_code' satisfies ClientGrant)
      ? ['code']
      : [],
    scope: scopeOf(asked, rules),
  }
}

const filled = (row: Json): Json =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined))

function requestObjects(of: Metadata): 'required' | 'allowed' | undefined {
  if (of.require_signed_request_object) return 'required'
  return of.request_object_signing_alg === undefined ? undefined : 'allowed'
}

/**
 * The row that registered metadata becomes, as one of `apps.yaml` would stand.
 *
 * @param registered what {@link readMetadata} answered
 * @throws Refusal redirect_invalid, metadata_invalid
 */
export function rowOf(
  id: string,
  registered: Json,
  rules: MetadataRules,
  secretHash: string | undefined,
): Json {
  const of = registered as Metadata & Json
  const alg = of.token_endpoint_auth_signing_alg ?? of.request_object_signing_alg
  const row = filled({
    ...Object.fromEntries(ALIKE.map((name) => [name, of[name]])),
    id,
    name: of.client_name,
    profile: rules.profile,
    type: METHODS[of.token_endpoint_auth_method],
    secret_hash: secretHash,
    scopes: String(of.scope).split(' '),
    launch_urls: of.initiate_login_uri === undefined ? undefined : [of.initiate_login_uri],
    assertion_algorithms: alg === undefined ? undefined : [alg],
    request_objects: requestObjects(of),
    id_token_algorithm: of.id_token_signed_response_alg,
    userinfo_algorithm: of.userinfo_signed_response_alg,
    // Who registers itself serves nobody's tokens: those of others are none of its business.
    introspects: false,
  })
  const judged = clientRow.safeParse(row)
  if (judged.success) return row
  const [issue] = judged.error.issues
  const member = String(issue?.path[0] ?? 'metadata')
  return refuse(OTHERWISE[member] ?? member, issue?.message ?? '')
}

/** Whether metadata is of an app that shares a secret with us. */
export const hasSecret = (registered: Json): boolean =>
  METHODS[registered.token_endpoint_auth_method as Method] === 'secret'
