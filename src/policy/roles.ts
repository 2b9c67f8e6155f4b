/**
 * National codes into our roles. A role is never given for a job-role code alone: the organisation's type decides
 * with it, because hospice and care-home staff carry the same generic codes as everybody else.
 */
import { z } from 'zod'
import type { KnownOrganization, KnownUser, NamedUser, OdsCode } from '../core/context.js'
import { type Assurance, ROLES, type Role, USER_ROLES } from '../core/roles.js'
import { type Problem, Problems } from './problem.js'
import { readYamlFile } from './yaml-file.js'

/** The type of an organisation that our directory does not hold. No rule can name it. */
export const UNKNOWN_TYPE = 'unknown'

/** What `config/roles.yaml` says, ready to be looked up. */
export interface RoleMap {
  readonly organizationTypes: ReadonlySet<string>
  /** By job-role code (`R0260`). */
  readonly rules: ReadonlyMap<string, readonly RoleRule[]>
  /** Activities that a job role implies where the user's own list is not given. By job-role code. */
  readonly baseline: ReadonlyMap<string, readonly string[]>
  /** What an activity carries, everything that follows counted. By activity code; only rows that carry something. */
  readonly includes: ReadonlyMap<string, readonly string[]>
}

interface RoleRule {
  readonly role: Role
  readonly organizationTypes: ReadonlySet<string>
}

/** Our directory of organisations, by ODS code. */
export type Directory = ReadonlyMap<OdsCode, KnownOrganization>

const JOB_ROLE = /^R\d{4}$/
const activity = z.string().regex(/^B\d{4}$/, 'expected an activity code such as B0360')
const codes = z
  .array(
    z
      .string()
      .regex(/^R\d{4}(-R\d{4})?$/, 'expected a job-role code, R0260, or a range, R0330-R0550'),
  )
  .min(1)
  .max(200)
const typeName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/, 'expected lower case letters, digits, hyphens')
  .refine((name) => name !== UNKNOWN_TYPE && name !== 'any', 'is a word with a meaning of its own')

export const rolesFile = z.strictObject({
  organization_types: z.array(typeName).min(1).max(100),
  roles: z
    .array(
      z.strictObject({
        role: z.enum(USER_ROLES),
        codes,
        organizations: z.union([z.literal('any'), z.array(z.string()).min(1)], {
          error: 'expected a list of organisation types, or the word any',
        }),
      }),
    )
    .min(1)
    .max(200),
  baseline: z
    .array(z.strictObject({ codes, activities: z.array(activity).max(50) }))
    .max(200)
    .default([]),
  includes: z.record(activity, z.array(activity).max(50)).default({}),
})

/** The codes of a list, ranges spelled out; a range that runs backwards holds none. */
function spellOut(list: readonly string[]): string[] {
  return list.flatMap((item) => {
    const [first = '', last = first] = item.split('-')
    const [from, to] = [Number(first.slice(1)), Number(last.slice(1))]
    return Array.from(
      { length: Math.max(0, to - from + 1) },
      (_, i) => `R${String(from + i).padStart(4, '0')}`,
    )
  })
}

type RolesFile = z.output<typeof rolesFile>
/** Says what is wrong at a path of the file. */
type Complain = (path: readonly PropertyKey[], words: string) => void

function rulesOf({ roles }: RolesFile, types: ReadonlySet<string>, wrong: Complain) {
  const rules = new Map<string, RoleRule[]>()
  roles.forEach(({ role, codes: list, organizations }, i) => {
    const named = organizations === 'any' ? types : new Set(organizations)
    for (const type of named) {
      if (!types.has(type)) wrong(['roles', i], `${type} is not one of the organization_types`)
    }
    const spelled = spellOut(list)
    if (spelled.length === 0) wrong(['roles', i], 'a range of codes runs backwards')
    for (const code of spelled) {
      const before = rules.get(code) ?? []
      const again = before.find((rule) =>
        [...named].some((type) => rule.organizationTypes.has(type)),
      )
      if (again)
        wrong(['roles', i], `${code} already gives ${again.role} in one of these organisations`)
      else rules.set(code, [...before, { role, organizationTypes: named }])
    }
  })
  return rules
}

function baselineOf({ baseline }: RolesFile, wrong: Complain) {
  const byCode = new Map<string, readonly string[]>()
  baseline.forEach(({ codes: list, activities }, i) => {
    for (const code of spellOut(list)) {
      if (byCode.has(code)) wrong(['baseline', i], `${code} already has a baseline`)
      byCode.set(code, activities)
    }
  })
  return byCode
}

/**
 * Reads `roles.yaml`.
 *
 * @throws Problems every one that was found
 */
export function readRoles(text: string, file = 'roles.yaml'): RoleMap {
  const { value, lineOf } = readYamlFile(file, text, rolesFile)
  const problems: Problem[] = []
  const wrong: Complain = (path, words) => problems.push({ file, line: lineOf(path), text: words })
  const types = new Set(value.organization_types)
  value.organization_types.forEach((type, i) => {
    if (value.organization_types.indexOf(type) < i)
      wrong(['organization_types', i], `organisation type ${type} stands twice`)
  })
  const rules = rulesOf(value, types, wrong)
  const baseline = baselineOf(value, wrong)
  if (problems.length > 0) throw new Problems(problems)
  const includes = closure(new Map(Object.entries(value.includes)))
  return { organizationTypes: types, rules, baseline, includes }
}

/** Follows inclusion to its end; a circle is harmless. */
function closure(carried: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, string[]> {
  const all = new Map<string, string[]>()
  for (const code of carried.keys()) {
    const reached = new Set([code])
    for (const next of reached) for (const more of carried.get(next) ?? []) reached.add(more)
    all.set(code, [...reached])
  }
  return all
}

/**
 * The job-role code of a triple `S8000:G8000:R8000`, or of a bare `R8000`; `undefined` for anything else. The same
 * code stands under several staff groups, so only the R segment counts.
 */
export function jobRoleOf(roleCode: string): string | undefined {
  const segments = roleCode.split(':', 4).map((segment) => segment.trim())
  const found = segments.filter((segment) => segment.startsWith('R'))
  const [code = ''] = found
  return segments.length <= 3 && found.length === 1 && JOB_ROLE.test(code) ? code : undefined
}

/**
 * Works out role and organisation of a named user. A code that no rule knows, and an organisation that the
 * directory does not hold, give no role: a user may come out with none.
 *
 * A list of activities that was given is taken as it is, empty included; only where none was given does the job
 * role's baseline stand in, marked as such so that policies can tell.
 */
export function knowUser(
  named: NamedUser,
  odsCode: OdsCode,
  assurance: Assurance,
  map: RoleMap,
  directory: Directory,
): KnownUser {
  const organization = directory.get(odsCode) ?? { odsCode, type: UNKNOWN_TYPE, region: '' }
  const jobRoles = named.roleCodes.map(jobRoleOf).filter((code) => code !== undefined)
  const roles = jobRoles
    .flatMap((code) => map.rules.get(code) ?? [])
    .filter((rule) => rule.organizationTypes.has(organization.type))
    .map((rule) => rule.role)
  const activities = named.activityCodes ?? jobRoles.flatMap((code) => map.baseline.get(code) ?? [])
  // Not by spreading: V8 is slow where new members follow it.
  return Object.assign({}, named, {
    roles: ROLES.filter((role) => roles.includes(role)),
    activities: [...new Set(activities.flatMap((code) => map.includes.get(code) ?? [code]))],
    activitySource: named.activityCodes === undefined ? 'baseline' : 'listed',
    organization,
    assurance,
  } as const)
}
