/** What every form control is made of, in the manner of the NHS design system. */
import type { Field } from './definition.js'
import { type Child, h, hiddenText } from './dom.js'
import { problemOf } from './half-typed.js'

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
  /** What a draft keeps, where that is not what would be saved. */
  readonly draft?: string | undefined
  /** Puts a whole value in, as if it had been typed; absent where nothing but the user does. */
  readonly write?: ((value: string) => void) | undefined
  tell(problem: string | undefined): void
}

export interface Parts {
  readonly group: HTMLElement
  readonly first: HTMLElement
  /** What carries the error by `aria-describedby`: the input, or the fieldset around several. */
  readonly described: HTMLElement
  /** The error is put before this. */
  readonly before: HTMLElement
  /** What was typed, in whatever state. */
  read(): string
  readonly write?: (value: string) => void
  /** What is wrong with it, where its text does not tell. */
  readonly problem?: () => string | undefined
}

/** Makes one kind of control. @param words more of the label's text, such as whose version it is */
export type Make = (field: Field, id: string, value: string, words: Child[]) => Control

export function control(field: Field, id: string, parts: Parts): Control {
  const { group, first, described, before, read, write } = parts
  const errorId = `${id}-error`
  const hint = described.getAttribute('aria-describedby')
  return {
    field,
    element: group,
    first,
    write,
    read: () => {
      const value = read()
      const problem = parts.problem?.() ?? problemOf(field, value)
      return problem === undefined ? { value } : { value, problem }
    },
    tell: (problem) => {
      group.querySelector(`#${errorId}`)?.remove()
      group.classList.toggle('nhsuk-form-group--error', problem !== undefined)
      const ids = [hint, problem && errorId].filter(Boolean).join(' ')
      if (ids === '') described.removeAttribute('aria-describedby')
      else described.setAttribute('aria-describedby', ids)
      if (problem === undefined) return
      const error = { class: 'nhsuk-error-message', id: errorId }
      before.before(h('span', error, hiddenText('Error: '), problem))
    },
  }
}

export const hintId = (id: string): string => `${id}-hint`

/** `undefined` for a field without one. */
export const hintOf = (id: string, hint: string | undefined): HTMLElement | undefined =>
  hint === undefined ? undefined : h('div', { class: 'nhsuk-hint', id: hintId(id) }, hint)

/** An optional field says nothing; one that is not is marked in words. */
const wordsOf = ({ title, required }: Field, words: readonly Child[]): Child[] => [
  title,
  ...(required ? [' (required)'] : []),
  ...words,
]

export const label = (field: Field, id: string, words: Child[]): HTMLElement =>
  h('label', { class: 'nhsuk-label nhsuk-u-font-weight-bold', for: id }, ...wordsOf(field, words))

export function fieldset(
  field: Field,
  id: string,
  words: Child[],
  hint: string | undefined,
  ...inside: HTMLElement[]
): HTMLElement {
  return h(
    'fieldset',
    {
      class: 'nhsuk-fieldset',
      id,
      role: 'group',
      'aria-describedby': hint === undefined ? undefined : hintId(id),
    },
    h(
      'legend',
      { class: 'nhsuk-fieldset__legend nhsuk-u-font-weight-bold' },
      ...wordsOf(field, words),
    ),
    hintOf(id, hint),
    ...inside,
  )
}

/** A radio button or a checkbox with its label. */
export function tick(
  kind: 'radio' | 'checkbox',
  id: string,
  name: string,
  value: string,
  title: Child,
): { readonly input: HTMLInputElement; readonly item: HTMLElement } {
  const look = kind === 'radio' ? 'nhsuk-radios' : 'nhsuk-checkboxes'
  const input = h('input', { class: `${look}__input`, type: kind, name, id, value })
  const words = h('label', { class: `nhsuk-label ${look}__label`, for: id }, title)
  return { input, item: h('div', { class: `${look}__item` }, input, words) }
}
