/**
 * Which policies could decide a question, judged by what is known before it is asked: the user's roles, the action
 * and the resource. Cedar's time grows with the number of policies in a set, so a question meets only these.
 *
 * A policy is left out only where nothing is left of it (residual.ts): it can neither apply nor err. So with or
 * without it the answer and its errors are the same (test/policy/slice.test.ts).
 */
import type { Question } from '../core/decision.js'
import { findingByCell } from './about.js'
import { createCache } from './cache.js'
import type { PolicyJson } from './cedar.js'
import type { ParsedPolicy } from './parse.js'
import { type Known, residualOf } from './residual.js'

/** Whether a policy could decide a question of which this much is known, or err on it. */
export const couldDecide = (policy: PolicyJson, known: Known): boolean =>
  residualOf(policy, known) !== undefined

/** Of so many actions on kinds of data it is remembered who could matter. */
const MOST_CELLS = 10_000

/**
 * Finds the policies that could decide a question: first those that could matter to anybody in its cell, which is
 * remembered, then of these few those that could to this user.
 */
export function choosing(policies: readonly ParsedPolicy[]) {
  const byCell = createCache<readonly ParsedPolicy[]>(MOST_CELLS)
  const findByCell = findingByCell(policies)
  const inCell = ({ action, resource }: Question): readonly ParsedPolicy[] => {
    const cell = `${action} ${resource.type} ${resource.id}`
    const known = byCell.get(cell)
    if (known) return known
    const found = findByCell(action, resource).filter(({ json }) =>
      couldDecide(json, { roles: undefined, action, resource }),
    )
    byCell.set(cell, found)
    return found
  }
  const chosen = (question: Question): readonly ParsedPolicy[] => {
    const { action, resource, user } = question
    return inCell(question).filter(({ json }) =>
      couldDecide(json, { roles: user.roles, action, resource }),
    )
  }
  return { inCell, chosen }
}
