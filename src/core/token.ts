/** The claims of the tokens that a grant gives, and the answer of the token endpoint. */
import type { ServiceGrant } from './backend-service.js'
import { contextIdOf } from './context-id.js'
import { type Confirmation, contextMembers, type Grant } from './grant.js'
import { type LaunchId, sha256, type TokenId } from './ids.js'
import type { SignOn } from './session.js'
import { type EpochMs, type EpochSeconds, type Seconds, seconds } from './values.js'

/** Who acts in whose place: the outermost now, the ones inside before it. @see RFC 8693 §4.1 */
export interface Actor {
  readonly sub: string
  readonly act?: Actor
}

/** All actors of a chain, the present one first. */
export const actorsOf = (act: Actor | undefined): readonly string[] =>
  act === undefined ? [] : [act.sub, ...actorsOf(act.act)]

/** An access token's claims, as we sign them. */
export type AccessClaims = {
  readonly iss: string
  readonly aud: string[]
  readonly sub: string
  readonly client_id: string
  readonly iat: EpochSeconds
  readonly exp: EpochSeconds
  readonly jti: TokenId
  readonly scope: string
  readonly cnf?: Confirmation
  readonly launch: LaunchId
  readonly patient?: string
  readonly ehrId?: string
  readonly encounter?: string
  readonly policy_version: number
  /** The back ends that it was exchanged by, and the tokens that it came of, which end it with them. */
  readonly act?: Actor
  readonly exchanged_from?: readonly TokenId[]
}

interface Signed {
  readonly issuer: string
  readonly token: TokenId
  readonly now: EpochMs
  readonly lifetime: Seconds
}

const commonClaims = (
  given: Omit<ServiceGrant, 'token' | 'id' | 'since' | 'until'>,
  { issuer, token, now, lifetime }: Signed,
): Omit<AccessClaims, 'sub'> => ({
  iss: issuer,
  aud: [...given.audience],
  client_id: given.client,
  iat: seconds(now),
  exp: seconds(now) + lifetime,
  jti: token,
  scope: given.scopes.join(' '),
  ...(given.cnf === undefined ? {} : { cnf: given.cnf }),
  launch: given.launch,
  policy_version: given.policyVersion,
})

/** A service's token says that it stands for nobody else. @see RFC 9068 §2.2, `sub`; SMART "Backend Services" */
export const serviceClaims = (
  service: ServiceGrant,
  issuer: string,
  now: EpochMs,
  lifetime: Seconds,
): AccessClaims => ({
  ...commonClaims(service, { issuer, token: service.token, now, lifetime }),
  sub: service.client,
})

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
): AccessClaims {
  const { patient, ehrId, encounter } = grant.context
  return {
    ...commonClaims(grant, { issuer, token, now, lifetime }),
    sub: grant.subject,
    ...(patient === undefined ? {} : { patient }),
    ...(ehrId === undefined ? {} : { ehrId }),
    ...(encounter === undefined ? {} : { encounter }),
  }
}

/** OIDC Core §3.1.3.6: the left half of the hash that the signature is made with, SHA-256 for all of ours. */
const atHash = (access: string): string =>
  Buffer.from(sha256(access), 'base64url').subarray(0, 16).toString('base64url')

/** In ASCII, printable: what every reader of an id_token can decode. */
const ASCII = /^[\x20-\x7e]+$/

/**
 * Claims in ASCII only: a browser library reads them with a decoder that knows no more. A name that was asked for and
 * is not in ASCII is left out, never spelt otherwise: userinfo has it.
 *
 * @see OIDC Core §2, §5.5; SMART "Scopes for requesting identity data"
 */
export function idClaims(
  grant: Grant,
  issuer: string,
  now: EpochMs,
  lifetime: Seconds,
  access: string,
  name: string | undefined,
) {
  const named = name !== undefined && ASCII.test(name) && grant.claims.idToken.includes('name')
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
    ...(named ? { name } : {}),
  }
}

/** That the plan was opened as an emergency: its record's id, and when it ends (Unix time). */
const emergencyMembers = ({ emergency }: Grant) =>
  emergency === undefined
    ? {}
    : {
        __emergency: true,
        __emergency_id: emergency.id,
        __emergency_ends: seconds(emergency.until),
      }

/**
 * Launch context, and members of our own with two underscores (SMART "Launch context", own members): the launch's id,
 * the context's, which each write carries, what the policies oblige the app to show, whether the chart shows an older NHS number, and whether it is an emergency.
 */
export const besideToken = (grant: Grant) => ({
  ...contextMembers(grant.context),
  __launch: grant.launch,
  __context: contextIdOf(grant.launch),
  ...(grant.obligations.length > 0 ? { __obligations: grant.obligations } : {}),
  ...(grant.numberReplaced ? { __nhs_number_replaced: true } : {}),
  ...emergencyMembers(grant),
})

/** Of an emergency: with its time, though its user stays signed on. */
const sessionEnd = ({ emergency }: Grant, { until }: SignOn): EpochMs =>
  Math.min(until, emergency?.until ?? until)

export const tokenTypeOf = (cnf: Confirmation | undefined): 'Bearer' | 'DPoP' =>
  cnf?.jkt === undefined ? 'Bearer' : 'DPoP'

/**
 * What travels beside the token: besides {@link besideToken} how long the session lasts without use, and when it
 * ends whatever happens.
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
    token_type: tokenTypeOf(grant.cnf),
    expires_in: lifetime,
    scope: grant.scopes.join(' '),
    ...(tokens.id === undefined ? {} : { id_token: tokens.id }),
    ...(tokens.refresh === undefined ? {} : { refresh_token: tokens.refresh }),
    ...(grant.details === undefined ? {} : { authorization_details: grant.details }),
    ...besideToken(grant),
    ...(signOn === undefined
      ? {}
      : { __session_idle_seconds: idle, __session_ends: seconds(sessionEnd(grant, signOn)) }),
  }
}
