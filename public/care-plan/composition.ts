/**
 * A section's values in and out of its openEHR COMPOSITION (canonical JSON). What a form does not know
 * is left exactly as it was read, so that saving one field never loses another.
 *
 * @see openEHR RM 1.1.0, "Data Structures"; ITS-JSON
 */
import type { Field, Section, Values } from './definition.js'
import { harmless, oneLine } from './text.js'

interface Value {
  readonly _type: string
  readonly value?: string
  readonly defining_code?: { readonly code_string?: string }
}
interface Item {
  readonly _type?: string
  readonly archetype_node_id?: string
  readonly value?: Value
  readonly [member: string]: unknown
}

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

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null

function elementsOf(node: unknown, depth = 0): Item[] {
  if (!isItem(node) || depth > 20) return []
  if (Array.isArray(node)) return node.flatMap((child) => elementsOf(child, depth + 1))
  if (node._type === 'ELEMENT') return [node]
  return Object.values(node).flatMap((child) => elementsOf(child, depth + 1))
}

function textOf(field: Field, value: Value | undefined): string {
  const code = value?.defining_code?.code_string
  if (field.type === 'choice' && code !== undefined && field.options?.[code]) return code
  const text = harmless(value?.value)
  return field.type === 'date' ? text.slice(0, 10) : text
}

export function valuesOf(section: Section, composition: Composition | undefined): Values {
  const elements = elementsOf(composition?.content)
  const read = (field: Field): string =>
    elements
      .filter((element) => element.archetype_node_id === field.node)
      .map((element) => textOf(field, element.value))
      .filter((text) => text !== '')
      .join('\n')
  return Object.fromEntries(section.fields.map((field) => [field.id, read(field)]))
}

/** How many recorded values the section's definition has no place for: the reader is told of them. */
export function unshown(section: Section, composition: Composition): number {
  const known = new Set(section.fields.map(({ node }) => node))
  return elementsOf(composition.content).filter(
    ({ archetype_node_id: node, value }) => value !== undefined && !known.has(node ?? ''),
  ).length
}

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

/** Sets, replaces or takes out one ELEMENT wherever it stands; `put` says whether it was there. */
function replace(node: unknown, field: Field, text: string): { node: unknown; put: boolean } {
  if (!isItem(node)) return { node, put: false }
  let put = false
  const step = (child: unknown): unknown => {
    const inner = replace(child, field, put ? '' : text)
    put ||= inner.put
    return inner.node
  }
  if (Array.isArray(node)) return { node: node.map(step).filter((one) => one !== undefined), put }
  if (node._type !== 'ELEMENT') {
    const members = Object.entries(node).map(([name, child]) => [name, step(child)])
    return { node: Object.fromEntries(members), put }
  }
  if (node.archetype_node_id !== field.node) return { node, put: false }
  if (text === '') return { node: undefined, put: true }
  const { null_flavour: _, ...rest } = node
  return { node: { ...rest, value: dataValue(field, text) }, put: true }
}

/** Puts an ELEMENT into the first tree of the content. */
function add(node: unknown, item: Item): unknown {
  if (!isItem(node)) return node
  if (Array.isArray(node)) return node.map((child, i) => (i === 0 ? add(child, item) : child))
  if (node._type === 'ITEM_TREE') {
    return { ...node, items: [...((node.items as Item[] | undefined) ?? []), item] }
  }
  return { ...node, data: add(node.data, item) }
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
  let content: unknown = composition.content ?? []
  for (const field of section.fields.filter(({ id }) => changed.includes(id))) {
    const text = values[field.id] ?? ''
    const { node, put } = replace(content, field, text)
    content = put || text === '' ? node : add(node, element(field, text))
  }
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
        archetype_node_id: 'openEHR-EHR-EVALUATION.care_plan_section.v0',
        language: code('ISO_639-1', 'en'),
        encoding: code('IANA_character-sets', 'UTF-8'),
        subject: { _type: 'PARTY_SELF' },
        data: tree,
      },
    ],
  } as unknown as Composition
}
