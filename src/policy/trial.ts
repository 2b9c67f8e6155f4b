/** A version's own tests and invariants, asked of its own policies. */
import type { AnswerMemory } from './answer-memory.js'
import { appsNamed } from './apps-named.js'
import { readCases, runCases } from './cases.js'
import { createPolicies } from './engine.js'
import { readInvariants } from './invariant-rows.js'
import { checkInvariants } from './invariants.js'
import { type Problem, Problems } from './problem.js'
import type { PolicyFiles } from './source.js'
import { surveyOf } from './survey.js'

export interface TestRun {
  /** Questions asked by the tests, not test entries. */
  readonly questions: number
  readonly failed: readonly Problem[]
  readonly invariants: number
  readonly broken: readonly Problem[]
}

/**
 * @param sections ids of the plan's sections
 * @param memory of versions that were tried before
 * @throws Problems where policies, tests or invariants cannot be read
 */
export function tryFiles(
  files: PolicyFiles,
  sections: readonly string[],
  memory?: AnswerMemory,
): TestRun {
  const { cases, problems } = readCases(files, sections)
  if (problems.length > 0) throw new Problems(problems)
  const invariants = readInvariants(files).length
  const engine = createPolicies(files, { memory })
  try {
    const failed = runCases(cases, engine)
    const broken = checkInvariants(files, () => surveyOf(files, { apps: appsNamed(files), engine }))
    return { questions: cases.length, failed, invariants, broken }
  } finally {
    engine.close()
  }
}
