/** The one engine: policies of one version in, answers out, in memory. */
import type { Policies, PolicyDecision, Question } from '../core/decision.js'
import type { Assurance } from '../core/roles.js'
import { createCache } from './cache.js'
import {
  type AuthorizationAnswer,
  dropPolicySet,
  keepPolicySet,
  statefulIsAuthorized,
} from './cedar.js'
import { askingFor, lengthed } from './entities.js'
import { type ParsedPolicy, parsePolicies } from './parse.js'
import { Problems } from './problem.js'
import { relevanceOf } from './relevance.js'
import { choosing } from './slice.js'
import type { PolicyFiles } from './source.js'

export interface EngineOptions {
  readonly version?: number
  /** For how many different circumstances to remember answers: up to 200 for each, of some 300 bytes. */
  readonly remember?: number
}

/** Policies of one version. {@link close} frees what Cedar holds of them; nothing may be asked afterwards. */
export interface Engine extends Policies {
  readonly policies: readonly ParsedPolicy[]
  close(): void
}

/** So many different slices are kept parsed; of more, those that were kept last. */
const MOST_SLICES = 500
/** Under one set of circumstances. */
const MOST_ANSWERS = 200
const ASSURANCES: readonly Assurance[] = [1, 2, 3]

/** Policies that Cedar keeps parsed, under a name for as long as there is room. */
interface Slice {
  readonly policies: readonly ParsedPolicy[]
  name?: string | undefined
}

const textsOf = (some: readonly ParsedPolicy[]) =>
  Object.fromEntries(some.map(({ id, text }) => [id, text]))

/** Finds the policies that could decide a question, parsed and kept by Cedar under a name. */
function slicesOf(policies: readonly ParsedPolicy[]) {
  const { chosen } = choosing(policies)
  /** By what is known of a question, and by the ids in a slice: many questions share one. */
  const byKnown = createCache<Slice>(MOST_SLICES * 20)
  const byIds = new Map<string, Slice>()
  const kept: Slice[] = []
  const sliceFor = (question: Question): Slice => {
    const { action, resource, user } = question
    const known = [action, resource.type, resource.id, ...user.roles].map(lengthed).join('')
    const found = byKnown.get(known)
    if (found !== undefined) return found
    const some = chosen(question)
    const ids = some.map(({ id }) => id).join(' ')
    const slice = byIds.get(ids) ?? { policies: some }
    byIds.set(ids, slice)
    if (byIds.size > MOST_SLICES * 20) byIds.clear()
    byKnown.set(known, slice)
    return slice
  }
  return {
    /** The name is good until the next one is asked for. */
    find(question: Question): string {
      const slice = sliceFor(question)
      if (slice.name !== undefined) return slice.name
      const oldest = kept.length >= MOST_SLICES ? kept.shift() : undefined
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

/** Answers given before, by the circumstances and then by what was asked. */
function answersBy(remember: number) {
  const answers = createCache<Map<string, PolicyDecision>>(remember)
  return (circumstances: string): Map<string, PolicyDecision> => {
    const known = answers.get(circumstances)
    if (known && known.size < MOST_ANSWERS) return known
    const fresh = new Map<string, PolicyDecision>()
    answers.set(circumstances, fresh)
    return fresh
  }
}

/**
 * Makes an engine of a version's policies. It does not check them against the schema or run their tests: that is
 * done before a version is published (check.ts).
 *
 * @throws Problems where a policy cannot be read, lacks an annotation or shares its id
 */
export function createPolicies(
  files: PolicyFiles,
  { version = 0, remember = 500 }: EngineOptions = {},
): Engine {
  const { policies, problems } = parsePolicies(files)
  if (problems.length > 0) throw new Problems(problems)
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const asking = askingFor(relevanceOf(policies.map(({ json }) => json)))
  const slices = slicesOf(policies)
  const answersUnder = answersBy(remember)

  const decide = (question: Question): PolicyDecision => {
    const [circumstances, asked] = asking.keys(question)
    const under = answersUnder(circumstances)
    const known = under.get(asked)
    if (known) return known
    const answer = statefulIsAuthorized(asking.call(question, slices.find(question)))
    const decision = readAnswer(answer, byId, version)
    under.set(asked, decision)
    return decision
  }
  const signedOn = (question: Question, assurance: Assurance): Question => ({
    ...question,
    user: { ...question.user, assurance },
  })

  return {
    policies,
    version: () => version,
    mayIssue: () => true,
    decide,
    stepUp: (question) =>
      decide(question).effect === 'allow'
        ? undefined
        : ASSURANCES.find(
            (assurance) =>
              assurance > question.user.assurance &&
              decide(signedOn(question, assurance)).effect === 'allow',
          ),
    close: slices.close,
  }
}

/** Answers are remembered and shared, so nobody may change one. */
function frozen(decision: PolicyDecision): PolicyDecision {
  for (const member of Object.values(decision)) Object.freeze(member)
  return Object.freeze(decision)
}
