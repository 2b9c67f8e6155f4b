/** Allergies, near the top: before a medicine is given, nobody has time to look for them. */
import { authorOf, type Entry, unclearFields, valuesOf } from './composition.js'
import { dayOf, showDay, writeDay } from './dates.js'
import type { Field, Section } from './definition.js'
import { h } from './dom.js'
import { valueView } from './values-view.js'

/** The fields that hold them: those that take over the GP record's. */
function fieldsOf({ adopt = [], fields }: Section): readonly Field[] {
  const into = adopt.filter(({ of }) => of === 'AllergyIntolerance').map((one) => one.into)
  return fields.filter(({ id }) => into.includes(id))
}

const line = (title: string, said: HTMLElement, state?: string): HTMLElement =>
  h(
    'div',
    { class: 'allergies' },
    h('strong', {}, `${title}: `),
    said,
    state === undefined ? undefined : h('span', { class: 'overview__state' }, state),
  )

function lineOf(section: Section, field: Field, entry: Entry | undefined): HTMLElement | undefined {
  if (unclearFields(section, entry?.composition).has(field.id))
    return line(field.title, h('span', {}, 'cannot be shown here: check the full record.'))
  const value = valuesOf(section, entry?.composition)[field.id] ?? ''
  if (!entry || value === '') return undefined
  const { at } = authorOf(entry.composition)
  const written = at === undefined ? 'date not recorded' : showDay(writeDay(dayOf(at)))
  return line(field.title, valueView(field, value), `(${written})`)
}

const NONE = 'none recorded in this plan. This does not mean that there are none.'

/** Of the sections that this role sees. Absent where none of them has a place for allergies. */
export function allergiesOf(
  sections: readonly Section[],
  newest: ReadonlyMap<string, Entry>,
): readonly HTMLElement[] {
  const places = sections.flatMap((section) =>
    fieldsOf(section).map((field) => ({ section, field })),
  )
  const lines = places
    .map(({ section, field }) => lineOf(section, field, newest.get(section.template)))
    .filter((one) => one !== undefined)
  const [first] = places
  if (lines.length > 0 || !first) return lines
  return [line(first.field.title, h('span', {}, NONE))]
}
