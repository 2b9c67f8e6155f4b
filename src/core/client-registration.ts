/** Rows of `apps.yaml`, and of apps added by command or by registration: read, checked, named our way. */
import { z } from 'zod'
import { DETAIL_TYPES } from './authorization-details.js'
import { CERTIFICATE_NAMES, type ExpectedCertificate, isExpectation } from './certificate.js'
import { CLIENT_GRANTS, type Client, TOKEN_EXCHANGE } from './client.js'
import { ASSERTION_ALGORITHMS, CLIENT_TYPES, PROFILE_NAMES, profileOf } from './client-profile.js'
import { contextKind } from './context-kinds.js'
import { address, id, jwks, keySource, origin } from './registration.js'

/** RFC 6749 §2.3.1 has ids and secrets form-encoded in the header, and many apps do not: these read the same either way. */
export const SECRET = /^[A-Za-z0-9._~-]{32,256}$/

const certificateText = z.string().min(1).max(500).optional()

const clientMembers = z.strictObject({
  id,
  name: z.string().min(1).max(100),
  profile: z.enum(PROFILE_NAMES).default('smart'),
  type: z.enum(CLIENT_TYPES),
  secret_hash: z
    .string()
    .regex(/^[\w-]{43}$/, 'expected a SHA-256 in base64url')
    .optional(),
  jwks: jwks.optional(),
  jwks_uri: address.optional(),
  jwks_since: z.iso.date().optional(),
  assertion_algorithms: z.array(z.enum(ASSERTION_ALGORITHMS)).min(1).optional(),
  tls_client_auth_subject_dn: certificateText,
  tls_client_auth_san_dns: certificateText,
  tls_client_auth_san_uri: certificateText,
  tls_client_auth_san_ip: certificateText,
  tls_client_auth_san_email: certificateText,
  tls_client_certificate_bound_access_tokens: z.boolean().default(false),
  dpop_bound_access_tokens: z.boolean().default(false),
  dpop_nonce: z.literal('required').optional(),
  grant_types: z
    .array(z.enum(CLIENT_GRANTS))
    .min(1)
    .default(['authorization_code', 'refresh_token']),
  pkce: z.literal('optional').optional(),
  request_objects: z.enum(['allowed', 'required']).optional(),
  require_pushed_authorization_requests: z.boolean().default(false),
  redirect_uris: z.array(address).max(20).default([]),
  launch_urls: z.array(address).max(20).default([]),
  post_logout_redirect_uris: z.array(address).max(20).optional(),
  backchannel_logout_uri: address.optional(),
  backchannel_logout_session_required: z.boolean().default(false),
  scopes: z.array(z.string().max(300)).min(1).max(100),
  id_token_algorithm: z.enum(['RS256', 'ES256']).default('RS256'),
  userinfo_algorithm: z.enum(['RS256', 'ES256']).optional(),
  exchanges_for: z.array(id).min(1).max(50).optional(),
  introspects: z.boolean().optional(),
  access_token_lifetime: z.number().int().min(30).max(600).optional(),
  offline_lifetime: z.number().int().min(60).max(31_536_000).optional(),
  contexts: z.array(contextKind).max(20).default([]),
  authorization_details_types: z.array(z.enum(DETAIL_TYPES)).max(10).default([]),
  origins: z.array(origin).max(20).optional(),
})
/** Every member that a row may have. */
export const CLIENT_MEMBERS = Object.keys(clientMembers.shape) as (keyof ClientMembers)[]
type ClientMembers = z.infer<typeof clientMembers>

/** Whom a row's certificate must name, if it says so. */
const certificateOf = (row: ClientMembers): ExpectedCertificate =>
  Object.fromEntries(
    CERTIFICATE_NAMES.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])),
  )

/** Known by a name that an authority vouches for; else by a key of its own (RFC 8705 §2.1, §2.2). */
const isNamed = (row: ClientMembers): boolean => Object.keys(certificateOf(row)).length > 0

/** By what an app's tokens are bound, whatever a call shows. */
function bindingOf(row: ClientMembers): Pick<Client, 'bound'> {
  if (row.type === 'certificate' || row.tls_client_certificate_bound_access_tokens)
    return { bound: 'certificate' }
  return row.dpop_bound_access_tokens || profileOf(row).bound ? { bound: 'key' } : {}
}

/** Every logout token names the session, so whether an app requires it makes no difference here. */
const logoutOf = (
  row: ClientMembers,
): Pick<Client, 'postLogoutRedirectUris' | 'backchannelLogoutUri'> => ({
  ...(row.post_logout_redirect_uris === undefined
    ? {}
    : { postLogoutRedirectUris: row.post_logout_redirect_uris }),
  ...(row.backchannel_logout_uri === undefined
    ? {}
    : { backchannelLogoutUri: row.backchannel_logout_uri }),
})

const algorithmsOf = (row: ClientMembers) =>
  row.assertion_algorithms ?? profileOf(row).assertionAlgorithms

/** What must hold of a row beyond its members: each with where it is said. */
const CLIENT_RULES: readonly [keyof ClientMembers, string, (row: ClientMembers) => boolean][] = [
  [
    'type',
    'this type of app is not part of its profile',
    (row) => profileOf(row).types.includes(row.type),
  ],
  [
    'secret_hash',
    'type secret needs secret_hash, and no other type has one',
    (row) => (row.type === 'secret') === (row.secret_hash !== undefined),
  ],
  [
    'jwks',
    'type key needs jwks or jwks_uri',
    (row) => row.type !== 'key' || row.jwks !== undefined || row.jwks_uri !== undefined,
  ],
  [
    'pkce',
    'optional is for apps of profile oidc that authenticate',
    (row) => row.pkce === undefined || (row.profile === 'oidc' && row.type !== 'public'),
  ],
  [
    'request_objects',
    'needs jwks or jwks_uri',
    (row) => row.request_objects === undefined || !!(row.jwks ?? row.jwks_uri),
  ],
  [
    'dpop_nonce',
    'is for apps whose tokens are always bound to a key',
    (row) => row.dpop_nonce === undefined || bindingOf(row).bound === 'key',
  ],
  ['jwks', 'jwks or jwks_uri, not both', (row) => !(row.jwks && row.jwks_uri)],
  ['jwks_since', 'needs jwks', (row) => row.jwks_since === undefined || row.jwks !== undefined],
  [
    'tls_client_auth_subject_dn',
    'type certificate needs one tls_client_auth_… name, or jwks or jwks_uri with the certificate’s key',
    (row) =>
      row.type !== 'certificate' ||
      (isNamed(row)
        ? !row.jwks && isExpectation(certificateOf(row))
        : !!(row.jwks ?? row.jwks_uri)),
  ],
  [
    'assertion_algorithms',
    'not all of these are part of its profile',
    (row) => algorithmsOf(row).every((alg) => profileOf(row).assertionAlgorithms.includes(alg)),
  ],
  [
    'contexts',
    'one kind stands twice',
    ({ contexts }) => new Set(contexts.map(({ name }) => name)).size === contexts.length,
  ],
  [
    'redirect_uris',
    'grant type authorization_code needs a redirect address',
    (row) => !row.grant_types.includes('authorization_code') || row.redirect_uris.length > 0,
  ],
  [
    'backchannel_logout_session_required',
    'needs backchannel_logout_uri',
    (row) => !row.backchannel_logout_session_required || row.backchannel_logout_uri !== undefined,
  ],
  [
    'grant_types',
    'client_credentials and token exchange need an app that can authenticate, not by a secret',
    (row) =>
      row.type === 'key' ||
      row.type === 'certificate' ||
      row.grant_types.every((type) => type === 'authorization_code' || type === 'refresh_token'),
  ],
  [
    'exchanges_for',
    'grant type token-exchange needs exchanges_for, and nothing else has it',
    (row) => row.grant_types.includes(TOKEN_EXCHANGE) === (row.exchanges_for !== undefined),
  ],
  [
    'exchanges_for',
    'an app does not exchange its own tokens',
    (row) => row.exchanges_for?.includes(row.id) !== true,
  ],
  [
    'introspects',
    'an app that cannot authenticate introspects nothing',
    (row) => row.type !== 'public' || row.introspects !== true,
  ],
  // RFC 9068 §5: nobody takes a service's `sub` for a person's.
  [
    'id',
    'digits alone are how people are named: a service needs another id',
    (row) => !row.grant_types.includes('client_credentials') || !/^\d+$/.test(row.id),
  ],
]

export const clientRow = clientMembers
  .superRefine((row, context) => {
    for (const [path, message, fine] of CLIENT_RULES)
      if (!fine(row)) context.addIssue({ code: 'custom', path: [path], message })
  })
  .transform(
    (row): Client => ({
      id: row.id,
      name: row.name,
      profile: row.profile,
      type: row.type,
      ...(row.secret_hash === undefined ? {} : { secretHash: row.secret_hash }),
      ...keySource(row),
      ...(row.jwks_since === undefined ? {} : { keysSince: Date.parse(row.jwks_since) }),
      assertionAlgorithms: algorithmsOf(row),
      ...(row.type === 'certificate' && isNamed(row) ? { certificate: certificateOf(row) } : {}),
      ...bindingOf(row),
      ...(row.dpop_nonce === undefined ? {} : { nonceRequired: true }),
      grantTypes: row.grant_types,
      ...(row.pkce === undefined ? {} : { pkceOptional: true }),
      ...(row.request_objects === undefined ? {} : { requestObjects: row.request_objects }),
      pushed: row.require_pushed_authorization_requests || profileOf(row).pushed,
      redirectUris: row.redirect_uris,
      launchUrls: row.launch_urls,
      ...logoutOf(row),
      scopes: row.scopes,
      idTokenAlgorithm: row.id_token_algorithm,
      ...(row.userinfo_algorithm === undefined
        ? {}
        : { userinfoAlgorithm: row.userinfo_algorithm }),
      ...(row.exchanges_for === undefined ? {} : { exchangesFor: row.exchanges_for }),
      ...(row.introspects === undefined ? {} : { introspects: row.introspects }),
      ...(row.access_token_lifetime === undefined
        ? {}
        : { accessTokenLifetime: row.access_token_lifetime }),
      ...(row.offline_lifetime === undefined ? {} : { offlineLifetime: row.offline_lifetime }),
      ...(row.contexts.length === 0 ? {} : { contexts: row.contexts }),
      ...(row.authorization_details_types.length === 0
        ? {}
        : { detailTypes: row.authorization_details_types }),
      origins: row.origins ?? [...new Set(row.redirect_uris.map((uri) => new URL(uri).origin))],
    }),
  )
