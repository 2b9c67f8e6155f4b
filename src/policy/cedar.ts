/** The one door to Cedar: nothing else imports its WebAssembly. */
import './v8-flags.js'
import * as wasm from '@cedar-policy/cedar-wasm/nodejs'
import { tooDeep } from './bounds.js'

export type {
  AuthorizationAnswer,
  DetailedError,
  EntityUidJson,
  Expr,
  PolicyJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs'
export {
  formatPolicies,
  policyToJson,
  policyToText,
  schemaToJsonWithResolvedTypes,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs'

/** Nothing reaches Cedar that would overrun its stack, whoever asks: told as Cedar tells its own errors. */
function refusalOf(file: string, text: string) {
  const deep = tooDeep(file, text)
  if (!deep) return undefined
  const error = { message: deep.text, help: null, code: null, url: null, severity: null }
  return { type: 'failure' as const, errors: [{ ...error, sourceLocations: [] }] }
}

/** Cedar's own, but for texts that are nested too deep for it. */
export const policySetTextToParts: typeof wasm.policySetTextToParts = (text) =>
  refusalOf('.cedar', text) ?? wasm.policySetTextToParts(text)

/** Cedar's own, but for texts that are nested too deep for it. */
export const checkParseSchema: typeof wasm.checkParseSchema = (schema) =>
  (typeof schema === 'string' ? refusalOf('.cedarschema', schema) : undefined) ??
  wasm.checkParseSchema(schema)

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
export function keepPolicySet(policies: Readonly<Record<string, wasm.Policy>>): string {
  const name = spare.pop() ?? `set-${lent++}`
  const answer = wasm.preparsePolicySet(name, { staticPolicies: policies })
  if (answer.type === 'success') return name
  spare.push(name)
  throw new Error(`Cedar could not keep a policy set: ${answer.errors[0]?.message ?? 'unknown'}`)
}

/** Frees a policy set. Asking under its name afterwards meets no policy, or another's set: the caller must not. */
export function dropPolicySet(name: string): void {
  wasm.preparsePolicySet(name, { staticPolicies: {} })
  spare.push(name)
}
