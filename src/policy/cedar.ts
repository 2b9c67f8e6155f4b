/** The one door to Cedar: nothing else imports its WebAssembly. */
import './v8-flags.js'
import { type Policy, preparsePolicySet } from '@cedar-policy/cedar-wasm/nodejs'

export type {
  AuthorizationAnswer,
  DetailedError,
  EntityUidJson,
  Expr,
  PolicyJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs'
export {
  checkParseSchema,
  policySetTextToParts,
  policyToJson,
  policyToText,
  schemaToJsonWithResolvedTypes,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs'

/**
 * Cedar keeps parsed policy sets by name, for this thread, and cannot forget one: it can only be overwritten.
 * So names are lent, emptied when they come back, and lent again. The names live here because Cedar's memory does.
 */
const spare: string[] = []
let lent = 0

/**
 * Parses policies once, for many questions.
 *
 * @param policies texts, or the JSON of texts, by policy id; each must have been parsed before
 * @returns the name under which `statefulIsAuthorized` finds them, until {@link dropPolicySet}
 */
export function keepPolicySet(policies: Readonly<Record<string, Policy>>): string {
  const name = spare.pop() ?? `set-${lent++}`
  const answer = preparsePolicySet(name, { staticPolicies: policies })
  if (answer.type === 'success') return name
  spare.push(name)
  throw new Error(`Cedar could not keep a policy set: ${answer.errors[0]?.message ?? 'unknown'}`)
}

/** Frees a policy set. Asking under its name afterwards meets no policy, or another's set: the caller must not. */
export function dropPolicySet(name: string): void {
  preparsePolicySet(name, { staticPolicies: {} })
  spare.push(name)
}
