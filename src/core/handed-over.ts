/** What a launch system may hand over with a launch, and in whose name: what gateway and app both speak of. */
import type { FhirType } from './fhir-types.js'
import type { EpochMs } from './values.js'

/** The types that are taken over; all else is left out. */
export const HANDED_OVER = [
  'Condition',
  'AllergyIntolerance',
  'MedicationStatement',
  'MedicationRequest',
  'Observation',
  'Procedure',
  'Immunization',
] as const satisfies readonly FhirType[]
export type HandedType = (typeof HANDED_OVER)[number]

/** Whose record it is of, and when it came. */
export interface Sender {
  /** The launch system, by its id and by its name. */
  readonly system: string
  readonly name: string
  /** ODS code, and what the organisation is called where that is known. */
  readonly organization: string
  readonly organizationName?: string
  readonly at: EpochMs
}

/** What tells the app that there is some. @see SMART App Launch 2.2, "fhirContext" */
export const HANDOVER_ROLE = 'urn:launch-gateway:handed-over'
/** How the Bundle says who sent it. */
export const SYSTEM_TAG = 'urn:launch-gateway:launch-system'
export const ORGANIZATION_TAG = 'https://fhir.nhs.uk/Id/ods-organization-code'
