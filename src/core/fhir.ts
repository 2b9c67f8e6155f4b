/**
 * FHIR R4 as far as we let it through: a table of interactions and a table of types. What no row matches
 * is refused; what comes back is looked at again in fhir-release.ts.
 *
 * @see FHIR R4, "RESTful API", "Search"; SMART App Launch 2.2, "Scopes for requesting FHIR Resources"
 */
import type { Access } from './access.js'
import { type Call, writeQuery } from './call.js'
import type { Policies, PolicyDecision } from './decision.js'
import { hasFhirScope, requireAudience, requireDecision, requirePatient } from './enforcement.js'
import { Refusal } from './refusal.js'
import type { Letter } from './scope.js'

/** Interactions, and the SMART v2 letter each one needs. First match wins. */
// biome-ignore format: a table
export const FHIR_INTERACTIONS = [
  { method: 'GET', path: /^\/metadata$/,                                  name: 'capabilities', needs: undefined },
  { method: 'GET', path: /^\/([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})$/, name: 'read',      needs: 'r' },
  { method: 'GET', path: /^\/([A-Z][A-Za-z]{1,63})$/,                     name: 'search',       needs: 's' },
] as const satisfies readonly { method: string; path: RegExp; name: string; needs: Letter | undefined }[]

/**
 * The types on offer. `whose` is the member that names the patient; `self` is the patient; a `directory`
 * type is nobody's and can only be read by id. `search` lists plain parameters: a name with a modifier,
 * a chain, `_include`, `_has` or `_filter` is another name, and so is refused.
 */
// biome-ignore format: a table
export const FHIR_TYPES = {
  Patient:            { whose: 'self',      search: ['_id'] },
  CarePlan:           { whose: 'subject',   search: ['patient', '_id', 'status', 'category', '_count', '_offset'] },
  Condition:          { whose: 'subject',   search: ['patient', '_id', 'clinical-status', 'category', '_count', '_offset'] },
  AllergyIntolerance: { whose: 'patient',   search: ['patient', '_id', 'clinical-status', '_count', '_offset'] },
  Encounter:          { whose: 'subject',   search: ['patient', '_id', 'status', '_count', '_offset'] },
  Practitioner:       { whose: 'directory', search: [] },
  Organization:       { whose: 'directory', search: [] },
} as const satisfies Record<string, { whose: 'self' | 'subject' | 'patient' | 'directory'; search: readonly string[] }>
export type FhirType = keyof typeof FHIR_TYPES

const ID = /^[A-Za-z0-9.-]{1,64}$/
const TOKEN = /^[A-Za-z0-9:/._|,-]{1,200}$/

/** What a parameter's value may look like. */
const VALUES: Readonly<Record<string, RegExp>> = {
  patient: /^(?:Patient\/)?[A-Za-z0-9.-]{1,64}$/,
  _id: ID,
  _count: /^\d{1,3}$/,
  _offset: /^\d{1,6}$/,
  status: TOKEN,
  category: TOKEN,
  'clinical-status': TOKEN,
}
const JSON_FORMATS = ['json', 'application/json', 'application/fhir+json']

export type FhirCall =
  | { readonly interaction: 'capabilities' }
  | { readonly interaction: 'read'; readonly type: FhirType; readonly id: string }
  | {
      readonly interaction: 'search'
      readonly type: FhirType
      readonly parameters: ReadonlyMap<string, string>
    }
export type FhirDataCall = Exclude<FhirCall, { readonly interaction: 'capabilities' }>

function readParameters(type: FhirType, query: ReadonlyMap<string, string>) {
  const offered: readonly string[] = FHIR_TYPES[type].search
  if (offered.length === 0) throw new Refusal('interaction_refused', `search ${type}`)
  for (const [name, value] of query) {
    if (!offered.includes(name)) throw new Refusal('parameter_invalid', `search by ${name}`)
    if (!VALUES[name]?.test(value)) throw new Refusal('parameter_invalid', `value of ${name}`)
  }
  return query
}

/** @throws Refusal interaction_refused, parameter_invalid */
export function readFhirCall(call: Call): FhirCall {
  const row = FHIR_INTERACTIONS.find(
    (each) => each.method === call.method && each.path.test(call.path),
  )
  if (row === undefined) throw new Refusal('interaction_refused', `${call.method} at FHIR`)
  const query = new Map(call.query)
  if (!JSON_FORMATS.includes(query.get('_format') ?? 'json'))
    throw new Refusal('parameter_invalid', 'value of _format')
  query.delete('_format')
  if (row.name === 'capabilities') return { interaction: 'capabilities' }

  const [, type = '', id = ''] = row.path.exec(call.path) ?? []
  if (!Object.hasOwn(FHIR_TYPES, type)) throw new Refusal('interaction_refused', 'type at FHIR')
  const known = type as FhirType
  if (row.name === 'search')
    return { interaction: 'search', type: known, parameters: readParameters(known, query) }
  if (query.size > 0) throw new Refusal('parameter_invalid', 'parameters on a read')
  return { interaction: 'read', type: known, id }
}

/** What goes on to the record, and by whose leave. */
export interface FhirPlan {
  readonly call: FhirDataCall
  readonly forward: { readonly path: string; readonly query: string }
  /** Absent for the user's own Practitioner, which the `fhirUser` scope gives. */
  readonly decision?: PolicyDecision
}

/** SMART: the `fhirUser` scope implies read of that one resource; so does a scope of the user for its type. */
function isOwnPractitioner(access: Access, call: FhirDataCall, base: string): boolean {
  if (call.interaction !== 'read' || call.type !== 'Practitioner') return false
  const reference = `Practitioner/${call.id}`
  return (
    access.scopes.some(
      (scope) =>
        (scope.kind === 'plain' && scope.name === 'fhirUser') ||
        (scope.kind === 'fhir' &&
          scope.reach === 'user' &&
          scope.query === '' &&
          scope.type === 'Practitioner' &&
          scope.letters.has('r')),
    ) && [reference, `${base}/${reference}`].includes(access.grant.fhirUser ?? '')
  )
}

/** The search, held to the patient in context whether it named one or not. @throws Refusal record_other_patient */
export function heldToPatient(
  { type, parameters }: Extract<FhirDataCall, { readonly interaction: 'search' }>,
  patient: string,
): string {
  const name = FHIR_TYPES[type].whose === 'self' ? '_id' : 'patient'
  const asked = parameters.get(name) ?? patient
  if (asked !== patient && asked !== `Patient/${patient}`)
    throw new Refusal('record_other_patient', `search ${type}`)
  return writeQuery([
    [name, patient],
    ...[...parameters].filter(([parameter]) => parameter !== name),
  ])
}

/**
 * @param base our own FHIR base, which the token must be meant for
 * @throws Refusal token_other_audience, scope_insufficient, policy_denied, record_other_patient
 */
export function enforceFhir(
  access: Access,
  call: FhirDataCall,
  policies: Policies,
  base: string,
): FhirPlan {
  requireAudience(access, base)
  if (isOwnPractitioner(access, call, base) && call.interaction === 'read')
    return { call, forward: { path: `/Practitioner/${call.id}`, query: '' } }

  const letter = call.interaction === 'read' ? 'r' : 's'
  if (!hasFhirScope(access, call.type, letter))
    throw new Refusal('scope_insufficient', `${call.interaction} ${call.type}`)
  const decision = requireDecision(access, policies, letter, { type: 'fhir', id: call.type })

  const patient = requirePatient(access)
  if (call.interaction === 'search') {
    const query = heldToPatient(call, patient)
    return { call, forward: { path: `/${call.type}`, query }, decision }
  }
  if (call.type === 'Patient' && call.id !== patient)
    throw new Refusal('record_other_patient', 'read Patient')
  return { call, forward: { path: `/${call.type}/${call.id}`, query: '' }, decision }
}
