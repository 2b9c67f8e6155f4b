/** Conditions in plain English. What has no words here is shown as Cedar. */
import { type Expr, policyToText } from './cedar.js'
import {
  argument,
  attributeOf,
  entities,
  literal,
  operands,
  operation,
  texts,
  variable,
} from './expression.js'
import { type AnyRole, listed, roleWords } from './names.js'
import { policyOf } from './probe.js'
import type { Setting, Subject } from './subject.js'

// biome-ignore format: a table
const SUBJECT_WORDS: Readonly<Record<Subject, string>> = {
  'principal':                  'the user',
  'principal.activities':       'the activities',
  'principal.activitySource':   'the source of the activities',
  'principal.assurance':        'the sign-on',
  'principal.organization':     'the organisation',
  'principal.organizationType': "the organisation's type",
  'principal.region':           'the region',
  'context.purpose':            'the purpose',
  'context.rung':               'the way of the launch',
  'context.system':             'the launch system',
  'context.app':                'the app',
  'context.patientSensitive':   'the record is marked sensitive',
  'context.patientDeceased':    'the person has died',
  'context.emergencyReason':    'the emergency reason',
  'context.hour':               'the hour',
  'context.weekday':            'the day',
}
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

const plain = (word: string): string => word.replaceAll('-', ' ')

const hour = (value: Setting): string => `${String(value).padStart(2, '0')}:00`

/** One value of a thing. */
function valueWords(subject: Subject, value: Setting): string {
  if (subject === 'context.hour') return hour(value)
  if (subject === 'context.weekday') return DAYS[Number(value) - 1] ?? String(value)
  if (subject === 'principal.assurance') return `AAL${value}`
  if (subject === 'principal.activitySource')
    return value === 'listed' ? "the user's own list" : 'the baseline of the job role'
  if (value === '') return 'empty'
  const closed = ['context.purpose', 'context.rung', 'principal.organizationType']
  return closed.includes(subject) ? plain(String(value)) : String(value)
}

const isAny = (reason: Setting | undefined): boolean => reason === '' || reason === 'another'

/** "the purpose is direct care or emergency care" */
export function isOneOf(subject: Subject, values: readonly Setting[], negated = false): string {
  const not = negated ? ' not' : ''
  const [first] = values
  if (typeof first === 'boolean') {
    const holds = first !== negated
    if (subject === 'context.patientDeceased')
      return holds ? 'the person has died' : 'the person is alive'
    return `the record is ${holds ? '' : 'not '}marked sensitive`
  }
  if (subject === 'principal.activities')
    return listed(
      values.map((value) => {
        const codes = value as readonly string[]
        return codes.length === 0
          ? 'holds no activity that counts here'
          : `holds ${codesWords(codes, 'and')}`
      }),
      'or',
    )
  // `another` stands for whatever no policy names.
  if (subject === 'context.emergencyReason' && values.length === 1 && isAny(first))
    return (first === '') === negated
      ? 'an emergency reason is given'
      : 'no emergency reason is given'
  const words = span(subject, values)
  if (subject === 'principal.assurance')
    return negated ? `not signed on with ${words}` : `signed on with ${words}`
  if (subject === 'principal.activitySource')
    return negated
      ? `the activities do not come from ${words}`
      : `the activities come from ${words}`
  return `${SUBJECT_WORDS[subject]} is${not} ${words}`
}

/** "09:00 to 17:00" for a run of numbers; otherwise each. */
function span(subject: Subject, values: readonly Setting[]): string {
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b)
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)]
  if (numbers.length > 2 && numbers.length === values.length && last - first === numbers.length - 1)
    return `${valueWords(subject, first)} to ${valueWords(subject, last)}`
  return listed(
    values.map((value) => valueWords(subject, value)),
    'or',
  )
}

const codesWords = (codes: readonly string[], last: 'and' | 'or'): string =>
  `${codes.length === 1 ? 'activity' : 'activities'} ${listed(codes, last)}`

// biome-ignore format: a table
const RELATION_WORDS: Readonly<Record<string, { readonly words: string; readonly opposite: string; readonly turned: string }>> = {
  '<':  { words: 'before',           opposite: '>=', turned: '>'  },
  '<=': { words: 'at or before',     opposite: '>',  turned: '>=' },
  '>':  { words: 'after',            opposite: '<=', turned: '<'  },
  '>=': { words: 'at or after',      opposite: '<',  turned: '<=' },
}

function relationWords(subject: Subject, op: string, value: number): string | undefined {
  if (subject === 'principal.assurance') {
    const fits = [1, 2, 3].filter((level) =>
      op === '<'
        ? level < value
        : op === '<='
          ? level <= value
          : op === '>'
            ? level > value
            : level >= value,
    )
    const least = fits[0] ?? 4
    if (fits.length === 0) return undefined
    if (fits.at(-1) === 3) return `signed on with ${least === 3 ? 'AAL3' : `AAL${least} or higher`}`
    return fits.length === 1 ? 'signed on with AAL1' : 'signed on below AAL3'
  }
  const what = subject === 'context.weekday' ? 'the day' : 'it'
  return `${what} is ${RELATION_WORDS[op]?.words} ${valueWords(subject, value)}`
}

const asSubject = (expr: Expr): Subject | undefined => {
  const attribute = attributeOf(expr)
  if (attribute !== undefined && Object.hasOwn(SUBJECT_WORDS, attribute))
    return attribute as Subject
  return undefined
}

/** Words for a test of one thing; `undefined` where there are none. */
function atomWords(expr: Expr, negated: boolean): string | undefined {
  const op = operation(expr)
  const own = asSubject(expr)
  if (own === 'context.patientSensitive' || own === 'context.patientDeceased')
    return isOneOf(own, [true], negated)
  if (op === 'in' || op === 'is' || op === 'isEmpty') return variableWords(expr, negated)
  if (
    !['==', '!=', 'contains', 'containsAny', 'containsAll'].includes(op) &&
    !(op in RELATION_WORDS)
  )
    return undefined
  const { left, right } = operands(expr)
  const [leftIs, rightIs] = [asSubject(left), asSubject(right)]
  if (leftIs === 'principal.activities' && op.startsWith('contains')) {
    const one = literal(right)
    const codes = typeof one === 'string' ? [one] : texts(right)
    if (codes === undefined) return undefined
    const holds = negated ? 'does not hold' : 'holds'
    return `${holds} ${codesWords(codes, op === 'containsAll' ? 'and' : 'or')}`
  }
  if (op === 'contains') {
    const values = texts(left)
    return rightIs && values ? isOneOf(rightIs, values, negated) : undefined
  }
  const subject = leftIs ?? rightIs
  const value = literal(leftIs ? right : left)
  if (subject === undefined || value === undefined) return variableWords(expr, negated)
  if (op === '==' || op === '!=') return isOneOf(subject, [value], negated !== (op === '!='))
  const row = RELATION_WORDS[leftIs ? op : (RELATION_WORDS[op]?.turned ?? op)]
  const facing = leftIs ? op : (RELATION_WORDS[op]?.turned ?? op)
  return typeof value === 'number' && row
    ? relationWords(subject, negated ? row.opposite : facing, value)
    : undefined
}

/** Tests of role, action, resource and user, as an unreduced policy has them. */
function variableWords(expr: Expr, negated: boolean): string | undefined {
  const not = negated ? ' not' : ''
  const op = operation(expr)
  if (op === 'isEmpty')
    return asSubject(argument(expr)) === 'principal.activities'
      ? `holds ${negated ? 'some activity' : 'no activity'}`
      : undefined
  if (op === 'is') {
    const { left, entity_type } = Object.values(expr)[0] as { left: Expr; entity_type: string }
    return `the ${variable(left) ?? 'value'} is${not} of type ${entity_type}`
  }
  const { left, right } = operands(expr)
  const name = variable(left)
  const named = entities(right)
  if (name === undefined || named === undefined || name === 'context') return undefined
  const words = named.map(({ type, id }) => (type === 'Role' ? roleName(id) : id))
  if (name === 'principal')
    return `the ${named[0]?.type === 'Role' ? 'role' : 'user'} is${not} ${listed(words, 'or')}`
  return `the ${name === 'resource' ? 'kind of data' : name} is${not} ${listed(words, 'or')}`
}

const roleName = (id: string): string => roleWords(id as AnyRole) ?? id

/** A condition in words; with `negated`, its opposite. Deep ones are bracketed. */
export function wordsOf(expr: Expr, negated = false, inner = false): string {
  const op = operation(expr)
  if (op === '!') return wordsOf(argument(expr), !negated, inner)
  if (op === '&&' || op === '||') {
    const word = (op === '&&') === negated ? 'or' : 'and'
    const parts = flat(expr, op).map((part) => wordsOf(part, negated, true))
    const joined = parts.join(` ${word} `)
    return inner ? `(${joined})` : joined
  }
  return atomWords(expr, negated) ?? `${negated ? 'not ' : ''}\`${cedarText(expr)}\``
}

const flat = (expr: Expr, op: string): Expr[] => {
  if (operation(expr) !== op) return [expr]
  const { left, right } = operands(expr)
  return [...flat(left, op), ...flat(right, op)]
}

/** All of them, in one sentence. */
export const allWords = (terms: readonly Expr[]): string =>
  terms.map((term) => wordsOf(term, false, terms.length > 1)).join(' and ')

/** An expression as Cedar writes it. */
export function cedarText(expr: Expr): string {
  const written = policyToText(policyOf([expr]))
  if (written.type === 'failure') return JSON.stringify(expr)
  return (/ when \{(.*)\};?\s*$/s.exec(written.text)?.[1] ?? written.text).trim()
}
