/** A policy's scope (principal, action, resource) as the conditions that say the same. */
import type { EntityUidJson, Expr, PolicyJson } from './cedar.js'
import { type Named, TRUE } from './expression.js'

export const SCOPE = ['principal', 'action', 'resource'] as const

type Scope = PolicyJson[(typeof SCOPE)[number]]

const typeAndId = (uid: EntityUidJson): Named => ('__entity' in uid ? uid.__entity : uid)
const entity = (uid: Named): Expr => ({ Value: { __entity: { type: uid.type, id: uid.id } } })

/** A scope, `principal == …`, `action in […]`, `resource is …`, as the expression that says the same. */
export function scopeExpr(name: (typeof SCOPE)[number], scope: Scope): Expr {
  const left: Expr = { Var: name }
  if (scope.op === 'All') return TRUE
  if (scope.op === 'is') {
    const { entity_type, in: within } = scope
    if (within === undefined) return { is: { left, entity_type } }
    // A template's `?principal`: templates are not read.
    if (!('entity' in within)) return { Slot: name }
    return { is: { left, entity_type, in: entity(typeAndId(within.entity)) } }
  }
  if ('entities' in scope) {
    const right: Expr = { Set: scope.entities.map((uid) => entity(typeAndId(uid))) }
    return { in: { left, right } }
  }
  if (!('entity' in scope)) return { Slot: name }
  const right = entity(typeAndId(scope.entity))
  return scope.op === '==' ? { '==': { left, right } } : { in: { left, right } }
}

/** A policy's scope as conditions, those that ask anything. */
export const scopeTerms = (policy: PolicyJson): readonly Expr[] =>
  SCOPE.map((name) => scopeExpr(name, policy[name])).filter((expr) => expr !== TRUE)
