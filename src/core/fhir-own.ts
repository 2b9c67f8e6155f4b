/** What leaves FHIR or is changed in it must be this patient's and for this caller: the same at every place. */
import type { PolicyDecision } from './decision.js'
import { accessWith, requireDecision, rewriteBase } from './enforcement.js'
import type { FhirPlan } from './fhir.js'
import { flagsBy, type Judging, judgeResource } from './fhir-judge.js'
import { isObject, type Json } from './json.js'
import { Refusal } from './refusal.js'

/** Who asks, whose data may be released, and our own address. */
export interface FhirRelease extends Judging {
  readonly base: string
}

export interface Released {
  readonly body: Json
  readonly decisions: readonly PolicyDecision[]
  /** Matches of a search, or versions. */
  readonly entries?: number
}

export const invalid = (detail: string) => new Refusal('upstream_invalid', `fhir: ${detail}`)

/** With our addresses in place of the record's. */
export const ours = <T>(value: T, { whose, base }: FhirRelease): T =>
  rewriteBase(value, whose.upstream, base) as T

/**
 * One resource as it was asked for by its id.
 * @throws Refusal upstream_invalid, record_other_patient, record_absent, policy_denied
 */
export function requireOwn(
  {
    call,
    letter,
    decision,
  }: Pick<FhirPlan, 'letter' | 'decision'> & {
    readonly call: { readonly type: string; readonly id: string }
  },
  body: unknown,
  release: FhirRelease,
): { readonly resource: Json; readonly decisions: readonly PolicyDecision[] } {
  if (!isObject(body) || body.resourceType !== call.type || body.id !== call.id)
    throw invalid(`not the ${call.type} that was asked for`)
  const verdict = judgeResource(release, body, letter, decision)
  if (verdict.is === 'given') return { resource: body, decisions: verdict.decisions }
  if (verdict.is === 'foreign') throw new Refusal('record_other_patient', `read ${call.type}`)
  if (call.type === 'Patient') requirePatientSeen(release, body, letter)
  throw new Refusal('record_absent', `withheld: ${verdict.why}`)
}

/** Who has launched for a patient knows of them: they are told what changed, not that there is nobody. */
export function requirePatientSeen(
  { access, policies }: FhirRelease,
  body: Json,
  letter: FhirPlan['letter'],
) {
  const kind = { type: 'fhir', id: 'Patient' } as const
  requireDecision(accessWith(access, flagsBy(access, body)), policies, letter, kind)
}

const ID = /^[A-Za-z0-9.-]{1,64}$/

/** What can be an id or a version: all that may stand in an address or a header of ours. */
export const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value)

/** `meta.versionId`; empty when there is none. */
export const versionOf = ({ meta }: Json): string =>
  isObject(meta) && isId(meta.versionId) ? meta.versionId : ''
