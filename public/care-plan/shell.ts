/** The parts of the page that stay: who is signed in, the patient, the content, what is announced. */
import { bannerView, watchHeight } from './banner.js'
import { bdi, focusOn, h, keepingFocus } from './dom.js'
import { emergencyStrip } from './emergency.js'
import type { Banner } from './patient.js'

const part = (id: string): HTMLElement => {
  const element = document.getElementById(id)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element
}

/** Said by screen readers without moving the focus. */
export function announce(text: string): void {
  part('status').textContent = text
}

export function showBanner(banner: Banner | undefined): void {
  const slot = part('patient')
  slot.replaceChildren(...(banner ? [bannerView(banner)] : []))
  slot.hidden = banner === undefined
  watchHeight(part('banner'))
}

/** Above the patient, and like them always in sight. */
export function showEmergency(end: Date | 'unknown' | undefined): void {
  const slot = part('emergency')
  slot.replaceChildren(...(end ? [emergencyStrip(end)] : []))
  slot.hidden = end === undefined
  watchHeight(part('banner'))
}

/** Below the patient: what must be seen wherever one reads. */
export function showTurned(strip: HTMLElement | undefined): void {
  const [slot, banner] = [part('turned'), part('banner')]
  const focused = document.activeElement
  const top = () => focused?.getBoundingClientRect().top ?? 0
  const wasFree = top() >= banner.getBoundingClientRect().bottom
  slot.replaceChildren(...(strip ? [strip] : []))
  slot.hidden = strip === undefined
  watchHeight(banner)
  // It grows over what is below it: what has the focus comes out again.
  if (wasFree && top() < banner.getBoundingClientRect().bottom)
    focused?.scrollIntoView({ block: 'nearest' })
}

/** @param name undefined when nobody could tell it */
export function showUser(name: string | undefined): void {
  part('user').replaceChildren(
    ...(name === undefined
      ? ['Signed in (your name is not available)']
      : ['Signed in: ', h('strong', {}, bdi(name))]),
  )
}

/** @param move whether the user asked for it: a page that merely loads must not take the focus from its host */
export function showContent(content: HTMLElement, move: boolean): void {
  keepingFocus(() => part('main').replaceChildren(content))
  const heading = content.querySelector('h1')
  if (heading) announce(heading.textContent ?? '')
  if (!move) return
  window.scrollTo(0, 0)
  if (heading) focusOn(heading)
}

/** What acts. What opens and closes, or leads about the page, can be used meanwhile. */
const ACTS = 'a:not([href^="#"]), button, input, select, textarea'

/** Above what is on the screen: until the next content it can be read, and nothing done with it. */
export function showBusy(view: HTMLElement): void {
  const main = part('main')
  for (const one of main.querySelectorAll<HTMLElement>(ACTS)) one.inert = true
  main.prepend(view)
}

/** Takes everything about the patient off the screen, dialogs included. */
export function blank(): void {
  for (const dialog of document.querySelectorAll('dialog')) dialog.remove()
  showBanner(undefined)
  showEmergency(undefined)
  showTurned(undefined)
  part('user').replaceChildren()
  part('main').replaceChildren()
  part('support').replaceChildren()
  announce('')
}

export function showSupport(...children: (Node | string)[]): void {
  part('support').replaceChildren(...children)
}
