/** The foot of the page, and of every sheet of a print-out. */
import { showMoment } from './dates.js'
import { bdi, h } from './dom.js'
import { referenceView } from './pages.js'
import { showSupport } from './shell.js'

interface Foot {
  /** When the plan on the screen was read; absent where there is none to print. */
  readonly readAt: Date | undefined
  readonly user: string | undefined
  readonly launch: string | undefined
}

/** Paper is believed for as long as it lies there: each sheet says what it is worth. */
const printed = (readAt: Date, user: string | undefined): HTMLElement =>
  h(
    'p',
    { class: 'print-only' },
    h('strong', {}, 'Valid at the time of printing. '),
    `Printed on ${showMoment(new Date())} by `,
    bdi(user ?? 'a signed-in user'),
    `, from the record as it stood on ${showMoment(readAt)}. It may have changed since: look there before you act on it.`,
  )

export function showFoot({ readAt, user, launch }: Foot): void {
  const reference = referenceView(launch, 'Launch reference') ?? ''
  showSupport(reference, ...(readAt ? [printed(readAt, user)] : []))
}
