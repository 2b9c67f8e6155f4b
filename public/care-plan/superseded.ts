/** The chart has moved on: what was typed here is not saved, and is not lost either. */
import type { CallFailed } from './connection.js'
import type { Section, Values } from './definition.js'
import { bdi, button, facts, h, prose } from './dom.js'
import { changedFields } from './merge.js'
import { type Kept as Draft, keptLine, referenceView } from './pages.js'
import { valueView } from './values-view.js'

/** Changes that were refused because the chart had moved on. */
export interface Kept {
  readonly section: Section
  readonly values: Values
  /** What the record held when they were begun. */
  readonly start: Values
  readonly failure: CallFailed
  /** What of them the gateway keeps. */
  readonly draft?: Draft | undefined
}

function draftOf({ section, values, start }: Kept): HTMLElement {
  const changed = changedFields(section, start, values)
  const rows = section.fields.flatMap((field) => {
    if (!changed.includes(field.id)) return []
    const value = values[field.id] ?? ''
    const words = value === '' ? prose('Nothing: you emptied it') : valueView(field, value)
    return [[field.title, words] as const]
  })
  return h(
    'section',
    { class: 'section', 'data-draft': section.id, 'aria-label': `Not saved: ${section.title}` },
    h('h2', { class: 'nhsuk-heading-m' }, 'What you changed, not saved: ', bdi(section.title)),
    facts(rows),
  )
}

/** @param show back to the plan, which can still be read here */
export function supersededPage(kept: Kept, launch: string | undefined, show: () => void) {
  const { section, failure, draft } = kept
  return h(
    'div',
    { class: 'page-message', 'data-page': 'superseded' },
    h(
      'h1',
      { class: 'nhsuk-heading-l', tabindex: '-1' },
      'This care plan can no longer be changed here',
    ),
    h('p', {}, h('strong', {}, `Your changes to “${section.title}” were not saved.`)),
    draft && h('p', { class: 'kept-line' }, keptLine(draft)),
    h('p', {}, bdi(failure.words)),
    h('p', {}, 'This keeps changes from reaching the wrong patient when two care plans are open.'),
    h(
      'ol',
      {},
      h(
        'li',
        {},
        'Check that the name above is that of the patient whose plan you want to change.',
      ),
      h('li', {}, 'Copy what you need from below: it stays here until you close this page.'),
      h(
        'li',
        {},
        'Open that patient’s care plan again from the patient record, and make the change there.',
      ),
    ),
    referenceView(failure.reference || launch),
    draftOf(kept),
    button('Show this plan, to read', show, 'secondary'),
  )
}
