/** Elements, made without markup: text from the record can only ever become text. */
import { harmless } from './text.js'
import { piecesOf } from './whole.js'

type Attribute = string | boolean | undefined | ((event: Event) => void)
export type Child = Node | string | undefined

/** What holds text and no elements. */
const PLAIN: ReadonlySet<string> = new Set(['option', 'textarea'])

/** Latin letters and figures: they read from the left also within a text that does not. */
const textNodes = (text: string): readonly Child[] =>
  piecesOf(text).map(({ text: piece, kind }) => {
    if (kind === undefined) return piece
    const span = document.createElement('span')
    span.className = kind
    if (kind === 'whole') span.dir = 'ltr'
    span.append(piece)
    return span
  })

/**
 * `h('p', { class: 'x' }, 'text')`; what of a text is read in one piece is not broken over two lines. An attribute that is a function listens to the event of its name;
 * `true` sets it empty; `false` and `undefined` leave it out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value === true) element.setAttribute(name, '')
    else if (typeof value === 'string') element.setAttribute(name, value)
  }
  const shown = PLAIN.has(tag)
    ? children
    : children.flatMap((child) => (typeof child === 'string' ? textNodes(child) : [child]))
  element.append(...shown.filter((child) => child !== undefined))
  return element
}

/** Text of unknown direction, which must not reorder what stands beside it. */
export const bdi = (text: string): HTMLElement => h('bdi', {}, harmless(text))

/** Several lines of text from the record. */
export const prose = (text: string): HTMLElement =>
  h('div', { class: 'prose', dir: 'auto' }, harmless(text))

export const hiddenText = (text: string): HTMLElement =>
  h('span', { class: 'nhsuk-u-visually-hidden' }, text)

export function button(
  label: Child[] | string,
  act: () => void,
  kind: 'primary' | 'secondary' | 'warning' = 'primary',
): HTMLButtonElement {
  const look = kind === 'primary' ? '' : ` nhsuk-button--${kind}`
  const children = typeof label === 'string' ? [label] : label
  return h(
    'button',
    { type: 'button', class: `nhsuk-button${look} nhsuk-button--small`, click: act },
    ...children,
  )
}

/** A list of names and values; nothing is shown for an empty one. */
export const facts = (rows: readonly (readonly [string, Node])[]): HTMLElement =>
  h(
    'dl',
    { class: 'facts' },
    ...rows.map(([name, value]) =>
      h('div', { class: 'facts__row' }, h('dt', {}, name), h('dd', {}, value)),
    ),
  )

/** Shapes on a 24 × 24 grid. */
const ICONS = {
  stop: 'M7.8 1h8.4L23 7.8v8.4L16.2 23H7.8L1 16.2V7.8zM8 6.6 6.6 8l4 4-4 4L8 17.4l4-4 4 4 1.4-1.4-4-4 4-4L16 6.6l-4 4z',
  heart:
    'M12 21.5 3.3 12.6A5.6 5.6 0 0 1 11.2 4.700L12 5.500l.8-.8a5.600 5.600 0 0 1 7.900 7.900zM5 11h3.200l1.300-2.600 2.600 5.200 1.600-2.600H19V9.400h-6.200l-.6 1-2.700-5.300L7.200 9.400H5z',
  query:
    'M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zm1.200 17.500h-2.400v-2.400h2.400zm1.900-8.100-1 1c-.8.8-.9 1.400-.9 2.800h-2.400v-.6c0-1.300.5-2 1.300-2.800l1.400-1.400c.4-.4.6-.8.6-1.300a1.900 1.900 0 0 0-3.800 0H8a4.200 4.200 0 0 1 8.400 0c0 .9-.5 1.600-1.300 2.300z',
  warning:
    'M12 1.500 23.500 22.500H.500zM10.800 9h2.400v7h-2.400zM10.800 17.500h2.400v2.400h-2.400z',
  lock: 'M6 10V7a6 6 0 1 1 12 0v3h1.500v12h-15V10zm2.500 0h7V7a3.500 3.500 0 0 0-7 0z',
} as const

export type IconName = keyof typeof ICONS

export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('class', 'icon')
  // The words beside an icon always say the same.
  svg.setAttribute('aria-hidden', 'true')
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', ICONS[name])
  path.setAttribute('fill-rule', 'evenodd')
  svg.append(path)
  return svg
}

/** Focuses what is not focusable by itself, such as a heading, for as long as the focus stays there. */
export function focusOn(element: HTMLElement): void {
  if (element.tabIndex < 0) element.tabIndex = -1
  element.focus()
}

/** Changes what stands on the page; a focus that goes with it is given to what has the same words in the same place. */
export function keepingFocus(act: () => void): void {
  const focused = document.activeElement as HTMLElement | null
  const [place, words] = [focused?.closest('[id]')?.id ?? '', focused?.textContent]
  act()
  if (!focused || focused.isConnected) return
  const within = document.getElementById(place) ?? document.body
  const all = [...within.querySelectorAll<HTMLElement>('button, a, summary, [tabindex]')]
  all.find((one) => one.textContent === words)?.focus({ preventScroll: true })
}

interface Option<T> {
  readonly label: string
  readonly value: T
  readonly kind: 'primary' | 'secondary' | 'warning'
}

/** Asks a question above the page. The first answer has the focus; Escape is `safe`, and leads back to where one was. */
export function choose<T>(
  question: string,
  detail: string,
  options: readonly Option<T>[],
  safe: T,
): Promise<T> {
  return new Promise((resolve) => {
    const back = document.activeElement as HTMLElement | null
    const answer = (value: T) => () => {
      dialog.close()
      dialog.remove()
      if (value === safe) back?.focus()
      resolve(value)
    }
    const buttons = options.map(({ label, value, kind }) => button(label, answer(value), kind))
    const dialog = h(
      'dialog',
      { class: 'dialog', 'aria-labelledby': 'ask', cancel: answer(safe) },
      h('h2', { id: 'ask', class: 'nhsuk-heading-m' }, question),
      h('p', {}, detail),
      h('div', { class: 'buttons' }, ...buttons),
    )
    document.body.append(dialog)
    dialog.showModal()
    buttons[0]?.focus()
  })
}

/** A yes-or-no question, of which no is the safe answer. */
export const ask = (question: string, detail: string, yes: string, no: string): Promise<boolean> =>
  choose(
    question,
    detail,
    [
      { label: no, value: false, kind: 'primary' },
      { label: yes, value: true, kind: 'warning' },
    ],
    false,
  )
