/** The foot of the page, and of the print-out. */
import { showMoment } from './dates.js'
import { bdi, button, h } from './dom.js'
import { referenceView } from './pages.js'
import { showSupport } from './shell.js'

interface Foot {
  /** Whether there is a plan to print. */
  readonly printable: boolean
  readonly user: string | undefined
  readonly launch: string | undefined
}

export function showFoot({ printable, user, launch }: Foot): void {
  const printed = h(
    'p',
    { class: 'print-only' },
    `Printed on ${showMoment(new Date())} by `,
    bdi(user ?? 'a signed-in user'),
    '. The record may have changed since.',
  )
  const print = button('Print', () => window.print(), 'secondary')
  const reference = referenceView(launch, 'Launch reference') ?? ''
  showSupport(...(printable ? [print, reference, printed] : [reference]))
}
