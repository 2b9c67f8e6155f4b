/** The one engine: policies of one version in, answers out, in memory. */
import type { Policies, PolicyDecision, Question } from '../core/decision.js'
import type { Assurance } from '../core/roles.js'
import type { AnswerMemory } from './answer-memory.js'
import { combine, isLocal, type Layer, layersOver } from './layers.js'
import { type ParsedPolicy, parsePolicies } from './parse.js'
import { Problems } from './problem.js'
import { frozen, type Rules, rememberAnswers, rulesOf } from './rules.js'
import type { PolicyFiles } from './source.js'

export interface EngineOptions {
  readonly version?: number
  /**
   * For how many different circumstances to remember answers: up to 200 for each, of some 300 bytes. As many again
   * are remembered for what is delegated, and for all local layers together.
   */
  readonly remember?: number
  /** For those who judge one version after the other. */
  readonly memory?: AnswerMemory | undefined
}

/** Policies of one version. {@link close} frees what Cedar holds of them; nothing may be asked afterwards. */
export interface Engine extends Policies {
  /** Of every layer. */
  readonly policies: readonly ParsedPolicy[]
  close(): void
}

const MOST_SLICES = 500
/** A local layer of this many policies is asked as a whole: a slice of a few costs more than it saves. */
const FEW = 20
const LOCAL_SLICES = 50
const ASSURANCES: readonly Assurance[] = [1, 2, 3]

/** The policies of a version, by whose they are. */
function byLayer(policies: readonly ParsedPolicy[]): ReadonlyMap<Layer, readonly ParsedPolicy[]> {
  const layers = new Map<Layer, ParsedPolicy[]>()
  for (const policy of policies) {
    const others = layers.get(policy.layer)
    if (others) others.push(policy)
    else layers.set(policy.layer, [policy])
  }
  return layers
}

/** Every layer's rules. A local layer's are made ready when somebody under it first asks: a region may have 1,400. */
function rulesBy(
  policies: readonly ParsedPolicy[],
  { version, remember, memory }: EngineOptions & { version: number; remember: number },
) {
  const layers = byLayer(policies)
  const localAnswers = rememberAnswers(remember)
  const opened = new Map<Layer, Rules>()
  const open = (layer: Layer): Rules => {
    const known = opened.get(layer)
    if (known) return known
    const own = layers.get(layer) ?? []
    const local = isLocal(layer)
    const rules = rulesOf(own, {
      version,
      name: local ? layer : '',
      answers: local ? localAnswers : rememberAnswers(remember),
      slices: local ? (own.length > FEW ? LOCAL_SLICES : 0) : MOST_SLICES,
      memory,
    })
    opened.set(layer, rules)
    return rules
  }
  return {
    central: open('central'),
    delegated: open('delegated'),
    /** The local layers that there are. */
    locals: new Set([...layers.keys()].filter(isLocal)),
    open,
    close() {
      for (const rules of opened.values()) rules.close()
    },
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
  { version = 0, remember = 500, memory }: EngineOptions = {},
): Engine {
  const { policies, problems } = parsePolicies(files)
  if (problems.length > 0) throw new Problems(problems)
  const options = { version, remember, memory }
  const { central, delegated, locals, open, close } = rulesBy(policies, options)

  const decide = (question: Question): PolicyDecision => {
    const answer = central.ask(question)
    if (locals.size === 0) return answer
    // A user is under no layer but their own, so nothing that another's says can reach them.
    const over = layersOver(question.user).filter((layer) => locals.has(layer))
    if (over.length === 0) return answer
    const own = over.map((layer) => open(layer).ask(question))
    return frozen(combine(answer, own, () => delegated.ask(question)))
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
    close,
  }
}
