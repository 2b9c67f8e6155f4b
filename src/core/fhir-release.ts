/**
 * What comes back from FHIR, looked at again before it leaves: whole, of the patient in context, within scope,
 * labels and policies, with our addresses in it. What this caller may not see is answered as what is not there.
 */
import { readCall } from './call.js'
import type { PolicyDecision } from './decision.js'
import { accessWith, requireDecision, rewriteBase } from './enforcement.js'
import {
  type FhirPlan,
  type FhirReadCall,
  type ReadCall,
  readFhirCall,
  type SearchCall,
} from './fhir.js'
import { isOfPatient } from './fhir-compartment.js'
import { type Judging, judgeResource, withholdsLabelled } from './fhir-judge.js'
import { heldToPatient, includedBy, isPaged } from './fhir-search.js'
import { isObject, type Json } from './json.js'
import { patientFlags } from './patient-flags.js'
import { Refusal } from './refusal.js'
import { readSearchset } from './searchset.js'

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

type Plan<C extends FhirReadCall> = FhirPlan<C>

const invalid = (detail: string) => new Refusal('upstream_invalid', `fhir: ${detail}`)

const ours = <T>(value: T, { whose, base }: FhirRelease): T =>
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
function requirePatientSeen(
  { access, policies }: FhirRelease,
  body: Json,
  letter: FhirPlan['letter'],
) {
  const kind = { type: 'fhir', id: 'Patient' } as const
  requireDecision(accessWith(access, patientFlags(body)), policies, letter, kind)
}

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

/** `meta.versionId`; empty when there is none. */
export const versionOf = ({ meta }: Json): string =>
  isObject(meta) && typeof meta.versionId === 'string' ? meta.versionId : ''

/** A page's link is released when we would let it in again. A lost `next` would hide entries: refused. */
function isReleased(link: Json, { type }: SearchCall, { base, whose }: FhirRelease): boolean {
  if (typeof link.url !== 'string') return false
  try {
    const address = link.url.startsWith(`${base}/`) ? link.url.slice(base.length) : ''
    const call = readFhirCall(readCall('GET', address, {}))
    if (call.interaction !== 'search' || call.type !== type) throw new Error('not this search')
    heldToPatient(call, whose.patient)
    return true
  } catch {
    if (link.relation === 'next') throw new Refusal('upstream_invalid', 'fhir: next link')
    return false
  }
}

interface Entry {
  readonly resource: Json
  readonly mode: 'match' | 'include'
}

const modeOf = (entry: Json): unknown => (isObject(entry.search) ? entry.search.mode : undefined)

/** An entry that a search like this can have. A record that mixes patients in one answer is not to be believed in any part of it. */
function readEntry(entry: unknown, call: SearchCall, { whose }: FhirRelease): Entry {
  const resource = isObject(entry) ? entry.resource : undefined
  if (!isObject(entry) || !isObject(resource) || typeof resource.id !== 'string')
    throw invalid('an entry without a resource')
  const { resourceType: type } = resource
  const included = modeOf(entry) === 'include'
  const known = included ? includedBy(call).includes(String(type)) : type === call.type
  if (!known) throw invalid(`not a ${call.type} in a searchset`)
  if (!isOfPatient(resource, whose))
    throw invalid(`a ${call.type} of another patient in a searchset`)
  return { resource, mode: included ? 'include' : 'match' }
}

/** FHIR's mark for an answer from which something may have been left out. @see HL7 v3 ObservationValue */
const REDACTED = {
  security: [
    { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED' },
  ],
}

function judged(plan: Plan<SearchCall>, entries: readonly Entry[], release: FhirRelease) {
  const decisions: PolicyDecision[] = []
  const given = entries.filter(({ resource, mode }) => {
    const match = mode === 'match'
    const verdict = judgeResource(
      release,
      resource,
      match ? 's' : 'r',
      match ? plan.decision : undefined,
    )
    if (verdict.is === 'given') decisions.push(...verdict.decisions)
    else if (resource.resourceType === 'Patient') requirePatientSeen(release, resource, 's')
    return verdict.is === 'given'
  })
  return { given, decisions }
}

/**
 * Made anew of what may be released: no count, link, time or member of the record's own tells of the rest. The
 * mark says what the role may not see, never whether there is any of it.
 */
function releasedSearch(plan: Plan<SearchCall>, body: unknown, release: FhirRelease): Released {
  const { call } = plan
  const { base } = release
  const read = readSearchset(body, { paged: isPaged(call) })
  const entries = read.entries.map((entry) => readEntry(entry, call, release))
  const { given, decisions } = judged(plan, entries, release)
  const links = ours(read.links, release).filter((link) => isReleased(link, call, release))
  const whole = !isPaged(call) && !links.some(({ relation }) => relation === 'next')
  const matches = given.filter(({ mode }) => mode === 'match').length
  const bundle: Json = {
    resourceType: 'Bundle',
    ...(withholdsLabelled(release, call.type, 's') ? { meta: REDACTED } : {}),
    type: 'searchset',
    ...(whole ? { total: matches } : {}),
    link: links.map(({ relation, url }) => ({ relation, url })),
    entry: given.map(({ resource, mode }) => ({
      fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
      resource: ours(resource, release),
      search: { mode },
    })),
  }
  return { body: bundle, decisions: [...decisions], entries: matches }
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
      ? { response: { status: '200', lastModified: said.lastModified } }
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
  const { entry = [], link = [] } = body
  if (!Array.isArray(entry) || !Array.isArray(link)) throw invalid('a history that cannot be read')
  if (link.some((each) => !isObject(each) || each.relation === 'next'))
    throw invalid('more versions than can be judged at once')
  const versions = entry.map((each) => releasedVersion(plan, each, release))
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
