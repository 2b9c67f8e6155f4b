/**
 * How a pretend GP system finds a patient: by name, NHS number or date of birth, as it holds them. What is searched by
 * stands in a body, never in an address.
 */
import { z } from 'zod'
import { type Chart, chartOf, chartPlace } from './desktop-chart.js'
import type { DemoPatient } from './patient.js'
import { PATIENTS } from './patients.js'

const PAGE = 20

export const finding = z.strictObject({
  words: z.string().max(80),
  page: z.number().int().min(1).max(1000),
})
export type Finding = z.infer<typeof finding>

/** A line of the list. */
export type Row = Pick<
  Chart,
  | 'chart'
  | 'nhsNumber'
  | 'title'
  | 'given'
  | 'family'
  | 'birthDate'
  | 'gender'
  | 'address'
  | 'deceased'
  | 'toTry'
> & {
  /** One of those whom a newcomer begins with. */
  readonly first: boolean
}

export interface Found {
  readonly rows: readonly Row[]
  readonly total: number
  readonly page: number
  readonly pages: number
}

/** Letters that are not made of a letter and a mark. */
const PLAIN: Readonly<Record<string, string>> = { ł: 'l', ı: 'i', ø: 'o', đ: 'd', ß: 'ss', æ: 'ae' }

/** As somebody types a name who has no time for accents. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[łıøđßæ]/g, (letter) => PLAIN[letter] ?? letter)
    .replace(/['’]/g, '')

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const two = (part: string | number): string => String(part).padStart(2, '0')

/** A day as people write one: 14/03/1938, 14-Mar-1938, 14 March 1938, 14031938, 1938-03-14. */
export function dayIn(words: string): string | undefined {
  if (/^\d{4}-\d{2}-\d{2}$/.test(words)) return words
  const whole = /^(\d{2})(\d{2})(\d{4})$/.exec(words)
  const parted = /^(\d{1,2})[\s./-]+(\d{1,2}|[a-z]{3,9})[\s./-]+(\d{4})$/i.exec(words)
  const [, day = '', month = '', year = ''] = whole ?? parted ?? []
  const number = /^\d/.test(month)
    ? Number(month)
    : MONTHS.indexOf(month.slice(0, 3).toLowerCase()) + 1
  return year === '' || number === 0 ? undefined : `${year}-${two(number)}-${two(day)}`
}

/** Each name whole, and each of its parts. */
const namesOf = ({ title, given, family }: Row): readonly string[] =>
  `${title} ${given} ${family}`
    .split(' ')
    .flatMap((name) => [name, ...name.split(/['’-]/)])
    .map(plain)

/** Every word begins a name, or is the year of birth. A day or a number is taken as a whole. */
export function isMeant(row: Row, asked: string): boolean {
  const words = asked.trim()
  const digits = words.replace(/[\s-]/g, '')
  if (/^\d{3,10}$/.test(digits) && row.nhsNumber.includes(digits)) return true
  if (dayIn(words) === row.birthDate) return true
  const names = namesOf(row)
  return plain(words)
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .every(
      (word) =>
        names.some((name) => name.startsWith(word)) ||
        word === row.birthDate.slice(0, 4) ||
        dayIn(word) === row.birthDate,
    )
}

function rowOf(patient: DemoPatient, place: number): Row {
  const chart = chartOf(patient, place)
  const { nhsNumber, title, given, family, birthDate, gender, address, deceased, toTry } = chart
  return {
    ...{ chart: chart.chart, nhsNumber, title, given, family, birthDate, gender, address, toTry },
    ...(deceased === undefined ? {} : { deceased }),
    first: place < PATIENTS.length,
  }
}

const byName = (a: Row, b: Row): number =>
  Number(b.first) - Number(a.first) ||
  (a.first ? 0 : a.family.localeCompare(b.family, 'en') || a.given.localeCompare(b.given, 'en'))

export interface Finder {
  /** Those to begin with first, then by name. */
  find(asked: Finding): Found
  patientOf(chart: unknown): DemoPatient | undefined
  chartOf(chart: unknown): Chart | undefined
}

/** @param all looked at when somebody asks */
export function openFinder(all: () => readonly DemoPatient[]): Finder {
  let rows: readonly Row[] | undefined
  return {
    find({ words, page: wanted }) {
      rows ??= all().map(rowOf).toSorted(byName)
      const found = words.trim() === '' ? rows : rows.filter((row) => isMeant(row, words))
      const pages = Math.max(1, Math.ceil(found.length / PAGE))
      const page = Math.min(wanted, pages)
      return {
        ...{ rows: found.slice((page - 1) * PAGE, page * PAGE), total: found.length },
        ...{ page, pages },
      }
    },
    patientOf: (chart) => all()[chartPlace(chart)],
    chartOf(chart) {
      const place = chartPlace(chart)
      const patient = all()[place]
      return patient && chartOf(patient, place)
    },
  }
}
