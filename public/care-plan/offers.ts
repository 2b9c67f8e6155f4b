/** Items of the GP record, beside the fields of a form that take them: each added by one click, and taken back by one. */
import { allOffers, type Offer } from '../../src/core/adoption.js'
import type { Witness } from '../../src/core/feeder-audit.js'
import {
  adoptedBefore,
  broughtBefore,
  notAmong,
  notBrought,
  standingOf,
  taken,
  takenOf,
  wasTaken,
  withdrawn,
} from './adopting.js'
import type { Control } from './control.js'
import type { Field, Section } from './definition.js'
import { button, h } from './dom.js'
import { type ReadGpRecord, unreadWords } from './gp-reading.js'
import { adoptedOf, type GpRecord } from './gp-record.js'
import { leftOut, panelFor, type Row, rowFor, whereLine, wordsOf } from './offer-rows.js'
import { announce } from './shell.js'
import type { Adopted } from './sourced.js'
import type { TakenOver } from './typed.js'

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

export interface Before {
  readonly adopted: readonly TakenOver[]
  readonly witnessed: readonly Witness[]
  /** The gateway's host. */
  readonly gateway: string
}

interface Setup {
  readonly section: Section
  readonly controls: readonly Control[]
  readonly read: ReadGpRecord
  /** What an earlier form had added. It counts as far as this launch brought the same, or the gateway saw it then. */
  readonly before: Before
  /** Told of a failure after which the form may be gone; says whether it is. */
  readonly over: (error: unknown) => boolean
}

class FieldOffers implements Offers {
  readonly status = h('p', { class: 'offers__status', role: 'status' })
  readonly #setup: Setup
  readonly #added = new Map<Offer, Adopted>()
  /** Asked for, and no room was there. */
  readonly #refused = new Set<Offer>()
  #rows: readonly Row[] = []
  /** What was added before, and is not known to have come with this launch. */
  #others: readonly TakenOver[]

  constructor(setup: Setup) {
    this.#setup = setup
    this.#others = setup.before.adopted
    void this.#load()
  }

  adopted(): readonly Adopted[] {
    const { section, before } = this.#setup
    const seen = seenAmong(this.#others, before)
    return [...this.#added.values(), ...adoptedBefore(section, seen, before.gateway)]
  }

  taken(): readonly TakenOver[] {
    return [...[...this.#added.keys()].map(takenOf), ...this.#others]
  }

  refresh(): void {
    const { controls } = this.#setup
    const now = Object.fromEntries(controls.map((one) => [one.field.id, one.read().value]))
    const all = this.#rows.map(({ offer }) => offer)
    for (const { offer, show } of this.#rows) {
      const made = taken(offer, now[offer.field.id] ?? '')
      const why = this.#refused.has(offer) && 'why' in made ? made.why : undefined
      show(standingOf(offer, now, this.#added.has(offer), all), why)
    }
  }

  async #load(): Promise<void> {
    const { read, over } = this.#setup
    this.status.replaceChildren('Loading the GP record’s items…')
    try {
      this.#show(await read())
    } catch (error) {
      if (over(error)) return
      const again = button('Try again', () => void this.#load(), 'secondary')
      const words = `${unreadWords(error)} The form works without them. `
      this.status.replaceChildren(words, again)
    }
  }

  #show(record: GpRecord): void {
    const { section, controls, before } = this.#setup
    const found = allOffers(section, record.resources)
    const rowOf = (offer: Offer) =>
      rowFor(
        offer,
        () => this.#add(offer, record),
        () => this.#undo(offer),
      )
    this.#rows = found.offers.filter(({ field }) => this.#controlOf(field)?.write).map(rowOf)
    for (const { element, field } of controls) {
      const own = this.#rows.filter(({ offer }) => offer.field.id === field.id)
      if (own.length > 0) element.after(panelFor(field, own, record))
    }
    for (const { offer } of this.#rows)
      if (wasTaken(offer, before.adopted)) this.#added.set(offer, adoptedOf(offer, record))
    this.#others = notAmong(before.adopted, [...this.#added.keys()].map(takenOf))
    const said = [leftOut(found), beforeWords(this.#others, before)].join(' ')
    this.status.replaceChildren(...whereLine(controls, this.#rows, record), said)
    this.refresh()
  }

  #controlOf({ id }: Field): Control | undefined {
    return this.#setup.controls.find(({ field }) => field.id === id)
  }

  #add(offer: Offer, record: GpRecord): void {
    const control = this.#controlOf(offer.field)
    const made = taken(offer, control?.read().value ?? '')
    if ('why' in made) {
      this.#refused.add(offer)
      this.refresh()
      announce(made.why)
      return
    }
    control?.write?.(made.value)
    this.#added.set(offer, adoptedOf(offer, record))
    this.refresh()
    announce(`${wordsOf(offer)} added to ${offer.field.title}. Not saved yet.`)
  }

  #undo(offer: Offer): void {
    const control = this.#controlOf(offer.field)
    control?.write?.(withdrawn(offer, control.read().value))
    this.#added.delete(offer)
    this.refresh()
    announce(`${wordsOf(offer)} taken out of ${offer.field.title}.`)
  }
}

/** Of what did not come with this launch: what the gateway saw in an earlier one. */
const seenAmong = (others: readonly TakenOver[], { witnessed }: Before): readonly Witness[] =>
  witnessed.filter((one) => notAmong([one], others).length === 0)

function beforeWords(others: readonly TakenOver[], before: Before): string {
  const seen = seenAmong(others, before)
  const unseen = notAmong(others, seen)
  return [broughtBefore(seen), notBrought(unseen.length)].filter((said) => said !== '').join(' ')
}

export const offersFor = (setup: Setup): Offers => new FieldOffers(setup)

/** Where this launch brought nothing: what was added before it, if anything was. */
export function offersOfBefore(section: Section, before: Before): Offers | undefined {
  const { adopted, witnessed, gateway } = before
  if (adopted.length === 0) return undefined
  const words = beforeWords(adopted, before)
  return {
    status: h('p', { class: 'offers__status', role: 'status' }, words),
    adopted: () => adoptedBefore(section, witnessed, gateway),
    taken: () => adopted,
    refresh: () => undefined,
  }
}
