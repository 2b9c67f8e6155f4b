import { searchTrail } from '../audit/search.js'
import type { Happening } from '../core/audit.js'
import type { EpochMs } from '../core/values.js'
import { ASSURANCE_WORDS, DUTY_WORDS, inWords, originInWords } from './in-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

/** Machines' clocks differ, and the entry is written before the version: it is looked for around that time. */
const AROUND: EpochMs = 5 * 60_000

const isOf = (version: number) => (entry: Happening) => entry.policy?.version === version

/** Who put a version into force, by the trail: the entry stands beside the version's own time. */
async function publisherOf(
  { store }: ConsoleParts,
  version: number,
  at: EpochMs,
): Promise<string | undefined> {
  const query = { what: 'policy_published', from: at - AROUND, to: at + AROUND, limit: 20 } as const
  for await (const entry of searchTrail(store, query)) {
    if (!isOf(version)(entry)) continue
    return entry.user?.name ?? entry.user?.id ?? originOf(entry)
  }
  return undefined
}

const originOf = ({ detail }: Happening): string =>
  detail?.origin === 'seed' ? 'the files of a node that started' : String(detail?.by ?? 'unknown')

/** What else waits for this member: facts under a heading, with a way there. */
export interface Tile {
  readonly heading: string
  readonly facts: readonly (readonly [string, string | number])[]
  readonly link?: { readonly text: string; readonly href: string }
}

/** `undefined` for whom it is not. Called at each look: a trip or two to the store, no more. */
export type TileOf = (visit: Visit) => Promise<Tile | undefined>

/** GET /console: what is in force, and what there is to do for this member. */
export function home(
  parts: ConsoleParts,
  tileOf: readonly TileOf[] = [],
): (visit: Visit) => Promise<Shown> {
  const { policies, store } = parts
  // What is said of a version does not change: it is looked for once.
  let known: { readonly version: number; readonly by: string | undefined } | undefined
  return async (visit) => {
    const { member, duties } = visit
    const tiles = await Promise.all(tileOf.map((each) => each(visit)))
    const version = policies.version()
    const kept = await store.get('policy', String(version))
    if (kept && known?.version !== version)
      known = { version, by: await publisherOf(parts, version, kept.at) }
    const by = known?.version === version ? known.by : undefined
    return {
      view: 'home',
      title: 'Console',
      data: {
        inForce: {
          version,
          since: kept && inWords(kept.at),
          by: by ?? 'not known',
          how: kept && originInWords(kept.origin),
          hash: kept?.hash.slice(0, 12),
          fresh: policies.mayIssue(),
        },
        tiles: tiles.filter((tile) => tile !== undefined),
        own: duties.map((duty) => DUTY_WORDS[duty]),
        assurance: ASSURANCE_WORDS[member.assurance],
      },
    }
  }
}
