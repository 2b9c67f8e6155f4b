/** What a section says of itself after a save, above what it holds. */
import { showMoment } from './dates.js'
import { h } from './dom.js'

const notice = (className: string, lead: string, text: string): HTMLElement =>
  h('p', { class: className, role: 'status', tabindex: '-1' }, h('strong', {}, lead), text)

const JOINED =
  ' Somebody else has begun this plan too: what they wrote stands with it, read it before you go on.'

/** @param joined whether others were found to have begun the plan in the meantime */
export const savedNotice = (title: string, joined = false): HTMLElement =>
  notice('saved', 'Saved. ', `${title} is up to date in the shared record.${joined ? JOINED : ''}`)

export const doubtNotice = (title: string, readAt: Date): HTMLElement =>
  notice(
    'caution doubt',
    'Check this section. ',
    `It was not known whether your changes to “${title}” were saved. This is what the record held on ${showMoment(readAt)}.`,
  )

/** Puts a section's view in the place of its form, and leads the user to it. @param saved what is said of it, where it was saved */
export function putBack(form: HTMLElement, view: HTMLElement, saved?: HTMLElement): void {
  form.replaceWith(view)
  if (saved === undefined) view.querySelector<HTMLElement>('.section__edit')?.focus()
  else tell(view, saved)
}

/** Puts a notice into a section's view, and leads the user to it. */
export function tell(view: HTMLElement, text: HTMLElement): void {
  view.prepend(text)
  text.focus()
}
