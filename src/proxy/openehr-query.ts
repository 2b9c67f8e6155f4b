/** Stored queries, run for the token's EHR; their rows proven and judged one by one. */
import { Refusal } from '../core/refusal.js'
import { releaseRows } from '../core/rows.js'
import { bindQuery, queryWords, type StoredQuery } from '../core/stored-query.js'
import { recordAllowed } from './entry.js'
import {
  type Handler,
  type OpenEhrCallIn,
  type OpenEhrParts,
  rewritten,
  runStored,
} from './openehr-parts.js'
import { jsonBody, requireFound } from './request.js'

/** @throws Refusal interaction_refused */
function registered({ queries }: OpenEhrParts, { call }: OpenEhrCallIn): StoredQuery {
  const query = queries.find(({ name }) => name === call.id)
  if (query === undefined || (call.version !== '' && call.version !== query.version))
    throw new Refusal('interaction_refused', 'query')
  return query
}

/** Parameters, from the address or from the body, never from both. @throws Refusal parameter_invalid */
export async function wordsOf({
  req,
  res,
  call,
}: OpenEhrCallIn): Promise<ReadonlyMap<string, string>> {
  if (call.method === 'GET') return call.query
  if (call.query.size > 0) throw new Refusal('parameter_invalid', 'parameters of a POST')
  return queryWords(await jsonBody(req, res))
}

export const runQuery: Handler = async (parts, call) => {
  const { res, access, ehrId } = call
  const query = registered(parts, call)
  const body = bindQuery(access, query, await wordsOf(call))
  const answer = await runStored(parts, query, body)
  requireFound(answer)
  const rows = releaseRows(access, parts, query, { ehrId, body: answer.body })
  const { released, withheld } = rows
  await recordAllowed(parts.trail, access, rows.decisions, {
    interaction: 'query',
    query: query.name,
    released,
    withheld,
  })
  res.json(rewritten(parts, rows.body))
}
