/** A version, opened to be looked at as a whole: its engine, its roles, and every cell that its schema allows. */
import type { Question } from '../core/decision.js'
import { ROLES } from '../core/roles.js'
import type { AnswerMemory } from './answer-memory.js'
import type { Given, Limit } from './domain.js'
import { createPolicies, type Engine } from './engine.js'
import { limitTo, only } from './layer-terms.js'
import { isLocal, type Layer } from './layers.js'
import type { AnyRole } from './names.js'
import { type RoleMap, readRoles } from './roles.js'
import { type Pair, pairsOf } from './schema.js'
import { type Side, sideOf } from './side.js'
import { type PolicyFiles, ROLES_FILE, SCHEMA_FILE } from './source.js'
import { type Subject, withSetting } from './subject.js'
import { usually } from './usual.js'

export const ANY_ROLES: readonly AnyRole[] = [...ROLES, 'none']

export interface Survey {
  readonly files: PolicyFiles
  readonly side: Side
  readonly map: RoleMap
  readonly pairs: readonly Pair[]
  /** The cell's question in ordinary circumstances. */
  question(role: AnyRole, pair: Pair): Question
  given(question: Question): Given
  /** Equal where the same cells of the same policies are asked the same. */
  readonly frame: string
  close(): void
}

interface Opening {
  readonly apps: readonly string[]
  readonly engine?: Engine
  readonly answers?: AnswerMemory
  readonly layer?: Layer | undefined
  readonly organizationType?: string | undefined
}

/** What of a user is fixed. */
function fixedBy({ layer, organizationType }: Opening): ReadonlyMap<Subject, Limit> {
  const ofLayer = layer !== undefined && isLocal(layer) ? [...limitTo(layer)] : []
  const ofType =
    organizationType === undefined ? [] : [only('principal.organizationType', organizationType)]
  return new Map([...ofLayer, ...ofType])
}

/**
 * Opens a version. It is not checked: that was done before, or its problems are shown beside.
 *
 * @param opening `apps` to ask about; `engine` of the same files, its owner's to close; `answers` of versions before
 * @param opening `layer`: only its users are asked about; `organizationType`: only those of such an organisation
 * @throws Problems where its policies or roles cannot be read
 */
export function surveyOf(files: PolicyFiles, opening: Opening): Survey {
  const { apps, engine: lent, answers, layer, organizationType } = opening
  const map = readRoles(files[ROLES_FILE] ?? '', ROLES_FILE)
  // Each question comes once.
  const engine = lent ?? createPolicies(files, { remember: 0, memory: answers })
  const side = sideOf(engine, layer)
  const usual = new Map<AnyRole, Question>()
  const limits = fixedBy(opening)
  const under = (question: Question): Question =>
    [...limits].reduce((asked, [of, { named }]) => withSetting(asked, of, named[0] ?? ''), question)
  return {
    files,
    side,
    map,
    pairs: pairsOf(files[SCHEMA_FILE] ?? '', apps),
    question(role, pair) {
      const question = usual.get(role) ?? under(usually(role, pair, map))
      usual.set(role, question)
      return { ...question, ...pair }
    },
    frame: JSON.stringify([layer, organizationType, [...map.organizationTypes].sort()]),
    given: (ordinary) => ({ ordinary, organizationTypes: map.organizationTypes, limits }),
    close() {
      side.close()
      if (!lent) engine.close()
    },
  }
}
