/** What the tests of this directory ask with: the policies and people that are shipped, and questions about them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { CONSOLE_PARTS } from '../../src/core/console.js'
import type { KnownUser, OdsCode } from '../../src/core/context.js'
import { ACTIONS, type Action, type Circumstances, type Resource } from '../../src/core/decision.js'
import type { Assurance } from '../../src/core/roles.js'
import { readOrganizations } from '../../src/policy/organizations.js'
import { knowUser, readRoles } from '../../src/policy/roles.js'
import { placesIn, readSections, readSource } from '../../src/policy/source.js'

export const CONFIG = join(process.cwd(), 'config')
export const FILES = await readSource(placesIn(CONFIG))
export const SECTIONS = await readSections(placesIn(CONFIG).plan)

const read = (name: string): string => readFileSync(join(CONFIG, name), 'utf8')

export const ROLE_MAP = readRoles(read('roles.yaml'))
export const DIRECTORY = readOrganizations(read('demo/organizations.yaml'), ROLE_MAP)

interface Person {
  readonly id: string
  readonly name: string
  readonly uid: string
  readonly role_profile: string
  readonly role_code: string
  readonly activities: readonly string[]
  readonly ods: string
}
export const PEOPLE: readonly Person[] = parse(read('demo/people.yaml')).users

/** A person of the demonstration, as the gateway works them out from a launch. */
export function personOfDemo(id: string, assurance: Assurance = 2): KnownUser {
  const person = PEOPLE.find((candidate) => candidate.id === id)
  if (!person) throw new Error(`there is no ${id}`)
  const named = {
    localId: person.id,
    sdsUserId: person.uid,
    roleCodes: [person.role_code],
    activityCodes: person.activities,
  }
  return knowUser(named, person.ods as OdsCode, assurance, ROLE_MAP, DIRECTORY)
}

/** Circumstances in which nothing is special. */
export const ORDINARY: Circumstances = {
  user: {
    id: 'somebody',
    roles: [],
    activities: [],
    activitySource: 'listed',
    assurance: 2,
    organization: { odsCode: 'A83001', type: 'gp-practice', region: 'capital' },
  },
  patient: { sensitive: false, deceased: false },
  launch: { rung: 'pushed', system: 'gp-push', app: 'care-plan' },
  purpose: 'direct-care',
  emergencyReason: '',
  hour: 10,
  weekday: 2,
}

export function circumstancesFor(
  user: KnownUser,
  over: Partial<Circumstances> = {},
): Circumstances {
  const { roles, activities, activitySource, assurance, organization } = user
  return {
    ...ORDINARY,
    user: { id: user.localId, roles, activities, activitySource, assurance, organization },
    ...over,
  }
}

export { ask } from '../../src/core/question.js'

export const section = (id: string): Resource => ({ type: 'section', id })
export const APP: Resource = { type: 'app', id: 'care-plan' }

const FHIR_TYPES = [
  ...(FILES['policies/gateway.cedarschema'] ?? '').matchAll(/^ {4}"([A-Z]\w+)"/gm),
].map(([, type = '']) => type)

/** Every action on every resource that the schema knows. */
export const EVERYTHING: readonly { readonly action: Action; readonly resource: Resource }[] =
  ACTIONS.flatMap((action) => {
    if (action === 'launch' || action === 'check-availability' || action === 'break-glass')
      return [{ action, resource: APP }]
    if (action.startsWith('console-'))
      return CONSOLE_PARTS.map((id) => ({ action, resource: { type: 'console', id } }))
    return [
      ...SECTIONS.map((id) => ({ action, resource: section(id) })),
      ...FHIR_TYPES.map((id): { action: Action; resource: Resource } => ({
        action,
        resource: { type: 'fhir', id },
      })),
    ]
  })

/** Terms of one circumstance among more than are asked at once, and whatever else it takes to meet a guard rail. */
export const needleWith = (...more: readonly string[]): readonly string[] => [
  'principal.organization == "Z99"',
  'principal.organizationType == "hospice"',
  'principal.region == "north"',
  'context.system == "one-system"',
  'context.app == "one-app"',
  'context.rung == "signed"',
  'context.purpose == "direct-care"',
  'context.hour == 3',
  'context.weekday == 7',
  ...more,
  'principal.activities.containsAll(["B0370", "B0001", "B0002", "B0003", "B0004", "B0005"])',
]
