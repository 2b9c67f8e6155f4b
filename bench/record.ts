/** The record behind the gateway: just enough of FHIR and openEHR to find a patient. Its cost is not counted. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { answer } from './answering.js'
import { type BenchPatient, PATIENTS } from './people.js'

const NHS_NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'

const patientResource = ({ fhirId, nhsNumber, birthDate }: BenchPatient) => ({
  resourceType: 'Patient',
  id: fhirId,
  meta: {
    versionId: '1',
    security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'U' }],
  },
  identifier: [{ system: NHS_NUMBER, value: nhsNumber }],
  active: true,
  name: [{ use: 'official', family: 'Testpatient', given: ['Ivy', 'Anne'], prefix: ['Mrs'] }],
  gender: 'female',
  birthDate,
  telecom: [{ system: 'phone', value: '01632 960101', use: 'home' }],
  address: [{ use: 'home', line: ['1 Example Street'], city: 'Northbank', postalCode: 'ZZ99 3VZ' }],
  generalPractitioner: [{ reference: 'Organization/A83001' }],
})

const searchset = (patient: BenchPatient) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  total: 1,
  entry: [{ resource: patientResource(patient), search: { mode: 'match' } }],
})

const ehr = ({ ehrId, nhsNumber }: BenchPatient) => ({
  _type: 'EHR',
  system_id: { _type: 'HIER_OBJECT_ID', value: 'record.example' },
  ehr_id: { _type: 'HIER_OBJECT_ID', value: ehrId },
  ehr_status: {
    _type: 'EHR_STATUS',
    is_queryable: true,
    is_modifiable: true,
    subject: {
      _type: 'PARTY_SELF',
      external_ref: {
        _type: 'PARTY_REF',
        id: { _type: 'GENERIC_ID', value: nhsNumber, scheme: 'nhs-number' },
        namespace: NHS_NUMBER,
        type: 'PERSON',
      },
    },
  },
  time_created: { _type: 'DV_DATE_TIME', value: '2024-01-08T09:00:00Z' },
})

/** 10.4 kB of problems. */
const PROBLEMS = 11
const problem = ({ fhirId }: BenchPatient, number: number) => ({
  resourceType: 'Condition',
  id: `${fhirId}-${number}`,
  meta: { versionId: '3', lastUpdated: '2026-03-02T10:12:41.000+00:00' },
  clinicalStatus: {
    coding: [
      { system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' },
    ],
  },
  category: [
    {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/condition-category',
          code: 'problem-list-item',
          display: 'Problem List Item',
        },
      ],
    },
  ],
  code: {
    coding: [{ system: 'http://snomed.info/sct', code: '84114007', display: 'Heart failure' }],
    text: 'Heart failure',
  },
  subject: { reference: `Patient/${fhirId}` },
  recorder: { reference: 'Practitioner/555254240101', display: 'Dr Amara Okafor' },
  onsetDateTime: '2019-05-01',
  note: [{ text: 'Breathless on the stairs; knows which signs to call for. '.repeat(3) }],
})
const problems = (patient: BenchPatient) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  total: PROBLEMS,
  entry: Array.from({ length: PROBLEMS }, (_, number) => ({
    fullUrl: `http://record/fhir/Condition/${patient.fhirId}-${number}`,
    resource: problem(patient, number),
    search: { mode: 'match' },
  })),
})

const answersOf = (make: (patient: BenchPatient) => object) =>
  new Map(PATIENTS.map((patient) => [patient.nhsNumber, JSON.stringify(make(patient))]))
const searches = answersOf(searchset)
const ehrs = answersOf(ehr)
const conditions = new Map(
  PATIENTS.map((patient) => [patient.fhirId, JSON.stringify(problems(patient))]),
)
const patients = new Map(
  PATIENTS.map((patient) => [patient.fhirId, JSON.stringify(patientResource(patient))]),
)

async function answerOf(req: IncomingMessage): Promise<string | undefined> {
  const { pathname, searchParams } = new URL(req.url ?? '', 'http://record')
  if (pathname === '/openehr/ehr') return ehrs.get(searchParams.get('subject_id') ?? '')
  if (pathname === '/fhir/Condition')
    return conditions.get(searchParams.get('patient')?.replace('Patient/', '') ?? '')
  if (req.method === 'GET') return patients.get(pathname.replace('/fhir/Patient/', ''))
  const asked = new URLSearchParams(await text(req)).get('identifier') ?? ''
  return pathname === '/fhir/Patient/_search' ? searches.get(asked.split('|')[1] ?? '') : undefined
}

const server = createServer(async (req, res) => {
  const body = await answerOf(req)
  const type = req.url?.startsWith('/fhir') ? 'application/fhir+json' : 'application/json'
  res.writeHead(body === undefined ? 404 : 200, { 'content-type': type })
  res.end(body ?? '{"message":"Not here"}')
})

answer(
  {
    async open() {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
  },
  async () => server.closeAllConnections(),
)
