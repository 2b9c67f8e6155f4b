/** Whether a policy version may be published: everything that can be known of it beforehand. */
import { readFile } from 'node:fs/promises'
import { adviceOn } from './advice.js'
import type { AnswerMemory } from './answer-memory.js'
import { readCases } from './cases.js'
import { validate } from './cedar.js'
import { hiddenIn } from './hidden.js'
import { lintPolicy } from './lint.js'
import { readOrganizations } from './organizations.js'
import { cedarProblem, type ParsedPolicy, parsePolicies } from './parse.js'
import { readPosts } from './posts.js'
import { describeProblem, type Problem, Problems } from './problem.js'
import { type Directory, type RoleMap, readRoles } from './roles.js'
import { checkSchema } from './schema.js'
import {
  hashOfFiles,
  type PolicyFiles,
  placesIn,
  ROLES_FILE,
  readSections,
  readSource,
  SCHEMA_FILE,
} from './source.js'
import { tryFiles } from './trial.js'

export interface Check {
  readonly problems: readonly Problem[]
  /** What its writers should look at again. It stops nothing. */
  readonly warnings: readonly Problem[]
  readonly hash: string
  readonly policies: number
  /** Questions asked by the tests, not test entries. */
  readonly tests: number
}

/** Takes over the problems that a reader found; anything else is a fault of ours. */
const collect =
  (problems: Problem[]) =>
  (error: unknown): undefined => {
    if (!(error instanceof Problems)) throw error
    problems.push(...error.problems)
  }

/** What a reader says, or nothing and its problems. */
function attempt<T>(read: () => T, problems: Problem[]): T | undefined {
  try {
    return read()
  } catch (error) {
    return collect(problems)(error)
  }
}

const inOrder = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) =>
    a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1,
  )

/** Cedar's own judgement of the policies under the schema: wrong names, wrong types, policies that can never apply. */
function validated(policies: readonly ParsedPolicy[], schema: string): Problem[] {
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const texts = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  const answer = validate({ schema, policies: { staticPolicies: texts } })
  if (answer.type === 'failure') {
    return answer.errors.map((error) => cedarProblem(SCHEMA_FILE, schema, error))
  }
  const said = [...answer.validationErrors, ...answer.validationWarnings].flatMap(
    ({ policyId, error }) => {
      const policy = byId.get(policyId)
      if (!policy) return []
      const problem = cedarProblem(policy.file, policy.text, error, policy.line)
      return [{ ...problem, text: `policy ${policyId}: ${problem.text}` }]
    },
  )
  const other = answer.otherWarnings.map((error) => cedarProblem('policies', '', error))
  // Cedar judges a policy once for each action that it is about.
  const once = new Map([...said, ...other].map((problem) => [describeProblem(problem), problem]))
  return [...once.values()]
}

/**
 * Checks the files of a version against one another, the gateway and, unless told otherwise, their own tests and invariants. All
 * problems at once, as far as one does not hide another: tests and invariants run only when there is no
 * other problem.
 *
 * @param sections ids of the plan's sections
 * @param options `memory` of versions that were checked before
 */
export function checkFiles(
  files: PolicyFiles,
  sections: readonly string[],
  { withTests = true, memory }: { withTests?: boolean; memory?: AnswerMemory } = {},
): Check {
  const schemaText = files[SCHEMA_FILE]
  const texts = Object.entries(files).filter(([name]) => !name.endsWith('.cedar'))
  const schemaProblems = checkSchema(schemaText, sections)
  const { policies, problems: parsing } = parsePolicies(files)
  const problems: Problem[] = [
    ...texts.flatMap(([name, text]) => hiddenIn(name, text)),
    ...schemaProblems,
    ...parsing,
  ]
  const map: RoleMap | undefined = attempt(
    () => readRoles(files[ROLES_FILE] ?? '', ROLES_FILE),
    problems,
  )
  attempt(() => readPosts(files), problems)
  for (const policy of policies) problems.push(...lintPolicy(policy, map?.organizationTypes))
  const schemaParses = !schemaProblems.some(({ line }) => line !== undefined)
  if (schemaText !== undefined && schemaParses) problems.push(...validated(policies, schemaText))
  if (policies.length === 0) problems.push({ file: 'policies', text: 'there is no policy' })

  const { cases, problems: reading } = readCases(files, sections)
  problems.push(...reading)
  if (withTests && cases.length === 0 && reading.length === 0)
    problems.push({ file: 'policies/tests', text: 'there is no test' })
  if (problems.length === 0 && withTests) {
    const trial = attempt(() => tryFiles(files, sections, memory), problems)
    if (trial) problems.push(...trial.failed, ...trial.broken)
  }
  return {
    problems: inOrder(problems),
    warnings: inOrder(adviceOn(policies)),
    hash: hashOfFiles(files),
    policies: policies.length,
    tests: cases.length,
  }
}

/** Local layers of organisations and regions that are not in the directory: nobody will ever be under them. */
function overNobody(files: PolicyFiles, directory: Directory): Problem[] {
  const known = new Set<string>(
    [...directory.values()].flatMap(({ odsCode, region }) => [odsCode, region]),
  )
  const names = new Set(Object.keys(files).flatMap((file) => LOCAL.exec(file)?.[1] ?? []))
  return [...names]
    .filter((name) => !known.has(name))
    .map((name) => ({
      file: `policies/local/${name}`,
      text: `there is no organisation or region ${name} in organizations.yaml: nobody is under this layer`,
    }))
}
const LOCAL = /^policies\/local\/([^/]+)\//

/**
 * What `launch-gateway policy check` prints: the policy version that a configuration directory holds, and its
 * organisations beside it.
 *
 * @param over places that the configuration moves elsewhere
 */
export async function checkSource(
  directory: string,
  over: Partial<ReturnType<typeof placesIn>> = {},
): Promise<Check> {
  const places = { ...placesIn(directory), ...over }
  const problems: Problem[] = []
  const files = await readSource(places).catch(collect(problems))
  const sections = await readSections(places.plan).catch(collect(problems))
  if (!files || !sections) return { problems, warnings: [], hash: '', policies: 0, tests: 0 }
  const check = checkFiles(files, sections)
  const warnings: Problem[] = []
  const organizations = await readFile(places.organizations, 'utf8').catch(() => undefined)
  const map = attempt(() => readRoles(files[ROLES_FILE] ?? '', ROLES_FILE), [])
  if (organizations === undefined) {
    problems.push({ file: places.organizations, text: 'cannot be read' })
  } else if (map) {
    const directory = attempt(
      () => readOrganizations(organizations, map, places.organizations),
      problems,
    )
    if (directory) warnings.push(...overNobody(files, directory))
  }
  return {
    ...check,
    problems: [...check.problems, ...problems],
    warnings: [...check.warnings, ...warnings],
  }
}
