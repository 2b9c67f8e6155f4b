/** The steps of a draft as acts: read, judged by core/draft-steps.ts and the gates, written with their entries. */
import type { Trail } from '../audit/trail.js'
import type { EventName } from '../core/audit.js'
import { type Draft, type Person, saying } from '../core/draft.js'
import {
  abandonDraft,
  approveDraft,
  closeReview,
  declineDraft,
  editDraft,
  openDraft,
  proposeDraft,
  publishDraft,
  publishEmergency,
  shadowDraft,
} from '../core/draft-steps.js'
import { newId } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import type { Clock, EpochMs, Random } from '../core/values.js'
import { changedFiles, readEdit, readLayer } from './draft-files.js'
import type { Gates } from './draft-gates.js'
import { type DraftRecords, draftPuts, turnOf } from './draft-records.js'
import { publication } from './publishing.js'
import { hashOfFiles } from './source.js'

export interface ActParts {
  readonly records: DraftRecords
  readonly gates: Gates
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  readonly random: Random
}

export interface By {
  readonly by: Person
}
/** `hash`: of the files that the person saw. */
export interface Seen extends By {
  readonly hash: string
}
export interface Because extends By {
  readonly reason: string
}

export interface Begin extends By {
  readonly layer: string
  readonly title: string
  readonly ticket: string
}
export interface Change extends By {
  /** Of the draft that the editor worked on. */
  readonly generation: number
  readonly files: unknown
  /** These files are built on the version in force, not on the draft's base. */
  readonly rebase?: boolean
  /** The editor may change invariants, and who may use the console. */
  readonly guardian?: boolean
}

/** How many drafts may be under way. */
const MOST_LIVE = 200

async function begin(parts: ActParts, say: Begin): Promise<Draft> {
  const { records, clock, random } = parts
  const layer = readLayer(say.layer)
  const { about, files } = await records.inForce()
  const base = { version: about.version, hash: about.hash }
  const draft = openDraft({ ...say, id: newId('dft', random), layer, base }, clock())
  const live = (await records.list()).filter(
    ({ stage }) => stage !== 'published' && stage !== 'abandoned',
  )
  if (live.length >= MOST_LIVE) throw new Refusal('drafts_full', `${live.length} drafts`)
  const { title, ticket } = draft
  const detail = { title, ticket, base: base.version }
  await records.step(draft, files, { what: 'draft_opened', by: say.by, detail })
  return draft
}

async function change(parts: ActParts, id: string, say: Change): Promise<Draft> {
  const { records, clock } = parts
  const now = clock()
  const { draft, files: present } = await records.read(id)
  const { about, files: base } = say.rebase
    ? await records.inForce()
    : await records.version(draft.base.version)
  const isSame = about.version === draft.base.version
  const files = readEdit({
    ...{ layer: draft.layer, base, given: say.files, guardian: say.guardian ?? false },
    present: isSame ? present : undefined,
  })
  const { by, generation } = say
  const onto = isSame ? {} : { base: { version: about.version, hash: about.hash } }
  const next = editDraft(draft, { by, generation, hash: hashOfFiles(files), ...onto }, now)
  const changed = changedFiles(present, files)
  const detail = { files: changed, base: next.base.version, guardian: say.guardian ?? false }
  await records.step(next, files, { what: 'draft_edited', by, detail }, draft)
  return next
}

/** Judged twice: at once, so that what is refused costs no check; and after the check, as things stand then. */
async function bringIntoForce(
  parts: ActParts,
  id: string,
  by: Person,
  step: (draft: Draft, inForce: number, now: EpochMs) => Extract<Draft, { stage: 'published' }>,
): Promise<Draft> {
  const { records, gates, trail, clock } = parts
  const before = await records.read(id)
  step(before.draft, (await records.current()).version, clock())
  await gates.fit(before.files, before.draft.layer)
  gates.letsIn(before.files)
  const now = clock()
  const [{ draft, files }, previous] = await Promise.all([records.read(id), records.current()])
  const next = step(draft, previous.version, now)
  const { publication: published, approval } = next
  const { reason, hash, emergency } = published
  const done = await trail.commit(
    publication({
      ...{ files, hash, previous, now },
      origin: {
        ...{ origin: emergency ? 'emergency' : 'console', by, reason, draft: id as Draft['id'] },
        ...(next.ticket ? { ticket: next.ticket } : {}),
        ...(next.layer === 'central' ? {} : { layer: next.layer }),
        ...(approval ? { approver: approval.by } : {}),
      },
      beside: { claims: [turnOf(next)], puts: draftPuts(next, files) },
    }),
  )
  if (!done) throw new Refusal('draft_outdated', 'another came first')
  return next
}

interface Row<Say> {
  readonly what: EventName
  /** Whether the files must be sound. */
  readonly sound?: true
  /** Whether they must let somebody in who can change policies. */
  readonly letsIn?: true
  readonly step: (draft: Draft, say: Say, now: EpochMs) => Draft
}

type Moved = Awaited<ReturnType<DraftRecords['read']>> & { readonly next: Draft }

/** One step that only moves the draft on. Judged twice, as {@link bringIntoForce} is. */
async function move<Say extends By & Partial<Because>>(
  { records, gates, clock }: ActParts,
  id: string,
  say: Say,
  row: Row<Say>,
): Promise<Draft> {
  const take = async (): Promise<Moved> => {
    const now = clock()
    const read = await records.read(id)
    return { ...read, next: row.step(read.draft, say, now) }
  }
  let taken = await take()
  if (row.sound) {
    await gates.fit(taken.files, taken.draft.layer)
    if (row.letsIn) gates.letsIn(taken.files)
    taken = await take()
  }
  const { next, files } = taken
  const reason = say.reason === undefined ? {} : { reason: saying('reason', say.reason) }
  const detail = {
    ...reason,
    ...(next.ticket ? { ticket: next.ticket } : {}),
    ...(next.stage === 'published' ? { version: next.publication.version } : {}),
  }
  await records.step(next, files, { what: row.what, by: say.by, detail })
  return next
}

/** Every step of a draft. */
export function draftActs(parts: ActParts) {
  const moves =
    <Say extends By & Partial<Because>>(row: Row<Say>) =>
    (id: string, say: Say): Promise<Draft> =>
      move(parts, id, say, row)
  // biome-ignore format: a table
  return {
    open:    (say: Begin): Promise<Draft> => begin(parts, say),
    edit:    (id: string, say: Change): Promise<Draft> => change(parts, id, say),
    propose: moves({ what: 'draft_proposed', sound: true, letsIn: true, step: proposeDraft }),
    approve: moves({ what: 'draft_approved', sound: true, step: approveDraft }),
    decline: moves({ what: 'draft_declined', step: declineDraft }),
    review:  moves({ what: 'policy_reviewed', step: closeReview }),
    abandon: moves({ what: 'draft_abandoned', step: abandonDraft }),
    shadow:  (id: string, say: By & { readonly on: boolean }): Promise<Draft> =>
      move(parts, id, say, {
        ...(say.on ? { what: 'draft_shadowed', sound: true } : { what: 'draft_unshadowed' }),
        step: shadowDraft,
      }),
    publish: (id: string, { by, hash }: Seen): Promise<Draft> =>
      bringIntoForce(parts, id, by, (draft, inForce, now) => publishDraft(draft, { by, hash, inForce }, now)),
    emergency: (id: string, { by, hash, reason }: Seen & Because): Promise<Draft> =>
      bringIntoForce(parts, id, by, (draft, inForce, now) => publishEmergency(draft, { by, hash, inForce, reason }, now)),
  }
}
