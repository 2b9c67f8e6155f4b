/**
 * Emergency access ("break-glass"): a clinician opens a plan that the policies closed to them, says why, reads for a
 * limited time, and somebody else looks at it afterwards.
 */
import type { PatientNamed } from './audit.js'
import type { KnownUser } from './context.js'
import type { EmergencyId, LaunchId } from './ids.js'
import type { Tried } from './notice.js'
import { Refusal } from './refusal.js'
import type { Assurance } from './roles.js'
import { plainText } from './text.js'
import type { EpochMs } from './values.js'

/** Why, and as the page says it. Policies see the code, as `context.emergencyReason`. */
export const EMERGENCY_WORDS = {
  'life-threatening': 'The person’s life is in danger',
  'cannot-consent': 'The person needs care now and cannot be asked',
  'safeguarding-risk': 'Somebody is at risk of serious harm',
  'other-urgent': 'Other urgent need of care',
} as const
export type EmergencyReason = keyof typeof EMERGENCY_WORDS
export const EMERGENCY_REASONS = Object.keys(EMERGENCY_WORDS) as readonly EmergencyReason[]

const SHORTEST = 10
export const LONGEST_EMERGENCY_TEXT = 500

/** What stands open on a page, and to whom: nobody else may answer it. */
export interface EmergencyOffer {
  readonly person: string
  /** They sign on as strongly as this first; then it is offered anew. */
  readonly signOn?: Assurance
  /** What denied the launch, for the refusal that a cancel ends in. */
  readonly policies: readonly string[]
  readonly reasons: readonly string[]
  readonly version: number
}

/** What the user said, cleaned and within bounds. */
export interface EmergencyPlea {
  readonly reason: EmergencyReason
  readonly text: string
}

/** What a session and its grant hold of it. Neither outlives `until`. */
export interface BrokenGlass {
  readonly id: EmergencyId
  readonly reason: EmergencyReason
  readonly until: EpochMs
}

export const FINDINGS = ['appropriate', 'inappropriate', 'unclear'] as const
export interface Finding {
  readonly outcome: (typeof FINDINGS)[number]
  readonly text: string
}

/** A person as the provider knows them, nationally: by `uid` they are told apart, never by a login. */
export interface Reviewer {
  readonly uid: string
  readonly name: string
}

/** One use of emergency access, kept until it was reviewed and long after. Its text may speak of a patient. */
export interface Emergency {
  readonly id: EmergencyId
  readonly launch: LaunchId
  readonly user: {
    readonly uid: string
    readonly name?: string
    readonly roles: readonly string[]
    readonly organization: string
  }
  /** By both ids, where both were known: a search of the trail for either finds who looked at the case. */
  readonly patient: PatientNamed & { readonly fhirId: string }
  readonly system: string
  readonly app: string
  readonly reason: EmergencyReason
  readonly text: string
  readonly at: EpochMs
  readonly until: EpochMs
  /** Absent while it is open. */
  readonly closed?: {
    readonly by: Reviewer
    readonly at: EpochMs
    readonly finding: Finding
  }
}

/** That an organisation's privacy officer is to be told of one: ids only, so that it may go by any way. */
export interface EmergencyAlert extends Tried {
  readonly launch: LaunchId
  readonly organization: string
  readonly at: EpochMs
  readonly until: EpochMs
}

export const alertOf = ({ launch, user, at, until }: Emergency): EmergencyAlert => ({
  ...{ launch, organization: user.organization, at, until, tries: 0, due: at },
})

/** What it says to whoever keeps the alerts. */
export const alertMessage = (id: EmergencyId, alert: EmergencyAlert, issuer: string) => ({
  ...{ event: 'emergency-access', issuer, emergency: id, launch: alert.launch },
  ...{ organization: alert.organization },
  at: new Date(alert.at).toISOString(),
  until: new Date(alert.until).toISOString(),
})

/** What a person wrote; `undefined` when that is too little or too much to say why. */
function said(text: string): string | undefined {
  const plain = plainText(text, LONGEST_EMERGENCY_TEXT + 1)
  return plain.length < SHORTEST || plain.length > LONGEST_EMERGENCY_TEXT ? undefined : plain
}

const isReason = (text: string): text is EmergencyReason =>
  EMERGENCY_REASONS.some((reason) => reason === text)

/** The plea of a form, or which field of it says too little. */
export function readPlea(
  reason: string,
  text: string,
): EmergencyPlea | { readonly fault: 'reason' | 'text' } {
  if (!isReason(reason)) return { fault: 'reason' }
  const plain = said(text)
  return plain === undefined ? { fault: 'text' } : { reason, text: plain }
}

/** The finding of a form, or which field of it says too little. */
export function readFinding(
  outcome: string,
  text: string,
): Finding | { readonly fault: 'outcome' | 'text' } {
  const known = FINDINGS.find((one) => one === outcome)
  if (known === undefined) return { fault: 'outcome' }
  const plain = said(text)
  return plain === undefined ? { fault: 'text' } : { outcome: known, text: plain }
}

/**
 * Whom a review can tell from their reviewer. A user whom only their own system has a name for could be anybody, the
 * reviewer too.
 */
export const isReviewable = (user: KnownUser): user is KnownUser & { readonly sdsUserId: string } =>
  user.sdsUserId !== undefined

/**
 * Breaks the glass: the record that is to be reviewed.
 *
 * Pure: the policies have denied the launch, allowed `break-glass`, and allowed the launch under the plea.
 */
export function openEmergency(
  id: EmergencyId,
  about: Pick<Emergency, 'launch' | 'patient' | 'system' | 'app'>,
  user: KnownUser & { readonly sdsUserId: string },
  { reason, text }: EmergencyPlea,
  times: { readonly at: EpochMs; readonly until: EpochMs },
): Emergency {
  const { sdsUserId: uid, name, roles, organization } = user
  return {
    ...{ id, launch: about.launch, system: about.system, app: about.app },
    user: {
      ...{ uid, roles, organization: organization.odsCode },
      ...(name === undefined ? {} : { name: plainText(name, 200) }),
    },
    patient: about.patient,
    ...{ reason, text, at: times.at, until: times.until },
  }
}

/**
 * Closes it with what somebody else found, once.
 * @throws Refusal emergency_own, emergency_closed
 */
export function closeEmergency(
  emergency: Emergency,
  person: Reviewer,
  finding: Finding,
  now: EpochMs,
): Emergency {
  const uid = plainText(person.uid, 100)
  if (uid === '' || uid === emergency.user.uid) throw new Refusal('emergency_own', emergency.id)
  if (emergency.closed) throw new Refusal('emergency_closed', emergency.id)
  const by = { uid, name: plainText(person.name, 200) }
  return { ...emergency, closed: { by, at: now, finding } }
}
