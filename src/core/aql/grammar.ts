/**
 * Reads a query by the published grammar: recursive descent, one function for each of its rules. What the grammar does
 * not have is refused; what it has is built, so that it can be judged (judge.ts).
 *
 * @see openEHR AQL 1.1, "AQL Syntax Specification", parser grammar
 */
import { readLiteral, readOperator, readParameter, readPath, readPredicate } from './paths.js'
import { Reader } from './reader.js'
import type {
  Aggregate,
  Call,
  Column,
  Condition,
  Containment,
  Literal,
  Order,
  Parameter,
  Query,
  Terminal,
} from './syntax.js'

/** Functions of one row. Any other name, and TERMINOLOGY, which asks a server elsewhere, is no function here. */
const FUNCTIONS = [
  ...['LENGTH', 'POSITION', 'SUBSTRING', 'CONCAT_WS', 'CONCAT', 'ABS', 'MOD', 'CEIL', 'FLOOR'],
  ...['ROUND', 'NOW', 'CURRENT_DATE_TIME', 'CURRENT_DATE', 'CURRENT_TIMEZONE', 'CURRENT_TIME'],
]
const AGGREGATES = ['COUNT', 'MIN', 'MAX', 'SUM', 'AVG']

function readCall(words: Reader): Call | undefined {
  const name = words.takesOne('keyword', FUNCTIONS)
  if (name === undefined) return undefined
  words.need('symbol', '(')
  const operands = words.peek('symbol', ')')
    ? []
    : words.within(() => words.list(() => readTerminal(words), 'symbol', ','))
  words.need('symbol', ')')
  return { kind: 'call', name, operands }
}

const readTerminal = (words: Reader): Terminal =>
  readLiteral(words) ?? readParameter(words) ?? readCall(words) ?? readPath(words)

function readAggregate(words: Reader): Aggregate | undefined {
  const name = words.takesOne('keyword', AGGREGATES)
  if (name === undefined) return undefined
  words.need('symbol', '(')
  words.take('keyword', 'DISTINCT')
  if (!words.takes('symbol', '*')) readPath(words)
  words.need('symbol', ')')
  return { kind: 'aggregate', name }
}

function readColumn(words: Reader): Column {
  const value = readAggregate(words) ?? readLiteral(words) ?? readCall(words) ?? readPath(words)
  return words.takes('keyword', 'AS') ? { value, alias: words.need('word') } : { value }
}

function readVersion(words: Reader): Containment {
  words.take('word')
  if (words.takes('symbol', '[')) {
    if (words.takesOne('keyword', ['LATEST_VERSION', 'ALL_VERSIONS']) === undefined)
      throw words.fail('LATEST_VERSION')
    words.need('symbol', ']')
  }
  if (words.takes('keyword', 'CONTAINS')) readContainment(words)
  return { kind: 'version' }
}

/** One class with what it contains, or a pair of parentheses. */
function readOperand(words: Reader): Containment {
  if (words.takes('symbol', '(')) {
    const inner = words.within(() => readContainment(words))
    words.need('symbol', ')')
    return inner
  }
  if (words.takes('keyword', 'VERSION')) return words.within(() => readVersion(words))
  const type = words.need('word')
  const variable = words.take('word')
  const predicate = readPredicate(words)
  const not = words.takes('keyword', 'NOT')
  const contained = not ? words.need('keyword', 'CONTAINS') : words.take('keyword', 'CONTAINS')
  return {
    ...{ kind: 'class', type },
    ...(variable === undefined ? {} : { variable }),
    ...(predicate === undefined ? {} : { predicate }),
    // What follows CONTAINS reaches as far as it can, as in the grammar's first rule.
    ...(contained === undefined
      ? {}
      : { contains: { not, what: words.within(() => readContainment(words)) } }),
  }
}

const joined = <T>(kind: 'and' | 'or', all: readonly T[]) => {
  const [only] = all
  return all.length === 1 && only !== undefined ? only : { kind, all }
}

const readContainment = (words: Reader): Containment =>
  joined(
    'or',
    words.list(
      () =>
        joined(
          'and',
          words.list(() => readOperand(words), 'keyword', 'AND'),
        ),
      'keyword',
      'OR',
    ),
  )

const readValue = (words: Reader): Literal | Parameter => {
  const value = readLiteral(words) ?? readParameter(words)
  if (value === undefined) throw words.fail('a value')
  return value
}

/** A comparison of one path, or of a function's value. */
function readComparison(words: Reader): Condition {
  if (words.takes('keyword', 'EXISTS')) return { kind: 'exists', path: readPath(words) }
  const call = readCall(words)
  if (call !== undefined)
    return {
      kind: 'compares',
      left: call,
      operator: readOperator(words),
      right: readTerminal(words),
    }
  const path = readPath(words)
  if (words.takes('keyword', 'LIKE')) return { kind: 'like', path, pattern: readValue(words) }
  if (!words.takes('keyword', 'MATCHES'))
    return {
      kind: 'compares',
      left: path,
      operator: readOperator(words),
      right: readTerminal(words),
    }
  words.need('symbol', '{')
  const values = words.list(() => readValue(words), 'symbol', ',')
  words.need('symbol', '}')
  return { kind: 'matches', path, values }
}

function readOne(words: Reader): Condition {
  if (words.takes('keyword', 'NOT'))
    return { kind: 'not', what: words.within(() => readOne(words)) }
  if (!words.takes('symbol', '(')) return readComparison(words)
  const inner = words.within(() => readCondition(words))
  words.need('symbol', ')')
  return inner
}

const readCondition = (words: Reader): Condition =>
  joined(
    'or',
    words.list(
      () =>
        joined(
          'and',
          words.list(() => readOne(words), 'keyword', 'AND'),
        ),
      'keyword',
      'OR',
    ),
  )

function readOrder(words: Reader): Order {
  const path = readPath(words)
  const way = words.takesOne('keyword', ['DESCENDING', 'DESC', 'ASCENDING', 'ASC']) ?? 'ASC'
  return { path, descending: way.startsWith('DESC') }
}

const readCount = (words: Reader): number => {
  const text = words.need('number')
  if (!/^\d{1,7}$/.test(text)) throw words.fail('a whole number')
  return Number(text)
}

/** @throws Refusal parameter_invalid */
export function readAql(aql: string): Query {
  const words = new Reader(aql)
  words.need('keyword', 'SELECT')
  const distinct = words.takes('keyword', 'DISTINCT')
  const columns = words.list(() => readColumn(words), 'symbol', ',')
  words.need('keyword', 'FROM')
  const from = readContainment(words)
  const where = words.takes('keyword', 'WHERE') ? { where: readCondition(words) } : {}
  const ordered = words.takes('keyword', 'ORDER') && words.need('keyword', 'BY')
  const order = ordered ? words.list(() => readOrder(words), 'symbol', ',') : []
  const limit = words.takes('keyword', 'LIMIT') ? { limit: readCount(words) } : {}
  const offset = words.takes('keyword', 'OFFSET') ? { offset: readCount(words) } : {}
  words.need('end')
  return { distinct, columns, from, ...where, order, ...limit, ...offset }
}
