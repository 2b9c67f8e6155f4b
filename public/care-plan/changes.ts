/**
 * A section's content with some of its fields changed. Everything else stays exactly as it was read: what other
 * systems wrote beside our fields, and in the CLUSTERs of our groups.
 */
import {
  dataValueOf,
  groupText,
  type Node,
  nodesOf,
  rowsOf,
  sameText,
  textOf,
} from '../../src/core/plan-values.js'
import type { Field, Section, Values } from './definition.js'
import { type Item, isItem, placesOf, rowOf } from './elements.js'
import { type Adopted, sourcedRow, sourcedText, sourcedValue } from './sourced.js'

class Change {
  /** What stands in the place of a node. */
  readonly instead = new Map<Item, readonly Item[]>()
  /** What is added to the items of a tree or CLUSTER. */
  readonly added = new Map<Item, readonly Item[]>()

  constructor(
    /** What was taken over into the form. */
    readonly adopted: readonly Adopted[],
  ) {}

  add(to: Item | undefined, nodes: readonly (Node | Item)[]): void {
    const more = nodes as readonly object[] as readonly Item[]
    if (to && nodes.length > 0) this.added.set(to, [...(this.added.get(to) ?? []), ...more])
  }

  drop(nodes: Iterable<Item>): void {
    for (const node of nodes) this.instead.set(node, [])
  }
}

/** One value: the first ELEMENT takes it, and keeps what else it has but for where its value had come from. */
function setOne(
  field: Field,
  nodes: readonly Item[],
  text: string,
  to: Item | undefined,
  change: Change,
) {
  const [first, ...others] = nodes
  const sourced = sourcedText(field, nodes, text, change.adopted)
  const value = sourcedValue(field, text, change.adopted)
  if (!first) return change.add(to, sourced ?? (value ? [value] : nodesOf(field, text)))
  // As it stands it may say where it comes from, and in whose terms.
  if (!value && nodes.map((node) => textOf(field, node.value)).join('\n') === text) return
  change.drop(others)
  const { null_flavour: _, feeder_audit: _source, ...rest } = first
  const plain = text === '' ? [] : [{ ...rest, value: dataValueOf(field, text) }]
  change.instead.set(first, sourced ?? (value ? [value] : plain))
}

/** Several choices: what is still chosen keeps its ELEMENT. */
function setSeveral(
  field: Field,
  nodes: readonly Item[],
  text: string,
  to: Item | undefined,
  change: Change,
) {
  const wanted = new Set(text.split('\n').filter((code) => code !== ''))
  for (const node of nodes) {
    const code = textOf(field, node.value) ?? ''
    if (!wanted.delete(code)) change.drop([node])
  }
  const made = [...wanted].flatMap((code): readonly (Node | Item)[] => {
    const value = sourcedValue(field, code, change.adopted)
    return value ? [value] : nodesOf(field, code)
  })
  change.add(to, made)
}

const rowTexts = (field: Field, cluster: Item): Values => {
  const { found } = rowOf(field, cluster)
  const texts = (child: Field) =>
    (found.get(child.id) ?? []).map(({ value }) => textOf(child, value))
  return Object.fromEntries(
    (field.fields ?? []).map((child) => [child.id, texts(child).join('\n')]),
  )
}

/** In how many of its fields a row says what a CLUSTER says. */
const likeness = ({ fields = [] }: Field, row: Values, before: Values): number =>
  fields.filter(({ id }) => row[id] !== undefined && row[id] !== '' && row[id] === before[id])
    .length

/**
 * Which CLUSTER each row was, so that it keeps what other systems wrote in it: the one that says the same, else the
 * one that is most like it, else (where as many are left) the next.
 */
function clustersOf(field: Field, rows: readonly Values[], clusters: readonly Item[]) {
  const left = new Set(clusters)
  const taken = new Map<Values, Item>()
  const take = (row: Values, cluster: Item | undefined) => {
    if (!cluster || taken.has(row)) return
    taken.set(row, cluster)
    left.delete(cluster)
  }
  for (const row of rows) {
    const text = groupText(field, [row])
    take(
      row,
      [...left].find((one) => sameText(field, groupText(field, [rowTexts(field, one)]), text)),
    )
  }
  for (const row of rows.filter((one) => !taken.has(one))) {
    const [best] = [...left]
      .map((one) => ({ one, like: likeness(field, row, rowTexts(field, one)) }))
      .sort((a, b) => b.like - a.like)
    if (best && best.like > 0) take(row, best.one)
  }
  const unmatched = rows.filter((one) => !taken.has(one))
  if (unmatched.length === left.size) for (const row of unmatched) take(row, [...left][0])
  return { taken, left }
}

/** A row that says of itself what it is no longer the item's: the rest of it does not come from there either. */
function setRow(field: Field, cluster: Item, row: Values, change: Change): void {
  const { found } = rowOf(field, cluster)
  const fields = field.fields ?? []
  setFields(fields, found, row, cluster, change)
  const nodes = fields.flatMap(({ id }) => found.get(id) ?? [])
  const sourced = nodes.filter(({ feeder_audit: audit }) => audit !== undefined && audit !== null)
  if (sourced[0] === undefined || !change.instead.has(sourced[0])) return
  for (const node of sourced.filter((one) => !change.instead.has(one))) {
    const { feeder_audit: _, ...rest } = node
    change.instead.set(node, [rest])
  }
}

function setRows(
  field: Field,
  clusters: readonly Item[],
  text: string,
  to: Item | undefined,
  change: Change,
) {
  const rows = rowsOf(text)
  const isKept = (row: Values) =>
    clusters.some((one) =>
      sameText(field, groupText(field, [rowTexts(field, one)]), groupText(field, [row])),
    )
  // A row that was taken over is a new one: no other row's CLUSTER becomes it.
  const fresh = rows.map((row) =>
    isKept(row) ? undefined : sourcedRow(field, row, change.adopted),
  )
  const typed = rows.filter((_, i) => !fresh[i])
  const { taken, left } = clustersOf(field, typed, clusters)
  for (const [i, row] of rows.entries()) {
    const cluster = taken.get(row)
    const own = fresh[i]
    if (own) change.add(to, [own])
    else if (cluster) setRow(field, cluster, row, change)
    else change.add(to, nodesOf(field, groupText(field, [row])))
  }
  for (const cluster of left) {
    const known = [...rowOf(field, cluster).found.values()].flat()
    const items = Array.isArray(cluster.items) ? cluster.items : []
    // What we do not know of a row is not ours to take away with it.
    change.drop(items.every((item) => known.includes(item as Item)) ? [cluster] : known)
  }
}

function setFields(
  fields: readonly Field[],
  found: ReadonlyMap<string, readonly Item[]>,
  values: Values,
  to: Item | undefined,
  change: Change,
): void {
  for (const field of fields) {
    const set = field.type === 'group' ? setRows : field.type === 'choices' ? setSeveral : setOne
    set(field, found.get(field.id) ?? [], values[field.id] ?? '', to, change)
  }
}

function apply(node: unknown, change: Change): unknown {
  if (!isItem(node)) return node
  const instead = change.instead.get(node)
  if (instead) return instead[0]
  if (node._type === 'ELEMENT') return node
  if (Array.isArray(node)) {
    const children = node as readonly unknown[]
    return children.flatMap((child): readonly unknown[] => {
      const own = isItem(child) ? change.instead.get(child) : undefined
      return own ?? [apply(child, change)]
    })
  }
  const members = Object.entries(node).map(([name, child]) => [name, apply(child, change)])
  const copy = Object.fromEntries(members) as Item
  const added = change.added.get(node)
  return added
    ? { ...copy, items: [...((copy.items as Item[] | undefined) ?? []), ...added] }
    : copy
}

/** @param changed ids of the fields to change; what cannot be told is never changed */
export function changedContent(
  section: Section,
  content: unknown,
  values: Values,
  changed: ReadonlySet<string>,
  adopted: readonly Adopted[] = [],
): unknown {
  const { found, unclear, tree } = placesOf(section, content)
  const change = new Change(adopted)
  const fields = section.fields.filter(({ id }) => changed.has(id) && !unclear.has(id))
  setFields(fields, found, values, tree, change)
  return apply(content, change)
}
