/** What a change of the policies would have turned: real questions, put to both. */
import type { Policies, Question } from '../core/decision.js'
import type { AskedQuestion } from './asked-pages.js'
import { createPolicies } from './engine.js'
import type { PolicyFiles } from './source.js'

/** A question whose answer turns, and which policies answer it before and after. */
export interface Flip {
  readonly question: Question
  readonly count: number
  readonly before: readonly string[]
  readonly after: readonly string[]
}
/** `questions`: different ones; `asked`: how often they were asked. */
export interface Tally {
  readonly name: string
  readonly questions: number
  readonly asked: number
}
export interface Flips extends Omit<Tally, 'name'> {
  /** By each role of the user; `none` where there is none. The most asked first, as in the other two. */
  readonly roles: readonly Tally[]
  readonly organizations: readonly Tally[]
  readonly apps: readonly Tally[]
  /** Those that were asked most. */
  readonly examples: readonly Flip[]
}
export interface Impact extends Omit<Tally, 'name'> {
  readonly allowToDeny: Flips
  readonly denyToAllow: Flips
  /** Questions on which a policy failed, before or after: each a refusal. */
  readonly failed: number
}
export interface Progress {
  readonly done: number
  readonly of: number
}

type Decides = Pick<Policies, 'decide'>

/** After how many questions it says how far it is, and lets others have their turn. */
const STEP = 100
const MOST_EXAMPLES = 200
const MOST_ROWS = 500

const sum = (flips: readonly { readonly count: number }[]): number =>
  flips.reduce((total, { count }) => total + count, 0)

function tallies(
  flips: readonly Flip[],
  namesOf: (question: Question) => readonly string[],
): readonly Tally[] {
  const found = new Map<string, { questions: number; asked: number }>()
  for (const { question, count } of flips) {
    for (const name of namesOf(question)) {
      const { questions, asked } = found.get(name) ?? { questions: 0, asked: 0 }
      found.set(name, { questions: questions + 1, asked: asked + count })
    }
  }
  return [...found]
    .map(([name, tally]) => ({ name, ...tally }))
    .sort((a, b) => b.asked - a.asked || (a.name < b.name ? -1 : 1))
    .slice(0, MOST_ROWS)
}

function flipsOf(flips: readonly Flip[]): Flips {
  return {
    questions: flips.length,
    asked: sum(flips),
    roles: tallies(flips, ({ user }) => (user.roles.length > 0 ? user.roles : ['none'])),
    organizations: tallies(flips, ({ user }) => [user.organization.odsCode]),
    apps: tallies(flips, ({ launch }) => [launch.app]),
    examples: [...flips].sort((a, b) => b.count - a.count).slice(0, MOST_EXAMPLES),
  }
}

/** Puts every question to both. Says how far it is, and leaves it to the caller when to go on. */
export function* replay(
  questions: readonly AskedQuestion[],
  before: Decides,
  after: Decides,
): Generator<Progress, Impact> {
  const turned = { allowToDeny: [] as Flip[], denyToAllow: [] as Flip[] }
  let failed = 0
  for (const [done, { question, count }] of questions.entries()) {
    if (done % STEP === 0) yield { done, of: questions.length }
    const [was, is] = [before.decide(question), after.decide(question)]
    if (was.errors.length + is.errors.length > 0) failed++
    if (was.effect === is.effect) continue
    const flip = { question, count, before: was.policies, after: is.policies }
    turned[is.effect === 'deny' ? 'allowToDeny' : 'denyToAllow'].push(flip)
  }
  yield { done: questions.length, of: questions.length }
  return {
    ...{ questions: questions.length, asked: sum(questions), failed },
    allowToDeny: flipsOf(turned.allowToDeny),
    denyToAllow: flipsOf(turned.denyToAllow),
  }
}

/** The same, of two sets of files. @throws Problems where either cannot be read */
export function* replayFiles(
  questions: readonly AskedQuestion[],
  before: PolicyFiles,
  after: PolicyFiles,
): Generator<Progress, Impact> {
  const was = createPolicies(before)
  try {
    const is = createPolicies(after)
    try {
      return yield* replay(questions, was, is)
    } finally {
      is.close()
    }
  } finally {
    was.close()
  }
}
