/** Compositions, their versions and histories, each judged by the template that it itself names. */
import { provenComposition, provenHistory, requireReadable } from '../core/composition.js'
import { provenVersion, releaseVersioned } from '../core/version.js'
import { recordRead } from './entry.js'
import { type Handler, ownAnswer, rewritten } from './openehr-parts.js'
import { passValidators, sendJson } from './request.js'

export const readOne: Handler = async (parts, { res, access, stands, ehrId, uid, call }) => {
  const path = `/ehr/${ehrId}/composition/${uid}`
  const { answer } = await ownAnswer(parts, { ehrId, uid, call }, path)
  const composition = provenComposition(answer.body, uid)
  const { template } = composition
  const decision = requireReadable(access, parts, template)
  await recordRead(parts.trail, { access, stands }, [decision], {
    interaction: 'composition_read',
    template,
    uid: composition.uid,
  })
  passValidators(res, answer)
  res.set('ETag', `"${composition.uid}"`)
  res.set('Location', `${parts.base}/ehr/${ehrId}/composition/${composition.uid}`)
  sendJson(res, rewritten(parts, answer.body))
}

const objectPath = (ehrId: string, uid: string) => `/ehr/${ehrId}/versioned_composition/${uid}`

/** A history tells who wrote what when: it is as readable as the composition itself. */
export const readHistory: Handler = async (parts, call) => {
  const { res, access, stands, ehrId, uid } = call
  const path = `${objectPath(ehrId, uid)}/revision_history`
  const { answer, template } = await ownAnswer(parts, call, path)
  const decision = requireReadable(access, parts, template)
  const shown = provenHistory(answer.body, uid)
  const detail = { interaction: 'revision_history', template, uid }
  await recordRead(parts.trail, { access, stands }, [decision], detail)
  sendJson(res, rewritten(parts, shown))
}

export const readVersioned: Handler = async (parts, call) => {
  const { res, access, stands, ehrId, uid } = call
  const { answer, template } = await ownAnswer(parts, call, objectPath(ehrId, uid))
  const decision = requireReadable(access, parts, template)
  const shown = releaseVersioned(answer.body, uid, ehrId)
  const detail = { interaction: 'versioned_composition_read', template, uid }
  await recordRead(parts.trail, { access, stands }, [decision], detail)
  sendJson(res, shown)
}

export const readVersion: Handler = async (parts, call) => {
  const { res, access, stands, ehrId, uid } = call
  const { version: asked } = call.call
  const path = `${objectPath(ehrId, uid)}/version${asked === '' ? '' : `/${asked}`}`
  const { answer } = await ownAnswer(parts, call, path)
  const version = provenVersion(answer.body, uid, asked)
  const decision = requireReadable(access, parts, version.template)
  await recordRead(parts.trail, { access, stands }, [decision], {
    interaction: 'version_read',
    ...version,
  })
  res.set('ETag', `"${version.uid}"`)
  sendJson(res, rewritten(parts, answer.body))
}
