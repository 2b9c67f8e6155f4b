/**
 * A cell with more circumstances than are walked at once, part by part: one thing is fixed after another, and with each
 * the policies fall away that cannot apply any more. What the parts leave out, if anything, the last of them says.
 */
import type { Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
import { cannotErr } from './certain.js'
import { openCode, type Settled, saysOf } from './codes.js'
import { type Dimension, domainOf, type Given, type Limit, sizeOf } from './domain.js'
import { type Probe, policyOf, probeOf } from './probe.js'
import { isRough, type Left, mattering, type Side } from './side.js'
import { type Setting, type Subject, subjectsOf, withSetting } from './subject.js'
import { MOST_CIRCUMSTANCES, type Walk, walkOver } from './walk.js'

/** A thing and which of its values it is fixed to; of activities, whether one code is held. */
export interface Fixed {
  readonly dimension: Dimension
  readonly at: number
}
/** Of a cell's circumstances those with some things as they are fixed, and what is left there, of each side. */
export type Part = Walk & {
  readonly fixed: readonly Fixed[]
  readonly lefts: readonly (readonly Left[])[]
}
export interface Cell {
  readonly sides: readonly Side[]
  /** Of each side, what is left in the cell of this question. */
  readonly lefts: readonly (readonly Left[])[]
  readonly question: Question
  readonly given: Given
  /** More circumstances than these are taken apart; no more than a walk takes. */
  readonly most?: number
  /** What a reader wants to know of: parts in which none of it is left are passed over. */
  wanted?(lefts: readonly (readonly Left[])[]): readonly Left[]
}

/** Of one cell, all parts together. */
const MOST_TOGETHER = 2_000_000
const MOST_PARTS = 20_000

const exactly = (value: Setting): Limit => ({
  named: [value],
  fits: (other) => JSON.stringify(other) === JSON.stringify(value),
})

const CODES: Subject = 'principal.activities'

/** Not held, or held. */
const codeDimension = (code: string): Dimension => ({
  of: CODES,
  values: [[], [code]],
  members: [[[]], [[code]]],
  clear: true,
})

type Limits = ReadonlyMap<Subject, Limit>

function settledIn(limits: Limits): Settled {
  const { settled, named } = limits.get(CODES) ?? { named: [] }
  return settled ?? { has: (named[0] ?? []) as readonly string[], lacks: [] }
}

/** One thing more that is fixed. */
function limitedBy(limits: Limits, { dimension: { of, values }, at }: Fixed): Limits {
  const value = values[at] ?? false
  if (of !== CODES) return new Map(limits).set(of, exactly(value))
  const before = limits.get(CODES)
  const { has, lacks } = settledIn(limits)
  const [code = ''] = values[1] as readonly string[]
  const settled = at === 1 ? { has: [...has, code], lacks } : { has, lacks: [...lacks, code] }
  const fits = (list: Setting): boolean =>
    (before?.fits(list) ?? true) && (list as readonly string[]).includes(code) === (at === 1)
  return new Map(limits).set(CODES, { named: [settled.has], settled, fits })
}

const looksAt = (terms: readonly Expr[]): readonly (Subject | undefined)[] => [...subjectsOf(terms)]

/** Whether single terms hold, asked of Cedar and remembered. */
function termAsker(question: Question) {
  const probes = new Map<string, Probe>()
  return {
    /** @returns `undefined` where it hangs on more than what is fixed */
    asks(term: Expr, of: Subject, { named: [value = false], settled }: Limit) {
      const key = JSON.stringify(term)
      if (isRough(key)) return undefined
      const probe = probes.get(key) ?? probeOf({ effect: 'permit', json: policyOf([term]) })
      probes.set(key, probe)
      const ask = (one: Setting) => probe.asks(withSetting(question, of, one))
      return settled ? saysOf(term, settled, ask) : ask(value)
    },
    close() {
      for (const probe of probes.values()) probe.close()
    },
  }
}

/** What is left of a policy once one thing more is fixed; nothing where it cannot apply, nor err. */
function leftUnder(
  one: Left,
  of: Subject,
  limit: Limit,
  asks: ReturnType<typeof termAsker>['asks'],
): readonly Left[] {
  const terms: Expr[] = []
  for (const term of one.terms) {
    const looks = looksAt([term])
    const known = looks.length === 1 && looks[0] === of ? asks(term, of, limit) : undefined
    if (known === 'no' && terms.every(cannotErr)) return []
    if (known !== 'yes') terms.push(term)
  }
  const fixed = JSON.stringify(limit.settled ?? limit.named)
  return [{ ...one, terms, key: `${one.key} ${of}=${fixed}` }]
}

const lone = (left: readonly Left[]) =>
  left.flatMap(({ terms }) =>
    terms.flatMap((term) => (looksAt([term]).length === 1 ? looksAt([term]) : [])),
  )

/** How a thing is taken apart: activities code by code, all else value by value. */
function splitOf(found: Dimension, left: readonly Left[], limits: Limits): Dimension | undefined {
  if (found.of !== CODES) return found
  const terms = left.flatMap((one) => one.terms)
  const code = openCode(terms, settledIn(limits))
  return code === undefined ? undefined : codeDimension(code)
}

/** What has conditions that are not understood, or too many codes. */
function unclearIn(dimensions: readonly Dimension[], left: readonly Left[]): readonly Left[] {
  const murky = new Set<Subject | undefined>([undefined])
  for (const { of, clear } of dimensions) if (!clear) murky.add(of)
  return left.filter(({ terms }) => looksAt(terms).some((of) => murky.has(of)))
}

/**
 * What to fix next: what a forbid hangs on alone, for then it settles all; what decides by itself whether something
 * wanted applies, or something that is not understood; or, of too many, what has the most values. Before all others
 * what can be taken apart for certain.
 */
function nextSplit(
  dimensions: readonly Dimension[],
  left: readonly Left[],
  wanted: readonly Left[],
  limits: Limits,
  most: number,
): Dimension | undefined {
  const splits = dimensions
    .filter(({ values }) => values.length > 1)
    .sort((a, b) => b.values.length - a.values.length)
    .flatMap((one) => splitOf(one, left, limits) ?? [])
  const certain = splits.filter(({ clear }) => clear)
  const among = certain.length > 0 ? certain : splits
  const alone = left
    .filter(({ policy, terms }) => policy.effect === 'forbid' && looksAt(terms).length === 1)
    .flatMap(({ terms }) => looksAt(terms))
  const unclear = lone(unclearIn(dimensions, left))
  const [first] = [alone, lone(wanted), unclear].flatMap(
    (some) => among.find(({ of }) => some.includes(of)) ?? [],
  )
  return first ?? (sizeOf({ dimensions }) > most ? among[0] : undefined)
}

/** A branch: what is left there, what is fixed, and whether nothing was passed over on the way. */
interface Branch {
  readonly lefts: Cell['lefts']
  readonly fixed: readonly Fixed[]
  readonly limits: Limits
  readonly isWhole: boolean
}

export function* partsOf(cell: Cell): Generator<Part> {
  const { sides, question, wanted, most = MOST_CIRCUMSTANCES } = cell
  const asker = termAsker(question)
  const spent = { parts: 0, circumstances: 0, isSaid: false }
  function* over({ lefts, fixed, limits, isWhole }: Branch): Generator<Part> {
    const seen = wanted?.(lefts)
    if (seen?.length === 0) return
    const given = { ...cell.given, limits }
    const used = lefts.flatMap(mattering)
    const { dimensions, clear } = domainOf(
      used.flatMap(({ terms }) => terms),
      given,
    )
    const size = sizeOf({ dimensions })
    const isSmall = clear && size <= most
    const split = isSmall ? undefined : nextSplit(dimensions, used, seen ?? [], limits, most)
    const isOver = spent.parts++ >= MOST_PARTS || spent.circumstances > MOST_TOGETHER
    // Once is enough to say that not all is walked: what is left may be as much again.
    if (isOver && spent.isSaid) return
    if (split === undefined || isOver) {
      spent.isSaid ||= isOver
      spent.circumstances += Math.min(size, MOST_CIRCUMSTANCES)
      const walk = walkOver(sides, lefts, question, given)
      yield { ...walk, fixed, lefts, exhaustive: walk.exhaustive && isWhole && !isOver }
      return
    }
    for (const at of split.values.keys()) {
      const one = { dimension: split, at }
      const now = limitedBy(limits, one)
      const limit = now.get(split.of) as Limit
      const under = (left: readonly Left[]) =>
        left.flatMap((each) => leftUnder(each, split.of, limit, asker.asks))
      yield* over({
        lefts: lefts.map(under),
        fixed: [...fixed, one],
        limits: now,
        isWhole: isWhole && split.clear,
      })
    }
  }
  try {
    yield* over({
      lefts: cell.lefts,
      fixed: [],
      limits: cell.given.limits ?? new Map(),
      isWhole: true,
    })
  } finally {
    asker.close()
  }
}
