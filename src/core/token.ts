/** The claims of the tokens that a grant gives, and the answer of the token endpoint. */
import type { Grant } from './grant.js'
import type { TokenId } from './ids.js'
import type { SignOn } from './session.js'
import { type EpochMs, type Seconds, seconds } from './values.js'

/**
 * A short-lived token for one launch, one patient, one policy version.
 * @see RFC 9068 §2.2; SMART on openEHR (ehrId is a claim too)
 */
export function accessClaims(
  grant: Grant,
  issuer: string,
  token: TokenId,
  now: EpochMs,
  lifetime: Seconds,
) {
  const { patient, ehrId, encounter } = grant.context
  return {
    iss: issuer,
    aud: [...grant.audience],
    sub: grant.subject,
    client_id: grant.client,
    iat: seconds(now),
    exp: seconds(now) + lifetime,
    jti: token,
    scope: grant.scopes.join(' '),
    ...(grant.cnf === undefined ? {} : { cnf: grant.cnf }),
    launch: grant.launch,
    patient,
    ...(ehrId === undefined ? {} : { ehrId }),
    ...(encounter === undefined ? {} : { encounter }),
    policy_version: grant.policyVersion,
  }
}

/** Claims in ASCII only: a browser library reads them with a decoder that knows no more. @see OIDC Core §2; SMART "Scopes for requesting identity data" */
export function idClaims(grant: Grant, issuer: string, now: EpochMs, lifetime: Seconds) {
  return {
    iss: issuer,
    aud: grant.client,
    sub: grant.subject,
    iat: seconds(now),
    exp: seconds(now) + lifetime,
    ...(grant.code.nonce === undefined ? {} : { nonce: grant.code.nonce }),
    ...(grant.authTime === undefined ? {} : { auth_time: grant.authTime }),
    ...(grant.acr === undefined ? {} : { acr: grant.acr }),
    ...(grant.fhirUser !== undefined && grant.scopes.includes('fhirUser')
      ? { fhirUser: grant.fhirUser }
      : {}),
  }
}

/**
 * What travels beside the token. Members of our own have two underscores (SMART "Launch context", own
 * members): how long the session lasts without use, when it ends whatever happens, the launch's id, and what the
 * policies oblige the app to show.
 */
export function tokenAnswer(
  grant: Grant,
  signOn: SignOn,
  tokens: { readonly access: string; readonly id?: string; readonly refresh?: string },
  lifetime: Seconds,
  idle: Seconds,
) {
  return {
    access_token: tokens.access,
    token_type: 'Bearer',
    expires_in: lifetime,
    scope: grant.scopes.join(' '),
    ...(tokens.id === undefined ? {} : { id_token: tokens.id }),
    ...(tokens.refresh === undefined ? {} : { refresh_token: tokens.refresh }),
    ...grant.context,
    __session_idle_seconds: idle,
    __session_ends: seconds(signOn.until),
    __launch: grant.launch,
    ...(grant.obligations.length > 0 ? { __obligations: grant.obligations } : {}),
  }
}
