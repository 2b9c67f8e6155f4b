/** The care plan's frame: at most one, and never one patient's plan inside another patient's chart. */
import type { Launched } from './contents.js'
import { h } from './elements.js'

/** What a careful GP system allows a framed app. Popups: sign-in opens in a window of its own. */
const SANDBOX =
  'allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox allow-modals'

let opened = 0
let frame: HTMLIFrameElement | undefined

/** Blank first, so that nothing of the last patient stays on the screen however slow the page is to go. */
export function closeFrame(): void {
  if (!frame) return
  frame.hidden = true
  frame.src = 'about:blank'
  frame.remove()
  frame = undefined
}

/** Opens a launch in a new frame inside `place`. A refusal has no frame: the caller shows it. */
export function openFrame(
  place: HTMLElement,
  launched: Exclude<Launched, { style: 'refused' }>,
  title: string,
): void {
  closeFrame()
  opened += 1
  const name = `care-plan-${opened}`
  frame = h('iframe', { class: 'plan__frame', name, title, sandbox: SANDBOX })
  if (launched.style === 'frame-url') frame.src = launched.url
  place.replaceChildren(frame)
  if (launched.style === 'form-post') post(launched.action, launched.fields, name)
}

function post(
  action: string,
  fields: readonly { readonly name: string; readonly value: string }[],
  target: string,
): void {
  const inputs = fields.map(({ name, value }) => h('input', { type: 'hidden', name, value }))
  const form = h('form', { action, method: 'post', target, hidden: true }, ...inputs)
  document.body.append(form)
  form.submit()
  form.remove()
}
