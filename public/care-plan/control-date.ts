/** A day, as three numbers. */
import { control, fieldset, type Make, type Reading } from './control.js'
import { readDay } from './dates.js'
import type { Field } from './definition.js'
import { h } from './dom.js'

const PARTS = [
  ['day', 'Day', 2],
  ['month', 'Month', 2],
  ['year', 'Year', 4],
] as const

const EXAMPLE = 'For example, 5 11 2026'

function dateReading(field: Field, [day = '', month = '', year = '']: readonly string[]): Reading {
  if (day + month + year === '') return { value: '' }
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  return readDay(iso)
    ? { value: iso }
    : { value: iso, problem: `${field.title} must be a real date, such as 5 11 2026` }
}

export const dateControl: Make = (field, id, value, words) => {
  const [year = '', month = '', day = ''] = value.split('-')
  const start = [day, month, year]
  const inputs = PARTS.map(([part, , size], i) => {
    const input = h('input', {
      class: `nhsuk-input nhsuk-date-input__input nhsuk-input--width-${size}`,
      id: `${id}-${part}`,
      inputmode: 'numeric',
      autocomplete: 'off',
    })
    input.value = start[i] ?? ''
    return input
  })
  const items = PARTS.map(([part, title], i) => {
    const name = h('label', { class: 'nhsuk-label', for: `${id}-${part}` }, title)
    return h('div', { class: 'nhsuk-date-input__item' }, name, inputs[i])
  })
  const list = h('div', { class: 'nhsuk-date-input' }, ...items)
  const hint = field.hint === undefined ? EXAMPLE : `${field.hint} ${EXAMPLE}`
  const set = fieldset(field, id, words, hint, list)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, set),
    first: inputs[0] ?? set,
    described: set,
    before: list,
    write: (text) => {
      const parts = text.split('-').reverse()
      for (const [i, input] of inputs.entries()) input.value = parts[i] ?? ''
    },
    read: () => {
      const typed = inputs.map((input) => input.value.trim())
      // A partial date of the record stays as it is until somebody touches it.
      return typed.join('/') === start.join('/') ? { value } : dateReading(field, typed)
    },
  })
}
