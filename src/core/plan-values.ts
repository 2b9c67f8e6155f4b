/**
 * What a field of the plan holds, in two forms. In a form it is always a text, so that two versions can be compared
 * and merged whatever the type; in a COMPOSITION it is ELEMENTs, or CLUSTERs of them.
 *
 * | type            | as a text                                  | as openEHR                         |
 * |-----------------|--------------------------------------------|------------------------------------|
 * | text, long-text | as typed                                   | DV_TEXT                            |
 * | date            | `YYYY-MM-DD`                               | DV_DATE                            |
 * | choice          | our code                                   | DV_CODED_TEXT                      |
 * | choices         | our codes, one a line                      | an ELEMENT with one for each       |
 * | yes-no          | `yes`, `no`                                | DV_BOOLEAN                         |
 * | quantity        | `70 %`: number, space, UCUM unit           | DV_QUANTITY                        |
 * | group           | JSON: a list of rows, texts by field id    | a CLUSTER for each row             |
 *
 * '' is nothing, in every type.
 *
 * @see openEHR RM 1.1.0, "Data Types", "Data Structures"; ITS-JSON
 */
import type { PlanField } from './plan.js'

/** Texts by field id. */
export type Values = Readonly<Record<string, string>>

interface Phrase {
  readonly terminology_id?: { readonly value?: string }
  readonly code_string?: string
}

/** A DATA_VALUE, as far as it is looked at. Nothing in it is proven. */
export interface DataValue {
  readonly _type: string
  readonly value?: unknown
  readonly magnitude?: unknown
  readonly units?: unknown
  readonly precision?: unknown
  readonly defining_code?: Phrase
  readonly mappings?: readonly { readonly match?: string; readonly target?: Phrase }[]
}

/** An ELEMENT or a CLUSTER. */
export interface Node {
  readonly _type: 'ELEMENT' | 'CLUSTER'
  readonly name: { readonly _type: 'DV_TEXT'; readonly value: string }
  readonly archetype_node_id: string
  readonly value?: DataValue
  readonly items?: readonly Node[]
}

/** Of each type that is one DATA_VALUE: which. */
export const DATA_TYPES = {
  text: 'DV_TEXT',
  'long-text': 'DV_TEXT',
  date: 'DV_DATE',
  choice: 'DV_CODED_TEXT',
  choices: 'DV_CODED_TEXT',
  'yes-no': 'DV_BOOLEAN',
  quantity: 'DV_QUANTITY',
} as const

const SNOMED = 'SNOMED-CT'

const phrase = (terminology: string, code: string) => ({
  _type: 'CODE_PHRASE',
  terminology_id: { _type: 'TERMINOLOGY_ID', value: terminology },
  code_string: code,
})

/** A number and its unit; `undefined` for a text that is no quantity. */
export function quantityOf(text: string): { number: string; unit: string } | undefined {
  const [, number, unit] = /^(-?\d{1,9}(?:\.\d{1,6})?) (\S{1,30})$/.exec(text) ?? []
  return number === undefined || unit === undefined ? undefined : { number, unit }
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

/** The rows that a group's text holds; none for a text that is no such list. */
export function rowsOf(text: string): readonly Values[] {
  try {
    const rows: unknown = text === '' ? [] : JSON.parse(text)
    return Array.isArray(rows) ? (rows as Values[]) : []
  } catch {
    return []
  }
}

/** A group's text: one text for one content, whatever was left empty. */
export function groupText(field: PlanField, rows: readonly Values[]): string {
  const kept = rows
    .map((row) => (field.fields ?? []).map(({ id }) => [id, row[id] ?? ''] as const))
    .map((row) => row.filter(([, text]) => text !== ''))
    .filter((row) => row.length > 0)
  return kept.length === 0 ? '' : JSON.stringify(kept.map((row) => Object.fromEntries(row)))
}

/** One text for one meaning: the order of several choices, or of rows, says nothing. */
function plain(field: PlanField, text: string): string {
  if (field.type === 'choices') return [...linesOf(text)].sort().join('\n')
  if (field.type !== 'group') return text.trim()
  const said = (row: Values) =>
    (field.fields ?? []).map((one) => plain(one, row[one.id] ?? '')).join('\0')
  return rowsOf(groupText(field, rowsOf(text)))
    .map(said)
    .sort()
    .join('\u0001')
}

/** Whether two texts of a field say the same. */
export const sameText = (field: PlanField, a: string, b: string): boolean =>
  a === b || plain(field, a) === plain(field, b)

function codedText(field: PlanField, code: string): DataValue {
  const label = field.options?.[code]
  // As it was recorded: not one of ours, so not ours to give a code.
  if (label === undefined) return { _type: 'DV_TEXT', value: code }
  const concept = field.codes?.[code]
  const mapping = { _type: 'TERM_MAPPING', match: '=', target: phrase(SNOMED, concept ?? '') }
  return {
    _type: 'DV_CODED_TEXT',
    value: label,
    ...(concept === undefined ? {} : { mappings: [mapping] }),
    defining_code: phrase('local', code),
  }
}

function quantity(text: string): DataValue {
  const { number, unit } = quantityOf(text) ?? { number: '0', unit: '1' }
  const precision = number.split('.')[1]?.length ?? 0
  return { _type: 'DV_QUANTITY', magnitude: Number(number), units: unit, precision }
}

/** Half a character, with which a text may end that was cut off, would be refused. */
const whole = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd')

/** One DATA_VALUE for a text of a field that is no group. */
export function dataValueOf(field: PlanField, text: string): DataValue {
  if (field.type === 'date') return { _type: 'DV_DATE', value: text }
  if (field.type === 'yes-no') return { _type: 'DV_BOOLEAN', value: text === 'yes' }
  if (field.type === 'quantity') return quantity(text)
  const coded = field.type === 'choice' || field.type === 'choices'
  return coded ? codedText(field, text) : { _type: 'DV_TEXT', value: whole(text) }
}

const nodeOf = (field: PlanField, rest: Pick<Node, '_type' | 'value' | 'items'>): Node => ({
  _type: rest._type,
  name: { _type: 'DV_TEXT', value: field.title },
  archetype_node_id: field.node,
  ...(rest.value ? { value: rest.value } : {}),
  ...(rest.items ? { items: rest.items } : {}),
})

/** What a section's tree holds of a field: nothing for ''. */
export function nodesOf(field: PlanField, text: string): readonly Node[] {
  if (text === '') return []
  if (field.type === 'group')
    return rowsOf(text).map((row) =>
      nodeOf(field, { _type: 'CLUSTER', items: rowNodes(field, row) }),
    )
  const parts = field.type === 'choices' ? linesOf(text) : [text]
  return parts.map((part) => nodeOf(field, { _type: 'ELEMENT', value: dataValueOf(field, part) }))
}

/** What stands in the CLUSTER of one row. */
export const rowNodes = ({ fields = [] }: PlanField, row: Values): readonly Node[] =>
  fields.flatMap((field) => nodesOf(field, row[field.id] ?? ''))

function codeOf(field: PlanField, value: DataValue): string | undefined {
  const { options = {}, codes = {} } = field
  const phrases = [value.defining_code, ...(value.mappings ?? []).map(({ target }) => target)]
  for (const { terminology_id: terminology, code_string: code } of phrases.filter((one) => !!one)) {
    if (code === undefined) continue
    // Another system may have written the concept itself.
    const found = /^SNOMED/i.test(terminology?.value ?? '')
      ? Object.keys(codes).find((own) => codes[own] === code)
      : code
    if (found !== undefined && options[found] !== undefined) return found
  }
  return undefined
}

function numberOf({ magnitude, units, precision }: DataValue): string | undefined {
  if (typeof magnitude !== 'number' || typeof units !== 'string') return undefined
  const exact = typeof precision === 'number' && precision >= 0 && precision <= 6
  const shown = exact ? magnitude.toFixed(precision) : String(magnitude)
  const text = `${Number(shown) === magnitude ? shown : magnitude} ${units}`
  return quantityOf(text) && text
}

/** The text of one DATA_VALUE; '' where there is none, `undefined` where it cannot be told what it says. */
export function textOf(field: PlanField, value: DataValue | undefined | null): string | undefined {
  if (value === undefined || value === null) return ''
  if (field.type === 'quantity') return numberOf(value)
  if (field.type === 'yes-no')
    return typeof value.value === 'boolean' ? (value.value ? 'yes' : 'no') : undefined
  if (typeof value.value !== 'string') return undefined
  if (field.type === 'date') return value.value.slice(0, 10)
  if (field.options === undefined) return value.value
  // One of several stands on a line of its own.
  return codeOf(field, value) ?? value.value.replace(/\s+/g, ' ')
}
