/**
 * A FHIR R4 server that answers as the JPA server of HAPI FHIR does where other servers answer otherwise. It is not HAPI
 * and holds none of its code: it was modelled on what the public sources of hapifhir/hapi-fhir 6 to 8 (paging, method
 * bindings, storage settings, transaction processor) and the settings of hapi-fhir-jpaserver-starter show, in our own
 * words and with made-up data.
 */
import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express'
import {
  Fault,
  type Json,
  type Match,
  ModelledResources,
  type Version,
} from './modelled-fhir-store.js'

/** Where it pages by itself, and how long it remembers a search: `reuse_cached_search_results_millis`. */
const PAGE = 20
const REMEMBERED = 60_000

const outcome = (severity: string, code: string, diagnostics: string) => ({
  resourceType: 'OperationOutcome',
  text: { status: 'generated', div: '<div><h1>Operation Outcome</h1></div>' },
  issue: [{ severity, code, diagnostics }],
})
const param = (req: Request, name: string) => String(req.params[name] ?? '')
const place = ({ type, id, number }: Version) => `${type}/${id}/_history/${number}`

/** @param base the path under which it answers; `server` how it names itself in answers */
export function modelledFhir(base: string, server: () => string, credential: string) {
  const resources = new ModelledResources()
  /** Method and address under the base, and what may decide of a search, in order. */
  const asked: string[] = []
  let first: { readonly call: string; readonly happens: () => void } | undefined
  const guard: express.RequestHandler = (req, _res, next) => {
    const how = [req.get('prefer'), req.get('cache-control')].filter(Boolean)
    const call = `${req.method} ${req.url}`
    asked.push([call, ...how].join(' '))
    const { happens } = (first && call.startsWith(first.call) && first) || {}
    if (happens) first = undefined
    happens?.()
    if (req.get('authorization') === `Bearer ${credential}`) return next()
    throw new Fault(401, 'Missing or invalid Authorization header')
  }
  const router = Router().use(guard)
  router.use(express.json({ type: ['application/json', 'application/fhir+json'] }))
  router.use(express.text({ type: 'application/x-www-form-urlencoded' }))
  searchRoutes(router, resources, () => server() + base)
  resourceRoutes(router, resources, () => server() + base)
  const give: express.RequestHandler = (_req, res, next) => {
    res.type('application/fhir+json')
    next()
  }
  return {
    ...{ resources, asked, listener: express().use(give).use(base, router).use(faults) },
    /** Something that happens, once, before a call that begins so is looked at. */
    before(call: string, happens: () => void) {
      first = { call, happens }
    },
  }
}

const faults: ErrorRequestHandler = (thrown, _req, res, _next) => {
  const { status = 500, message = '' } = thrown as Partial<Fault>
  res.status(status).json(outcome('error', 'processing', `HAPI-0000: ${message} (HFJ_RESOURCE)`))
}

function told(res: Response, version: Version, where: string): Response {
  res.set({ ETag: `W/"${version.number}"`, 'Last-Modified': version.at.toUTCString() })
  return res.set('Content-Location', `${where}/${place(version)}`)
}

interface Page {
  readonly matches: readonly Match[]
  readonly total?: number
  readonly next?: string
}

/**
 * With `_offset`, pages of the database, found anew each time; a page that is not full says how many there are, and
 * counts to them what came along. The next one is asked for at the path of this one, and stands there after a full page
 * even where nothing follows.
 */
function pageByOffset(
  all: ModelledResources,
  type: string,
  asked: URLSearchParams,
  path: string,
): Page {
  const [from, count] = [Number(asked.get('_offset')), Number(asked.get('_count') ?? PAGE)]
  const found = all.find(type, asked).slice(from, from + count)
  const matches = all.withIncluded(found, asked)
  if (found.length < count) return { matches, total: from + matches.length }
  const onward = new URLSearchParams(asked)
  onward.set('_offset', String(from + count))
  onward.set('_count', String(count))
  return { matches, next: `${path}?${onward}` }
}

function searchRoutes(router: Router, all: ModelledResources, where: () => string): void {
  const kept = new Map<string, { readonly at: number; readonly found: readonly Json[] }>()
  const pages = new Map<
    string,
    { readonly found: readonly Json[]; readonly asked: URLSearchParams }
  >()

  /** What it found within the last minute by the same words, unless it is told not to. */
  function remembered(req: Request, type: string, asked: URLSearchParams): readonly Json[] {
    const [words, before] = [`${type}?${asked}`, kept.get(`${type}?${asked}`)]
    const fresh = req.get('cache-control') === 'no-cache'
    if (!fresh && before && Date.now() - before.at < REMEMBERED) return before.found
    const found = all.find(type, asked)
    kept.set(words, { at: Date.now(), found })
    return found
  }
  /** Pages of what was found, for whoever holds the word that names it. */
  function pageOf(word: string, from: number, count: number): Page {
    const { found, asked } = pages.get(word) ?? { found: [], asked: new URLSearchParams() }
    if (!pages.has(word))
      throw new Fault(410, `Search ID "${word}" does not exist and may have expired`)
    const matches = all.withIncluded(found.slice(from, from + count), asked)
    const next = `${where()}?_getpages=${word}&_getpagesoffset=${from + count}&_count=${count}&_bundletype=searchset`
    return { matches, total: found.length, ...(from + count < found.length ? { next } : {}) }
  }
  const give = (res: Response, self: string, { matches, total, next }: Page) =>
    void res.json({
      ...{ resourceType: 'Bundle', id: randomUUID(), type: 'searchset' },
      ...(total === undefined ? {} : { total }),
      link: [{ relation: 'self', url: self }, ...(next ? [{ relation: 'next', url: next }] : [])],
      entry: matches.map(({ resource, mode }) => ({
        ...{ fullUrl: `${where()}/${resource.resourceType}/${resource.id}`, resource },
        search: { mode },
      })),
    })
  const search = (req: Request, res: Response, sent: string) => {
    const [type, asked] = [param(req, 'type'), new URLSearchParams(sent)]
    const path = where() + req.path
    if (asked.has('_offset')) return give(res, path, pageByOffset(all, type, asked, path))
    const word = randomUUID()
    pages.set(word, { found: remembered(req, type, asked), asked })
    give(res, path, pageOf(word, 0, Number(asked.get('_count') ?? PAGE)))
  }
  router.post('/:type/_search', (req, res) => search(req, res, String(req.body ?? '')))
  router.get('/:type', (req, res) => search(req, res, req.url.split('?')[1] ?? ''))
  router.get('/', ({ query }, res) => {
    const {
      _getpages: word,
      _getpagesoffset: from,
      _count: count,
    } = query as Record<string, string>
    give(res, where(), pageOf(word ?? '', Number(from), Number(count)))
  })
}

const urlOf = (request: unknown) =>
  request as Record<'method' | 'url' | 'ifMatch' | 'ifNoneExist', string>

/** The one that a condition finds. @throws Fault 412 where there are several */
function standing(all: ModelledResources, type: string, condition: string | undefined) {
  if (condition === undefined) return undefined
  const found = all.find(type, new URLSearchParams(condition.replace(/^[^?]*\?/, '')))
  if (found.length > 1) throw new Fault(412, `Failed to CREATE ${type}: ${found.length} resources`)
  return found[0] && all.last(type, String(found[0].id))
}

function writeEntry(all: ModelledResources, entry: Json): [status: string, Version] {
  const { method, url, ifMatch, ifNoneExist } = urlOf(entry.request)
  const [type = '', id = ''] = url.split('/')
  const resource = entry.resource as Json
  if (method === 'DELETE') return ['204 No Content', all.remove(type, id)]
  if (method === 'PUT') return ['200 OK', all.update(type, id, resource, ifMatch)]
  const found = standing(all, type, ifNoneExist)
  return found ? ['200 OK', found] : ['201 Created', all.create(type, resource)]
}

/** Its ETags are bare in here, and its places relative. */
function transaction(all: ModelledResources, bundle: Json): Json {
  const named = new Map<unknown, string>()
  const entry = (bundle.entry as Json[]).map((each) => {
    const text = JSON.stringify(each.resource ?? null)
    const led = [...named].reduce((so, [urn, to]) => so.replaceAll(`"${urn}"`, `"${to}"`), text)
    const [status, version] = writeEntry(all, { ...each, resource: JSON.parse(led) })
    named.set(each.fullUrl, `${version.type}/${version.id}`)
    return {
      ...(version.resource ? { resource: version.resource } : {}),
      response: {
        ...{ status, location: place(version), etag: String(version.number) },
        outcome: outcome('information', 'informational', 'Successfully done. Took 3ms.'),
      },
    }
  })
  return { resourceType: 'Bundle', id: randomUUID(), type: 'transaction-response', entry }
}

function resourceRoutes(router: Router, all: ModelledResources, where: () => string): void {
  router.post('/', (req, res) => void res.json(all.together(() => transaction(all, req.body))))
  router.post('/:type', (req, res) => {
    const [type, condition] = [param(req, 'type'), req.get('if-none-exist')]
    const found = standing(all, type, condition)
    const version = found ?? all.create(type, req.body)
    res.set('Location', `${where()}/${place(version)}`)
    told(res, version, where())
      .status(found ? 200 : 201)
      .json(version.resource)
  })
  router.put('/:type/:id', (req, res) => {
    const [type, id] = [param(req, 'type'), param(req, 'id')]
    const version = all.update(type, id, req.body, req.get('if-match'))
    told(res, version, where()).json(version.resource)
  })
  router.delete('/:type/:id', (req, res) => {
    all.remove(param(req, 'type'), param(req, 'id'))
    res.json(outcome('information', 'informational', 'Successfully deleted 1 resource(s).'))
  })
  router.get('/:type/:id', (req, res) => {
    const found = all.last(param(req, 'type'), param(req, 'id'))
    told(res, found, where()).json(found.resource)
  })
  router.get('/:type/:id/_history/:version', (req, res) => {
    const [type, id] = [param(req, 'type'), param(req, 'id')]
    const found = all.allOf(type, id).find(({ number }) => String(number) === req.params.version)
    if (!found) throw new Fault(404, `Version of ${type}/${id} is not known`)
    if (!found.resource) throw new Fault(410, `Resource was deleted at ${found.at.toISOString()}`)
    told(res, found, where()).json(found.resource)
  })
}
