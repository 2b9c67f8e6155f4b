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
  SystemRung,
} from './context.js'
import type { OwnContext } from './context-kinds.js'
import type { BrokenGlass } from './emergency.js'
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
  /** An openEHR episode. @see SMART on openEHR, "Launch context" (experimental) */
  readonly episode?: string
  /** Of kinds that its app registered for itself (context-kinds.ts). */
  readonly own?: OwnContext
  readonly device?: string
  /** Unique per launch within the system; absent on the `sealed` rung. */
  readonly jti?: string
}

interface LaunchIdentity {
  readonly id: LaunchId
  /** Past this the launch is dead, skew included. */
  readonly until: EpochMs
}

/** A launch that its system really made, for an app and organisation that it may speak for, in time. */
export type SystemLaunch = Branded<
  LaunchRequest & LaunchIdentity & { readonly rung: SystemRung },
  'SystemLaunch'
>

/** What stands in the place of a launch system where there is none. */
export const STANDALONE = 'standalone'

/** A launch that an app began itself. Who acts is whoever signs on, whose plan the patient whom they choose. */
export type StandaloneLaunch = Branded<
  LaunchIdentity & {
    readonly rung: 'standalone'
    readonly system: typeof STANDALONE
    readonly app: string
    readonly purpose: Purpose
    readonly fhirContext?: never
    readonly encounter?: never
    readonly intent?: never
    readonly episode?: never
    readonly own?: never
  },
  'StandaloneLaunch'
>

/** A launch that may be acted on. Only the readers of launches (launch-claims.ts) and {@link standalone} make one. */
export type VerifiedLaunch = SystemLaunch | StandaloneLaunch

export const isStandalone = (launch: VerifiedLaunch): launch is StandaloneLaunch =>
  launch.rung === 'standalone'

/**
 * A launch for an app whose authorize request has been proven: its client, its redirect and its scopes.
 * @see SMART App Launch 2.2, "Launch App: Standalone Launch"
 */
export const standalone = (id: LaunchId, app: string, until: EpochMs): StandaloneLaunch =>
  ({
    ...{ id, until, app, rung: 'standalone', system: STANDALONE, purpose: 'direct-care' },
  }) as StandaloneLaunch

/** A verified launch whose patient was found in the record, number and birth date agreeing. */
export interface IdentifiedLaunch {
  readonly launch: SystemLaunch
  readonly patient: KnownPatient
}

/** An open launch: what the app's handle stands for. */
export interface LaunchSession {
  readonly launch: VerifiedLaunch
  /** Absent only where an app signs its user on and asks for no patient. */
  readonly patient?: KnownPatient
  readonly user: KnownUser
  readonly signOn: SignOnId
  /** Hash of the browser's cookie: the handle works in no other browser. */
  readonly browser: string
  /** Hash of the handle; good until {@link handleUntil}, once. */
  readonly handle: string
  readonly handleUntil: EpochMs
  readonly obligations: readonly string[]
  /** Set when an authorize request led to it, which alone it answers: hash of the request's secret. */
  readonly request?: string
  /** Set when the glass was broken for it: it is read-only and short. */
  readonly emergency?: BrokenGlass
}

/**
 * Opens a launch for an app: everything that the handle will stand for.
 *
 * Pure: the caller has found the sign-on alive and the same person's, and the policies have allowed it.
 * @see SMART App Launch 2.2, "Launch App: EHR Launch"
 */
export function openSession(
  { launch, patient }: { readonly launch: VerifiedLaunch; readonly patient?: KnownPatient },
  by: { readonly user: KnownUser; readonly signOn: SignOnId; readonly browser: string },
  handle: { readonly hash: string; readonly until: EpochMs },
  obligations: readonly string[],
  more: Pick<LaunchSession, 'request' | 'emergency'> = {},
): LaunchSession {
  const whose = patient === undefined ? {} : { patient }
  return {
    ...{ launch, ...whose, ...by, handle: handle.hash, handleUntil: handle.until, obligations },
    ...more,
  }
}

/** Where the app is started. @see SMART App Launch 2.2, "Launch App: EHR Launch" (iss, launch) */
export function launchAddress(launchUrl: string, iss: string, handle: string): string {
  const url = new URL(launchUrl)
  url.searchParams.set('iss', iss)
  url.searchParams.set('launch', handle)
  return url.href
}
