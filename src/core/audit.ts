/**
 * The trail's entries: what happened, to whom, by whom, under which rules. Identifiers only, never
 * clinical content (ISO 27789). The trail adds place, time and chain when it appends (audit/trail.ts).
 */
import type { GrantId, LaunchId, Reference, SignOnId, TokenId } from './ids.js'
import type { EpochMs } from './values.js'

/** Every kind of entry. The order is that of a launch. */
export const EVENTS = [
  'writer_opened',
  'checkpoint',
  'configuration_changed',
  'policy_published',
  'policy_reviewed',
  'draft_opened',
  'draft_edited',
  'draft_proposed',
  'draft_approved',
  'draft_declined',
  'draft_shadowed',
  'draft_unshadowed',
  'draft_refused',
  'draft_abandoned',
  'keys_rotated',
  'keys_rewrapped',
  'registration_refused',
  'launch_verified',
  'launch_refused',
  'sign_on_asked',
  'signed_on',
  'sign_on_refused',
  'person_linked',
  'patient_confirmed',
  'decision_made',
  'glass_broken',
  'session_opened',
  'session_ended',
  'sign_out_refused',
  'app_notified',
  'authorization_asked',
  'authorization_refused',
  'grant_opened',
  'grant_ended',
  'token_issued',
  'token_refused',
  'token_revoked',
  'introspected',
  'access_allowed',
  'access_refused',
  'outcome_released',
  'outcome_refused',
  'console_opened',
  'console_closed',
  'console_refused',
  'console_viewed',
  'console_acted',
  'emergency_alerted',
  'emergency_reviewed',
] as const
export type EventName = (typeof EVENTS)[number]

/** A patient as entries name them. */
export interface PatientNamed {
  readonly fhirId?: string
  readonly nhsNumber?: string
  /** Whose record the FHIR id is of; absent: the region's. Two records may have given one id to two people. */
  readonly tenant?: string
}

/** What entries say of a patient who was found: no more of them than this. */
export function patientNamed<P extends Found>({ fhirId, nhsNumber, tenant }: P) {
  // One after the other, not by spreading: each judged call makes one.
  const named: { fhirId?: string; nhsNumber?: string; tenant?: string } = {}
  if (fhirId !== undefined) named.fhirId = fhirId
  if (nhsNumber !== undefined) named.nhsNumber = nhsNumber
  if (tenant !== undefined) named.tenant = tenant
  return named as Named<P>
}
type Found = { readonly [name in keyof PatientNamed]?: PatientNamed[name] | undefined }
type Named<P extends Found> = PatientNamed & {
  readonly [name in keyof PatientNamed & keyof P]: NonNullable<P[name]>
}

/** A FHIR id by a name that no patient of another record has: `north/p1`, and `p1` in the region's. */
export const nameInRecord = ({ fhirId, tenant }: PatientNamed): string | undefined =>
  fhirId === undefined || tenant === undefined ? fhirId : `${tenant}/${fhirId}`

/** What a caller says of an event. Unknown facts are left out, never guessed. */
export interface Happening {
  readonly what: EventName
  readonly outcome: 'success' | 'refused' | 'failure'
  readonly launch?: LaunchId
  readonly signOn?: SignOnId
  readonly grant?: GrantId
  readonly token?: TokenId
  /** What a refusal page showed, so that support can find this entry. */
  readonly reference?: Reference
  readonly user?: {
    readonly id: string
    readonly name?: string
    readonly roles?: readonly string[]
    readonly roleProfile?: string
    readonly organization?: string
  }
  readonly patient?: PatientNamed
  readonly system?: string
  readonly app?: string
  readonly purpose?: string
  /** Refusal code, from the table of refusals. */
  readonly refusal?: string
  readonly policy?: {
    readonly version: number
    readonly effect?: 'allow' | 'deny'
    readonly policies?: readonly string[]
    readonly errors?: readonly string[]
  }
  /** Further facts of this kind of event: small, flat, no secrets, no clinical content. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>
}

/** A happening as the trail holds it. `hash` covers every other member, `prev` the entry before it. */
export interface TrailEntry extends Happening {
  readonly writer: string
  /** 1, 2, 3 … without a gap within one writer. */
  readonly seq: number
  readonly at: EpochMs
  readonly prev: string
  readonly hash: string
}
