/**
 * What comes back from FHIR, looked at again before it leaves: whole, of the patient in context, within scope,
 * labels and policies, with our addresses in it. What this caller may not see is answered as what is not there.
 */
import type { FhirPlan, FhirReadCall, ReadCall } from './fhir.js'
import { isOfPatient } from './fhir-compartment.js'
import { releasedSearch } from './fhir-found.js'
import {
  type FhirRelease,
  invalid,
  ours,
  type Released,
  requireOwn,
  versionOf,
} from './fhir-own.js'
import { isObject } from './json.js'
import { Refusal } from './refusal.js'

type Plan<C extends FhirReadCall> = FhirPlan<C>

function releasedOne(plan: Plan<ReadCall>, body: unknown, release: FhirRelease): Released {
  const { call, decision } = plan
  // The user's own Practitioner is given by its scope, which asks no policy.
  if (decision === undefined) {
    if (!isObject(body) || body.resourceType !== call.type || body.id !== call.id)
      throw invalid(`not the ${call.type} that was asked for`)
    if (!isOfPatient(body, release.whose)) throw new Refusal('record_other_patient', 'inside')
    return { body: ours(body, release), decisions: [] }
  }
  const { resource, decisions } = requireOwn(plan, body, release)
  if (call.interaction === 'vread' && versionOf(resource) !== call.version)
    throw invalid('not the version that was asked for')
  return { body: ours(resource, release), decisions }
}

const METHODS: ReadonlySet<unknown> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** A version of a history; of a deletion there is no resource. */
function releasedVersion(plan: Plan<ReadCall>, entry: unknown, release: FhirRelease) {
  if (!isObject(entry)) throw invalid('a version that cannot be read')
  const { request, response, resource } = entry
  const method = isObject(request) && METHODS.has(request.method) ? request.method : undefined
  const said = isObject(response) ? response : {}
  const about = {
    fullUrl: `${release.base}/${plan.call.type}/${plan.call.id}`,
    ...(method === undefined
      ? {}
      : { request: { method, url: `${plan.call.type}/${plan.call.id}` } }),
    ...(typeof said.lastModified === 'string' && !Number.isNaN(Date.parse(said.lastModified))
      ? { response: { status: '200', lastModified: new Date(said.lastModified).toISOString() } }
      : {}),
  }
  if (resource === undefined && method === 'DELETE') return { entry: about, decisions: [] }
  const own = requireOwn(plan, resource, release)
  return { entry: { ...about, resource: ours(own.resource, release) }, decisions: own.decisions }
}

/**
 * A history whose every version may be released, or none of it: a version of another patient or one that is
 * withheld closes it all. Who sees only that something was deleted sees nothing.
 */
function releasedHistory(plan: Plan<ReadCall>, body: unknown, release: FhirRelease): Released {
  if (!isObject(body) || body.resourceType !== 'Bundle' || body.type !== 'history')
    throw invalid('not a history')
  const { entry = [], link = [], total = 0 } = body
  if (!Array.isArray(entry) || !Array.isArray(link)) throw invalid('a history that cannot be read')
  const versions = entry.map((each) => releasedVersion(plan, each, release))
  // After whose they are: how many another's has is not told either.
  const goesOn = link.some((each) => !isObject(each) || each.relation === 'next')
  if (goesOn || typeof total !== 'number' || total > versions.length)
    throw invalid('more versions than can be judged at once')
  if (!versions.some((each) => 'resource' in each.entry))
    throw new Refusal('record_absent', 'no version that can be judged')
  const bundle = {
    ...{ resourceType: 'Bundle', type: 'history', total: versions.length },
    entry: versions.map((each) => each.entry),
  }
  const decisions = versions.flatMap((each) => each.decisions)
  return { body: bundle, decisions, entries: versions.length }
}

/**
 * The record's answer as it may leave.
 * @throws Refusal record_other_patient, record_absent, policy_denied, upstream_invalid
 */
export function releaseFhir(
  plan: Plan<FhirReadCall>,
  body: unknown,
  release: FhirRelease,
): Released {
  const { call } = plan
  if (call.interaction === 'search') return releasedSearch({ ...plan, call }, body, release)
  if (call.interaction === 'history') return releasedHistory({ ...plan, call }, body, release)
  return releasedOne({ ...plan, call }, body, release)
}
