/**
 * Which policies could decide a question, judged by what is known before it is asked: the user's roles, the action
 * and the resource. Cedar's time grows with the number of policies in a set, so a question meets only these.
 *
 * A policy is left out only where nothing is left of it (residual.ts): it can neither apply nor err. So with or
 * without it the answer and its errors are the same (test/policy/slice.test.ts).
 */
import type { PolicyJson } from './cedar.js'
import { type Known, residualOf } from './residual.js'

/** Whether a policy could decide a question of which this much is known, or err on it. */
export const couldDecide = (policy: PolicyJson, known: Known): boolean =>
  residualOf(policy, known) !== undefined
