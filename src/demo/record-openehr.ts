/**
 * The openEHR side of the demonstration's record: EHRs, one stored query, templates; compositions are
 * in record-compositions.ts.
 * @see openEHR REST API, "EHR", "Query", "Definition"
 */
import express, { type Request, Router } from 'express'
import type { PlanSection } from '../core/plan.js'
import type { Clock } from '../core/values.js'
import type { DemoPatient } from './patients.js'
import { compositions, fault, object, withUid } from './record-compositions.js'
import { compositionVersions } from './record-versions.js'
import { SYSTEM_ID, type Versions, versionUid } from './versions.js'

const SUBJECT_NAMESPACE = 'https://fhir.nhs.uk/Id/nhs-number'
const PLAN_QUERY = 'care-plan::sections'

const AQL = [
  'SELECT c/archetype_details/template_id/value AS template, c/uid/value AS uid,',
  'c AS composition, e/ehr_id/value AS ehr',
  'FROM EHR e CONTAINS COMPOSITION c',
  'WHERE e/ehr_id/value = $ehr_id',
  "AND c/archetype_details/template_id/value LIKE 'care-plan::*'",
].join(' ')

const COLUMNS = [
  { name: 'template', path: '/archetype_details/template_id/value' },
  { name: 'uid', path: '/uid/value' },
  { name: 'composition', path: '/' },
  { name: 'ehr', path: '/ehr_id/value' },
]

const statusOf = (patient: DemoPatient, ehrId: string) => ({
  _type: 'EHR_STATUS',
  uid: object('OBJECT_VERSION_ID', `${ehrId}::${SYSTEM_ID}::1`),
  is_queryable: true,
  is_modifiable: true,
  subject: {
    _type: 'PARTY_SELF',
    external_ref: {
      _type: 'PARTY_REF',
      id: { _type: 'GENERIC_ID', value: patient.nhsNumber, scheme: 'nhs-number' },
      namespace: SUBJECT_NAMESPACE,
      type: 'PERSON',
    },
  },
})

const ehrOf = (patient: DemoPatient, ehrId: string) => ({
  _type: 'EHR',
  system_id: object('HIER_OBJECT_ID', SYSTEM_ID),
  ehr_id: object('HIER_OBJECT_ID', ehrId),
  ehr_status: statusOf(patient, ehrId),
  time_created: object('DV_DATE_TIME', '2024-01-08T09:00:00Z'),
})

/** Parameters of a stored query: of the body, or of the address. */
const ehrAsked = ({ body, query }: Request): string => {
  const { query_parameters: own } = (body ?? {}) as { query_parameters?: { ehr_id?: unknown } }
  return String(own?.ehr_id ?? query.ehr_id ?? '')
}

interface Parts {
  readonly patients: readonly DemoPatient[]
  readonly form: readonly PlanSection[]
  readonly versions: Versions
  readonly clock: Clock
}

export function openEhrRecord({ patients, form, versions, clock }: Parts): Router {
  const router = Router()
  const patientOf = (ehrId: string) => patients.find((patient) => patient.ehrId === ehrId)

  router.use(express.json({ limit: '2mb' }))
  router.get('/ehr', (req, res) => {
    const { subject_id, subject_namespace } = req.query
    const patient = patients.find((each) => each.nhsNumber === subject_id)
    if (subject_namespace !== SUBJECT_NAMESPACE || patient?.ehrId === undefined)
      fault(res, 404, 'No EHR of this subject')
    else res.json(ehrOf(patient, patient.ehrId))
  })
  router.get('/ehr/:ehr', (req, res) => {
    const patient = patientOf(req.params.ehr)
    if (patient === undefined) fault(res, 404, 'No EHR with this ehr_id')
    else res.json(ehrOf(patient, req.params.ehr))
  })
  router.get(['/ehr/:ehr/ehr_status', '/ehr/:ehr/ehr_status/:uid'], (req, res) => {
    const { ehr = '', uid } = req.params as Record<string, string>
    const patient = patientOf(ehr)
    const status = patient && statusOf(patient, ehr)
    if (status === undefined || (uid ?? status.uid.value) !== status.uid.value)
      fault(res, 404, 'No such EHR_STATUS')
    else res.set('ETag', `"${status.uid.value}"`).json(status)
  })
  const kept = { hasEhr: (ehr: string) => patientOf(ehr) !== undefined, form, versions, clock }
  router.use(compositions(kept))
  router.use(compositionVersions(kept))
  router.all('/query/:name', (req, res) => {
    const ehr = ehrAsked(req)
    if (req.params.name !== PLAN_QUERY) return fault(res, 404, 'No such stored query')
    if (patientOf(ehr) === undefined) return fault(res, 404, 'No EHR with this ehr_id')
    const rows = versions
      .current(ehr)
      .map((each) => [each.template, versionUid(each), withUid(each), ehr])
    return res.json({ q: AQL, name: PLAN_QUERY, columns: COLUMNS, rows })
  })
  router.get('/definition/query/:name', (req, res) => {
    if (req.params.name !== PLAN_QUERY) fault(res, 404, 'No such stored query')
    else res.json([{ name: PLAN_QUERY, type: 'AQL', version: '1.0.0', q: AQL }])
  })
  router.get('/definition/template/adl1.4', (_req, res) => {
    res.json(form.map((section) => ({ template_id: section.template, concept: section.title })))
  })
  router.get('/definition/template/adl1.4/:id', (req, res) => {
    const section = form.find(({ template }) => template === req.params.id)
    if (section === undefined) return fault(res, 404, 'No such template')
    const nodes = section.fields.map(({ id, node, title }) => ({ id, nodeId: node, name: title }))
    return res.json({ templateId: section.template, version: '2.3', tree: { children: nodes } })
  })
  router.use((_req, res) => {
    fault(res, 404, 'Nothing here')
  })
  return router
}
