/**
 * What of a Patient narrows who may see or change anything, read at launch, at renewal and at release; and
 * the labels by which any resource says that it asks for as much.
 */
import type { KnownPatient, RecordedAs } from './context.js'
import { isObject, type Json } from './json.js'

export type PatientFlags = Pick<KnownPatient, 'sensitive' | 'deceased'>

/**
 * Codes that mark a record as one that can give somebody away. Records name their system in several
 * ways, or not at all: the code counts in any.
 * @see HL7 v3 Confidentiality, ActCode (InformationSensitivityPolicy); PDS FHIR, "Sensitive patients"
 */
const SENSITIVE: ReadonlySet<string> = new Set([
  // Restricted, very restricted, and PDS's word for either.
  ...['R', 'V', 'REDACTED'],
  // Kinds that are kept apart: violence at home, HIV and other such infections, sexual and mental health, addiction.
  ...[
    'SDV',
    'VIO',
    'HIV',
    'STD',
    'SEX',
    'PSY',
    'PSYTHPN',
    'MH',
    'BH',
    'SUD',
    'ETH',
    'ETHUD',
    'OPIOIDUD',
  ],
])

/** A label that cannot be read may be one of these, and so counts as one. */
function isSensitive(meta: unknown): boolean {
  if (meta === undefined) return false
  if (!isObject(meta)) return true
  const { security = [] } = meta
  if (!Array.isArray(security)) return true
  return security.some(
    (label) =>
      !isObject(label) ||
      typeof label.code !== 'string' ||
      SENSITIVE.has(label.code.trim().toUpperCase()),
  )
}

/** Whatever does not plainly say "alive" says that the person has died: a plan is then only read. */
const isDeceased = ({ deceasedBoolean, deceasedDateTime, _deceasedDateTime }: Json): boolean =>
  (deceasedBoolean ?? false) !== false ||
  deceasedDateTime !== undefined ||
  _deceasedDateTime !== undefined

/**
 * Whether a resource asks to be judged as a sensitive patient's record is. What stands inside it has no label of its own
 * in FHIR; where a record says one all the same it is of the whole, which it stands in.
 * @see FHIR R4, DomainResource, dom-5
 */
export const isLabelled = ({ meta, contained }: Json): boolean =>
  isSensitive(meta) ||
  (Array.isArray(contained) && contained.some((inside) => isObject(inside) && isLabelled(inside)))

/** @param patient a FHIR R4 Patient */
export const patientFlags = (patient: Json): PatientFlags => ({
  sensitive: isLabelled(patient),
  deceased: isDeceased(patient),
})

/** What several say of one person: each may know what the others do not. */
export const anyOf = (said: readonly PatientFlags[]): PatientFlags => ({
  sensitive: said.some(({ sensitive }) => sensitive),
  deceased: said.some(({ deceased }) => deceased),
})

const placeOf = ({ tenant = '', fhirId }: RecordedAs): string => `${tenant}/${fhirId}`

/** The patient as one record knows them, with what all of these say. */
export function asOne(patient: KnownPatient, all: readonly KnownPatient[]): KnownPatient {
  const { knownIn: _, ...own } = patient
  const known = [patient, ...all].flatMap((one): readonly RecordedAs[] => [
    one,
    ...(one.knownIn ?? []),
  ])
  const places = new Map(
    known.map(({ tenant, fhirId }) => {
      const place = { fhirId, ...(tenant === undefined ? {} : { tenant }) }
      return [placeOf(place), place]
    }),
  )
  places.delete(placeOf(patient))
  const others = places.size === 0 ? {} : { knownIn: [...places.values()] }
  return { ...own, ...anyOf([patient, ...all]), ...others }
}
