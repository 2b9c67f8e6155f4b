/** Discovery documents, derived from the same tables that the endpoints work by. */
import type { RequestHandler } from 'express'
import type { OAuthParts } from './parts.js'
import { GRANT_TYPES } from './token.js'

const ASSERTION_ALGORITHMS = ['ES384', 'RS384', 'ES256', 'PS256', 'EdDSA']

const oauth = ({ issuer }: OAuthParts) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/authorize`,
  token_endpoint: `${issuer}/oauth/token`,
  jwks_uri: `${issuer}/oauth/jwks`,
  response_types_supported: ['code'],
  response_modes_supported: ['query'],
  grant_types_supported: Object.keys(GRANT_TYPES),
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
  authorization_response_iss_parameter_supported: true,
})

/** @see OpenID Connect Discovery 1.0 §3; RFC 8414 §2 */
export const openidConfiguration = (parts: OAuthParts) => ({
  ...oauth(parts),
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256', 'ES256'],
  scopes_supported: ['openid', 'fhirUser', 'launch', 'online_access'],
  claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'nonce', 'auth_time', 'acr', 'fhirUser'],
})

/**
 * Only what is really done is listed.
 * @see SMART App Launch 2.2, "Conformance"; SMART on openEHR, "services"
 */
export const smartConfiguration = (parts: OAuthParts) => ({
  ...oauth(parts),
  scopes_supported: [
    'openid',
    'fhirUser',
    'launch',
    'online_access',
    'patient/*.rs',
    ...parts.offered.sections.map(({ template }) => `patient/composition-${template}.crus`),
    ...parts.offered.queries.map((query) => `patient/aql-${query}.rs`),
  ],
  capabilities: [
    'launch-ehr',
    'authorize-post',
    'client-public',
    'client-confidential-asymmetric',
    'sso-openid-connect',
    'context-banner',
    'context-ehr-patient',
    'context-ehr-encounter',
    'permission-online',
    'permission-patient',
    'permission-v1',
    'permission-v2',
    'context-openehr-ehr',
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
