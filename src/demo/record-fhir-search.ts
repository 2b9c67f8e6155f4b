/** Searching the demonstration's FHIR record: what each type can be searched by, and pages. */
import type { FhirResource } from './fhir-resources.js'

type Test = (resource: FhirResource, value: string) => boolean
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

const word = (member: string): Test => anyOf((resource, value) => resource[member] === value)
const coded = (member: string): Test => anyOf((resource, value) => hasCode(resource[member], value))
const to =
  (member: string): Test =>
  (resource, value) =>
    refersTo(resource[member], value)

const BEFORE = /^(?:lt|le|eb)/
const AFTER = /^(?:gt|ge|sa)/
const date =
  (member: string): Test =>
  (resource, value) => {
    const at = String(resource[member] ?? '')
    const wanted = value.replace(/^[a-z]{2}/, '')
    if (BEFORE.test(value)) return at !== '' && at < wanted
    return AFTER.test(value) ? at >= wanted : at.startsWith(wanted)
  }

const byId: Test = (resource, value) => resource.id === value
const byIdentifier: Test = (resource, value) =>
  (resource.identifier as readonly { system: string; value: string }[] | undefined)?.some(
    (each) => `${each.system}|${each.value}` === value,
  ) ?? false

const ABOUT = { _id: byId, patient: to('subject') }
const OF = { _id: byId, patient: to('patient') }
const DIRECTORY = { _id: byId, identifier: byIdentifier }
const status = word('status')
const category = coded('category')
const code = coded('code')

/** What can be searched by, type by type. */
// biome-ignore format: a table
export const SEARCHES: Readonly<Record<string, Readonly<Record<string, Test>>>> = {
  Patient:             { _id: byId, identifier: byIdentifier },
  CarePlan:            { ...ABOUT, status, category, intent: word('intent') },
  CareTeam:            { ...ABOUT, status, category },
  Condition:           { ...ABOUT, category, code, 'clinical-status': coded('clinicalStatus'), 'recorded-date': date('recordedDate') },
  AllergyIntolerance:  { ...OF, code, 'clinical-status': coded('clinicalStatus'), criticality: word('criticality') },
  Encounter:           { ...ABOUT, status, class: coded('class'), type: coded('type') },
  Observation:         { ...ABOUT, status, category, code, date: date('effectiveDateTime') },
  Procedure:           { ...ABOUT, status, category, code },
  Goal:                { ...ABOUT, category, 'lifecycle-status': word('lifecycleStatus') },
  ServiceRequest:      { ...ABOUT, status, category, intent: word('intent'), code },
  MedicationRequest:   { ...ABOUT, status, intent: word('intent'), code: coded('medicationCodeableConcept') },
  MedicationStatement: { ...ABOUT, status, code: coded('medicationCodeableConcept') },
  DocumentReference:   { ...ABOUT, status, category, type: coded('type') },
  Flag:                ABOUT,
  Consent:             { ...OF, status, category, scope: coded('scope') },
  Immunization:        { ...OF, status, 'vaccine-code': coded('vaccineCode') },
  RelatedPerson:       { ...OF, relationship: coded('relationship') },
  Practitioner:        DIRECTORY,
  PractitionerRole:    DIRECTORY,
  Organization:        DIRECTORY,
  Medication:          { _id: byId },
}

const HOW = ['_count', '_offset', '_sort']

/** `undefined` when something is asked that is not known: never all the rest. */
export function found(
  resources: readonly FhirResource[],
  type: string,
  query: URLSearchParams,
): readonly FhirResource[] | undefined {
  const tests = SEARCHES[type]
  const asked = [...query].filter(([name]) => !HOW.includes(name))
  if (tests === undefined || asked.some(([name]) => tests[name] === undefined)) return undefined
  return resources.filter(
    (resource) =>
      resource.resourceType === type &&
      asked.every(([name, value]) => tests[name]?.(resource, value)),
  )
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
