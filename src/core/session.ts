/** Sign-on sessions: who is signed on in a browser, by what proof, until when. */

import type { AppAsk, Demand } from './authorization-request.js'
import type {
  Authentication,
  BirthDate,
  KnownPatient,
  KnownUser,
  NamedUser,
  NhsNumber,
} from './context.js'
import type { EmergencyOffer } from './emergency.js'
import { type LaunchId, type SignOnId, sha256 } from './ids.js'
import type { SystemLaunch, VerifiedLaunch } from './launch.js'
import type { Assurance } from './roles.js'
import type { EpochMs, EpochSeconds } from './values.js'

export interface SignOn {
  readonly id: SignOnId
  readonly user: KnownUser
  /** `launch`: the launch itself signed the user on; `provider`: an OpenID provider did. */
  readonly by: 'launch' | 'provider'
  /** The launch system, or the provider's issuer, that vouches for the user. */
  readonly issuer: string
  /** The provider's `sid`, when it gave one. */
  readonly providerSession?: string
  readonly authentication: Authentication
  /** Hash of the cookie of the browser that it belongs to. */
  readonly browser: string
  readonly since: EpochMs
  /** Never past this, however busy the user is. */
  readonly until: EpochMs
  /** Moves on with use; past it the session is over. */
  readonly idleUntil: EpochMs
}

/** What a launch waits for before it can go on; each is a page of launch/identify.ts. */
export type Waiting =
  /** With an offer to who cannot sign on more strongly now and must see the plan. */
  | { readonly for: 'sign-on'; readonly assurance: Assurance; readonly emergency?: EmergencyOffer }
  | { readonly for: 'emergency'; readonly emergency: EmergencyOffer }
  | { readonly for: 'birth-date'; readonly attempts: number }
  | { readonly for: 'patient'; readonly attempts: number }
  | { readonly for: 'person' }

/** A patient whom a user opened lately: what it takes to open them again. */
export interface RecentPatient {
  readonly nhsNumber: NhsNumber
  readonly birthDate: BirthDate
}

export interface PendingLaunch {
  readonly launch: VerifiedLaunch
  /** Absent while the birth date has not been typed (rung `sealed`). */
  readonly patient?: KnownPatient
  readonly waiting: Waiting
  /** Set when an app asked for it at the authorize endpoint: there the launch goes on. */
  readonly ask?: AppAsk
  /** Hash of the `pnd_` secret in the page's forms: their CSRF token. */
  readonly secret: string
  /** Hash of the cookie of the browser that owns the launch. */
  readonly browser: string
  /** In whose name it waits, once somebody has signed on in the launch's own browser. */
  readonly signOn?: SignOnId
  /**
   * Who came back from the provider, in whichever window. Nobody acts in this name before the launch's
   * browser has shown the proof: somebody else's browser could have been sent on the journey.
   */
  readonly returned?: {
    readonly signOn: SignOnId
    /** Hash of what the sign-in window hands to the frame that opened it. */
    readonly proof: string
  }
}

/** One journey to the OpenID provider. @see OIDC Core §3.1.2.1, RFC 7636, RFC 9207 */
export interface PendingSignOn {
  /** Absent where nobody launches: somebody signs on to see what is open in their name. */
  readonly launch?: LaunchId
  readonly nonce: string
  readonly verifier: string
  /** Hash of the cookie of the browser, in the window that went to the provider. */
  readonly browser: string
  readonly assurance: Assurance
  readonly framed: boolean
  /** When the journey began: an older sign-in at the provider does not count. */
  readonly since: EpochSeconds
}

/** The person, as far as one system can tell people apart: nationally if known, else by its own name. */
export const personOf = (user: NamedUser, issuer: string): string =>
  user.sdsUserId ?? `${issuer}/${user.localId}`

/** `sub` of our tokens: at most 255 characters of ASCII, whatever a system calls its users. @see OIDC Core §2 */
export function subjectOf(user: NamedUser, issuer: string): string {
  const person = personOf(user, issuer)
  return /^[\x21-\x7e]{1,255}$/.test(person) ? person : `${issuer}/${sha256(user.localId)}`
}

/**
 * Whether a launch was made by the person who is signed on. `unknown`: the system gives no national
 * identity and nobody has confirmed the link yet.
 *
 * @param linked the provider's uid that the launch system's local user confirmed to be
 */
export function samePerson(
  launch: SystemLaunch,
  signOn: SignOn,
  linked: string | undefined,
): 'same' | 'other' | 'unknown' {
  const named = launch.user.sdsUserId ?? linked
  const person = personOf(signOn.user, signOn.issuer)
  if (named !== undefined) return named === person ? 'same' : 'other'
  if (signOn.by === 'launch') {
    return person === personOf(launch.user, launch.system) ? 'same' : 'other'
  }
  return 'unknown'
}

/** Whether a sign-on is what an app asked for. A launch's own word has no time that `max_age` could count from. */
export function meetsDemand({ authentication, user }: SignOn, demand: Demand): boolean {
  const { since, assurance = 1 } = demand
  const fresh = since === undefined || (authentication.time ?? 0) >= since
  return fresh && user.assurance >= assurance
}

/** Whether a sign-on still stands, by its own times; end markers are asked separately. */
export const isLive = (signOn: SignOn, now: EpochMs): boolean =>
  now < signOn.until && now < signOn.idleUntil
