/**
 * What is typed, in whatever state, as the text of its field: a draft keeps it, and gives it back as it was. What is
 * no value yet is a text that no value has, so that it is never saved for one.
 */
import { LENGTHS } from '../../src/core/plan.js'
import { quantityOf, rowsOf } from '../../src/core/plan-values.js'
import { readDay, showDay } from './dates.js'
import type { Field, Values } from './definition.js'
import { plural } from './text.js'

/** Between the parts of a day that is none: nobody types one into a field of one line. */
const PART = '\n'

type DayParts = readonly [day: string, month: string, year: string]

/** Of what was typed, without spaces around it. */
export function dayText([day, month, year]: DayParts): string {
  if (day + month + year === '') return ''
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  return readDay(iso) ? iso : [day, month, year].join(PART)
}

const isHalfDay = (text: string): boolean => text.includes(PART)

/** What stands in the three fields, for a day of the record or one that was typed. */
export function dayParts(text: string): DayParts {
  const parts = isHalfDay(text) ? text.split(PART).reverse() : text.split('-')
  const [year = '', month = '', day = ''] = parts
  return [day, month, year]
}

/** For a reader: `12-Mar-1942`; of half a day what there is of it. */
export const dayWords = (text: string): string =>
  isHalfDay(text)
    ? `${text.split(PART).join(' ').replace(/\s+/g, ' ').trim()} (not a whole date)`
    : showDay(text)

/** What stands in the number's field, and its unit. @param unit where none is named */
export function numberParts(text: string, unit: string): { number: string; unit: string } {
  const at = text.lastIndexOf(' ')
  return at < 0 ? { number: text, unit } : { number: text.slice(0, at), unit: text.slice(at + 1) }
}

function numberProblem({ title, range }: Field, text: string): string | undefined {
  const said = quantityOf(text)
  if (!said) return `${title} must be a number, such as 40 or 2.5`
  const [least, greatest] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const number = Number(said.number)
  return number < least || number > greatest
    ? `${title} must be between ${least} and ${greatest}`
    : undefined
}

function lengthProblem({ type, title, most }: Field, text: string): string | undefined {
  const over = text.length - (most ?? LENGTHS[type === 'long-text' ? 'long-text' : 'text'])
  return over > 0 ? `${title}: shorten it by ${plural(over, 'character')}` : undefined
}

const rowProblems = ({ title, fields = [] }: Field, row: Values, at: number): readonly string[] =>
  fields
    .flatMap((one) => problemOf(one, row[one.id] ?? '') ?? [])
    .map((problem) => `${title} ${at + 1}: ${problem}`)

/** What is wrong with a field's text, in words for who typed it. A date of the record need not be a whole one. */
export function problemOf(field: Field, text: string): string | undefined {
  const { type, title, required } = field
  if (text === '') return required ? `${title}: this must be filled in` : undefined
  if (type === 'text' || type === 'long-text') return lengthProblem(field, text)
  if (type === 'quantity') return numberProblem(field, text)
  if (type === 'group')
    return (
      rowsOf(text)
        .flatMap((row, at) => rowProblems(field, row, at))
        .join('; ') || undefined
    )
  return type === 'date' && isHalfDay(text)
    ? `${title} must be a real date, such as 5 11 2026`
    : undefined
}
