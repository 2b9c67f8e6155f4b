/** The console's parts, and the question that is asked before any of them is shown or used. */

import { localTime } from './circumstances.js'
import type { Question, Resource } from './decision.js'
import type { Assurance, Duty } from './roles.js'
import type { EpochMs } from './values.js'

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
