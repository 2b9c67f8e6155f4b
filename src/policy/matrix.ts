/** Who may do what: roles × actions × kinds of data, each cell answered by the engine over all its circumstances. */
import type { Action, Question, Resource } from '../core/decision.js'
import type { Expr } from './cedar.js'
import { isLocal, type Layer } from './layers.js'
import { createMemory, type MatrixMemory, shortly } from './matrix-memory.js'
import type { AnyRole } from './names.js'
import type { ParsedPolicy } from './parse.js'
import type { Left } from './side.js'
import { ANY_ROLES, type Survey } from './survey.js'
import { type Kind, type Walk, walkOver } from './walk.js'
import { allWords } from './words.js'

export interface Cell {
  readonly role: AnyRole
  readonly action: Action
  readonly resource: Resource
  readonly answer: 'allow' | 'deny' | 'conditional'
  /** In ordinary circumstances, with the activities that are usual for the role. */
  readonly nominal: 'allow' | 'deny'
  /** Alternatives, in words: one must hold. Empty unless conditional. */
  readonly when: readonly string[]
  /** In words: none may hold. */
  readonly unless: readonly string[]
  /** Policies that allow here in some circumstances, and those that then forbid. */
  readonly permits: readonly string[]
  readonly forbids: readonly string[]
  /** False where only samples of the circumstances were asked. */
  readonly exhaustive: boolean
}
/** What is to be said of a policy beside its id. */
export type Told = Pick<
  ParsedPolicy,
  'id' | 'effect' | 'reason' | 'layer' | 'file' | 'line' | 'text'
>
export interface Matrix {
  readonly cells: readonly Cell[]
  readonly policies: readonly Told[]
  /** How many different sets of conditions there are. */
  readonly groups: number
}
export interface Progress {
  readonly done: number
  readonly total: number
}

/** What a walk says of all cells that have the same conditions. */
export type Said = Omit<Cell, 'role' | 'action' | 'resource' | 'nominal'>

/** What permits or forbids: a policy, or what is delegated and a local permit together. */
interface Ground {
  readonly ids: readonly string[]
  readonly terms: readonly Expr[]
}

const groundOf = (...left: readonly Left[]): Ground => ({
  ids: left.map(({ policy }) => policy.id),
  terms: left.flatMap(({ terms }) => terms),
})

function permitsIn(left: readonly Left[]): readonly Ground[] {
  const permits = left.filter(({ policy }) => policy.effect === 'permit')
  const of = (fits: (layer: Layer) => boolean) => permits.filter(({ policy }) => fits(policy.layer))
  const delegated = of((layer) => layer === 'delegated')
  return [
    ...of((layer) => layer === 'central').map((one) => groundOf(one)),
    ...of(isLocal).flatMap((local) => delegated.map((one) => groundOf(local, one))),
  ]
}

const stands = ({ ids }: Ground, { applies }: Kind): boolean =>
  ids.every((id) => applies[0]?.includes(id))

/** The fewest of some grounds, by greed, of which one stands in each of these kinds. */
function cover(kinds: readonly Kind[], among: readonly Ground[]): readonly Ground[] {
  const chosen: Ground[] = []
  let open = kinds
  while (open.length > 0) {
    const held = (ground: Ground) => open.filter((kind) => stands(ground, kind)).length
    const best = among.reduce<Ground | undefined>(
      (most, one) => (most && held(most) >= held(one) ? most : one),
      undefined,
    )
    if (best === undefined || held(best) === 0) break
    chosen.push(best)
    open = open.filter((kind) => !stands(best, kind))
  }
  return chosen
}

/** Those that stand in one of these kinds, by id, in order. */
const standing = (kinds: readonly Kind[], among: readonly Ground[]): string[] => [
  ...new Set(
    among.filter((one) => kinds.some((kind) => stands(one, kind))).flatMap(({ ids }) => ids),
  ),
]

const inWords = (grounds: readonly Ground[]): readonly string[] => [
  ...new Set(grounds.filter(({ terms }) => terms.length > 0).map(({ terms }) => allWords(terms))),
]

const isAllowed = ({ answers }: Kind): boolean => answers[0]?.effect === 'allow'

/** What a walk says of all cells that have these conditions. */
export function saidOf({ kinds, exhaustive }: Walk, left: readonly Left[]): Said {
  const permits = permitsIn(left)
  const forbids = left
    .filter(({ policy }) => policy.effect === 'forbid')
    .map((one) => groundOf(one))
  const allowed = kinds.filter(isAllowed)
  const denied = kinds.filter((kind) => !isAllowed(kind))
  const stopped = denied.filter((kind) => standing([kind], permits).length > 0)
  const answer = denied.length === 0 ? 'allow' : allowed.length === 0 ? 'deny' : 'conditional'
  const words = answer === 'conditional'
  return {
    answer,
    when: words ? inWords(cover(allowed, permits)) : [],
    unless: words ? inWords(cover(stopped, forbids)) : [],
    permits: standing(allowed, permits),
    // Where nothing is ever allowed: what the engine names.
    forbids:
      answer === 'deny'
        ? [...new Set(denied.flatMap(({ answers }) => answers[0]?.policies ?? []))]
        : standing(stopped, forbids),
    exhaustive,
  }
}

/** A cell's condition in one sentence; empty unless conditional. */
export function conditionOf({ when, unless }: Pick<Cell, 'when' | 'unless'>): string {
  const alternatives = when.length > 1 ? when.map((one) => `either ${one}`).join(', or ') : when[0]
  const exceptions = unless.length > 0 ? `unless ${unless.join('; or ')}` : ''
  return [alternatives ? `when ${alternatives}` : '', exceptions].filter(Boolean).join(', ')
}

const toldOf = ({ id, effect, reason, layer, file, line, text }: ParsedPolicy): Told => ({
  ...{ id, effect, reason, layer, file, line, text },
})

interface Asked {
  readonly question: Question
  /** What of it is the same in the whole row. */
  readonly asked: string
}

/** Works cells out, each as far as it is not known yet. */
function working(survey: Survey, memory: MatrixMemory<Said>) {
  const { side, frame } = survey
  const walked = (question: Question, left: readonly Left[]): Said =>
    saidOf(walkOver([side], [left], question, survey.given(question)), left)
  const groupOf = (left: readonly Left[]): string =>
    shortly(left.map(({ policy, key }) => `${policy.id} ${policy.layer} ${key}`).join('\n'))
  const once = <T>(known: Map<string, T>, key: readonly string[], work: () => T): T => {
    const text = JSON.stringify([frame, ...key])
    const value = known.get(text) ?? work()
    known.set(text, value)
    return value
  }
  return {
    /** Which conditions a cell has, and what it ordinarily answers. */
    cell({ question, asked }: Asked) {
      const { action, resource } = question
      const names = memory.nameOf(side.inCell(question))
      const key = [asked, action, resource.type, resource.id, names]
      const group = once(memory.groups, key, () => groupOf(side.leftIn(question)))
      const decide = () => side.decide(question).effect
      return { group, nominal: once(memory.nominal, [asked, group], decide) }
    },
    said: ({ question, asked }: Asked, group: string): Said =>
      once(memory.said, [asked, group], () => walked(question, side.leftIn(question))),
  }
}

/**
 * Computes the matrix of a version, cell by cell; cells with the same conditions are walked once. To be run to its end
 * in a worker, or a piece at a time.
 *
 * @param roles only these rows
 * @param memory of matrices before: what they have in common with this one is not worked out again
 */
export function* matrixOf(
  survey: Survey,
  roles: readonly AnyRole[] = ANY_ROLES,
  memory: MatrixMemory<Said> = createMemory(),
): Generator<Progress, Matrix> {
  memory.bound()
  const total = survey.pairs.length * roles.length
  const work = working(survey, memory)
  const known = new Map<string, Said>()
  const cells: Cell[] = []
  for (const role of roles) {
    let asked: string | undefined
    for (const pair of survey.pairs) {
      const question = survey.question(role, pair)
      asked ??= shortly(JSON.stringify({ ...question, action: '', resource: '' }))
      const { group, nominal } = work.cell({ question, asked })
      const said = known.get(group) ?? work.said({ question, asked }, group)
      if (!known.has(group)) {
        known.set(group, said)
        yield { done: cells.length, total }
      }
      cells.push({ role, ...pair, ...said, nominal })
    }
  }
  return { cells, policies: survey.side.policies.map(toldOf), groups: known.size }
}

/** Runs a generator to its end. */
export function finished<T>(steps: Generator<unknown, T>): T {
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}
