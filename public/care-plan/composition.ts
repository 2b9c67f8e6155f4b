/**
 * A section's values in and out of its openEHR COMPOSITION (canonical JSON). What a form does not know
 * is left exactly as it was read, so that saving one field never loses another.
 *
 * @see openEHR RM 1.1.0, "Data Structures"; ITS-JSON
 */
import type { Field, Section, Values } from './definition.js'
import { ENTRY_ARCHETYPE, type Item, isItem, placesOf, type Value } from './elements.js'
import { harmless, oneLine } from './text.js'

export interface Composition {
  readonly _type: 'COMPOSITION'
  readonly archetype_node_id: string
  readonly uid?: { readonly value?: string }
  readonly composer?: { readonly _type?: string; readonly name?: string }
  readonly context?: { readonly _type?: string; readonly start_time?: { readonly value?: string } }
  readonly content?: readonly Item[]
  readonly [member: string]: unknown
}

/** A section as it stands in the record. */
export interface Entry {
  /** Version uid: `object::system::version`. */
  readonly version: string
  readonly composition: Composition
}

/** Who writes, and when: what the next reader sees beside the section. */
export interface Author {
  readonly name: string
  readonly at: Date
}

function textOf(field: Field, value: Value | undefined): string {
  const code = value?.defining_code?.code_string
  if (field.type === 'choice' && code !== undefined && field.options?.[code]) return code
  const text = harmless(value?.value)
  return field.type === 'date' ? text.slice(0, 10) : text
}

/** What a section holds. A field that has no value, or whose value cannot be told, is ''. */
export function valuesOf(section: Section, composition: Composition | undefined): Values {
  const { found } = placesOf(section, composition?.content)
  const read = (field: Field): string =>
    (found.get(field.id) ?? [])
      .map(({ value }) => textOf(field, value))
      .filter((text) => text !== '')
      .join('\n')
  return Object.fromEntries(section.fields.map((field) => [field.id, read(field)]))
}

/** Ids of the fields that hold something of which this app cannot tell what it says: never changed by it. */
export const unclearFields = (
  section: Section,
  composition: Composition | undefined,
): ReadonlySet<string> => placesOf(section, composition?.content).unclear

/** How many recorded values none of the fields show: the reader is told of them. */
export const unshown = (section: Section, composition: Composition): number =>
  placesOf(section, composition.content).others

export const authorOf = ({ composer, context }: Composition): { name: string; at?: Date } => {
  const at = new Date(context?.start_time?.value ?? Number.NaN)
  const name = oneLine(composer?.name) || 'author not recorded'
  return Number.isNaN(at.getTime()) ? { name } : { name, at }
}

function dataValue(field: Field, text: string): Value | Record<string, unknown> {
  const label = field.options?.[text]
  if (field.type === 'date') return { _type: 'DV_DATE', value: text }
  if (label === undefined) return { _type: 'DV_TEXT', value: text }
  const terminology = { _type: 'TERMINOLOGY_ID', value: 'local' }
  const code = { _type: 'CODE_PHRASE', terminology_id: terminology, code_string: text }
  return { _type: 'DV_CODED_TEXT', value: label, defining_code: code }
}

const element = (field: Field, text: string): Item => ({
  _type: 'ELEMENT',
  name: { _type: 'DV_TEXT', value: field.title },
  archetype_node_id: field.node,
  value: dataValue(field, text) as Value,
})

interface Change {
  /** What stands in the place of an ELEMENT; undefined for nothing. */
  readonly instead: ReadonlyMap<Item, Item | undefined>
  readonly tree: Item | undefined
  /** What is added to the tree. */
  readonly added: readonly Item[]
}

function changeOf(
  section: Section,
  content: unknown,
  values: Values,
  changed: Set<string>,
): Change {
  const { found, unclear, tree } = placesOf(section, content)
  const instead = new Map<Item, Item | undefined>()
  const added: Item[] = []
  for (const field of section.fields.filter(({ id }) => changed.has(id) && !unclear.has(id))) {
    const text = values[field.id] ?? ''
    const [first, ...others] = found.get(field.id) ?? []
    for (const other of others) instead.set(other, undefined)
    if (first) {
      const { null_flavour: _, ...rest } = first
      const value = dataValue(field, text) as Value
      instead.set(first, text === '' ? undefined : { ...rest, value })
    } else if (text !== '') added.push(element(field, text))
  }
  return { instead, tree, added }
}

function apply(node: unknown, change: Change): unknown {
  if (!isItem(node)) return node
  if (change.instead.has(node)) return change.instead.get(node)
  if (node._type === 'ELEMENT') return node
  if (Array.isArray(node)) {
    return node.map((child) => apply(child, change)).filter((child) => child !== undefined)
  }
  const members = Object.entries(node).map(([name, child]) => [name, apply(child, change)])
  const copy = Object.fromEntries(members) as Item
  if (node !== change.tree) return copy
  return { ...copy, items: [...((copy.items as Item[] | undefined) ?? []), ...change.added] }
}

const signed = ({ name }: Author) => ({ composer: { _type: 'PARTY_IDENTIFIED', name } })

/** The composition with the fields in `changed` as given in `values`, signed by its new author. */
export function revised(
  section: Section,
  composition: Composition,
  values: Values,
  changed: readonly string[],
  author: Author,
): Composition {
  const before = composition.content ?? []
  const content = apply(before, changeOf(section, before, values, new Set(changed)))
  // The server names the version. A body that still carried the old name could contradict If-Match.
  const { uid: _, ...rest } = composition
  const time = { _type: 'DV_DATE_TIME', value: author.at.toISOString() }
  return {
    ...rest,
    ...signed(author),
    context: { _type: 'EVENT_CONTEXT', ...composition.context, start_time: time },
    content: content as Item[],
  }
}

const code = (terminology: string, text: string) => ({
  _type: 'CODE_PHRASE',
  terminology_id: { _type: 'TERMINOLOGY_ID', value: terminology },
  code_string: text,
})

/** The first composition of a section that has none. */
export function composed(section: Section, values: Values, author: Author): Composition {
  const name = { _type: 'DV_TEXT', value: section.title }
  const items = section.fields.flatMap((field) => {
    const text = values[field.id] ?? ''
    return text === '' ? [] : [element(field, text)]
  })
  const tree = { _type: 'ITEM_TREE', name, archetype_node_id: 'at0001', items }
  return {
    _type: 'COMPOSITION',
    name,
    archetype_node_id: 'openEHR-EHR-COMPOSITION.care_plan.v0',
    archetype_details: {
      _type: 'ARCHETYPED',
      archetype_id: { _type: 'ARCHETYPE_ID', value: 'openEHR-EHR-COMPOSITION.care_plan.v0' },
      template_id: { _type: 'TEMPLATE_ID', value: section.template },
      rm_version: '1.1.0',
    },
    language: code('ISO_639-1', 'en'),
    territory: code('ISO_3166-1', 'GB'),
    category: {
      _type: 'DV_CODED_TEXT',
      value: 'event',
      defining_code: code('openehr', '433'),
    },
    ...signed(author),
    context: {
      _type: 'EVENT_CONTEXT',
      start_time: { _type: 'DV_DATE_TIME', value: author.at.toISOString() },
      setting: {
        _type: 'DV_CODED_TEXT',
        value: 'other care',
        defining_code: code('openehr', '238'),
      },
    },
    content: [
      {
        _type: 'EVALUATION',
        name,
        archetype_node_id: ENTRY_ARCHETYPE,
        language: code('ISO_639-1', 'en'),
        encoding: code('IANA_character-sets', 'UTF-8'),
        subject: { _type: 'PARTY_SELF' },
        data: tree,
      },
    ],
  } as unknown as Composition
}
