/**
 * Dates as the NHS shows them: `dd-Mmm-yyyy`, months in letters, so that no day is read as a month.
 * A date of the record is a text (`YYYY`, `YYYY-MM` or `YYYY-MM-DD`) and is never given a time of day:
 * a birthday must not move when a browser's time zone does.
 */
import { plural } from './text.js'

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

export interface Day {
  readonly year: number
  /** 1 to 12 */
  readonly month: number
  readonly day: number
}

const two = (n: number): string => String(n).padStart(2, '0')

/** A whole day that exists; `undefined` for partial dates too. */
export function readDay(text: string): Day | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:T|$)/.exec(text)
  if (!match) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const real = new Date(Date.UTC(year, month - 1, day))
  return real.getUTCMonth() === month - 1 && real.getUTCDate() === day
    ? { year, month, day }
    : undefined
}

/** `12-Mar-1942`, or as much of it as is known; the text itself when it is no date at all. */
export function showDay(text: string): string {
  const match = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:T.*)?$/.exec(text)
  if (!match) return text
  const [, year = '', month, day] = match
  const name = month === undefined ? undefined : MONTHS[Number(month) - 1]
  return [day, name, year].filter((part) => part !== undefined).join('-')
}

export const dayOf = (moment: Date): Day => ({
  year: moment.getFullYear(),
  month: moment.getMonth() + 1,
  day: moment.getDate(),
})

/** `14:05`, in the browser's time zone. */
export const showTime = (moment: Date): string =>
  `${two(moment.getHours())}:${two(moment.getMinutes())}`

/** `23-Nov-2026 at 14:05`, in the browser's time zone. */
export function showMoment(moment: Date): string {
  const { year, month, day } = dayOf(moment)
  return `${two(day)}-${MONTHS[month - 1]}-${year} at ${showTime(moment)}`
}

/** Whole months from one day to another; negative when `to` is earlier. */
function monthsBetween(from: Day, to: Day): number {
  const months = (to.year - from.year) * 12 + (to.month - from.month)
  return to.day < from.day ? months - 1 : months
}

const daysBetween = (from: Day, to: Day): number =>
  Math.round(
    (Date.UTC(to.year, to.month - 1, to.day) - Date.UTC(from.year, from.month - 1, from.day)) /
      86_400_000,
  )

/** Age as the NHS banner shows it: finer the younger the person. '' when either day is not a whole one. */
export function showAge(birth: string, at: Day | undefined): string {
  const born = readDay(birth)
  if (!born || !at) return ''
  const [days, months] = [daysBetween(born, at), monthsBetween(born, at)]
  if (days < 0) return ''
  if (days < 28) return `${days}d`
  if (months < 12) return `${Math.floor(days / 7)}w`
  if (months < 24) return `${months}m`
  const years = Math.floor(months / 12)
  return years < 18 ? `${years}y ${months % 12}m` : `${years}y`
}

/** How long ago a day was, in words; '' for a day to come or a date that is not whole. */
export function showSince(text: string, today: Day): string {
  const then = readDay(text)
  if (!then) return ''
  const [days, months] = [daysBetween(then, today), monthsBetween(then, today)]
  if (days < 0) return ''
  if (days === 0) return 'today'
  if (months < 1) return `${plural(days, 'day')} ago`
  return months < 24
    ? `${plural(months, 'month')} ago`
    : `${plural(Math.floor(months / 12), 'year')} ago`
}

export function isPast(text: string, today: Day): boolean {
  const day = readDay(text)
  return day !== undefined && daysBetween(day, today) > 0
}

export const writeDay = ({ year, month, day }: Day): string =>
  `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`

/** The same day of a later month; its last day where it has no such day. */
export function addMonths({ year, month, day }: Day, months: number): Day {
  const first = year * 12 + month - 1 + months
  const at = { year: Math.floor(first / 12), month: (first % 12) + 1 }
  const last = new Date(Date.UTC(at.year, at.month, 0)).getUTCDate()
  return { ...at, day: Math.min(day, last) }
}
