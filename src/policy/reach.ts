/** What a policy is about, as far as its text says so outright: for comparing policies, never for answering. */
import type { EntityUidJson, Expr, PolicyJson } from './cedar.js'
import { USER_TYPE } from './vocabulary.js'

/** `undefined`: any. */
export interface Reach {
  /** `Role::"gp"`. A scope names one at most. */
  readonly principal: string | undefined
  readonly actions: ReadonlySet<string> | undefined
  readonly type: string | undefined
  /** `Section::"contacts"` */
  readonly resources: ReadonlySet<string> | undefined
  /** What must hold besides; all of it. Equal texts are equal terms. */
  readonly terms: ReadonlySet<string>
}

const spell = (uid: EntityUidJson): string => {
  const { type, id } = '__entity' in uid ? uid.__entity : uid
  return `${type}::${JSON.stringify(id)}`
}

type Scope = PolicyJson['principal'] | PolicyJson['action'] | PolicyJson['resource']

const named = (scope: Scope): string[] | undefined => {
  if ('entities' in scope) return scope.entities.map(spell)
  if ('entity' in scope) return [spell(scope.entity)]
  return scope.op === 'is' && scope.in && 'entity' in scope.in
    ? [spell(scope.in.entity)]
    : undefined
}

const setOf = (names: readonly string[] | undefined) => names && new Set(names)
const typeOf = (scope: Scope): string | undefined =>
  scope.op === 'is' ? scope.entity_type : undefined

type Pair = { readonly left: Expr; readonly right: Expr }
const operation = (expr: Expr): [string, Pair] => Object.entries(expr)[0] as [string, Pair]

/** The parts of `a && b && c`, or of `a || b || c`. */
function partsOf(op: '&&' | '||', expr: Expr): Expr[] {
  const [own, { left, right }] = operation(expr)
  return own === op ? [...partsOf(op, left), ...partsOf(op, right)] : [expr]
}

/** Something that must hold for a policy to apply, or must not. */
export interface Term {
  readonly wanted: boolean
  readonly expr: Expr
}

export const conjuncts = ({ conditions }: PolicyJson): readonly Term[] =>
  conditions.flatMap(({ kind, body }) =>
    partsOf(kind === 'when' ? '&&' : '||', body).map((expr) => ({ wanted: kind === 'when', expr })),
  )

/** What the scope says, and the terms beside it. */
export function reachOf(policy: PolicyJson): Reach {
  const { principal, action, resource } = policy
  return {
    principal:
      principal.op === 'is' && principal.entity_type === USER_TYPE && !principal.in
        ? undefined
        : principal.op === 'All'
          ? undefined
          : JSON.stringify(principal),
    actions: setOf(named(action)),
    type: typeOf(resource),
    resources: setOf(named(resource)),
    terms: new Set(
      conjuncts(policy).map(({ wanted, expr }) => `${wanted} ${JSON.stringify(expr)}`),
    ),
  }
}

const within = (
  wide: ReadonlySet<string> | undefined,
  narrow: ReadonlySet<string> | undefined,
): boolean => wide === undefined || (narrow !== undefined && [...narrow].every((x) => wide.has(x)))

const typesOf = ({ type, resources }: Reach): ReadonlySet<string> | undefined =>
  type !== undefined
    ? new Set([type])
    : resources && new Set([...resources].map((name) => name.slice(0, name.indexOf('::'))))

/** Whether one policy holds wherever the other does. */
export function covers(wide: Reach, narrow: Reach): boolean {
  return (
    (wide.principal === undefined || wide.principal === narrow.principal) &&
    within(wide.actions, narrow.actions) &&
    within(wide.resources, narrow.resources) &&
    (wide.type === undefined || within(new Set([wide.type]), typesOf(narrow))) &&
    [...wide.terms].every((term) => narrow.terms.has(term))
  )
}

/** Names that a term like `resource in [Section::"contacts"]` narrows a variable to. */
function narrowed(policy: PolicyJson, variable: 'action' | 'resource'): Set<string>[] {
  return conjuncts(policy).flatMap(({ wanted, expr }) => {
    const [op, { left, right }] = operation(expr)
    if (!wanted || (op !== 'in' && op !== '==')) return []
    if (!('Var' in left) || left.Var !== variable) return []
    const all = 'Set' in right ? (right as { Set: Expr[] }).Set : [right]
    const names = all.map((each) => {
      const value = 'Value' in each ? (each as { Value: unknown }).Value : undefined
      return value !== null && typeof value === 'object' && '__entity' in value
        ? spell(value as EntityUidJson)
        : undefined
    })
    return names.every((name) => name !== undefined) ? [new Set(names)] : []
  })
}

const meet = (...sets: (ReadonlySet<string> | undefined)[]): boolean => {
  const [first, ...others] = sets.filter((set) => set !== undefined)
  return !first || [...first].some((name) => others.every((set) => set.has(name)))
}

/** Whether two policies can be about the same action on the same thing. When unsure, they can. */
export function overlap(a: PolicyJson, b: PolicyJson): boolean {
  const [one, other] = [reachOf(a), reachOf(b)]
  return (
    meet(one.actions, other.actions, ...narrowed(a, 'action'), ...narrowed(b, 'action')) &&
    meet(typesOf(one), typesOf(other)) &&
    meet(one.resources, other.resources, ...narrowed(a, 'resource'), ...narrowed(b, 'resource'))
  )
}
