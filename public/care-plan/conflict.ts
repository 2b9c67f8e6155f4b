/** Two versions of one section, side by side: the user chooses, field by field, what is saved. */
import { type Entry, unclearFields, valuesOf } from './composition.js'
import { introduction, type Kind, WORDS, type Words } from './conflict-words.js'
import type { Control } from './control.js'
import { controlFor } from './controls.js'
import type { Field, Section, Values } from './definition.js'
import { h, hiddenText } from './dom.js'
import { type SectionForm, sectionForm } from './form.js'
import { problemOf } from './half-typed.js'
import { type FieldMerge, mergeOf } from './merge.js'
import { valueView } from './values-view.js'

interface Row {
  readonly element: HTMLElement
  readonly first: HTMLElement
  readonly control: Control
  /** Whether the user has said what to save: always, but for a field that both changed. */
  chosen(): boolean
}

function version(title: string, field: Field, value: string, beside = value): HTMLElement {
  const body =
    value === '' ? h('p', { class: 'empty' }, 'Nothing recorded') : valueView(field, value, beside)
  return h('div', { class: 'version' }, h('h5', {}, title), body)
}

type Choice = 'theirs' | 'yours' | 'other'

const isFree = ({ type }: Field): boolean => type === 'text' || type === 'long-text'

/** Of a draft: what no form would have let be saved. */
const isUnfinished = ({ field, yours }: FieldMerge): boolean =>
  problemOf(field, yours) !== undefined

function optionsOf(merge: FieldMerge, words: Words): readonly (readonly [Choice, string])[] {
  const theirs = ['theirs', words.keep] as const
  if (isUnfinished(merge)) return [theirs, ['other', 'Finish my version']]
  const other = isFree(merge.field) ? 'Write a combined version' : 'Choose something else'
  return [theirs, ['yours', 'Save my version'], ['other', other]]
}

function choices(merge: FieldMerge, words: Words, id: string, pick: (choice: Choice) => void) {
  const { field, changed } = merge
  const rows = optionsOf(merge, words)
  const radios = rows.map(([choice, title]) => {
    const own = `${id}-${choice}`
    const input = h('input', {
      class: 'nhsuk-radios__input',
      type: 'radio',
      name: `${id}-choice`,
      id: own,
      change: () => pick(choice),
    })
    const label = h('label', { class: 'nhsuk-label nhsuk-radios__label', for: own }, title)
    return { input, item: h('div', { class: 'nhsuk-radios__item' }, input, label) }
  })
  const list = h(
    'div',
    { class: 'nhsuk-radios nhsuk-radios--small nhsuk-radios--inline' },
    ...radios.map(({ item }) => item),
  )
  const asks = changed === 'both' ? words.says.both : 'What to save'
  const name = hiddenText(`: ${field.title}`)
  const legend = h('legend', { class: 'nhsuk-fieldset__legend' }, asks, name)
  return {
    element: h('fieldset', { class: 'nhsuk-fieldset' }, legend, list),
    first: radios[0]?.input ?? list,
    check: (choice: Choice) => {
      for (const [i, [name]] of rows.entries()) {
        const input = radios[i]?.input
        if (input) input.checked = name === choice
      }
    },
  }
}

function combined({ theirs, yours }: FieldMerge): string {
  return [theirs, yours].filter((text) => text !== '').join('\n')
}

function rowFor(merge: FieldMerge, words: Words, id: string): Row {
  const { field, theirs, yours, changed } = merge
  const mine = isUnfinished(merge) ? 'other' : 'yours'
  let choice: Choice | undefined =
    changed === 'theirs' ? 'theirs' : changed === 'both' ? undefined : mine
  const own = h('div', { hidden: choice !== 'other' })
  const starting = isFree(field) && mine === 'yours' ? combined(merge) : yours
  const typed = controlFor(field, id, starting, [hiddenText(': version to save')])
  own.append(typed.element)
  const asked = choices(merge, words, id, (picked) => {
    choice = picked
    own.hidden = picked !== 'other'
  })
  if (choice) asked.check(choice)
  const read = () =>
    choice === 'other' ? typed.read() : { value: choice === 'theirs' ? theirs : yours }
  const element = h(
    'section',
    { class: `difference difference--${changed}`, 'aria-label': field.title },
    h('h4', {}, field.title),
    h(
      'div',
      { class: 'versions' },
      version(words.theirs, field, theirs, yours),
      version(words.yours, field, yours, theirs),
    ),
    changed === 'both' ? undefined : h('p', { class: 'note' }, words.says[changed]),
    asked.element,
    own,
  )
  return {
    element,
    first: asked.first,
    control: { ...typed, element, first: asked.first, read },
    chosen: () => choice !== undefined,
  }
}

/** A field that needs no row: both hold the same. */
const settled = ({ field, yours }: FieldMerge): Control => ({
  field,
  element: h('div', { hidden: true }),
  first: h('span'),
  read: () => ({ value: yours }),
  tell: () => undefined,
})

/** Their value cannot be told: it stays, and what was typed against it is shown, to be copied. */
function keptRow(merge: FieldMerge, words: Words): Row {
  const { field, base, yours } = merge
  const element = h(
    'section',
    { class: 'difference', 'aria-label': field.title, hidden: yours === base },
    h('h4', {}, field.title),
    h('div', { class: 'versions' }, version(words.yours, field, yours)),
    h('p', { class: 'note' }, words.kept),
  )
  const control = { ...settled(merge), element, read: () => ({ value: '' }), draft: yours }
  return { element, first: element, control, chosen: () => true }
}

interface Conflict {
  readonly section: Section
  readonly kind: Kind
  /** What you started from. */
  readonly base: Values
  readonly theirs: Entry
  readonly yours: Values
  /** Of a draft that was gone on with: when it was last kept. */
  readonly kept?: Date | undefined
  readonly unsettled: () => boolean
  readonly save: (values: Values) => void
  readonly cancel: () => void
}

export function conflictForm(conflict: Conflict): SectionForm {
  const { section, kind, base, theirs, yours, kept, unsettled, save, cancel } = conflict
  const merges = mergeOf(section, base, valuesOf(section, theirs.composition), yours)
  const words = WORDS[kind]
  const unclear = unclearFields(section, theirs.composition)
  const differ = ({ field, changed }: FieldMerge) => changed !== 'same' || unclear.has(field.id)
  const rows = merges
    .filter(differ)
    .map((merge) =>
      unclear.has(merge.field.id)
        ? keptRow(merge, words)
        : rowFor(merge, words, `merge-${section.id}-${merge.field.id}`),
    )
  const undecided = () =>
    rows
      .filter((row) => !row.chosen())
      .map((row) => ({
        text: `${row.control.field.title}: choose which version to save`,
        leadsTo: row.first,
      }))
  return sectionForm({
    section,
    heading: `${section.title}: ${words.heading}`,
    intro: [introduction(kind, theirs, kept)],
    controls: [
      ...rows.map(({ control }) => control),
      ...merges.filter((merge) => !differ(merge)).map(settled),
    ],
    saveLabel: 'Save this version',
    problems: undecided,
    unsettled,
    save,
    cancel,
  })
}
