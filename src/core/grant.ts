/** What an app was granted in one launch, and the tokens that came of it. */

import { patientNamed } from './audit.js'
import { type AuthorizationDetail, detailsFor } from './authorization-details.js'
import type { AuthorizationRequest } from './authorization-request.js'
import { circumstancesFor } from './circumstances.js'
import type { Client } from './client.js'
import type { FhirContextItem, KnownUser, KnowUser, NhsNumber, RecordedAs } from './context.js'
import type { OwnContext } from './context-kinds.js'
import type { Circumstances } from './decision.js'
import type { BrokenGlass } from './emergency.js'
import type { GrantId, LaunchId, SignOnId, TokenId } from './ids.js'
import { isStandalone, type LaunchSession } from './launch.js'
import { readScope } from './scope.js'
import { personOf, type SignOn, subjectOf } from './session.js'
import type { EpochMs, Seconds } from './values.js'

export interface Grant {
  readonly id: GrantId
  readonly launch: LaunchId
  readonly signOn: SignOnId
  /** As they were when it was given: what an offline grant goes by when nobody is signed on. */
  readonly user: KnownUser
  /** The same, as end markers name them. */
  readonly person: string
  /** Lives on without the user (`offline_access`). */
  readonly offline: boolean
  readonly client: string
  /** `sub` of the tokens. */
  readonly subject: string
  readonly fhirUser?: string
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  readonly context: LaunchContext
  /** Set when the glass was broken for it: it reads, and ends then at the latest. */
  readonly emergency?: BrokenGlass
  /** For the trail, and to know whose chart it is: it stands in no token and in no answer. */
  readonly nhsNumber?: NhsNumber
  /** The launch named an older number, which that one has replaced: the chart shows another than the app. */
  readonly numberReplaced?: true
  /** In which tenant's record the patient is; absent: in the region's. No token and no answer says it. */
  readonly recordTenant?: string
  /** Other records that know the patient, and are asked with it. No token and no answer says it. */
  readonly knownIn?: readonly RecordedAs[]
  /** What the policies oblige the app to show, such as `mark-sensitive`. */
  readonly obligations: readonly string[]
  /** What the policies were asked under, so that a token can be judged anew under a later version. */
  readonly circumstances: Circumstances
  readonly policyVersion: number
  /** The version that it was opened under, however often it is judged anew; older grants say only the one above. */
  readonly openedUnder?: number
  readonly code: {
    readonly hash: string
    readonly until: EpochMs
    readonly redirectUri: string
    readonly challenge?: string
    readonly nonce?: string
    /** The only key by which the code may be redeemed. @see RFC 9449 §10 */
    readonly dpopJkt?: string
  }
  /** Hashes of the current refresh token, of the half that all of this grant's share, and of the one before it. */
  readonly refresh?: {
    readonly hash: string
    readonly family: string
    readonly generation: number
    readonly previous?: { readonly hash: string; readonly at: EpochMs }
  }
  readonly claims: AuthorizationRequest['claims']
  /** Where the token is good, for an app that asked to be told (RFC 9396). */
  readonly details?: readonly AuthorizationDetail[]
  readonly tokens: readonly TokenId[]
  /** Which key the tokens are bound to, as tokens say it. @see RFC 7800 §3.1; RFC 9449 §6; RFC 8705 §3.1 */
  readonly cnf?: Confirmation
  readonly authTime?: number
  readonly acr?: string
  readonly since: EpochMs
  readonly until: EpochMs
}

/** Where a token may be good: the record's two bases, and the gateway itself for an app that only signs on. */
export interface Bases {
  readonly fhir: string
  readonly openehr: string
  readonly issuer: string
}

/** What holds a token: how a token says it. @see RFC 7800 §3.1 */
export interface Confirmation {
  /** Thumbprint of a DPoP key. */
  readonly jkt?: string
  /** Thumbprint of a client certificate. */
  readonly 'x5t#S256'?: string
}

/** What travels beside the access token. @see SMART App Launch 2.2, "Launch context"; SMART on openEHR */
export interface LaunchContext {
  /** Absent only where no patient was asked for; then nothing of the record is reached. */
  readonly patient?: string
  readonly ehrId?: string
  readonly encounter?: string
  readonly need_patient_banner?: boolean
  readonly intent?: string
  readonly tenant: string
  readonly fhirContext?: readonly FhirContextItem[]
  readonly smart_style_url?: string
  readonly episodeId?: string
  /** Members of the app's own kinds, which stand beside the others: {@link contextMembers}. */
  readonly own?: OwnContext
}

/** The context as members of an answer. The app's own come first: none of them takes the place of another. */
export const contextMembers = ({ own, ...context }: LaunchContext) => ({ ...own, ...context })

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
    readonly challenge?: string
    readonly nonce?: string
    readonly dpopJkt?: string
    readonly codeHash: string
    readonly claims: AuthorizationRequest['claims']
    readonly detailed?: boolean
    readonly styleUrl?: string
  },
  judged: { readonly circumstances: Circumstances; readonly policyVersion: number },
  bases: Bases,
  times: { readonly now: EpochMs; readonly code: Seconds; readonly offline: Seconds },
): Grant {
  const { launch, user } = session
  const { time, acr } = signOn.authentication
  // Whatever was granted: an emergency is over with its time, and with its user's session.
  const offline = asked.scopes.includes('offline_access') && session.emergency === undefined
  const audience = audienceOf(asked.scopes, bases)
  const detailed = asked.detailed && audience.includes(bases.fhir)
  return {
    id,
    launch: launch.id,
    signOn: session.signOn,
    user,
    person: personOf(user, signOn.issuer),
    offline,
    client: client.id,
    subject: subjectOf(user, launch.system),
    ...(user.sdsUserId === undefined
      ? {}
      : { fhirUser: `${bases.fhir}/Practitioner/${user.sdsUserId}` }),
    scopes: asked.scopes,
    ...(session.emergency === undefined ? {} : { emergency: session.emergency }),
    ...(session.patient === undefined ? {} : { nhsNumber: session.patient.nhsNumber }),
    ...(session.patient?.supersededNumber === undefined ? {} : { numberReplaced: true }),
    ...(session.patient?.tenant === undefined ? {} : { recordTenant: session.patient.tenant }),
    ...(session.patient?.knownIn === undefined ? {} : { knownIn: session.patient.knownIn }),
    audience,
    context: contextOf(session, asked.styleUrl),
    obligations: session.obligations,
    ...judged,
    openedUnder: judged.policyVersion,
    code: {
      hash: asked.codeHash,
      until: times.now + times.code * 1000,
      redirectUri: asked.redirectUri,
      ...(asked.challenge === undefined ? {} : { challenge: asked.challenge }),
      ...(asked.nonce === undefined ? {} : { nonce: asked.nonce }),
      ...(asked.dpopJkt === undefined ? {} : { dpopJkt: asked.dpopJkt }),
    },
    claims: asked.claims,
    ...(detailed ? { details: detailsFor(bases.fhir) } : {}),
    tokens: [],
    ...(time === undefined ? {} : { authTime: time }),
    ...(acr === undefined ? {} : { acr }),
    since: times.now,
    until: Math.min(
      offline ? times.now + times.offline * 1000 : signOn.until,
      session.emergency?.until ?? Number.POSITIVE_INFINITY,
    ),
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

/** Whose grant it is, in the words of the launch's own entries: one search of the trail finds all of them. */
export function partiesOf({ circumstances, context, nhsNumber, recordTenant: tenant }: Grant) {
  const { id, roles, organization } = circumstances.user
  const { patient: fhirId } = context
  return {
    user: { id, roles, organization: organization.odsCode },
    ...(fhirId === undefined ? {} : { patient: patientNamed({ fhirId, nhsNumber, tenant }) }),
  }
}

/** The bases that scopes reach (RFC 8707 §2: a token names where it is good). */
export function audienceOf(scopes: readonly string[], bases: Bases): readonly string[] {
  const kinds = new Set(scopes.map((scope) => readScope(scope)?.kind))
  const reached = [
    ...(kinds.has('fhir') || scopes.includes('fhirUser') ? [bases.fhir] : []),
    ...(kinds.has('openehr') ? [bases.openehr] : []),
  ]
  return reached.length > 0 ? reached : [bases.issuer]
}

function contextOf({ launch, patient, user }: LaunchSession, styleUrl?: string): LaunchContext {
  return {
    ...(patient === undefined ? {} : { patient: patient.fhirId }),
    ...(patient?.ehrId === undefined ? {} : { ehrId: patient.ehrId }),
    ...(launch.encounter === undefined ? {} : { encounter: launch.encounter }),
    // The frame stands inside a chart, but a chart can scroll its own banner away: the app shows one.
    ...(patient === undefined ? {} : { need_patient_banner: true }),
    ...(launch.intent === undefined ? {} : { intent: launch.intent }),
    tenant: isStandalone(launch) ? user.organization.odsCode : launch.organization,
    ...(launch.fhirContext === undefined ? {} : { fhirContext: launch.fhirContext }),
    // SMART has it for apps that stand in the launching system's own window.
    ...(styleUrl === undefined || isStandalone(launch) ? {} : { smart_style_url: styleUrl }),
    ...(launch.episode === undefined ? {} : { episodeId: launch.episode }),
    ...(launch.own === undefined ? {} : { own: launch.own }),
  }
}
