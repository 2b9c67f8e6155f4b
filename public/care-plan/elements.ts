/**
 * Where a section's values stand in its COMPOSITION. An at-code names a node within its archetype only: in a
 * nested archetype, or in another ENTRY, it names something else. So a field is the ELEMENT (of a group, the
 * CLUSTERs) of its node in the section's own ENTRY, and what could be one value or another is taken for neither.
 *
 * @see openEHR RM 1.1.0, "Common IM", LOCATABLE.archetype_node_id
 */
import { type DataValue, textOf } from '../../src/core/plan-values.js'
import type { Field, Section } from './definition.js'

export interface Item {
  readonly _type?: string
  readonly archetype_node_id?: string
  readonly value?: DataValue
  readonly [member: string]: unknown
}

/** The archetype of the plan's own ENTRYs. */
export const ENTRY_ARCHETYPE = 'openEHR-EHR-EVALUATION.care_plan_section.v0'
const DEEPEST = 20

export const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null

/** Whether another archetype begins here. */
const isRoot = ({ archetype_node_id: node }: Item): boolean =>
  typeof node === 'string' && !/^(at|id)\d/.test(node)

interface Found {
  /** An ELEMENT, or a CLUSTER of this archetype. */
  readonly node: Item
  /** The list or object that holds it. */
  readonly parent: unknown
}

/** @param across whether to look into nested archetypes too */
function nodesIn(node: unknown, across: boolean, parent: unknown = node, depth = 0): Found[] {
  if (!isItem(node) || depth > DEEPEST) return []
  if (node._type === 'ELEMENT') return [{ node, parent }]
  if (!across && depth > 0 && isRoot(node)) return []
  const children = Array.isArray(node) ? node : Object.values(node)
  const own = node._type === 'CLUSTER' && depth > 0 ? [{ node, parent }] : []
  return [...own, ...children.flatMap((child) => nodesIn(child, across, node, depth + 1))]
}

/** The ENTRYs of a content, in whatever SECTIONs they stand. */
function entriesIn(node: unknown, depth = 0): Item[] {
  if (!isItem(node) || depth > DEEPEST) return []
  if (Array.isArray(node)) return node.flatMap((child) => entriesIn(child, depth + 1))
  return node._type === 'SECTION' ? entriesIn(node.items, depth + 1) : [node]
}

/** The section's own: of the plan's archetype, or the only one there is. */
function ownEntries(content: unknown): readonly Item[] {
  const all = entriesIn(content)
  const own = all.filter(({ archetype_node_id: node }) => node === ENTRY_ARCHETYPE)
  if (own.length > 0) return own
  return all.length === 1 ? all : []
}

/** Fields whose text may be put together of several ELEMENTs. */
const SEVERAL = ['text', 'long-text', 'choices', 'group']

const isReadable = (field: Field, { node }: Found): boolean =>
  field.type === 'group'
    ? rowOf(field, node).unclear.size === 0
    : textOf(field, node.value) !== undefined

/** Whether nobody could say which value the field has, or a save would tear apart what belongs together. */
function isUnclear(field: Field, found: readonly Found[], entries: number): boolean {
  if (found.length === 0) return false
  return (
    entries > 1 ||
    (!SEVERAL.includes(field.type) && found.length > 1) ||
    found.some(({ parent }) => parent !== found[0]?.parent) ||
    !found.every((each) => isReadable(field, each))
  )
}

interface Fields {
  /** The ELEMENTs, or CLUSTERs, of each field that has any, by field id. */
  readonly found: ReadonlyMap<string, readonly Item[]>
  /** Ids of the fields whose value cannot be told. */
  readonly unclear: ReadonlySet<string>
}

function fieldsAmong(fields: readonly Field[], nodes: readonly Found[], entries: number): Fields {
  const found = new Map<string, readonly Item[]>()
  const unclear = new Set<string>()
  for (const field of fields) {
    const kind = field.type === 'group' ? 'CLUSTER' : 'ELEMENT'
    const matches = nodes.filter(
      ({ node }) => node._type === kind && node.archetype_node_id === field.node,
    )
    if (isUnclear(field, matches, entries)) unclear.add(field.id)
    else if (matches.length > 0)
      found.set(
        field.id,
        matches.map(({ node }) => node),
      )
  }
  return { found, unclear }
}

/** The fields of one row of a group, in its CLUSTER. */
export const rowOf = (field: Field, cluster: Item): Fields =>
  fieldsAmong(field.fields ?? [], nodesIn(cluster, false), 1)

export interface Places extends Fields {
  /** Where a field that has no ELEMENT yet gets one. */
  readonly tree: Item | undefined
  /** How many recorded values are in none of the fields. */
  readonly others: number
}

export function placesOf(section: Section, content: unknown): Places {
  const own = ownEntries(content)
  const nodes = own.flatMap((entry) => nodesIn(entry, false))
  const { found, unclear } = fieldsAmong(section.fields, nodes, own.length)
  const rows = section.fields
    .filter(({ type }) => type === 'group')
    .flatMap((field) => (found.get(field.id) ?? []).map((cluster) => rowOf(field, cluster)))
  const shown = new Set(
    [found, ...rows.map((row) => row.found)].flatMap((one) => [...one.values()].flat()),
  )
  const valued = nodesIn(content, true).filter(
    ({ node }) => node._type === 'ELEMENT' && node.value !== undefined,
  )
  const data = own.length === 1 ? own[0]?.data : undefined
  return {
    found,
    unclear,
    tree: isItem(data) && data._type === 'ITEM_TREE' ? data : undefined,
    others: valued.filter(({ node }) => !shown.has(node)).length,
  }
}
