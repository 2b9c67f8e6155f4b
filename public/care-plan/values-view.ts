/** What a field holds, as a person reads it. */
import { quantityOf, rowsOf } from '../../src/core/plan-values.js'
import { type Field, wordsFor } from './definition.js'
import { bdi, h, prose } from './dom.js'
import { dayWords } from './half-typed.js'

type Row = Readonly<Record<string, string>>

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

function quantityWords(field: Field, value: string): string {
  const { number, unit } = quantityOf(value) ?? { number: value, unit: '' }
  const said = field.units?.[unit] ?? unit
  if (said === '' || unit === '1') return number
  return said.startsWith('%') ? `${number}${said}` : `${number} ${said}`
}

/** On one line: for a list of changes, and for a value within a row. */
export function valueWords(field: Field, value: string): string {
  if (field.type === 'date') return dayWords(value)
  if (field.type === 'quantity') return quantityWords(field, value)
  if (field.type === 'choices')
    return lines(value)
      .map((code) => wordsFor(field, code))
      .join(', ')
  if (field.type === 'group')
    return rowsOf(value)
      .map((row) => rowWords(field, row))
      .join('; ')
  return wordsFor(field, value)
}

const rowWords = (field: Field, row: Row): string =>
  (field.fields ?? [])
    .filter(({ id }) => (row[id] ?? '') !== '')
    .map((one) => `${one.title}: ${valueWords(one, row[one.id] ?? '')}`)
    .join(', ')

/** Its title stands above it where there is room for columns, and else before it. */
const cellOf = (field: Field, value: string): HTMLElement =>
  h(
    'td',
    { role: 'cell' },
    ...(value === ''
      ? []
      : [h('span', { class: 'row__label' }, `${field.title}: `), bdi(valueWords(field, value))]),
  )

/** Of several rows or choices nobody finds the one that is another dose. */
const differs = (): HTMLElement =>
  h('strong', { class: 'nhsuk-tag nhsuk-tag--yellow differs' }, 'Differs')

function rowView([head, ...rest]: readonly Field[], row: Row, other: boolean): HTMLElement {
  const first = head && h('strong', {}, bdi(valueWords(head, row[head.id] ?? '')))
  return h(
    'tr',
    { role: 'row' },
    h('th', { scope: 'row', role: 'rowheader' }, first, ...(other ? [' ', differs()] : [])),
    ...rest.map((one) => cellOf(one, row[one.id] ?? '')),
  )
}

/** The rows of a group: a table, with a column for each field that some row has. */
function rowsView({ title, fields = [] }: Field, value: string, beside?: string): HTMLElement {
  const rows = rowsOf(value)
  const others = beside === undefined ? rows : rowsOf(beside)
  const isThere = (row: Row) =>
    others.some((one) => fields.every(({ id }) => (one[id] ?? '') === (row[id] ?? '')))
  const columns = fields.filter(({ id }) => rows.some((row) => (row[id] ?? '') !== ''))
  const heads = columns.map((one) => h('th', { scope: 'col', role: 'columnheader' }, one.title))
  const table = h(
    'table',
    { class: 'rows-table', role: 'table', 'aria-label': title },
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...heads)),
    h('tbody', { role: 'rowgroup' }, ...rows.map((row) => rowView(columns, row, !isThere(row)))),
  )
  return h('div', { class: `rows-view rows-view--${Math.min(columns.length, 6)}` }, table)
}

/** @param beside the version that stands beside it: what of several is not in that one is marked */
export function valueView(field: Field, value: string, beside?: string): HTMLElement {
  if (field.type === 'group') return rowsView(field, value, beside)
  if (field.type === 'choices') {
    const others = lines(beside ?? value)
    const items = lines(value).map((code) =>
      h('li', {}, bdi(wordsFor(field, code)), ...(others.includes(code) ? [] : [' ', differs()])),
    )
    return h('ul', { class: 'values values--choices' }, ...items)
  }
  const free = field.type === 'text' || field.type === 'long-text' || field.type === 'choice'
  return free ? prose(wordsFor(field, value)) : bdi(valueWords(field, value))
}
