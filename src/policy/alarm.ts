/**
 * An answer with an error in it is a refusal, and somebody must hear of it: Cedar skips a policy that errs, a `forbid`
 * too, so whoever it was to let in stays out until it is mended.
 */
import type { Policies, PolicyDecision } from '../core/decision.js'

export type Failed = Pick<PolicyDecision, 'policies' | 'version'>

/**
 * The same policies, listened to for failures.
 *
 * @param count each answer in which some failed, by their ids
 * @param tell of the same policies of one version once: thousands of answers fail by one of them
 */
export function alarming<P extends Policies>(
  policies: P,
  count: (policies: readonly string[]) => void,
  tell: (failed: Failed) => void,
): P {
  const told = { version: 0, failed: new Set<string>() }
  const alarm = ({ version, policies: failed }: PolicyDecision): void => {
    count(failed)
    if (told.version !== version) told.failed.clear()
    told.version = version
    const key = failed.join()
    if (told.failed.has(key)) return
    told.failed.add(key)
    tell({ version, policies: failed })
  }
  return {
    ...policies,
    decide(question) {
      const decision = policies.decide(question)
      if (decision.errors.length > 0) alarm(decision)
      return decision
    },
  }
}
