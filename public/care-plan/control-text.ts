/** What is typed: texts, and numbers with a unit. */
import { control, hintId, hintOf, label, type Make } from './control.js'
import type { Field } from './definition.js'
import { h } from './dom.js'
import { numberParts } from './half-typed.js'
import { harmless } from './text.js'

const FREE = { dir: 'auto', autocomplete: 'off' } as const

export const textControl: Make = (field, id, value, words) => {
  const long = field.type === 'long-text'
  const described = field.hint === undefined ? {} : { 'aria-describedby': hintId(id) }
  const input = long
    ? h('textarea', { class: 'nhsuk-textarea', id, rows: '4', ...FREE, ...described })
    : h('input', { class: 'nhsuk-input', id, type: 'text', ...FREE, ...described })
  input.value = value
  const hint = hintOf(id, field.hint)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, label(field, id, words), hint, input),
    first: input,
    described: input,
    before: input,
    write: (text) => {
      input.value = text
    },
    read: () => harmless(input.value).trim(),
  })
}

/** The unit of several, or the only one, said beside the number. */
function unitOf(field: Field, id: string, recorded: string | undefined) {
  const known = Object.entries(field.units ?? {})
  const other = recorded !== undefined && field.units?.[recorded] === undefined
  const units = other ? [...known, [recorded, recorded] as const] : known
  if (units.length === 1)
    return {
      element: h('div', { class: 'nhsuk-input__suffix', 'aria-hidden': 'true' }, units[0]?.[1]),
      read: () => units[0]?.[0] ?? '1',
      write: () => undefined,
    }
  const options = units.map(([code, title]) => h('option', { value: code }, title))
  const select = h(
    'select',
    { class: 'nhsuk-select', id: `${id}-unit`, 'aria-label': `${field.title}: unit` },
    ...options,
  )
  select.value = recorded ?? units[0]?.[0] ?? ''
  const write = (code: string) => {
    select.value = code
  }
  return { element: select, read: () => select.value, write }
}

export const quantityControl: Make = (field, id, value, words) => {
  const recorded = value === '' ? undefined : numberParts(value, '1')
  const unit = unitOf(field, id, recorded?.unit)
  const said = Object.values(field.units ?? {})
  const input = h('input', {
    class: 'nhsuk-input nhsuk-input--width-5',
    id,
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    'aria-describedby': field.hint === undefined ? undefined : hintId(id),
  })
  input.value = recorded?.number ?? ''
  const row = h('div', { class: 'nhsuk-input__wrapper' }, input, unit.element)
  const name = label(field, id, said.length === 1 ? [` (${said[0]})`, ...words] : words)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, name, hintOf(id, field.hint), row),
    first: input,
    described: input,
    before: row,
    write: (text) => {
      const said = numberParts(text, unit.read())
      input.value = said.number
      unit.write(said.unit)
    },
    read: () => {
      const number = input.value.trim().replace(',', '.')
      return number === '' ? '' : `${number} ${unit.read()}`
    },
  })
}
