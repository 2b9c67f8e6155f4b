/**
 * The circumstances that conditions can tell apart: for each thing that they look at, one value of each kind. It only
 * says which questions are worth asking. Where it takes two values for the same, no condition treats them differently;
 * where it cannot know that it has them all, it says so (`clear`).
 */
import type { Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
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
import { type Setting, type Subject, settingOf, subjectsOf, valuesOf } from './subject.js'
import { USER_TYPE } from './vocabulary.js'

export interface Dimension {
  readonly of: Subject
  /** One of each kind; the ordinary one first, where it is one of them. */
  readonly values: readonly Setting[]
  /** All of each kind, as far as they have a name. */
  readonly members: readonly (readonly Setting[])[]
  /** The kind of every text that no condition names. */
  readonly unnamed?: number
  /** Codes that stand for others as well. */
  readonly alike?: ReadonlyMap<string, readonly string[]>
}
export interface Domain {
  readonly dimensions: readonly Dimension[]
  /** False where these may not be all circumstances that the conditions can tell apart. */
  readonly clear: boolean
}
/** Only some values of a thing are asked about. */
export interface Limit {
  /** Values that no condition need name. */
  readonly named: readonly Setting[]
  fits(value: Setting): boolean
}
export interface Given {
  readonly ordinary: Question
  readonly organizationTypes: ReadonlySet<string>
  readonly limits?: ReadonlyMap<Subject, Limit>
}

/** So many codes are taken in every combination; of more, alone, in pairs, and all together. */
const MOST_CODES = 8

/** What a condition asks one by one: the parts between `&&`, `||`, `!` and `if`. */
function atoms(expr: Expr): Expr[] {
  switch (operation(expr)) {
    case '&&':
    case '||':
      return [...atoms(operands(expr).left), ...atoms(operands(expr).right)]
    case '!':
      return atoms(argument(expr))
    case 'if-then-else':
      return (Object.values(Object.values(expr)[0] as object) as Expr[]).flatMap(atoms)
    case 'Value':
      return []
    default:
      return [expr]
  }
}

const RELATIONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

const isList = (value: Setting | undefined): value is readonly string[] => Array.isArray(value)

/** What an operand comes to when its one subject has this value; `undefined`: not known here. */
function operand(expr: Expr, subject: Subject, value: Setting): Setting | undefined {
  if (attributeOf(expr) === subject) return value
  if (subject === 'principal' && variable(expr) === 'principal') return value
  if (subject === 'principal') {
    const [user, more] = entities(expr) ?? []
    return user?.type === USER_TYPE && more === undefined ? user.id : undefined
  }
  return literal(expr) ?? texts(expr)
}

/** Whether an atom holds; `undefined`: not known here. Only to see which values it treats alike. */
function judged(atom: Expr, subject: Subject, value: Setting): boolean | undefined {
  if (attributeOf(atom) === subject) return typeof value === 'boolean' ? value : undefined
  const op = operation(atom)
  const known = (expr: Expr) => operand(expr, subject, value)
  if (op === 'isEmpty') {
    const list = known(argument(atom))
    return isList(list) ? list.length === 0 : undefined
  }
  if (!(op in RELATIONS) && !['==', '!=', 'contains', 'containsAny', 'containsAll'].includes(op))
    return undefined
  const [left, right] = [known(operands(atom).left), known(operands(atom).right)]
  if (left === undefined || right === undefined) return undefined
  if (op === 'contains')
    return isList(left) && typeof right === 'string' ? left.includes(right) : undefined
  if (isList(left) && isList(right)) {
    if (op === 'containsAny') return right.some((one) => left.includes(one))
    if (op === 'containsAll') return right.every((one) => left.includes(one))
    return undefined
  }
  if (isList(left) || isList(right)) return undefined
  if (op === '==' || op === '!=') return (left === right) === (op === '==')
  const holds = RELATIONS[op]
  return typeof left === 'number' && typeof right === 'number' ? holds?.(left, right) : undefined
}

/** Every text that an expression names; of a pattern, the shortest that fits it. */
function literalsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  if ('like' in value) {
    const { pattern } = value.like as { pattern: ('Wildcard' | { Literal: string })[] }
    return [pattern.map((part) => (part === 'Wildcard' ? '' : part.Literal)).join('')]
  }
  if ('Value' in value) {
    const { Value } = value
    if (typeof Value === 'string') return [Value]
    const user = entities(value as Expr)?.[0]
    return user?.type === USER_TYPE ? [user.id] : []
  }
  return Object.values(value).flatMap(literalsIn)
}

/** A value that nobody named. */
function another(named: readonly string[], like: string): string {
  let word = like
  while (named.includes(word)) word += '-'
  return word
}

/** Every combination of codes that could matter. */
function lists(about: readonly Expr[], named: readonly string[]) {
  const plain = about.filter(
    (atom) =>
      ['contains', 'containsAny'].includes(operation(atom)) &&
      attributeOf(operands(atom).left) === 'principal.activities',
  )
  // Codes that always stand together stand for one another; elsewhere each stands for itself.
  const company = (code: string): string =>
    plain.length === about.length
      ? about.map((atom) => Number(literalsIn(atom).includes(code))).join('')
      : code
  const alike = new Map<string, readonly string[]>()
  for (const code of named) {
    const first = named.find((other) => company(other) === company(code)) ?? code
    alike.set(first, [...(alike.get(first) ?? []), code])
  }
  const codes = [...alike.keys()]
  // Where a list is looked at as a whole, a code that nobody named counts as well.
  if (plain.length < about.length) codes.push(another(named, 'B9999'))
  if (codes.length > MOST_CODES) {
    const pairs = codes.flatMap((one, i) => codes.slice(i + 1).map((other) => [one, other]))
    return { all: [[], ...codes.map((code) => [code]), ...pairs, codes], clear: false, alike }
  }
  const all = Array.from({ length: 2 ** codes.length }, (_, bits) =>
    codes.filter((_code, i) => (bits >> i) & 1),
  )
  return { all, clear: true, alike }
}

interface Candidates {
  readonly all: readonly Setting[]
  readonly clear: boolean
  readonly alike?: ReadonlyMap<string, readonly string[]>
  /** Stands for every text that is not named. */
  readonly other?: string
}

function candidates(subject: Subject, about: readonly Expr[], given: Given): Candidates {
  const named = [...new Set(about.flatMap(literalsIn))].sort()
  const ordinary = settingOf(given.ordinary, subject)
  if (subject === 'principal.activities') return lists(about, named)
  const closed = valuesOf(subject, given.organizationTypes)
  if (closed) return { all: [...new Set([ordinary, ...closed])], clear: true }
  const other = another(named, 'another')
  return { all: [...new Set([ordinary, other, ...named])], clear: true, other }
}

function dimensionOf(subject: Subject, about: readonly Expr[], given: Given) {
  const found = candidates(subject, about, given)
  const limit = given.limits?.get(subject)
  const all = limit
    ? [...limit.named, ...found.all.filter((value) => limit.fits(value))]
    : found.all
  const alone = about.filter((atom) => subjectsOf(atom).size === 1)
  const kinds = new Map<string, Setting[]>()
  let clear = found.clear
  const closed = valuesOf(subject, given.organizationTypes) !== undefined
  for (const value of all) {
    const truths = alone.map((atom) => judged(atom, subject, value))
    const known = alone.length === about.length && !truths.includes(undefined)
    // Of what is closed every value is taken where the atoms are not understood: that is all there is.
    if (!known && !closed) clear = false
    const kind = known ? truths.join() : JSON.stringify(value)
    kinds.set(kind, [...(kinds.get(kind) ?? []), value])
  }
  const members = [...kinds.values()]
  const unnamed = members.findIndex(
    (kind) => found.other !== undefined && kind.includes(found.other),
  )
  const dimension: Dimension = {
    of: subject,
    values: members.flatMap(([first]) => (first === undefined ? [] : [first])),
    members,
    ...(unnamed < 0 ? {} : { unnamed }),
    ...(found.alike === undefined ? {} : { alike: found.alike }),
  }
  return { dimension, clear }
}

/** The circumstances that these terms can tell apart. Things that they do not look at stay as they ordinarily are. */
export function domainOf(terms: readonly Expr[], given: Given): Domain {
  const all = [
    ...new Map(terms.flatMap(atoms).map((atom) => [JSON.stringify(atom), atom])).values(),
  ]
  const bySubject = new Map<Subject, Expr[]>()
  let clear = true
  for (const atom of all) {
    for (const subject of subjectsOf(atom)) {
      if (subject === undefined) clear = false
      else bySubject.set(subject, [...(bySubject.get(subject) ?? []), atom])
    }
  }
  const found = [...bySubject].map(([subject, about]) => dimensionOf(subject, about, given))
  return {
    dimensions: found.map(({ dimension }) => dimension).filter(({ values }) => values.length > 0),
    clear: clear && found.every((one) => one.clear),
  }
}

/** How many different circumstances a domain has. */
export const sizeOf = ({ dimensions }: Pick<Domain, 'dimensions'>): number =>
  dimensions.reduce((size, { values }) => size * values.length, 1)
