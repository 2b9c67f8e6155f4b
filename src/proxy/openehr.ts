/**
 * /openehr/v1: the plan of the patient in context.
 *
 * @throws Refusal of access/bearer.ts, core/call.ts, core/openehr.ts, core/openehr-calls.ts, proxy/context.ts,
 *   record/, and of the handlers
 * @see openEHR REST API; SMART on openEHR, "Resource scopes"; docs/openehr-scopes.md
 */
import type { RequestHandler } from 'express'
import { readCall } from '../core/call.js'
import { accessAt } from '../core/enforcement.js'
import { enforceOpenEhr } from '../core/openehr.js'
import { OPENEHR_WRITES, type OpenEhrInteraction, readOpenEhrCall } from '../core/openehr-calls.js'
import { learn } from '../http/journey.js'
import { aboutAccess } from './entry.js'
import { createContribution, readContributionOf } from './openehr-contribution.js'
import { listTemplates, readTemplate } from './openehr-definition.js'
import { readDirectory, readEhr, readStatus } from './openehr-ehr.js'
import type { Handler, OpenEhrParts } from './openehr-parts.js'
import { runAdHoc, runQuery } from './openehr-query.js'
import { readHistory, readOne, readVersion, readVersioned } from './openehr-read.js'
import { discardUnsaved, keepUnsaved, listUnsaved, readUnsavedOf } from './openehr-unsaved.js'
import { createComposition, deleteComposition, updateComposition } from './openehr-write.js'
import { partsPerTenant, type Served } from './parts.js'
import { addressUnder } from './request.js'
import { standsFrom, toldIn } from './standing.js'

const HANDLERS: Readonly<Record<OpenEhrInteraction, Handler>> = {
  ehr_read: readEhr,
  ehr_status_read: readStatus,
  composition_read: readOne,
  composition_create: createComposition,
  composition_update: updateComposition,
  composition_delete: deleteComposition,
  versioned_composition_read: readVersioned,
  revision_history: readHistory,
  version_read: readVersion,
  contribution_create: createContribution,
  contribution_read: readContributionOf,
  directory_read: readDirectory,
  unsaved_list: listUnsaved,
  unsaved_read: readUnsavedOf,
  unsaved_keep: keepUnsaved,
  unsaved_discard: discardUnsaved,
  template_list: listTemplates,
  template_read: readTemplate,
  query: runQuery,
  ad_hoc_query: runAdHoc,
}

export function openehrProxy(served: Served<OpenEhrParts>): RequestHandler {
  const { bearer, inContext, base, clock } = served
  const addressOf = addressUnder(base)
  const partsFor = partsPerTenant(served)
  return async (req, res) => {
    // Who calls, and for which patient.
    const { access: letIn, still } = await bearer(req, base)
    const stands = standsFrom(clock, still)
    const access = accessAt(letIn, clock())
    learn(res, aboutAccess(access))

    // What is asked, read once; scopes and EHR, before the record hears of it; for a write, where it was made.
    const call = readOpenEhrCall(readCall(req.method, addressOf(req), req.headers))
    const ehrId = enforceOpenEhr(access, call, base)
    const mayWrite = () => inContext(access, req)
    const writes = OPENEHR_WRITES.has(call.interaction)
    if (writes) await mayWrite()

    // Templates are known only from content: each interaction judges them before anything leaves.
    res.set('Cache-Control', 'no-store')
    const handled = HANDLERS[call.interaction](partsFor(access), {
      req,
      res,
      access,
      call,
      ehrId,
      uid: call.id,
      stands,
      mayWrite,
    })
    await (writes ? handled : toldIn(stands, handled))
  }
}
