/** By what a launch system knows its launches where nobody told it our ids: its tokens' numbers, its handles' hashes. */
import type { SystemRung } from '../core/context.js'
import { isStandalone, type VerifiedLaunch } from '../core/launch.js'
import { launchedBy } from '../core/records.js'
import type { EpochMs } from '../core/values.js'
import type { Put } from '../store/store.js'

const NAMED: readonly SystemRung[] = ['signed', 'redeemed']

/**
 * What keeps a launch's name until then. None for a push, whose answer tells our id, nor for a sealed launch: anybody
 * can have made it, and would give it another launch's name.
 */
export function namePuts(launch: VerifiedLaunch, until: EpochMs): readonly Put[] {
  if (isStandalone(launch) || launch.jti === undefined || !NAMED.includes(launch.rung)) return []
  const { id, system, jti } = launch
  return [{ kind: 'launched', id: launchedBy(system, jti), value: { launch: id }, until }]
}
