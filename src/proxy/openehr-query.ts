/** Stored queries and, where they are allowed, those that apps write, run for the token's EHR; their rows proven and judged one by one. */
import { readAql } from '../core/aql/grammar.js'
import { bindAql } from '../core/aql/judge.js'
import { AD_HOC } from '../core/openehr-calls.js'
import { Refusal } from '../core/refusal.js'
import { readableTemplates, releaseBound, releaseRows, requireAllRows } from '../core/rows.js'
import {
  adHocWords,
  bindQuery,
  PLAN,
  queryWords,
  readAdHoc,
  type StoredQuery,
} from '../core/stored-query.js'
import { recordRead } from './entry.js'
import {
  ehrNamed,
  type Handler,
  type OpenEhrCallIn,
  type OpenEhrParts,
  post,
  rewritten,
  runStored,
} from './openehr-parts.js'
import { jsonBody, requireListed, sendJson } from './request.js'

/** @throws Refusal interaction_refused */
function registered({ queries }: OpenEhrParts, { call }: OpenEhrCallIn): StoredQuery {
  const query = queries.find(({ name }) => name === call.id)
  if (query === undefined || (call.version !== '' && call.version !== query.version))
    throw new Refusal('interaction_refused', 'query')
  return query
}

/** Parameters, from the address or from the body, never from both. @throws Refusal parameter_invalid */
async function wordsOf({ req, res, call }: OpenEhrCallIn): Promise<ReadonlyMap<string, string>> {
  if (call.method === 'GET') return call.query
  if (call.query.size > 0) throw new Refusal('parameter_invalid', 'parameters of a POST')
  return queryWords(await jsonBody(req, res))
}

export const runQuery: Handler = async (parts, call) => {
  const { res, access, stands, ehrId } = call
  const query = registered(parts, call)
  const body = bindQuery(access, query, await wordsOf(call))
  const answer = await runStored(parts, query, body)
  requireListed(answer)
  // Another query may name its own limit, in words that stay with the record.
  if (query.name === PLAN.name && body.fetch === undefined) requireAllRows(answer.body)
  const rows = releaseRows(access, parts, query, { ehrId, body: answer.body })
  parts.owners.learn(ehrNamed(parts, ehrId), rows.plan)
  const { released, withheld } = rows
  await recordRead(parts.trail, { access, stands }, rows.decisions, {
    interaction: 'query',
    query: query.name,
    released,
    withheld,
  })
  sendJson(res, rewritten(parts, rows.body))
}

/**
 * A query that an app wrote: read by its grammar, held to the token's EHR and to templates that may be read, and sent
 * on as we write it.
 *
 * @throws Refusal interaction_refused where the configuration has it off; of aql/; upstream_invalid
 */
export const runAdHoc: Handler = async (parts, call) => {
  const { req, res, access, stands, ehrId } = call
  if (!parts.adHoc) throw new Refusal('interaction_refused', 'ad-hoc AQL')
  const isGet = call.call.method === 'GET'
  if (!isGet && call.call.query.size > 0)
    throw new Refusal('parameter_invalid', 'parameters of a POST')
  const sent = isGet ? adHocWords(call.call.query) : await jsonBody(req, res)
  const { q, ...asked } = readAdHoc(access, sent)
  const { open: templates } = readableTemplates(access, parts)
  const bound = bindAql(readAql(q), { ...asked, ehrId, templates })
  const answer = await post(parts, `/query/${AD_HOC}`, { q: bound.aql })
  requireListed(answer)
  const rows = releaseBound(access, parts, bound, { ehrId, body: answer.body })
  const { released } = rows
  await recordRead(parts.trail, { access, stands }, rows.decisions, {
    interaction: 'ad_hoc_query',
    released,
  })
  sendJson(res, rewritten(parts, rows.body))
}
