/**
 * What is left of a policy once the user's roles, the action and the resource are known: the terms that still have to
 * hold, with every test of those three taken out. It groups questions and puts conditions into words; it answers
 * none, Cedar does.
 *
 * Cedar reads a policy from left to right (principal, action, resource, then each `when` and `unless`) and stops early
 * in `&&`, `||` and `if`. A term that could err is never taken out, whatever stands after it: so a policy is gone only
 * where it can neither apply nor err, and what is left applies and errs exactly as the policy does
 * (test/policy/residual.test.ts).
 */
import type { Resource } from '../core/decision.js'
import type { Role } from '../core/roles.js'
import type { Expr, PolicyJson } from './cedar.js'
import { cannotErr } from './certain.js'
import { argument, entities, type Named, operands, operation, variable } from './expression.js'
import { SCOPE, scopeExpr } from './scope-terms.js'
import {
  ACTION_TYPE,
  CONTEXT_TYPES,
  PRINCIPAL_TYPES,
  RESOURCE_TYPES,
  ROLE_TYPE,
  USER_TYPE,
} from './vocabulary.js'

/** Whatever is `undefined` is not known either. */
export interface Known {
  readonly roles: readonly Role[] | undefined
  readonly action: string | undefined
  readonly resource: Resource | undefined
}

/** A truth, or what it still hangs on. */
type Left = boolean | Expr
type Variable = (typeof SCOPE)[number]

const isKnown = (left: Left): left is boolean => typeof left === 'boolean'
const written = (left: Left): Expr => (isKnown(left) ? { Value: left } : left)

/** What we hold of a question, in Cedar's terms. Entities have no ancestors but a user's roles. */
function facts({ roles, action, resource }: Known) {
  const own = {
    principal: { type: USER_TYPE, id: undefined },
    action: { type: ACTION_TYPE, id: action },
    resource: { type: resource && RESOURCE_TYPES[resource.type], id: resource?.id },
  }
  const typeOf = (name: Variable): string | undefined => own[name].type
  /** `undefined`: which one it is, is not known here. */
  const isIn = (name: Variable, uid: Named): boolean | undefined => {
    const { type, id } = own[name]
    if (name !== 'principal') {
      if (type !== undefined && uid.type !== type) return false
      return id === undefined ? undefined : uid.id === id
    }
    if (uid.type === USER_TYPE) return undefined
    if (uid.type !== ROLE_TYPE) return false
    return roles?.some((role) => role === uid.id)
  }
  // `principal == Role::"gp"` is never so, however many roles the user is in.
  const is = (name: Variable, uid: Named): boolean | undefined =>
    uid.type === (typeOf(name) ?? uid.type) ? isIn(name, uid) : false
  return { typeOf, isIn, is }
}
type Facts = ReturnType<typeof facts>

const variableOf = (expr: Expr): Variable | undefined => {
  const name = variable(expr)
  return name === 'context' ? undefined : name
}

/** True where one is, false where all are, otherwise the test as it stands. */
function anyOf(truths: readonly (boolean | undefined)[], expr: Expr): Left {
  if (truths.includes(true)) return true
  return truths.includes(undefined) ? expr : false
}

function both(left: Left, right: () => Left): Left {
  if (left === false) return false
  const second = right()
  if (left === true) return second
  if (second === true) return left
  if (second === false && cannotErr(left)) return false
  return { '&&': { left, right: written(second) } }
}

function either(left: Left, right: () => Left): Left {
  if (left === true) return true
  const second = right()
  if (left === false) return second
  if (second === false) return left
  if (second === true && cannotErr(left)) return true
  return { '||': { left, right: written(second) } }
}

function not(inner: Left): Left {
  if (isKnown(inner)) return !inner
  return operation(inner) === '!' ? argument(inner) : { '!': { arg: inner } }
}

function choice(condition: Left, then: () => Left, otherwise: () => Left): Left {
  if (isKnown(condition)) return condition ? then() : otherwise()
  const [first, second] = [then(), otherwise()]
  if (first === true && second === false) return condition
  if (first === false && second === true) return not(condition)
  // biome-ignore lint/suspicious/noThenProperty: Cedar's own word
  return { 'if-then-else': { if: condition, then: written(first), else: written(second) } }
}

/** A test of one of the three variables: `variable op entities`. */
function tested(expr: Expr, known: Facts): Left {
  const { left, right } = operands(expr)
  const op = operation(expr)
  if (op === 'is') {
    const { entity_type, in: within } = Object.values(expr)[0] as { entity_type: string; in?: Expr }
    const name = variableOf(left)
    const type = name && known.typeOf(name)
    if (!name || type === undefined) return expr
    if (entity_type !== type) return false
    return within === undefined ? true : tested({ in: { left, right: within } }, known)
  }
  const turned = op === 'contains' || (op !== 'in' && variableOf(left) === undefined)
  const [one, other] = turned ? [right, left] : [left, right]
  const name = variableOf(one)
  const named = entities(other)
  // What `==` and `contains` want on the other side: an entity, and a set of them.
  if (!name || !named || (op !== 'in' && 'Set' in other !== (op === 'contains'))) return expr
  if (op === 'in')
    return anyOf(
      named.map((uid) => known.isIn(name, uid)),
      expr,
    )
  const same = anyOf(
    named.map((uid) => known.is(name, uid)),
    expr,
  )
  return op === '!=' && isKnown(same) ? !same : same
}

/** Every attribute of the vocabulary is always there, and no other ever is. */
function has(expr: Expr): Left {
  const { left, attr } = Object.values(expr)[0] as { left: Expr; attr: string | string[] }
  const types = { principal: PRINCIPAL_TYPES, context: CONTEXT_TYPES }
  const name = variable(left)
  if ((name !== 'principal' && name !== 'context') || typeof attr !== 'string') return expr
  return Object.hasOwn(types[name], attr)
}

/** Only where Cedar wants a truth: elsewhere `true && 3` is an error that `3` is not. */
function reduce(expr: Expr, known: Facts): Left {
  const { left, right } = operands(expr)
  switch (operation(expr)) {
    case '&&':
      return both(reduce(left, known), () => reduce(right, known))
    case '||':
      return either(reduce(left, known), () => reduce(right, known))
    case '!':
      return not(reduce(argument(expr), known))
    case 'if-then-else': {
      const {
        if: condition,
        then,
        else: otherwise,
      } = Object.values(expr)[0] as Record<'if' | 'then' | 'else', Expr>
      return choice(
        reduce(condition, known),
        () => reduce(then, known),
        () => reduce(otherwise, known),
      )
    }
    case 'Value': {
      const { Value } = expr as { Value: unknown }
      return typeof Value === 'boolean' ? Value : expr
    }
    case 'in':
    case '==':
    case '!=':
    case 'is':
    case 'contains':
      return tested(expr, known)
    case 'has':
      return has(expr)
    default:
      return expr
  }
}

/** `a && b && c` as its terms, in order; `!(a || b)` as well. */
export function spread(expr: Expr): Expr[] {
  if (operation(expr) === '&&') {
    const { left, right } = operands(expr)
    return [...spread(left), ...spread(right)]
  }
  const inner = operation(expr) === '!' ? argument(expr) : undefined
  if (inner === undefined) return [expr]
  if (operation(inner) === '!') return spread(argument(inner))
  if (operation(inner) !== '||') return [expr]
  const { left, right } = operands(inner)
  return [...spread({ '!': { arg: left } }), ...spread({ '!': { arg: right } })]
}

const scopes = new WeakMap<PolicyJson, readonly Expr[]>()

/** A policy's scope as expressions, the same ones each time: what is remembered of them is found again. */
function scopeOf(policy: PolicyJson): readonly Expr[] {
  const known = scopes.get(policy) ?? SCOPE.map((name) => scopeExpr(name, policy[name]))
  scopes.set(policy, known)
  return known
}

/**
 * The terms that must all hold, in order, for a policy to apply; none for one that always does. `undefined`: it can
 * neither apply nor err.
 */
export function residualOf(policy: PolicyJson, known: Known): readonly Expr[] | undefined {
  const held = facts(known)
  const scope = scopeOf(policy).map((expr) => reduce(expr, held))
  // The scope cannot err, so a false term anywhere in it settles the policy, whatever stands before it.
  if (scope.includes(false)) return undefined
  let left: Left = scope.reduce<Left>((all, term) => both(all, () => term), true)
  for (const { kind, body } of policy.conditions) {
    left = both(left, () => {
      const value = reduce(body, held)
      return kind === 'when' ? value : not(value)
    })
    if (left === false) return undefined
  }
  return left === true ? [] : spread(written(left))
}
