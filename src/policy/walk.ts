/**
 * Every question that a cell (role, action, resource) can be asked, as far as its policies tell them apart.
 *
 * Cedar says of each policy by itself where it applies, over the circumstances that this policy looks at. The answer to
 * a question hangs on nothing but which policies apply to it, so circumstances to which the same ones apply are of one
 * kind, and of each kind one question is put to the engine. No answer is worked out here.
 */
import type { PolicyDecision, Question } from '../core/decision.js'
import type { Expr } from './cedar.js'
import { type Dimension, domainOf, type Given, sizeOf } from './domain.js'
import type { Engine } from './engine.js'
import type { ParsedPolicy } from './parse.js'
import { type Probe, probeOf } from './probe.js'
import { residualOf } from './residual.js'
import { subjectsOf, withSetting } from './subject.js'

/** A policy of which something is left in a cell. */
export interface Left {
  readonly policy: ParsedPolicy
  readonly terms: readonly Expr[]
  /** Equal for what applies in equal circumstances. */
  readonly key: string
}

/** Circumstances to which the same policies apply. */
export interface Kind {
  /** Ids, in order; of each version that is walked. */
  readonly applies: readonly (readonly string[])[]
  /** What the engine says, of each version. */
  readonly answers: readonly PolicyDecision[]
  readonly example: Question
}

export interface Walk {
  readonly dimensions: readonly Dimension[]
  /** All circumstances that the policies can tell apart were asked; otherwise many. */
  readonly exhaustive: boolean
  readonly kinds: readonly Kind[]
  /** By circumstance: which kind it is of. */
  readonly kindOf: Uint32Array
  /** By circumstance, then dimension: which of its values. */
  readonly digits: Uint16Array
  /** The question in which nothing is as a dimension has it. */
  readonly base: Question
}

/** The question of one circumstance. */
export const exampleAt = ({ dimensions, digits, base }: Walk, i: number): Question =>
  circumstance(dimensions, digits, i * dimensions.length, base)

/** More circumstances than these are asked by samples, so many. */
const MOST_CIRCUMSTANCES = 50_000
const SAMPLES = 20_000
const LARGEST_TABLE = 5_000
const MOST_TABLES = 20_000
/** Irrational steps spread samples evenly over any number of dimensions. */
const STEPS = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53].map((n) => Math.sqrt(n))

/** One version, ready to be walked. */
export interface Side {
  readonly policies: readonly ParsedPolicy[]
  decide(question: Question): PolicyDecision
  /** What is left in the cell of this question. Of several versions, equal keys mean equal conditions. */
  leftIn(question: Question): readonly Left[]
  /** Where a policy applies over these dimensions, in the order of their values, the last running fastest. */
  table(left: Left, dimensions: readonly Dimension[], question: Question): Uint8Array
  /** Whether a policy applies to one question. */
  ask(left: Left, question: Question): number
  /** Frees what Cedar holds for the tables; the engine is its opener's. */
  close(): void
}

const CODES = { no: 0, yes: 1, errs: 2 } as const

/** Every combination of the values of some dimensions, the last running fastest. */
function* circumstances(dimensions: readonly Dimension[], base: Question): Generator<Question> {
  const [first, ...others] = dimensions
  if (first === undefined) yield base
  else
    for (const value of first.values)
      yield* circumstances(others, withSetting(base, first.of, value))
}

/** Terms that still speak of action or resource mean something else in each cell. */
const speaksOfCell = (terms: string): boolean => /"Var":"(action|resource)"/.test(terms)

export function sideOf(engine: Engine): Side {
  const probes = new Map<string, Probe>()
  const tables = new Map<string, Uint8Array>()
  const probe = (policy: ParsedPolicy): Probe => {
    const known = probes.get(policy.id) ?? probeOf(policy)
    probes.set(policy.id, known)
    return known
  }
  const byCell = new Map<string, readonly ParsedPolicy[]>()
  /** Those that could matter here to somebody: there are many roles, and few of these. */
  const candidates = ({ action, resource }: Question): readonly ParsedPolicy[] => {
    const cell = `${action} ${resource.type} ${resource.id}`
    const known =
      byCell.get(cell) ??
      engine.policies.filter(({ json }) => {
        const { principal: _, conditions: __, ...scope } = json
        const open = { ...scope, principal: { op: 'All' as const }, conditions: [] }
        return residualOf(open, { roles: [], action, resource }) !== undefined
      })
    byCell.set(cell, known)
    return known
  }
  return {
    policies: engine.policies,
    decide: (question) => engine.decide(question),
    leftIn(question) {
      const { user, action, resource } = question
      return candidates(question).flatMap((policy) => {
        const terms = residualOf(policy.json, { roles: user.roles, action, resource })
        if (terms === undefined) return []
        const text = JSON.stringify(terms)
        const cell = speaksOfCell(text) ? `${action} ${resource.type} ${resource.id}` : ''
        return [{ policy, terms, key: `${policy.effect} ${cell} ${text}` }]
      })
    },
    table(left, dimensions, question) {
      const key = `${left.policy.id} ${left.key} ${JSON.stringify(dimensions.map(({ of, values }) => [of, values]))}`
      const known = tables.get(key)
      if (known) return known
      const { asks } = probe(left.policy)
      const table = Uint8Array.from(circumstances(dimensions, question), (one) => CODES[asks(one)])
      if (tables.size >= MOST_TABLES) tables.clear()
      tables.set(key, table)
      return table
    },
    ask: ({ policy }, question) => CODES[probe(policy).asks(question)],
    close() {
      for (const one of probes.values()) one.close()
      probes.clear()
    },
  }
}

/** What can matter: nothing but a `forbid` that always applies; no `forbid` where there is no permit. */
export function mattering(left: readonly Left[]): readonly Left[] {
  const always = left.filter(
    ({ policy, terms }) => policy.effect === 'forbid' && terms.length === 0,
  )
  if (always.length > 0) return always.slice(0, 1)
  return left.some(({ policy }) => policy.effect === 'permit') ? left : []
}

/** The circumstances to be asked, as digits. */
function digitsOf(dimensions: readonly Dimension[]): { digits: Uint16Array; all: boolean } {
  const size = sizeOf({ dimensions })
  const all = size <= MOST_CIRCUMSTANCES
  const count = all ? size : SAMPLES
  const width = dimensions.length
  const digits = new Uint16Array(count * width)
  for (let i = 0; i < count; i++) {
    let rest = i
    for (let d = width - 1; d >= 0; d--) {
      const base = dimensions[d]?.values.length ?? 1
      const step = (i * (STEPS[d] ?? 1)) % 1
      digits[i * width + d] = all ? rest % base : Math.floor(step * base)
      rest = Math.floor(rest / base)
    }
  }
  return { digits, all }
}

/** Whether a policy applies in a circumstance, by its digits: `no`, `yes` or `errs`, as a number. */
type Column = (digits: Uint16Array, from: number) => number

function columnOf(
  side: Side,
  left: Left,
  dimensions: readonly Dimension[],
  base: Question,
): Column {
  const looks = subjectsOf(left.terms)
  const own = dimensions.filter(({ of }) => looks.has(of))
  // What one step of each dimension of the walk is in the table.
  const strides = dimensions.map(({ of }) => {
    const at = own.findIndex((dimension) => dimension.of === of)
    return at < 0 ? 0 : sizeOf({ dimensions: own.slice(at + 1) })
  })
  const at = (digits: Uint16Array, from: number): number =>
    strides.reduce((sum, stride, d) => sum + (digits[from + d] ?? 0) * stride, 0)
  if (sizeOf({ dimensions: own }) <= LARGEST_TABLE) {
    const table = side.table(left, own, base)
    return (digits, from) => table[at(digits, from)] ?? CODES.errs
  }
  // Too large to be asked beforehand: only what is walked.
  const asked = new Map<number, number>()
  return (digits, from) => {
    const key = at(digits, from)
    const code = asked.get(key) ?? side.ask(left, circumstance(dimensions, digits, from, base))
    asked.set(key, code)
    return code
  }
}

const circumstance = (
  dimensions: readonly Dimension[],
  digits: Uint16Array,
  from: number,
  base: Question,
): Question =>
  dimensions.reduce(
    (asked, { of, values }, d) => withSetting(asked, of, values[digits[from + d] ?? 0] ?? false),
    base,
  )

/** @param lefts of each side, what is left in the cell of this question */
export function walkOver(
  sides: readonly Side[],
  lefts: readonly (readonly Left[])[],
  question: Question,
  given: Given,
): Walk {
  const used = lefts.map(mattering)
  const { dimensions, clear } = domainOf(
    used.flat().flatMap(({ terms }) => terms),
    given,
  )
  const { digits, all } = digitsOf(dimensions)
  const base = [...(given.limits ?? [])].reduce(
    (asked, [subject, { named }]) =>
      named[0] === undefined ? asked : withSetting(asked, subject, named[0]),
    question,
  )
  const columns = used.map((left, s) =>
    left.map((one) => columnOf(sides[s] as Side, one, dimensions, base)),
  )
  const width = dimensions.length
  const count = width === 0 ? 1 : digits.length / width
  const kindOf = new Uint32Array(count)
  const kinds: Kind[] = []
  const byPattern = new Map<string, number>()
  const flat = columns.flat()
  for (let i = 0; i < count; i++) {
    let pattern = ''
    for (const column of flat) pattern += column(digits, i * width)
    let kind = byPattern.get(pattern)
    if (kind === undefined) {
      kind = kinds.length
      byPattern.set(pattern, kind)
      kinds.push(kindWith(sides, used, pattern, circumstance(dimensions, digits, i * width, base)))
    }
    kindOf[i] = kind
  }
  return { dimensions, exhaustive: clear && all, kinds, kindOf, digits, base }
}

function kindWith(
  sides: readonly Side[],
  used: readonly (readonly Left[])[],
  pattern: string,
  example: Question,
): Kind {
  let at = 0
  const applies = used.map((left) =>
    left.filter(() => pattern[at++] === '1').map(({ policy }) => policy.id),
  )
  return { applies, answers: sides.map((side) => side.decide(example)), example }
}
