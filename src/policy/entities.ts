/** A question in Cedar's terms. */
import type { Question } from '../core/decision.js'
import type { StatefulAuthorizationCall } from './cedar.js'
import type { Relevance } from './relevance.js'
import {
  ACTION_TYPE,
  ACTIVITIES,
  CONTEXT,
  type Fact,
  PRINCIPAL,
  RESOURCE_TYPES,
  ROLE_TYPE,
  USER_TYPE,
} from './vocabulary.js'

export interface Asking {
  /**
   * Two texts for all questions that the policies cannot tell apart, and only for those: one for who asks
   * and how things stand, which a launch's questions share, and one for what they ask.
   */
  keys(question: Question): readonly [circumstances: string, asked: string]
  call(question: Question, policySet: string): StatefulAuthorizationCall
}

/** A text for a key, led by its length: so it cannot run into its neighbour, whatever it holds. */
export const lengthed = (fact: Fact): string => {
  const text = String(fact)
  return `${text.length}:${text}`
}

/** By identity, member by member: values are replaced, never changed. */
export const sameCircumstances = (a: Question, b: Question): boolean =>
  a.user === b.user &&
  a.patient === b.patient &&
  a.launch === b.launch &&
  a.purpose === b.purpose &&
  a.emergencyReason === b.emergencyReason &&
  a.hour === b.hour &&
  a.weekday === b.weekday

/**
 * Asks with what the policies look at and nothing more: they cannot answer differently for what they do not look
 * at, each attribute costs time, and equal questions are answered once.
 *
 * @param name leads the circumstances' key, where the answers of several sets of policies are kept together
 */
export function askingFor(
  { userId, principal, context, activities }: Relevance,
  name = '',
): Asking {
  const principalFacts = Object.entries(PRINCIPAL).filter(([name]) => principal.has(name))
  const contextFacts = Object.entries(CONTEXT).filter(([name]) => context.has(name))
  const asked = [...principalFacts, ...contextFacts].map(([, fact]) => fact)
  const seen = (question: Question): readonly string[] =>
    activities === 'all'
      ? question.user.activities
      : question.user.activities.filter((code) => activities.has(code))
  const lead = name && lengthed(name)
  const withActivities = activities === 'all' || principal.has(ACTIVITIES)

  const circumstancesKey = (question: Question): string => {
    let key = lead + (userId ? lengthed(question.user.id) : '')
    for (const role of question.user.roles) key += lengthed(role)
    key += '|'
    for (const fact of asked) key += lengthed(fact(question))
    if (withActivities) for (const code of seen(question)) key += lengthed(code)
    return key
  }
  /** By a member that each launch has as its own: some fifty questions come in a row, and more with each of its calls. */
  const known = new WeakMap<Question['patient'], { question: Question; key: string }>()

  return {
    keys(question) {
      let last = known.get(question.patient)
      if (!last || !sameCircumstances(last.question, question)) {
        last = { question, key: circumstancesKey(question) }
        known.set(question.patient, last)
      }
      const { action, resource } = question
      // The first two are words of ours, without a space.
      return [last.key, `${action} ${resource.type} ${resource.id}`]
    },
    call(question, preparsedPolicySetId) {
      const { action, resource, user } = question
      const values = (facts: readonly [string, (question: Question) => Fact][]) =>
        Object.fromEntries(facts.map(([name, fact]) => [name, fact(question)]))
      const uid = { type: USER_TYPE, id: userId ? user.id : 'somebody' }
      const attrs = values(principalFacts)
      return {
        principal: uid,
        action: { type: ACTION_TYPE, id: action },
        resource: { type: RESOURCE_TYPES[resource.type], id: resource.id },
        context: values(contextFacts),
        preparsedPolicySetId,
        entities: [
          {
            uid,
            attrs: withActivities ? { ...attrs, [ACTIVITIES]: [...seen(question)] } : attrs,
            parents: user.roles.map((id) => ({ type: ROLE_TYPE, id })),
          },
        ],
      }
    },
  }
}
