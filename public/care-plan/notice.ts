/** What a section says of itself after a save, above what it holds. */
import { showMoment } from './dates.js'
import { h } from './dom.js'

const notice = (className: string, lead: string, text: string): HTMLElement =>
  h('p', { class: className, role: 'status', tabindex: '-1' }, h('strong', {}, lead), text)

export const savedNotice = (title: string): HTMLElement =>
  notice('saved', 'Saved. ', `${title} is up to date in the shared record.`)

export const doubtNotice = (title: string, readAt: Date): HTMLElement =>
  notice(
    'caution doubt',
    'Check this section. ',
    `It was not known whether your changes to “${title}” were saved. This is what the record held on ${showMoment(readAt)}.`,
  )

/** Puts a notice into a section's view, and leads the user to it. */
export function tell(view: HTMLElement, text: HTMLElement): void {
  view.prepend(text)
  text.focus()
}
