/**
 * Holds a query to one EHR and to templates that may be read, by its structure: one EHR, the token's, from which all
 * else hangs; every class inside a composition, whose template each row must show; nothing that tells of what is not
 * shown. What was judged is written anew (print.ts), so that nobody reads another query than this.
 */
import { Refusal } from '../refusal.js'
import { type Values, writeAql } from './print.js'
import type {
  Call,
  ClassExpression,
  Column,
  Condition,
  Containment,
  Path,
  Query,
  Terminal,
} from './syntax.js'

/** Content of compositions. Whatever else a server knows (statuses, folders, parties, versions) is no content. */
const CONTENT = new Set([
  ...['SECTION', 'OBSERVATION', 'EVALUATION', 'INSTRUCTION', 'ACTIVITY', 'ACTION', 'ADMIN_ENTRY'],
  ...['GENERIC_ENTRY', 'CLUSTER', 'ELEMENT', 'HISTORY', 'EVENT', 'POINT_EVENT', 'INTERVAL_EVENT'],
  ...['EVENT_CONTEXT', 'ITEM_TREE', 'ITEM_LIST', 'ITEM_SINGLE', 'ITEM_TABLE'],
])
/** Of the EHR itself. */
const OF_EHR = new Set(['ehr_id/value', 'time_created/value'])
/** Names of what we add: a client's own never begins so. */
const OURS = /^gw_/i

export const EHR_COLUMN = 'gw_ehr'
export const templateColumn = (index: number): string => `gw_template_${index}`

const MOST_ROWS = 1_000
const USUAL_ROWS = 100
const MOST_COLUMNS = 50
const MOST_COMPOSITIONS = 5

const refuse = (detail: string) => new Refusal('parameter_invalid', `AQL: ${detail}`)

export interface Bounds {
  /** The token's. */
  readonly ehrId: string
  /** That may be read, of which rows may be. */
  readonly templates: readonly string[]
  readonly values: Values
  readonly fetch?: number
  readonly offset?: number
}

export interface BoundQuery {
  readonly aql: string
  /** How many compositions each row names the template of. */
  readonly compositions: number
  /** How many columns were asked for: those before ours. */
  readonly columns: number
}

/** Variables by what they stand for; AQL tells none apart by capitals alone. */
class Variables {
  readonly ehr = new Set<string>()
  readonly content = new Set<string>()
  readonly compositions: string[] = []

  declare(name: string, where: Set<string>): void {
    const key = name.toLowerCase()
    if (OURS.test(name) || this.ehr.has(key) || this.content.has(key))
      throw refuse('a variable that is declared twice, or is ours')
    where.add(key)
  }
}

/** A class inside the EHR; `inside`: within a composition already. */
function bindContained(what: Containment, inside: boolean, known: Variables): Containment {
  if (what.kind === 'version') throw refuse('VERSION')
  if (what.kind !== 'class') {
    if (what.kind === 'or') throw refuse('OR between what is contained')
    return { kind: 'and', all: what.all.map((one) => bindContained(one, inside, known)) }
  }
  const type = what.type.toUpperCase()
  if (what.contains?.not) throw refuse('NOT CONTAINS')
  if (inside ? !CONTENT.has(type) : type !== 'COMPOSITION')
    throw refuse('a class that has no place here')
  const variable = what.variable ?? (inside ? undefined : `gw_c${known.compositions.length}`)
  if (what.variable !== undefined) known.declare(what.variable, known.content)
  if (!inside && variable !== undefined) known.compositions.push(variable)
  if (known.compositions.length > MOST_COMPOSITIONS) throw refuse('too many compositions')
  const { contains } = what
  return {
    ...{ ...what, type },
    ...(variable === undefined ? {} : { variable }),
    ...(contains === undefined
      ? {}
      : { contains: { not: false, what: bindContained(contains.what, true, known) } }),
  }
}

/** The one EHR that a client named, if it did. @throws Refusal parameter_invalid, record_other_patient */
function requireOwn({ predicate }: ClassExpression, { ehrId, values }: Bounds): void {
  if (predicate === undefined) return
  const [[one, ...more] = [], ...others] = predicate
  if (one?.kind !== 'compare' || more.length > 0 || others.length > 0)
    throw refuse('a condition on the EHR')
  const { path, operator, operand } = one
  const isId = path.length === 2 && path.map(({ name }) => name).join('/') === 'ehr_id/value'
  const bare = path.every((step) => step.predicate === undefined)
  if (!isId || !bare || operator !== '=' || operand.kind === 'code')
    throw refuse('a condition on the EHR')
  const named = operand.kind === 'literal' ? operand.value : (values.get(operand.name) ?? ehrId)
  if (typeof named !== 'string') throw refuse('a condition on the EHR')
  if (named.toLowerCase() !== ehrId) throw new Refusal('record_other_patient', 'AQL')
}

/** `FROM EHR e CONTAINS …`, its EHR the token's whatever it said. */
function bindFrom(from: Containment, bounds: Bounds, known: Variables): ClassExpression {
  if (from.kind !== 'class' || from.type.toUpperCase() !== 'EHR')
    throw refuse('FROM without one EHR')
  if (from.contains === undefined || from.contains.not) throw refuse('an EHR that contains nothing')
  requireOwn(from, bounds)
  const variable = from.variable ?? 'gw_e'
  if (from.variable !== undefined) known.declare(from.variable, known.ehr)
  const own = { kind: 'literal', value: bounds.ehrId } as const
  const path = [{ name: 'ehr_id' }, { name: 'value' }]
  return {
    ...{ kind: 'class', type: 'EHR', variable },
    predicate: [[{ kind: 'compare', path, operator: '=', operand: own }]],
    contains: { not: false, what: bindContained(from.contains.what, false, known) },
  }
}

/** A path begins at what was declared; of the EHR only its id and age are anybody's to see here. */
function requirePath({ variable, predicate, steps }: Path, known: Variables): void {
  const key = variable.toLowerCase()
  if (known.ehr.has(key)) {
    const bare = predicate === undefined && steps.every((step) => step.predicate === undefined)
    if (!bare || !OF_EHR.has(steps.map(({ name }) => name).join('/')))
      throw refuse('a path of the EHR')
  } else if (!known.content.has(key)) throw refuse('a variable that is not declared')
}

function requireTerminal(one: Terminal, known: Variables): void {
  if (one.kind === 'path') requirePath(one, known)
  else if (one.kind === 'call') requireCall(one, known)
}
const requireCall = ({ operands }: Call, known: Variables): void => {
  for (const operand of operands) requireTerminal(operand, known)
}

function requireCondition(one: Condition, known: Variables): void {
  if ('all' in one) for (const each of one.all) requireCondition(each, known)
  else if ('what' in one) requireCondition(one.what, known)
  else if ('left' in one) {
    requireTerminal(one.left, known)
    requireTerminal(one.right, known)
  } else requirePath(one.path, known)
}

function requireColumns(columns: readonly Column[], known: Variables): void {
  if (columns.length > MOST_COLUMNS) throw refuse('too many columns')
  const aliases = columns.flatMap(({ alias }) => alias?.toLowerCase() ?? [])
  if (aliases.some((alias) => OURS.test(alias)) || new Set(aliases).size < aliases.length)
    throw refuse('an alias that is used twice, or is ours')
  // A server could read the column where we read, and bound, the class.
  if (aliases.some((alias) => known.ehr.has(alias) || known.content.has(alias)))
    throw refuse('an alias that is a variable')
  for (const { value } of columns) {
    if (value.kind === 'aggregate') throw refuse('an aggregate, whose rows cannot be proven')
    requireTerminal(value, known)
  }
}

const path = (variable: string, ...names: readonly string[]): Path => ({
  ...{ kind: 'path', variable },
  steps: names.map((name) => ({ name })),
})
const templateOf = (variable: string) => path(variable, 'archetype_details', 'template_id', 'value')

/**
 * Rows of other templates never match, so that a condition cannot be used to ask about them: what is left out must
 * not depend on what it says.
 */
function bindWhere(
  where: Condition | undefined,
  known: Variables,
  templates: readonly string[],
): Condition {
  const values = templates.map((value) => ({ kind: 'literal', value }) as const)
  const open = known.compositions.map(
    (variable): Condition => ({
      ...{ kind: 'matches', path: templateOf(variable), values },
    }),
  )
  const all = [...open, ...(where === undefined ? [] : [where])]
  const [only] = all
  return all.length === 1 && only !== undefined ? only : { kind: 'and', all }
}

function bindLimit({ limit, offset }: Query, bounds: Bounds) {
  const paged = bounds.fetch !== undefined || bounds.offset !== undefined
  if (paged && (limit !== undefined || offset !== undefined))
    throw refuse('LIMIT beside fetch or offset')
  if (limit === undefined && offset !== undefined) throw refuse('OFFSET without LIMIT')
  const rows = limit ?? bounds.fetch ?? USUAL_ROWS
  if (rows < 1 || rows > MOST_ROWS) throw refuse('too many rows')
  const skipped = offset ?? bounds.offset
  return { limit: rows, ...(skipped === undefined ? {} : { offset: skipped }) }
}

/**
 * @throws Refusal parameter_invalid for what cannot be held to one EHR; record_other_patient for another's;
 *   record_absent when nothing may be read
 */
export function bindAql(query: Query, bounds: Bounds): BoundQuery {
  if (query.distinct) throw refuse('DISTINCT, whose rows cannot be proven')
  if (bounds.templates.length === 0) throw new Refusal('record_absent', 'nothing is readable')
  const known = new Variables()
  const from = bindFrom(query.from, bounds, known)
  requireColumns(query.columns, known)
  if (query.where !== undefined) requireCondition(query.where, known)
  for (const { path: by } of query.order) requirePath(by, known)
  const proof: Column[] = [
    { value: path(from.variable ?? '', 'ehr_id', 'value'), alias: EHR_COLUMN },
    ...known.compositions.map((variable, index) => ({
      ...{ value: templateOf(variable), alias: templateColumn(index) },
    })),
  ]
  const bound: Query = {
    distinct: false,
    columns: [...query.columns, ...proof],
    from,
    where: bindWhere(query.where, known, bounds.templates),
    order: query.order,
    ...bindLimit(query, bounds),
  }
  return {
    aql: writeAql(bound, bounds.values),
    compositions: known.compositions.length,
    columns: query.columns.length,
  }
}
