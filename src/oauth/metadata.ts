/** Discovery documents, derived from the same tables that the endpoints work by. */
import type { RequestHandler } from 'express'
import { DETAIL_TYPES } from '../core/authorization-details.js'
import { RESPONSE_MODES } from '../core/authorization-request.js'
import { ASSERTION_ALGORITHMS } from '../core/client-profile.js'
import { DPOP_ALGORITHMS } from '../core/dpop.js'
import { INTROSPECT } from '../core/scope.js'
import { INTROSPECTION_ALGORITHMS } from './introspect.js'
import type { OAuthParts } from './parts.js'
import { GRANT_TYPES } from './token.js'
import { USERINFO_ALGORITHMS } from './userinfo.js'

/** How apps may prove themselves, by what the gateway is set up for. */
const methods = ({ mtls }: Pick<OAuthParts, 'mtls'>): readonly string[] => [
  ...['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  ...(mtls ? ['tls_client_auth', 'self_signed_tls_client_auth'] : []),
]
/** `profile` works and is not listed: of its fourteen claims we know one (OIDC Discovery §3 need not list all). */
const PROFILE_SCOPES = ['openid', 'fhirUser', 'online_access', 'offline_access']

/** Endpoints that a client with a certificate reaches at the alias, as far as there are any. @see RFC 8705 §5 */
const ALIASED = [
  'token_endpoint',
  'introspection_endpoint',
  'revocation_endpoint',
  'pushed_authorization_request_endpoint',
  'userinfo_endpoint',
]

/** A document, and beside it where a client with a certificate calls, where any is known by one. @see RFC 8705 §3.3, §5 */
export function withMutualTls<T extends Readonly<Record<string, unknown>>>(
  { issuer, mtls }: Pick<OAuthParts, 'issuer' | 'mtls'>,
  document: T,
) {
  if (!mtls) return document
  const there = ALIASED.filter((name) => Object.hasOwn(document, name))
  const atAlias = (name: string) => mtls.alias + String(document[name]).slice(issuer.length)
  return {
    ...document,
    tls_client_certificate_bound_access_tokens: true,
    mtls_endpoint_aliases: Object.fromEntries(there.map((name) => [name, atAlias(name)])),
  }
}

const oauth = ({ issuer, mtls, registration }: OAuthParts) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  jwks_uri: `${issuer}/oauth/jwks`,
  ...(registration ? { registration_endpoint: `${issuer}/oauth/register` } : {}),
  response_types_supported: ['code'],
  response_modes_supported: [...RESPONSE_MODES],
  pushed_authorization_request_endpoint: `${issuer}/oauth/par`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  // A name alone is no proof there.
  introspection_endpoint_auth_methods_supported: methods({ mtls }).filter((how) => how !== 'none'),
  introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  introspection_signing_alg_values_supported: INTROSPECTION_ALGORITHMS,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  revocation_endpoint_auth_methods_supported: methods({ mtls }),
  revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  require_pushed_authorization_requests: false,
  grant_types_supported: Object.keys(GRANT_TYPES),
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: methods({ mtls }),
  token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
  authorization_response_iss_parameter_supported: true,
  authorization_details_types_supported: [...DETAIL_TYPES],
  request_parameter_supported: true,
  // Only what was pushed here has such a name; an address is never fetched.
  request_uri_parameter_supported: false,
})

/** @see OpenID Connect Discovery 1.0 §3; RFC 8414 §2 */
export const openidConfiguration = (parts: OAuthParts) =>
  withMutualTls(parts, {
    ...oauth(parts),
    userinfo_endpoint: `${parts.issuer}/oauth/userinfo`,
    userinfo_signing_alg_values_supported: USERINFO_ALGORITHMS,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    scopes_supported: [...PROFILE_SCOPES, 'launch', 'launch/patient', INTROSPECT],
    claims_supported: [
      ...['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'auth_time', 'acr', 'sid', 'at_hash'],
      ...['fhirUser', 'name'],
    ],
    claims_parameter_supported: true,
    acr_values_supported: ['AAL2_ANY', 'AAL3_ANY'],
    end_session_endpoint: `${parts.issuer}/oauth/logout`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
  })

/**
 * Only what is really done is listed.
 * @see SMART App Launch 2.2, "Conformance"; SMART on openEHR, "services"
 */
export const smartConfiguration = (parts: OAuthParts) => ({
  ...withMutualTls(parts, oauth(parts)),
  management_endpoint: `${parts.issuer}/sign-in/sessions`,
  scopes_supported: [
    ...PROFILE_SCOPES,
    'launch',
    'launch/patient',
    INTROSPECT,
    'launch/encounter',
    'launch/episode',
    'patient/*.rs',
    'user/*.rs',
    ...parts.offered.sections.map(({ template }) => `patient/composition-${template}.crus`),
    ...parts.offered.queries.map((query) => `patient/aql-${query}.rs`),
  ],
  capabilities: [
    'launch-ehr',
    'launch-standalone',
    'authorize-post',
    'client-public',
    'client-confidential-symmetric',
    'client-confidential-asymmetric',
    'sso-openid-connect',
    'context-banner',
    ...(parts.styled ? ['context-style'] : []),
    'context-ehr-patient',
    'context-ehr-encounter',
    'context-standalone-patient',
    'permission-offline',
    'permission-online',
    'permission-patient',
    'permission-user',
    'permission-v1',
    'permission-v2',
    'context-openehr-ehr',
    'context-openehr-episode',
    'openehr-permission-v1',
  ],
  services: {
    'org.openehr.rest': { baseUrl: parts.bases.openehr },
    'org.fhir.rest': { baseUrl: parts.bases.fhir },
  },
})

/** A document that anyone may read from anywhere and keep for five minutes. */
export const publish = (document: object): RequestHandler => publishCurrent(() => document)

/** As {@link publish}, of a document that is another object when it says something else. */
export const publishCurrent = (current: () => object): RequestHandler => {
  let written: { readonly document: object; readonly text: string } | undefined
  return (_req, res) => {
    const document = current()
    if (written?.document !== document) written = { document, text: JSON.stringify(document) }
    res.removeHeader('Pragma')
    res.set({ 'Cache-Control': 'public, max-age=300', 'Content-Type': 'application/json' })
    res.send(written.text)
  }
}
