/**
 * An openEHR server that answers as EHRbase does where EHRbase differs from the specification, or where that leaves it
 * open. It is not EHRbase, and holds none of its code: it was modelled on what the public sources and integration tests
 * of ehrbase/ehrbase 2.x (REST controllers, handler of exceptions, checks of AQL) and of its openEHR_SDK (bodies of
 * answers) show, in our own words and with made-up data. Of a composition it checks the template alone.
 */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import express, { type ErrorRequestHandler, Router } from 'express'
import { Fault, id, type Json, ModelledStore, SYSTEM, time } from './modelled-openehr-store.js'
import {
  compositionRoutes,
  contributionRoutes,
  ehrIn,
  named,
  type Routes,
  tagged,
  versionRoutes,
  written,
} from './modelled-openehr-versions.js'

/** @param base the path under which it answers */
export function modelledOpenEhr(base: string, credential: string) {
  const store = new ModelledStore()
  /** Method and address under the base, and `If-Match`, in order. */
  const asked: string[] = []
  let first: { readonly call: string; readonly happens: () => void } | undefined
  const guard: express.RequestHandler = (req, res, next) => {
    const call = `${req.method} ${req.url}`
    asked.push([call, req.get('if-match') ?? []].flat().join(' '))
    const { happens } = (first && call.startsWith(first.call) && first) || {}
    if (happens) first = undefined
    happens?.()
    if (store.ways.broken) throw new Fault(500, 'relation ehr.comp_data does not exist')
    if (req.get('authorization') === `Bearer ${credential}`) return next()
    res.status(401).set('WWW-Authenticate', 'Bearer').end()
  }
  const router = Router().use(guard)
  router.use(express.json(), express.text({ type: ['text/plain', 'application/xml'] }))
  for (const [place, handler] of Object.entries(routesOf(store, base))) {
    const [method = '', path = ''] = place.split(' ')
    router[method.toLowerCase() as 'get'](path, (req, res) => handler(req, res))
  }
  const app = express().use(base, router).use(elsewhere).use(faults)
  return {
    ...{ store, asked, listener: app },
    /** Something that happens, once, before a call that begins so is looked at. */
    before(call: string, happens: () => void) {
      first = { call, happens }
    },
  }
}

/** A path that leads nowhere is answered by its framework, not by openEHR. */
const elsewhere: express.RequestHandler = (req, res) =>
  void res.status(404).json({
    ...{ timestamp: new Date().toISOString(), status: 404, error: 'Not Found' },
    path: req.originalUrl,
  })

const faults: ErrorRequestHandler = (thrown, _req, res, _next) => {
  const { status = 500, message, headers = {} } = thrown as Partial<Fault>
  res.status(status).set(headers)
  res.json({ error: STATUS_CODES[status], message })
}

const routesOf = (store: ModelledStore, base: string): Routes => ({
  ...ehrRoutes(store, base),
  ...compositionRoutes(store, base),
  ...versionRoutes(store),
  ...contributionRoutes(store, base),
  ...definitionRoutes(store),
})

function ehrRoutes(store: ModelledStore, base: string): Routes {
  const shown = (ehr: string): Json => ({
    ...{ system_id: id('HIER_OBJECT_ID', SYSTEM), ehr_id: id('HIER_OBJECT_ID', ehr) },
    ...{ ehr_status: store.ehrs.get(ehr), time_created: time(0) },
  })
  const isOf = (status: Json, { subject_id, subject_namespace }: Json): boolean => {
    const { external_ref } = status.subject as { external_ref: { id: Json; namespace: string } }
    return external_ref.id.value === subject_id && external_ref.namespace === subject_namespace
  }
  return {
    'POST /ehr': (req, res) => {
      const ehr = randomUUID()
      const uid = id('OBJECT_VERSION_ID', `${randomUUID()}::${SYSTEM}::1`)
      store.ehrs.set(ehr, { ...req.body, uid })
      tagged(res, ehr, `${base}/ehr`)
      written(req, res, 201, shown(ehr))
    },
    'GET /ehr': (req, res) => {
      const [found] = [...store.ehrs].find(([, status]) => isOf(status, req.query)) ?? []
      if (!found) throw new Fault(404, 'No EHR with supplied subject parameters found')
      tagged(res, found, `${base}/ehr`).json(shown(found))
    },
    'GET /ehr/:ehr': (req, res) => {
      const ehr = ehrIn(store, req)
      tagged(res, ehr, `${base}/ehr`).json(shown(ehr))
    },
    'GET /ehr/:ehr/ehr_status': (req, res) => void res.json(store.ehrs.get(ehrIn(store, req))),
    'GET /ehr/:ehr/directory': (req, res) => {
      const folder = store.folders.get(ehrIn(store, req))
      if (!folder) throw new Fault(404, 'There is no directory stored for this ehr')
      tagged(res, (folder.uid as { value: string }).value, `${base}/directory`).json(folder)
    },
  }
}

function definitionRoutes(store: ModelledStore): Routes {
  const template = (each: string): Json => ({
    ...{ template_id: each, concept: each, created_timestamp: '2026-01-01T00:00:00Z' },
    archetype_id: 'openEHR-EHR-COMPOSITION.care_plan.v0',
  })
  const run: Routes[string] = (req, res) =>
    void res.json(store.run(named(req, 'name'), req.body?.query_parameters ?? {}))
  return {
    'POST /definition/template/adl1.4': (req, res) => {
      const [, said = ''] = /<template_id>\s*<value>([^<]+)/.exec(String(req.body)) ?? []
      store.templates.add(said)
      res.status(201).end()
    },
    'GET /definition/template/adl1.4': (_, res) =>
      void res.json([...store.templates].map(template)),
    'GET /definition/template/adl1.4/:template': (req, res) => {
      const templateId = named(req, 'template')
      if (!store.templates.has(templateId)) throw new Fault(404, 'Template not found')
      res.type('application/openehr.wt+json').json({ templateId, version: '2.3', tree: {} })
    },
    'PUT /definition/query/:name/:version': (req, res) => {
      const version = named(req, 'version')
      store.queries.set(named(req, 'name'), { q: String(req.body), version })
      res.status(200).end()
    },
    // A list, which is empty where there is none.
    'GET /definition/query/:name': (req, res) => {
      const kept = store.queries.get(named(req, 'name'))
      const shown = { name: named(req, 'name'), type: 'AQL', saved: '2026-01-01T00:00:00Z' }
      res.json(kept ? [{ ...kept, ...shown }] : [])
    },
    ...{ 'POST /query/:name': run, 'POST /query/:name/:version': run },
  }
}
