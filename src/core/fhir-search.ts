/**
 * The grammar of searches, and of the criteria of conditional interactions: an allow-list. A name with a
 * modifier or a chain, `_has`, `_revinclude`, `_filter`, `_query`, `_elements`, `_summary` is another name
 * than those of the table, and so is refused. Whatever is asked is held to the patient in context.
 *
 * @see FHIR R4, "Search"
 */
import { writeQuery } from './call.js'
import { type FhirType, rowOf, searchOf } from './fhir-types.js'
import { Refusal } from './refusal.js'

/**
 * A server may leave aside what it does not know, and then finds what was not looked for; or answer from memory
 * (HAPI, within a minute), and then finds what was there before.
 * @see FHIR R4, "Search", handling errors
 */
export const SEARCHING = { prefer: 'handling=strict', 'cache-control': 'no-cache' }

const ID = /^[A-Za-z0-9.-]{1,64}$/
const TOKEN = /^[A-Za-z0-9:/._|,-]{1,200}$/
const DATE =
  /^(?:eq|ne|gt|lt|ge|le|sa|eb|ap)?\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?)?)?$/

/** What the value of a parameter that every type has may look like. */
const VALUES: Readonly<Record<string, RegExp>> = {
  patient: /^(?:Patient\/)?[A-Za-z0-9.-]{1,64}$/,
  _id: ID,
  _lastUpdated: DATE,
  // None would be no answer to what there is, and read as "there is none".
  _count: /^[1-9]\d{0,2}$/,
  _offset: /^\d{1,6}$/,
}
/** Parameters that say how an answer is given, not what is looked for. */
const HOW: ReadonlySet<string> = new Set(['_sort', '_count', '_offset', '_include'])

/** Sorting by another member would tell of members that are not offered. */
const sortable = (type: FhirType): readonly string[] => [
  '_id',
  '_lastUpdated',
  ...rowOf(type).dates,
]

function isValue(type: FhirType, name: string, value: string): boolean {
  const { tokens, dates, includes } = rowOf(type)
  if (name === '_sort')
    return value.split(',').every((each) => sortable(type).includes(each.replace(/^-/, '')))
  if (name === '_include') return Object.hasOwn(includes, value)
  if (Object.hasOwn(tokens, name)) return TOKEN.test(value)
  if (dates.includes(name)) return DATE.test(value)
  return VALUES[name]?.test(value) ?? false
}

export interface Search {
  readonly type: FhirType
  readonly parameters: ReadonlyMap<string, string>
}

/** @throws Refusal interaction_refused, parameter_invalid */
export function readSearch(type: FhirType, parameters: ReadonlyMap<string, string>): Search {
  const offered = searchOf(type)
  if (offered.length === 0) throw new Refusal('interaction_refused', `search ${type}`)
  for (const [name, value] of parameters) {
    if (!offered.includes(name)) throw new Refusal('parameter_invalid', `search by ${name}`)
    if (!isValue(type, name, value)) throw new Refusal('parameter_invalid', `value of ${name}`)
  }
  return { type, parameters }
}

/**
 * What a conditional interaction looks for: a search that says something besides whose it is.
 * @throws Refusal interaction_refused, parameter_invalid, parameter_missing
 */
export function readCriteria(type: FhirType, parameters: ReadonlyMap<string, string>): Search {
  const search = readSearch(type, parameters)
  const names = [...parameters.keys()]
  if (names.some((name) => HOW.has(name))) throw new Refusal('parameter_invalid', 'in a condition')
  if (names.every((name) => name === 'patient'))
    throw new Refusal('parameter_missing', 'a condition')
  return search
}

/**
 * What says whose it is to be. A reference with its type: some servers match no other, and find nothing by an id alone.
 * @see FHIR R4, "Search", reference
 */
const held = (type: FhirType, patient: string): readonly [string, string] =>
  rowOf(type).whose === 'self' ? ['_id', patient] : ['patient', `Patient/${patient}`]

/**
 * The search, held to the patient in context whether it named one or not.
 * @param more parameters of a scope, for those that the client did not use itself
 * @throws Refusal record_other_patient
 */
export function heldToPatient(
  { type, parameters }: Search,
  patient: string,
  more: Iterable<readonly [string, string]> = [],
): string {
  const whose = held(type, patient)
  const [name] = whose
  const asked = parameters.get(name) ?? patient
  if (asked !== patient && asked !== `Patient/${patient}`)
    throw new Refusal('record_other_patient', `search ${type}`)
  const query = [whose]
  for (const one of parameters) if (one[0] !== name) query.push(one)
  for (const one of more) if (!parameters.has(one[0])) query.push(one)
  return writeQuery(query)
}

/** Types that a search may bring beside its own. */
export function includedBy({ type, parameters }: Search): readonly string[] {
  const asked = parameters.get('_include')
  return asked === undefined ? [] : (rowOf(type).includes[asked] ?? [])
}

/** Whether only a part of the matches was asked for. */
export const isPaged = ({ parameters }: Search): boolean =>
  parameters.has('_count') || parameters.has('_offset')
