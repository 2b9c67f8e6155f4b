/** Who a patient is in the record: found by NHS number, proven by birth date, followed to today's record. */
import { z } from 'zod'
import type { BirthDate, KnownPatient, NhsNumber } from '../core/context.js'
import { SEARCHING } from '../core/fhir-search.js'
import { readNhsNumber } from '../core/nhs-number.js'
import { type PatientFlags, patientFlags } from '../core/patient-flags.js'
import { Refusal } from '../core/refusal.js'
import { readSearchset } from '../core/searchset.js'
import { type EhrServer, findEhr, soleEhr } from './ehr.js'
import type { Upstream } from './upstream.js'

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const MOST_REPLACEMENTS = 3
const MOST_NUMBERS = 10

const NO_MATCH = 'no match'
/** Whether nobody bears the number here, which says nothing of other records. */
export const isNobody = (error: unknown): boolean =>
  error instanceof Refusal && error.code === 'patient_unknown' && error.detail === NO_MATCH

/** As much of a FHIR R4 Patient as identifies; what else it says is core/patient-flags.ts's. */
const patientResource = z.looseObject({
  resourceType: z.literal('Patient'),
  id: z.string().regex(/^[A-Za-z0-9.-]{1,64}$/),
  active: z.boolean().optional(),
  identifier: z
    .array(
      z.object({
        system: z.string().optional(),
        value: z.string().optional(),
        use: z.string().optional(),
      }),
    )
    .default([]),
  birthDate: z.string().optional(),
  link: z
    .array(z.object({ type: z.string(), other: z.object({ reference: z.string().optional() }) }))
    .default([]),
})
type PatientResource = z.infer<typeof patientResource>

const entry = z.object({
  resource: z.looseObject({ resourceType: z.string() }),
  search: z.object({ mode: z.string().optional() }).optional(),
})

const invalid = (detail: string) => new Refusal('upstream_invalid', detail)

function read<T>(schema: z.ZodType<T>, body: unknown, what: string): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw invalid(`${what}: ${result.error.issues[0]?.path.join('.') ?? ''}`)
}

const numbersOf = (patient: PatientResource) =>
  patient.identifier.filter((each) => each.system === NHS_NUMBER)

/** The one number that this record bears now. @throws Refusal upstream_invalid */
function currentNumber(patient: PatientResource): NhsNumber {
  const values = numbersOf(patient).filter((each) => each.use !== 'old')
  const [value, ...others] = new Set(values.map((each) => each.value))
  const number = readNhsNumber(value)
  if (number === undefined || others.length > 0) throw invalid('fhir: Patient.identifier')
  return number
}

/** The search's one match. @throws Refusal patient_unknown, upstream_invalid */
async function searchPatient(fhir: Upstream, number: NhsNumber): Promise<PatientResource> {
  // By form, not by address: addresses end up in logs, on both sides (FHIR R4, "Search", POST).
  const answer = await fhir.call({
    method: 'POST',
    path: '/Patient/_search',
    headers: { ...SEARCHING, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ identifier: `${NHS_NUMBER}|${number}` }).toString(),
  })
  if (answer.status !== 200) throw invalid(`fhir: search gave ${answer.status}`)
  const matches = readSearchset(answer.body)
    .entries.map((each) => read(entry, each, 'fhir: Bundle.entry'))
    .filter(({ search }) => (search?.mode ?? 'match') === 'match')
    .map(({ resource }) => read(patientResource, resource, 'fhir: Patient'))
  // A server that does not know the parameter may answer with everybody.
  if (!matches.every((patient) => numbersOf(patient).some((each) => each.value === number)))
    throw invalid('fhir: search gave another patient')
  const [patient, ...others] = matches
  if (patient === undefined) throw new Refusal('patient_unknown', NO_MATCH)
  if (others.length > 0) throw new Refusal('patient_unknown', 'several matches')
  return patient
}

async function readPatient(fhir: Upstream, id: string): Promise<PatientResource> {
  const answer = await fhir.call({ method: 'GET', path: `/Patient/${id}` })
  if (answer.status !== 200) throw invalid(`fhir: Patient gave ${answer.status}`)
  const patient = read(patientResource, answer.body, 'fhir: Patient')
  if (patient.id !== id) throw invalid('fhir: another Patient than asked')
  return patient
}

/** The id that a `replaced-by` link leads to, in our own record only. */
function replacementOf(fhir: Upstream, patient: PatientResource): string | undefined {
  const links = patient.link.filter((link) => link.type === 'replaced-by')
  if (links.length === 0) return undefined
  const reference = links[0]?.other.reference ?? ''
  const local = reference.startsWith(`${fhir.base}/`)
    ? reference.slice(fhir.base.length + 1)
    : reference
  const id = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(local)?.[1]
  if (links.length > 1 || id === undefined) throw invalid('fhir: Patient.link')
  return id
}

/**
 * The record that stands today, and those that it replaced on the way to it.
 * @throws Refusal patient_unknown (invalidated and replaced by nobody), upstream_invalid
 */
async function followReplacements(fhir: Upstream, found: PatientResource) {
  let patient = found
  const replaced: PatientResource[] = []
  for (;;) {
    const id = replacementOf(fhir, patient)
    if (id === undefined) break
    if (replaced.length === MOST_REPLACEMENTS) throw invalid('fhir: too many replacements')
    replaced.push(patient)
    patient = await readPatient(fhir, id)
  }
  if (patient.active === false) throw new Refusal('patient_unknown', 'not active')
  return { patient, replaced }
}

/** Every number that a patient bears or bore. One that is none is asked for as it stands. */
function numbersEver(patients: readonly PatientResource[]): ReadonlySet<string> {
  const values = patients.flatMap(numbersOf).flatMap(({ value }) => value ?? [])
  const numbers = new Set(values.map((value) => readNhsNumber(value) ?? value))
  if (numbers.size > MOST_NUMBERS) throw invalid('fhir: too many NHS numbers of one patient')
  return numbers
}

/**
 * The patient of a launch. Number alone never identifies: the birth date must be that of the record
 * which bears the number today. On the `sealed` rung call this once the user has typed the date.
 *
 * @throws Refusal patient_unknown, patient_mismatch; record_unavailable, upstream_invalid when the
 *   record could not answer, which never reads as "no such patient" or "no plan"
 */
export async function findPatient(
  fhir: Upstream,
  openehr: EhrServer,
  nhsNumber: NhsNumber,
  birthDate: BirthDate,
): Promise<KnownPatient> {
  // Both servers are asked at once; what openEHR says counts only when the patient has been proven.
  const asked = findEhr(openehr, nhsNumber)
  asked.catch(() => undefined)

  const found = await searchPatient(fhir, nhsNumber)
  const { patient, replaced } = await followReplacements(fhir, found)
  if (patient.birthDate !== birthDate) throw new Refusal('patient_mismatch', 'birth date')
  const current = currentNumber(patient)

  const numbers = numbersEver([patient, ...replaced])
  const ehrs = await Promise.all(
    [...numbers].map((number) => (number === nhsNumber ? asked : findEhr(openehr, number))),
  )
  const ehrId = soleEhr(ehrs, current, numbers)
  return {
    fhirId: patient.id,
    nhsNumber: current,
    ...(ehrId === undefined ? {} : { ehrId }),
    ...(current === nhsNumber ? {} : { supersededNumber: nhsNumber }),
    ...patientFlags(patient),
  }
}

/**
 * What a patient who was found at the launch says of itself now.
 *
 * @throws Refusal patient_unknown when the record was replaced or invalidated since: another launch finds
 *   the one that stands; record_unavailable, upstream_invalid
 */
export async function findFlags(fhir: Upstream, id: string): Promise<PatientFlags> {
  const patient = await readPatient(fhir, id)
  if (patient.active === false || replacementOf(fhir, patient) !== undefined)
    throw new Refusal('patient_unknown', 'replaced since the launch')
  return patientFlags(patient)
}
