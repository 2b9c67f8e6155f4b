/** Every question that two versions answer differently, found by asking both. */
import type { Action, PolicyDecision, Question, Resource } from '../core/decision.js'
import { boxesOf, boxWords } from './box.js'
import type { Dimension } from './domain.js'
import { isHeard, ownersOf } from './layer-terms.js'
import { isLocal, type Layer } from './layers.js'
import type { Progress } from './matrix.js'
import type { AnyRole } from './names.js'
import type { Pair } from './schema.js'
import type { Left } from './side.js'
import { subjectsOf } from './subject.js'
import { ANY_ROLES, type Survey } from './survey.js'
import { exampleAt, type Kind, type Walk, walkOver } from './walk.js'

export interface Answer {
  readonly effect: 'allow' | 'deny'
  readonly policies: readonly string[]
  readonly obligations: readonly string[]
}
export interface Change {
  readonly role: AnyRole
  readonly action: Action
  readonly resource: Resource
  readonly from: Answer
  readonly to: Answer
  /** Alternatives, in words; none: always. */
  readonly when: readonly string[]
  /** False where the words do not tell all of it. */
  readonly whenIsAll: boolean
  /** One question that is answered so, of the most ordinary circumstances. */
  readonly example: Question
  /** More is allowed, or asked for less. */
  readonly widening: boolean
}
export interface Comparison {
  readonly changes: readonly Change[]
  readonly cells: number
  /** False where only samples of some cell's circumstances were asked. */
  readonly exhaustive: boolean
}

type Way = 'gains' | 'loses' | 'eased' | 'tightened'
const WIDENS: Readonly<Record<Way, boolean>> = {
  gains: true,
  loses: false,
  eased: true,
  tightened: false,
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

/** What two versions must share for a policy to be the same in both; its name and its reason do not matter. */
function contentOf({ policy, key }: Left): string {
  const { id: _, reason: __, ...others } = policy.json.annotations ?? {}
  return `${key} ${JSON.stringify(others)}`
}
const contents = (left: readonly Left[]): string => left.map(contentOf).sort().join('\n')

/** A user has one organisation: where only some of those changed their own rules, the others' need not be walked. */
function concerned(all: readonly (readonly Left[])[], question: Question) {
  const byLayer = (layer: Layer) =>
    all.map((left) => contents(left.filter(({ policy }) => policy.layer === layer)))
  const layers = new Set(all.flat().map(({ policy }) => policy.layer))
  const changed = [...layers].filter((layer) => new Set(byLayer(layer)).size > 1)
  const ofOne = (layer: Layer): boolean =>
    isLocal(layer) && ownersOf(layer).of === 'principal.organization'
  if (!changed.every(ofOne)) return all
  return all.map((left) =>
    left.filter(
      ({ policy: { layer } }) =>
        !ofOne(layer) || changed.includes(layer) || isHeard(layer, question),
    ),
  )
}

interface Found {
  readonly way: Way
  readonly when: readonly string[]
  readonly whenIsAll: boolean
  readonly example: Question
}

/** The circumstance with the fewest unusual values. */
function mostOrdinary({ dimensions, digits }: Walk, among: readonly number[]): number {
  const width = dimensions.length
  const unusual = (i: number): number =>
    digits.subarray(i * width, (i + 1) * width).reduce((sum, digit) => sum + Number(digit > 0), 0)
  return among.reduce((best, i) => (unusual(i) < unusual(best) ? i : best), among[0] ?? 0)
}

/** The differences of a cell, each way in one. */
function foundIn(walk: Walk, lefts: readonly (readonly Left[])[]): Found[] {
  const [before = [], after = []] = lefts
  const [then, now] = [new Set(before.map(contentOf)), new Set(after.map(contentOf))]
  const stays = new Set(
    [...before, ...after]
      .filter((one) => one.policy.effect === 'forbid')
      .filter((one) => then.has(contentOf(one)) && now.has(contentOf(one)))
      .map(({ policy }) => policy.id),
  )
  const changed = [
    ...before.filter((one) => !now.has(contentOf(one))),
    ...after.filter((one) => !then.has(contentOf(one))),
  ]
  const looks = subjectsOf(changed.map(({ terms }) => terms))
  const telling = ({ of }: Dimension): boolean => looks.has(of)
  const ways = walk.kinds.map(({ answers }) => wayOf(answers))
  /** A guard rail that both versions have need not be told again. */
  const guarded = walk.kinds.map(
    ({ applies, answers }: Kind) =>
      answers.every(({ effect }) => effect === 'deny') &&
      applies.flat().some((id) => stays.has(id)),
  )
  const all = [...walk.kindOf.keys()]
  const kindAt = (i: number): number => walk.kindOf[i] ?? 0
  return [...new Set(ways.flatMap((way) => way ?? []))].map((way) => {
    const inside = all.filter((i) => ways[kindAt(i)] === way)
    const out = all.filter((i) => ways[kindAt(i)] !== way && !guarded[kindAt(i)])
    const told = boxesOf(walk, inside, out, telling)
    const when = told.boxes.map((box) => boxWords(box, walk.dimensions))
    const at = mostOrdinary(walk, inside)
    return {
      way,
      when: when.includes('') ? [] : when,
      whenIsAll: told.all,
      example: exampleAt(walk, at),
    }
  })
}

const answerOf = ({ effect, policies, obligations }: PolicyDecision): Answer => ({
  effect,
  policies,
  obligations,
})

/** The pairs of either version. */
function pairsOfBoth(before: Survey, after: Survey): readonly Pair[] {
  const name = ({ action, resource }: Pair) => `${action} ${resource.type} ${resource.id}`
  return [...new Map([...after.pairs, ...before.pairs].map((pair) => [name(pair), pair])).values()]
}

/** Compares two versions over every cell of either. To be run to its end in a worker, or a piece at a time. */
export function* compareOf(before: Survey, after: Survey): Generator<Progress, Comparison> {
  const sides = [before.side, after.side]
  const organizationTypes = new Set([
    ...before.map.organizationTypes,
    ...after.map.organizationTypes,
  ])
  const pairs = pairsOfBoth(before, after)
  const total = pairs.length * ANY_ROLES.length
  const known = new Map<string, { readonly found: Found[]; readonly exhaustive: boolean }>()
  const changes: Change[] = []
  let [cells, exhaustive] = [0, true]
  for (const role of ANY_ROLES) {
    for (const pair of pairs) {
      cells += 1
      const question = after.question(role, pair)
      const all = sides.map((side) => side.leftIn(question))
      if (contents(all[0] ?? []) === contents(all[1] ?? [])) continue
      const lefts = concerned(all, question)
      const [then, now] = lefts.map(contents)
      const group = `${then}\n\n${now}`
      let said = known.get(group)
      if (said === undefined) {
        const walk = walkOver(sides, lefts, question, { ordinary: question, organizationTypes })
        said = { found: foundIn(walk, lefts), exhaustive: walk.exhaustive }
        known.set(group, said)
        yield { done: cells, total }
      }
      exhaustive &&= said.exhaustive
      for (const found of said.found) changes.push(changeIn(role, pair, found, sides))
    }
  }
  return { changes, cells, exhaustive }
}

function changeIn(
  role: AnyRole,
  pair: Pair,
  { way, when, whenIsAll, example: first }: Found,
  sides: Survey['side'][],
): Change {
  const roles = role === 'none' ? [] : [role]
  const example = { ...first, ...pair, user: { ...first.user, roles } }
  const [from, to] = sides.map((side) => answerOf(side.decide(example))) as [Answer, Answer]
  return { role, ...pair, from, to, when, whenIsAll, example, widening: WIDENS[way] }
}
