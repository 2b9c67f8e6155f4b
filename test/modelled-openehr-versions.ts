/** Compositions, their versions and contributions of the server of modelled-openehr.ts. */
import type { Request, Response } from 'express'
import {
  type Change,
  Fault,
  id,
  type Json,
  type ModelledStore,
  objectOf,
  SYSTEM,
  type Version,
  whole,
} from './modelled-openehr-store.js'

/** By method and path. */
export type Routes = Readonly<Record<string, (req: Request, res: Response) => void>>
export const named = (req: Request, name: string): string => String(req.params[name] ?? '')

/** The same time for everything: of no use, and no harm. */
export const tagged = (res: Response, uid: string, path: string) =>
  res.set({
    ...{ ETag: `"${uid}"`, Location: `http://records.internal${path}/${uid}` },
    'Last-Modified': 'Fri, 02 Jan 1970 10:12:04 GMT',
  })

/** A body for this very word alone: for a longer wish there is none, and 204 even for what is new. */
export function written(req: Request, res: Response, status: number, body: object): void {
  if (req.get('prefer') === 'return=representation') res.status(status).json(body)
  else res.status(204).end()
}

export function ehrIn(store: ModelledStore, req: Request): string {
  const ehr = named(req, 'ehr')
  if (!store.ehrs.has(ehr)) throw new Fault(404, `EHR with id ${ehr} not found`)
  return ehr
}

/** @throws Fault 400 without one, for quotes where they are read as a part of it, and for what is no version */
function preceding({ ways }: ModelledStore, req: Request): string {
  const said = req.get('if-match')
  if (said === undefined) throw new Fault(400, "Required header 'If-Match' is not present")
  const version = ways.quotesKept ? said : said.replace(/^"(.*)"$/, '$1')
  if (objectOf(version).length > 36) throw new Fault(400, 'UUID string too large')
  return version
}

export function compositionRoutes(store: ModelledStore, base: string): Routes {
  const one = (req: Request, type: string, change: Omit<Change, 'type'>): Version => {
    const { made } = store.commit(ehrIn(store, req), [{ ...change, type }])
    return made[0] as Version
  }
  const at = (req: Request) => `${base}/ehr/${named(req, 'ehr')}/composition`
  return {
    'POST /ehr/:ehr/composition': (req, res) => {
      const made = one(req, '249', { data: req.body })
      tagged(res, made.uid, at(req))
      written(req, res, 201, whole(made))
    },
    'PUT /ehr/:ehr/composition/:uid': (req, res) => {
      const made = one(req, '251', { data: req.body, preceding: preceding(store, req) })
      tagged(res, made.uid, at(req))
      written(req, res, 200, whole(made))
    },
    'DELETE /ehr/:ehr/composition/:uid': (req, res) => {
      const made = one(req, '523', { preceding: named(req, 'uid') })
      tagged(res, made.uid, at(req)).status(204).end()
    },
    'GET /ehr/:ehr/composition/:uid': (req, res) => {
      ehrIn(store, req)
      const uid = named(req, 'uid')
      const all = store.versions.filter((each) => [each.uid, each.object].includes(uid))
      const found = all.at(-1)
      if (!found) throw new Fault(404, `No composition with id ${uid}`)
      if (found.data) tagged(res, found.uid, at(req)).json(whole(found))
      else res.status(204).end()
    },
  }
}

/** By the object, whatever the EHR of the path. */
export function versionRoutes(store: ModelledStore): Routes {
  const allOf = (req: Request): readonly [Version, ...Version[]] => {
    const all = store.versions.filter(({ object }) => object === named(req, 'object'))
    if (all.length === 0) throw new Fault(404, 'no such versioned object')
    return all as [Version, ...Version[]]
  }
  const shown = (one: Version): Json => ({
    ...{ _type: 'ORIGINAL_VERSION', uid: id('OBJECT_VERSION_ID', one.uid) },
    contribution: { id: id('HIER_OBJECT_ID', one.contribution), namespace: 'local' },
    ...{
      commit_audit: one.audit,
      preceding_version_uid: one.preceding && { value: one.preceding },
    },
    ...{
      lifecycle_state: { value: one.data ? 'complete' : 'deleted' },
      data: one.data && whole(one),
    },
  })
  const path = '/ehr/:ehr/versioned_composition/:object'
  return {
    [`GET ${path}`]: (req, res) => {
      const [first] = allOf(req)
      res.json({
        ...{ _type: 'VERSIONED_COMPOSITION', uid: id('HIER_OBJECT_ID', first.object) },
        owner_id: { id: id('HIER_OBJECT_ID', first.ehr), namespace: 'local', type: 'EHR' },
        time_created: new Date(first.at).toISOString(),
      })
    },
    // The bare list of its items.
    [`GET ${path}/revision_history`]: (req, res) =>
      void res.json(
        allOf(req).map(({ uid, audit }) => ({
          ...{ version_id: id('OBJECT_VERSION_ID', uid), audits: [audit] },
        })),
      ),
    [`GET ${path}/version`]: (req, res) => void res.json(shown(allOf(req).at(-1) as Version)),
    [`GET ${path}/version/:uid`]: (req, res) => {
      const found = allOf(req).find(({ uid }) => uid === req.params.uid)
      if (!found) throw new Fault(404, 'no such version')
      res.json(shown(found))
    },
  }
}

interface SentVersion {
  readonly contribution?: unknown
  readonly preceding_version_uid?: { readonly value: string }
  readonly commit_audit: Json & { readonly change_type: { defining_code: { code_string: string } } }
  readonly data?: Json
}

/** @throws Fault 400 */
function changeIn(version: SentVersion): Change {
  const { commit_audit: audit, preceding_version_uid: before, data } = version
  if (version.contribution !== undefined) throw new Fault(400, 'a version names a contribution')
  if (audit.time_committed !== undefined) throw new Fault(400, 'time_committed is given')
  if (audit.system_id !== SYSTEM) throw new Fault(400, 'a system_id that is not this server’s')
  const type = audit.change_type.defining_code.code_string
  return { type, audit, ...(before ? { preceding: before.value } : {}), ...(data ? { data } : {}) }
}

export function contributionRoutes(store: ModelledStore, base: string): Routes {
  const shown = (uid: string): Json => ({
    uid: id('HIER_OBJECT_ID', uid),
    versions: store.versions
      .filter(({ contribution }) => contribution === uid)
      .map((one) => ({
        id: id('OBJECT_VERSION_ID', one.uid),
        namespace: 'local',
        type: 'COMPOSITION',
      })),
    audit: store.contributions.get(uid)?.audit,
  })
  return {
    'POST /ehr/:ehr/contribution': (req, res) => {
      const { versions, audit } = req.body as { versions: SentVersion[]; audit: Json }
      if (versions.length === 0) throw new Fault(400, 'no versions')
      const { contribution } = store.commit(ehrIn(store, req), versions.map(changeIn), audit)
      tagged(res, contribution, `${base}/ehr/${named(req, 'ehr')}/contribution`)
      written(req, res, 201, shown(contribution))
    },
    'GET /ehr/:ehr/contribution/:uid': (req, res) => {
      const uid = named(req, 'uid')
      if (store.contributions.get(uid)?.ehr !== ehrIn(store, req))
        throw new Fault(404, `no contribution ${uid}`)
      res.set('ETag', `"${uid}"`).json(shown(uid))
    },
  }
}
