/** One of several, several of several, and yes or no. */
import { control, fieldset, hintId, hintOf, label, type Make, tick } from './control.js'
import { type Field, wordsFor } from './definition.js'
import { bdi, h } from './dom.js'
import { harmless } from './text.js'

/** Code and title; a code that the definitions do not know must survive an edit of its neighbours. */
const optionsOf = (
  field: Field,
  recorded: readonly string[],
): readonly (readonly [string, string])[] => [
  ...Object.entries(field.options ?? {}),
  ...recorded
    .filter((code) => code !== '' && field.options?.[code] === undefined)
    .map((code) => [code, `${code} (as recorded)`] as const),
]

/** More than this as radio buttons would fill the screen. */
const MOST_RADIOS = 7

export const selectControl: Make = (field, id, value, words) => {
  const options = [['', 'Not recorded'] as const, ...optionsOf(field, [value])]
  const select = h(
    'select',
    {
      class: 'nhsuk-select',
      id,
      'aria-describedby': field.hint === undefined ? undefined : hintId(id),
    },
    ...options.map(([code, title]) => h('option', { value: code }, harmless(title))),
  )
  select.value = value
  return control(field, id, {
    group: h(
      'div',
      { class: 'nhsuk-form-group' },
      label(field, id, words),
      hintOf(id, field.hint),
      select,
    ),
    first: select,
    described: select,
    before: select,
    write: (code) => {
      select.value = code
    },
    read: () => select.value,
  })
}

const radiosControl: Make = (field, id, value, words) => {
  const options = [...optionsOf(field, [value]), ['', 'Not recorded'] as const]
  const radios = options.map(([code, title], i) =>
    tick('radio', `${id}-${i}`, id, code, bdi(title)),
  )
  const choose = (code: string) => {
    for (const { input } of radios) input.checked = input.value === code
  }
  choose(value)
  const items = radios.map(({ item }) => item)
  const list = h('div', { class: 'nhsuk-radios nhsuk-radios--small' }, ...items)
  const set = fieldset(field, id, words, field.hint, list)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, set),
    first: radios[0]?.input ?? set,
    described: set,
    before: list,
    write: choose,
    read: () => radios.find(({ input }) => input.checked)?.input.value ?? '',
  })
}

export const choiceControl: Make = (field, ...rest) =>
  Object.keys(field.options ?? {}).length > MOST_RADIOS
    ? selectControl(field, ...rest)
    : radiosControl(field, ...rest)

export const yesNoControl: Make = (field, id, value, words) => {
  const options = { yes: wordsFor(field, 'yes'), no: wordsFor(field, 'no') }
  return choiceControl({ ...field, options }, id, value, words)
}

export const choicesControl: Make = (field, id, value, words) => {
  const chosen = value.split('\n')
  const boxes = optionsOf(field, chosen).map(([code, title], i) =>
    tick('checkbox', `${id}-${i}`, id, code, bdi(title)),
  )
  const choose = (codes: readonly string[]) => {
    for (const { input } of boxes) input.checked = codes.includes(input.value)
  }
  choose(chosen)
  const items = boxes.map(({ item }) => item)
  const list = h('div', { class: 'nhsuk-checkboxes nhsuk-checkboxes--small' }, ...items)
  const set = fieldset(field, id, words, field.hint ?? 'Choose all that apply.', list)
  const ticked = () => boxes.filter(({ input }) => input.checked)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, set),
    first: boxes[0]?.input ?? set,
    described: set,
    before: list,
    write: (text) => choose(text.split('\n')),
    read: () =>
      ticked()
        .map(({ input }) => input.value)
        .join('\n'),
  })
}
