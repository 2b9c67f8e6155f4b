/** Emergency access ("break-glass"): as long as the plan is on the screen, it says that it was opened by that. */
import { showTime } from './dates.js'
import { h, icon } from './dom.js'

/**
 * When emergency access ends, by this computer's clock; `undefined` for an ordinary launch.
 *
 * @param token a member of the token response
 * @param offset this computer's clock minus the gateway's, in milliseconds
 */
export function emergencyEnd(
  token: (member: string) => unknown,
  offset: number,
): Date | 'unknown' | undefined {
  if (token('__emergency') !== true) return undefined
  const ends = token('__emergency_ends')
  return typeof ends === 'number' ? new Date(ends * 1000 + offset) : 'unknown'
}

export const emergencyStrip = (end: Date | 'unknown'): HTMLElement =>
  h(
    'section',
    { class: 'glass', 'aria-label': 'Emergency access' },
    h(
      'p',
      { class: 'glass__text' },
      icon('warning'),
      h(
        'span',
        {},
        h(
          'strong',
          {},
          end === 'unknown'
            ? 'Emergency access: read only. '
            : `Emergency access: read only, until ${showTime(end)}. `,
        ),
        'This access is recorded and will be reviewed.',
      ),
    ),
  )
