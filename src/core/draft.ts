/**
 * A change of the policies on its way to being in force, as a value that each step replaces: opened, edited, proposed,
 * approved, published; or abandoned. The files are kept beside it and stand here by their hash, to which every step is
 * bound. Four eyes are those of two persons, told apart by the provider's uid, never by a login or a name.
 */
import type { Layer } from './console.js'
import { Refusal } from './refusal.js'
import { plainText } from './text.js'
import { after, type EpochMs, type Seconds } from './values.js'

export type DraftId = `dft_${string}`

/** Who acts. `uid`: the provider's, empty where it gave none. */
export interface Person {
  readonly uid: string
  readonly name: string
}

/** An act, by whom, when and why. */
export interface Act {
  readonly by: Person
  readonly at: EpochMs
  readonly reason: string
}
export interface Proposal extends Act {
  readonly ticket: string
  readonly hash: string
}
export interface Approval extends Omit<Act, 'reason'> {
  /** Of the files that were approved: it says nothing of any others. */
  readonly hash: string
  readonly until: EpochMs
}
export interface Publication extends Act {
  readonly version: number
  readonly hash: string
  readonly emergency: boolean
  /** After an emergency: what another person says of it afterwards, `open` until then. */
  readonly review?: 'open' | Act
}

/** What a draft is at every stage. */
export interface Work {
  readonly id: DraftId
  /** Rises with each step, so that of two at once only one is the next. */
  readonly generation: number
  readonly layer: Layer
  readonly title: string
  readonly ticket: string
  /** The version in force on which it is built. */
  readonly base: { readonly version: number; readonly hash: string }
  /** Of all files, as they would be published. */
  readonly hash: string
  /** Everybody who opened, edited or proposed it, the first first. Nobody is ever taken out. */
  readonly authors: readonly Person[]
  readonly since: EpochMs
  readonly changedAt: EpochMs
  /** Nodes judge it beside the version in force, and only count. */
  readonly shadow?: boolean
  /** What somebody who declined it said. Until the next edit. */
  readonly declined?: Act
}
export type OpenDraft = Work & { readonly stage: 'open' }
export type ProposedDraft = Work & { readonly stage: 'proposed'; readonly proposal: Proposal }
export type ApprovedDraft = Work & {
  readonly stage: 'approved'
  readonly proposal: Proposal
  readonly approval: Approval
}
export type PublishedDraft = Work & {
  readonly stage: 'published'
  readonly publication: Publication
  /** Absent after an emergency that nobody had approved. */
  readonly approval?: Approval
}
export type AbandonedDraft = Work & { readonly stage: 'abandoned'; readonly abandoned: Act }
/** One that can still become a version. */
export type LiveDraft = OpenDraft | ProposedDraft | ApprovedDraft
export type Draft = LiveDraft | PublishedDraft | AbandonedDraft
export type Stage = Draft['stage']

// biome-ignore format: a table
export const LONGEST = { title: 200, ticket: 100, reason: 2000, name: 200 } as const
/** How long a draft is kept after its last change. */
export const DRAFT_FOR: Seconds = 90 * 86_400
const FOR_GOOD: EpochMs = Date.UTC(9999, 0)

/** A text that must say something. @throws Refusal `draft_invalid` where it is empty or too long */
export function saying(what: keyof typeof LONGEST, text: string): string {
  const plain = plainText(text, LONGEST[what] + 1)
  if (plain === '' || plain.length > LONGEST[what])
    throw new Refusal('draft_invalid', what, {
      told: `${what}: 1 to ${LONGEST[what]} characters`,
    })
  return plain
}

/** The same, which may be empty. */
export const sayingMaybe = (what: keyof typeof LONGEST, text: string): string =>
  plainText(text, 1) === '' ? '' : saying(what, text)

/** One text for one person. Two uids that differ in case only are taken for one: it refuses more, never less. */
const identity = (uid: string): string => uid.toLowerCase()
export const isAmong = (people: readonly Person[], { uid }: Person): boolean =>
  people.some((person) => identity(person.uid) === identity(uid))

/**
 * A person of whom it is known which one they are. Whoever changes a draft must be, not only who approves it: an author
 * without a uid could be the approver.
 *
 * @throws Refusal `person_unproven`
 */
export function proven({ uid, name }: Person): Person {
  if (!/^[\x21-\x7e]{1,255}$/.test(uid)) throw new Refusal('person_unproven', 'no uid')
  return { uid, name: plainText(name, LONGEST.name) }
}

/** How a version came into force, and by whom. A seed's is its configuration's word: it has no person. */
export interface VersionOrigin {
  /** Absent of a version that was published before origins were kept: it was a seed. */
  readonly origin?: 'seed' | 'console' | 'rollback' | 'emergency'
  readonly by?: Person
  readonly reason?: string
  readonly ticket?: string
  readonly draft?: DraftId
  /** Whose policies were changed, where it was one local layer's. */
  readonly layer?: Layer
  readonly approver?: Person
  /** The version whose files came back, of a rollback. */
  readonly of?: number
}

/** Until when the store keeps a draft: an emergency that nobody has reviewed is not forgotten. */
export const keptUntil = (draft: Draft): EpochMs =>
  draft.stage === 'published' && draft.publication.review === 'open'
    ? FOR_GOOD
    : after(draft.changedAt, DRAFT_FOR)

/**
 * A draft whose version is in force although its own record was not written any more: the store was cut off in
 * between. What is in force is the truth; the record is read as it would have been written.
 *
 * @param about the version after the one that the draft is built on, which has come into force
 */
export function asInForce(
  draft: Draft,
  about: VersionOrigin & { readonly version: number; readonly hash: string; readonly at: EpochMs },
): Draft {
  const { version, hash, at, by, reason = '', origin } = about
  if (draft.stage === 'published' || about.draft !== draft.id || !by) return draft
  const emergency = origin === 'emergency'
  const publication = { version, hash, at, by, reason, emergency }
  return {
    ...draft,
    ...{ stage: 'published', generation: draft.generation + 1, changedAt: at },
    publication: emergency ? { ...publication, review: 'open' } : publication,
  }
}
