/**
 * Every question that a cell (role, action, resource) can be asked, as far as its policies tell them apart.
 *
 * Cedar says of each policy by itself where it applies, over the circumstances that this policy looks at. The answer to
 * a question hangs on nothing but which policies apply to it, so circumstances to which the same ones apply are of one
 * kind, and of each kind one question is put to the engine. No answer is worked out here.
 */
import type { PolicyDecision, Question } from '../core/decision.js'
import { type Dimension, domainOf, type Given, sizeOf } from './domain.js'
import { type Left, mattering, type Side } from './side.js'
import { subjectsOf, withSetting } from './subject.js'

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
export const MOST_CIRCUMSTANCES = 50_000
const SAMPLES = 20_000
const LARGEST_TABLE = 5_000
/** Irrational steps spread samples evenly over any number of dimensions. */
const STEPS = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53].map((n) => Math.sqrt(n))

/** The circumstances to be asked, as digits. */
function digitsOf(dimensions: readonly Dimension[]): { digits: Uint16Array; all: boolean } {
  const size = sizeOf({ dimensions })
  const all = size <= MOST_CIRCUMSTANCES
  const count = all ? size : SAMPLES
  const width = dimensions.length
  const digits = new Uint16Array(count * width)
  let each = size
  for (const [d, { values }] of dimensions.entries()) {
    const base = values.length
    each /= base
    const step = STEPS[d % STEPS.length] ?? 1
    for (let i = 0; i < count; i++)
      digits[i * width + d] = all
        ? Math.floor(i / each) % base
        : Math.floor(((i * step) % 1) * base)
  }
  return { digits, all }
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

/** What has been told apart so far: circumstances, and the first of each kind. */
interface Partition {
  readonly kindOf: Uint32Array
  readonly firsts: number[]
}

/** By circumstance: its place among those that a policy can tell apart. */
function placesIn(own: readonly number[], dimensions: readonly Dimension[], digits: Uint16Array) {
  const width = dimensions.length
  const places = new Uint32Array(width === 0 ? 1 : digits.length / width)
  for (const d of own) {
    const base = dimensions[d]?.values.length ?? 1
    for (let i = 0; i < places.length; i++)
      places[i] = (places[i] ?? 0) * base + (digits[i * width + d] ?? 0)
  }
  return places
}

type Space = Pick<Walk, 'dimensions' | 'digits' | 'base'>

/** Whether a policy applies, by circumstance: `no`, `yes` or `errs`, as a number. */
function columnOf(
  side: Side,
  left: Left,
  { dimensions, digits, base }: Space,
): (i: number) => number {
  const looks = subjectsOf(left.terms)
  const own = dimensions.flatMap(({ of }, d) => (looks.has(of) ? [d] : []))
  const places = placesIn(own, dimensions, digits)
  const ownDimensions = dimensions.filter(({ of }) => looks.has(of))
  if (sizeOf({ dimensions: ownDimensions }) <= LARGEST_TABLE) {
    const table = side.table(left, ownDimensions, base)
    return (i) => table[places[i] ?? 0] ?? 0
  }
  // Too large to be asked beforehand: only what is walked.
  const asked = new Map<number, number>()
  return (i) => {
    const place = places[i] ?? 0
    const known = asked.get(place)
    if (known !== undefined) return known
    const code = side.ask(left, circumstance(dimensions, digits, i * dimensions.length, base))
    asked.set(place, code)
    return code
  }
}

/** Tells apart what one more policy tells apart. */
function refined({ kindOf, firsts }: Partition, column: (i: number) => number): Partition {
  const next = new Int32Array(firsts.length * 3).fill(-1)
  const found: number[] = []
  for (let i = 0; i < kindOf.length; i++) {
    const slot = (kindOf[i] ?? 0) * 3 + column(i)
    if (next[slot] === -1) next[slot] = found.push(i) - 1
    kindOf[i] = next[slot] ?? 0
  }
  return { kindOf, firsts: found }
}

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
  const space = { dimensions, digits, base }
  const columns = used.map((left, s) => left.map((one) => columnOf(sides[s] as Side, one, space)))
  const width = dimensions.length
  const kindOf = new Uint32Array(width === 0 ? 1 : digits.length / width)
  const whole: Partition = { kindOf, firsts: [0] }
  const { firsts } = columns.flat().reduce(refined, whole)
  const kinds = firsts.map((first): Kind => {
    const example = circumstance(dimensions, digits, first * width, base)
    const applies = used.map((left, s) =>
      left.filter((_, p) => columns[s]?.[p]?.(first) === 1).map(({ policy }) => policy.id),
    )
    return { applies, answers: sides.map((side) => side.decide(example)), example }
  })
  return { ...space, exhaustive: clear && all, kinds, kindOf }
}
