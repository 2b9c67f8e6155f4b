/** What the launch slice is built from, and the small records that its steps hand on. */
import type { Request, Response } from 'express'
import type { FindPatient } from '../access/rates.js'
import type { Registry } from '../access/registry.js'
import type { Trail } from '../audit/trail.js'
import { type Happening, patientNamed } from '../core/audit.js'
import type { AppAsk } from '../core/authorization-request.js'
import type { KnownPatient, KnowUser } from '../core/context.js'
import type { Policies } from '../core/decision.js'
import type { Emergency, EmergencyPlea } from '../core/emergency.js'
import type { LaunchId } from '../core/ids.js'
import { isStandalone, type SystemLaunch, type VerifiedLaunch } from '../core/launch.js'
import type { Records } from '../core/records.js'
import { personOf, type SignOn } from '../core/session.js'
import type { Clock, Random, Seconds } from '../core/values.js'
import type { Pages } from '../http/pages.js'
import type { ClinicianProvider } from '../identity/clinician.js'
import type { Keys } from '../keys/signing.js'
import type { TrustedKeys } from '../keys/trusted.js'
import type { Handovers } from '../session/handovers.js'
import type { Outcomes } from '../session/outcomes.js'
import type { Sessions } from '../session/sessions.js'
import type { Claim, Put, Store } from '../store/store.js'

export interface LaunchParts {
  readonly issuer: string
  readonly fhirBase: string
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  readonly keys: Keys
  /** Launch systems' signatures. */
  readonly trusted: TrustedKeys
  readonly registry: Registry
  readonly sessions: Sessions
  readonly policies: Policies
  readonly pages: Pages
  readonly provider: ClinicianProvider
  readonly knowUser: KnowUser
  /** Finds the patient behind number and birth date (record/), as often as may be tried. */
  readonly findPatient: FindPatient
  readonly seals: Readonly<Record<string, string>>
  readonly emergencies: {
    /** Counts a broken glass on its user, by their national identity. @throws Refusal rate_limited */
    admit(uid: string): Promise<void>
    /** What stores one, for the commit that opens its session. */
    puts(emergency: Emergency): readonly Put[]
    /** Told of each once it is durable. */
    broken(emergency: Emergency): void
  }
  readonly handovers: Pick<Handovers, 'seal'>
  readonly outcomes: Pick<Outcomes, 'find' | 'release'>
  readonly skew: Seconds
  readonly lifetimes: {
    readonly link: Seconds
    readonly handle: Seconds
    readonly pending: Seconds
    readonly emergency: Seconds
    readonly offline: Seconds
    readonly outcome: Seconds
  }
}

/** One request and its answer. */
export interface Exchange {
  readonly req: Request
  readonly res: Response
}

/** A launch that has arrived in a browser, and what must be written with whatever comes of it. */
export interface Arrival {
  readonly launch: VerifiedLaunch
  /** Absent while the user has yet to type the birth date, or to choose whom the plan is of. */
  readonly patient?: KnownPatient
  /** What an app asked at the authorize endpoint: there the launch goes on when this is met. */
  readonly ask?: AppAsk
  readonly claims: readonly Claim[]
  readonly record: readonly Happening[]
  /** Whose session ends by this launch: another user's in the same browser. */
  readonly puts?: readonly Put[]
  /** The sign-on that was made for this very launch at the provider. */
  readonly signOn?: SignOn
  /** Why the user would open it as an emergency, and to whom that was offered. */
  readonly emergency?: { readonly person: string; readonly plea: EmergencyPlea }
  /** What it brought, when it has only just arrived. */
  readonly handover?: Records['handover']
  /** Set when the launch waited: its record goes when the launch goes on. */
  readonly waited?: LaunchId
}

/** The facts of a launch that every entry about it carries. */
export const factsOf = ({ launch, patient }: Pick<Arrival, 'launch' | 'patient'>) => ({
  launch: launch.id,
  system: launch.system,
  app: launch.app,
  purpose: launch.purpose,
  ...(isStandalone(launch) ? {} : { user: namedBy(launch) }),
  ...patientIn(launch, patient),
})

/** The user as the launch system named them. */
const namedBy = ({ system, user, organization }: SystemLaunch) => ({
  id: personOf(user, system),
  ...(user.name === undefined ? {} : { name: user.name }),
  ...(user.sdsRoleProfileId === undefined ? {} : { roleProfile: user.sdsRoleProfileId }),
  organization,
})

function patientIn(launch: VerifiedLaunch, patient: KnownPatient | undefined) {
  if (patient) return { patient: patientNamed(patient) }
  return isStandalone(launch) ? {} : { patient: { nhsNumber: launch.patient.nhsNumber } }
}

/** The entry that says how a launch was proven. */
export const launchVerified = (
  launch: SystemLaunch,
  patient: KnownPatient | undefined,
  proof: Readonly<Record<string, string | number>>,
): Happening => ({
  what: 'launch_verified',
  outcome: 'success',
  ...factsOf(patient ? { launch, patient } : { launch }),
  detail: {
    rung: launch.rung,
    ...proof,
    ...(patient?.supersededNumber === undefined ? {} : { superseded: true }),
  },
})
