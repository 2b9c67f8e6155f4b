/** Every question that two versions answer differently, found by asking both. */
import type { Action, PolicyDecision, Question, Resource } from '../core/decision.js'
import { type CellChange, cellChanges, contentOf, differing, type Way } from './cell-change.js'
import { isHeard, ownersOf } from './layer-terms.js'
import { isLocal, type Layer } from './layers.js'
import type { Progress } from './matrix.js'
import type { AnyRole } from './names.js'
import { partsOf } from './parts.js'
import type { Pair } from './schema.js'
import type { Left } from './side.js'
import { ANY_ROLES, type Survey } from './survey.js'

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

const WIDENS: Readonly<Record<Way, boolean>> = {
  gains: true,
  loses: false,
  eased: true,
  tightened: false,
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
  const known = new Map<string, ReturnType<typeof cellChanges>>()
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
        const given = { ordinary: question, organizationTypes }
        said = cellChanges(partsOf({ sides, lefts, question, given, wanted: differing }))
        known.set(group, said)
        yield { done: cells, total }
      }
      exhaustive &&= said.exhaustive
      for (const found of said.changes) changes.push(changeIn(role, pair, found, sides))
    }
  }
  return { changes, cells, exhaustive }
}

function changeIn(
  role: AnyRole,
  pair: Pair,
  { way, when, whenIsAll, example: first }: CellChange,
  sides: Survey['side'][],
): Change {
  const roles = role === 'none' ? [] : [role]
  const example = { ...first, ...pair, user: { ...first.user, roles } }
  const [from, to] = sides.map((side) => answerOf(side.decide(example))) as [Answer, Answer]
  return { role, ...pair, from, to, when, whenIsAll, example, widening: WIDENS[way] }
}
