/** A day, as three numbers. */
import { control, fieldset, type Make } from './control.js'
import { h } from './dom.js'
import { dayParts, dayText } from './half-typed.js'

const PARTS = [
  ['day', 'Day', 2],
  ['month', 'Month', 2],
  ['year', 'Year', 4],
] as const

const EXAMPLE = 'For example, 5 11 2026'

export const dateControl: Make = (field, id, value, words) => {
  const start = dayParts(value)
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
      const parts = dayParts(text)
      for (const [i, input] of inputs.entries()) input.value = parts[i] ?? ''
    },
    read: () => {
      const [day = '', month = '', year = ''] = inputs.map((input) => input.value.trim())
      // A partial date of the record stays as it is until somebody touches it.
      const touched = day !== start[0] || month !== start[1] || year !== start[2]
      return touched ? dayText([day, month, year]) : value
    },
  })
}
