/** Unsaved changes of before, offered above the plan: to go on with, or to discard. */
import { showMoment } from './dates.js'
import type { Section } from './definition.js'
import { ask, bdi, button, choose, h, hiddenText } from './dom.js'

export interface Offered {
  readonly section: Section
  readonly kept: Date
  /** Absent where the section cannot be changed here, as it stands. */
  readonly proceed?: (() => void) | undefined
  readonly discard: () => void
  /** Why the last try did not work. */
  readonly trouble?: string | undefined
}

const words = ({ title }: Section, kept: Date) =>
  `You have unsaved changes to “${title}” from ${showMoment(kept)}`

function rowOf({ section, kept, proceed, discard, trouble }: Offered): HTMLElement {
  const { title } = section
  const sure = async () => {
    const detail = `They are not in the record. What you typed on ${showMoment(kept)} will be gone.`
    const question = `Discard your unsaved changes to “${title}”?`
    if (await ask(question, detail, 'Discard changes', 'Keep them')) discard()
  }
  return h(
    'div',
    { class: 'unsaved__one' },
    h('p', {}, bdi(`${words(section, kept)}.`)),
    trouble ? h('p', { role: 'alert', class: 'nhsuk-error-message' }, trouble) : undefined,
    proceed
      ? undefined
      : h('p', {}, 'This section cannot be changed here now, so they cannot be opened.'),
    h(
      'div',
      { class: 'buttons' },
      proceed && button(['Continue', hiddenText(` with ${title}`)], proceed),
      button(['Discard', hiddenText(` changes to ${title}`)], () => void sure(), 'secondary'),
    ),
  )
}

/** `undefined` where there are none. */
export const unsavedPanel = (offered: readonly Offered[]): HTMLElement | undefined =>
  offered.length === 0
    ? undefined
    : h('section', { class: 'unsaved', 'aria-label': 'Unsaved changes' }, ...offered.map(rowOf))

/** It could not be asked: that is not the same as none. */
export const uncheckedLine = (again: () => void): HTMLElement =>
  h(
    'section',
    { class: 'unsaved', 'aria-label': 'Unsaved changes' },
    h('p', {}, 'It could not be checked whether you have unsaved changes to this plan.'),
    button('Check again', again, 'secondary'),
  )

export type Choice = 'continue' | 'discard' | 'neither'

/** Before a form opens of which there are unsaved changes. */
export const askFirst = (section: Section, kept: Date): Promise<Choice> =>
  choose<Choice>(
    `${words(section, kept)}`,
    'Continue with them, or discard them and begin from what the record holds.',
    [
      { label: 'Continue', value: 'continue', kind: 'primary' },
      { label: 'Discard changes', value: 'discard', kind: 'warning' },
    ],
    'neither',
  )
