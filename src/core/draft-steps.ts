/** The steps of a change of the policies: each takes a draft and gives the next, or refuses. */
import type { Layer } from './console.js'
import {
  type AbandonedDraft,
  type ApprovedDraft,
  type Draft,
  type DraftId,
  isAmong,
  type LiveDraft,
  type OpenDraft,
  type Person,
  type ProposedDraft,
  type PublishedDraft,
  proven,
  type Stage,
  saying,
  sayingMaybe,
  type Work,
} from './draft.js'
import { Refusal } from './refusal.js'
import { after, type EpochMs, type Seconds } from './values.js'

const MOST_AUTHORS = 50
/** How long an approval holds. */
export const APPROVAL_FOR: Seconds = 7 * 86_400

function withAuthor(authors: readonly Person[], person: Person): readonly Person[] {
  if (isAmong(authors, person)) return authors
  if (authors.length >= MOST_AUTHORS)
    throw new Refusal('draft_invalid', 'authors', { told: `at most ${MOST_AUTHORS} authors` })
  return [...authors, person]
}

/** @throws Refusal `draft_stage` unless the draft is at one of these stages */
function at<S extends Stage>(draft: Draft, ...stages: readonly S[]): Extract<Draft, { stage: S }> {
  const found: readonly string[] = stages
  if (!found.includes(draft.stage)) throw new Refusal('draft_stage', draft.stage)
  return draft as Extract<Draft, { stage: S }>
}
const live = (draft: Draft): LiveDraft => at(draft, 'open', 'proposed', 'approved')

/** What is common to every stage, moved on by one step. */
function workOf(draft: Draft, now: EpochMs): Work {
  const { id, generation, layer, title, ticket, base, hash, authors, since } = draft
  const { shadow, declined } = draft
  return {
    ...{ id, generation: generation + 1, layer, title, ticket, base, hash, authors, since },
    changedAt: now,
    ...(shadow ? { shadow } : {}),
    ...(declined ? { declined } : {}),
  }
}

/** The person names the hash of what they saw. @throws Refusal `draft_other_hash` */
function seen(draft: Draft, hash: string): void {
  if (hash !== draft.hash) throw new Refusal('draft_other_hash', 'another hash was named')
}

/** @throws Refusal `draft_outdated` where another version is in force than the draft is built on */
function upToDate({ base }: Draft, inForce: number): void {
  if (base.version !== inForce)
    throw new Refusal('draft_outdated', `built on ${base.version}, in force is ${inForce}`)
}

export interface Opening {
  readonly id: DraftId
  readonly by: Person
  readonly layer: Layer
  readonly title: string
  readonly ticket: string
  readonly base: Work['base']
}

/** A draft that changes nothing yet. @throws Refusal */
export function openDraft({ id, by, layer, title, ticket, base }: Opening, now: EpochMs): Draft {
  return {
    ...{ stage: 'open', id, generation: 1, layer, base, hash: base.hash },
    title: saying('title', title),
    ticket: sayingMaybe('ticket', ticket),
    authors: [proven(by)],
    since: now,
    changedAt: now,
  }
}

export interface Edit {
  readonly by: Person
  /** Of the files that take the place of the draft's. */
  readonly hash: string
  /** The generation on which the editor worked. */
  readonly generation: number
  /** The version in force, when the edit brings the draft up to it. */
  readonly base?: Work['base']
}

/** Puts other files in place. Whatever was proposed or approved is so no longer. @throws Refusal */
export function editDraft(given: Draft, edit: Edit, now: EpochMs): OpenDraft {
  const draft = live(given)
  if (edit.generation !== draft.generation)
    throw new Refusal('draft_changed', `at ${draft.generation}, edited from ${edit.generation}`)
  const { declined: _, ...work } = workOf(draft, now)
  const authors = withAuthor(draft.authors, proven(edit.by))
  return { ...work, stage: 'open', authors, hash: edit.hash, base: edit.base ?? draft.base }
}

/** @throws Refusal */
export function proposeDraft(
  given: Draft,
  say: { readonly by: Person; readonly reason: string; readonly ticket: string; hash: string },
  now: EpochMs,
): ProposedDraft {
  const draft = at(given, 'open')
  const by = proven(say.by)
  seen(draft, say.hash)
  if (draft.hash === draft.base.hash) throw new Refusal('draft_unchanged', 'the files of the base')
  const reason = saying('reason', say.reason)
  const ticket = saying('ticket', say.ticket || draft.ticket)
  return {
    ...workOf(draft, now),
    ...{ stage: 'proposed', ticket, authors: withAuthor(draft.authors, by) },
    proposal: { by, at: now, reason, ticket, hash: draft.hash },
  }
}

/** Approves exactly these files, by somebody who wrote none of them. @throws Refusal */
export function approveDraft(
  given: Draft,
  { by, hash }: { readonly by: Person; readonly hash: string },
  now: EpochMs,
): ApprovedDraft {
  const draft = at(given, 'proposed', 'approved')
  if (draft.stage === 'approved' && now < draft.approval.until)
    throw new Refusal('draft_stage', 'is approved')
  const person = proven(by)
  if (isAmong(draft.authors, person)) throw new Refusal('draft_own', 'an author')
  seen(draft, hash)
  const { proposal } = draft
  const approval = { by: person, at: now, hash: draft.hash, until: after(now, APPROVAL_FOR) }
  return { ...workOf(draft, now), stage: 'approved', proposal, approval }
}

/** Gives a draft back to its authors. @throws Refusal */
export function declineDraft(
  given: Draft,
  { by, reason }: { readonly by: Person; readonly reason: string },
  now: EpochMs,
): OpenDraft {
  const draft = at(given, 'proposed', 'approved')
  const declined = { by: proven(by), at: now, reason: saying('reason', reason) }
  return { ...workOf(draft, now), stage: 'open', declined }
}

export interface Publishing {
  readonly by: Person
  /** Of the files that the person saw and wants in force. */
  readonly hash: string
  /** The version in force until now. */
  readonly inForce: number
}

/** Into force, as the next version. @throws Refusal */
export function publishDraft(given: Draft, say: Publishing, now: EpochMs): PublishedDraft {
  const draft = at(given, 'approved')
  const by = proven(say.by)
  seen(draft, say.hash)
  const { approval, proposal } = draft
  if (approval.hash !== draft.hash) throw new Refusal('draft_other_hash', 'approved was another')
  // By now an approver may have become an author only by an edit, which takes the approval away: held to once more.
  if (isAmong(draft.authors, approval.by))
    throw new Refusal('draft_own', 'the approver is an author')
  if (now >= approval.until) throw new Refusal('approval_expired', 'the approval has expired')
  upToDate(draft, say.inForce)
  const { reason } = proposal
  const version = say.inForce + 1
  const publication = { by, at: now, reason, version, hash: draft.hash, emergency: false }
  return { ...withoutShadow(workOf(draft, now)), stage: 'published', approval, publication }
}

/** Into force without anybody's approval, to be reviewed by another person afterwards. @throws Refusal */
export function publishEmergency(
  given: Draft,
  say: Publishing & { readonly reason: string },
  now: EpochMs,
): PublishedDraft {
  const draft = live(given)
  const by = proven(say.by)
  seen(draft, say.hash)
  if (draft.hash === draft.base.hash) throw new Refusal('draft_unchanged', 'the files of the base')
  upToDate(draft, say.inForce)
  const act = { by, at: now, reason: saying('reason', say.reason) }
  const version = say.inForce + 1
  return {
    ...withoutShadow(workOf(draft, now)),
    stage: 'published',
    publication: { ...act, version, hash: draft.hash, emergency: true, review: 'open' },
  }
}

const withoutShadow = ({ shadow: _, ...work }: Work): Work => work

/** What another person says of an emergency once it is over. @throws Refusal */
export function closeReview(
  given: Draft,
  { by, reason }: { readonly by: Person; readonly reason: string },
  now: EpochMs,
): PublishedDraft {
  const draft = at(given, 'published')
  const person = proven(by)
  if (draft.publication.review !== 'open') throw new Refusal('draft_stage', 'no review is open')
  if (isAmong([...draft.authors, draft.publication.by], person))
    throw new Refusal('draft_own', 'an author or the publisher')
  const review = { by: person, at: now, reason: saying('reason', reason) }
  return {
    ...workOf(draft, now),
    ...{ stage: 'published', publication: { ...draft.publication, review } },
    ...(draft.approval ? { approval: draft.approval } : {}),
  }
}

/** @throws Refusal */
export function abandonDraft(
  given: Draft,
  { by, reason }: { readonly by: Person; readonly reason: string },
  now: EpochMs,
): AbandonedDraft {
  const abandoned = { by: proven(by), at: now, reason: saying('reason', reason) }
  return { ...withoutShadow(workOf(live(given), now)), stage: 'abandoned', abandoned }
}

/** Puts a draft in shadow or takes it out. Its files, and so its approval, stay as they are. @throws Refusal */
export function shadowDraft(
  given: Draft,
  { by, on }: { readonly by: Person; readonly on: boolean },
  now: EpochMs,
): LiveDraft {
  const { shadow: _, ...draft } = live(given)
  proven(by)
  const moved = { ...draft, generation: draft.generation + 1, changedAt: now }
  return on ? { ...moved, shadow: true } : moved
}
