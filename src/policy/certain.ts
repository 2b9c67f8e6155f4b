/** Which expressions always come to true or false, so that what stands after them is always reached. */
import type { Expr } from './cedar.js'
import {
  argument,
  attributeOf,
  entities,
  literal,
  operands,
  operation,
  variable,
} from './expression.js'
import { CONTEXT_TYPES, PRINCIPAL_TYPES } from './vocabulary.js'

/** The Cedar type of what cannot err; `undefined`: it might, or its type is not known here. */
function typeOf(expr: Expr): string | undefined {
  const attribute = attributeOf(expr)
  if (attribute !== undefined) {
    const [of = '', name = ''] = attribute.split('.')
    const types: Readonly<Record<string, string>> =
      of === 'principal' ? PRINCIPAL_TYPES : CONTEXT_TYPES
    return Object.hasOwn(types, name) ? types[name] : undefined
  }
  if (variable(expr) !== undefined) return 'Entity'
  const value = literal(expr)
  if (value !== undefined)
    return { string: 'String', number: 'Long', boolean: 'Bool' }[
      typeof value as 'string' | 'number' | 'boolean'
    ]
  if ('Set' in expr) {
    const { Set: members } = expr as { Set: Expr[] }
    return members.every((member) => typeOf(member) !== undefined) ? 'Set' : undefined
  }
  if (entities(expr) !== undefined) return 'Entity'
  return truthful(expr) ? 'Bool' : undefined
}

const isSet = (type: string | undefined): boolean => type?.startsWith('Set') ?? false

/** Operations that come to a truth, and what they need for it. */
const NEEDS: Readonly<Record<string, (expr: Expr) => boolean>> = {
  '&&': (expr) => pair(expr, (l, r) => l === 'Bool' && r === 'Bool'),
  '||': (expr) => pair(expr, (l, r) => l === 'Bool' && r === 'Bool'),
  '!': (expr) => typeOf(argument(expr)) === 'Bool',
  // Cedar compares values of different types, and says that they differ.
  '==': (expr) => pair(expr, (l, r) => l !== undefined && r !== undefined),
  '!=': (expr) => pair(expr, (l, r) => l !== undefined && r !== undefined),
  '<': (expr) => pair(expr, (l, r) => l === 'Long' && r === 'Long'),
  '<=': (expr) => pair(expr, (l, r) => l === 'Long' && r === 'Long'),
  '>': (expr) => pair(expr, (l, r) => l === 'Long' && r === 'Long'),
  '>=': (expr) => pair(expr, (l, r) => l === 'Long' && r === 'Long'),
  contains: (expr) => pair(expr, (l, r) => isSet(l) && r !== undefined),
  containsAll: (expr) => pair(expr, (l, r) => isSet(l) && isSet(r)),
  containsAny: (expr) => pair(expr, (l, r) => isSet(l) && isSet(r)),
  isEmpty: (expr) => isSet(typeOf(argument(expr))),
  like: (expr) => typeOf(operands(expr).left) === 'String',
  in: (expr) => {
    const { left, right } = operands(expr)
    return typeOf(left) === 'Entity' && entities(right) !== undefined
  },
}

function pair(
  expr: Expr,
  fits: (left: string | undefined, right: string | undefined) => boolean,
): boolean {
  const { left, right } = operands(expr)
  return fits(typeOf(left), typeOf(right))
}

const truthful = (expr: Expr): boolean =>
  Object.hasOwn(NEEDS, operation(expr)) && (NEEDS[operation(expr)]?.(expr) ?? false)

/** Whether an expression comes to true or false in every question that the gateway asks. */
export const cannotErr = (expr: Expr): boolean => typeOf(expr) === 'Bool'
