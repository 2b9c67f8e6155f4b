/**
 * /openehr/v1: the plan's compositions of the patient in context.
 *
 * @throws Refusal of access/bearer.ts, core/call.ts, core/openehr.ts, core/composition.ts and record/
 * @see openEHR REST API; SMART on openEHR, "Resource scopes"
 */
import type { RequestHandler } from 'express'
import { readCall, writeQuery } from '../core/call.js'
import { provenHistory, releaseRows, requireReadable } from '../core/composition.js'
import { accessAt, WRITES } from '../core/enforcement.js'
import { enforceOpenEhr, type OpenEhrCall, readOpenEhrCall } from '../core/openehr.js'
import { learn } from '../http/journey.js'
import { aboutAccess, recordAllowed } from './entry.js'
import {
  type OpenEhrCallIn,
  type OpenEhrParts,
  ownComposition,
  rewritten,
} from './openehr-parts.js'
import { createComposition, updateComposition } from './openehr-write.js'
import { addressOf, passValidators, requireFound } from './request.js'

type Interaction = OpenEhrCall['interaction']

async function readOne(parts: OpenEhrParts, { res, access, ehrId, uid }: OpenEhrCallIn) {
  const composition = await ownComposition(parts, ehrId, uid)
  const { answer, template } = composition
  const decision = requireReadable(access, parts, template)
  await recordAllowed(parts.trail, access, [decision], {
    interaction: 'composition_read',
    template,
    uid: composition.uid,
  })
  passValidators(res, answer)
  res.set('ETag', `"${composition.uid}"`)
  res.set('Location', `${parts.base}/ehr/${ehrId}/composition/${composition.uid}`)
  res.json(rewritten(parts, answer.body))
}

/** A history tells who wrote what when: it is as readable as the composition itself. */
async function readHistory(parts: OpenEhrParts, { res, access, ehrId, uid }: OpenEhrCallIn) {
  const { template } = await ownComposition(parts, ehrId, uid)
  const decision = requireReadable(access, parts, template)

  const answer = await parts.record.forward({
    upstream: 'openehr',
    method: 'GET',
    path: `/ehr/${ehrId}/versioned_composition/${uid}/revision_history`,
  })
  requireFound(answer)
  provenHistory(answer.body, uid)
  const detail = { interaction: 'revision_history', template, uid }
  await recordAllowed(parts.trail, access, [decision], detail)
  res.json(rewritten(parts, answer.body))
}

async function runQuery(parts: OpenEhrParts, { res, access, ehrId, call }: OpenEhrCallIn) {
  if (call.interaction !== 'query') return
  const answer = await parts.record.forward({
    upstream: 'openehr',
    method: 'GET',
    path: `/query/${call.name}`,
    query: writeQuery([['ehr_id', ehrId], ...call.paging]),
  })
  requireFound(answer)
  const rows = releaseRows(access, parts, { name: call.name, ehrId }, answer.body)
  const { released, withheld } = rows
  await recordAllowed(parts.trail, access, rows.decisions, {
    interaction: 'query',
    query: call.name,
    released,
    withheld,
  })
  res.json(rewritten(parts, rows.body))
}

const HANDLERS: Readonly<
  Record<Interaction, (parts: OpenEhrParts, call: OpenEhrCallIn) => Promise<void>>
> = {
  composition_read: readOne,
  composition_update: updateComposition,
  composition_create: createComposition,
  revision_history: readHistory,
  query: runQuery,
}

export function openehrProxy(parts: OpenEhrParts): RequestHandler {
  const { bearer, inContext, base, clock } = parts
  return async (req, res) => {
    // Who calls, and for which patient.
    const access = accessAt(await bearer(req, base), clock())
    learn(res, aboutAccess(access))

    // What is asked, read once; scopes and EHR, before the record hears of it.
    const call = readOpenEhrCall(readCall(req.method, addressOf(req, base), req.headers))
    const ehrId = enforceOpenEhr(access, call, base)
    if (WRITES.has(call.letter)) await inContext(access, req)

    // Templates are known only from content: each interaction judges them before anything leaves.
    res.set('Cache-Control', 'no-store')
    const uid = call.interaction === 'query' ? '' : call.uid
    await HANDLERS[call.interaction](parts, { req, res, access, call, ehrId, uid })
  }
}
