/**
 * A cell with more circumstances than are walked at once, part by part: one thing is fixed after another, and with each
 * the policies fall away that cannot apply any more. What the parts leave out, if anything, the last of them says.
 */
import type { Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
import { cannotErr } from './certain.js'
import { type Dimension, domainOf, type Given, type Limit, sizeOf } from './domain.js'
import { type Probe, policyOf, probeOf } from './probe.js'
import { type Left, mattering, type Side } from './side.js'
import { type Setting, type Subject, subjectsOf, withSetting } from './subject.js'
import { MOST_CIRCUMSTANCES, type Walk, walkOver } from './walk.js'

/** `fixed`: of a cell's circumstances only those with some things as they are fixed. */
export type Part = Walk & { readonly fixed: boolean }

/** Of one cell, all parts together. */
const MOST_TOGETHER = 2_000_000
const MOST_PARTS = 20_000

const exactly = (value: Setting): Limit => ({
  named: [value],
  fits: (other) => JSON.stringify(other) === JSON.stringify(value),
})

const looksAt = (terms: readonly Expr[]): readonly (Subject | undefined)[] => [...subjectsOf(terms)]

/** Whether single terms hold, asked of Cedar and remembered. */
function termAsker(question: Question) {
  const probes = new Map<string, Probe>()
  return {
    asks(term: Expr, of: Subject, value: Setting) {
      const key = JSON.stringify(term)
      const probe = probes.get(key) ?? probeOf({ effect: 'permit', json: policyOf([term]) })
      probes.set(key, probe)
      return probe.asks(withSetting(question, of, value))
    },
    close() {
      for (const probe of probes.values()) probe.close()
    },
  }
}

/** What is left of a policy once one thing is known; nothing where it cannot apply, nor err. */
function under(
  one: Left,
  of: Subject,
  value: Setting,
  asks: ReturnType<typeof termAsker>['asks'],
): readonly Left[] {
  const terms: Expr[] = []
  for (const term of one.terms) {
    const looks = looksAt([term])
    const known = looks.length === 1 && looks[0] === of ? asks(term, of, value) : undefined
    if (known === 'no' && terms.every(cannotErr)) return []
    if (known !== 'yes') terms.push(term)
  }
  return [{ ...one, terms, key: `${one.key} ${of}=${JSON.stringify(value)}` }]
}

/** What to fix next: what a forbid hangs on alone, for then it settles all, or what has the most values. */
function next(dimensions: readonly Dimension[], left: readonly Left[]): Dimension | undefined {
  const open = dimensions.filter(({ values }) => values.length > 1)
  const alone = left
    .filter(({ policy, terms }) => policy.effect === 'forbid' && looksAt(terms).length === 1)
    .flatMap(({ terms }) => looksAt(terms))
  const [widest] = [...open].sort((a, b) => b.values.length - a.values.length)
  return open.find(({ of }) => alone.includes(of)) ?? widest
}

/** @param left what is left in the cell of this question */
export function* partsOf(
  side: Side,
  left: readonly Left[],
  question: Question,
  given: Given,
): Generator<Part> {
  const asker = termAsker(question)
  const spent = { parts: 0, circumstances: 0 }
  function* over(some: readonly Left[], limits: NonNullable<Given['limits']>): Generator<Part> {
    const now = { ...given, limits }
    const used = mattering(some)
    const domain = domainOf(
      used.flatMap(({ terms }) => terms),
      now,
    )
    const size = sizeOf(domain)
    const split =
      domain.clear && size <= MOST_CIRCUMSTANCES ? undefined : next(domain.dimensions, used)
    const isOver = spent.parts++ >= MOST_PARTS || spent.circumstances > MOST_TOGETHER
    if (split === undefined || isOver) {
      spent.circumstances += Math.min(size, MOST_CIRCUMSTANCES)
      const walk = walkOver([side], [some], question, now)
      const fixed = some !== left
      yield { ...walk, fixed, exhaustive: walk.exhaustive && !isOver }
      return
    }
    for (const value of split.values) {
      const fixed = new Map(limits).set(split.of, exactly(value))
      yield* over(
        some.flatMap((one) => under(one, split.of, value, asker.asks)),
        fixed,
      )
    }
  }
  try {
    yield* over(left, given.limits ?? new Map())
  } finally {
    asker.close()
  }
}
