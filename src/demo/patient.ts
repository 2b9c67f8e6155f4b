/**
 * The demonstration's patients, all invented. NHS numbers are of the 999 range, which is never issued;
 * the postcode area NB does not exist; telephone numbers are those kept free for drama.
 */

export interface DemoProblem {
  readonly text: string
  /** SNOMED CT, where there is one. */
  readonly code?: string
  /** Year of onset. */
  readonly since: string
}

export interface DemoAllergy {
  readonly text: string
  readonly code?: string
  readonly reaction: string
}

export interface DemoPatient {
  readonly nhsNumber: string
  /** Logical id of the record's FHIR Patient. */
  readonly fhirId: string
  /** openEHR EHR id; absent when the shared record has no EHR of the patient. */
  readonly ehrId?: string
  readonly title: string
  readonly given: string
  readonly family: string
  /** `YYYY-MM-DD`, as the shared record knows it. */
  readonly birthDate: string
  /** What the GP system holds instead, where the two differ. */
  readonly gpBirthDate?: string
  readonly gender: 'female' | 'male'
  readonly address: {
    readonly line: string
    readonly city: string
    readonly postcode: string
  }
  readonly phone: string
  /** The day of death. */
  readonly deceased?: string
  /** The record carries `meta.security` R: address and telephone are left out of it. */
  readonly sensitive?: boolean
  /** The NHS number of the record that replaced this one. */
  readonly supersededBy?: string
  /** Whether there is a shared care plan. */
  readonly plan: boolean
  readonly problems: readonly DemoProblem[]
  readonly allergies: readonly DemoAllergy[]
  /** What the GP system shows as repeat medication. */
  readonly medication: readonly string[]
}
