/**
 * The openEHR side of the demonstration's record: EHRs, one stored query, templates; compositions are
 * in record-compositions.ts.
 * @see openEHR REST API, "EHR", "Query", "Definition"
 */
import express, { Router } from 'express'
import type { PlanSection } from '../core/plan.js'
import type { Clock } from '../core/values.js'
import type { DemoPatient } from './patients.js'
import { compositions, fault, object, withUid } from './record-compositions.js'
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

const ehrOf = (patient: DemoPatient, ehrId: string) => ({
  _type: 'EHR',
  system_id: object('HIER_OBJECT_ID', SYSTEM_ID),
  ehr_id: object('HIER_OBJECT_ID', ehrId),
  ehr_status: {
    _type: 'EHR_STATUS',
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
  },
  time_created: object('DV_DATE_TIME', '2024-01-08T09:00:00Z'),
})

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
  router.use(compositions({ hasEhr: (ehr) => patientOf(ehr) !== undefined, form, versions, clock }))
  router.get('/query/:name', (req, res) => {
    const ehr = String(req.query.ehr_id ?? '')
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
  router.use((_req, res) => {
    fault(res, 404, 'Nothing here')
  })
  return router
}
