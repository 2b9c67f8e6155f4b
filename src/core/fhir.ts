/**
 * FHIR R4 as far as we let it through: a table of interactions, over the types of fhir-types.ts and the
 * search grammar of fhir-search.ts. What no row matches is refused, operations among it; what comes back is
 * looked at again in fhir-release.ts.
 *
 * @see FHIR R4, "RESTful API", "Search"; SMART App Launch 2.2, "Scopes for requesting FHIR Resources"
 */
import type { Access } from './access.js'
import type { Call } from './call.js'
import type { Policies, PolicyDecision } from './decision.js'
import {
  type Reached,
  reachedBy,
  requireAudience,
  requireDecision,
  requirePatient,
} from './enforcement.js'
import { isOwnPractitioner, withholdsLabelled } from './fhir-judge.js'
import { heldToPatient, readCriteria, readSearch, SEARCHING, type Search } from './fhir-search.js'
import { type FhirType, isFhirType, rowOf } from './fhir-types.js'
import { Refusal } from './refusal.js'
import type { Letter } from './scope.js'
import { parametersOf } from './scope-query.js'

export { FHIR_TYPES, type FhirType } from './fhir-types.js'

interface InteractionRow {
  readonly method: string
  readonly path: RegExp
  readonly name:
    | 'capabilities'
    | 'bundle'
    | 'read'
    | 'vread'
    | 'history'
    | 'search'
    | 'create'
    | 'update'
    | 'patch'
    | 'delete'
  /** SMART v2's letter; a bundle's entries have their own. */
  readonly needs: Letter | undefined
  /** FHIR's code (restful-interaction), for what a capability statement names. */
  readonly code?: string
}

const TYPE = '([A-Z][A-Za-z]{1,63})'
const ID = '([A-Za-z0-9.-]{1,64})'
const at = (path: string): RegExp => new RegExp(`^${path}$`)

/** First match wins. A path with `_history` or `_search` is no id: an id has no underscore. */
// biome-ignore format: a table
export const FHIR_INTERACTIONS: readonly InteractionRow[] = [
  { method: 'GET',    path: at('/metadata'),                       name: 'capabilities', needs: undefined },
  { method: 'POST',   path: at('/'),                               name: 'bundle',       needs: undefined },
  { method: 'GET',    path: at(`/${TYPE}/${ID}`),                  name: 'read',         needs: 'r', code: 'read' },
  { method: 'GET',    path: at(`/${TYPE}/${ID}/_history/${ID}`),   name: 'vread',        needs: 'r', code: 'vread' },
  { method: 'GET',    path: at(`/${TYPE}/${ID}/_history`),         name: 'history',      needs: 'r', code: 'history-instance' },
  { method: 'GET',    path: at(`/${TYPE}`),                        name: 'search',       needs: 's', code: 'search-type' },
  { method: 'POST',   path: at(`/${TYPE}/_search`),                name: 'search',       needs: 's' },
  { method: 'POST',   path: at(`/${TYPE}`),                        name: 'create',       needs: 'c', code: 'create' },
  { method: 'PUT',    path: at(`/${TYPE}/${ID}`),                  name: 'update',       needs: 'u', code: 'update' },
  { method: 'PUT',    path: at(`/${TYPE}`),                        name: 'update',       needs: 'u' },
  { method: 'PATCH',  path: at(`/${TYPE}/${ID}`),                  name: 'patch',        needs: 'u', code: 'patch' },
  { method: 'PATCH',  path: at(`/${TYPE}`),                        name: 'patch',        needs: 'u' },
  { method: 'DELETE', path: at(`/${TYPE}/${ID}`),                  name: 'delete',       needs: 'd', code: 'delete' },
  { method: 'DELETE', path: at(`/${TYPE}`),                        name: 'delete',       needs: 'd' },
]

/** What a write is to change: what has an id, or what meets a condition. */
export type Target = { readonly id: string } | { readonly criteria: Search }

export interface ReadCall {
  readonly interaction: 'read' | 'vread' | 'history'
  readonly type: FhirType
  readonly id: string
  /** Of `vread`. */
  readonly version: string
}
export interface SearchCall extends Search {
  readonly interaction: 'search'
  /** Asked by form, and so asked of the record by one. */
  readonly form: boolean
}
export interface CreateCall {
  readonly interaction: 'create'
  readonly type: FhirType
}
export interface ChangeCall {
  readonly interaction: 'update' | 'patch' | 'delete'
  readonly type: FhirType
  readonly target: Target
}
export type FhirReadCall = ReadCall | SearchCall
export type FhirWriteCall = CreateCall | ChangeCall
export type FhirDataCall = FhirReadCall | FhirWriteCall
export type FhirCall =
  | { readonly interaction: 'capabilities' }
  | { readonly interaction: 'bundle' }
  | FhirDataCall

/** The last as many send it: a `+` in an address is a space. */
const JSON_FORMATS = ['json', 'application/json', 'application/fhir+json', 'application/fhir json']

/** Parameters but `_format`, which says nothing of what is asked. @throws Refusal parameter_invalid */
function withoutFormat({ query }: Call): ReadonlyMap<string, string> {
  const format = query.get('_format')
  if (format === undefined) return query
  if (!JSON_FORMATS.includes(format)) throw new Refusal('parameter_invalid', 'value of _format')
  const rest = new Map(query)
  rest.delete('_format')
  return rest
}

function requireNone(query: ReadonlyMap<string, string>, what: string): void {
  if (query.size > 0) throw new Refusal('parameter_invalid', `parameters on a ${what}`)
}

function readChange(
  interaction: ChangeCall['interaction'],
  type: FhirType,
  id: string,
  query: ReadonlyMap<string, string>,
): ChangeCall {
  if (id === '') return { interaction, type, target: { criteria: readCriteria(type, query) } }
  requireNone(query, interaction)
  return { interaction, type, target: { id } }
}

/** The row of a call, and what its path holds. @throws Refusal interaction_refused */
function rowFor({ method, path }: Call) {
  for (const row of FHIR_INTERACTIONS) {
    const within = row.method === method ? row.path.exec(path) : null
    if (within) return { row, within }
  }
  throw new Refusal('interaction_refused', `${method} at FHIR`)
}

/** @throws Refusal interaction_refused, parameter_invalid, parameter_missing */
export function readFhirCall(call: Call): FhirCall {
  const { row, within } = rowFor(call)
  const query = withoutFormat(call)
  const { name } = row
  if (name === 'bundle') requireNone(query, name)
  if (name === 'capabilities' || name === 'bundle') return { interaction: name }

  const [, type = '', id = '', version = ''] = within
  if (!isFhirType(type)) throw new Refusal('interaction_refused', 'type at FHIR')
  if (name === 'search') {
    const form = call.method === 'POST'
    return { interaction: 'search', ...readSearch(type, query), form }
  }
  if (row.needs !== 'r' && !rowOf(type).writes.includes(row.needs ?? 'c'))
    throw new Refusal('interaction_refused', `${name} ${type}`)
  if (name === 'update' || name === 'patch' || name === 'delete')
    return readChange(name, type, id, query)
  requireNone(query, name)
  return name === 'create' ? { interaction: name, type } : { interaction: name, type, id, version }
}

/** What goes on to the record. */
export interface Forward {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A call that scopes and policies let in, as far as they can know before the record is asked. */
export interface FhirPlan<C extends FhirDataCall = FhirDataCall> {
  readonly call: C
  readonly letter: Letter
  /** Empty only for the user's own Practitioner where nobody launched for a patient. */
  readonly patient: string
  readonly reached: Reached
  /** Absent for the user's own Practitioner, which the `fhirUser` scope gives. */
  readonly decision?: PolicyDecision
  /** Of a search: whether policies would keep from this caller what is marked sensitive, were there any. */
  readonly withholds: boolean
}

const LETTERS: Readonly<Record<FhirDataCall['interaction'], Letter>> = {
  ...{ read: 'r', vread: 'r', history: 'r', search: 's' },
  ...{ create: 'c', update: 'u', patch: 'u', delete: 'd' },
}

/**
 * @param base our own FHIR base, which the token must be meant for
 * @throws Refusal token_other_audience, scope_insufficient, policy_denied, policy_stale, record_other_patient
 */
export function enforceFhir<C extends FhirDataCall>(
  access: Access,
  call: C,
  policies: Policies,
  base: string,
): FhirPlan<C> {
  requireAudience(access, base)
  const letter = LETTERS[call.interaction]
  if (call.interaction === 'read' && isOwnPractitioner(access, call, base))
    return {
      ...{ call, letter, reached: 'all', withholds: false },
      patient: access.grant.context.patient ?? '',
    }

  const reached = reachedBy(access, call.type, letter)
  if (reached === undefined)
    throw new Refusal('scope_insufficient', `${call.interaction} ${call.type}`)
  const decision = requireDecision(access, policies, letter, { type: 'fhir', id: call.type })
  const patient = requirePatient(access)
  if (call.type === 'Patient' && 'id' in call && call.id !== patient)
    throw new Refusal('record_other_patient', 'read Patient')
  const withholds = call.interaction === 'search' && withholdsLabelled(access, policies, call.type)
  return { call, letter, reached, decision, patient, withholds }
}

/** The most versions of a history that are asked for at once: more, and the history is no answer. */
const MOST_VERSIONS = 100

/** A search as it goes on; where one query of a scope narrows it, narrowed by the record as well. */
function forwardSearch({ call, patient, reached }: FhirPlan<SearchCall>): Forward {
  const [query, ...others] = reached === 'all' ? [] : reached
  const narrowed = query === undefined || others.length > 0 ? [] : parametersOf(query)
  const held = heldToPatient(call, patient, narrowed)
  if (!call.form) return { method: 'GET', path: `/${call.type}`, query: held, headers: SEARCHING }
  const headers = { ...SEARCHING, 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', path: `/${call.type}/_search`, headers, body: held }
}

/** @throws Refusal record_other_patient */
export function forwardOf(plan: FhirPlan<FhirReadCall>): Forward {
  const { call } = plan
  if (call.interaction === 'search') return forwardSearch({ ...plan, call })
  const path = `/${call.type}/${call.id}`
  if (call.interaction === 'read') return { method: 'GET', path }
  if (call.interaction === 'vread')
    return { method: 'GET', path: `${path}/_history/${call.version}` }
  return { method: 'GET', path: `${path}/_history`, query: `_count=${MOST_VERSIONS}` }
}
