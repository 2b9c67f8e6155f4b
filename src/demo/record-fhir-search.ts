/** Searching the demonstration's FHIR record: what each type can be searched by, and pages. */
import type { FhirResource } from './fhir-resources.js'

interface Test {
  (resource: FhirResource, value: string): boolean
  /** Of a date: where it stands, to sort by. */
  readonly path?: readonly string[]
}
interface Coded {
  readonly coding?: readonly { readonly system?: string; readonly code?: string }[]
  readonly system?: string
  readonly code?: string
}

const refersTo = (reference: unknown, value: string): boolean => {
  const target = (reference as { readonly reference?: string } | undefined)?.reference
  return target === value || target === `Patient/${value}`
}
const isCoded = ({ system = '', code = '' }: Coded, value: string): boolean =>
  [code, `${system}|${code}`, `${system}|`].includes(value)
const hasCode = (concepts: unknown, value: string): boolean =>
  (Array.isArray(concepts) ? concepts : [concepts]).some((concept: Coded | undefined) =>
    (concept?.coding ?? (concept === undefined ? [] : [concept])).some((each) =>
      isCoded(each, value),
    ),
  )
const anyOf =
  (test: Test): Test =>
  (resource, value) =>
    value.split(',').some((each) => test(resource, each))

const word = (member: string): Test =>
  anyOf((resource, value) => [resource[member]].flat().includes(value))
const coded = (member: string): Test => anyOf((resource, value) => hasCode(resource[member], value))
const to =
  (member: string): Test =>
  (resource, value) =>
    refersTo(resource[member], value)

const BEFORE = /^(?:lt|le|eb)/
const AFTER = /^(?:gt|ge|sa)/
const at = (value: unknown, [first, ...rest]: readonly string[]): unknown =>
  first === undefined ? value : at((value as Record<string, unknown> | undefined)?.[first], rest)
const date = (text: string): Test => {
  const path = text.split('.')
  const test = (resource: FhirResource, value: string): boolean => {
    const when = String(at(resource, path) ?? '')
    const wanted = value.replace(/^[a-z]{2}/, '')
    if (BEFORE.test(value)) return when !== '' && when < wanted
    return AFTER.test(value) ? when >= wanted : when.startsWith(wanted)
  }
  return Object.assign(test, { path })
}

const byId: Test = (resource, value) => resource.id === value
const byIdentifier: Test = (resource, value) =>
  (resource.identifier as readonly { system: string; value: string }[] | undefined)?.some(
    (each) => `${each.system}|${each.value}` === value,
  ) ?? false

const _lastUpdated = date('meta.lastUpdated')
const ABOUT = { _id: byId, _lastUpdated, patient: to('subject') }
const OF = { _id: byId, _lastUpdated, patient: to('patient') }
const DIRECTORY = { _id: byId, identifier: byIdentifier }
const status = word('status')
const intent = word('intent')
const category = coded('category')
const code = coded('code')
const drug = coded('medicationCodeableConcept')
const CLINICAL = {
  'clinical-status': coded('clinicalStatus'),
  'verification-status': coded('verificationStatus'),
}
const period = date('period.start')

/** What can be searched by, type by type. */
// biome-ignore format: a table
export const SEARCHES: Readonly<Record<string, Readonly<Record<string, Test>>>> = {
  Patient:             { _id: byId, identifier: byIdentifier },
  CarePlan:            { ...ABOUT, status, category, intent, date: period },
  CareTeam:            { ...ABOUT, status, category, date: period },
  Condition:           { ...ABOUT, ...CLINICAL, category, code, 'onset-date': date('onsetDateTime'), 'recorded-date': date('recordedDate') },
  AllergyIntolerance:  { ...OF, ...CLINICAL, code, category: word('category'), type: word('type'), criticality: word('criticality'), date: date('recordedDate') },
  Encounter:           { ...ABOUT, status, class: coded('class'), type: coded('type'), date: period },
  Observation:         { ...ABOUT, status, category, code, date: date('effectiveDateTime') },
  Procedure:           { ...ABOUT, status, category, code, date: date('performedDateTime') },
  Goal:                { ...ABOUT, category, 'lifecycle-status': word('lifecycleStatus'), 'achievement-status': coded('achievementStatus'), 'start-date': date('startDate'), 'target-date': date('target.0.dueDate') },
  ServiceRequest:      { ...ABOUT, status, category, intent, code, authored: date('authoredOn') },
  MedicationRequest:   { ...ABOUT, status, category, intent, code: drug, authoredon: date('authoredOn'), date: date('authoredOn') },
  MedicationStatement: { ...ABOUT, status, category, code: drug, effective: date('effectiveDateTime') },
  DocumentReference:   { ...ABOUT, status, category, type: coded('type'), date: date('date'), period: date('context.period.start') },
  Flag:                { ...ABOUT, date: period },
  Consent:             { ...OF, status, category, scope: coded('scope'), date: date('dateTime') },
  Immunization:        { ...OF, status, 'vaccine-code': coded('vaccineCode'), date: date('occurrenceDateTime') },
  RelatedPerson:       { ...OF, relationship: coded('relationship') },
  Practitioner:        DIRECTORY,
  PractitionerRole:    DIRECTORY,
  Organization:        DIRECTORY,
  Medication:          { _id: byId },
}

const HOW = ['_count', '_offset', '_sort', '_include']

/** What may come along, and the member that leads to it. */
const INCLUDES: Readonly<Record<string, string>> = {
  'Encounter:service-provider': 'serviceProvider',
  'MedicationRequest:medication': 'medicationReference',
  'MedicationRequest:requester': 'requester',
  'MedicationStatement:medication': 'medicationReference',
}

/** What the matches refer to, each once; `undefined` for an include that is not known. */
export function included(
  resources: readonly FhirResource[],
  matches: readonly FhirResource[],
  include: string | null,
): readonly FhirResource[] | undefined {
  if (include === null) return []
  const member = INCLUDES[include]
  if (member === undefined) return undefined
  const led = new Set(
    matches.map((each) => (each[member] as { reference?: string } | undefined)?.reference),
  )
  return resources.filter(({ resourceType, id }) => led.has(`${resourceType}/${id}`))
}

/** By the first member that is named. */
function sorted(
  all: readonly FhirResource[],
  by: string | null,
  tests: Readonly<Record<string, Test>>,
): readonly FhirResource[] {
  const [first = ''] = (by ?? '').split(',')
  const path = tests[first.replace(/^-/, '')]?.path
  if (path === undefined) return all
  const key = (resource: FhirResource) => String(at(resource, path) ?? '')
  const up = all.toSorted((a, b) => key(a).localeCompare(key(b)))
  return first.startsWith('-') ? up.toReversed() : up
}

/** `undefined` when something is asked that is not known: never all the rest. */
export function found(
  resources: readonly FhirResource[],
  type: string,
  query: URLSearchParams,
): readonly FhirResource[] | undefined {
  const tests = SEARCHES[type]
  const asked = [...query].filter(([name]) => !HOW.includes(name))
  if (tests === undefined || asked.some(([name]) => tests[name] === undefined)) return undefined
  const matches = resources.filter(
    (resource) =>
      resource.resourceType === type &&
      asked.every(([name, value]) => tests[name]?.(resource, value)),
  )
  return sorted(matches, query.get('_sort'), tests)
}

export interface Page {
  readonly entries: readonly FhirResource[]
  readonly total: number
  readonly next?: string
}

export function page(all: readonly FhirResource[], query: URLSearchParams, address: string): Page {
  const offset = Number(query.get('_offset') ?? 0)
  const count = Number(query.get('_count') ?? all.length)
  const entries = all.slice(offset, offset + count)
  if (offset + count >= all.length) return { entries, total: all.length }
  const following = new URLSearchParams(query)
  following.set('_offset', String(offset + count))
  return { entries, total: all.length, next: `${address}?${following}` }
}
