/** That a launch system's chart has moved on: what its earlier launches in this browser are judged by when they write. */
import { chartAfter, isSuperseded } from '../core/context-id.js'
import type { LaunchId, SignOnId } from '../core/ids.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { chartOf } from '../core/records.js'
import type { SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import type { Put } from '../store/store.js'
import type { Arrival, LaunchParts } from './parts.js'

interface ChartParts {
  readonly store: Pick<LaunchParts['store'], 'getAll'>
  readonly clock: LaunchParts['clock']
  readonly lifetimes: Pick<LaunchParts['lifetimes'], 'offline'>
}

export interface Moved {
  readonly puts: readonly Put[]
  /** The last launch before this one, when this one closes it to writing. */
  readonly supersedes?: LaunchId
}

/**
 * The chart with this launch, for the commit that opens it: one that comes to nothing, such as a replayed one, closes
 * no other.
 *
 * @param signOns under which this browser has launches: the one that the launch opens under, and others of its user
 */
export async function moveChart(
  { store, clock, lifetimes }: ChartParts,
  { id, supersede }: LaunchSystem,
  { launch, patient }: Pick<Arrival, 'launch' | 'patient'>,
  signOns: readonly SignOn[],
): Promise<Moved> {
  if (supersede === 'never') return { puts: [] }
  const open = new Map<SignOnId, SignOn>(signOns.map((signOn) => [signOn.id, signOn]))
  const names = [...open.keys()].map((signOn) => chartOf(signOn, id))
  const charts = await store.getAll(names.map((name) => ({ kind: 'chart' as const, id: name })))
  const about = { launch: launch.id, ...(patient ? { patient: patient.nhsNumber } : {}) }
  const puts = [...open.values()].map(
    ({ until }, i): Put => ({
      ...{ kind: 'chart', id: names[i] ?? '', value: chartAfter(charts[i], about) },
      // As long as anything could write that was opened before: an app may go on when its user has gone.
      until: Math.max(until, after(clock(), lifetimes.offline)),
    }),
  )
  const before = charts.find((chart) => chart !== undefined)
  const closes = before && isSuperseded(supersede, chartAfter(before, about), before)
  return { puts, ...(closes ? { supersedes: before.launch } : {}) }
}
