/** What the pretend GP systems hand over of their own records: problems, allergies and repeat medication. */
import type { DemoPatient } from './patients.js'

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const SNOMED = 'http://snomed.info/sct'

const concept = (text: string, code?: string) => ({
  ...(code === undefined ? {} : { coding: [{ system: SNOMED, code, display: text }] }),
  text,
})

type Chart = Pick<DemoPatient, 'nhsNumber'> & Partial<DemoPatient>

/** "Bisoprolol 2.5 mg tablets, one each morning": what, and how much of it when. */
const partsOf = (line: string): { readonly medicine: string; readonly dose?: string } => {
  const [medicine = line, ...dose] = line.split(', ')
  return { medicine, ...(dose.length === 0 ? {} : { dose: dose.join(', ') }) }
}

/** A FHIR Bundle of one patient, who is named by NHS number: the launch's record calls them otherwise. */
export function dataOf({ nhsNumber, problems = [], allergies = [], medication = [] }: Chart) {
  const patient = { identifier: { system: NHS_NUMBER, value: nhsNumber } }
  const resources = [
    ...problems.map(({ text, code, since }, at) => ({
      ...{ resourceType: 'Condition', id: `problem-${at + 1}`, code: concept(text, code) },
      ...{ subject: patient, onsetDateTime: since },
    })),
    ...allergies.map(({ text, code, reaction }, at) => ({
      ...{ resourceType: 'AllergyIntolerance', id: `allergy-${at + 1}`, code: concept(text, code) },
      ...{ patient, reaction: [{ manifestation: [{ text: reaction }] }] },
    })),
    ...medication.map((line, at) => {
      const { medicine, dose } = partsOf(line)
      return {
        ...{ resourceType: 'MedicationStatement', id: `medication-${at + 1}`, status: 'active' },
        ...{ medicationCodeableConcept: concept(medicine), subject: patient },
        ...(dose === undefined ? {} : { dosage: [{ text: dose }] }),
      }
    }),
  ]
  return {
    ...{ resourceType: 'Bundle', type: 'collection' },
    entry: resources.map((resource) => ({ resource })),
  } as const
}
