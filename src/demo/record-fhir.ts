/**
 * The FHIR side of the demonstration's record: reads, histories, searches, writes under their versions,
 * transactions.
 * @see FHIR R4, "RESTful API"
 */
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express'
import type { FhirResource } from './fhir-resources.js'
import { type FhirVersion, type FhirVersions, tagOf } from './fhir-versions.js'
import { found, included, page, SEARCHES } from './record-fhir-search.js'
import { type Done, Fault, transact, write } from './record-fhir-write.js'

const CODES = ['read', 'vread', 'history-instance', 'search-type', 'create', 'update', 'delete']

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
      interaction: [{ code: 'transaction' }],
      resource: Object.entries(SEARCHES).map(([type, parameters]) => ({
        type,
        interaction: CODES.map((code) => ({ code })),
        versioning: 'versioned',
        conditionalCreate: true,
        searchParam: Object.keys(parameters).map((name) => ({
          name,
          type: name === 'patient' ? 'reference' : /date$/.test(name) ? 'date' : 'token',
        })),
      })),
    },
  ],
})

const baseOf = (req: Request) => `${req.protocol}://${req.get('host') ?? ''}${req.baseUrl}`

const send = (res: Response, body: unknown) =>
  res.type('application/fhir+json').send(JSON.stringify(body))

const sendVersion = (res: Response, version: FhirVersion) =>
  send(
    res.set({ ETag: tagOf(version), 'Last-Modified': new Date(version.at).toUTCString() }),
    version.resource,
  )

function search(versions: FhirVersions, req: Request, res: Response, query: URLSearchParams) {
  const type = String(req.params.type)
  const matches = found(versions.current, type, query)
  if (SEARCHES[type] === undefined) throw new Fault(404, 'not-supported', 'Unknown type')
  if (matches === undefined) throw new Fault(400, 'not-supported', 'Unknown search parameter')
  const base = baseOf(req)
  const { entries, total, next } = page(matches, query, `${base}/${type}`)
  const along = included(versions.current, entries, query.get('_include'))
  if (along === undefined) throw new Fault(400, 'not-supported', 'Unknown include')
  const entryOf = (mode: string) => (resource: FhirResource) => ({
    fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
    resource,
    search: { mode },
  })
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
    entry: [...entries.map(entryOf('match')), ...along.map(entryOf('include'))],
  })
}

const placeOf = (base: string, { type, version }: Done): string | undefined =>
  version && `${base}/${type}/${version.resource?.id}/_history/${version.number}`

function sendDone(req: Request, res: Response, done: Done) {
  const place = placeOf(baseOf(req), done)
  res.status(done.status)
  if (place !== undefined) res.set('Location', place)
  return done.version === undefined ? res.end() : sendVersion(res, done.version)
}

const history = (base: string, type: string, id: string, all: readonly FhirVersion[]) => ({
  resourceType: 'Bundle',
  type: 'history',
  total: all.length,
  entry: all.toReversed().map(({ method, resource, at, number }) => ({
    fullUrl: `${base}/${type}/${id}`,
    ...(resource === undefined ? {} : { resource }),
    request: { method, url: `${type}/${id}` },
    response: { status: '200', etag: `W/"${number}"`, lastModified: at },
  })),
})

const responses = (base: string, done: readonly Done[]) => ({
  resourceType: 'Bundle',
  type: 'transaction-response',
  entry: done.map((one) => ({
    ...(one.version === undefined ? {} : { resource: one.version.resource }),
    response: {
      status: String(one.status),
      ...(one.version === undefined
        ? {}
        : { location: placeOf(base, one), etag: tagOf(one.version) }),
    },
  })),
})

const said: ErrorRequestHandler = (error, _req, res, next) => {
  if (!(error instanceof Fault)) return next(error)
  const { status, code, message } = error
  const issue = [{ severity: 'error', code, diagnostics: message }]
  send(res.status(status), { resourceType: 'OperationOutcome', issue })
}

function writes(versions: FhirVersions): Router {
  const router = Router()
  const json = express.json({ type: ['application/fhir+json', 'application/json'], limit: '2mb' })
  router.post('/', json, (req, res) => {
    const { type, entry } = (req.body ?? {}) as { type?: string; entry?: [] }
    if (type !== 'transaction' || entry === undefined)
      throw new Fault(400, 'invalid', 'Not a transaction')
    send(res, responses(baseOf(req), transact(versions, entry)))
  })
  router.all(['/:type', '/:type/:id'], json, (req, res, next) => {
    const { type, id } = req.params as { type: string; id?: string }
    if (req.method === 'GET') return next()
    const headers = { ifMatch: req.get('if-match'), ifNoneExist: req.get('if-none-exist') }
    const wish = { method: req.method, type, id, resource: req.body, ...headers }
    return sendDone(req, res, write(versions, wish))
  })
  return router
}

export function fhirRecord(versions: FhirVersions): Router {
  const router = Router()
  const form = express.text({ type: 'application/x-www-form-urlencoded' })
  router.get('/metadata', (req, res) => {
    send(res, capabilities(baseOf(req)))
  })
  router.post('/:type/_search', form, (req, res) => {
    const body = typeof req.body === 'string' ? req.body : ''
    search(versions, req, res, new URLSearchParams(body))
  })
  router.use(writes(versions))
  router.get('/:type', (req, res) => {
    search(versions, req, res, new URLSearchParams(req.originalUrl.split('?')[1] ?? ''))
  })
  router.get('/:type/:id', (req, res) => {
    const current = versions.of(req.params.type, req.params.id).at(-1)
    if (current?.resource === undefined) throw new Fault(404, 'not-found', 'No such resource')
    sendVersion(res, current)
  })
  router.get('/:type/:id/_history', (req, res) => {
    const { type, id } = req.params
    const all = versions.of(type, id)
    if (all.length === 0) throw new Fault(404, 'not-found', 'No such resource')
    send(res, history(baseOf(req), type, id, all))
  })
  router.get('/:type/:id/_history/:version', (req, res) => {
    const { type, id, version } = req.params
    const one = versions.of(type, id).find(({ number }) => String(number) === version)
    if (one?.resource === undefined) throw new Fault(404, 'not-found', 'No such version')
    sendVersion(res, one)
  })
  router.use(() => {
    throw new Fault(405, 'not-supported', 'Not offered')
  })
  router.use(said)
  return router
}
