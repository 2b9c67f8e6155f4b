/**
 * A query written anew from what was judged: parentheses wherever two readers could bind differently, no escapes, no
 * comments, no parameters.
 */
import { Refusal } from '../refusal.js'
import type {
  Column,
  Condition,
  Containment,
  Literal,
  NodePredicate,
  Parameter,
  Path,
  Predicate,
  Query,
  Step,
  Terminal,
} from './syntax.js'

/** What a parameter stands for; each is written in its place. */
export type Values = ReadonlyMap<string, string | number | boolean>

const invalid = (detail: string) => new Refusal('parameter_invalid', `AQL: ${detail}`)

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNFIT = /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/
const LONGEST = 500

/** In the quotes that it does not hold itself. @throws Refusal parameter_invalid */
function quoted(text: string): string {
  if (UNFIT.test(text) || text.length > LONGEST) throw invalid('a string')
  if (!text.includes("'")) return `'${text}'`
  if (text.includes('"')) throw invalid('a string')
  return `"${text}"`
}

function plain(value: Literal['value'], text?: string): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalid('a number')
  return text ?? String(value)
}

function given({ name }: Parameter, values: Values) {
  const value = values.get(name)
  if (value === undefined) throw invalid('a parameter without a value')
  return value
}

const value = (one: Literal | Parameter, values: Values): string =>
  one.kind === 'literal' ? plain(one.value, one.text) : plain(given(one, values))

const CODE =
  /^(?:(?:at|id)\d{1,8}(?:\.\d{1,8}){0,8}|(?:[A-Za-z][\w.-]{0,80}::)?[A-Za-z]\w{0,40}(?:-[A-Za-z]\w{0,40}){2}\.[A-Za-z][\w-]{0,80}\.v\d{1,4}(?:\.\d{1,4}){0,2})$/

function code(text: unknown): string {
  if (typeof text !== 'string' || !CODE.test(text)) throw invalid('a node')
  return text
}

function node(one: NodePredicate, values: Values): string {
  if (one.kind === 'parameter') return code(given(one, values))
  if (one.kind === 'compare') {
    const { operand } = one
    const right = operand.kind === 'code' ? code(operand.code) : value(operand, values)
    return `${steps(one.path, values)}${one.operator}${right}`
  }
  const { name } = one
  if (name === undefined) return code(one.code)
  return `${code(one.code)}, ${typeof name === 'string' ? code(name) : value(name, values)}`
}

function predicate(all: Predicate | undefined, values: Values): string {
  if (all === undefined) return ''
  const alternatives = all.map((one) => one.map((each) => node(each, values)).join(' AND '))
  return `[${alternatives.join(' OR ')}]`
}

const steps = (all: readonly Step[], values: Values): string =>
  all.map((step) => `${step.name}${predicate(step.predicate, values)}`).join('/')

const path = (one: Path, values: Values): string =>
  [
    `${one.variable}${predicate(one.predicate, values)}`,
    ...one.steps.map((each) => steps([each], values)),
  ].join('/')

function terminal(one: Terminal, values: Values): string {
  if (one.kind === 'path') return path(one, values)
  if (one.kind !== 'call') return value(one, values)
  return `${one.name}(${one.operands.map((each) => terminal(each, values)).join(', ')})`
}

function column({ value: what, alias }: Column, values: Values): string {
  if (what.kind === 'aggregate') throw invalid('an aggregate')
  return `${terminal(what, values)}${alias === undefined ? '' : ` AS ${alias}`}`
}

const joined = (kind: 'and' | 'or', all: readonly string[]): string =>
  `(${all.join(` ${kind.toUpperCase()} `)})`

function containment(one: Containment, values: Values): string {
  if (one.kind === 'version') throw invalid('VERSION')
  if (one.kind !== 'class')
    return joined(
      one.kind,
      one.all.map((each) => containment(each, values)),
    )
  const { type, variable, contains } = one
  const name = variable === undefined ? type : `${type} ${variable}`
  const self = `${name}${predicate(one.predicate, values)}`
  if (contains === undefined) return self
  return `${self}${contains.not ? ' NOT' : ''} CONTAINS ${containment(contains.what, values)}`
}

function condition(one: Condition, values: Values): string {
  switch (one.kind) {
    case 'and':
    case 'or':
      return joined(
        one.kind,
        one.all.map((each) => condition(each, values)),
      )
    case 'not':
      return `NOT (${condition(one.what, values)})`
    case 'exists':
      return `EXISTS ${path(one.path, values)}`
    case 'compares':
      return `${terminal(one.left, values)} ${one.operator} ${terminal(one.right, values)}`
    case 'like':
      return `${path(one.path, values)} LIKE ${value(one.pattern, values)}`
    case 'matches':
      return `${path(one.path, values)} matches {${one.values.map((each) => value(each, values)).join(', ')}}`
  }
}

/** @throws Refusal parameter_invalid for a parameter without a value, and for values that no text can hold safely */
export function writeAql(query: Query, values: Values): string {
  const { columns, from, where, order, limit, offset } = query
  const ordered = order.map((by) => `${path(by.path, values)} ${by.descending ? 'DESC' : 'ASC'}`)
  return [
    `SELECT ${columns.map((each) => column(each, values)).join(', ')}`,
    `FROM ${containment(from, values)}`,
    ...(where === undefined ? [] : [`WHERE ${condition(where, values)}`]),
    ...(ordered.length === 0 ? [] : [`ORDER BY ${ordered.join(', ')}`]),
    ...(limit === undefined ? [] : [`LIMIT ${limit}`]),
    ...(offset === undefined ? [] : [`OFFSET ${offset}`]),
  ].join(' ')
}
