/** Lists of activities: which of them conditions can tell apart, and what a condition says where some codes are settled. */
import { another, atoms, literalsIn } from './atoms.js'
import type { Expr } from './cedar.js'
import { attributeOf, literal, operands, operation, texts } from './expression.js'
import { subjectsOf } from './subject.js'

/** Codes that every list has, and those that none has. */
export interface Settled {
  readonly has: readonly string[]
  readonly lacks: readonly string[]
}
export const NOTHING_SETTLED: Settled = { has: [], lacks: [] }

/** So many codes are taken in every combination; of more, alone, in pairs, and all together. */
const MOST_CODES = 8

const isOpen =
  ({ has, lacks }: Settled) =>
  (code: string): boolean =>
    !has.includes(code) && !lacks.includes(code)

/** Asks of nothing but whether codes that it names are in the list. */
const isPlain = (atom: Expr, ways: readonly string[]): boolean =>
  ways.includes(operation(atom)) &&
  attributeOf(operands(atom).left) === 'principal.activities' &&
  (typeof literal(operands(atom).right) === 'string' || texts(operands(atom).right) !== undefined)

export interface Lists {
  readonly all: readonly (readonly string[])[]
  /** False where these are not all that count. */
  readonly clear: boolean
  /** Codes that stand for others as well. */
  readonly alike: ReadonlyMap<string, readonly string[]>
}

/** @param about every atom that looks at the list */
export function listsOf(about: readonly Expr[], { has, lacks }: Settled): Lists {
  const named = [...new Set(about.flatMap(literalsIn))].sort().filter(isOpen({ has, lacks }))
  const plain = about.every((atom) => isPlain(atom, ['contains', 'containsAny']))
  // Codes that always stand together stand for one another; elsewhere each stands for itself.
  const company = (code: string): string =>
    plain ? about.map((atom) => Number(literalsIn(atom).includes(code))).join('') : code
  const alike = new Map<string, readonly string[]>()
  for (const code of named) {
    const first = named.find((other) => company(other) === company(code)) ?? code
    alike.set(first, [...(alike.get(first) ?? []), code])
  }
  const codes = [...alike.keys()]
  // Where a list is looked at as a whole, a code that nobody named counts as well.
  if (!plain) codes.push(another([...named, ...has, ...lacks], 'B9999'))
  if (codes.length > MOST_CODES) {
    const pairs = codes.flatMap((one, i) => codes.slice(i + 1).map((other) => [one, other]))
    const some = [[], ...codes.map((code) => [code]), ...pairs, codes]
    return { all: some.map((list) => [...has, ...list]), clear: false, alike }
  }
  const all = Array.from({ length: 2 ** codes.length }, (_, bits) => [
    ...has,
    ...codes.filter((_code, i) => (bits >> i) & 1),
  ])
  return { all, clear: true, alike }
}

/** What to settle next: of the codes that are still open the one that most conditions name. */
export function openCode(terms: readonly Expr[], settled: Settled): string | undefined {
  const about = terms.flatMap(atoms).filter((atom) => subjectsOf(atom).has('principal.activities'))
  const counts = new Map<string, number>()
  for (const code of about.flatMap(literalsIn).filter(isOpen(settled)))
    counts.set(code, (counts.get(code) ?? 0) + 1)
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return first?.[0]
}

/**
 * What a condition over the list alone says of every list that is settled so; `undefined`: of some this, of others that.
 * @param asks what it says of one list
 */
export function saysOf<T>(term: Expr, settled: Settled, asks: (list: readonly string[]) => T) {
  const own = atoms(term)
  if (!own.every((atom) => isPlain(atom, ['contains', 'containsAny', 'containsAll'])))
    return undefined
  const open = [...new Set(own.flatMap(literalsIn))].filter(isOpen(settled))
  const least = asks(settled.has)
  if (open.length === 0) return least
  // One question, or its contrary, says the same of all between two lists of which it says the same.
  const most = own.length === 1 ? asks([...settled.has, ...open]) : undefined
  return least === most ? least : undefined
}
