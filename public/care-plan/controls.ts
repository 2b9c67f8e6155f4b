/** One form control for each type of field, in the manner of the NHS design system. */
import { readDay } from './dates.js'
import { type Field, LENGTHS } from './definition.js'
import { bdi, type Child, h, hiddenText } from './dom.js'
import { harmless } from './text.js'

export interface Reading {
  readonly value: string
  /** What is wrong with it, in words for the user. */
  readonly problem?: string
}

export interface Control {
  readonly field: Field
  readonly element: HTMLElement
  /** What an error message leads to. */
  readonly first: HTMLElement
  read(): Reading
  tell(problem: string | undefined): void
}

interface Parts {
  readonly group: HTMLElement
  readonly first: HTMLElement
  /** What carries the error by `aria-describedby`: the input, or the fieldset around several. */
  readonly described: HTMLElement
  /** The error is put before this. */
  readonly before: HTMLElement
  read(): Reading
}

function control(field: Field, id: string, parts: Parts): Control {
  const { group, first, described, before, read } = parts
  const errorId = `${id}-error`
  const hint = described.getAttribute('aria-describedby')
  return {
    field,
    element: group,
    first,
    read,
    tell: (problem) => {
      group.querySelector(`#${errorId}`)?.remove()
      group.classList.toggle('nhsuk-form-group--error', problem !== undefined)
      described.setAttribute(
        'aria-describedby',
        [hint, problem && errorId].filter(Boolean).join(' '),
      )
      if (problem === undefined) return
      const error = { class: 'nhsuk-error-message', id: errorId }
      before.before(h('span', error, hiddenText('Error: '), problem))
    },
  }
}

const label = (field: Field, id: string, words: Child[]): HTMLElement =>
  h('label', { class: 'nhsuk-label nhsuk-u-font-weight-bold', for: id }, field.title, ...words)

function textControl(field: Field, id: string, value: string, words: Child[]): Control {
  const long = field.type === 'long-text'
  const input = long
    ? h('textarea', { class: 'nhsuk-textarea', id, rows: '4', dir: 'auto' })
    : h('input', { class: 'nhsuk-input', id, type: 'text', dir: 'auto', autocomplete: 'off' })
  input.value = value
  const most = LENGTHS[long ? 'long-text' : 'text']
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, label(field, id, words), input),
    first: input,
    described: input,
    before: input,
    read: () => {
      const typed = harmless(input.value).trim()
      const over = typed.length - most
      return over > 0
        ? { value: typed, problem: `${field.title}: shorten it by ${over} characters` }
        : { value: typed }
    },
  })
}

function fieldset(field: Field, id: string, words: Child[], hint: string, inside: HTMLElement) {
  const note = hint === '' ? undefined : h('div', { class: 'nhsuk-hint', id: `${id}-hint` }, hint)
  return h(
    'fieldset',
    {
      class: 'nhsuk-fieldset',
      id,
      role: 'group',
      'aria-describedby': note === undefined ? undefined : `${id}-hint`,
    },
    h(
      'legend',
      { class: 'nhsuk-fieldset__legend nhsuk-u-font-weight-bold' },
      field.title,
      ...words,
    ),
    note,
    inside,
  )
}

function choiceControl(field: Field, id: string, value: string, words: Child[]): Control {
  const known = Object.entries(field.options ?? {})
  // A code that the definitions do not know must survive an edit of its neighbours.
  const asRecorded: [string, string][] =
    value !== '' && field.options?.[value] === undefined ? [[value, `${value} (as recorded)`]] : []
  const options = [...known, ...asRecorded, ['', 'Not recorded'] as [string, string]]
  const radios = options.map(([code], i) =>
    h('input', {
      class: 'nhsuk-radios__input',
      type: 'radio',
      name: id,
      id: `${id}-${i}`,
      value: code,
    }),
  )
  for (const radio of radios) radio.checked = radio.value === value
  const items = options.map(([, title], i) =>
    h(
      'div',
      { class: 'nhsuk-radios__item' },
      radios[i],
      h('label', { class: 'nhsuk-label nhsuk-radios__label', for: `${id}-${i}` }, bdi(title)),
    ),
  )
  const list = h('div', { class: 'nhsuk-radios nhsuk-radios--small' }, ...items)
  const set = fieldset(field, id, words, '', list)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, set),
    first: radios[0] ?? set,
    described: set,
    before: list,
    read: () => ({ value: radios.find((radio) => radio.checked)?.value ?? '' }),
  })
}

const PARTS = [
  ['day', 'Day', 2],
  ['month', 'Month', 2],
  ['year', 'Year', 4],
] as const

function dateReading(field: Field, [day = '', month = '', year = '']: readonly string[]): Reading {
  if (day + month + year === '') return { value: '' }
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  return readDay(iso)
    ? { value: iso }
    : { value: iso, problem: `${field.title} must be a real date, such as 5 11 2026` }
}

function dateControl(field: Field, id: string, value: string, words: Child[]): Control {
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
  const set = fieldset(field, id, words, 'For example, 5 11 2026', list)
  return control(field, id, {
    group: h('div', { class: 'nhsuk-form-group' }, set),
    first: inputs[0] ?? set,
    described: set,
    before: list,
    read: () => {
      const typed = inputs.map((input) => input.value.trim())
      // A partial date of the record stays as it is until somebody touches it.
      return typed.join('/') === start.join('/') ? { value } : dateReading(field, typed)
    },
  })
}

/** A field that is not to be changed: what the record holds of it cannot be told here. */
export const fixedControl = (field: Field, id: string): Control => {
  const note = h(
    'p',
    { class: 'nhsuk-hint', id },
    'Cannot be shown here, and cannot be changed here: check the full record.',
  )
  const title = h('p', { class: 'nhsuk-label nhsuk-u-font-weight-bold' }, field.title)
  return {
    field,
    element: h('div', { class: 'nhsuk-form-group' }, title, note),
    first: note,
    read: () => ({ value: '' }),
    tell: () => undefined,
  }
}

const CONTROLS = {
  text: textControl,
  'long-text': textControl,
  choice: choiceControl,
  date: dateControl,
} as const

/** @param words more of the label's text, such as whose version it is */
export const controlFor = (field: Field, id: string, value: string, words: Child[] = []): Control =>
  CONTROLS[field.type](field, id, value, words)
