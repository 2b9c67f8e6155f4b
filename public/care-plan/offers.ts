/** Items of the GP record, beside the fields of a form that take them: each added by one click, and taken back by one. */
import { allOffers, type Offer } from '../../src/core/adoption.js'
import {
  notAmong,
  notBrought,
  type Standing,
  standingOf,
  taken,
  takenOf,
  wasTaken,
  withdrawn,
} from './adopting.js'
import type { Control } from './control.js'
import { dayOf, showDay, showMoment, showTime, writeDay } from './dates.js'
import type { Field, Section, Values } from './definition.js'
import { bdi, button, focusOn, h, hiddenText } from './dom.js'
import { type ReadGpRecord, unreadWords } from './gp-reading.js'
import { adoptedOf, type GpRecord } from './gp-record.js'
import { announce } from './shell.js'
import type { Adopted } from './sourced.js'
import { plural } from './text.js'
import type { TakenOver } from './typed.js'
import { valueWords } from './values-view.js'

export interface Offers {
  /** Stands above the controls: that it loads, or why there is nothing. */
  readonly status: HTMLElement
  /** What was added and not taken back. Where it was changed since, its words will not be found in the values. */
  adopted(): readonly Adopted[]
  /** The same, as it is told to another form of this section. */
  taken(): readonly TakenOver[]
  /** Says anew how each offer stands to what is typed. */
  refresh(): void
}

interface Setup {
  readonly section: Section
  readonly controls: readonly Control[]
  readonly read: ReadGpRecord
  /** What an earlier form had added. It counts as far as this launch brought the same. */
  readonly before: readonly TakenOver[]
  /** Told of a failure after which the form may be gone; says whether it is. */
  readonly over: (error: unknown) => boolean
}

const sentWords = ({ from }: GpRecord): string => {
  const at = new Date(from.at)
  const today = writeDay(dayOf(at)) === writeDay(dayOf(new Date()))
  return `sent by ${from.name} with this launch at ${today ? showTime(at) : showMoment(at)}`
}

interface Row {
  readonly offer: Offer
  readonly element: HTMLElement
  show(standing: Standing): void
}

/** What would be added, on one line: of a row its parts, the first saying what it is. */
function wordsOf({ field, text, elements }: Offer): string {
  if (field.type !== 'group') return valueWords(field, text)
  const [first, ...rest] = elements.map((one) => one.text)
  return rest.length === 0 ? (first ?? '') : `${first} (${rest.join('; ')})`
}

/** Beside the words: by what the GP system knows it, and since when. */
function moreOf({ item, text }: Offer): string {
  const code = item.concept === undefined ? [] : [`SNOMED CT ${item.concept}`]
  const day = item.day === undefined ? '' : showDay(item.day)
  return [...code, ...(day === '' || text.includes(day) ? [] : [day])].join(' · ')
}

function rowFor(offer: Offer, add: () => void, undo: () => void): Row {
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
  const show = (standing: Standing) => {
    act.dataset.is = standing.is
    act.hidden = standing.is === 'there'
    act.replaceChildren(
      ...(standing.is === 'added'
        ? ['Undo', hiddenText(` adding ${words}`)]
        : ['Add', hiddenText(` ${words} to ${offer.field.title}`)]),
    )
    element.classList.toggle('offer--in', standing.is === 'added' || standing.is === 'there')
    note.textContent = noteFor(standing, offer)
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

function panelFor(field: Field, rows: readonly Row[], record: GpRecord): HTMLElement {
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
function whereLine(controls: readonly Control[], rows: readonly Row[], record: GpRecord) {
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
function leftOut({ over, unreadable, offers }: ReturnType<typeof allOffers>): string {
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

export function offersFor({ section, controls, read, before, over }: Setup): Offers {
  const status = h('p', { class: 'offers__status', role: 'status' })
  const added = new Map<Offer, Adopted>()
  let rows: readonly Row[] = []
  /** What was added before, and is not known to have come with this launch. */
  let others = before
  const controlOf = ({ id }: Field) => controls.find(({ field }) => field.id === id)
  const values = (): Values =>
    Object.fromEntries(controls.map((one) => [one.field.id, one.read().value]))
  const refresh = () => {
    const now = values()
    const all = rows.map(({ offer }) => offer)
    for (const { offer, show } of rows) show(standingOf(offer, now, added.has(offer), all))
  }
  const add = (offer: Offer, record: GpRecord) => {
    const control = controlOf(offer.field)
    const made = taken(offer, control?.read().value ?? '')
    if ('why' in made) return announce(made.why)
    control?.write?.(made.value)
    added.set(offer, adoptedOf(offer, record))
    refresh()
    announce(`${wordsOf(offer)} added to ${offer.field.title}. Not saved yet.`)
  }
  const undo = (offer: Offer) => {
    const control = controlOf(offer.field)
    control?.write?.(withdrawn(offer, control.read().value))
    added.delete(offer)
    refresh()
    announce(`${wordsOf(offer)} taken out of ${offer.field.title}.`)
  }
  const show = (record: GpRecord) => {
    const found = allOffers(section, record.resources)
    const offers = found.offers.filter(({ field }) => controlOf(field)?.write)
    rows = offers.map((offer) =>
      rowFor(
        offer,
        () => add(offer, record),
        () => undo(offer),
      ),
    )
    for (const { element, field } of controls) {
      const own = rows.filter(({ offer }) => offer.field.id === field.id)
      if (own.length > 0) element.after(panelFor(field, own, record))
    }
    for (const one of offers.filter((offer) => wasTaken(offer, before)))
      added.set(one, adoptedOf(one, record))
    others = notAmong(before, [...added.keys()])
    const parts = [leftOut(found), notBrought(others.length)]
    status.replaceChildren(...whereLine(controls, rows, record), parts.join(' '))
    refresh()
  }
  const load = async () => {
    status.replaceChildren('Loading the GP record’s items…')
    try {
      show(await read())
    } catch (error) {
      if (over(error)) return
      const again = button('Try again', () => void load(), 'secondary')
      status.replaceChildren(unreadWords(error), ' The form works without them. ', again)
    }
  }
  void load()
  return {
    status,
    adopted: () => [...added.values()],
    taken: () => [...[...added.keys()].map(takenOf), ...others],
    refresh,
  }
}
