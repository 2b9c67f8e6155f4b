/**
 * A section's values in and out of its openEHR COMPOSITION (canonical JSON). What a form does not know
 * is left exactly as it was read, so that saving one field never loses another.
 *
 * @see openEHR RM 1.1.0, "Data Structures"; ITS-JSON
 */
import { groupText, textOf } from '../../src/core/plan-values.js'
import { changedContent } from './changes.js'
import type { Field, Section, Values } from './definition.js'
import { ENTRY_ARCHETYPE, type Item, placesOf, rowOf } from './elements.js'
import { type Adopted, newNodes } from './sourced.js'
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

/** The texts of a section's fields, or of one row's. */
function textsIn(fields: readonly Field[], found: ReadonlyMap<string, readonly Item[]>): Values {
  const read = (field: Field): string => {
    const nodes = found.get(field.id) ?? []
    if (field.type === 'group')
      return groupText(
        field,
        nodes.map((row) => rowText(field, row)),
      )
    return nodes
      .map(({ value }) => harmless(textOf(field, value)))
      .filter((text) => text !== '')
      .join('\n')
  }
  return Object.fromEntries(fields.map((field) => [field.id, read(field)]))
}

const rowText = (field: Field, cluster: Item): Values =>
  textsIn(field.fields ?? [], rowOf(field, cluster).found)

/** What a section holds. A field that has no value, or whose value cannot be told, is ''. */
export const valuesOf = (section: Section, composition: Composition | undefined): Values =>
  textsIn(section.fields, placesOf(section, composition?.content).found)

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

const signed = ({ name }: Author) => ({ composer: { _type: 'PARTY_IDENTIFIED', name } })

/** The composition with the fields in `changed` as given in `values`, signed by its new author. */
export function revised(
  section: Section,
  composition: Composition,
  values: Values,
  changed: readonly string[],
  author: Author,
  adopted: readonly Adopted[] = [],
): Composition {
  const before = composition.content ?? []
  const content = changedContent(section, before, values, new Set(changed), adopted)
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
export function composed(
  section: Section,
  values: Values,
  author: Author,
  adopted: readonly Adopted[] = [],
): Composition {
  const name = { _type: 'DV_TEXT', value: section.title }
  const items = section.fields.flatMap((field) => newNodes(field, values[field.id] ?? '', adopted))
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
