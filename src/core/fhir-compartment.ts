/**
 * Whose a resource is, by the member that its type's row names: never by what a search or a path says.
 * @see FHIR R4, CompartmentDefinition "patient"; "References"
 */
import type { NhsNumber } from './context.js'
import { isFhirType, rowOf } from './fhir-types.js'
import { isObject, type Json } from './json.js'
import { isNhsNumberSystem, readNhsNumber } from './nhs-number.js'

/** Whose data may pass, and where the record behind us stands. */
export interface Whose {
  readonly patient: string
  readonly upstream: string
  /** Known of a launch: by it a reference may name its patient as well. */
  readonly nhsNumber?: NhsNumber
}

/** Types of no patient that a resource may hold inside it. Of all else that stands inside, its own row decides. */
const NOBODYS: ReadonlySet<unknown> = new Set(['Device', 'Location', 'Substance', 'Specimen'])
/** By which one of them may be somebody's all the same. */
const SAYS_WHOSE = ['patient', 'subject']
const DEEPEST_INSIDE = 1

const isNumber = ({ system }: Json): boolean =>
  typeof system === 'string' && isNhsNumberSystem(system)

const localOf = (reference: string, { upstream }: Whose): string =>
  reference.startsWith(`${upstream}/`) ? reference.slice(upstream.length + 1) : reference

const HERE = 'Patient/'
/** Behind a version nothing stands: another reader could take what does for the address. */
const VERSION = /^\/_history\/[A-Za-z0-9-][A-Za-z0-9.-]{0,63}$/

/** Looked for piece by piece: a text that is put together to be compared costs more than to compare it. */
function isReferenceTo(reference: string, whose: Whose): boolean {
  const local = localOf(reference, whose)
  if (!local.startsWith(HERE) || !local.startsWith(whose.patient, HERE.length)) return false
  const behind = local.slice(HERE.length + whose.patient.length)
  return behind === '' || VERSION.test(behind)
}

/** Whoever bears NHS numbers bears the launch's: in another record the same id may be another's. */
function isNumbered({ identifier }: Json, { nhsNumber }: Whose): boolean {
  if (nhsNumber === undefined || !Array.isArray(identifier)) return true
  const numbers = identifier.flatMap((each) =>
    isObject(each) && isNumber(each) ? (readNhsNumber(each.value) ?? []) : [],
  )
  return numbers.length === 0 || numbers.includes(nhsNumber)
}

function isAbout(resource: Json, whose: Whose): boolean {
  const { resourceType: type, id } = resource
  if (!isFhirType(type)) return false
  const { whose: member } = rowOf(type)
  if (member === 'directory') return true
  if (member === 'self') return id === whose.patient && isNumbered(resource, whose)
  const value = resource[member]
  const reference = isObject(value) ? value.reference : undefined
  return typeof reference === 'string' && isReferenceTo(reference, whose)
}

/** Resources that stand inside another. `undefined` for what cannot be read as such. */
export function containedIn({ contained }: Json): readonly Json[] | undefined {
  if (contained === undefined) return []
  return Array.isArray(contained) && contained.every(isObject) ? contained : undefined
}

const isNobodys = (inside: Json, whose: Whose): boolean =>
  NOBODYS.has(inside.resourceType) &&
  inside.contained === undefined &&
  SAYS_WHOSE.every((member) => !namesAnother(inside[member], whose, member))

/**
 * Whether a resource, and all that stands inside it, is about the patient or about nobody. A Patient inside
 * has an id of its own that proves nothing, and so is another.
 */
export function isOfPatient(resource: Json, whose: Whose, depth = 0): boolean {
  const inside = containedIn(resource)
  if (inside === undefined || depth > DEEPEST_INSIDE || !isAbout(resource, whose)) return false
  return inside.every(
    (each) =>
      each.resourceType !== 'Patient' &&
      (isNobodys(each, whose) || isOfPatient(each, whose, depth + 1)),
  )
}

/** In a reference whatever could lead to a patient; elsewhere what is an address and nothing else. */
const LEADS = /(?:^|[\s/])Patient\/|[?%]/
const ADDRESS =
  /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/\S*\/)?Patient\/[A-Za-z0-9.-]{1,64}(?:[/?#|]\S*)?$|^[A-Z][A-Za-z]{1,63}\?[^\s=]+=\S*$/
const PATIENT_TYPE = /(?:^|\/)Patient$/

/** A reference to a patient by another number than theirs in place of an address (`Reference.identifier`). */
function isOtherNumber({ identifier, type, reference }: Json, { nhsNumber }: Whose): boolean {
  if (!isObject(identifier)) return false
  const toPatient =
    (typeof type === 'string' && PATIENT_TYPE.test(type)) ||
    (typeof reference === 'string' && LEADS.test(reference))
  return toPatient && !(isNumber(identifier) && identifier.value === nhsNumber)
}

/** What a relative is known by, who may be a patient too: theirs to bear. */
const RELATIVES = 'RelatedPerson.identifier'

/** An NHS number, wherever it stands, that is not the patient's. */
const isOthersNumber = (value: Json, name: string, { nhsNumber }: Whose): boolean =>
  isNumber(value) && value.value !== nhsNumber && name !== RELATIVES

/** Spaces first: none stands in an address, and the pattern would look for its end from each of a long text's places. */
const isAddress = (text: string): boolean => !/\s/.test(text) && ADDRESS.test(text)

/** Without the spaces around it, which some readers leave out. */
function isOtherAddress(spaced: string, name: string, whose: Whose): boolean {
  const text = spaced.trim()
  const local = localOf(text, whose)
  const leads = name === 'reference' ? LEADS.test(local) : isAddress(local)
  return leads && !isReferenceTo(text, whose)
}

/**
 * Whether anything in a resource that is to be written names another patient: by an address in whatever
 * member, by number, or by a condition that the record would resolve.
 */
export function namesAnother(value: unknown, whose: Whose, name = ''): boolean {
  if (typeof value === 'string') return isOtherAddress(value, name, whose)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((each) => namesAnother(each, whose, name))
  if (!isObject(value)) return false
  if (isOtherNumber(value, whose) || isOthersNumber(value, name, whose)) return true
  const { resourceType } = value
  return Object.entries(value).some(([member, each]) => {
    const relatives = resourceType === 'RelatedPerson' && member === 'identifier'
    return namesAnother(each, whose, relatives ? RELATIVES : member)
  })
}
