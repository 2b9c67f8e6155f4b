/**
 * A query written anew from what was judged: parentheses wherever two readers could bind differently, no escapes, no
 * comments, no parameters.
 */
import { Refusal } from '../refusal.js'
import type {
  Call,
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

/** In the quotes that it does not hold itself. @throws Refusal parameter_invalid */
export function quoted(text: string): string {
  if (UNFIT.test(text) || text.length > 500) throw invalid('a string')
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

export function printer(values: Values) {
  const given = ({ name }: Parameter) => {
    const value = values.get(name)
    if (value === undefined) throw invalid('a parameter without a value')
    return value
  }
  const value = (one: Literal | Parameter): string =>
    one.kind === 'literal' ? plain(one.value, one.text) : plain(given(one))

  const CODE =
    /^(?:(?:at|id)\d{1,8}(?:\.\d{1,8}){0,8}|(?:[A-Za-z][\w.-]{0,80}::)?[A-Za-z]\w{0,40}(?:-[A-Za-z]\w{0,40}){2}\.[A-Za-z][\w-]{0,80}\.v\d{1,4}(?:\.\d{1,4}){0,2})$/
  const code = (text: unknown): string => {
    if (typeof text !== 'string' || !CODE.test(text)) throw invalid('a node')
    return text
  }
  function node(one: NodePredicate): string {
    if (one.kind === 'parameter') return code(given(one))
    if (one.kind === 'compare') {
      const { operand } = one
      const right = operand.kind === 'code' ? operand.code : value(operand)
      return `${steps(one.path)}${one.operator}${right}`
    }
    if (one.name === undefined) return code(one.code)
    return `${code(one.code)}, ${typeof one.name === 'string' ? code(one.name) : value(one.name)}`
  }
  const predicate = (all?: Predicate): string =>
    all === undefined ? '' : `[${all.map((one) => one.map(node).join(' AND ')).join(' OR ')}]`
  const steps = (all: readonly Step[]): string =>
    all.map((step) => `${step.name}${predicate(step.predicate)}`).join('/')
  const path = (one: Path): string =>
    `${one.variable}${predicate(one.predicate)}${one.steps.map((step) => `/${steps([step])}`).join('')}`
  const call = (one: Call): string => `${one.name}(${one.operands.map(terminal).join(', ')})`
  function terminal(one: Terminal): string {
    if (one.kind === 'path') return path(one)
    return one.kind === 'call' ? call(one) : value(one)
  }
  function column({ value: what, alias }: Column): string {
    if (what.kind === 'aggregate') throw invalid('an aggregate')
    return `${terminal(what)}${alias === undefined ? '' : ` AS ${alias}`}`
  }
  function containment(one: Containment): string {
    if (one.kind === 'version') throw invalid('VERSION')
    if (one.kind !== 'class')
      return `(${one.all.map(containment).join(` ${one.kind.toUpperCase()} `)})`
    const { type, variable, contains } = one
    const self = `${type}${variable === undefined ? '' : ` ${variable}`}${predicate(one.predicate)}`
    if (contains === undefined) return self
    return `${self}${contains.not ? ' NOT' : ''} CONTAINS ${containment(contains.what)}`
  }
  function condition(one: Condition): string {
    switch (one.kind) {
      case 'and':
      case 'or':
        return `(${one.all.map(condition).join(` ${one.kind.toUpperCase()} `)})`
      case 'not':
        return `NOT (${condition(one.what)})`
      case 'exists':
        return `EXISTS ${path(one.path)}`
      case 'compares':
        return `${terminal(one.left)} ${one.operator} ${terminal(one.right)}`
      case 'like':
        return `${path(one.path)} LIKE ${value(one.pattern)}`
      case 'matches':
        return `${path(one.path)} matches {${one.values.map(value).join(', ')}}`
    }
  }
  return {
    query({ columns, from, where, order, limit, offset }: Query): string {
      const ordered = order.map((by) => `${path(by.path)} ${by.descending ? 'DESC' : 'ASC'}`)
      return [
        `SELECT ${columns.map(column).join(', ')}`,
        `FROM ${containment(from)}`,
        ...(where === undefined ? [] : [`WHERE ${condition(where)}`]),
        ...(ordered.length === 0 ? [] : [`ORDER BY ${ordered.join(', ')}`]),
        ...(limit === undefined ? [] : [`LIMIT ${limit}`]),
        ...(offset === undefined ? [] : [`OFFSET ${offset}`]),
      ].join(' ')
    },
  }
}
