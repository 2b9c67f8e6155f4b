/** The claims of the tokens that a grant gives, and the answer of the token endpoint. */
import { contextMembers, type Grant } from './grant.js'
import { sha256, type TokenId } from './ids.js'
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
    ...(patient === undefined ? {} : { patient }),
    ...(ehrId === undefined ? {} : { ehrId }),
    ...(encounter === undefined ? {} : { encounter }),
    policy_version: grant.policyVersion,
  }
}

/** OIDC Core §3.1.3.6: the left half of the hash that the signature is made with, SHA-256 for all of ours. */
const atHash = (access: string): string =>
  Buffer.from(sha256(access), 'base64url').subarray(0, 16).toString('base64url')

/** Claims in ASCII only: a browser library reads them with a decoder that knows no more. @see OIDC Core §2; SMART "Scopes for requesting identity data" */
export function idClaims(
  grant: Grant,
  issuer: string,
  now: EpochMs,
  lifetime: Seconds,
  access: string,
) {
  return {
    iss: issuer,
    aud: grant.client,
    sub: grant.subject,
    iat: seconds(now),
    exp: seconds(now) + lifetime,
    at_hash: atHash(access),
    sid: grant.signOn,
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
  signOn: SignOn | undefined,
  tokens: { readonly access: string; readonly id?: string; readonly refresh?: string },
  lifetime: Seconds,
  idle: Seconds,
) {
  return {
    access_token: tokens.access,
    token_type: grant.cnf?.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: lifetime,
    scope: grant.scopes.join(' '),
    ...(tokens.id === undefined ? {} : { id_token: tokens.id }),
    ...(tokens.refresh === undefined ? {} : { refresh_token: tokens.refresh }),
    ...(grant.details === undefined ? {} : { authorization_details: grant.details }),
    ...contextMembers(grant.context),
    ...(signOn === undefined
      ? {}
      : { __session_idle_seconds: idle, __session_ends: seconds(signOn.until) }),
    __launch: grant.launch,
    ...(grant.obligations.length > 0 ? { __obligations: grant.obligations } : {}),
  }
}
