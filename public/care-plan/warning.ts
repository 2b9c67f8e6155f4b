/** The warning before a session ends: one key extends it. */
import { button, h } from './dom.js'
import { keptLine, type Lost, lostLine } from './pages.js'
import { showLeft } from './session-clock.js'

export interface Warning {
  update(left: number): void
  /** The extension did not get through. */
  failed(): void
  close(): void
}

interface Setup {
  readonly extendable: boolean
  /** Changes that are not known to be saved, if there are any. */
  readonly lost: Lost | undefined
  readonly answer: () => void
}

/** When the time left is said aloud, in seconds: each second would drown everything else. */
const SAID = [60, 30, 10]

function lostWords(lost: Lost, extendable: boolean): string {
  if (!lost.known) return lostLine(lost)
  if (lost.kept?.whole) return `You have unsaved changes to “${lost.title}”. ${keptLine(lost.kept)}`
  const advice = extendable
    ? 'They will be lost if you are signed out.'
    : 'Save them now: this session cannot be made longer.'
  return `You have unsaved changes to “${lost.title}”. ${advice}`
}

export function warn({ extendable, lost, answer }: Setup): Warning {
  const back = document.activeElement as HTMLElement | null
  const time = h('strong', {})
  const said = h('p', { role: 'status', class: 'nhsuk-u-visually-hidden' })
  const trouble = h('p', { role: 'alert', class: 'nhsuk-error-message' })
  const stay = button(extendable ? 'Stay signed in' : 'I understand', answer)
  const text = extendable
    ? 'To protect the patient, this care plan will be taken off the screen in '
    : 'This session has reached its longest time. The care plan will be taken off the screen in '
  const onCancel = (event: Event) => {
    event.preventDefault()
    answer()
  }
  const dialog = h(
    'dialog',
    {
      class: 'dialog',
      role: 'alertdialog',
      'aria-labelledby': 'warning-title',
      'aria-describedby': 'warning-text',
      cancel: onCancel,
    },
    h(
      'h2',
      { id: 'warning-title', class: 'nhsuk-heading-m' },
      extendable ? 'Are you still there?' : 'Your session is about to end',
    ),
    h('p', { id: 'warning-text' }, text, time, '.'),
    lost ? h('p', {}, lostWords(lost, extendable)) : undefined,
    trouble,
    said,
    h('div', { class: 'buttons' }, stay),
  )
  document.body.append(dialog)
  dialog.showModal()
  stay.focus()
  return {
    update: (left) => {
      time.textContent = showLeft(left)
      if (SAID.includes(Math.ceil(left / 1000))) said.textContent = `${showLeft(left)} left`
    },
    failed: () => {
      trouble.textContent = 'The service could not be reached. It is being tried again.'
    },
    close: () => {
      dialog.close()
      dialog.remove()
      back?.focus()
    },
  }
}
