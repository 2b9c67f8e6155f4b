/**
 * What the demonstration's record tells of how its compositions came to be: their versions, the contributions that
 * made them, and the directory of an EHR.
 *
 * @see openEHR REST API, "EHR", VERSIONED_COMPOSITION, CONTRIBUTION, DIRECTORY
 */
import { type Request, type Response, Router } from 'express'
import {
  baseOf,
  deletion,
  draft,
  fault,
  object,
  type Parts,
  versionAt,
  wantsBody,
  withUid,
} from './record-compositions.js'
import { SYSTEM_ID, type Version, versionUid } from './versions.js'

const WORDS: Readonly<Record<string, string>> = {
  '249': 'creation',
  '251': 'modification',
  '523': 'deleted',
}
const changeOf = ({ number, deleted }: Version) => (deleted ? '523' : number === 1 ? '249' : '251')

const coded = (code: string, words: string) => ({
  _type: 'DV_CODED_TEXT',
  value: words,
  defining_code: { terminology_id: { value: 'openehr' }, code_string: code },
})

const audit = (version: Version) => ({
  _type: 'AUDIT_DETAILS',
  system_id: SYSTEM_ID,
  time_committed: object('DV_DATE_TIME', version.at),
  change_type: coded(changeOf(version), WORDS[changeOf(version)] ?? ''),
  committer: { _type: 'PARTY_IDENTIFIED', name: version.committer },
})

const revisionHistory = (versions: readonly Version[]) => ({
  _type: 'REVISION_HISTORY',
  items: versions.map((version) => ({
    version_id: object('OBJECT_VERSION_ID', versionUid(version)),
    audits: [audit(version)],
  })),
})

const reference = (type: string, id: object) => ({
  ...{ _type: 'OBJECT_REF', id, namespace: 'local', type },
})

const originalVersion = (version: Version) => ({
  _type: 'ORIGINAL_VERSION',
  uid: object('OBJECT_VERSION_ID', versionUid(version)),
  ...(version.number === 1
    ? {}
    : {
        preceding_version_uid: object(
          'OBJECT_VERSION_ID',
          versionUid({ ...version, number: version.number - 1 }),
        ),
      }),
  contribution: reference('CONTRIBUTION', object('HIER_OBJECT_ID', version.contribution ?? '')),
  commit_audit: audit(version),
  lifecycle_state: version.deleted ? coded('523', 'deleted') : coded('532', 'complete'),
  ...(version.deleted ? {} : { data: withUid(version) }),
})

const contributionOf = (uid: string, versions: readonly Version[]) => ({
  _type: 'CONTRIBUTION',
  uid: object('HIER_OBJECT_ID', uid),
  versions: versions.map((version) =>
    reference('COMPOSITION', object('OBJECT_VERSION_ID', versionUid(version))),
  ),
  audit: versions[0] && audit(versions[0]),
})

interface Sent {
  readonly preceding_version_uid?: { readonly value: string }
  readonly commit_audit?: {
    readonly change_type?: { readonly defining_code?: { readonly code_string?: string } }
    readonly committer?: { readonly name?: string }
  }
  readonly data?: unknown
}

/** The version that one part of a contribution makes, or why it makes none. */
function drafted(parts: Parts, ehrId: string, { preceding_version_uid, commit_audit, data }: Sent) {
  const code = commit_audit?.change_type?.defining_code?.code_string
  const committer = commit_audit?.committer?.name ?? 'unknown'
  if (code === '249') return draft(parts, data, { ehrId, committer })
  const uid = preceding_version_uid?.value ?? ''
  const previous = parts.versions.of(ehrId, uid.split('::')[0] ?? '').at(-1)
  if (previous === undefined || previous.deleted)
    return { status: 404, message: 'No such composition' }
  if (versionUid(previous) !== uid) return { status: 412, message: 'Not the current version' }
  return code === '523'
    ? { version: deletion(previous, committer, parts.clock) }
    : draft(parts, data, { ehrId, committer, previous })
}

/** All or nothing: one line after the other is appended in one write. */
function contribute(parts: Parts, req: Request, res: Response, ehrId: string) {
  const sent = (req.body as { readonly versions?: readonly Sent[] }).versions
  if (!Array.isArray(sent) || sent.length === 0) return fault(res, 400, 'No versions')
  const all = sent.map((each) => drafted(parts, ehrId, each as Sent))
  const failed = all.find((each) => !('version' in each))
  if (failed !== undefined && !('version' in failed))
    return fault(res, failed.status, failed.message)
  const made = all.flatMap((each) => ('version' in each ? [each.version] : []))
  const uid = made[0]?.contribution ?? ''
  const versions = made.map((version) => ({ ...version, contribution: uid }))
  parts.versions.append(...versions)
  const location = `${baseOf(req)}/ehr/${ehrId}/contribution/${uid}`
  res.status(201).set({ ETag: `"${uid}"`, Location: location })
  return wantsBody(req) ? res.json(contributionOf(uid, versions)) : res.end()
}

/** One folder for what the person says and one for what clinicians do: made of the plan as it stands. */
function directoryOf({ form, versions }: Parts, ehrId: string) {
  const current = versions.current(ehrId)
  const folder = (name: string, more: object) => ({
    ...{ _type: 'FOLDER', name: object('DV_TEXT', name), archetype_node_id: 'at0001' },
    ...more,
  })
  const by = (author: string) =>
    current
      .filter(({ template }) => form.find((each) => each.template === template)?.author === author)
      .map(({ objectId }) => reference('VERSIONED_COMPOSITION', object('HIER_OBJECT_ID', objectId)))
  return {
    ...folder('Care plan', {
      folders: [
        folder('What the person says', { items: by('person') }),
        folder('What clinicians recommend', { items: by('clinician') }),
      ],
    }),
    uid: object('OBJECT_VERSION_ID', `${ehrId}::${SYSTEM_ID}::1`),
  }
}

export function compositionVersions(parts: Parts): Router {
  const { hasEhr, versions } = parts
  const router = Router()
  const at = '/ehr/:ehr/versioned_composition/:object'
  const none = (res: Response) => fault(res, 404, 'No such composition')
  router.get(`${at}/revision_history`, (req, res) => {
    const all = versions.of(req.params.ehr, req.params.object)
    if (all.length === 0) none(res)
    else res.json(revisionHistory(all))
  })
  router.get(at, (req, res) => {
    const { ehr, object: objectId } = req.params
    const [first] = versions.of(ehr, objectId)
    if (first === undefined) return none(res)
    return res.json({
      _type: 'VERSIONED_COMPOSITION',
      uid: object('HIER_OBJECT_ID', objectId),
      owner_id: reference('EHR', object('HIER_OBJECT_ID', ehr)),
      time_created: object('DV_DATE_TIME', first.at),
    })
  })
  router.get([`${at}/version`, `${at}/version/:uid`], (req, res) => {
    const { ehr = '', object: objectId = '', uid } = req.params as Record<string, string>
    const all = versions.of(ehr, objectId)
    const version =
      uid === undefined
        ? versionAt(all, req.query.version_at_time)
        : all.find((each) => versionUid(each) === uid)
    if (version === undefined) none(res)
    else res.json(originalVersion(version))
  })
  router.post('/ehr/:ehr/contribution', (req, res) => {
    const { ehr } = req.params
    if (hasEhr(ehr)) contribute(parts, req, res, ehr)
    else fault(res, 404, 'No EHR with this ehr_id')
  })
  router.get('/ehr/:ehr/contribution/:uid', (req, res) => {
    const { ehr, uid } = req.params
    const made = versions.all(ehr).filter(({ contribution }) => contribution === uid)
    if (made.length === 0) fault(res, 404, 'No such contribution')
    else res.json(contributionOf(uid, made))
  })
  router.get(['/ehr/:ehr/directory', '/ehr/:ehr/directory/:uid'], (req, res) => {
    const { ehr = '', uid } = req.params as Record<string, string>
    const directory = directoryOf(parts, ehr)
    const other = uid !== undefined && uid !== directory.uid.value
    if (other || versions.current(ehr).length === 0) fault(res, 404, 'No such directory')
    else res.json(directory)
  })
  return router
}
