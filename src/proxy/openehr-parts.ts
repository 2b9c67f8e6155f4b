import type { Request, Response } from 'express'
import type { Access } from '../core/access.js'
import { writeQuery } from '../core/call.js'
import { provenComposition } from '../core/composition.js'
import { releaseEhr, subjectOf } from '../core/ehr.js'
import { rewriteBase } from '../core/enforcement.js'
import { writeJson } from '../core/json-text.js'
import type { OpenEhrCall } from '../core/openehr-calls.js'
import type { PlanSection } from '../core/plan.js'
import { Refusal } from '../core/refusal.js'
import { type PlanRow, planRows, requireAllRows, requireAmong } from '../core/rows.js'
import { PLAN, type QueryBody, type StoredQuery } from '../core/stored-query.js'
import type { EpochMs, Seconds } from '../core/values.js'
import type { UpstreamAnswer } from '../record/record.js'
import type { Handovers } from '../session/handovers.js'
import type { UnsavedWork } from '../session/unsaved.js'
import type { Store } from '../store/store.js'
import { withinSize } from './bounds.js'
import type { Owners } from './openehr-owners.js'
import type { ProxyParts } from './parts.js'
import { requireFound } from './request.js'
import type { Meanwhile } from './standing.js'

export interface OpenEhrParts extends ProxyParts {
  /** The plan's sections: their templates, and what they take over of the GP record. */
  readonly plan: readonly PlanSection[]
  /** Stored queries that may be run: the plan's own, and those of configuration. */
  readonly queries: readonly StoredQuery[]
  /** Whether apps may write queries of their own. */
  readonly adHoc: boolean
  /** What reads need not ask again. */
  readonly owners: Owners
  /** How far an app's clock may differ from ours. */
  readonly skew: Seconds
  readonly store: Pick<Store, 'commit'>
  /** What launches brought. */
  readonly handovers: Pick<Handovers, 'read'>
  /** What people typed and did not save. */
  readonly unsaved: UnsavedWork
  /** For how long a section is held for who begins it: longer than its write may take. */
  readonly holdMs: EpochMs
}

/** One call that has been let in as far as its scopes and its EHR go. */
export interface OpenEhrCallIn extends Meanwhile {
  readonly req: Request
  readonly res: Response
  readonly access: Access
  readonly call: OpenEhrCall
  /** The token's own. */
  readonly ehrId: string
  /** What the call names; empty for a new one. */
  readonly uid: string
}

export type Handler = (parts: OpenEhrParts, call: OpenEhrCallIn) => Promise<void>

/** An EHR by a name that no EHR of another record has: for what is kept past a call. */
export const ehrNamed = ({ tenant }: Pick<OpenEhrParts, 'tenant'>, ehrId: string): string =>
  tenant === undefined ? ehrId : `${tenant}/${ehrId}`

/** An answer's body with our addresses in it. */
export const rewritten = ({ record, base }: OpenEhrParts, body: unknown): unknown =>
  rewriteBase(body, record.bases.openehr, base)

export const ask = (
  { record }: OpenEhrParts,
  path: string,
  query: Iterable<readonly [string, string]> = [],
): Promise<UpstreamAnswer> =>
  record.forward({ upstream: 'openehr', method: 'GET', path, query: writeQuery(query) })

/** Runs a query by POST: of an address, some servers read no parameters. */
export const post = (
  { record }: OpenEhrParts,
  path: string,
  body: object,
): Promise<UpstreamAnswer> =>
  record.forward({
    upstream: 'openehr',
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: writeJson(body),
    reads: true,
  })

export const runStored = (
  parts: OpenEhrParts,
  { name, version }: StoredQuery,
  body: QueryBody,
): Promise<UpstreamAnswer> =>
  post(parts, `/query/${name}${version === undefined ? '' : `/${version}`}`, body)

/** What the plan's query gives for an EHR: what the record counts to it. */
export const askPlan = (parts: OpenEhrParts, ehrId: string): Promise<UpstreamAnswer> =>
  runStored(parts, PLAN, { query_parameters: { ehr_id: ehrId } })

/** @throws Refusal upstream_invalid: an EHR that a token names is there */
export function planIn(
  parts: OpenEhrParts,
  { status, body }: UpstreamAnswer,
  ehrId: string,
): readonly PlanRow[] {
  if (status === 200) {
    requireAllRows(body)
    const rows = planRows(ehrId, body)
    parts.owners.learn(ehrNamed(parts, ehrId), rows)
    return rows
  }
  throw new Refusal('upstream_invalid', `openehr: the plan's query was answered ${status}`)
}

/** The plan's compositions as they stand. @throws Refusal record_unavailable, upstream_invalid */
export const planOf = async (parts: OpenEhrParts, ehrId: string): Promise<readonly PlanRow[]> =>
  planIn(parts, await askPlan(parts, ehrId), ehrId)

/**
 * Something of an EHR, and what the record counts to that EHR.
 * @throws Refusal record_absent, record_unavailable, upstream_invalid
 */
export async function askBeside(
  parts: OpenEhrParts,
  ehrId: string,
  path: string,
  query: Iterable<readonly [string, string]> = [],
) {
  const requireSize = withinSize(parts)
  const [answer, plan] = await Promise.all([ask(parts, path, query), askPlan(parts, ehrId)])
  requireFound(answer)
  for (const each of [answer, plan]) requireSize(each)
  return { answer, rows: planIn(parts, plan, ehrId) }
}

/**
 * A composition as the record gives it, proven to be the one asked for and of the token's EHR.
 * @throws Refusal record_absent, record_other_patient, record_unavailable, upstream_invalid
 */
export async function ownComposition(
  parts: OpenEhrParts,
  ehrId: string,
  uid: string,
  query: Iterable<readonly [string, string]> = [],
) {
  const path = `/ehr/${ehrId}/composition/${uid}`
  const { answer, rows } = await askBeside(parts, ehrId, path, query)
  const composition = provenComposition(answer.body, uid)
  requireAmong(rows, composition.uid)
  return { answer, ...composition }
}

/**
 * Something about an object for which the record has shown whose it is: just now, or lately enough (openehr-owners.ts).
 * @throws Refusal record_absent, record_other_patient, record_unavailable, upstream_invalid
 */
export async function ownAnswer(
  parts: OpenEhrParts,
  { ehrId, uid, call }: Pick<OpenEhrCallIn, 'ehrId' | 'uid' | 'call'>,
  path: string,
): Promise<{ readonly answer: UpstreamAnswer; readonly template: string }> {
  const known = parts.owners.find(ehrNamed(parts, ehrId), uid)
  if (known === undefined) {
    const { answer, rows } = await askBeside(parts, ehrId, path, call.query)
    return { answer, template: requireAmong(rows, uid).template }
  }
  const answer = await ask(parts, path, call.query)
  requireFound(answer)
  return { answer, template: known }
}

/**
 * The system in which something is committed, as the record calls itself: servers refuse another name.
 * @throws Refusal record_absent, upstream_invalid
 */
export async function systemOf(
  parts: OpenEhrParts,
  { access, ehrId }: Pick<OpenEhrCallIn, 'access' | 'ehrId'>,
  [row]: readonly PlanRow[],
): Promise<string> {
  const [, system] = row?.uid.split('::') ?? []
  if (system !== undefined) return system
  const answer = await ask(parts, `/ehr/${ehrId}`)
  requireFound(answer)
  const subject = subjectOf(access, parts.record.subjectNamespace)
  return releaseEhr(answer.body, ehrId, subject).system_id.value
}
