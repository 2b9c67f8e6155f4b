/** A form that keeps what was typed whatever becomes of the save. */
import type { Control } from './control.js'
import type { Section, Values } from './definition.js'
import { ask, button, type Child, focusOn, h } from './dom.js'
import { changedFields } from './merge.js'
import type { Offers } from './offers.js'

/** What a save that did not happen says, and the reference for those who help. */
export interface Unsaved {
  readonly text: string
  readonly reference?: string
}

export interface SectionForm {
  readonly element: HTMLElement
  /** What stands in the controls now, for a draft. */
  values(): Values
  /** Whether anything typed would be lost. */
  dirty(): boolean
  busy(on: boolean): void
  /** Shows why it was not saved, above the controls, which stay as they are. */
  refuse(why: Unsaved): void
}

interface Setup {
  readonly section: Section
  readonly heading: string
  readonly intro?: readonly Child[]
  readonly controls: readonly Control[]
  /** Beside the controls, from elsewhere. */
  readonly offers?: Pick<Offers, 'status' | 'refresh'> | undefined
  /** What the record holds; absent when what stands here exists nowhere else, and would always be lost. */
  readonly start?: Values
  readonly saveLabel: string
  /** Further conditions on saving, such as a choice that was not made. */
  readonly problems?: () => readonly { readonly text: string; readonly leadsTo: HTMLElement }[]
  /** Whether an earlier save may have been done. */
  readonly unsettled: () => boolean
  readonly save: (values: Values) => void
  readonly cancel: () => void
}

type Problem = { readonly text: string; readonly leadsTo?: HTMLElement }

function summary(problems: readonly Problem[], reference?: string): HTMLElement {
  const lines = problems.map(({ text, leadsTo }) => {
    const go = (event: Event) => {
      event.preventDefault()
      leadsTo?.focus()
    }
    return h('li', {}, leadsTo ? h('a', { href: `#${leadsTo.id}`, click: go }, text) : text)
  })
  return h(
    'div',
    { class: 'nhsuk-error-summary', role: 'alert', tabindex: '-1' },
    h('h4', { class: 'nhsuk-error-summary__title' }, 'There is a problem'),
    h(
      'div',
      { class: 'nhsuk-error-summary__body' },
      h('ul', { class: 'nhsuk-list nhsuk-error-summary__list' }, ...lines),
      reference
        ? h(
            'p',
            { class: 'reference' },
            'Reference: ',
            h('code', { 'data-reference': true }, reference),
          )
        : undefined,
    ),
  )
}

function check({ controls, problems }: Setup): Problem[] {
  const wrong = controls.flatMap((one) => {
    const { problem } = one.read()
    one.tell(problem)
    return problem === undefined ? [] : [{ text: problem, leadsTo: one.first }]
  })
  return [...wrong, ...(problems?.() ?? [])]
}

const read = (controls: readonly Control[]): Values =>
  Object.fromEntries(controls.map((one) => [one.field.id, one.read().value]))

const askToLeave = ({ section, unsettled }: Setup): Promise<boolean> =>
  unsettled()
    ? ask(
        'Stop editing?',
        `It is not known whether your changes to “${section.title}” were saved. What you typed will be removed, and the section read again to show what the record holds.`,
        'Read the section again',
        'Keep editing',
      )
    : ask(
        'Discard your changes?',
        `Your changes to “${section.title}” have not been saved.`,
        'Discard changes',
        'Keep editing',
      )

/** The element is to be put in place of the section's own view. */
export function sectionForm(setup: Setup): SectionForm {
  const { section, controls, start } = setup
  const above = h('div', {})
  const look = () => setup.offers?.refresh()
  const fields = h(
    'div',
    { input: look, click: look },
    ...(setup.intro ?? []),
    setup.offers?.status,
    ...controls.map(({ element }) => element),
  )
  const status = h('p', { role: 'status', class: 'saving' })
  let saving = false

  const show = (problems: readonly Problem[], reference?: string) => {
    const box = summary(problems, reference)
    above.replaceChildren(box)
    box.focus()
  }
  const submit = (event: Event) => {
    event.preventDefault()
    if (saving) return
    const problems = check(setup)
    above.replaceChildren()
    if (problems.length > 0) show(problems)
    else setup.save(read(controls))
  }
  const dirty = () => !start || changedFields(section, start, read(controls)).length > 0
  const cancel = async () => {
    if (saving) return
    if (!dirty() || (await askToLeave(setup))) setup.cancel()
  }
  const buttons = [
    h('button', { type: 'submit', class: 'nhsuk-button nhsuk-button--small' }, setup.saveLabel),
    button('Cancel', () => void cancel(), 'secondary'),
  ]
  const title = h('h3', { tabindex: '-1' }, setup.heading)
  const row = h('div', { class: 'buttons' }, ...buttons)
  const form = h(
    'form',
    { class: 'form', novalidate: true, submit },
    above,
    title,
    fields,
    row,
    status,
  )
  return {
    element: form,
    values: () =>
      Object.fromEntries(controls.map((one) => [one.field.id, one.draft ?? one.read().value])),
    dirty,
    busy: (on) => {
      saving = on
      // What is typed while a save is under way would be neither saved nor kept.
      fields.inert = on
      for (const one of buttons) one.setAttribute('aria-disabled', String(on))
      status.textContent = on ? 'Saving…' : ''
    },
    refuse: ({ text, reference }) => show([{ text }], reference),
  }
}

/** Where the focus goes when a form opens. */
export const focusForm = (form: SectionForm): void => {
  const heading = form.element.querySelector('h3')
  if (heading) focusOn(heading)
}
