/**
 * What a launch system hands over of its own record with the launch: a FHIR Bundle of problems, allergies, medication
 * and the like, of the launch's patient and of nobody else. It is for reading, in this launch and no longer.
 *
 * @see FHIR R4, "Bundle" (collection)
 */
import type { NhsNumber } from './context.js'
import { FHIR_TYPES } from './fhir-types.js'
import {
  HANDED_OVER,
  HANDOVER_ROLE,
  type HandedType,
  ORGANIZATION_TAG,
  type Sender,
  SYSTEM_TAG,
} from './handed-over.js'
import { isObject, type Json } from './json.js'
import { Refusal } from './refusal.js'

const isHandedOver = (type: unknown): type is HandedType =>
  HANDED_OVER.some((each) => each === type)

/** What a launch token may hold of it at most, as JSON text. */
export const MOST_HANDED_CHARACTERS = 256 * 1024
const MOST_ENTRIES = 300
/** Levels of objects and lists within one another. */
const DEEPEST = 40
const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const ID = /^[A-Za-z0-9.-]{1,64}$/

/** Resources of the launch's patient, as they came but for whose they say that they are. */
export interface Handover {
  readonly from: Sender
  readonly resources: readonly Json[]
}

const malformed = (what: string) => new Refusal('launch_malformed', `data: ${what}`)
const another = (what: string) => new Refusal('launch_data_other_patient', what)

function isShallow(value: unknown, left = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return true
  return left > 0 && Object.values(value).every((each) => isShallow(each, left - 1))
}

const digits = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/[\s-]/g, '') : ''

/** The NHS number of an identifier, where it is one. */
const numberIn = (identifier: unknown): string | undefined =>
  isObject(identifier) && identifier.system === NHS_NUMBER ? digits(identifier.value) : undefined

interface Patient {
  readonly nhsNumber: NhsNumber
  readonly birthDate: string | undefined
}

/** @throws Refusal launch_data_other_patient */
function requireSame(resource: Json, { nhsNumber, birthDate }: Patient): void {
  const { identifier, birthDate: born } = resource
  const numbers = (Array.isArray(identifier) ? identifier : []).flatMap(
    (each) => numberIn(each) ?? [],
  )
  if (numbers.length === 0 || numbers.some((number) => number !== nhsNumber))
    throw another('a Patient with another NHS number, or none')
  if (birthDate !== undefined && born !== undefined && born !== birthDate)
    throw another('a Patient with another birth date')
}

interface Entry {
  readonly fullUrl: string | undefined
  readonly resource: Json
}

/** @throws Refusal launch_malformed */
function entriesOf(data: unknown): readonly Entry[] {
  if (!isObject(data) || data.resourceType !== 'Bundle' || data.type !== 'collection')
    throw malformed('not a Bundle of type collection')
  const { entry = [] } = data
  if (!Array.isArray(entry) || entry.length > MOST_ENTRIES)
    throw malformed(`more than ${MOST_ENTRIES} entries, or none that can be read`)
  if (!isShallow(entry)) throw malformed('nested too deep')
  return entry.map((each: unknown) => {
    const resource = isObject(each) ? each.resource : undefined
    if (!isObject(each) || !isObject(resource) || typeof resource.resourceType !== 'string')
      throw malformed('an entry without a resource')
    const { id } = resource
    if (id !== undefined && (typeof id !== 'string' || !ID.test(id))) throw malformed('an id')
    return { fullUrl: typeof each.fullUrl === 'string' ? each.fullUrl : undefined, resource }
  })
}

/**
 * Reads what came with a launch, signature checked. A resource is the patient's when it names them by NHS number, or
 * refers to a Patient of the same Bundle who has it. One of anybody else's means that the launch system has two charts
 * in its hands: the launch stops.
 *
 * @param patient whom the launch is of
 * @throws Refusal launch_malformed, launch_data_other_patient
 */
export function readHandover(data: unknown, patient: Patient): Pick<Handover, 'resources'> {
  const entries = entriesOf(data)
  const theirs = new Set<string>()
  for (const { fullUrl, resource } of entries) {
    if (resource.resourceType !== 'Patient') continue
    requireSame(resource, patient)
    if (fullUrl !== undefined) theirs.add(fullUrl)
    if (typeof resource.id === 'string') theirs.add(`Patient/${resource.id}`)
  }
  const isTheirs = (reference: unknown): boolean => {
    if (!isObject(reference)) return false
    const { reference: to, identifier } = reference
    const number = numberIn(identifier)
    if (number !== undefined && number !== patient.nhsNumber) return false
    return to === undefined ? number !== undefined : typeof to === 'string' && theirs.has(to)
  }
  const resources = entries.flatMap(({ resource }) => {
    const { resourceType: type } = resource
    if (!isHandedOver(type)) return []
    const { whose } = FHIR_TYPES[type]
    if (!isTheirs(resource[whose]) || !patientsIn(resource).every((to) => theirs.has(to)))
      throw another(`a ${type} of somebody else, or of nobody`)
    return [bare(resource)]
  })
  return { resources }
}

/** Every Patient that a resource refers to, wherever. */
function patientsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const { reference } = value as { readonly reference?: unknown }
  const own =
    typeof reference === 'string' && /(?:^|\/)Patient\//.test(reference) ? [reference] : []
  return [...own, ...Object.values(value).flatMap(patientsIn)]
}

/** Without what would not be looked at: words as a page (`text`), and resources within it that could be somebody's. */
function bare({ text: _, contained, ...rest }: Json): Json {
  const medicines = (Array.isArray(contained) ? contained : []).filter(
    (each) => isObject(each) && each.resourceType === 'Medication',
  )
  return medicines.length > 0 ? { ...rest, contained: medicines } : rest
}

/** The id of the Bundle by which an app reads it: of this launch and no other. */
export const handoverId = (launch: string): string => launch.replace('_', '-')

/** What tells the app that there is one. @see SMART App Launch 2.2, "fhirContext" */
export const handoverContext = (launch: string) => ({
  reference: `Bundle/${handoverId(launch)}`,
  type: 'Bundle',
  role: HANDOVER_ROLE,
})

/**
 * The Bundle as it may leave: what the caller may read of it, as the record's own patient's.
 * @param may whether one may be read
 */
export function releaseHandover(
  { from, resources }: Handover,
  { launch, patient }: { readonly launch: string; readonly patient: string },
  may: (resource: Json) => boolean,
): Json {
  const entry = resources.flatMap((resource) => {
    const type = resource.resourceType as HandedType
    if (!may(resource)) return []
    return [
      { resource: { ...resource, [FHIR_TYPES[type].whose]: { reference: `Patient/${patient}` } } },
    ]
  })
  const head = { resourceType: 'Bundle', id: handoverId(launch), meta: { tag: tagsOf(from) } }
  return { ...head, type: 'collection', timestamp: new Date(from.at).toISOString(), entry }
}

const tagsOf = ({ system, name, organization, organizationName }: Sender) => [
  { system: SYSTEM_TAG, code: system, display: name },
  {
    ...{ system: ORGANIZATION_TAG, code: organization },
    ...(organizationName === undefined ? {} : { display: organizationName }),
  },
]
