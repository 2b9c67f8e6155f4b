/** Gathers what is known of a launch: from the trail and from the tap. */
import type { TrailEntry } from '../core/audit.js'
import type { LaunchId } from '../core/ids.js'
import type { EpochMs } from '../core/values.js'
import { isAbout, isComplete, type SentLaunch, stagesOf } from './desktop-inspector.js'
import type { Tap, TapEvent } from './desktop-tap.js'

const LAUNCHES_KEPT = 50
/** Trail entries that one look reads at most. */
const ENTRIES_READ = 5_000

/** Trail entries that match every given member, in their order. */
export type TrailSearch = (filter: {
  readonly launch?: LaunchId
  readonly from?: EpochMs
}) => AsyncIterable<TrailEntry>

export interface Sources {
  readonly search: TrailSearch
  readonly tap: Pick<Tap, 'events' | 'launchOf'>
}

/** Keeps what was sent, the last fifty. */
export function sentLaunches() {
  const kept = new Map<string, SentLaunch>()
  return {
    keep(sent: SentLaunch): void {
      kept.set(sent.id, sent)
      for (const oldest of kept.keys()) {
        if (kept.size <= LAUNCHES_KEPT) break
        kept.delete(oldest)
      }
    },
    find: (id: unknown) => (typeof id === 'string' ? kept.get(id) : undefined),
  }
}

const keysOf = ({ jti, handle }: SentLaunch): readonly string[] => [
  ...(jti === undefined ? [] : [`jti:${jti}`]),
  ...(handle === undefined ? [] : [`handle:${handle}`]),
]

/** Everything known of a launch now: its stages from the trail and the tap. */
export async function inspect({ search, tap }: Sources, sent: SentLaunch) {
  const entries: TrailEntry[] = []
  for await (const entry of search({ from: sent.at })) {
    entries.push(entry)
    if (entries.length >= ENTRIES_READ) break
  }
  const tapped = keysOf(sent)
    .map(tap.launchOf)
    .find((found) => found !== undefined)
  const about = entries.filter((entry) => isAbout(sent, entry))
  const launch = sent.launch ?? about.find((entry) => entry.launch)?.launch ?? tapped
  const trail = entries.filter(
    (entry) => about.includes(entry) || (launch !== undefined && entry.launch === launch),
  )
  const references = trail.flatMap(({ reference }) => (reference ? [`reference:${reference}`] : []))
  const keys = [...keysOf(sent), ...references, ...(launch === undefined ? [] : [launch])]
  const heard = keys.flatMap(tap.events)
  const traffic = [...new Set<TapEvent>(heard)]
    .filter(({ at }) => at >= sent.at)
    .sort((a, b) => a.at - b.at)
  const stages = stagesOf(sent, trail, traffic)
  return { ...sent, ...(launch ? { launch } : {}), stages, complete: isComplete(stages) }
}
