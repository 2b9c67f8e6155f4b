/** A version, opened to be looked at as a whole: its engine, its roles, and every cell that its schema allows. */
import type { Question } from '../core/decision.js'
import { ROLES } from '../core/roles.js'
import type { Given } from './domain.js'
import { createPolicies, type Engine } from './engine.js'
import { type RoleMap, readRoles } from './roles.js'
import { type Pair, pairsOf } from './schema.js'
import { type PolicyFiles, ROLES_FILE, SCHEMA_FILE } from './source.js'
import { usually } from './usual.js'
import { type Side, sideOf } from './walk.js'
import type { AnyRole } from './words.js'

export const ANY_ROLES: readonly AnyRole[] = [...ROLES, 'none']

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
 * @param apps to ask about; @param engine of the same files, its owner's to close
 * @throws Problems where its policies or roles cannot be read
 */
export function surveyOf(
  files: PolicyFiles,
  { apps, engine: lent }: { readonly apps: readonly string[]; readonly engine?: Engine },
): Survey {
  const map = readRoles(files[ROLES_FILE] ?? '', ROLES_FILE)
  // Each question comes once.
  const engine = lent ?? createPolicies(files, { remember: 0 })
  const side = sideOf(engine)
  const usual = new Map<AnyRole, Question>()
  return {
    files,
    side,
    map,
    pairs: pairsOf(files[SCHEMA_FILE] ?? '', apps),
    question(role, pair) {
      const question = usual.get(role) ?? usually(role, pair, map)
      usual.set(role, question)
      return { ...question, ...pair }
    },
    given: (ordinary) => ({ ordinary, organizationTypes: map.organizationTypes }),
    close() {
      side.close()
      if (!lent) engine.close()
    },
  }
}
