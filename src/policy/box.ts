/** Many circumstances in few words: the fewest boxes, one part of each dimension, that hold them and no others. */
import type { Dimension } from './domain.js'
import { listed } from './names.js'
import type { Setting } from './subject.js'
import { isOneOf } from './words.js'

/** Of each dimension, which of its values. */
export type Box = readonly ReadonlySet<number>[]

export interface Space {
  readonly dimensions: readonly Dimension[]
  /** By circumstance, then dimension: which of its values. */
  readonly digits: Uint16Array
}

/** More boxes than these say nothing to a reader any more. */
const MOST_BOXES = 6

const holds = (box: Box, digits: Uint16Array, from: number): boolean =>
  box.every((part, d) => part.has(digits[from + d] ?? 0))

interface Task {
  readonly inside: readonly number[]
  readonly out: readonly number[]
  /** Dimensions, the least telling first. */
  readonly order: readonly number[]
  isTelling(d: number): boolean
}

/**
 * Widened as far as no circumstance gets in that must stay out. Where a dimension tells something, only by values that
 * some circumstance inside has: "the purpose is direct care", though another purpose would not matter.
 */
function widened(box: Box, { dimensions, digits }: Space, task: Task): Box {
  const width = dimensions.length
  const meets = (tried: Box, some: readonly number[]): boolean =>
    some.some((i) => holds(tried, digits, i * width))
  let wide = box
  for (const d of task.order) {
    const all = (dimensions[d]?.values ?? []).map((_, v) => v)
    const fitting = task.isTelling(d)
      ? all.filter((v) => meets(wide.with(d, new Set([v])), task.inside))
      : all
    const whole = wide.with(d, new Set(fitting))
    if (!meets(whole, task.out)) {
      wide = whole
      continue
    }
    for (const v of fitting) {
      const more = wide.with(d, new Set([...(wide[d] ?? []), v]))
      if (!meets(more, task.out)) wide = more
    }
  }
  return wide
}

/**
 * @param inside circumstances that must be held
 * @param out those that must not; any other may be
 * @param telling dimensions that the reader should hear of, where there is a choice
 * @returns the boxes, and whether they hold all
 */
export function boxesOf(
  space: Space,
  inside: readonly number[],
  out: readonly number[],
  telling: (dimension: Dimension) => boolean,
): { readonly boxes: readonly Box[]; readonly all: boolean } {
  const width = space.dimensions.length
  const indexes = space.dimensions.map((_, d) => d)
  const isTelling = (d: number): boolean => telling(space.dimensions[d] as Dimension)
  const order = [...indexes.filter((d) => !isTelling(d)), ...indexes.filter(isTelling)]
  const boxes: Box[] = []
  let open = inside
  while (open.length > 0 && boxes.length < MOST_BOXES) {
    const first = open[0] ?? 0
    const point = indexes.map((d) => new Set([space.digits[first * width + d] ?? 0]))
    const box = widened(point, space, { inside, out, order, isTelling })
    boxes.push(box)
    open = open.filter((i) => !holds(box, space.digits, i * width))
  }
  return { boxes, all: open.length === 0 }
}

/** Lists of activities, as what they have in common and others have not. */
function activityWords({ members, alike }: Dimension, part: ReadonlySet<number>): string {
  const each = members.flatMap((kind, v) =>
    kind.map((list) => ({ list: list as readonly string[], isIn: part.has(v) })),
  )
  const all = each.map(({ list }) => list)
  const own = each.flatMap(({ list, isIn }) => (isIn ? [list] : []))
  const named = (codes: readonly string[]) => codes.flatMap((code) => alike?.get(code) ?? [code])
  const word = (codes: readonly string[]) => (codes.length === 1 ? 'activity' : 'activities')
  const codes = [...new Set(all.flat())]
  const only = (fits: (list: readonly string[]) => boolean): boolean =>
    each.every(({ list, isIn }) => fits(list) === isIn)
  const some = codes.filter((code) => each.every(({ list, isIn }) => !list.includes(code) || isIn))
  if (only((list) => list.some((code) => some.includes(code))))
    return `holds ${word(named(some))} ${listed(named(some), 'or')}`
  const never = codes.filter((code) => !own.some((list) => list.includes(code)))
  const always = codes.filter((code) => own.every((list) => list.includes(code)))
  const exact = (list: readonly string[]): boolean =>
    always.every((code) => list.includes(code)) && !never.some((code) => list.includes(code))
  if (!only(exact)) return isOneOf('principal.activities', own)
  const have = always.map((code) => `${word(named([code]))} ${listed(named([code]), 'or')}`)
  const lack =
    never.length > 0 ? `does not hold ${word(named(never))} ${listed(named(never), 'or')}` : ''
  return [have.length > 0 ? `holds ${have.join(' and ')}` : '', lack].filter(Boolean).join(' and ')
}

function partWords(dimension: Dimension, part: ReadonlySet<number>): string {
  const { of, members, unnamed } = dimension
  if (of === 'principal.activities') return activityWords(dimension, part)
  const inside = members.flatMap((kind, v) => (part.has(v) ? kind : []))
  const outside = members.flatMap((kind, v) => (part.has(v) ? [] : kind))
  const negated: boolean =
    unnamed === undefined
      ? outside.length < inside.length && of !== 'principal.assurance'
      : part.has(unnamed)
  const values: readonly Setting[] = negated ? outside : inside
  return isOneOf(of, values, negated)
}

/** "the purpose is direct care and signed on with AAL3"; empty where it holds everything. */
export const boxWords = (box: Box, dimensions: readonly Dimension[]): string =>
  dimensions
    .flatMap((dimension, d) => {
      const part = box[d]
      return part === undefined || part.size === dimension.values.length
        ? []
        : [partWords(dimension, part)]
    })
    .join(' and ')
