/** Definitions of the plan's own templates, for who may fill them in or read them. */

import { usable } from '../core/openehr.js'
import { Refusal } from '../core/refusal.js'
import { releaseTemplates, requireTemplateNamed } from '../core/templates.js'
import { recordRead } from './entry.js'
import type { Handler } from './openehr-parts.js'
import { ask, rewritten } from './openehr-parts.js'
import { requireFound, requireListed, sendJson } from './request.js'

const PATH = '/definition/template/adl1.4'

export const listTemplates: Handler = async (parts, { res, access, stands }) => {
  const answer = await ask(parts, PATH)
  requireListed(answer)
  const judged = new Map(
    parts.plan.map(({ template }) => [template, usable(access, parts, template)]),
  )
  const body = releaseTemplates(answer.body, (id) => judged.get(id) !== undefined)
  const decisions = body.flatMap(({ template_id }) => judged.get(template_id) ?? [])
  await recordRead(parts.trail, { access, stands }, decisions, { interaction: 'template_list' })
  sendJson(res, body)
}

export const readTemplate: Handler = async (parts, { res, access, stands, uid: template }) => {
  const decision = usable(access, parts, template)
  if (decision === undefined) throw new Refusal('record_absent', 'template not usable')
  const answer = await parts.record.forward({
    upstream: 'openehr',
    method: 'GET',
    path: `${PATH}/${template}`,
    headers: { accept: 'application/openehr.wt+json, application/json;q=0.9' },
  })
  requireFound(answer)
  requireTemplateNamed(answer.body, template)
  await recordRead(parts.trail, { access, stands }, [decision], {
    interaction: 'template_read',
    template,
  })
  sendJson(res, rewritten(parts, answer.body))
}
