/** Reading Cedar's expressions in their JSON form: an object of one member, the operation. */
import type { Expr } from './cedar.js'

export interface Named {
  readonly type: string
  readonly id: string
}
export type Attribute = `${'principal' | 'context'}.${string}`

export const TRUE: Expr = { Value: true }

export const operation = (expr: Expr): string => Object.keys(expr)[0] ?? ''

/** Of a binary operation; nonsense of any other. */
export const operands = (expr: Expr): { readonly left: Expr; readonly right: Expr } =>
  Object.values(expr)[0] as { left: Expr; right: Expr }

/** Of `!` and `isEmpty`; nonsense of any other. */
export const argument = (expr: Expr): Expr => (Object.values(expr)[0] as { arg: Expr }).arg

export const variable = (
  expr: Expr,
): 'principal' | 'action' | 'resource' | 'context' | undefined =>
  'Var' in expr ? (expr as { Var: 'principal' | 'action' | 'resource' | 'context' }).Var : undefined

/** `principal.assurance`, `context.hour`. */
export function attributeOf(expr: Expr): Attribute | undefined {
  if (!('.' in expr)) return undefined
  const { left, attr } = (expr as { '.': { left: Expr; attr: string } })['.']
  const of = variable(left)
  return of === 'principal' || of === 'context' ? `${of}.${attr}` : undefined
}

/** A text, number or truth that is written out. */
export function literal(expr: Expr): string | number | boolean | undefined {
  const value = 'Value' in expr ? (expr as { Value: unknown }).Value : undefined
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : undefined
}

/** Every member of `["B0360", "B0370"]`; `undefined` for anything else. */
export function texts(expr: Expr): readonly string[] | undefined {
  if (!('Set' in expr)) return undefined
  const all = (expr as { Set: Expr[] }).Set.map(literal)
  return all.every((one) => typeof one === 'string') ? all : undefined
}

function entitiesIn(expr: Expr): readonly Named[] | undefined {
  if ('Set' in expr) {
    const all = (expr as { Set: Expr[] }).Set.map((one) =>
      'Set' in one ? undefined : entitiesIn(one),
    )
    return all.every((one) => one !== undefined) ? all.flat() : undefined
  }
  const value = 'Value' in expr ? (expr as { Value: unknown }).Value : undefined
  return value !== null && typeof value === 'object' && '__entity' in value
    ? [(value as { __entity: Named }).__entity]
    : undefined
}

const named = new WeakMap<Expr, readonly Named[] | undefined>()

/**
 * The entities that an expression names, when it is an entity or a set of them and nothing else. Remembered: whoever
 * walks all questions asks it of the same expressions in each of their cells.
 */
export function entities(expr: Expr): readonly Named[] | undefined {
  if (named.has(expr)) return named.get(expr)
  const found = entitiesIn(expr)
  named.set(expr, found)
  return found
}
