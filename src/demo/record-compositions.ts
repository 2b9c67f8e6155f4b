/**
 * Versioned compositions of the demonstration's record.
 * @see openEHR REST API, "EHR", COMPOSITION and VERSIONED_COMPOSITION
 */
import { randomUUID } from 'node:crypto'
import { type Request, type Response, Router } from 'express'
import type { PlanSection } from '../core/plan.js'
import type { Clock } from '../core/values.js'
import { type Composition, checkComposition } from './composition.js'
import { SYSTEM_ID, type Version, type Versions, versionUid } from './versions.js'

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

const audit = (version: Version) => ({
  _type: 'AUDIT_DETAILS',
  system_id: SYSTEM_ID,
  time_committed: object('DV_DATE_TIME', version.at),
  change_type: {
    _type: 'DV_CODED_TEXT',
    value: version.number === 1 ? 'creation' : 'modification',
    defining_code: {
      terminology_id: { value: 'openehr' },
      code_string: version.number === 1 ? '249' : '251',
    },
  },
  committer: { _type: 'PARTY_IDENTIFIED', name: version.committer },
})

const revisionHistory = (versions: readonly Version[]) => ({
  _type: 'REVISION_HISTORY',
  items: versions.map((version) => ({
    version_id: object('OBJECT_VERSION_ID', versionUid(version)),
    audits: [audit(version)],
  })),
})

function answer(req: Request, res: Response, version: Version, written?: 200 | 201) {
  const uid = versionUid(version)
  const base = `${req.protocol}://${req.get('host') ?? ''}${req.baseUrl}`
  res.set({
    ETag: `"${uid}"`,
    Location: `${base}/ehr/${version.ehrId}/composition/${uid}`,
    'Last-Modified': new Date(version.at).toUTCString(),
  })
  if (written === undefined || /return=representation/.test(req.get('prefer') ?? ''))
    res.status(written ?? 200).json(withUid(version))
  else res.status(written === 201 ? 201 : 204).end()
}

interface Parts {
  readonly hasEhr: (ehrId: string) => boolean
  readonly form: readonly PlanSection[]
  readonly versions: Versions
  readonly clock: Clock
}

function write(
  { form, versions, clock }: Parts,
  req: Request,
  res: Response,
  ehrId: string,
  previous?: Version,
) {
  const checked = checkComposition(req.body, form)
  if ('faults' in checked) return fault(res, 422, 'Not valid', checked.faults)
  if (previous !== undefined && previous.template !== checked.template)
    return fault(res, 422, 'A composition keeps its template')
  // A plan has each section once: two resuscitation decisions side by side would be a hazard.
  const twin = versions.current(ehrId).some((each) => each.template === checked.template)
  if (previous === undefined && twin)
    return fault(res, 409, 'The EHR has a composition of this template')
  const { uid: _uid, ...composition } = req.body as Record<string, unknown>
  const version: Version = {
    ehrId,
    objectId: previous?.objectId ?? randomUUID(),
    number: (previous?.number ?? 0) + 1,
    template: checked.template,
    composition,
    committer: committerOf(req.get('openehr-audit-details')),
    at: new Date(clock()).toISOString(),
  }
  versions.append(version)
  return answer(req, res, version, previous === undefined ? 201 : 200)
}

export function compositions(parts: Parts): Router {
  const { hasEhr, versions } = parts
  const router = Router()
  router.post('/ehr/:ehr/composition', (req, res) => {
    const { ehr } = req.params
    if (hasEhr(ehr)) write(parts, req, res, ehr)
    else fault(res, 404, 'No EHR with this ehr_id')
  })
  router.get('/ehr/:ehr/composition/:uid', (req, res) => {
    const { ehr, uid } = req.params
    const [objectId = '', , number] = uid.split('::')
    const all = versions.of(ehr, objectId)
    const version = number === undefined ? all.at(-1) : all.find((each) => versionUid(each) === uid)
    if (version === undefined) fault(res, 404, 'No such composition')
    else answer(req, res, version)
  })
  router.put('/ehr/:ehr/composition/:object', (req, res) => {
    const { ehr, object: objectId } = req.params
    const current = versions.of(ehr, objectId).at(-1)
    if (current === undefined) return fault(res, 404, 'No such composition')
    const match = req.get('if-match')
    if (match === undefined) return fault(res, 400, 'If-Match is required')
    const tag = `"${versionUid(current)}"`
    if (match === tag) return write(parts, req, res, ehr, current)
    res.set('ETag', tag)
    return fault(res, 412, 'Not the current version')
  })
  router.get('/ehr/:ehr/versioned_composition/:object/revision_history', (req, res) => {
    const all = versions.of(req.params.ehr, req.params.object)
    if (all.length === 0) fault(res, 404, 'No such composition')
    else res.json(revisionHistory(all))
  })
  return router
}
