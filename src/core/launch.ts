/** A launch's stages: each a type that only the step before it can make (docs/architecture.md). */
import type {
  Authentication,
  FhirContextItem,
  KnownPatient,
  KnownUser,
  NamedPatient,
  NamedUser,
  OdsCode,
  Purpose,
  Rung,
} from './context.js'
import type { LaunchId, SignOnId } from './ids.js'
import type { Branded, EpochMs } from './values.js'

/** What every launch names, whatever its shape on the wire. Signed or not, nothing in it is true yet. */
export interface LaunchRequest {
  readonly system: string
  readonly app: string
  readonly user: NamedUser
  readonly patient: NamedPatient
  readonly organization: OdsCode
  readonly purpose: Purpose
  readonly authentication: Authentication
  readonly encounter?: string
  readonly intent?: string
  readonly fhirContext?: readonly FhirContextItem[]
  readonly device?: string
  /** Unique per launch within the system; absent on the `sealed` rung. */
  readonly jti?: string
}

/** A launch that its system really made, for an app and organisation that it may speak for, in time. */
export type VerifiedLaunch = Branded<
  LaunchRequest & {
    readonly id: LaunchId
    readonly rung: Rung
    /** Past this the launch is dead, skew included. */
    readonly until: EpochMs
  },
  'VerifiedLaunch'
>

/** A verified launch whose patient was found in the record, number and birth date agreeing. */
export interface IdentifiedLaunch {
  readonly launch: VerifiedLaunch
  readonly patient: KnownPatient
}

/** An open launch: what the app's handle stands for. */
export interface LaunchSession {
  readonly launch: VerifiedLaunch
  readonly patient: KnownPatient
  readonly user: KnownUser
  readonly signOn: SignOnId
  /** Hash of the browser's cookie: the handle works in no other browser. */
  readonly browser: string
  /** Hash of the handle; good until {@link handleUntil}, once. */
  readonly handle: string
  readonly handleUntil: EpochMs
  readonly obligations: readonly string[]
}

/**
 * Opens a launch for an app: everything that the handle will stand for.
 *
 * Pure: the caller has found the sign-on alive and the same person's, and the policies have allowed it.
 * @see SMART App Launch 2.2, "Launch App: EHR Launch"
 */
export function openSession(
  identified: IdentifiedLaunch,
  by: { readonly user: KnownUser; readonly signOn: SignOnId; readonly browser: string },
  handle: { readonly hash: string; readonly until: EpochMs },
  obligations: readonly string[],
): LaunchSession {
  const { launch, patient } = identified
  return { launch, patient, ...by, handle: handle.hash, handleUntil: handle.until, obligations }
}

/** Where the app is started. @see SMART App Launch 2.2, "Launch App: EHR Launch" (iss, launch) */
export function launchAddress(launchUrl: string, iss: string, handle: string): string {
  const url = new URL(launchUrl)
  url.searchParams.set('iss', iss)
  url.searchParams.set('launch', handle)
  return url.href
}
