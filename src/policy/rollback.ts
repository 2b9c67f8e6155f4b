/** Back to the files of an older version, as a new version that is held to what holds today. */
import type { Trail } from '../audit/trail.js'
import { isAmong, type Person, proven, saying } from '../core/draft.js'
import { Refusal } from '../core/refusal.js'
import type { Clock } from '../core/values.js'
import type { Put } from '../store/store.js'
import { GUARDED } from './draft-files.js'
import type { Gates } from './draft-gates.js'
import type { DraftRecords, WholeVersion } from './draft-records.js'
import { publication } from './publishing.js'
import { hashOfFiles, type PolicyFiles } from './source.js'

export interface Rollback {
  readonly version: number
  readonly by: Person
  readonly reason: string
  /** End what was given under the versions since that one. */
  readonly revoke?: boolean
}

export interface RollbackParts {
  readonly records: DraftRecords
  readonly gates: Gates
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  /** What ends all that was given under a version. */
  readonly revoking?: (version: number) => Put
}

/** So many versions can be taken back at once. */
const MOST_REVOKED = 1_000

/** What ends all that was given under the versions that are taken back. @throws Refusal draft_invalid */
function revoked({ revoking }: RollbackParts, { version, revoke }: Rollback, inForce: number) {
  if (!revoke || !revoking) return undefined
  if (inForce - version > MOST_REVOKED) {
    const told = `what was given under more than ${MOST_REVOKED} versions cannot be ended at once`
    throw new Refusal('draft_invalid', 'revoke', { told })
  }
  const versions = Array.from({ length: inForce - version }, (_, i) => version + 1 + i)
  return {
    puts: versions.map(revoking),
    detail: { revokedFrom: version + 1, revokedTo: inForce },
  }
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
 *   `draft_outdated`, `draft_invalid`
 */
export async function rollingBack(parts: RollbackParts, say: Rollback): Promise<number> {
  const { records, gates, trail, clock } = parts
  const [by, reason] = [proven(say.by), saying('reason', say.reason)]
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
  const beside = revoked(parts, say, previous.version)
  const work = publication({
    ...{ files, hash, previous, now },
    origin: { origin: 'rollback', by, reason, of: say.version },
    ...(beside ? { beside } : {}),
  })
  if (!(await trail.commit(work))) throw new Refusal('draft_outdated', 'another came first')
  return previous.version + 1
}
