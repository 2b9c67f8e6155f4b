import { searchLaunch } from '../audit/recent.js'
import type { TrailEntry } from '../core/audit.js'
import type { LaunchId } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type Cell, ENTRY_HEADS, entryRow, outcomeTag } from './entries.js'
import { inColumns } from './in-words.js'
import { stagesOf } from './launch-stages.js'
import { isOpen, launchIdOf } from './launches.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

const MOST_ENTRIES = 500
const MOST_READ = 200_000

/** The first of a launch's entries; `reached` where there may be more after that time. */
export const entriesOfLaunch = ({ store }: Pick<ConsoleParts, 'store'>, launch: LaunchId) =>
  searchLaunch(store, launch, { most: MOST_READ, limit: MOST_ENTRIES })

const stageCells = (entries: readonly TrailEntry[]): readonly (readonly Cell[])[] =>
  stagesOf(entries).map(({ title, outcome, passed, first, last, entries: count, refusals }) => [
    title,
    outcome === undefined ? (passed ? 'no entry of its own' : 'not yet') : outcomeTag(outcome),
    first === undefined ? '' : inColumns(first),
    last === undefined ? '' : inColumns(last),
    String(count),
    refusals.join(', '),
  ])

/** Looks at it from the console are on record too, and stand apart. */
const isLook = ({ what }: TrailEntry): boolean => what.startsWith('console_')

/** Whoever looks at a launch has looked at its patient. */
function patientOf(entries: readonly TrailEntry[]): Pick<TrailEntry, 'patient'> {
  const named = entries.flatMap(({ patient }) => patient ?? [])
  const patient = named.find(({ fhirId, nhsNumber }) => fhirId && nhsNumber) ?? named[0]
  return patient ? { patient } : {}
}

/** GET /console/launches/:launch: one launch, stage by stage, from the trail. @throws Refusal not_found */
export function launch(parts: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const id = launchIdOf(visit)
    const { entries, reached } =
      id === undefined ? { entries: [] } : await entriesOfLaunch(parts, id)
    if (id === undefined || entries.length === 0) throw new Refusal('not_found', 'no such launch')
    const [own, looks] = [entries.filter((each) => !isLook(each)), entries.filter(isLook)]
    const open = await isOpen(parts, id)
    return {
      view: 'launch',
      title: 'One launch',
      crumbs: [{ text: 'Launches', href: '/console/launches' }],
      about: { launch: id, ...patientOf(own) },
      data: {
        launch: id,
        open,
        mayEnd: open && visit.may('console-operate', 'launches'),
        mayExplain: visit.may('console-view', 'decisions'),
        stages: stageCells(own),
        heads: ENTRY_HEADS,
        rows: own.map(entryRow),
        looks: looks.map(entryRow),
        cut: reached && inColumns(reached),
      },
    }
  }
}
