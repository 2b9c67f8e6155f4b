/** A version, opened to be looked at as a whole: its engine, its roles, and every cell that its schema allows. */
import type { Question } from '../core/decision.js'
import { ROLES } from '../core/roles.js'
import type { Given } from './domain.js'
import { createPolicies } from './engine.js'
import { type RoleMap, readRoles } from './roles.js'
import { type Pair, pairsOf } from './schema.js'
import { type PolicyFiles, ROLES_FILE, SCHEMA_FILE } from './source.js'
import { usually } from './usual.js'
import { type Side, sideOf } from './walk.js'
import type { AnyRole } from './words.js'

export const ANY_ROLES: readonly AnyRole[] = [...ROLES, 'none']

export interface Names {
  /** Apps to ask about. */
  readonly apps: readonly string[]
  /** Titles of the plan's sections, by id. */
  readonly titles?: Readonly<Record<string, string>>
}

export interface Survey {
  readonly files: PolicyFiles
  readonly side: Side
  readonly map: RoleMap
  readonly pairs: readonly Pair[]
  /** The cell's question in ordinary circumstances. */
  question(role: AnyRole, pair: Pair): Question
  given(question: Question): Given
  close(): void
}

/**
 * Opens a version. It is not checked: that was done before, or its problems are shown beside.
 *
 * @throws Problems where its policies or roles cannot be read
 */
export function surveyOf(files: PolicyFiles, { apps }: Pick<Names, 'apps'>): Survey {
  const map = readRoles(files[ROLES_FILE] ?? '', ROLES_FILE)
  // Each question comes once.
  const engine = createPolicies(files, { remember: 0 })
  const side = sideOf(engine)
  return {
    files,
    side,
    map,
    pairs: pairsOf(files[SCHEMA_FILE] ?? '', apps),
    question: (role, pair) => usually(role, pair, map),
    given: (ordinary) => ({ ordinary, organizationTypes: map.organizationTypes }),
    close() {
      side.close()
      engine.close()
    },
  }
}
