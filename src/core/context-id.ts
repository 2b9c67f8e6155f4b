/**
 * Which context a write was made in. A launch is one context: a person, in one chart, on one patient. A page that
 * stays open after its chart has moved on is in a context that was superseded, and writes no more.
 */
import type { LaunchId } from './ids.js'
import { Refusal } from './refusal.js'

/** A name, no secret. It stands beside the token (`__context`) and comes back with each write. */
export type ContextId = `ctx_${string}`

/** The header of each write, in lower case as Node gives it. */
export const CONTEXT_HEADER = 'launch-context'

export const contextIdOf = (launch: LaunchId): ContextId => `ctx_${launch.slice(4)}`

/**
 * When a later launch of the same system, in the same browser and under the same sign-on, supersedes this system's
 * earlier ones. Never: both live, and nothing tells which of them the chart is on.
 */
export const SUPERSEDE_RULES = ['never', 'other-patient', 'always'] as const
export type SupersedeRule = (typeof SUPERSEDE_RULES)[number]

/** Where a system's chart stands in one browser, as its launches tell. Ids of launches sort by when they arrived. */
export interface Chart {
  readonly launch: LaunchId
  /** Their NHS number: ids of FHIR are of one record. */
  readonly patient?: string
  /** The first launch of those, up to {@link launch}, that were all for this patient. */
  readonly from: LaunchId
}

/**
 * The chart after one more launch has opened. One that arrived before the last and was only opened after it (its user
 * had something to answer first) does not move it: the chart had gone on by then.
 */
export function chartAfter(
  chart: Chart | undefined,
  { launch, patient }: Pick<Chart, 'launch' | 'patient'>,
): Chart {
  const whose = patient === undefined ? {} : { patient }
  if (chart === undefined) return { launch, ...whose, from: launch }
  if (launch < chart.launch) return chart
  return { launch, ...whose, from: chart.patient === patient ? chart.from : launch }
}

/** Whether a launch for this patient is one that the chart has left. */
export function isSuperseded(
  rule: SupersedeRule,
  chart: Chart | undefined,
  { launch, patient }: Pick<Chart, 'launch' | 'patient'>,
): boolean {
  if (rule === 'never' || chart === undefined) return false
  if (rule === 'always') return chart.launch !== launch
  return chart.patient !== patient || launch < chart.from
}

/**
 * A write says in which context it was made: an app that holds two of them cannot send one's changes with the
 * other's token.
 *
 * @param launch the token's
 * @param sent the header as it came
 * @throws Refusal context_missing, context_other
 */
export function requireContextId(launch: LaunchId, sent: string | undefined): void {
  if (sent === undefined) throw new Refusal('context_missing', CONTEXT_HEADER)
  if (sent !== contextIdOf(launch)) throw new Refusal('context_other', CONTEXT_HEADER)
}
