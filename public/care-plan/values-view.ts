/** What a field holds, as a person reads it. */
import { quantityOf, rowsOf } from '../../src/core/plan-values.js'
import { type Field, wordsFor } from './definition.js'
import { bdi, h, prose } from './dom.js'
import { dayWords } from './half-typed.js'

const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

function quantityWords(field: Field, value: string): string {
  const { number, unit } = quantityOf(value) ?? { number: value, unit: '' }
  const said = field.units?.[unit] ?? unit
  return said === '' || unit === '1' ? number : `${number} ${said}`
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

const rowWords = (field: Field, row: Readonly<Record<string, string>>): string =>
  (field.fields ?? [])
    .filter(({ id }) => (row[id] ?? '') !== '')
    .map((one) => `${one.title}: ${valueWords(one, row[one.id] ?? '')}`)
    .join(', ')

function rowView(field: Field, row: Readonly<Record<string, string>>): HTMLElement {
  const [head, ...rest] = (field.fields ?? []).filter(({ id }) => (row[id] ?? '') !== '')
  const parts = rest.map((one) =>
    h(
      'span',
      {},
      ' · ',
      h('span', { class: 'row__label' }, `${one.title}: `),
      bdi(valueWords(one, row[one.id] ?? '')),
    ),
  )
  const first = head === undefined ? '' : valueWords(head, row[head.id] ?? '')
  return h('li', {}, h('strong', {}, bdi(first)), ...parts)
}

export function valueView(field: Field, value: string): HTMLElement {
  if (field.type === 'group')
    return h('ul', { class: 'values' }, ...rowsOf(value).map((row) => rowView(field, row)))
  if (field.type === 'choices') {
    const items = lines(value).map((code) => h('li', {}, bdi(wordsFor(field, code))))
    return h('ul', { class: 'values values--choices' }, ...items)
  }
  const free = field.type === 'text' || field.type === 'long-text' || field.type === 'choice'
  return free ? prose(wordsFor(field, value)) : bdi(valueWords(field, value))
}
