/** Builds elements without markup in strings: whatever a name holds, it stays text. */
type Child = Node | string | undefined | false
type Attributes = Readonly<Record<string, string | boolean | ((event: Event) => void)>>

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value)
    else if (value !== false) element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.filter((child) => child !== undefined && child !== false))
  return element
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (!element) throw new Error(`no element ${id}`)
  return element as T
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `dd-Mmm-yyyy`, as the NHS writes dates in patient banners. */
export function day(date: string): string {
  const [year = '', month = '', number = ''] = date.split('-')
  return `${number}-${MONTHS[Number(month) - 1] ?? ''}-${year}`
}

/** As the NHS writes names in patient banners. */
export const fullName = (name: {
  readonly family: string
  readonly given: string
  readonly title: string
}): string => `${name.family.toUpperCase()}, ${name.given} (${name.title})`

/** Whole years at a day. */
export function age(birthDate: string, at: Date): string {
  const [year = 0, month = 1, number = 1] = birthDate.split('-').map(Number)
  const had =
    at.getMonth() + 1 > month || (at.getMonth() + 1 === month && at.getDate() >= number) ? 0 : 1
  return `${at.getFullYear() - year - had}y`
}

/** 3-3-4, on one line. */
export const nhsNumber = (digits: string): string =>
  `${digits.slice(0, 3)}\u00a0${digits.slice(3, 6)}\u00a0${digits.slice(6)}`
