/** Before a process answers anybody: V8 compiles what it meets often, and until then a decision costs ten times as much. */
import { ROLES } from '../core/roles.js'
import { pairsOf } from './schema.js'
import { SCHEMA_FILE } from './source.js'
import { usually } from './usual.js'
import type { OpenPolicies } from './versions.js'

/** Of more nothing gets faster any more (bench/policies.ts). They take about a quarter of a second. */
const QUESTIONS = 300

/** Asks ordinary questions, spread over all cells of the version in force. Nothing of it is kept on record. */
export function warmUp(policies: Pick<OpenPolicies, 'decide' | 'files' | 'roles'>): void {
  const pairs = pairsOf(policies.files()[SCHEMA_FILE] ?? '', [])
  const cells = ROLES.flatMap((role) => pairs.map((pair) => ({ role, pair })))
  const stride = Math.max(1, Math.floor(cells.length / QUESTIONS))
  for (const { role, pair } of cells.filter((_, i) => i % stride === 0))
    policies.decide({ ...usually(role, pair, policies.roles()), ...pair })
}
