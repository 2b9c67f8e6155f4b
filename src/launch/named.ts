/** By what a launch system knows its launches where nobody told it our ids: its tokens' numbers, its handles' hashes. */
import { isStandalone, type VerifiedLaunch } from '../core/launch.js'
import { launchedBy } from '../core/records.js'
import type { EpochMs } from '../core/values.js'
import type { Put } from '../store/store.js'

/** What keeps a launch's name until then; none for a push, whose answer tells our id. */
export function namePuts(launch: VerifiedLaunch, until: EpochMs): readonly Put[] {
  if (isStandalone(launch) || launch.rung === 'pushed' || launch.jti === undefined) return []
  const { id, system, jti } = launch
  return [{ kind: 'launched', id: launchedBy(system, jti), value: { launch: id }, until }]
}
