/** How one cell (role, action, resource) is answered differently by two versions, and in which circumstances. */
import type { PolicyDecision, Question } from '../core/decision.js'
import { boxesOf, boxWords } from './box.js'
import type { Dimension } from './domain.js'
import type { Fixed, Part } from './parts.js'
import type { Left } from './side.js'
import { placeOf, type Setting, subjectsOf } from './subject.js'
import { exampleAt, type Kind } from './walk.js'

export type Way = 'gains' | 'loses' | 'eased' | 'tightened'

export interface CellChange {
  readonly way: Way
  /** Alternatives, in words; none: always. */
  readonly when: readonly string[]
  /** False where the words do not tell all of it. */
  readonly whenIsAll: boolean
  /** One question that is answered so, of the most ordinary circumstances. */
  readonly example: Question
}

/** In which way the two answers to a question differ, if they do. */
function wayOf([before, after]: readonly PolicyDecision[]): Way | undefined {
  if (before === undefined || after === undefined) return undefined
  if (before.effect !== after.effect) return after.effect === 'allow' ? 'gains' : 'loses'
  if (after.effect === 'deny') return undefined
  if (before.obligations.some((one) => !after.obligations.includes(one))) return 'eased'
  return after.obligations.some((one) => !before.obligations.includes(one))
    ? 'tightened'
    : undefined
}

/**
 * In which way a user's answers differ where those of some others do not differ so.
 *
 * @param answers before and after: of the user, then of each other
 */
function ownWayOf(answers: readonly PolicyDecision[]): Way | undefined {
  const way = wayOf(answers)
  const others = answers.flatMap((_, i) => (i > 0 && i % 2 === 0 ? [answers.slice(i, i + 2)] : []))
  return others.some((two) => wayOf(two) === way) ? undefined : way
}

/** What two versions must share for a policy to be the same in both; its name and its reason do not matter. */
export function contentOf({ policy, key }: Left): string {
  const { id: _, reason: __, ...others } = policy.json.annotations ?? {}
  return `${key} ${JSON.stringify(others)}`
}

/** What only one of two lists has, by what makes two of them the same. */
export function onlyInOne<T>(
  [before = [], after = []]: readonly (readonly T[])[],
  sameBy: (one: T) => string,
): T[] {
  const only = (some: readonly T[], others: readonly T[]) => {
    const known = new Set(others.map(sameBy))
    return some.filter((one) => !known.has(sameBy(one)))
  }
  return [...only(before, after), ...only(after, before)]
}

/** What only one of the two versions has: where none of it applies, they answer alike. */
export const differing = (lefts: readonly (readonly Left[])[]): Left[] =>
  onlyInOne(lefts, contentOf)

/** That a thing has one of some of its values. */
interface Condition {
  readonly thing: string
  readonly dimension: Dimension
  readonly part: ReadonlySet<number>
  readonly words: string
}
/** Circumstances in which the answers differ in one way; every condition holds. */
type Region = readonly Condition[]
interface Found {
  readonly way: Way
  readonly regions: readonly Region[]
  readonly all: boolean
  readonly example: Question
  /** How many values of the example are not the ordinary ones. */
  readonly unusual: number
}

/** The circumstance with the fewest unusual values. */
function mostOrdinary({ dimensions, digits }: Part, among: readonly number[]) {
  const width = dimensions.length
  const unusual = (i: number): number =>
    digits.subarray(i * width, (i + 1) * width).reduce((sum, digit) => sum + Number(digit > 0), 0)
  const [first = 0] = among
  const start = { at: first, unusual: unusual(first) }
  return among.reduce((best, at) => {
    const count = unusual(at)
    return count < best.unusual ? { at, unusual: count } : best
  }, start)
}

/** Guard rails that both versions have: what they stop need not be told again. */
function guardsOf(lefts: readonly (readonly Left[])[]): ReadonlySet<string> {
  const changed = new Set(differing(lefts))
  const stays = lefts.flat().filter((one) => one.policy.effect === 'forbid' && !changed.has(one))
  return new Set(stays.map(({ policy }) => policy.id))
}

/** As it is told beside what is fixed: codes that are known to be held are not told again. */
function besides(fixed: readonly Fixed[], dimension: Dimension): Dimension {
  if (dimension.of !== 'principal.activities') return dimension
  const held = new Set(
    fixed
      .flatMap(({ dimension: { of, values }, at }) =>
        of === dimension.of ? (values[at] ?? []) : [],
      )
      .flat(),
  )
  const open = (list: Setting) => (list as readonly string[]).filter((code) => !held.has(code))
  const { values, members } = dimension
  return { ...dimension, values: values.map(open), members: members.map((kind) => kind.map(open)) }
}

function conditionOf(dimension: Dimension, part: ReadonlySet<number>): Condition {
  const thing = `${dimension.of} ${JSON.stringify(dimension.values)}`
  return { thing, dimension, part, words: boxWords([part], [dimension]) }
}
/** None where any value will do. */
const conditionsOf = (dimension: Dimension, part: ReadonlySet<number>): readonly Condition[] =>
  part.size === dimension.values.length ? [] : [conditionOf(dimension, part)]

/** The differences in a part, each way in one. */
function foundIn(part: Part): readonly Found[] {
  const { kinds, kindOf, lefts, fixed } = part
  const ways = kinds.map(({ answers }) => ownWayOf(answers))
  if (ways.every((way) => way === undefined)) return []
  const looks = subjectsOf(differing(lefts).map(({ terms }) => terms))
  const guards = guardsOf(lefts.slice(0, 2))
  const guarded = kinds.map(
    ({ applies, answers }: Kind) =>
      answers.slice(0, 2).every(({ effect }) => effect === 'deny') &&
      applies
        .slice(0, 2)
        .flat()
        .some((id) => guards.has(id)),
  )
  const all = [...kindOf.keys()]
  const kindAt = (i: number): number => kindOf[i] ?? 0
  const own = part.dimensions.map((one) => besides(fixed, one))
  const held = fixed.map(({ dimension, at }) => conditionOf(dimension, new Set([at])))
  return [...new Set(ways.flatMap((way) => way ?? []))].map((way) => {
    const inside = all.filter((i) => ways[kindAt(i)] === way)
    const out = all.filter((i) => ways[kindAt(i)] !== way && !guarded[kindAt(i)])
    const told = boxesOf(part, inside, out, ({ of }) => looks.has(of))
    const { at, unusual } = mostOrdinary(part, inside)
    return {
      way,
      regions: told.boxes.map((box) => [
        ...held,
        ...box.flatMap((some, d) => conditionsOf(own[d] as Dimension, some)),
      ]),
      all: told.all,
      example: exampleAt(part, at),
      unusual: unusual + fixed.filter((one) => one.at > 0).length,
    }
  })
}

/** So many are gathered before they are put together, and so many alternatives are told. */
const MOST_REGIONS = 2_000
const MOST_TOLD = 6

/** Regions that differ in one thing alone, as one. */
function joinedAt(thing: string, regions: readonly Region[]): Region[] {
  const groups = new Map<string, Region>()
  for (const region of regions) {
    const [own] = region.filter((one) => one.thing === thing)
    const others = region.filter((one) => one !== own)
    const key = JSON.stringify([own !== undefined, ...others.map(({ words }) => words).sort()])
    const [known] = (groups.get(key) ?? []).filter((one) => one.thing === thing)
    const both = new Set([...(known?.part ?? []), ...(own?.part ?? [])])
    groups.set(key, own ? [...conditionsOf(own.dimension, both), ...others] : region)
  }
  return [...groups.values()]
}

/** Alternatives in words: what tells only one thing apart is one, from what was fixed last to what was first. */
function wordsOf(regions: readonly Region[]): readonly string[] {
  const things = new Set(regions.flatMap((region) => region.map(({ thing }) => thing)))
  const joined = [...things].reverse().reduce((some, thing) => joinedAt(thing, some), [...regions])
  const inOrder = (region: Region) =>
    [...region].sort((a, b) => placeOf(a.dimension.of) - placeOf(b.dimension.of))
  return joined.map((region) =>
    inOrder(region)
      .map(({ words }) => words)
      .join(' and '),
  )
}

/**
 * @param parts of the cell, walked over both versions; further versions, two by two, are those of others: what they
 * gain or lose as well is not told
 * @returns the differences, each way in one, and whether every circumstance was asked
 */
export function cellChanges(parts: Iterable<Part>) {
  const byWay = new Map<Way, Found>()
  let exhaustive = true
  for (const part of parts) {
    exhaustive &&= part.exhaustive
    for (const found of foundIn(part)) {
      const known = byWay.get(found.way)
      const first = known !== undefined && known.unusual <= found.unusual ? known : found
      const regions = [...(known?.regions ?? []), ...found.regions].slice(0, MOST_REGIONS)
      const all = found.all && (known?.all ?? true) && regions.length < MOST_REGIONS
      byWay.set(found.way, { ...first, regions, all })
    }
  }
  const changes = [...byWay.values()].map(({ way, regions, all, example }): CellChange => {
    const words = wordsOf(regions)
    if (words.includes('')) return { way, when: [], whenIsAll: true, example }
    const whenIsAll = all && words.length <= MOST_TOLD
    return { way, when: words.slice(0, MOST_TOLD), whenIsAll, example }
  })
  return { changes, exhaustive }
}
