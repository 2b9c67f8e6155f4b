/**
 * The FHIR side of the demonstration's record: read, search and `_search` of a few types.
 * @see FHIR R4, "RESTful API"
 */
import express, { type Request, type Response, Router } from 'express'
import type { FhirResource } from './fhir-resources.js'

type Test = (resource: FhirResource, value: string) => boolean
interface Coded {
  readonly coding?: readonly { readonly system?: string; readonly code?: string }[]
}

const refersTo = (reference: unknown, value: string): boolean => {
  const target = (reference as { readonly reference?: string } | undefined)?.reference
  return target === value || target === `Patient/${value}`
}
const hasCode = (concepts: unknown, value: string): boolean =>
  (Array.isArray(concepts) ? concepts : [concepts]).some((concept: Coded | undefined) =>
    concept?.coding?.some(
      ({ system, code }) => code === value || `${system ?? ''}|${code ?? ''}` === value,
    ),
  )

const byId: Test = (resource, value) => resource.id === value
const bySubject: Test = (resource, value) => refersTo(resource.subject, value)
const byPatient: Test = (resource, value) => refersTo(resource.patient, value)
const byStatus: Test = (resource, value) => resource.status === value
const byIdentifier: Test = (resource, value) =>
  (resource.identifier as readonly { system: string; value: string }[] | undefined)?.some(
    (each) => `${each.system}|${each.value}` === value,
  ) ?? false
const byClinicalStatus: Test = (resource, value) => hasCode(resource.clinicalStatus, value)
const byCategory: Test = (resource, value) => hasCode(resource.category, value)

/** What can be searched by, type by type. */
// biome-ignore format: a table
const SEARCHES: Readonly<Record<string, Readonly<Record<string, Test>>>> = {
  Patient:            { _id: byId, identifier: byIdentifier },
  CarePlan:           { _id: byId, patient: bySubject, status: byStatus, category: byCategory },
  Condition:          { _id: byId, patient: bySubject, 'clinical-status': byClinicalStatus, category: byCategory },
  AllergyIntolerance: { _id: byId, patient: byPatient, 'clinical-status': byClinicalStatus },
  Encounter:          { _id: byId, patient: bySubject, status: byStatus },
  Practitioner:       { _id: byId, identifier: byIdentifier },
  Organization:       { _id: byId, identifier: byIdentifier },
}

const outcome = (res: Response, status: number, code: string, text: string) =>
  res
    .status(status)
    .type('application/fhir+json')
    .send(
      JSON.stringify({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code, diagnostics: text }],
      }),
    )

const capabilities = (base: string) => ({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-11-01',
  kind: 'instance',
  software: { name: 'Northbank shared record (demonstration)' },
  implementation: { description: 'Synthetic patients only', url: base },
  fhirVersion: '4.0.1',
  format: ['json'],
  rest: [
    {
      mode: 'server',
      resource: Object.entries(SEARCHES).map(([type, parameters]) => ({
        type,
        interaction: [{ code: 'read' }, { code: 'search-type' }],
        versioning: 'no-version',
        searchParam: Object.keys(parameters).map((name) => ({
          name,
          type: name === 'patient' ? 'reference' : 'token',
        })),
      })),
    },
  ],
})

interface Page {
  readonly entries: readonly FhirResource[]
  readonly total: number
  readonly next?: string
}

function page(found: readonly FhirResource[], query: URLSearchParams, address: string): Page {
  const offset = Number(query.get('_offset') ?? 0)
  const count = Number(query.get('_count') ?? found.length)
  const entries = found.slice(offset, offset + count)
  if (offset + count >= found.length) return { entries, total: found.length }
  const following = new URLSearchParams(query)
  following.set('_offset', String(offset + count))
  return { entries, total: found.length, next: `${address}?${following}` }
}

const baseOf = (req: Request) => `${req.protocol}://${req.get('host') ?? ''}${req.baseUrl}`

const send = (res: Response, body: unknown) =>
  res.type('application/fhir+json').send(JSON.stringify(body))

function search(
  resources: readonly FhirResource[],
  req: Request,
  res: Response,
  query: URLSearchParams,
) {
  const type = String(req.params.type)
  const tests = SEARCHES[type]
  if (tests === undefined) return outcome(res, 404, 'not-supported', 'Unknown type')
  const asked = [...query].filter(([name]) => !['_count', '_offset'].includes(name))
  if (asked.some(([name]) => tests[name] === undefined))
    return outcome(res, 400, 'not-supported', 'Unknown search parameter')
  const found = resources.filter(
    (resource) =>
      resource.resourceType === type &&
      asked.every(([name, value]) => tests[name]?.(resource, value)),
  )
  const base = baseOf(req)
  const { entries, total, next } = page(found, query, `${base}/${type}`)
  // A search by form keeps its values out of addresses, so no link repeats them.
  const link = [
    { relation: 'self', url: `${base}/${type}?${query}` },
    ...(next === undefined ? [] : [{ relation: 'next', url: next }]),
  ]
  return send(res, {
    resourceType: 'Bundle',
    type: 'searchset',
    total,
    ...(req.method === 'GET' ? { link } : {}),
    entry: entries.map((resource) => ({
      fullUrl: `${base}/${type}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  })
}

export function fhirRecord(resources: readonly FhirResource[]): Router {
  const router = Router()
  const form = express.text({ type: 'application/x-www-form-urlencoded' })
  router.get('/metadata', (req, res) => {
    send(res, capabilities(baseOf(req)))
  })
  router.post('/:type/_search', form, (req, res) => {
    const body = typeof req.body === 'string' ? req.body : ''
    search(resources, req, res, new URLSearchParams(body))
  })
  router.get('/:type', (req, res) => {
    search(resources, req, res, new URLSearchParams(req.originalUrl.split('?')[1] ?? ''))
  })
  router.get('/:type/:id', (req, res) => {
    const { type, id } = req.params
    const found = resources.find((each) => each.resourceType === type && each.id === id)
    if (found === undefined) return outcome(res, 404, 'not-found', 'No such resource')
    res.set('ETag', 'W/"1"')
    return send(res, found)
  })
  router.use((_req, res) => {
    outcome(res, 405, 'not-supported', 'Not offered')
  })
  return router
}
