/** Who has looked at this patient: one page, and the same as a file. */
import { searchBack, walkBack } from '../audit/recent.js'
import { isNamed, patientsOf } from '../audit/search.js'
import { type EventName, nameInRecord, type PatientNamed, type TrailEntry } from '../core/audit.js'
import { csv, ndjson } from '../core/export.js'
import { readNhsNumber } from '../core/nhs-number.js'
import type { EpochMs } from '../core/values.js'
import { inColumns } from './in-words.js'
import type { Answer, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { spanOptions } from './trail.js'
import { type Asked, askedOf } from './trail-form.js'

const MOST_READ = 300_000
/** A patient's other id is what launches say it is; few say otherwise than the last. */
const MOST_LAUNCHES = 20
const MOST_LOOKERS = 2_000

/** What shows a patient to somebody, or was about to. */
// biome-ignore format: a table
const LOOKS: Partial<Readonly<Record<EventName, string>>> = {
  session_opened: 'opened the plan',
  grant_opened:   'gave an app access',
  access_allowed: 'read or wrote the record',
  access_refused: 'was refused the record',
  launch_refused: 'was refused a launch',
  glass_broken:   'broke the glass',
  emergency_reviewed: 'reviewed an emergency',
  decision_made:  'was judged by the policies',
  console_viewed: 'looked in the console',
  outcome_released: 'was told what was written',
}

/** One person in one place, by what they did. */
interface Looker {
  readonly user: string
  readonly name: string
  readonly organization: string
  readonly roles: ReadonlySet<string>
  readonly apps: ReadonlySet<string>
  readonly launches: ReadonlySet<string>
  readonly did: ReadonlySet<string>
  readonly times: number
  readonly first: EpochMs
  readonly last: EpochMs
}

interface Found {
  readonly patient?: PatientNamed
  /** The last who looked comes first. */
  readonly lookers: readonly Looker[]
  /** How far back was read. */
  readonly reached: EpochMs
  readonly whole: boolean
}

/** Entries come slice by slice, the newest slice first. */
function add(known: Looker | undefined, entry: TrailEntry, did: string): Looker {
  const { user, at, app, launch } = entry
  const more = (set: ReadonlySet<string> | undefined, ...values: readonly (string | undefined)[]) =>
    new Set([...(set ?? []), ...values.filter((value) => value !== undefined)])
  return {
    user: user?.id ?? '',
    name: known?.name || user?.name || '',
    organization: user?.organization ?? '',
    roles: more(known?.roles, ...(user?.roles ?? [])),
    apps: more(known?.apps, app),
    launches: more(known?.launches, launch),
    did: more(known?.did, did),
    times: (known?.times ?? 0) + 1,
    first: Math.min(known?.first ?? at, at),
    last: Math.max(known?.last ?? at, at),
  }
}

/** What may name the patient in an entry, by their launches: some know the NHS number alone, some the FHIR id alone. */
async function knownAs({ store }: ConsoleParts, patient: string, to: EpochMs) {
  const bounds = { from: 0, to, most: MOST_READ, limit: MOST_LAUNCHES }
  const { entries } = await searchBack(store, { patient, what: 'session_opened' }, bounds)
  const ids = entries.flatMap(({ patient = {} }) => [patient.nhsNumber, nameInRecord(patient)])
  const [last] = entries
  return {
    opened: entries,
    ids: new Set([readNhsNumber(patient), ...ids].filter((id) => id !== undefined)),
    ...(last?.patient ? { patient: last.patient } : {}),
  }
}

/**
 * Who an entry is of, if it is of the patient: by a name that is known, or by the id that was typed without its record.
 * What was typed in the console before is no word of which record it was.
 */
function foundIn(records: Set<string>, ids: ReadonlySet<string>, asked: string) {
  const isId = readNhsNumber(asked) === undefined
  return (entry: TrailEntry): boolean => {
    const names = patientsOf(entry)
    const typed = isId ? names.filter((name) => isNamed(name, asked)) : []
    if (!entry.what.startsWith('console_')) for (const name of typed) records.add(name)
    return typed.length > 0 || names.some((name) => ids.has(name))
  }
}

/** @returns only names, where one id is that of several people: an answer about both would be one about neither */
async function lookersOf(
  parts: ConsoleParts,
  patient: string,
  { from, to }: Asked,
): Promise<Found | readonly string[]> {
  const { store } = parts
  const { ids, opened, ...known } = await knownAs(parts, patient, to)
  const records = new Set<string>()
  const isOf = foundIn(records, ids, patient)
  opened.forEach(isOf)
  const lookers = new Map<string, Looker>()
  let reached = to
  let full = false
  for await (const slice of walkBack(store, { from, to, most: MOST_READ })) {
    for (const entry of slice.entries) {
      const did = LOOKS[entry.what]
      if (did === undefined || !isOf(entry)) continue
      const key = JSON.stringify([entry.user?.id, entry.user?.organization])
      const before = lookers.get(key)
      full ||= !before && lookers.size >= MOST_LOOKERS
      if (before || !full) lookers.set(key, add(before, entry, did))
    }
    if (records.size > 1) return [...records]
    reached = slice.from
  }
  const list = [...lookers.values()].sort((a, b) => b.last - a.last)
  return { ...known, lookers: list, reached, whole: reached <= from && !full }
}

const HEADS = [
  'User',
  'Name',
  'Organisation',
  'Roles',
  'What they did',
  'Times',
  'First',
  'Last',
  'Apps',
  'Launches',
]

const rowOf = (looker: Looker): readonly string[] => [
  ...[looker.user || 'nobody known', looker.name, looker.organization],
  ...[[...looker.roles].join(' '), [...looker.did].join(', '), String(looker.times)],
  ...[inColumns(looker.first), inColumns(looker.last)],
  ...[[...looker.apps].join(' '), [...looker.launches].slice(0, 20).join(' ')],
]

const asJson = ({ roles, apps, launches, did, first, last, ...rest }: Looker) => ({
  ...rest,
  ...{ roles: [...roles], apps: [...apps], launches: [...launches], did: [...did] },
  ...{ first: new Date(first).toISOString(), last: new Date(last).toISOString() },
})

// biome-ignore format: a table
const FORMATS: Readonly<Record<string, { readonly type: string; readonly body: (found: Found) => string }>> = {
  csv:    { type: 'text/csv; charset=utf-8', body: ({ lookers }) => csv(HEADS, lookers.map(rowOf)) },
  ndjson: { type: 'application/x-ndjson',    body: ({ lookers }) => ndjson(lookers.map(asJson)) },
}

const severalWords = (names: readonly string[]): string =>
  `This is the id of a patient in several records: give the NHS number, or ${names
    .map((name) => (name.includes('/') ? name : `/${name}`))
    .join(' or ')}.`

/** GET and POST /console/trail/patient. With `format` the answer is a file, whose name says nothing of whom. */
export function patientLooks(parts: ConsoleParts): (visit: Visit) => Promise<Answer> {
  return async (visit) => {
    const asked = askedOf(visit)
    const { patient, days } = asked.fields
    const base = { view: 'patient-looks', title: 'Who has looked at this patient?' }
    const crumbs = [{ text: 'Trail', href: '/console/trail' }]
    const missing = patient === '' ? ['Give an NHS number or the id of a FHIR Patient.'] : []
    const problems = asked.problems.length > 0 ? asked.problems : missing
    const form = { patient, days, spans: spanOptions }
    if (!visit.posted) return { ...base, crumbs, data: form }
    if (problems.length > 0) return { ...base, crumbs, data: { ...form, problems }, status: 400 }
    const { patient: whose = '' } = asked.query
    const found = await lookersOf(parts, whose, asked)
    if (!('lookers' in found))
      return { ...base, crumbs, data: { ...form, problems: [severalWords(found)] }, status: 400 }
    const format = FORMATS[visit.sent.get('format') ?? '']
    const counted = { rows: found.lookers.length, ...(format ? { exported: true } : {}) }
    const { patient: both = asked.about.patient } = found
    const about = { ...asked.about, ...(both ? { patient: both } : {}), detail: counted }
    if (format) {
      const file = `looks-${inColumns(visit.now).slice(0, 10)}.${visit.sent.get('format')}`
      return { file, type: format.type, body: format.body(found), about }
    }
    const rows = found.lookers.map(rowOf)
    const data = {
      ...form,
      heads: HEADS,
      rows,
      reached: inColumns(found.reached),
      whole: found.whole,
    }
    return { ...base, crumbs, about, data }
  }
}
