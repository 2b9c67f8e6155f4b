/** Finds entries of the trail by what they are about. */
import { type EventName, nameInRecord, type TrailEntry } from '../core/audit.js'
import { launchTime } from '../core/ids.js'
import type { EpochMs } from '../core/values.js'
import type { Store } from '../store/store.js'

/** All that is given must hold. */
export interface TrailQuery {
  readonly what?: EventName
  readonly launch?: string
  readonly reference?: string
  /** The user's id, as the entry names it. */
  readonly user?: string
  /** The NHS number; a FHIR id with the tenant whose record it is of; or alone, of whatever record: {@link isNamed}. */
  readonly patient?: string
  /** An ODS code. */
  readonly organization?: string
  readonly system?: string
  readonly app?: string
  readonly from?: EpochMs
  readonly to?: EpochMs
  /** The most entries to answer; 1,000 when it is not given. */
  readonly limit?: number
}

const DEFAULT_LIMIT = 1000
const HOUR = 3_600_000
/** A launch lives for twelve hours at most. */
const LAUNCH_SPAN = 13 * HOUR
/** Machines' clocks differ: an entry may be dated before the launch that it is about. */
const CLOCKS_DIFFER = 5 * 60_000

/** Of the patient, or of many: a page that showed entries of theirs names them. By NHS number, or within their record. */
export function patientsOf({ patient = {}, detail }: TrailEntry): readonly string[] {
  const own = [patient.nhsNumber, nameInRecord(patient)].filter((name) => name !== undefined)
  const { patients } = detail ?? {}
  return Array.isArray(patients) ? [...own, ...patients] : own
}

/** Whether a name is what was asked: `north/p1` of that record, `/p1` of the region's, `p1` of any, or an NHS number. */
export function isNamed(name: string, asked: string): boolean {
  if (asked.startsWith('/')) return name === asked.slice(1)
  return name === asked || (!asked.includes('/') && name.endsWith(`/${asked}`))
}

const isAbout = (entry: TrailEntry, id: string): boolean =>
  patientsOf(entry).some((name) => isNamed(name, id))

/** Whether an entry is about all that is asked; its time is the range's business. */
export function matches(entry: TrailEntry, query: TrailQuery): boolean {
  const { what, launch, reference, user, patient, organization, system, app } = query
  return (
    (what === undefined || entry.what === what) &&
    (launch === undefined || entry.launch === launch) &&
    (reference === undefined || entry.reference === reference) &&
    (user === undefined || entry.user?.id === user) &&
    (patient === undefined || isAbout(entry, patient)) &&
    (organization === undefined || entry.user?.organization === organization) &&
    (system === undefined || entry.system === system) &&
    (app === undefined || entry.app === app)
  )
}

/** When to look for an entry: as asked, and for a launch within what its own id says. */
export function rangeOf({ launch, from = 0, to = Number.MAX_SAFE_INTEGER }: TrailQuery) {
  const began = launch === undefined ? undefined : launchTime(launch)
  if (began === undefined) return { from, to }
  return { from: Math.max(from, began - CLOCKS_DIFFER), to: Math.min(to, began + LAUNCH_SPAN) }
}

/** Entries in the order of time. */
export async function* searchTrail(store: Store, query: TrailQuery): AsyncGenerator<TrailEntry> {
  const { limit = DEFAULT_LIMIT } = query
  let found = 0
  for await (const entry of store.trail(rangeOf(query))) {
    if (!matches(entry, query)) continue
    if (found === limit) return
    found += 1
    yield entry
  }
}
