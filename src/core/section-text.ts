/**
 * What a section of the plan says, in words: for whoever has no form to show it in. A value that cannot be told, or
 * that no field shows, is counted and not guessed at.
 *
 * An at-code names a node within its archetype only, so a field is the ELEMENT (of a group, the CLUSTERs) of its node
 * in the section's own ENTRY.
 *
 * @see openEHR RM 1.1.0, "Common IM", LOCATABLE.archetype_node_id
 */
import { isObject, type Json } from './json.js'
import type { PlanField, PlanSection } from './plan.js'
import { type DataValue, quantityOf, textOf } from './plan-values.js'
import { plainText } from './text.js'

export interface Line {
  readonly title: string
  /** Each a paragraph. */
  readonly texts: readonly string[]
  /** Of a group, instead of texts. */
  readonly rows?: readonly (readonly Line[])[]
}

export interface SectionText {
  readonly lines: readonly Line[]
  /** How many recorded values stand in none of the lines. */
  readonly others: number
}

const ENTRY = 'openEHR-EHR-EVALUATION.care_plan_section.v0'
const DEEPEST = 20
const MOST_PARAGRAPHS = 500
const LONGEST = 10_000

/** Whether another archetype begins here. */
const isRoot = ({ archetype_node_id: node }: Json): boolean =>
  typeof node === 'string' && !/^(at|id)\d/.test(node)

const childrenOf = (node: unknown): readonly unknown[] =>
  Array.isArray(node) ? node : isObject(node) ? Object.values(node) : []

/** Every ELEMENT with a value, wherever. */
function valuedIn(node: unknown, depth = 0): readonly Json[] {
  if (depth > DEEPEST) return []
  if (isObject(node) && node._type === 'ELEMENT') return node.value === undefined ? [] : [node]
  return childrenOf(node).flatMap((child) => valuedIn(child, depth + 1))
}

/** ELEMENTs and CLUSTERs of one archetype; none of what stands in a CLUSTER below. */
function nodesIn(node: unknown, depth = 0): readonly Json[] {
  if (depth > DEEPEST) return []
  if (isObject(node) && depth > 0) {
    if (isRoot(node)) return []
    if (node._type === 'ELEMENT' || node._type === 'CLUSTER') return [node]
  }
  return childrenOf(node).flatMap((child) => nodesIn(child, depth + 1))
}

/** The ENTRYs of a content, in whatever SECTIONs they stand. */
function entriesIn(node: unknown, depth = 0): readonly Json[] {
  if (depth > DEEPEST) return []
  if (Array.isArray(node)) return node.flatMap((child) => entriesIn(child, depth + 1))
  if (!isObject(node)) return []
  return node._type === 'SECTION' ? entriesIn(node.items, depth + 1) : [node]
}

/** The section's own: the one of the plan's archetype, or the only one there is. */
function ownEntry(content: unknown): Json | undefined {
  const all = entriesIn(content)
  const own = all.filter(({ archetype_node_id: node }) => node === ENTRY)
  const [first, ...others] = own.length > 0 ? own : all
  return others.length === 0 ? first : undefined
}

const YES_NO: Readonly<Record<string, string>> = { yes: 'Yes', no: 'No' }

/** A field's text as a person reads it. */
function wordsOf({ type, options, units }: PlanField, text: string): string {
  if (type === 'yes-no') return YES_NO[text] ?? text
  const { number, unit = '' } = (type === 'quantity' && quantityOf(text)) || {}
  if (number !== undefined) return `${number} ${units?.[unit] ?? unit}`
  return options?.[text] ?? text
}

/** Without what could mislead a reader, line by line. */
const paragraphsOf = (text: string): readonly string[] =>
  text
    .split(/\r\n?|\n/)
    .slice(0, MOST_PARAGRAPHS)
    .map((line) => plainText(line, LONGEST))
    .filter((line) => line !== '')

/** Fields whose text may be put together of several ELEMENTs. */
const SEVERAL: readonly PlanField['type'][] = ['text', 'long-text', 'choices']

function lineOf(field: PlanField, nodes: readonly Json[]): Line | undefined {
  const { title, type } = field
  const kind = type === 'group' ? 'CLUSTER' : 'ELEMENT'
  const own = nodes.filter(
    ({ _type, archetype_node_id: node }) => _type === kind && node === field.node,
  )
  if (own.length === 0) return undefined
  if (type === 'group') {
    const rows = own.map((row) => linesOf(field.fields ?? [], nodesIn(row)))
    const said = rows.filter((row) => row.length > 0)
    return said.length === 0 ? undefined : { title, texts: [], rows: said }
  }
  if (own.length > 1 && !SEVERAL.includes(type)) return undefined
  const texts = own.map(({ value }) => textOf(field, value as DataValue | undefined))
  if (texts.some((text) => text === undefined)) return undefined
  const paragraphs = texts.flatMap((text) => paragraphsOf(wordsOf(field, text ?? '')))
  return paragraphs.length === 0 ? undefined : { title, texts: paragraphs }
}

const linesOf = (fields: readonly PlanField[], nodes: readonly Json[]): readonly Line[] =>
  fields.flatMap((field) => lineOf(field, nodes) ?? [])

/** How many values the lines tell: of several ELEMENTs to one field, each. */
function toldIn(fields: readonly PlanField[], nodes: readonly Json[]): number {
  const told = fields.map((field) => {
    if (lineOf(field, nodes) === undefined) return 0
    const own = nodes.filter(({ archetype_node_id: node }) => node === field.node)
    if (field.type !== 'group') return own.filter(({ value }) => value !== undefined).length
    const rows = own.map((row) => toldIn(field.fields ?? [], nodesIn(row)))
    return rows.reduce((sum, each) => sum + each, 0)
  })
  return told.reduce((sum, each) => sum + each, 0)
}

/** @param composition of the section's template, as the record gave it */
export function sectionText({ fields }: PlanSection, composition: unknown): SectionText {
  const content = isObject(composition) ? composition.content : undefined
  const entry = ownEntry(content)
  const nodes = entry === undefined ? [] : nodesIn(entry)
  const all = valuedIn(content).length
  return { lines: linesOf(fields, nodes), others: Math.max(0, all - toldIn(fields, nodes)) }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? '')

const listOf = (lines: readonly Line[]): string =>
  `<dl>${lines.map(({ title, texts, rows }) => `<dt>${escaped(title)}</dt>${saidOf(texts, rows)}`).join('')}</dl>`

const saidOf = (texts: Line['texts'], rows: Line['rows']): string =>
  rows === undefined
    ? `<dd>${texts.map(escaped).join('<br/>')}</dd>`
    : rows.map((row) => `<dd>${listOf(row)}</dd>`).join('')

/** The same as XHTML, for a FHIR narrative. @see FHIR R4, "Narrative" */
export function sectionDiv({ lines, others }: SectionText): string {
  const said = lines.length === 0 ? '' : listOf(lines)
  const counted = others === 0 ? '' : `<p>${others} more recorded here: look at the care plan.</p>`
  const none = said === '' && counted === '' ? '<p>Nothing is recorded in this section.</p>' : ''
  return `<div xmlns="http://www.w3.org/1999/xhtml">${said}${counted}${none}</div>`
}
