/** The demonstration record's FHIR R4 resources, made from the patients, plans and people. */
import type { EpochMs } from '../core/values.js'
import type { DemoAllergy, DemoPatient, DemoProblem } from './patients.js'
import { type DemoPlan, dayOf } from './plans.js'

export interface FhirResource {
  readonly resourceType: string
  readonly id: string
  readonly [member: string]: unknown
}

/** A user of config/demo/people.yaml, as far as the record knows them. */
export interface DemoPerson {
  readonly name: string
  /** In the manner of an SDS user id: the Practitioner's id. */
  readonly uid: string
  readonly ods: string
  readonly org: string
}

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const SNOMED = 'http://snomed.info/sct'
const HL7 = 'http://terminology.hl7.org/CodeSystem'
const HOME_PRACTICE = 'A83001'

const concept = (text: string, code?: string) => ({
  ...(code === undefined ? {} : { coding: [{ system: SNOMED, code, display: text }] }),
  text,
})
const status = (system: string, code: string) => ({
  coding: [{ system: `${HL7}/${system}`, code }],
})
const subject = (patient: DemoPatient) => ({ reference: `Patient/${patient.fhirId}` })

/** A sensitive record holds no place and no number at which its person could be found (as PDS does it). */
const whereabouts = (patient: DemoPatient) =>
  patient.sensitive === true
    ? {}
    : {
        telecom: [{ system: 'phone', value: patient.phone, use: 'home' }],
        address: [
          {
            use: 'home',
            line: [patient.address.line],
            city: patient.address.city,
            postalCode: patient.address.postcode,
          },
        ],
        generalPractitioner: [{ reference: `Organization/${HOME_PRACTICE}` }],
      }

function patientResource(patient: DemoPatient, all: readonly DemoPatient[]): FhirResource {
  const replacement = all.find((each) => each.nhsNumber === patient.supersededBy)
  return {
    resourceType: 'Patient',
    id: patient.fhirId,
    meta: {
      versionId: '1',
      security: [
        { system: `${HL7}/v3-Confidentiality`, code: patient.sensitive === true ? 'R' : 'U' },
      ],
    },
    identifier: [{ system: NHS_NUMBER, value: patient.nhsNumber }],
    active: replacement === undefined,
    name: [
      {
        use: 'official',
        family: patient.family,
        given: patient.given.split(' '),
        prefix: [patient.title],
      },
    ],
    gender: patient.gender,
    birthDate: patient.birthDate,
    ...whereabouts(patient),
    ...(patient.deceased === undefined
      ? {}
      : { deceasedDateTime: `${patient.deceased}T04:20:00+00:00` }),
    ...(replacement === undefined
      ? {}
      : { link: [{ other: subject(replacement), type: 'replaced-by' }] }),
  }
}

const condition = (patient: DemoPatient, problem: DemoProblem, at: number): FhirResource => ({
  resourceType: 'Condition',
  id: `${patient.fhirId}-condition-${at + 1}`,
  clinicalStatus: status('condition-clinical', 'active'),
  verificationStatus: status('condition-ver-status', 'confirmed'),
  category: [status('condition-category', 'problem-list-item')],
  code: concept(problem.text, problem.code),
  subject: subject(patient),
  onsetDateTime: problem.since,
})

const allergy = (patient: DemoPatient, each: DemoAllergy, at: number): FhirResource => ({
  resourceType: 'AllergyIntolerance',
  id: `${patient.fhirId}-allergy-${at + 1}`,
  clinicalStatus: status('allergyintolerance-clinical', 'active'),
  verificationStatus: status('allergyintolerance-verification', 'confirmed'),
  type: 'allergy',
  code: concept(each.text, each.code),
  patient: subject(patient),
  reaction: [{ manifestation: [{ text: each.reaction }] }],
})

const encounter = (patient: DemoPatient, start: EpochMs): FhirResource => ({
  resourceType: 'Encounter',
  id: `${patient.fhirId}-encounter-1`,
  status: 'finished',
  class: { system: `${HL7}/v3-ActCode`, code: 'HH', display: 'home health' },
  type: [{ text: 'Home visit by the practice' }],
  subject: subject(patient),
  period: {
    start: `${patient.deceased ?? dayOf(-9, start)}T10:30:00Z`,
    end: `${patient.deceased ?? dayOf(-9, start)}T11:05:00Z`,
  },
  serviceProvider: { reference: `Organization/${HOME_PRACTICE}` },
})

const carePlan = (patient: DemoPatient, plan: DemoPlan, start: EpochMs): FhirResource => {
  const days = () => Object.values(plan.sections).map((section) => dayOf(section.on, start))
  return {
    resourceType: 'CarePlan',
    id: `${patient.fhirId}-plan`,
    status: 'active',
    intent: 'plan',
    category: [{ ...concept('Personalised Care and Support Plan', '2181441000000107') }],
    title: 'Shared care plan',
    subject: subject(patient),
    created: plan.created === undefined ? days().toSorted()[0] : dayOf(plan.created, start),
    author: { display: 'Northbank shared care plan' },
    description: 'Held as openEHR compositions: one for each section.',
  }
}

function directory(people: readonly DemoPerson[]): readonly FhirResource[] {
  const organizations = new Map(people.map((person) => [person.ods, person.org]))
  return [
    ...people.map((person) => ({
      resourceType: 'Practitioner',
      id: person.uid,
      active: true,
      identifier: [{ system: 'https://fhir.nhs.uk/Id/sds-user-id', value: person.uid }],
      name: [{ text: person.name }],
    })),
    ...[...organizations].map(([ods, name]) => ({
      resourceType: 'Organization',
      id: ods,
      active: true,
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: ods }],
      name,
    })),
  ]
}

/** Everything that the record holds as FHIR. A patient whose record was replaced has no more than that. */
export function fhirResources(
  patients: readonly DemoPatient[],
  plans: readonly DemoPlan[],
  people: readonly DemoPerson[],
  start: EpochMs,
): readonly FhirResource[] {
  const ofPatient = (patient: DemoPatient): readonly FhirResource[] => {
    if (patient.supersededBy !== undefined) return [patientResource(patient, patients)]
    const plan = plans.find((each) => each.patient === patient.nhsNumber)
    return [
      patientResource(patient, patients),
      ...patient.problems.map((problem, at) => condition(patient, problem, at)),
      ...patient.allergies.map((each, at) => allergy(patient, each, at)),
      encounter(patient, start),
      ...(plan === undefined ? [] : [carePlan(patient, plan, start)]),
    ]
  }
  return [...patients.flatMap(ofPatient), ...directory(people)]
}
