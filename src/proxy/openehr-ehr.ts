/** The EHR itself, its status and its directory: for who may read anything of the plan. */
import { releaseDirectory } from '../core/directory.js'
import { releaseEhr, releaseStatus, subjectOf } from '../core/ehr.js'
import { objectOf, requireAnySection } from '../core/openehr.js'
import { judgeOnce } from '../core/rows.js'
import { recordRead } from './entry.js'
import { ask, askBeside, type Handler, rewritten } from './openehr-parts.js'
import { requireFound, sendJson } from './request.js'

export const readEhr: Handler = async (parts, { res, access, stands, ehrId }) => {
  const decision = requireAnySection(access, parts)
  const answer = await ask(parts, `/ehr/${ehrId}`)
  requireFound(answer)
  const body = releaseEhr(answer.body, ehrId, subjectOf(access, parts.record.subjectNamespace))
  await recordRead(parts.trail, { access, stands }, [decision], { interaction: 'ehr_read' })
  res.set('ETag', `"${ehrId}"`)
  sendJson(res, body)
}

export const readStatus: Handler = async (parts, { res, access, stands, ehrId, uid, call }) => {
  const decision = requireAnySection(access, parts)
  const path = `/ehr/${ehrId}/ehr_status${uid === '' ? '' : `/${uid}`}`
  const answer = await ask(parts, path, call.query)
  requireFound(answer)
  const body = releaseStatus(answer.body, subjectOf(access, parts.record.subjectNamespace), uid)
  await recordRead(parts.trail, { access, stands }, [decision], { interaction: 'ehr_status_read' })
  if (body.uid !== undefined) res.set('ETag', `"${body.uid.value}"`)
  sendJson(res, body)
}

export const readDirectory: Handler = async (parts, { res, access, stands, ehrId, uid, call }) => {
  const path = `/ehr/${ehrId}/directory${uid === '' ? '' : `/${uid}`}`
  const { answer, rows } = await askBeside(parts, ehrId, path, call.query)
  const judge = judgeOnce(access, parts)
  const templates = new Map(rows.map(({ uid: each, template }) => [objectOf(each), template]))
  const decisionOf = (object: string) => judge(templates.get(object) ?? '')
  const shown = releaseDirectory(answer.body, uid, (object) => decisionOf(object) !== undefined)
  const decisions = rows.flatMap(({ uid: each }) => decisionOf(objectOf(each)) ?? [])
  await recordRead(parts.trail, { access, stands }, decisions, {
    interaction: 'directory_read',
    uid: shown.uid,
  })
  res.set('ETag', `"${shown.uid}"`)
  sendJson(res, rewritten(parts, shown.body))
}
