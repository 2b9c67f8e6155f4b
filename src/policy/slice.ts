/**
 * Which policies could decide a question, judged by what is known before it is asked: the user's roles, the action
 * and the resource. Cedar's time grows with the number of policies in a set, so a question meets only these.
 *
 * A policy is left out only where Cedar would stop at a false term before anything that could err. Cedar reads a
 * policy from left to right (principal, action, resource, then each `when` and `unless`) and stops early in `&&`,
 * `||` and `if`; the terms judged here cannot err. So with or without a left-out policy the answer and its errors
 * are the same (test/policy/slice.test.ts).
 */
import type { Resource } from '../core/decision.js'
import type { Role } from '../core/roles.js'
import type { EntityUidJson, Expr, PolicyJson } from './cedar.js'
import { ACTION_TYPE, RESOURCE_TYPES, ROLE_TYPE, USER_TYPE } from './vocabulary.js'

export interface Known {
  readonly roles: readonly Role[]
  readonly action: string
  readonly resource: Resource
}

/** `undefined`: not known before the question is asked, or it might err. */
type Truth = boolean | undefined

const typeAndId = (uid: EntityUidJson): { type: string; id: string } =>
  '__entity' in uid ? uid.__entity : uid

/** The entities that an expression names, when it is an entity or a set of them and nothing else. */
function literals(expr: Expr): readonly { type: string; id: string }[] | undefined {
  if ('Set' in expr) {
    const all = (expr as { Set: Expr[] }).Set.map(literals)
    return all.every((one) => one !== undefined) ? all.flat() : undefined
  }
  if (!('Value' in expr)) return undefined
  const value = (expr as { Value: unknown }).Value
  return value !== null && typeof value === 'object' && '__entity' in value
    ? [(value as { __entity: { type: string; id: string } }).__entity]
    : undefined
}

type Variable = 'principal' | 'action' | 'resource'

/** What we hold of a question, in Cedar's terms. Entities have no ancestors but a user's roles. */
function facts({ roles, action, resource }: Known) {
  const own = {
    action: { type: ACTION_TYPE, id: action },
    resource: { type: RESOURCE_TYPES[resource.type], id: resource.id },
  }
  const typeOf = (variable: Variable): string =>
    variable === 'principal' ? USER_TYPE : own[variable].type
  const isIn = (variable: Variable, uid: { type: string; id: string }): Truth => {
    if (variable !== 'principal') {
      return uid.type === own[variable].type && uid.id === own[variable].id
    }
    // Which user it is, is not known here.
    if (uid.type === USER_TYPE) return undefined
    return uid.type === ROLE_TYPE && roles.some((role) => role === uid.id)
  }
  return { typeOf, isIn }
}
type Facts = ReturnType<typeof facts>

function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true
  return truths.includes(undefined) ? undefined : false
}

const variableOf = (expr: Expr): Variable | undefined => {
  const name = 'Var' in expr ? (expr as { Var: string }).Var : undefined
  return name === 'principal' || name === 'action' || name === 'resource' ? name : undefined
}

/** The scope: `principal == …`, `action in […]`, `resource is …`. */
function scopeTruth(
  variable: Variable,
  scope: PolicyJson['principal'] | PolicyJson['action'] | PolicyJson['resource'],
  known: Facts,
): Truth {
  const within = (uid: EntityUidJson): Truth => known.isIn(variable, typeAndId(uid))
  if (scope.op === 'All') return true
  if (scope.op === 'is') {
    if (scope.entity_type !== known.typeOf(variable)) return false
    if (scope.in === undefined) return true
    return 'entity' in scope.in ? within(scope.in.entity) : undefined
  }
  if ('entities' in scope) return any(scope.entities.map(within))
  if (!('entity' in scope)) return undefined
  // `principal == Role::"gp"` is never so, however many roles the user is in.
  if (scope.op === '==' && typeAndId(scope.entity).type !== known.typeOf(variable)) return false
  return within(scope.entity)
}

type Pair = { left: Expr; right: Expr }

function truth(expr: Expr, known: Facts): Truth {
  const [op, body] = Object.entries(expr)[0] as [string, unknown]
  const { left, right } = body as Pair
  switch (op) {
    case '&&': {
      const first = truth(left, known)
      return first === true ? truth(right, known) : first
    }
    case '||': {
      const first = truth(left, known)
      return first === false ? truth(right, known) : first
    }
    case '!': {
      const inner = truth((body as { arg: Expr }).arg, known)
      return inner === undefined ? undefined : !inner
    }
    case 'in': {
      const variable = variableOf(left)
      const named = literals(right)
      return variable && named && any(named.map((uid) => known.isIn(variable, uid)))
    }
    case '==': {
      const variable = variableOf(left)
      const named = literals(right)
      const [uid] = named ?? []
      if (!variable || 'Set' in right || !uid) return undefined
      return uid.type === known.typeOf(variable) ? known.isIn(variable, uid) : false
    }
    case 'is': {
      const is = body as { left: Expr; entity_type: string; in?: Expr }
      const variable = variableOf(is.left)
      if (!variable || is.in !== undefined) return undefined
      return is.entity_type === known.typeOf(variable)
    }
    default:
      return undefined
  }
}

/** Whether a policy could decide a question of which this much is known, or err on it. */
export function couldDecide(policy: PolicyJson, known: Known): boolean {
  const held = facts(known)
  const terms: (() => Truth)[] = [
    () => scopeTruth('principal', policy.principal, held),
    () => scopeTruth('action', policy.action, held),
    () => scopeTruth('resource', policy.resource, held),
  ]
  // The scope cannot err, so a false term anywhere in it settles the policy, whatever stands before it.
  if (terms.some((term) => term() === false)) return false
  for (const { kind, body } of policy.conditions) {
    const value = truth(body, held)
    // A term after this one is reached only if this one did not err, and that is not known.
    if (value === undefined) return true
    if (value === (kind === 'unless')) return false
  }
  return true
}
