/** Back to the files of an older version, as a new version that is held to what holds today. */
import type { Trail } from '../audit/trail.js'
import { type Person, proven, saying } from '../core/draft.js'
import { Refusal } from '../core/refusal.js'
import type { Clock } from '../core/values.js'
import type { Put } from '../store/store.js'
import { GUARDED } from './draft-files.js'
import type { Gates } from './draft-gates.js'
import type { DraftRecords } from './draft-records.js'
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
function underToday(older: PolicyFiles, today: PolicyFiles): PolicyFiles {
  const guarded: readonly string[] = GUARDED
  const of = (files: PolicyFiles, kept: boolean) =>
    Object.entries(files).filter(([name]) => guarded.includes(name) === kept)
  return Object.fromEntries([...of(older, false), ...of(today, true)])
}

/**
 * @returns the number of the new version
 * @throws Refusal `policy_version_unknown`, `draft_unchanged`, `draft_unfit`, `lockout_refused`,
 *   `draft_outdated`, `draft_invalid`
 */
export async function rollingBack(parts: RollbackParts, say: Rollback): Promise<number> {
  const { records, gates, trail, clock } = parts
  const [by, reason] = [proven(say.by), saying('reason', say.reason)]
  const [today, older] = await Promise.all([records.inForce(), records.version(say.version)])
  const files = underToday(older.files, today.files)
  const hash = hashOfFiles(files)
  if (hash === today.about.hash) throw new Refusal('draft_unchanged', 'the files in force')
  await gates.fit(files)
  gates.letsIn(files)
  const previous = await records.current()
  if (previous.version !== today.about.version)
    throw new Refusal('draft_outdated', `in force is ${previous.version}`)
  const beside = revoked(parts, say, previous.version)
  const work = publication({
    ...{ files, hash, previous, now: clock() },
    origin: { origin: 'rollback', by, reason, of: say.version },
    ...(beside ? { beside } : {}),
  })
  if (!(await trail.commit(work))) throw new Refusal('draft_outdated', 'another came first')
  return previous.version + 1
}
