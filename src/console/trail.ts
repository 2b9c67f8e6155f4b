import { searchBack } from '../audit/recent.js'
import { EVENTS, nameInRecord, type TrailEntry } from '../core/audit.js'
import type { EpochMs } from '../core/values.js'
import { ENTRY_HEADS, entryRow } from './entries.js'
import { inColumns } from './in-words.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { askedOf, SPANS } from './trail-form.js'

const MOST_READ = 200_000
/** Fewer than the hundred patients that an entry can name: those of the last moment come on top. */
const PER_PAGE = 80

const dayWords = (days: string): string => (days === '1' ? 'Last day' : `Last ${days} days`)

export const spanOptions = Object.keys(SPANS).map((days) => ({ value: days, text: dayWords(days) }))

const kindOptions = [
  { value: '', text: 'Any' },
  ...EVENTS.map((name) => ({ value: name, text: name.replaceAll('_', ' ') })),
]

/** Where the page after this one ends, as an earlier page said it: a time, and never after what was asked. */
const beforeOf = ({ sent }: Visit, to: EpochMs): EpochMs => {
  const before = Number(sent.get('before') ?? Number.NaN)
  return Number.isSafeInteger(before) && before > 0 ? Math.min(before, to) : to
}

/** Whoever reads entries of patients has looked at them, whatever they searched by. */
function patientsIn(entries: readonly TrailEntry[]): { readonly patients?: readonly string[] } {
  const ids = entries.flatMap(
    ({ patient = {} }) => patient.nhsNumber ?? nameInRecord(patient) ?? [],
  )
  return ids.length > 0 ? { patients: [...new Set(ids)] } : {}
}

/** GET /console/trail: the form; POST: what was found, the newest first, a page at a time. */
export function trail({ store }: ConsoleParts): (visit: Visit) => Promise<Shown> {
  return async (visit) => {
    const asked = askedOf(visit)
    const { fields, query, from, problems, about } = asked
    const base = { view: 'trail', title: 'Trail' }
    const form = { fields, kinds: kindOptions, spans: spanOptions, problems, heads: ENTRY_HEADS }
    if (!visit.posted || problems.length > 0)
      return { ...base, data: form, status: problems.length > 0 ? 400 : 200 }
    const to = beforeOf(visit, asked.to)
    const bounds = { from, to, most: MOST_READ, limit: PER_PAGE }
    const found = await searchBack(store, query, bounds)
    return {
      ...base,
      about: {
        ...about,
        detail: { ...about.detail, rows: found.entries.length, ...patientsIn(found.entries) },
      },
      data: {
        ...form,
        rows: found.entries.map(entryRow),
        reached: inColumns(found.reached),
        before: found.whole ? undefined : found.reached,
      },
    }
  }
}
