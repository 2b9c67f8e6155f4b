/**
 * What policies cost at the size that the console is bound to: 1,000 of them over 200 kinds of data, and the 17 roles
 * that there are. Decisions, a grant with ten granular scopes, the matrix, a comparison, a replay.
 */
import { narrow } from '../src/core/authorization.js'
import type { Question } from '../src/core/decision.js'
import { ROLES } from '../src/core/roles.js'
import { readScopes } from '../src/core/scope.js'
import { compareOf } from '../src/policy/compare.js'
import { createPolicies } from '../src/policy/engine.js'
import { finished, type Matrix, matrixOf, type Said } from '../src/policy/matrix.js'
import { createMemory } from '../src/policy/matrix-memory.js'
import { replay } from '../src/policy/replay.js'
import { readRoles } from '../src/policy/roles.js'
import {
  type PolicyFiles,
  placesIn,
  ROLES_FILE,
  readSource,
  SCHEMA_FILE,
} from '../src/policy/source.js'
import { surveyOf } from '../src/policy/survey.js'
import { warmUp } from '../src/policy/warm.js'

const letter = (n: number): string => String.fromCharCode(97 + n)
/** Names as FHIR's are: letters alone. */
const KINDS = Array.from(
  { length: 200 },
  (_, i) => `Kind${letter(Math.floor(i / 26))}${letter(i % 26)}`,
)
const PURPOSES = ['direct-care', 'emergency-care', 'administration', 'safeguarding'] as const
const ACTIONS = ['read', 'search', 'create', 'update', 'delete'] as const

/** One in eight forbids; each speaks of one role, one or two kinds and one or two circumstances. */
const policy = (i: number): string => {
  const role = ROLES[i % ROLES.length]
  const [one, other] = [KINDS[(i * 7) % 200], KINDS[(i * 13 + 5) % 200]]
  const effect = i % 8 === 0 ? 'forbid' : 'permit'
  const when = [
    `resource in [FhirType::"${one}", FhirType::"${other}"]`,
    i % 3 === 0
      ? `context.purpose == "${PURPOSES[i % 4]}"`
      : 'principal.activities.contains("B0360")',
    i % 5 === 0 ? 'principal.assurance >= 2' : '!context.patientSensitive',
  ].join(' && ')
  return `@id("policy-${i}") @layer("central") @reason("Number ${i}.")
${effect} (principal in Role::"${role}", action == Action::"${ACTIONS[i % 5]}", resource is FhirType) when { ${when} };`
}

const shipped = await readSource(placesIn('config'))

function filesOf(count: number): PolicyFiles {
  const schema = (shipped[SCHEMA_FILE] ?? '').replace(
    /entity FhirType enum \[[^\]]*\]/,
    `entity FhirType enum [${KINDS.map((kind) => `"${kind}"`).join(', ')}]`,
  )
  const text = Array.from({ length: count }, (_, i) => policy(i)).join('\n')
  return {
    'roles.yaml': shipped['roles.yaml'] ?? '',
    [SCHEMA_FILE]: schema,
    'policies/many.cedar': text,
  }
}

const question = (i: number): Question => ({
  user: {
    id: `user-${i % 97}`,
    roles: [ROLES[i % ROLES.length] as (typeof ROLES)[number]],
    activities: i % 2 ? ['B0360'] : ['B0370'],
    activitySource: 'listed',
    assurance: i % 3 === 0 ? 1 : 2,
    organization: { odsCode: 'A83001', type: 'gp-practice', region: 'capital' },
  },
  patient: { sensitive: i % 11 === 0, deceased: false },
  launch: { rung: 'pushed', system: 'gp-push', app: 'care-plan' },
  purpose: PURPOSES[(i >> 2) % 4] as (typeof PURPOSES)[number],
  ...{ emergencyReason: '', hour: i % 24, weekday: 1 + (i % 7) },
  action: ACTIONS[(i >> 3) % 5] as (typeof ACTIONS)[number],
  resource: { type: 'fhir', id: KINDS[(i * 31) % 200] ?? '' },
})

const tell = (what: string, ...figures: readonly (string | number)[]) =>
  console.log(`| ${[what, ...figures].join(' | ')} |`)
const at = (sorted: readonly number[], share: number) =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(3)

/** Milliseconds of each, in order of size. */
function timed(count: number, act: (i: number) => void): readonly number[] {
  const times = Array.from({ length: count }, (_, i) => {
    const began = performance.now()
    act(i)
    return performance.now() - began
  })
  return times.sort((a, b) => a - b)
}
const once = (what: string, act: () => string) => {
  const began = performance.now()
  const said = act()
  tell(what, `${((performance.now() - began) / 1000).toFixed(2)} s`, said)
}

/** What `serve` does before it listens, by the policies that are shipped: the thousand come into force after it. */
const before = createPolicies(shipped)
const map = readRoles(shipped[ROLES_FILE] ?? '', ROLES_FILE)
warmUp({ decide: before.decide, files: () => shipped, roles: () => map })
const files = filesOf(1000)
const offered = { fhirTypes: KINDS, sections: [], queries: [] }
/** Of a version that nothing has been asked of yet. */
const untouched = createPolicies(files, { remember: 0 })
const granting = timed(600, (i) => {
  const words = KINDS.slice((i * 10) % 190, ((i * 10) % 190) + 10).map(
    (kind) => `patient/${kind}.rs`,
  )
  const { action: _, resource: __, ...circumstances } = question(i * 7919 + 1)
  narrow(readScopes(words.join(' ')), untouched, { ...circumstances, hour: i % 24 }, offered)
})
tell(
  'a grant with ten granular scopes',
  `p50 ${at(granting, 0.5)} ms`,
  `p99 ${at(granting, 0.99)} ms`,
)
const engine = createPolicies(files)
/** Remembers no answer: what is asked is always new to it. */
const forgetful = createPolicies(files, { remember: 0 })
const cold = timed(5000, (i) => void forgetful.decide(question(i * 17 + 3)))
tell('a decision, asked for the first time', `p50 ${at(cold, 0.5)} ms`, `p99 ${at(cold, 0.99)} ms`)
timed(200, (i) => void engine.decide(question(i * 17 + 3)))
const warm = timed(20_000, (i) => void engine.decide(question((i % 200) * 17 + 3)))
tell('a decision, asked before', `p50 ${at(warm, 0.5)} ms`, `p99 ${at(warm, 0.99)} ms`)
const other: PolicyFiles = {
  ...files,
  'policies/many.cedar': `${files['policies/many.cedar']}\n${policy(1001).replace('"policy-1001"', '"one-more"')}`,
}
const asked = Array.from({ length: 10_000 }, (_, i) => ({
  question: question(i),
  count: 1,
  at: 0,
  rank: i,
}))
const after = createPolicies(other)
once('impact of 10,000 questions', () => {
  const steps = replay(asked, createPolicies(files), after)
  let step = steps.next()
  while (!step.done) step = steps.next()
  return `${step.value.denyToAllow.questions + step.value.allowToDeny.questions} turn`
})
const surveys = [files, other].map((each) => surveyOf(each, { apps: ['care-plan'] }))
const [one, two] = surveys
if (one && two) {
  const memory = createMemory<Said>()
  const told = ({ cells, groups }: Matrix) => `${cells.length} cells, ${groups} groups`
  once('the matrix, all of it', () => told(finished(matrixOf(one, undefined, memory))))
  once('the matrix with one more policy', () => told(finished(matrixOf(two, undefined, memory))))
  once('what one more policy changes, exhaustively', () => {
    const { changes, cells, exhaustive } = finished(compareOf(one, two))
    return `${changes.length} changes in ${cells} cells${exhaustive ? '' : ', by samples'}`
  })
}
