/** One question: what was answered, what each policy made of it, and what would have to be different. */
import type { PolicyDecision, Question } from '../core/decision.js'
import { USER_ROLES } from '../core/roles.js'
import type { Expr } from './cedar.js'
import { domainOf } from './domain.js'
import { isHeard } from './layer-terms.js'
import type { Layer } from './layers.js'
import { listed, roleWords } from './names.js'
import type { ParsedPolicy } from './parse.js'
import { type Applies, policyOf, probeOf } from './probe.js'
import { residualOf, spread } from './residual.js'
import { scopeTerms } from './scope-terms.js'
import { mattering } from './side.js'
import { type Subject, settingOf, withSetting } from './subject.js'
import type { Survey } from './survey.js'
import { cedarText, isOneOf, wordsOf } from './words.js'

/** A policy of this action and kind of data, and what it made of the question. */
export interface Heard {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly reason: string
  /** Whose it is. What is delegated permits only together with a local permit. */
  readonly layer: Layer
  readonly applies: Applies
  /** Where it does not apply: the first of its conditions that does not hold. */
  readonly failing?: {
    /** From 1, in the order in which Cedar reads them. */
    readonly place: number
    readonly words: string
    readonly cedar: string
  }
}
/** One change of circumstances with which the answer would be the other. */
export interface Difference {
  readonly of: Subject | 'role'
  readonly words: string
  readonly question: Question
  readonly policies: readonly string[]
}
export interface Explanation {
  readonly question: Question
  readonly answer: PolicyDecision
  readonly policies: readonly Heard[]
  /** Single changes only; none where no single one would do. */
  readonly otherwise: readonly Difference[]
}

/** Answers nobody can change at will come last. */
// biome-ignore format: a table
const NEAREST: readonly (Subject | 'role')[] = [
  'principal.assurance', 'context.purpose', 'context.rung', 'context.emergencyReason', 'context.hour',
  'context.weekday', 'context.app', 'context.system', 'principal.activitySource', 'principal.activities', 'role',
  'principal.organizationType', 'principal.organization', 'principal.region', 'principal',
  'context.patientSensitive', 'context.patientDeceased',
]

/** A policy's conditions, one by one, in the order in which Cedar reads them. */
function conditionsOf({ json }: ParsedPolicy): readonly Expr[] {
  const clauses = json.conditions.flatMap(({ kind, body }) =>
    spread(kind === 'when' ? body : { '!': { arg: body } }),
  )
  return [...scopeTerms(json), ...clauses]
}

function askedAlone(condition: Expr, question: Question): Applies {
  const probe = probeOf({ effect: 'permit', json: policyOf([condition]) })
  try {
    return probe.asks(question)
  } finally {
    probe.close()
  }
}

function heard(policy: ParsedPolicy, question: Question): Heard {
  const { id, effect, reason, layer } = policy
  const probe = probeOf(policy)
  const applies = probe.asks(question)
  probe.close()
  const said = { id, effect, reason, layer, applies }
  if (applies === 'yes') return said
  const conditions = conditionsOf(policy)
  const at = conditions.findIndex((condition) => askedAlone(condition, question) !== 'yes')
  const condition = conditions[at]
  if (condition === undefined) return said
  const failing = { place: at + 1, words: wordsOf(condition), cedar: cedarText(condition) }
  return { ...said, failing }
}

/** Whether a policy is about this action on this kind of data at all, whoever asks. */
function concerns({ json }: ParsedPolicy, { action, resource }: Question): boolean {
  const scope = { ...json, principal: { op: 'All' as const }, conditions: [] }
  return residualOf(scope, { roles: [], action, resource }) !== undefined
}

interface Turn {
  readonly of: Subject | 'role'
  readonly words: string
  readonly question: Question
}

/** One code more: that is what a registration authority is asked for. */
function* activityTurns(question: Question, terms: readonly Expr[]): Generator<Turn> {
  const of = 'principal.activities'
  const own = question.user.activities
  for (const code of codesIn(terms).filter((one) => !own.includes(one)))
    yield {
      of,
      words: `also holds activity ${code}`,
      question: withSetting(question, of, [...own, code]),
    }
}

/** Every single change that the policies can tell. Nobody is told to ask from another organisation's layer. */
function* turns(question: Question, survey: Survey): Generator<Turn> {
  const left = survey.side.leftIn(question).filter(({ policy }) => isHeard(policy.layer, question))
  const terms = mattering(left).flatMap((one) => one.terms)
  for (const { of, values, members } of domainOf(terms, survey.given(question)).dimensions) {
    if (of === 'principal.activities') yield* activityTurns(question, terms)
    else
      for (const [v, value] of values.entries()) {
        const same = members[v] ?? [value]
        if (!same.includes(settingOf(question, of)))
          yield { of, words: isOneOf(of, same), question: withSetting(question, of, value) }
      }
  }
  for (const role of USER_ROLES) {
    if (question.user.roles.includes(role)) continue
    const words = `the role is ${roleWords(role)}`
    yield {
      of: 'role',
      words,
      question: { ...question, user: { ...question.user, roles: [role] } },
    }
  }
}

const codesIn = (terms: readonly Expr[]): readonly string[] => [
  ...new Set(JSON.stringify(terms).match(/(?<=")B\d{4}(?=")/g) ?? []),
]

/** Several values of one thing that would all do, said once. */
function gathered(all: readonly Difference[]): readonly Difference[] {
  const roles = all.filter(({ of }) => of === 'role')
  const codes = all.filter(({ of }) => of === 'principal.activities')
  const joined = (some: readonly Difference[], start: string): readonly Difference[] => {
    const [first] = some
    if (first === undefined) return []
    const names = some.map(({ words }) => words.slice(start.length))
    return [{ ...first, words: `${start}${listed(names, 'or')}` }]
  }
  const others = all.filter(({ of }) => of !== 'role' && of !== 'principal.activities')
  return [
    ...others,
    ...joined(codes, 'also holds activity '),
    ...joined(roles, 'the role is '),
  ].sort((a, b) => NEAREST.indexOf(a.of) - NEAREST.indexOf(b.of))
}

/** Explains one answer of a version. Some hundred questions: some ten milliseconds. */
export function explain(question: Question, survey: Survey): Explanation {
  const answer = survey.side.decide(question)
  const policies = survey.side.policies
    .filter((policy) => isHeard(policy.layer, question) && concerns(policy, question))
    .map((policy) => heard(policy, question))
  const otherwise = [...turns(question, survey)].flatMap(({ of, words, question: other }) => {
    const said = survey.side.decide(other)
    const turned = said.effect !== answer.effect && said.errors.length === 0
    return turned ? [{ of, words, question: other, policies: said.policies }] : []
  })
  return { question, answer, policies, otherwise: gathered(otherwise) }
}
