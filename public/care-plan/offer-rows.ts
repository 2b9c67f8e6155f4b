/** How items of the GP record look beside the fields of a form, and what is said of them. */
import { isChoice } from '../../src/core/adopted-option.js'
import type { allOffers, Offer } from '../../src/core/adoption.js'
import type { Standing } from './adopting.js'
import type { Control } from './control.js'
import { dayOf, showDay, showMoment, showTime, writeDay } from './dates.js'
import type { Field } from './definition.js'
import { bdi, button, focusOn, h, hiddenText } from './dom.js'
import type { GpRecord } from './gp-record.js'
import { plural } from './text.js'
import { valueWords } from './values-view.js'

const sentWords = ({ from }: GpRecord): string => {
  const at = new Date(from.at)
  const today = writeDay(dayOf(at)) === writeDay(dayOf(new Date()))
  return `sent by ${from.name} with this launch at ${today ? showTime(at) : showMoment(at)}`
}

export interface Row {
  readonly offer: Offer
  readonly element: HTMLElement
  /** @param why it was not added */
  show(standing: Standing, why?: string): void
}

/** What would be added, on one line: of a row its parts, the first saying what it is. */
export function wordsOf({ field, text, elements }: Offer): string {
  if (field.type !== 'group') return valueWords(field, text)
  const [first, ...rest] = elements.map((one) => one.text)
  return rest.length === 0 ? (first ?? '') : `${first} (${rest.join('; ')})`
}

/** Beside the words: by what the GP system knows it, and since when. */
function moreOf({ item, field, text }: Offer): string {
  // Told by its code alone, it may have another name there.
  const name = isChoice(field) ? [`in the GP record: ${item.name}`] : []
  const code = item.concept === undefined ? [] : [`SNOMED CT ${item.concept}`]
  const day = item.day === undefined ? '' : showDay(item.day)
  return [...name, ...code, ...(day === '' || text.includes(day) ? [] : [day])].join(' · ')
}

export function rowFor(offer: Offer, add: () => void, undo: () => void): Row {
  const words = wordsOf(offer)
  const note = h('p', { class: 'offer__note' })
  const act = button('', () => (act.dataset.is === 'added' ? undo() : add()), 'secondary')
  const says = h('div', { class: 'offer__act' }, act)
  const element = h(
    'li',
    { class: 'offer' },
    h(
      'div',
      { class: 'offer__what' },
      h('strong', {}, bdi(words)),
      h('span', { class: 'offer__more' }, ' ', moreOf(offer)),
      note,
    ),
    says,
  )
  const show = (standing: Standing, why?: string) => {
    act.dataset.is = standing.is
    act.hidden = standing.is === 'there'
    act.replaceChildren(
      ...(standing.is === 'added'
        ? ['Undo', hiddenText(` adding ${words}`)]
        : ['Add', hiddenText(` ${words} to ${offer.field.title}`)]),
    )
    element.classList.toggle('offer--in', standing.is === 'added' || standing.is === 'there')
    note.textContent = why ?? noteFor(standing, offer)
    note.hidden = note.textContent === ''
  }
  return { offer, element, show }
}

function noteFor(standing: Standing, { field }: Offer): string {
  if (standing.is === 'there')
    return standing.in.id === field.id
      ? 'Already in the plan.'
      : `Already in “${standing.in.title}”.`
  // biome-ignore format: a table
  return {
    offered: '',
    named:   `Named in “${field.title}” already: compare before you add it.`,
    added:   'Added. Not saved yet.',
  }[standing.is]
}

const idOf = ({ id }: Field): string => `offers-${id}`

/** More than these are shown on request: a list must not push the form away. */
const SHOWN = 6

export function panelFor(field: Field, rows: readonly Row[], record: GpRecord): HTMLElement {
  const id = idOf(field)
  const list = (some: readonly Row[]) =>
    h('ul', { class: 'offers__list' }, ...some.map(({ element }) => element))
  const rest = rows.slice(SHOWN)
  return h(
    'section',
    { class: 'offers', 'aria-labelledby': id },
    h(
      'h4',
      { class: 'offers__title', id },
      'From the GP record',
      hiddenText(`, for ${field.title}`),
      h('span', { class: 'offers__sent' }, ' (', bdi(sentWords(record)), ')'),
    ),
    list(rows.slice(0, SHOWN)),
    rest.length === 0
      ? undefined
      : h('details', {}, h('summary', {}, `${rest.length} more`), list(rest)),
  )
}

/** Where in the form they stand: it may be long. */
export function whereLine(controls: readonly Control[], rows: readonly Row[], record: GpRecord) {
  const links = controls.flatMap(({ field, element }) => {
    const count = rows.filter(({ offer }) => offer.field.id === field.id).length
    const go = (event: Event) => {
      event.preventDefault()
      const heading = document.getElementById(idOf(field))
      if (heading) focusOn(heading)
      // What stands in the field is to be seen with what is offered for it.
      element.scrollIntoView()
    }
    const words = `${plural(count, 'item')} for ${field.title}`
    return count === 0 ? [] : [h('a', { href: `#${idOf(field)}`, click: go }, words)]
  })
  if (links.length === 0) return []
  const parted = links.flatMap((link, i) => (i === 0 ? [link] : [', ', link]))
  return [h('span', {}, 'From the GP record, ', bdi(sentWords(record)), ': ', ...parted, '. ')]
}

/** What is not offered, said: an item that is missing here may be in the GP record all the same. */
export function leftOut({ over, unreadable, offers }: ReturnType<typeof allOffers>): string {
  const none =
    offers.length === 0
      ? [
          'No item of the GP record that fits this section came with this launch. This does not mean that the GP record holds none.',
        ]
      : []
  return [
    ...none,
    ...(over > 0 ? [`Not offered: ${plural(over, 'item')} that the GP record marks as over.`] : []),
    ...(unreadable > 0
      ? [
          `Not offered: ${plural(unreadable, 'item')} that cannot be shown here. Look in the GP record.`,
        ]
      : []),
  ].join(' ')
}
