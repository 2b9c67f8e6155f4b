/** Allergies, near the top: before a medicine is given, nobody has time to look for them. */
import { authorOf, type Entry, unclearFields, unshown, valuesOf } from './composition.js'
import { dayOf, showDay, writeDay } from './dates.js'
import type { Field, Section } from './definition.js'
import { h } from './dom.js'
import { isPartial, type Reading, unknownIn } from './reading.js'
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
    ...(state === undefined ? [] : [' ', h('span', { class: 'overview__state' }, state)]),
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

type Known = Pick<Reading, 'sight' | 'entries' | 'content'>

/** Whether each place where the plan may hold some was read, and is shown. */
function isWhole(plan: Known): boolean {
  const { sight, entries } = plan
  const isPlace = (section: Section) => fieldsOf(section).length > 0
  if (isPartial(plan) || sight.hidden.some(isPlace) || unknownIn(plan) > 0) return false
  return sight.seen.filter(isPlace).every((section) => {
    const entry = entries.newest.get(section.template)
    const several = entries.several.has(section.template)
    return !several && (entry === undefined || unshown(section, entry.composition) === 0)
  })
}

const NONE = 'none recorded in this plan. This does not mean that there are none.'
const ELSEWHERE = 'in the record that is not shown: check the full record.'

/** What is said where the places that are shown hold none. */
export const saidOfNone = (plan: Known): string =>
  isWhole(plan) ? NONE : `none recorded in what is shown here. There may be some ${ELSEWHERE}`

/** Of the sections that this role sees. Absent where none of them has a place for allergies. */
export function allergiesOf(plan: Known): readonly HTMLElement[] {
  const places = plan.sight.seen.flatMap((section) =>
    fieldsOf(section).map((field) => ({ section, field })),
  )
  const lines = places
    .map(({ section, field }) => lineOf(section, field, plan.entries.newest.get(section.template)))
    .filter((one) => one !== undefined)
  const [first] = places
  if (!first) return []
  if (lines.length === 0) return [line(first.field.title, h('span', {}, saidOfNone(plan)))]
  const more = h('div', { class: 'allergies' }, `There may be more ${ELSEWHERE}`)
  return isWhole(plan) ? lines : [...lines, more]
}
