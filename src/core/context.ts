/**
 * Who, which patient, from where, for what: the facts that a launch carries, in the terms of
 * `docs/architecture.md`. Each type is named for what has been proven about it.
 */
import type { Assurance, Role } from './roles.js'
import type { Branded, EpochSeconds } from './values.js'

/** Ten digits that pass the check digit; never a repdigit. @see nhs-number.ts */
export type NhsNumber = Branded<string, 'NhsNumber'>
/** `YYYY-MM-DD`, a day that exists. */
export type BirthDate = Branded<string, 'BirthDate'>
/** An Organisation Data Service code, upper case. */
export type OdsCode = Branded<string, 'OdsCode'>

/**
 * How a launch arrived decides how far it is believed (the trust ladder).
 * `redeemed` an inbound SMART handle that we redeemed at its issuer · `pushed` server to server ·
 * `signed` a signed token through the browser · `sealed` encrypted parameters: a hint only.
 */
export const SYSTEM_RUNGS = ['redeemed', 'pushed', 'signed', 'sealed'] as const
export type SystemRung = (typeof SYSTEM_RUNGS)[number]

/**
 * With `standalone`: nobody launched, the app asked for a patient itself and the user chose one. With `service`:
 * there is neither a user nor a patient, a back end asks for itself. With `console`: somebody works in the security
 * team's console, about no patient.
 */
export const RUNGS = [...SYSTEM_RUNGS, 'standalone', 'service', 'console'] as const
export type Rung = (typeof RUNGS)[number]

export const PURPOSES = ['direct-care', 'emergency-care', 'administration', 'safeguarding'] as const
export type Purpose = (typeof PURPOSES)[number]

/** The patient as the launch system named them. Nothing here is proven against the record. */
export interface NamedPatient {
  readonly nhsNumber: NhsNumber
  /** Absent only on the `sealed` rung, where the user types it. */
  readonly birthDate?: BirthDate
}

/** By which id a record knows a patient; the region's where no tenant is named. */
export interface RecordedAs {
  readonly fhirId: string
  readonly tenant?: string | undefined
}

/** The patient as our record knows them, after number and birth date matched. */
export interface KnownPatient {
  /** Logical id of the FHIR Patient: the `patient` launch context. */
  readonly fhirId: string
  /** openEHR EHR id: the `ehrId` launch context. Absent when the patient has no EHR yet. */
  readonly ehrId?: string
  /** The current number: a superseded one has been followed. */
  readonly nhsNumber: NhsNumber
  /** The number that the launch named, when it was superseded by {@link nhsNumber}. */
  readonly supersededNumber?: NhsNumber
  /** Whose record they were found in, where that is a tenant's own: ids above are of that record. */
  readonly tenant?: string
  /** The record of the organisation, which knows them and has no plan: the one that was found lies elsewhere. */
  readonly insteadOf?: string
  /** Other records in which a plan of theirs was seen. Absent: none was, which is not that none is. */
  readonly alsoIn?: readonly string[]
  /** Other records that were asked and know them. What any of them says of the next two holds. */
  readonly knownIn?: readonly RecordedAs[]
  readonly deceased: boolean
  /** Confidentiality R or V on the record (PDS `meta.security`), or what could be that: see patient-flags.ts. */
  readonly sensitive: boolean
}

/** The clinician as the launch system or the OpenID provider named them. */
export interface NamedUser {
  /** The user as the naming system knows them: `sub` of the launch or of the provider. */
  readonly localId: string
  readonly name?: string
  /** National identity (`https://fhir.nhs.uk/Id/sds-user-id`), 12 digits. */
  readonly sdsUserId?: string
  readonly sdsRoleProfileId?: string
  /** Job-role codes, triples `S8000:G8000:R8000` or a bare `R8000`. */
  readonly roleCodes: readonly string[]
  /** Activity codes (`B0360` …); `undefined` when the naming system gives none at all. */
  readonly activityCodes?: readonly string[]
}

/** A user whose role and organisation we have worked out from codes, by `config/roles.yaml`. */
export interface KnownUser extends NamedUser {
  readonly roles: readonly Role[]
  readonly activities: readonly string[]
  /** `baseline`: the codes were inferred from the job role, a weaker ground than the user's own list. */
  readonly activitySource: 'listed' | 'baseline'
  readonly organization: KnownOrganization
  readonly assurance: Assurance
}

/** Works out role and organisation from codes, by the role map of the policy version in force. */
export type KnowUser = (named: NamedUser, odsCode: string, assurance: Assurance) => KnownUser

export interface KnownOrganization {
  readonly odsCode: OdsCode
  readonly name?: string
  /** One of the organisation types of `config/roles.yaml`, or `unknown`. */
  readonly type: string
  readonly region: string
}

/** One entry of SMART's `fhirContext`. @see SMART App Launch 2.2, "fhirContext" */
export interface FhirContextItem {
  readonly reference?: string
  readonly canonical?: string
  readonly identifier?: Readonly<Record<string, unknown>>
  readonly type?: string
  readonly role?: string
}

/** When and how the naming system authenticated the user (OIDC Core §2). */
export interface Authentication {
  readonly time?: EpochSeconds
  readonly acr?: string
  readonly amr?: readonly string[]
}
