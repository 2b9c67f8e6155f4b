/** The console's parts, and the question that is asked before any of them is shown or used. */

import { localTime } from './circumstances.js'
import type { Question, Resource } from './decision.js'
import type { SignOnId } from './ids.js'
import type { Assurance, Duty } from './roles.js'
import type { EpochMs, EpochSeconds } from './values.js'

/** Each is a resource of the policies. */
export const CONSOLE_PARTS = [
  'policies',
  'decisions',
  'trail',
  'launches',
  'registrations',
  'keys',
  'fleet',
  'emergencies',
  'rights',
] as const
export type ConsolePart = (typeof CONSOLE_PARTS)[number]

export type ConsoleAct = Extract<Question['action'], `console-${string}`>

/** Whose policies a change is about: everybody's, or those of one organisation or region. */
export type Layer = 'central' | `local/${string}`

/** Somebody of the security team, as the OpenID provider knows them. */
export interface Member {
  /** The provider's own number for the person: two logins of one person have the same. */
  readonly uid: string
  readonly name: string
  readonly assurance: Assurance
}

/** What one person may do in one layer; central duties count everywhere. */
export interface Post {
  readonly uid: string
  readonly duties: readonly Duty[]
  readonly layer: Layer
}

/** Somebody of the team in one browser: never in a clinician's, whose cookie is another. */
export interface ConsoleSession {
  readonly id: SignOnId
  readonly member: Member
  /** The provider, and its own name for the session if it gave one. */
  readonly issuer: string
  readonly providerSession?: string
  /** When they signed in, by the provider's clock. */
  readonly authenticated: EpochSeconds
  readonly since: EpochMs
  /** Never past this; the end by disuse moves on with use. */
  readonly until: EpochMs
  readonly idleUntil: EpochMs
}

/** A journey to the OpenID provider that began in the console. @see OIDC Core §3.1.2.1, RFC 7636 */
export interface ConsoleJourney {
  readonly nonce: string
  readonly verifier: string
  /** Hash of the cookie of the browser that began. */
  readonly browser: string
  readonly assurance: Assurance
  readonly since: EpochSeconds
  /** Where in the console it goes on to. */
  readonly to: string
  /** The session that a stronger sign-in takes the place of. */
  readonly instead?: SignOnId
}

/** The duties of a person in a layer, by the posts of the version in force. */
export const dutiesOf = (posts: readonly Post[], uid: string, layer: Layer): readonly Duty[] => [
  ...new Set(
    posts
      .filter((post) => post.uid === uid && (post.layer === 'central' || post.layer === layer))
      .flatMap(({ duties }) => duties),
  ),
]

/** Where a person has any duty at all, `central` first. */
export const layersOf = (posts: readonly Post[], uid: string): readonly Layer[] => [
  ...new Set(posts.filter((post) => post.uid === uid).map(({ layer }) => layer)),
]

/** May this person do this here? There is no patient, no launch and no app in it. */
export function consoleQuestion(
  { uid, assurance }: Pick<Member, 'uid' | 'assurance'>,
  duties: readonly Duty[],
  act: ConsoleAct,
  part: ConsolePart,
  now: EpochMs,
): Question {
  const resource: Resource = { type: 'console', id: part }
  return {
    user: {
      id: uid,
      roles: duties,
      activities: [],
      activitySource: 'listed',
      assurance,
      organization: { odsCode: '', type: '', region: '' },
    },
    patient: { sensitive: false, deceased: false },
    launch: { rung: 'console', system: '', app: '' },
    purpose: 'administration',
    emergencyReason: '',
    ...localTime(now),
    action: act,
    resource,
  }
}
