/** One form control for each type of field. */
import type { FieldType } from '../../src/core/plan.js'
import type { Control, Make } from './control.js'
import { choiceControl, choicesControl, selectControl, yesNoControl } from './control-choice.js'
import { dateControl } from './control-date.js'
import { rowsControl } from './control-rows.js'
import { quantityControl, textControl } from './control-text.js'
import type { Field } from './definition.js'
import { type Child, h } from './dom.js'

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

/** @param words more of the label's text, such as whose version it is */
export const controlFor = (field: Field, id: string, value: string, words: Child[] = []): Control =>
  CONTROLS[field.type](field, id, value, words)

const CONTROLS: Readonly<Record<FieldType, Make>> = {
  text: textControl,
  'long-text': textControl,
  date: dateControl,
  choice: choiceControl,
  choices: choicesControl,
  'yes-no': yesNoControl,
  quantity: quantityControl,
  group: rowsControl((field, id, value) => inRow(field)(field, id, value, [])),
}

/** Of many rows, each must be short enough to be seen whole. */
const inRow = ({ type }: Field): Make => (type === 'choice' ? selectControl : CONTROLS[type])
