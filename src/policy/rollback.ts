/** Back to the files of an older version, as a new version that is held to what holds today. */
import type { Trail } from '../audit/trail.js'
import { isAmong, type Person, proven, saying } from '../core/draft.js'
import { Refusal } from '../core/refusal.js'
import type { Clock, EpochMs } from '../core/values.js'
import { GUARDED } from './draft-files.js'
import type { Gates } from './draft-gates.js'
import type { DraftRecords, WholeVersion } from './draft-records.js'
import { publication } from './publishing.js'
import { hashOfFiles, type PolicyFiles } from './source.js'

export interface Rollback {
  readonly version: number
  readonly by: Person
  readonly reason: string
  /** End what was issued since then. */
  readonly revokeSince?: EpochMs
}

export interface RollbackParts {
  readonly records: DraftRecords
  readonly gates: Gates
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  readonly revoke?: (since: EpochMs) => Promise<void>
}

/** The older files with what is guarded as it is today: else one could go back past an invariant, or a removed approver return. */
export function underToday(older: PolicyFiles, today: PolicyFiles): PolicyFiles {
  const guarded: readonly string[] = GUARDED
  const of = (files: PolicyFiles, kept: boolean) =>
    Object.entries(files).filter(([name]) => guarded.includes(name) === kept)
  return Object.fromEntries([...of(older, false), ...of(today, true)])
}

/**
 * An emergency that nobody else has looked at does not come back by whoever made it: that would be their own approval.
 * One whose draft is gone was reviewed.
 *
 * @throws Refusal `draft_own`
 */
async function byAnother(
  { list }: DraftRecords,
  { draft: id, origin }: WholeVersion['about'],
  by: Person,
): Promise<void> {
  if (origin !== 'emergency') return
  const draft = (await list()).find((one) => one.id === id)
  if (draft?.stage !== 'published' || draft.publication.review !== 'open') return
  if (isAmong([...draft.authors, draft.publication.by], by))
    throw new Refusal('draft_own', 'an emergency of their own, not reviewed')
}

/**
 * @returns the number of the new version
 * @throws Refusal `policy_version_unknown`, `draft_own`, `draft_unchanged`, `draft_unfit`, `lockout_refused`,
 *   `draft_outdated`. Error where what was issued could not be ended: the version is in force by then
 */
export async function rollingBack(parts: RollbackParts, say: Rollback): Promise<number> {
  const { records, gates, trail, clock, revoke } = parts
  const [by, reason] = [proven(say.by), saying('reason', say.reason)]
  const { revokeSince } = say
  if (revokeSince !== undefined && !(revokeSince >= 0 && revokeSince <= clock()))
    throw new Refusal('draft_invalid', 'revokeSince', { told: 'revokeSince: a time until now' })
  const [today, older] = await Promise.all([records.inForce(), records.version(say.version)])
  await byAnother(records, older.about, by)
  const files = underToday(older.files, today.files)
  const hash = hashOfFiles(files)
  if (hash === today.about.hash) throw new Refusal('draft_unchanged', 'the files in force')
  await gates.fit(files, 'central')
  gates.letsIn(files)
  const now = clock()
  const previous = await records.current()
  if (previous.version !== today.about.version)
    throw new Refusal('draft_outdated', `in force is ${previous.version}`)
  const work = publication({
    ...{ files, hash, previous, now },
    origin: { origin: 'rollback', by, reason, of: say.version },
    ...(revokeSince === undefined ? {} : { beside: { detail: { revokeSince } } }),
  })
  if (!(await trail.commit(work))) throw new Refusal('draft_outdated', 'another came first')
  if (revokeSince !== undefined) await revoke?.(revokeSince)
  return previous.version + 1
}
