/** What an app was granted in one launch, and the tokens that came of it. */

import { circumstancesFor } from './circumstances.js'
import type { Client } from './client.js'
import type { FhirContextItem, KnownUser, KnowUser } from './context.js'
import type { Circumstances } from './decision.js'
import type { GrantId, LaunchId, SignOnId, TokenId } from './ids.js'
import type { LaunchSession } from './launch.js'
import { readScope } from './scope.js'
import { type SignOn, subjectOf } from './session.js'
import type { EpochMs, Seconds } from './values.js'

export interface Grant {
  readonly id: GrantId
  readonly launch: LaunchId
  readonly signOn: SignOnId
  readonly client: string
  /** `sub` of the tokens. */
  readonly subject: string
  readonly fhirUser?: string
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  /** What a caller must hold beside the token. @see RFC 7800 §3.1 */
  readonly cnf?: Confirmation
  readonly context: LaunchContext
  /** What the policies oblige the app to show, such as `mark-sensitive`. */
  readonly obligations: readonly string[]
  /** What the policies were asked under, so that a token can be judged anew under a later version. */
  readonly circumstances: Circumstances
  readonly policyVersion: number
  readonly code: {
    readonly hash: string
    readonly until: EpochMs
    readonly redirectUri: string
    readonly challenge: string
    readonly nonce?: string
  }
  /** Hashes of the current refresh token and of the half that all of this grant's share. */
  readonly refresh?: { readonly hash: string; readonly family: string; readonly generation: number }
  readonly tokens: readonly TokenId[]
  readonly authTime?: number
  readonly acr?: string
  readonly since: EpochMs
  readonly until: EpochMs
}

/** `jkt`: a key by its thumbprint (RFC 9449 §6.1); `x5t#S256`: a certificate by its own (RFC 8705 §3.1). */
export interface Confirmation {
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

/** What travels beside the access token. @see SMART App Launch 2.2, "Launch context"; SMART on openEHR */
export interface LaunchContext {
  readonly patient: string
  readonly ehrId?: string
  readonly encounter?: string
  readonly need_patient_banner: boolean
  readonly intent?: string
  readonly tenant: string
  readonly fhirContext?: readonly FhirContextItem[]
}

/**
 * Opens the grant of one launch to one app. The code's record lives as long as the grant, so that its
 * second use can end what the first one gave.
 *
 * Pure: the caller has spent the launch's handle in the same commit that stores this.
 * @see RFC 6749 §4.1.2; RFC 9700 §4.5
 */
export function openGrant(
  id: GrantId,
  session: LaunchSession,
  signOn: SignOn,
  client: Client,
  asked: {
    readonly scopes: readonly string[]
    readonly redirectUri: string
    readonly challenge: string
    readonly nonce?: string
    readonly codeHash: string
  },
  judged: { readonly circumstances: Circumstances; readonly policyVersion: number },
  bases: { readonly fhir: string; readonly openehr: string },
  times: { readonly now: EpochMs; readonly code: Seconds },
): Grant {
  const { launch, user } = session
  const { time, acr } = signOn.authentication
  return {
    id,
    launch: launch.id,
    signOn: session.signOn,
    client: client.id,
    subject: subjectOf(user, launch.system),
    ...(user.sdsUserId === undefined
      ? {}
      : { fhirUser: `${bases.fhir}/Practitioner/${user.sdsUserId}` }),
    scopes: asked.scopes,
    audience: audienceOf(asked.scopes, bases),
    context: contextOf(session),
    obligations: session.obligations,
    ...judged,
    code: {
      hash: asked.codeHash,
      until: times.now + times.code * 1000,
      redirectUri: asked.redirectUri,
      challenge: asked.challenge,
      ...(asked.nonce === undefined ? {} : { nonce: asked.nonce }),
    },
    tokens: [],
    ...(time === undefined ? {} : { authTime: time }),
    ...(acr === undefined ? {} : { acr }),
    since: times.now,
    until: signOn.until,
  }
}

/**
 * The grant under the policy version in force. The role map is part of a version: under another one than
 * the grant was given in, its user's roles are worked out again.
 */
export function grantUnder(grant: Grant, version: number, user: KnownUser, know: KnowUser): Grant {
  if (grant.policyVersion === version) return grant
  const known = know(user, user.organization.odsCode, user.assurance)
  const circumstances = circumstancesFor(grant.circumstances, known)
  return { ...grant, policyVersion: version, circumstances }
}

/** The bases that scopes reach (RFC 8707 §2: a token names where it is good). */
function audienceOf(
  scopes: readonly string[],
  bases: { readonly fhir: string; readonly openehr: string },
): readonly string[] {
  const kinds = new Set(scopes.map((scope) => readScope(scope)?.kind))
  const reached = [
    ...(kinds.has('fhir') || scopes.includes('fhirUser') ? [bases.fhir] : []),
    ...(kinds.has('openehr') ? [bases.openehr] : []),
  ]
  return reached.length > 0 ? reached : [bases.fhir]
}

function contextOf({ launch, patient }: LaunchSession): LaunchContext {
  return {
    patient: patient.fhirId,
    ...(patient.ehrId === undefined ? {} : { ehrId: patient.ehrId }),
    ...(launch.encounter === undefined ? {} : { encounter: launch.encounter }),
    // The frame stands inside a chart, but a chart can scroll its own banner away: the app shows one.
    need_patient_banner: true,
    ...(launch.intent === undefined ? {} : { intent: launch.intent }),
    tenant: launch.organization,
    ...(launch.fhirContext === undefined ? {} : { fhirContext: launch.fhirContext }),
  }
}
