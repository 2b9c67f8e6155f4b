/** A set of policies that is asked on its own: of all that could decide, and remembering what it answered. */
import type { PolicyDecision, Question } from '../core/decision.js'
import type { AnswerMemory } from './answer-memory.js'
import { createCache } from './cache.js'
import {
  type AuthorizationAnswer,
  dropPolicySet,
  keepPolicySet,
  statefulIsAuthorized,
} from './cedar.js'
import { askingFor, lengthed } from './entities.js'
import type { ParsedPolicy } from './parse.js'
import { type Relevance, relevanceOf } from './relevance.js'
import { choosing } from './slice.js'

export interface Rules {
  ask(question: Question): PolicyDecision
  close(): void
}

/** Where answers are kept, by the circumstances and then by what was asked. Sets that share one have names apart. */
export type Answers = (circumstances: string) => Map<string, PolicyDecision>

/** Under one set of circumstances. */
const MOST_ANSWERS = 200

/** Policies that Cedar keeps parsed, under a name for as long as there is room. */
interface Slice {
  readonly policies: readonly ParsedPolicy[]
  name?: string | undefined
  /** What these policies answered in other versions. */
  before?: Map<string, PolicyDecision>
}

const textsOf = (some: readonly ParsedPolicy[]) =>
  Object.fromEntries(some.map(({ id, text }) => [id, text]))

/** Finds the policies that could decide a question, parsed and kept by Cedar under a name. */
function slicesOf(policies: readonly ParsedPolicy[], most: number) {
  const { chosen } = choosing(policies)
  const whole: Slice = { policies }
  /** By what is known of a question, and by the ids in a slice: many questions share one. */
  const byKnown = createCache<Slice>(most * 20)
  const byIds = new Map<string, Slice>()
  const kept: Slice[] = []
  const sliceFor = (question: Question): Slice => {
    if (most === 0) return whole
    const { action, resource, user } = question
    const known = [action, resource.type, resource.id, ...user.roles].map(lengthed).join('')
    const found = byKnown.get(known)
    if (found !== undefined) return found
    const some = chosen(question)
    const ids = some.map(({ id }) => id).join(' ')
    const slice = byIds.get(ids) ?? { policies: some }
    byIds.set(ids, slice)
    if (byIds.size > most * 20) byIds.clear()
    byKnown.set(known, slice)
    return slice
  }
  return {
    sliceFor,
    /** The name is good until the next one is asked for. */
    nameOf(slice: Slice): string {
      if (slice.name !== undefined) return slice.name
      const oldest = kept.length >= Math.max(most, 1) ? kept.shift() : undefined
      if (oldest?.name !== undefined) dropPolicySet(oldest.name)
      if (oldest) oldest.name = undefined
      slice.name = keepPolicySet(textsOf(slice.policies))
      kept.push(slice)
      return slice.name
    },
    close() {
      for (const { name } of kept) if (name !== undefined) dropPolicySet(name)
    },
  }
}

/** Puts Cedar's answer into our terms: policies by id in the order of their names, with what they say. */
function readAnswer(
  answer: AuthorizationAnswer,
  byId: ReadonlyMap<string, ParsedPolicy>,
  version: number,
): PolicyDecision {
  const broken = (errors: readonly string[], policies: readonly string[] = []) =>
    frozen({ effect: 'deny', policies, reasons: [], obligations: [], version, errors })
  if (answer.type === 'failure') return broken(answer.errors.map(({ message }) => message))
  const { decision, diagnostics } = answer.response
  // Cedar skips a policy that errs, a `forbid` included, so an allow beside an error may be an allow whose
  // `forbid` never ran.
  if (diagnostics.errors.length > 0) {
    const failed = [...diagnostics.errors].sort((a, b) => (a.policyId < b.policyId ? -1 : 1))
    return broken(
      failed.map(({ policyId, error }) => `${policyId}: ${error.message}`),
      failed.map(({ policyId }) => policyId),
    )
  }
  const deciding = [...diagnostics.reason].sort().flatMap((id) => byId.get(id) ?? [])
  return frozen({
    effect: decision,
    policies: deciding.map(({ id }) => id),
    reasons: deciding.map(({ reason }) => reason),
    obligations: [...new Set(deciding.flatMap(({ obligations }) => obligations))],
    version,
    errors: [],
  })
}

/** @param remember for how many different circumstances */
export function rememberAnswers(remember: number): Answers {
  const answers = createCache<Map<string, PolicyDecision>>(remember)
  return (circumstances) => {
    const known = answers.get(circumstances)
    if (known && known.size < MOST_ANSWERS) return known
    const fresh = new Map<string, PolicyDecision>()
    answers.set(circumstances, fresh)
    return fresh
  }
}

/** Answers are remembered and shared, so nobody may change one. */
export function frozen(decision: PolicyDecision): PolicyDecision {
  for (const member of Object.values(decision)) Object.freeze(member)
  return Object.freeze(decision)
}

export interface RulesOptions {
  readonly version: number
  readonly answers: Answers
  /** Tells the set apart from others that keep their answers in the same place. */
  readonly name: string
  /** So many different slices are kept parsed; of more, those that were kept last. 0: each question meets every policy. */
  readonly slices: number
  /** Of other versions, for those who judge one after the other. */
  readonly memory?: AnswerMemory | undefined
}

/** Equal where {@link askingFor} puts a question into the same words, and an answer bears the same number. */
const formOf = (version: number, { userId, principal, context, activities }: Relevance): string =>
  JSON.stringify([
    ...[version, userId, [...principal].sort(), [...context].sort()],
    activities === 'all' ? activities : [...activities].sort(),
  ])

/** @param policies of this set alone */
export function rulesOf(
  policies: readonly ParsedPolicy[],
  { version, answers, name, slices: most, memory }: RulesOptions,
): Rules {
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const relevance = relevanceOf(policies.map(({ json }) => json))
  const asking = askingFor(relevance, name)
  const slices = slicesOf(policies, most)
  const askCedar = (question: Question, slice: Slice): PolicyDecision =>
    readAnswer(statefulIsAuthorized(asking.call(question, slices.nameOf(slice))), byId, version)
  const form = memory ? formOf(version, relevance) : ''
  const workOut = (question: Question, circumstances: string, asked: string): PolicyDecision => {
    const slice = slices.sliceFor(question)
    if (memory === undefined) return askCedar(question, slice)
    slice.before ??= memory.of(slice.policies, form)
    const key = lengthed(circumstances) + asked
    const decision = slice.before.get(key) ?? askCedar(question, slice)
    slice.before.set(key, decision)
    return decision
  }
  return {
    ask(question) {
      const [circumstances, asked] = asking.keys(question)
      const under = answers(circumstances)
      const known = under.get(asked)
      if (known) return known
      const decision = workOut(question, circumstances, asked)
      under.set(asked, decision)
      return decision
    },
    close: slices.close,
  }
}
