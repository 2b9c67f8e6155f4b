/**
 * Values that came from somewhere, as ELEMENTs of their own that say so. A line of a text that was taken over stands
 * beside what was typed, and keeps its source until somebody changes the line.
 *
 * @see openEHR RM 1.1.0, "Common IM", FEEDER_AUDIT
 */
import type { Offer } from '../../src/core/adoption.js'
import { type Source, sourceOf } from '../../src/core/feeder-audit.js'
import { groupText, type Node, nodesOf, rowsOf, textOf } from '../../src/core/plan-values.js'
import { showDay } from './dates.js'
import { type Field, type Section, type Values, wordsFor } from './definition.js'
import { type Item, placesOf, rowOf } from './elements.js'
import { oneLine } from './text.js'

/** What was taken over in a form, and what its ELEMENTs will say of it. */
export interface Adopted extends Pick<Offer, 'field' | 'elements'> {
  readonly audit: object
}

const isLines = ({ type }: Field): boolean => type === 'text' || type === 'long-text'
const isSourced = ({ feeder_audit: audit }: Item): boolean => audit !== undefined && audit !== null

type Element = Adopted['elements'][number]

const sourcedNode = (field: Field, { value }: Element, audit: object): Item =>
  ({ ...nodesOf(field, 'x')[0], value, feeder_audit: audit }) as object as Item

/** ELEMENTs that say where they come from, by what they say: those of the record, then those of this form. */
function knownOf(field: Field, nodes: readonly Item[], adopted: readonly Adopted[]) {
  const standing = nodes
    .filter(isSourced)
    .map((node) => [textOf(field, node.value) ?? '', node] as const)
  const fresh = adopted
    .filter((one) => one.field.node === field.node)
    .flatMap(({ elements, audit }) =>
      elements.map((one) => [one.text, sourcedNode(field, one, audit)] as const),
    )
  return new Map([...fresh, ...standing])
}

interface Segment {
  readonly text: string
  /** The ELEMENT that says it already; absent for what was typed. */
  readonly node?: Item
}

/** A text in its parts: lines of known source, and what stands between them, without empty lines at its ends. */
function segmentsOf(text: string, known: ReadonlyMap<string, Item>): readonly Segment[] {
  const lines = text.split('\n')
  const segments: Segment[] = []
  let typed: string[] = []
  const flush = () => {
    const said = typed.join('\n').replace(/^\s*\n|\s+$/g, '')
    if (said.trim() !== '') segments.push({ text: said })
    typed = []
  }
  const left = [...known].map(([said, node]) => ({ said: said.split('\n'), node }))
  for (let at = 0; at < lines.length; ) {
    const found = left.find(({ said }) => said.every((one, i) => lines[at + i]?.trim() === one))
    if (found) {
      flush()
      segments.push({ text: found.said.join('\n'), node: found.node })
      // One ELEMENT says it once.
      left.splice(left.indexOf(found), 1)
    } else typed.push(lines[at] ?? '')
    at += found?.said.length ?? 1
  }
  flush()
  return segments
}

/**
 * The ELEMENTs of a text some of which came from somewhere; `undefined` where none did.
 * @param nodes those that hold it now
 */
export function sourcedText(
  field: Field,
  nodes: readonly Item[],
  text: string,
  adopted: readonly Adopted[],
): readonly Item[] | undefined {
  if (!isLines(field)) return undefined
  const segments = segmentsOf(text, knownOf(field, nodes, adopted))
  if (!segments.some(({ node }) => node)) return undefined
  const typed = nodes.filter((node) => !isSourced(node))
  return segments.map(({ text: said, node }) => {
    if (node) return node
    const { null_flavour: _, ...rest } = typed.shift() ?? {}
    return { ...rest, ...(nodesOf(field, said)[0] as object) }
  })
}

const elementFor = ({ elements }: Adopted, node: string, text: string): Element | undefined =>
  elements.find((one) => one.node === node && one.text === text)

/** A date, a number or an option that was taken over. */
export function sourcedValue(
  field: Field,
  text: string,
  adopted: readonly Adopted[],
): Item | undefined {
  for (const one of adopted.filter((each) => each.field.node === field.node)) {
    const element = elementFor(one, field.node, text)
    if (element) return sourcedNode(field, element, one.audit)
  }
  return undefined
}

/** Of what was taken over, what a row is: the item of which it says most, its first part for certain. */
function adoptedRow(field: Field, row: Values, adopted: readonly Adopted[]): Adopted | undefined {
  const parts = field.fields ?? []
  const says = (one: Adopted) =>
    parts.filter(({ id, node }) => elementFor(one, node, row[id] ?? '')).length
  const isOf = (one: Adopted) => {
    const part = parts.find(({ node }) => node === one.elements[0]?.node)
    return part !== undefined && row[part.id] === one.elements[0]?.text
  }
  return adopted
    .filter((one) => one.field.node === field.node && isOf(one))
    .sort((a, b) => says(b) - says(a))[0]
}

/** The CLUSTER of a row that was taken over; `undefined` for one that was typed. */
export function sourcedRow(
  field: Field,
  row: Values,
  adopted: readonly Adopted[],
): Item | undefined {
  const one = adoptedRow(field, row, adopted)
  const [cluster] = nodesOf(field, groupText(field, [row])) as object[] as Item[]
  if (!one || !cluster) return undefined
  const items = (field.fields ?? []).flatMap((part): readonly object[] => {
    const text = row[part.id] ?? ''
    const element = elementFor(one, part.node, text)
    return element ? [sourcedNode(part, element, one.audit)] : nodesOf(part, text)
  })
  return { ...cluster, items }
}

/** What a new section's tree holds of a field. */
export function newNodes(
  field: Field,
  text: string,
  adopted: readonly Adopted[],
): readonly (Node | Item)[] {
  if (field.type === 'group')
    return rowsOf(text).flatMap((row): readonly (Node | Item)[] => {
      const own = sourcedRow(field, row, adopted)
      return own ? [own] : nodesOf(field, groupText(field, [row]))
    })
  if (field.type === 'choices')
    return text.split('\n').flatMap((code): readonly (Node | Item)[] => {
      const own = sourcedValue(field, code, adopted)
      return own ? [own] : nodesOf(field, code)
    })
  const value = sourcedValue(field, text, adopted)
  return sourcedText(field, [], text, adopted) ?? (value ? [value] : nodesOf(field, text))
}

/** The values as the record will hold them: between lines of another source, nothing is kept of empty ones. */
export const settledValues = (
  section: Section,
  content: unknown,
  values: Values,
  adopted: readonly Adopted[],
): Values => {
  const { found } = placesOf(section, content)
  const settled = section.fields.filter(isLines).flatMap((field) => {
    const known = knownOf(field, found.get(field.id) ?? [], adopted)
    const segments = segmentsOf(values[field.id] ?? '', known)
    const some = segments.some(({ node }) => node)
    return some ? [[field.id, segments.map(({ text }) => text).join('\n')]] : []
  })
  return { ...values, ...Object.fromEntries(settled) }
}

/** `From the GP record, SystmOne at Fernbank Surgery, sent 26-Nov-2026`: not when it was recorded there. */
export function sourceWords({ system, organization, at }: Source): string {
  const place = [oneLine(system), oneLine(organization)].filter((part) => part !== '').join(' at ')
  const day = showDay(at.slice(0, 10))
  const sent = day === '' ? '' : `sent ${day}`
  return ['From the GP record', place, sent].filter((part) => part !== '').join(', ')
}

/** A value of known source, as a reader sees it. */
export interface Told {
  readonly words: string
  readonly source: Source
}

const saidOf = (field: Field, text: string): string =>
  field.type === 'date' ? showDay(text) : wordsFor(field, text)

const toldBy = (field: Field, node: Item): readonly Told[] => {
  const source = sourceOf(node.feeder_audit)
  const words = textOf(field, node.value)
  return source && words ? [{ words: saidOf(field, words), source }] : []
}

/** What of each field came from the GP record, by field id. Of a row: its parts together. */
export function sourcesOf(
  section: Section,
  content: unknown,
): ReadonlyMap<string, readonly Told[]> {
  const { found } = placesOf(section, content)
  const ofRow = (field: Field, cluster: Item): readonly Told[] => {
    const parts = rowOf(field, cluster).found
    const told = (field.fields ?? []).flatMap((part) =>
      (parts.get(part.id) ?? []).flatMap((node) => toldBy(part, node)),
    )
    const [first] = told
    return first ? [{ ...first, words: told.map(({ words }) => words).join(', ') }] : []
  }
  const all = section.fields.map((field) => {
    const nodes = found.get(field.id) ?? []
    const told = nodes.flatMap((node) =>
      field.type === 'group' ? ofRow(field, node) : toldBy(field, node),
    )
    return [field.id, told] as const
  })
  return new Map(all.filter(([, told]) => told.length > 0))
}
