/** A group of fields that repeats, such as contacts: rows that are added and removed. */
import { ROWS } from '../../src/core/plan.js'
import { groupText, rowsOf } from '../../src/core/plan-values.js'
import { type Control, control, fieldset, type Make } from './control.js'
import type { Field, Values } from './definition.js'
import { button, focusOn, h, hiddenText } from './dom.js'
import { announce } from './shell.js'

interface Row {
  readonly element: HTMLElement
  readonly legend: HTMLElement
  readonly remove: HTMLButtonElement
  readonly controls: readonly Control[]
}

/** How the controls of a row are made: the table of all kinds, which this kind is one of. */
type MakeAny = (field: Field, id: string, value: string) => Control

function rowOf(
  field: Field,
  id: string,
  values: Values,
  make: MakeAny,
  drop: (row: Row) => void,
): Row {
  const controls = (field.fields ?? []).map((one) =>
    make(one, `${id}-${one.id}`, values[one.id] ?? ''),
  )
  const legend = h('legend', { class: 'nhsuk-fieldset__legend row__title' })
  const remove = button('Remove', () => drop(row), 'secondary')
  const inside = controls.map(({ element }) => element)
  const fields = h('div', { class: 'row__fields' }, ...inside)
  const element = h('fieldset', { class: 'nhsuk-fieldset row' }, legend, fields, remove)
  const row: Row = { element, legend, remove, controls }
  return row
}

const readRow = ({ controls }: Row): Values =>
  Object.fromEntries(controls.map((one) => [one.field.id, one.read().value]))

/** A row in which nothing stands is no row: nothing is missing in it. */
const isEmpty = (row: Row): boolean => Object.values(readRow(row)).every((text) => text === '')

const wrongIn = (row: Row): readonly Control[] =>
  isEmpty(row) ? [] : row.controls.filter((one) => one.read().problem !== undefined)

export const rowsControl =
  (make: MakeAny): Make =>
  (field, id, value, words) => {
    const rows: Row[] = []
    const list = h('div', { class: 'rows' })
    let made = 0
    const number = () => {
      for (const [i, { legend, remove }] of rows.entries()) {
        legend.textContent = `${field.title} ${i + 1}`
        remove.replaceChildren('Remove', hiddenText(` ${field.title} ${i + 1}`))
      }
      add.hidden = rows.length >= (field.most ?? ROWS)
    }
    const drop = (row: Row) => {
      const at = rows.indexOf(row)
      rows.splice(at, 1)
      row.element.remove()
      number()
      announce(`${field.title} ${at + 1} removed`)
      focusOn((rows[at] ?? rows.at(-1))?.remove ?? add)
    }
    const append = (values: Values): Row => {
      made += 1
      const row = rowOf(field, `${id}-${made}`, values, make, drop)
      rows.push(row)
      list.append(row.element)
      number()
      return row
    }
    const add = button('Add', () => append({}).controls[0]?.first.focus(), 'secondary')
    add.append(hiddenText(` to ${field.title}`))
    for (const row of rowsOf(value)) append(row)
    number()
    const set = fieldset(field, id, words, field.hint, list, add)
    const base = control(field, id, {
      group: h('div', { class: 'nhsuk-form-group' }, set),
      first: add,
      described: set,
      before: list,
      write: (text) => {
        rows.length = 0
        list.replaceChildren()
        for (const row of rowsOf(text)) append(row)
        number()
      },
      read: () => groupText(field, rows.map(readRow)),
      // By the row's number on the page: empty ones are counted there.
      problem: () => {
        const wrong = rows.flatMap((row, i) =>
          wrongIn(row).map((one) => `${field.title} ${i + 1}: ${one.read().problem}`),
        )
        return wrong.length === 0 ? undefined : wrong.join('; ')
      },
    })
    return {
      ...base,
      get first() {
        return rows.flatMap(wrongIn)[0]?.first ?? rows[0]?.controls[0]?.first ?? add
      },
      tell: (problem) => {
        base.tell(problem)
        for (const row of rows)
          for (const one of row.controls)
            one.tell(
              problem !== undefined && wrongIn(row).includes(one) ? one.read().problem : undefined,
            )
      },
    }
  }
