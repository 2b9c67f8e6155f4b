/** The words of policies: the names here are those of `gateway.cedarschema` (policy check compares them). */
import type { Question, Resource } from '../core/decision.js'

export const USER_TYPE = 'User'
export const ROLE_TYPE = 'Role'
export const ACTION_TYPE = 'Action'
// biome-ignore format: a table
export const RESOURCE_TYPES: Readonly<Record<Resource['type'], string>> = {
  app:     'App',
  section: 'Section',
  fhir:    'FhirType',
  console: 'Console',
}

export type Fact = string | number | boolean
type Facts = Readonly<Record<string, (question: Question) => Fact>>

/** `principal.…`, besides {@link ACTIVITIES}. */
// biome-ignore format: a table
export const PRINCIPAL: Facts = {
  activitySource:   ({ user }) => user.activitySource,
  assurance:        ({ user }) => user.assurance,
  organization:     ({ user }) => user.organization.odsCode,
  organizationType: ({ user }) => user.organization.type,
  region:           ({ user }) => user.organization.region,
}
export const ACTIVITIES = 'activities'

/** `context.…` */
// biome-ignore format: a table
export const CONTEXT: Facts = {
  purpose:          ({ purpose }) => purpose,
  rung:             ({ launch }) => launch.rung,
  system:           ({ launch }) => launch.system,
  app:              ({ launch }) => launch.app,
  patientSensitive: ({ patient }) => patient.sensitive,
  patientDeceased:  ({ patient }) => patient.deceased,
  emergencyReason:  ({ emergencyReason }) => emergencyReason,
  hour:             ({ hour }) => hour,
  weekday:          ({ weekday }) => weekday,
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'String',
  number: 'Long',
  boolean: 'Bool',
}

/** A question of the right shape, from which the Cedar types of the tables above are read. */
const ANY_QUESTION: Question = {
  user: {
    id: '',
    roles: [],
    activities: [],
    activitySource: 'listed',
    assurance: 1,
    organization: { odsCode: '', type: '', region: '' },
  },
  patient: { sensitive: false, deceased: false },
  launch: { rung: 'signed', system: '', app: '' },
  purpose: 'direct-care',
  emergencyReason: '',
  hour: 0,
  weekday: 1,
  action: 'read',
  resource: { type: 'app', id: '' },
}

const typesOf = (facts: Facts): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [name, TYPES[typeof fact(ANY_QUESTION)] ?? '']),
  )

/** Attribute → Cedar type, as the schema must have them. */
export const PRINCIPAL_TYPES = { ...typesOf(PRINCIPAL), [ACTIVITIES]: 'Set<String>' }
export const CONTEXT_TYPES = typesOf(CONTEXT)
