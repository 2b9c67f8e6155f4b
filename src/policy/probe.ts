/** One policy or condition by itself, asked of Cedar: does it apply to this question? */
import type { Question } from '../core/decision.js'
import {
  dropPolicySet,
  type Expr,
  keepPolicySet,
  type PolicyJson,
  statefulIsAuthorized,
} from './cedar.js'
import { askingFor } from './entities.js'
import { relevanceOf } from './relevance.js'

/** `errs`: Cedar could not say; such a policy makes a refusal of every answer. */
export type Applies = 'yes' | 'no' | 'errs'

export interface Probe {
  asks(question: Question): Applies
  close(): void
}

const ANYTHING = { op: 'All' } as const

/** The policy of which these terms are all. */
export const policyOf = (terms: readonly Expr[]): PolicyJson => ({
  effect: 'permit',
  principal: ANYTHING,
  action: ANYTHING,
  resource: ANYTHING,
  conditions: terms.map((body) => ({ kind: 'when', body })),
})

interface One {
  readonly effect: 'permit' | 'forbid'
  readonly json: PolicyJson
  /** As written: a number beyond 2^53 does not come through JSON unharmed. */
  readonly text?: string
}

/** A `forbid` is asked as well: whether it applies, not what follows. */
export function probeOf({ effect, json, text }: One): Probe {
  const applied = effect === 'permit' ? 'allow' : 'deny'
  const asking = askingFor(relevanceOf([json]))
  const name = keepPolicySet({
    it: text ?? json,
    // A forbid that applies takes away what everybody has.
    ...(effect === 'forbid' ? { all: policyOf([]) } : {}),
  })
  return {
    asks(question) {
      const answer = statefulIsAuthorized(asking.call(question, name))
      if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) return 'errs'
      return answer.response.decision === applied ? 'yes' : 'no'
    },
    close: () => dropPolicySet(name),
  }
}
