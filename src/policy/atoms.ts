/** What a condition asks one by one, and the texts that it names. */
import type { Expr } from './cedar.js'
import { argument, entities, operands, operation } from './expression.js'
import { USER_TYPE } from './vocabulary.js'

/** The parts between `&&`, `||`, `!` and `if`. */
export function atoms(expr: Expr): Expr[] {
  switch (operation(expr)) {
    case '&&':
    case '||':
      return [...atoms(operands(expr).left), ...atoms(operands(expr).right)]
    case '!':
      return atoms(argument(expr))
    case 'if-then-else':
      return (Object.values(Object.values(expr)[0] as object) as Expr[]).flatMap(atoms)
    case 'Value':
      return []
    default:
      return [expr]
  }
}

/** Every text that an expression names; of a pattern, the shortest that fits it. */
export function literalsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return []
  if ('like' in value) {
    const { pattern } = value.like as { pattern: ('Wildcard' | { Literal: string })[] }
    return [pattern.map((part) => (part === 'Wildcard' ? '' : part.Literal)).join('')]
  }
  if ('Value' in value) {
    const { Value } = value
    if (typeof Value === 'string') return [Value]
    const user = entities(value as Expr)?.[0]
    return user?.type === USER_TYPE ? [user.id] : []
  }
  return Object.values(value).flatMap(literalsIn)
}

/** A value that nobody named. */
export function another(named: readonly string[], like: string): string {
  let word = like
  while (named.includes(word)) word += '-'
  return word
}
