/** When a section is to be looked at again, and whether that day has passed. */
import { authorOf, type Entry, valuesOf } from './composition.js'
import { addMonths, type Day, dayOf, isPast, readDay, writeDay } from './dates.js'
import type { Section } from './definition.js'

export interface ReviewDue {
  /** `YYYY-MM-DD` */
  readonly day: string
  readonly overdue: boolean
  /** Nobody named the day: it follows from how long such an entry holds. */
  readonly implied: boolean
}

/** `undefined` for a section that is not reviewed, has no entry, or of which no day is known. */
export function reviewOf(
  section: Section,
  entry: Entry | undefined,
  today: Day,
): ReviewDue | undefined {
  const { review } = section
  if (!review || !entry) return undefined
  const values = valuesOf(section, entry.composition)
  const named = values[review.field ?? ''] ?? ''
  if (readDay(named)) return { day: named, overdue: isPast(named, today), implied: false }
  const { at } = authorOf(entry.composition)
  const from = readDay(values[review.from ?? ''] ?? '') ?? (at && dayOf(at))
  if (review.months === undefined || !from) return undefined
  const day = writeDay(addMonths(from, review.months))
  return { day, overdue: isPast(day, today), implied: true }
}
