/** Whether there is a plan: by the query that shows it, whose every row is proven. */
import { Refusal } from '../core/refusal.js'
import { planRows, requireAllRows } from '../core/rows.js'
import { PLAN_QUERY, type QueryBody } from '../core/stored-query.js'
import type { Upstream } from './upstream.js'

/**
 * The templates of what the plan's query finds in an EHR. Whole, though one row would do: what servers make of a limit
 * differs, and a row that could not be shown is no plan that could be.
 *
 * @throws Refusal record_unavailable, upstream_invalid: never "none" of a server that did not say so
 */
export async function templatesIn(openehr: Upstream, ehrId: string): Promise<readonly string[]> {
  const asked: QueryBody = { query_parameters: { ehr_id: ehrId } }
  const { status, body } = await openehr.call({
    method: 'POST',
    path: `/query/${PLAN_QUERY}`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(asked),
    reads: true,
  })
  if (status !== 200)
    throw new Refusal('upstream_invalid', `openehr: the plan's query was answered ${status}`)
  requireAllRows(body)
  return planRows(ehrId, body).map(({ template }) => template)
}
