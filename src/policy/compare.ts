/** Every question that two versions answer differently, found by asking both. */
import type { Action, PolicyDecision, Question, Resource } from '../core/decision.js'
import type { Role } from '../core/roles.js'
import {
  type CellChange,
  cellChanges,
  contentOf,
  differing,
  onlyInOne,
  type Way,
} from './cell-change.js'
import { cannotErr } from './certain.js'
import { isHeard, ownersOf } from './layer-terms.js'
import { isLocal, type Layer } from './layers.js'
import type { Progress } from './matrix.js'
import type { AnyRole } from './names.js'
import type { ParsedPolicy } from './parse.js'
import { partsOf } from './parts.js'
import { asIfIn, inRoles, roleSets } from './role-sets.js'
import type { Pair } from './schema.js'
import type { Left, Side } from './side.js'
import { ANY_ROLES, type Survey } from './survey.js'

export interface Answer {
  readonly effect: 'allow' | 'deny'
  readonly policies: readonly string[]
  readonly obligations: readonly string[]
}
export interface Change {
  readonly role: AnyRole
  /** Roles that the user has besides: what neither gains or loses alone. */
  readonly also?: readonly Role[]
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

/**
 * A user has one organisation: where only some of those changed their own rules, the others' need not be walked.
 *
 * @param two what is left before and after
 * @returns which policies to walk
 */
function concerned(two: readonly (readonly Left[])[], question: Question) {
  const byLayer = (layer: Layer) =>
    two.map((left) => contents(left.filter(({ policy }) => policy.layer === layer)))
  const layers = new Set(two.flat().map(({ policy }) => policy.layer))
  const changed = [...layers].filter((layer) => new Set(byLayer(layer)).size > 1)
  const ofOne = (layer: Layer): boolean =>
    isLocal(layer) && ownersOf(layer).of === 'principal.organization'
  const all = !changed.every(ofOne)
  return (left: readonly Left[]): readonly Left[] =>
    left.filter(
      ({ policy: { layer } }) =>
        all || !ofOne(layer) || changed.includes(layer) || isHeard(layer, question),
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

/** Policies that only one of the versions has in a cell, whoever asks. */
const changedIn = (sides: readonly Side[], question: Question): readonly ParsedPolicy[] =>
  onlyInOne(
    sides.map((side) => side.inCell(question)),
    ({ layer, text }) => `${layer} ${text}`,
  )

/** Who is asked about in a cell: a role, and what the user has besides. */
type Who = readonly [role: AnyRole, ...also: Role[]]

/** What is left of a cell's policies, before and after: for its users, and for each of their roles alone where they have several. */
interface Sought {
  readonly question: Question
  readonly alone: readonly (readonly Role[])[]
  readonly two: readonly (readonly Left[])[]
  readonly others: readonly (readonly (readonly Left[])[])[]
}

/**
 * Whether what a cell's users gain or lose in several roles is told of one of these already: nothing differs but permits
 * that come or go, and somebody with one role alone is told of each.
 */
function isTold(
  { two, others }: Pick<Sought, 'two' | 'others'>,
  isChanged: (i: number) => boolean,
): boolean {
  const here = differing(two)
  const [before = []] = two
  const sides = new Set(here.map((one) => before.includes(one)))
  const alone = new Set(
    others.filter((_, i) => isChanged(i)).flatMap((one) => differing(one).map(contentOf)),
  )
  return (
    sides.size === 1 &&
    here.every(
      (one) =>
        one.policy.effect === 'permit' && one.terms.every(cannotErr) && alone.has(contentOf(one)),
    )
  )
}

const both = ([then = [], now = []]: readonly (readonly Left[])[]): string =>
  `${contents(then)}\n\n${contents(now)}`

/** What differs in a cell for some users, and is not what differs for each of their roles alone; once for equal conditions. */
function comparing(before: Survey, after: Survey) {
  const sides = [before.side, after.side]
  const organizationTypes = new Set([
    ...before.map.organizationTypes,
    ...after.map.organizationTypes,
  ])
  const known = new Map<string, ReturnType<typeof cellChanges>>()
  const changed = new Set<string>()
  const nameOf = (role: AnyRole, { action, resource }: Pair) =>
    `${role} ${action} ${resource.type} ${resource.id}`

  function compared({ question, alone, two, others }: Sought) {
    const walked = concerned(two, question)
    const lefts = [two, ...others].flat().map(walked)
    const group = [two, ...others].map((one) => both(one.map(walked))).join('\n\n\n')
    const already = known.get(group)
    if (already) return { said: already, isNew: false }
    const all = [...sides, ...alone.flatMap((roles) => sides.map((side) => asIfIn(side, roles)))]
    const given = { ordinary: question, organizationTypes }
    const said = cellChanges(partsOf({ sides: all, lefts, question, given, wanted: differing }))
    known.set(group, said)
    return { said, isNew: true }
  }

  /** Nothing where nothing differs, or nothing that is not told of one of the roles alone. */
  function sought([role, ...also]: Who, pair: Pair): Sought | undefined {
    const ordinary = after.question(role, pair)
    const alone = role === 'none' || also.length === 0 ? [] : [role, ...also].map((one) => [one])
    const question = alone.length > 0 ? inRoles(ordinary, alone.flat()) : ordinary
    const leftFor = (asking: Question) => sides.map((side) => side.leftIn(asking))
    const two = leftFor(question)
    if (contents(two[0] ?? []) === contents(two[1] ?? [])) return undefined
    const others = alone.map((roles) => leftFor(inRoles(question, roles)))
    if (others.some((one) => both(one) === both(two))) return undefined
    const isChanged = (i: number) => changed.has(nameOf(alone[i]?.[0] ?? 'none', pair))
    const found = { question, alone, two, others }
    return alone.length > 0 && isTold(found, isChanged) ? undefined : found
  }

  return (who: Who, pair: Pair) => {
    const cell = sought(who, pair)
    if (cell === undefined) return undefined
    const found = compared(cell)
    if (cell.alone.length === 0 && found.said.changes.length > 0) changed.add(nameOf(who[0], pair))
    return found
  }
}

/** Everybody who may be answered differently: users in one role or none, then those in several. */
function* asked(
  sides: readonly Side[],
  pairs: readonly Pair[],
  after: Survey,
): Generator<readonly [Who, Pair]> {
  for (const role of ANY_ROLES) for (const pair of pairs) yield [[role], pair]
  for (const pair of pairs) {
    const changed = changedIn(sides, after.question('none', pair))
    if (changed.length === 0) continue
    for (const roles of roleSets(changed)) yield [roles as unknown as Who, pair]
  }
}

/**
 * Compares two versions over every cell of either, for users in one role, in two at once, and in as many as a policy names.
 * To be run to its end in a worker, or a piece at a time.
 */
export function* compareOf(before: Survey, after: Survey): Generator<Progress, Comparison> {
  const sides = [before.side, after.side]
  const pairs = pairsOfBoth(before, after)
  const cells = pairs.length * ANY_ROLES.length
  const compared = comparing(before, after)
  const changes: Change[] = []
  let [done, exhaustive] = [0, true]
  for (const [who, pair] of asked(sides, pairs, after)) {
    done = Math.min(done + 1, cells)
    const found = compared(who, pair)
    if (found === undefined) continue
    if (found.isNew) yield { done, total: cells }
    exhaustive &&= found.said.exhaustive
    for (const change of found.said.changes) changes.push(changeIn(who, pair, change, sides))
  }
  return { changes, cells, exhaustive }
}

function changeIn(
  [role, ...also]: Who,
  pair: Pair,
  { way, when, whenIsAll, example: first }: CellChange,
  sides: Survey['side'][],
): Change {
  const roles = role === 'none' ? [] : [role, ...also]
  const example = { ...first, ...pair, user: { ...first.user, roles } }
  const [from, to] = sides.map((side) => answerOf(side.decide(example))) as [Answer, Answer]
  const who = also.length > 0 ? { role, also } : { role }
  return { ...who, ...pair, from, to, when, whenIsAll, example, widening: WIDENS[way] }
}
