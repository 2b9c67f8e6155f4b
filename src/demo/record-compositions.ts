/**
 * Compositions of the demonstration's record, every one of them versioned.
 * @see openEHR REST API, "EHR", COMPOSITION
 */
import { randomUUID } from 'node:crypto'
import { type Request, type Response, Router } from 'express'
import type { PlanSection } from '../core/plan.js'
import type { Clock } from '../core/values.js'
import { type Composition, checkComposition } from './composition.js'
import { type Version, type Versions, versionUid } from './versions.js'

export const fault = (
  res: Response,
  status: number,
  message: string,
  errors: readonly string[] = [],
) => res.status(status).json({ message, code: status, errors })

export const object = (type: string, value: string) => ({ _type: type, value })

export const withUid = (version: Version): Composition => ({
  ...version.composition,
  uid: object('OBJECT_VERSION_ID', versionUid(version)),
})

/** `committer.name` of the `openehr-audit-details` header; quotes in it are escaped by a backslash. */
const committerOf = (header: string | undefined): string =>
  /committer\.name="((?:[^"\\]|\\.)*)"/.exec(header ?? '')?.[1]?.replaceAll('\\', '') ?? 'unknown'

export const baseOf = (req: Request) => `${req.protocol}://${req.get('host') ?? ''}${req.baseUrl}`
export const wantsBody = (req: Request) => /return=representation/.test(req.get('prefer') ?? '')

/** The version that was current at a time; the last one when none is asked. */
export const versionAt = (all: readonly Version[], time: unknown): Version | undefined =>
  typeof time === 'string'
    ? all.findLast(({ at }) => Date.parse(at) <= Date.parse(time))
    : all.at(-1)

function answer(req: Request, res: Response, version: Version, written?: 200 | 201) {
  const uid = versionUid(version)
  res.set({
    ETag: `"${uid}"`,
    Location: `${baseOf(req)}/ehr/${version.ehrId}/composition/${uid}`,
    'Last-Modified': new Date(version.at).toUTCString(),
  })
  if (written === undefined || wantsBody(req)) res.status(written ?? 200).json(withUid(version))
  else res.status(written === 201 ? 201 : 204).end()
}

export interface Parts {
  readonly hasEhr: (ehrId: string) => boolean
  readonly form: readonly PlanSection[]
  readonly versions: Versions
  readonly clock: Clock
}

/** What is to be written, or why it is not. */
type Drafted =
  | { readonly version: Version }
  | { readonly status: number; readonly message: string; readonly faults?: readonly string[] }

export function draft(
  { form, versions, clock }: Parts,
  body: unknown,
  about: { readonly ehrId: string; readonly committer: string; readonly previous?: Version },
): Drafted {
  const { ehrId, committer, previous } = about
  const checked = checkComposition(body, form)
  if ('faults' in checked) return { status: 422, message: 'Not valid', faults: checked.faults }
  if (previous !== undefined && previous.template !== checked.template)
    return { status: 422, message: 'A composition keeps its template' }
  // A plan has each section once: two resuscitation decisions side by side would be a hazard.
  const twin = versions.current(ehrId).some((each) => each.template === checked.template)
  if (previous === undefined && twin)
    return { status: 409, message: 'The EHR has a composition of this template' }
  const { uid: _uid, ...composition } = body as Record<string, unknown>
  return {
    version: {
      ...{ ehrId, composition, committer, template: checked.template },
      objectId: previous?.objectId ?? randomUUID(),
      number: (previous?.number ?? 0) + 1,
      at: new Date(clock()).toISOString(),
      contribution: randomUUID(),
    },
  }
}

/** The version that follows and says that the composition was deleted. */
export const deletion = (previous: Version, committer: string, clock: Clock): Version => ({
  ...previous,
  ...{ committer, number: previous.number + 1, deleted: true },
  at: new Date(clock()).toISOString(),
  contribution: randomUUID(),
})

function write(parts: Parts, req: Request, res: Response, ehrId: string, previous?: Version) {
  const committer = committerOf(req.get('openehr-audit-details'))
  const about = { ehrId, committer, ...(previous === undefined ? {} : { previous }) }
  const drafted = draft(parts, req.body, about)
  if (!('version' in drafted))
    return fault(res, drafted.status, drafted.message, drafted.faults ?? [])
  parts.versions.append(drafted.version)
  return answer(req, res, drafted.version, previous === undefined ? 201 : 200)
}

export function compositions(parts: Parts): Router {
  const { hasEhr, versions, clock } = parts
  const router = Router()
  const standing = (ehr: string, objectId: string) => versions.of(ehr, objectId).at(-1)
  router.post('/ehr/:ehr/composition', (req, res) => {
    const { ehr } = req.params
    if (hasEhr(ehr)) write(parts, req, res, ehr)
    else fault(res, 404, 'No EHR with this ehr_id')
  })
  router.get('/ehr/:ehr/composition/:uid', (req, res) => {
    const { ehr, uid } = req.params
    const [objectId = '', , number] = uid.split('::')
    const all = versions.of(ehr, objectId)
    const version =
      number === undefined
        ? versionAt(all, req.query.version_at_time)
        : all.find((each) => versionUid(each) === uid)
    if (version === undefined) fault(res, 404, 'No such composition')
    else if (version.deleted) res.status(204).end()
    else answer(req, res, version)
  })
  router.put('/ehr/:ehr/composition/:object', (req, res) => {
    const { ehr, object: objectId } = req.params
    const current = standing(ehr, objectId)
    if (current === undefined || current.deleted) return fault(res, 404, 'No such composition')
    const match = req.get('if-match')
    if (match === undefined) return fault(res, 400, 'If-Match is required')
    const tag = `"${versionUid(current)}"`
    if (match === tag) return write(parts, req, res, ehr, current)
    res.set('ETag', tag)
    return fault(res, 412, 'Not the current version')
  })
  router.delete('/ehr/:ehr/composition/:uid', (req, res) => {
    const { ehr, uid } = req.params
    const current = standing(ehr, uid.split('::')[0] ?? '')
    if (current === undefined) return fault(res, 404, 'No such composition')
    if (current.deleted) return fault(res, 400, 'It is deleted already')
    if (versionUid(current) !== uid) {
      res.set('ETag', `"${versionUid(current)}"`)
      return fault(res, 409, 'Not the current version')
    }
    const made = deletion(current, committerOf(req.get('openehr-audit-details')), clock)
    versions.append(made)
    return res
      .set('ETag', `"${versionUid(made)}"`)
      .status(204)
      .end()
  })
  return router
}
