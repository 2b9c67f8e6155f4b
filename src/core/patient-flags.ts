/** What of a Patient narrows who may see or change anything: read at launch, at renewal and at release. */
import type { KnownPatient } from './context.js'
import { isObject, type Json } from './json.js'

export type PatientFlags = Pick<KnownPatient, 'sensitive' | 'deceased'>

/**
 * Codes that mark a record as one that can give somebody away. Records name their system in several
 * ways, or not at all: the code counts in any.
 * @see HL7 v3 Confidentiality; PDS FHIR, "Sensitive patients"
 */
const SENSITIVE: ReadonlySet<string> = new Set(['R', 'V', 'REDACTED'])

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

/** @param patient a FHIR R4 Patient */
export const patientFlags = (patient: Json): PatientFlags => ({
  sensitive: isSensitive(patient.meta),
  deceased: isDeceased(patient),
})
