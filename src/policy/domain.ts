/**
 * The circumstances that conditions can tell apart: for each thing that they look at, one value of each kind. It only
 * says which questions are worth asking. Where it takes two values for the same, no condition treats them differently;
 * where it cannot know that it has them all, it says so (`clear`).
 */
import type { Question } from '../core/decision.js'
import { another, atoms, literalsIn } from './atoms.js'
import type { Expr } from './cedar.js'
import { listsOf, NOTHING_SETTLED, type Settled } from './codes.js'
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
  /** False where these may not be all that conditions can tell apart. */
  readonly clear: boolean
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
  /** Of a list of activities. */
  readonly settled?: Settled
  fits(value: Setting): boolean
}
export interface Given {
  readonly ordinary: Question
  readonly organizationTypes: ReadonlySet<string>
  readonly limits?: ReadonlyMap<Subject, Limit>
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
  if (subject === 'principal.activities')
    return listsOf(about, given.limits?.get(subject)?.settled ?? NOTHING_SETTLED)
  const closed = valuesOf(subject, given.organizationTypes)
  if (closed) return { all: [...new Set([ordinary, ...closed])], clear: true }
  const other = another(named, 'another')
  return { all: [...new Set([ordinary, other, ...named])], clear: true, other }
}

function dimensionOf(subject: Subject, about: readonly Expr[], given: Given): Dimension {
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
  return {
    of: subject,
    values: members.flatMap(([first]) => (first === undefined ? [] : [first])),
    members,
    clear,
    ...(unnamed < 0 ? {} : { unnamed }),
    ...(found.alike === undefined ? {} : { alike: found.alike }),
  }
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
    dimensions: found.filter(({ values }) => values.length > 0),
    clear: clear && found.every((one) => one.clear),
  }
}

/** How many different circumstances a domain has. */
export const sizeOf = ({ dimensions }: Pick<Domain, 'dimensions'>): number =>
  dimensions.reduce((size, { values }) => size * values.length, 1)
