/**
 * From the GP system's items to the fields of a section: what each item would put where, by the section's definition
 * (`adopt`). The app offers by it; the gateway holds against it what claims to have come that way.
 */
import {
  ADOPTABLE,
  conceptOf,
  dayAt,
  isAdoptable,
  isTurned,
  type Kind,
  measureOf,
  standingOf,
  wordsAt,
} from './adoptable.js'
import { isChoice, optionIn } from './adopted-option.js'
import type { HandedType } from './handed-over.js'
import { isObject, type Json } from './json.js'
import type { Adoption, PlanField, PlanSection } from './plan.js'
import { type DataValue, dataValueOf, groupText, rowsOf, type Values } from './plan-values.js'

/** Types of field that an item may fill, and from what kinds of element. */
// biome-ignore format: a table
export const FILLS: Readonly<Partial<Record<PlanField['type'], readonly Kind[]>>> = {
  'text':      ['concept', 'words', 'day', 'measure'],
  'long-text': ['concept', 'words', 'day', 'measure'],
  'date':      ['day'],
  'quantity':  ['measure'],
  'choice':    ['concept', 'measure'],
  'choices':   ['concept', 'measure'],
  'yes-no':    ['concept', 'measure'],
}

/** Something of the GP record, as a person reads it. */
export interface Item {
  /** `Condition/problem-1`: within its launch, and no further. */
  readonly id: string
  readonly name: string
  /** SNOMED CT. */
  readonly concept?: string
  /** As ISO, maybe without day or month. */
  readonly day?: string
}

/** One ELEMENT that comes of an item. */
export interface Sourced {
  /** `archetype_node_id` of its field. */
  readonly node: string
  readonly text: string
  readonly value: DataValue
}

/** What an item would put into a field. */
export interface Offer {
  readonly item: Item
  readonly field: PlanField
  /** As the field's text would be if nothing else stood in it. */
  readonly text: string
  readonly elements: readonly Sourced[]
}

export interface Offers {
  readonly offers: readonly Offer[]
  /** Of the section's types: what the GP system says is over, and what could not be read. */
  readonly over: number
  readonly unreadable: number
}

const ID = /^[A-Za-z0-9.-]{1,64}$/

function itemOf(type: HandedType, resource: Json): Item | undefined {
  const { name: at, days } = ADOPTABLE[type]
  const name = wordsAt(resource, at, 'words')
  if (typeof resource.id !== 'string' || !ID.test(resource.id) || name === undefined)
    return undefined
  const concept = conceptOf(type, resource)
  const day = days.map((path) => dayAt(resource, path)).find((said) => said !== undefined)
  return {
    ...{ id: `${type}/${resource.id}`, name },
    ...(concept === undefined ? {} : { concept }),
    ...(day === undefined ? {} : { day }),
  }
}

/** `Penicillin (itchy rash; unconfirmed)`: the first says what it is, the rest more of it. */
function lineOf(type: HandedType, resource: Json, as: readonly string[], doubt: readonly string[]) {
  const [first, ...more] = as.map((path) =>
    wordsAt(resource, path, ADOPTABLE[type].elements[path] ?? 'words'),
  )
  if (first === undefined) return undefined
  const rest = [...more.filter((words) => words !== undefined), ...doubt].join('; ')
  const line = rest === '' ? first : `${first} (${rest})`
  return line.length > 500 ? undefined : line
}

/** A number with its unit as the field has it; one in another unit, or out of range, is not offered. */
function measureText(field: PlanField, resource: Json, path: string): string | undefined {
  const measure = measureOf(resource, path)
  if (measure === undefined || field.units?.[measure.unit] === undefined) return undefined
  const [least, most] = field.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const { number, unit } = measure
  return number >= least && number <= most ? `${number} ${unit}` : undefined
}

const LINES: readonly string[] = ['text', 'long-text']
/** What an item says in a field that is no group; `undefined` where it cannot be said there. */
function textIn(
  field: PlanField,
  adoption: Adoption,
  resource: Json,
  doubt: readonly string[],
): string | undefined {
  const as = adoption.as[field.id] ?? []
  const [path = ''] = as
  if (LINES.includes(field.type)) return lineOf(adoption.of, resource, as, doubt)
  // A date, a number or an option has no room for a doubt.
  if (doubt.length > 0) return undefined
  if (isChoice(field)) return optionIn(field, adoption, resource)
  if (field.type === 'quantity') return measureText(field, resource, path)
  const day = dayAt(resource, path)
  return day?.length === 10 ? day : undefined
}

interface Filled {
  readonly text: string
  readonly elements: readonly Sourced[]
}

/** Of a row's parts what says which item it is: it carries the doubts, and without it the rest says nothing. */
export const mainOf = (parts: readonly PlanField[]): PlanField | undefined =>
  parts.find(({ type }) => LINES.includes(type)) ?? parts[0]

function filled(field: PlanField, adoption: Adoption, resource: Json): Filled | undefined {
  const { of, as } = adoption
  const doubts = standingOf(of, resource)
  if (doubts === 'over') return undefined
  const parts = (field.type === 'group' ? (field.fields ?? []) : [field]).filter(({ id }) => as[id])
  const main = mainOf(parts)
  const row: Record<string, string> = {}
  const elements: Sourced[] = []
  for (const one of parts) {
    const paths = as[one.id] ?? []
    const text = textIn(one, adoption, resource, one === main ? doubts : [])
    if (text === undefined && one === main) return undefined
    if (text === undefined) continue
    row[one.id] = text
    elements.push({ node: one.node, text, value: mappedValue(one, text, of, resource, paths) })
  }
  if (elements.length === 0) return undefined
  return {
    text: field.type === 'group' ? groupText(field, [row]) : (row[field.id] ?? ''),
    elements,
  }
}

/**
 * The value, with the SNOMED CT concept of what it is as a mapping: equal where the words say no more than that.
 * @see openEHR RM, "Data Types", TERM_MAPPING.match
 */
function mappedValue(
  field: PlanField,
  text: string,
  type: HandedType,
  resource: Json,
  paths: readonly string[],
): DataValue {
  const value = dataValueOf(field, text)
  const { name } = ADOPTABLE[type]
  const concept = conceptOf(type, resource)
  if (value._type !== 'DV_TEXT' || paths[0] !== name || concept === undefined) return value
  const match = text === wordsAt(resource, name, 'words') ? '=' : '>'
  const terminology_id = { _type: 'TERMINOLOGY_ID', value: 'SNOMED-CT' }
  const target = { _type: 'CODE_PHRASE', terminology_id, code_string: concept }
  const mapping = { _type: 'TERM_MAPPING', match, target }
  return { ...value, mappings: [mapping] }
}

/** What is none of a choice's options is not for it, and nothing that could not be read. */
function isFor({ fields }: PlanSection, adoption: Adoption, resource: Json): boolean {
  const { of, codes, into } = adoption
  if (resource.resourceType !== of) return false
  if (codes !== undefined && !codes.includes(conceptOf(of, resource) ?? '')) return false
  const field = fields.find(({ id }) => id === into)
  return !field || !isChoice(field) || optionIn(field, adoption, resource) !== undefined
}

/** What a resource would put into a section: an offer for each field that takes it. */
export function offersOf(section: PlanSection, resource: Json): readonly Offer[] {
  const { resourceType: type } = resource
  if (!isAdoptable(type) || isTurned(resource)) return []
  const item = itemOf(type, resource)
  if (item === undefined) return []
  return (section.adopt ?? [])
    .filter((adoption) => isFor(section, adoption, resource))
    .flatMap((adoption) => {
      const field = section.fields.find(({ id }) => id === adoption.into)
      const made = field && filled(field, adoption, resource)
      return field && made ? [{ item, field, ...made }] : []
    })
}

const MOST_OFFERS = 100

/** All that a section is offered: each text of a field once, however often the GP system sent it. */
export function allOffers(section: PlanSection, resources: readonly unknown[]): Offers {
  const offers = new Map<string, Offer>()
  let [over, unreadable] = [0, 0]
  for (const resource of resources) {
    if (!isObject(resource) || !isAdoptable(resource.resourceType)) continue
    if (!(section.adopt ?? []).some((adoption) => isFor(section, adoption, resource))) continue
    const made = offersOf(section, resource)
    if (standingOf(resource.resourceType, resource) === 'over') over += 1
    else if (made.length === 0) unreadable += 1
    for (const offer of made) {
      const key = `${offer.field.id}\n${offer.text}`
      if (!offers.has(key)) offers.set(key, offer)
    }
  }
  const all = [...offers.values()]
  return {
    offers: all.slice(0, MOST_OFFERS),
    over,
    unreadable: unreadable + Math.max(0, all.length - MOST_OFFERS),
  }
}

const lines = (text: string): readonly string[] => text.split('\n').map((line) => line.trim())

/** Whether a row says all that another says; it may say more. */
const covers = (row: Values, wanted: Values): boolean =>
  Object.entries(wanted).every(([id, text]) => row[id] === text)

/** Whether a field holds what an offer would put there. */
export function holds({ field, text }: Pick<Offer, 'field' | 'text'>, current: string): boolean {
  if (field.type !== 'group') return lines(current).includes(text)
  const [wanted = {}] = rowsOf(text)
  return rowsOf(current).some((row) => covers(row, wanted))
}

/** Whether a field names the item in other words: it may be there already, or be said not to be. */
export const names = ({ item, field }: Pick<Offer, 'item' | 'field'>, current: string): boolean => {
  // What stands there is a code of ours.
  if (isChoice(field)) return false
  const plain = (words: string) =>
    ` ${words
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()} `
  return plain(current).includes(plain(item.name))
}
