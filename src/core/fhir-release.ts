/**
 * What comes back from FHIR, looked at again before it leaves: whole, of the patient in context, with our
 * addresses in it.
 */

import type { Access } from './access.js'
import { readCall } from './call.js'
import type { Policies, PolicyDecision } from './decision.js'
import { accessWith, requireDecision, rewriteBase } from './enforcement.js'
import { FHIR_TYPES, type FhirPlan, type FhirType, heldToPatient, readFhirCall } from './fhir.js'
import { isObject, type Json } from './json.js'
import { patientFlags } from './patient-flags.js'
import { Refusal } from './refusal.js'
import { readSearchset } from './searchset.js'

/** The addresses of the record behind us and of ourselves, and whose data may be released. */
export interface FhirRelease {
  readonly patient: string
  readonly upstream: string
  readonly base: string
}

function isOfPatient(type: FhirType, resource: Json, { patient, upstream }: FhirRelease): boolean {
  const { whose } = FHIR_TYPES[type]
  if (whose === 'directory') return true
  if (whose === 'self') return resource.id === patient
  const reference = isObject(resource[whose]) ? resource[whose].reference : undefined
  if (typeof reference !== 'string') return false
  const local = reference.startsWith(`${upstream}/`)
    ? reference.slice(upstream.length + 1)
    : reference
  return local === `Patient/${patient}` || local.startsWith(`Patient/${patient}/_history/`)
}

/** A page's link is released when we would let it in again. A lost `next` would hide entries: refused. */
function isReleased(link: Json, type: FhirType, release: FhirRelease): boolean {
  if (typeof link.url !== 'string') return false
  try {
    const address = link.url.startsWith(`${release.base}/`)
      ? link.url.slice(release.base.length)
      : ''
    const call = readFhirCall(readCall('GET', address, {}))
    if (call.interaction !== 'search' || call.type !== type) throw new Error('not this search')
    heldToPatient(call, release.patient)
    return true
  } catch {
    if (link.relation === 'next') throw new Refusal('upstream_invalid', 'fhir: next link')
    return false
  }
}

type Search = Extract<FhirPlan['call'], { readonly interaction: 'search' }>

function releasedBundle({ type, parameters }: Search, body: unknown, release: FhirRelease): Json {
  const paged = parameters.has('_count') || parameters.has('_offset')
  const { entries, links } = readSearchset(body, { paged })
  for (const entry of entries) {
    const resource = isObject(entry) ? entry.resource : undefined
    // A record that mixes patients in one answer is not to be believed in any part of it.
    if (!isObject(resource) || resource.resourceType !== type)
      throw new Refusal('upstream_invalid', `fhir: not a ${type} in a searchset`)
    if (!isOfPatient(type, resource, release))
      throw new Refusal('upstream_invalid', `fhir: a ${type} of another patient in a searchset`)
  }
  const whole = { ...(body as Json), entry: entries, link: links }
  const rewritten = rewriteBase(whole, release.upstream, release.base) as { link: readonly Json[] }
  return { ...rewritten, link: rewritten.link.filter((link) => isReleased(link, type, release)) }
}

/**
 * The record's answer as it may leave.
 * @throws Refusal record_other_patient, upstream_invalid
 */
export function releaseFhir(plan: FhirPlan, body: unknown, release: FhirRelease): Json {
  const { call } = plan
  if (call.interaction === 'search') return releasedBundle(call, body, release)
  if (!isObject(body) || body.resourceType !== call.type || body.id !== call.id)
    throw new Refusal('upstream_invalid', `fhir: not the ${call.type} that was asked for`)
  if (!isOfPatient(call.type, body, release))
    throw new Refusal('record_other_patient', `read ${call.type}`)
  return rewriteBase(body, release.upstream, release.base) as Json
}

/** The Patients in an answer that was read by {@link releaseFhir}. */
function patientsIn({ call }: FhirPlan, body: Json): readonly Json[] {
  if (call.type !== 'Patient') return []
  if (call.interaction === 'read') return [body]
  return (body.entry as readonly { readonly resource: Json }[]).map(({ resource }) => resource)
}

/**
 * The policies asked once more about a patient of whom the record says something else than at the launch:
 * a mark of sensitivity or a death counts before the answer that tells of it leaves.
 *
 * @throws Refusal policy_denied
 */
export function judgeReleased(
  access: Access,
  policies: Policies,
  plan: FhirPlan,
  body: Json,
): readonly PolicyDecision[] {
  const { sensitive, deceased } = access.grant.circumstances.patient
  const changed = patientsIn(plan, body)
    .map(patientFlags)
    .filter((flags) => flags.sensitive !== sensitive || flags.deceased !== deceased)
  const letter = plan.call.interaction === 'read' ? 'r' : 's'
  return changed.map((flags) =>
    requireDecision(accessWith(access, flags), policies, letter, { type: 'fhir', id: 'Patient' }),
  )
}
