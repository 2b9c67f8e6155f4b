/** What a section says of itself after a save, above what it holds. */
import { showMoment } from './dates.js'
import { focusOn, h } from './dom.js'

const notice = (className: string, lead: string, text: string): HTMLElement =>
  h('p', { class: className, role: 'status', tabindex: '-1' }, h('strong', {}, lead), text)

const JOINED =
  ' Somebody else has begun this plan too: what they wrote stands with it, read it before you go on.'

const LISTED =
  ' The plan is listed as active again: others find it, with all of its sections. Check that they still hold.'

/**
 * @param joined whether others were found to have begun the plan in the meantime
 * @param listed whether the plan was listed again with it
 */
export const savedNotice = (title: string, joined = false, listed = false): HTMLElement =>
  notice(
    'saved',
    'Saved. ',
    `${title} is up to date in the shared record.${joined ? JOINED : ''}${listed ? LISTED : ''}`,
  )

export const doubtNotice = (title: string, readAt: Date): HTMLElement =>
  notice(
    'caution doubt',
    'Check this section. ',
    `It was not known whether your changes to “${title}” were saved. This is what the record held on ${showMoment(readAt)}.`,
  )

/** Puts a section's view in the place of its form, and leads the user to it. @param saved what is said of it, where it was saved */
export function putBack(form: HTMLElement, view: HTMLElement, saved?: HTMLElement): void {
  form.replaceWith(view)
  const edit = view.querySelector<HTMLElement>('.section__edit')
  const back = edit ?? view.querySelector<HTMLElement>('h3')
  if (saved !== undefined) tell(view, saved)
  else if (back) focusOn(back)
}

/** Puts a notice into a section's view, and leads the user to it. */
export function tell(view: HTMLElement, text: HTMLElement): void {
  view.prepend(text)
  text.focus()
}
