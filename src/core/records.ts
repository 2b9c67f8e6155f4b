/**
 * Every kind of record that the gateway keeps, how long, and in whose company. A kind that is not a
 * row here cannot be stored.
 */
import type { AppAsk } from './authorization-request.js'
import type { ServiceGrant } from './backend-service.js'
import type { ConsoleJourney, ConsoleSession } from './console.js'
import type { CommandAccess, DeviceRequest } from './console-command.js'
import type { Chart } from './context-id.js'
import type { Emergency, EmergencyAlert } from './emergency.js'
import type { Grant } from './grant.js'
import { hashOf, type LaunchId, type SignOnId } from './ids.js'
import type { Json } from './json.js'
import type { SealedRing } from './key-ring.js'
import type { IdentifiedLaunch, LaunchSession } from './launch.js'
import type { Notice } from './notice.js'
import type { Outcome } from './outcome.js'
import type { PolicyRecords } from './policy-records.js'
import type { PendingLaunch, PendingSignOn, RecentPatient, SignOn } from './session.js'
import type { ShownForm } from './shown-form.js'
import type { KeptUnsaved, UnsavedList } from './unsaved.js'
import type { EpochMs } from './values.js'

export interface Records extends PolicyRecords {
  /**
   * A pushed launch whose link was not opened yet. By launch id. It opens until `openUntil`; it is kept for longer, so
   * that whoever comes late is told so inside the chart.
   */
  link: IdentifiedLaunch & { readonly secret: string; readonly openUntil: EpochMs }
  /** A launch that waits for its user. By launch id. */
  pending: PendingLaunch
  /** What an OpenID provider sends back to, by hash of `state`. */
  state: PendingSignOn
  /** An inbound SMART launch that has gone to its issuer, by hash of `state`. */
  relay: {
    readonly system: string
    readonly nonce: string
    readonly verifier: string
    /** Hash of the cookie of the browser that began. */
    readonly browser: string
    /** SHA-256 of the handle that the system gave. */
    readonly handle: string
  }
  /** An open launch, by launch id. */
  session: LaunchSession
  /** An authorize request that waits for its user: its parameters, proven once. By launch id. */
  request: {
    readonly client: string
    readonly parameters: Readonly<Record<string, string>>
    readonly ask: AppAsk
    /** The pushed request that it came by, which is spent once it is answered. */
    readonly pushed?: string
    /** Hash of the cookie of the browser that asked. */
    readonly browser: string
  }
  /** Whom a person chose lately in standalone launches, the last first. By hash of the person. */
  recent: { readonly patients: readonly RecentPatient[] }
  /** A pushed authorization request, by hash of its `request_uri`. @see RFC 9126 */
  pushed: { readonly client: string; readonly parameters: Readonly<Record<string, string>> }
  /** Where a launch system's chart stands in the browser of a sign-on. By `chartOf(…)`. */
  chart: Chart
  /** A sign-on, by its id. */
  signOn: SignOn
  /** Which sign-on a browser has, by hash of its cookie; and the hashes of those that it had until then. */
  browser: { readonly signOn: SignOnId; readonly was: readonly string[] }
  /** What an app was granted, with the code's and refresh token's hashes. By launch id: one launch, one grant. */
  grant: Grant
  /** What a service was given for itself, by the launch id that it goes by. */
  service: ServiceGrant
  /** The provider's user that a launch system's local user confirmed to be. By system and local user. */
  person: { readonly uid: string; readonly since: EpochMs }
  /**
   * Everything of this launch, token, sign-on, user, provider session, app, system or policy version that began before `at` is over.
   * A marker of its own, so that ending never races with a rewrite of what is ended. By `endOf(…)`.
   */
  ended: { readonly at: EpochMs }
  /** Apps and launch systems that were added by command, beside the configuration's own rows. */
  app: Readonly<Record<string, unknown>>
  /** How an app registered itself, beside its `app`. By its id. @see RFC 7591, RFC 7592 */
  registration: {
    /** Hash of the registration access token. */
    readonly token: string
    /** Rises with each change, so that two at once cannot both be the last. */
    readonly generation: number
    readonly since: EpochMs
    /** Whose leave it had: an initial token by the first letters of its hash, or a statement's issuer. */
    readonly by: string
    /** As registered, in the words of RFC 7591. */
    readonly metadata: Json
  }
  /** An initial access token, by its hash: how many apps it may register, of which this many are known to have, and until when. */
  initial: { readonly uses: number; readonly used: number; readonly until: EpochMs }
  system: Readonly<Record<string, unknown>>
  /**
   * What all nodes must know alike and nobody else may: `dpop-nonce`, by which nonces are made, `asked`, by which users
   * are given pseudonyms. By its name.
   */
  secret: { readonly value: string }
  /** Our own keys, under the one id `current`. Without a seal: as an older version left them, in clear. */
  keys: SealedRing | { readonly keys: readonly Readonly<Record<string, unknown>>[] }
  /** The demonstration has run on this store: what it made here must never meet a patient. Under the one id `current`. */
  demonstration: { readonly since: EpochMs }
  /** Whose session at the provider it is, so that a logout that names only the session finds its sign-ons. By hash of issuer and sid. */
  providerSession: { readonly person: string }
  /** A sign-on of a person, in one of a fixed number of places. By hash of the person and the place's number. */
  roll: { readonly signOn: SignOnId }
  /** That an app was opened under a sign-on, and whom it knows there. By `openedBy(…)`. */
  opened: { readonly subject: string; readonly at: EpochMs }
  /** That an app may act for a person who is not there, since the last time that it was let. By `awayOf(…)`. */
  away: { readonly since: EpochMs }
  /** A sign-on that ended, until its apps have been told. By an id of its own. */
  notice: Notice
  /** Who of the security team is signed in, by hash of the console's cookie. */
  consoleSession: ConsoleSession
  /** A journey of theirs to the OpenID provider, by hash of `state`. */
  consoleJourney: ConsoleJourney
  /** A command that waits to be signed in, by hash of its device code. @see RFC 8628 */
  device: DeviceRequest
  /** Which one it is, by hash of the code that its member types. */
  userCode: { readonly device: string }
  /** A command that is signed in, by hash of its bearer. */
  command: CommandAccess
  /** One use of emergency access. By its id. */
  emergency: Emergency
  /** That one is still to be reviewed: whose privacy officer is to do it. By the emergency's id. */
  unreviewed: { readonly organization: string; readonly at: EpochMs }
  /** That one is to be told of, until it was. By the emergency's id. */
  alert: EmergencyAlert
  /** What a launch brought of its system's own record, sealed. By launch id. */
  handover: { readonly sealed: string }
  /** Whose launch it was: who may fetch what was written in it, and until when. By launch id. */
  outcome: Outcome
  /** One write in a launch, sealed; or that there were more than are kept. By `changeIn(…)`. */
  change: { readonly sealed: string }
  /** That an outcome has left, and for which request it leaves again. By launch id. */
  released: { readonly at: EpochMs; readonly key?: string }
  /** Which launch a system's launch token or handle led to. By hash of the system and of what tells that one from others. */
  launched: { readonly launch: LaunchId }
  /** What somebody typed and did not save, sealed. By `unsavedOf(…)`. */
  unsaved: KeptUnsaved
  /** Which of these a person has. By a hash of the person. */
  unsavedList: UnsavedList
  /** A form that was shown, for the one answer to it. By hash of its secret. */
  form: ShownForm
}
export type Kind = keyof Records

/** `tag`: by whom the records that are judged in one atomic step are kept together on a Redis Cluster. */
// biome-ignore format: a table
export const KINDS = {
  link:            { tag: 'launch' },
  pending:         { tag: 'launch' },
  session:         { tag: 'launch' },
  grant:           { tag: 'launch' },
  service:         { tag: 'launch' },
  request:         { tag: 'launch' },
  handover:        { tag: 'launch' },
  outcome:         { tag: 'launch' },
  released:        { tag: 'launch' },
  pushed:          { tag: 'own' },
  recent:          { tag: 'own' },
  state:           { tag: 'own' },
  relay:           { tag: 'own' },
  chart:           { tag: 'own' },
  signOn:          { tag: 'own' },
  browser:         { tag: 'own' },
  person:          { tag: 'own' },
  ended:           { tag: 'own' },
  policy:          { tag: 'own' },
  draft:           { tag: 'own' },
  draftFiles:      { tag: 'own' },
  sound:           { tag: 'own' },
  node:            { tag: 'own' },
  asked:           { tag: 'own' },
  shadow:          { tag: 'own' },
  app:             { tag: 'own' },
  registration:    { tag: 'own' },
  initial:         { tag: 'own' },
  system:          { tag: 'own' },
  keys:            { tag: 'own' },
  secret:          { tag: 'own' },
  demonstration:   { tag: 'own' },
  providerSession: { tag: 'own' },
  roll:            { tag: 'own' },
  opened:          { tag: 'own' },
  away:            { tag: 'own' },
  notice:          { tag: 'own' },
  consoleSession:  { tag: 'own' },
  consoleJourney:  { tag: 'own' },
  device:          { tag: 'own' },
  userCode:        { tag: 'own' },
  command:         { tag: 'own' },
  emergency:       { tag: 'own' },
  unreviewed:      { tag: 'own' },
  alert:           { tag: 'own' },
  unsaved:         { tag: 'own' },
  unsavedList:     { tag: 'own' },
  form:            { tag: 'own' },
  change:          { tag: 'own' },
  launched:        { tag: 'own' },
} as const satisfies Record<Kind, { tag: 'launch' | 'own' }>

/**
 * The id of an `ended` marker. `person` is of our own clock, `user` and `unnamed` (those without a session) of the
 * provider's; `launched`: whom a launch system signed on, by its own name for them; `writing`: what is written in a launch
 * whose outcome has been asked for.
 */
export const endOf = (
  what:
    | 'launch'
    | 'writing'
    | 'token'
    | 'signOn'
    | 'person'
    | 'user'
    | 'unnamed'
    | 'launched'
    | 'providerSession'
    | 'app'
    | 'system'
    | 'policy',
  id: string,
) => `${what}/${id}`

/**
 * The id of an `opened` record: one for each app of a sign-on, so that two launches at once cannot lose each
 * other. Which there are is asked for each registered app, of which there are few.
 */
export const openedBy = (signOn: SignOnId, app: string) => `${signOn}/${app}`

/** The id of a `change` record: which write of its launch it is, `more` for all that have no place of their own. */
export const changeIn = (launch: LaunchId, place: number | 'more') => `${launch}/${place}`

/** The id of a `launched` record. */
export const launchedBy = (system: string, jti: string) => hashOf(JSON.stringify([system, jti]))

/** The id of a `chart` record: a sign-on is of one browser, and one system's launches say nothing of another's chart. */
export const chartOf = (signOn: SignOnId, system: string) => `${signOn}/${system}`

/** The id of an `away` record: one for each app of a person, named by a hash. */
export const awayOf = (person: string, app: string) => `${hashOf(person)}/${app}`
