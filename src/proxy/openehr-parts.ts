import type { Request, Response } from 'express'
import type { Access } from '../core/access.js'
import { writeQuery } from '../core/call.js'
import { provenComposition, requireOwn } from '../core/composition.js'
import { rewriteBase } from '../core/enforcement.js'
import { type OpenEhrCall, PLAN_QUERY, type PlanSection } from '../core/openehr.js'
import { Refusal } from '../core/refusal.js'
import type { EpochMs, Seconds } from '../core/values.js'
import type { UpstreamAnswer } from '../record/record.js'
import type { Store } from '../store/store.js'
import type { ProxyParts } from './parts.js'
import { requireFound } from './request.js'

export interface OpenEhrParts extends ProxyParts {
  /** Sections of the plan and their templates. */
  readonly plan: readonly PlanSection[]
  /** How far an app's clock may differ from ours. */
  readonly skew: Seconds
  readonly store: Pick<Store, 'commit'>
  /** For how long a section is held for who begins it: longer than its write may take. */
  readonly holdMs: EpochMs
}

/** One call that has been let in as far as its scopes and its EHR go. */
export interface OpenEhrCallIn {
  readonly req: Request
  readonly res: Response
  readonly access: Access
  readonly call: OpenEhrCall
  /** The token's own. */
  readonly ehrId: string
  /** Empty for a create and a query. */
  readonly uid: string
}

/** An answer's body with our addresses in it. */
export const rewritten = ({ record, base }: OpenEhrParts, body: unknown): unknown =>
  rewriteBase(body, record.bases.openehr, base)

/** What the plan's query gives for an EHR: what the record counts to it. */
export const askRows = ({ record }: OpenEhrParts, ehrId: string): Promise<UpstreamAnswer> =>
  record.forward({
    upstream: 'openehr',
    method: 'GET',
    path: `/query/${PLAN_QUERY}`,
    query: writeQuery([['ehr_id', ehrId]]),
  })

/** @throws Refusal upstream_invalid: an EHR that a token names is there */
export function rowsIn({ status, body }: UpstreamAnswer): unknown {
  if (status === 200) return body
  throw new Refusal('upstream_invalid', `openehr: the plan's query was answered ${status}`)
}

/**
 * A composition as the record gives it, proven to be the one asked for and of the token's EHR.
 * @throws Refusal record_absent, record_other_patient, record_unavailable, upstream_invalid
 */
export async function ownComposition(parts: OpenEhrParts, ehrId: string, uid: string) {
  const path = `/ehr/${ehrId}/composition/${uid}`
  const [answer, rows] = await Promise.all([
    parts.record.forward({ upstream: 'openehr', method: 'GET', path }),
    askRows(parts, ehrId),
  ])
  requireFound(answer)
  const composition = provenComposition(answer.body, uid)
  requireOwn(ehrId, rowsIn(rows), composition.uid)
  return { answer, ...composition }
}
