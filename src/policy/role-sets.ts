/**
 * Users in several roles at once. What two roles give apart, a user in both has, and nobody need ask again; but a policy
 * may speak of both (`principal in Role::"author" && principal in Role::"viewer"`), and what one role's forbid stops,
 * another's permit may have given.
 */
import type { Question } from '../core/decision.js'
import { DUTIES, ROLES, type Role, USER_ROLES } from '../core/roles.js'
import type { ParsedPolicy } from './parse.js'
import type { Side } from './side.js'
import { ROLE_TYPE } from './vocabulary.js'

/** Roles by national codes come together, and duties by name do; nobody has one of each (core/roles.ts). */
const TOGETHER: readonly (readonly Role[])[] = [USER_ROLES, DUTIES]
/** Of a policy that names more, only two at a time and all together. */
const MOST_NAMED = 6

const subsetsOf = (roles: readonly Role[]): readonly (readonly Role[])[] =>
  Array.from({ length: 2 ** roles.length }, (_, bits) =>
    roles.filter((_role, i) => (bits >> i) & 1),
  )

const pairsOf = (roles: readonly Role[]): readonly (readonly Role[])[] =>
  roles.flatMap((one, i) => roles.slice(i + 1).map((other) => [one, other]))

/** The roles that a policy names. */
function rolesIn(node: unknown): readonly Role[] {
  if (typeof node !== 'object' || node === null) return []
  const { type, id } = node as { readonly type?: unknown; readonly id?: unknown }
  const own = type === ROLE_TYPE ? ROLES.filter((role) => role === id) : []
  return [...own, ...Object.values(node).flatMap(rolesIn)]
}

/**
 * Sets of roles that one user may have and that are worth asking about: any two, and more where a policy names more.
 *
 * @param changed policies that only one of two versions has
 */
export function roleSets(changed: readonly ParsedPolicy[]): readonly (readonly Role[])[] {
  const sets = new Map<string, readonly Role[]>()
  const add = (roles: readonly Role[]) => sets.set(roles.join(' '), roles)
  for (const group of TOGETHER) {
    for (const two of pairsOf(group)) add(two)
    for (const { json } of changed) {
      const all = new Set(rolesIn(json))
      const named = group.filter((role) => all.has(role))
      if (named.length < 3) continue
      for (const some of named.length > MOST_NAMED ? [named] : subsetsOf(named))
        if (some.length > 2) add(some)
    }
  }
  return [...sets.values()]
}

export const inRoles = (question: Question, roles: readonly Role[]): Question => ({
  ...question,
  user: { ...question.user, roles },
})

/** A version as it is for users in these roles, whoever asks. */
export const asIfIn = (side: Side, roles: readonly Role[]): Side => ({
  ...side,
  decide: (question) => side.decide(inRoles(question, roles)),
  table: (left, dimensions, question) => side.table(left, dimensions, inRoles(question, roles)),
  ask: (left, question) => side.ask(left, inRoles(question, roles)),
})
