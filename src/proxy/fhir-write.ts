/**
 * Writes to FHIR: what is to stand is judged beside what stands, and goes on under the version that was judged.
 * A patch goes on as the whole resource that it makes.
 *
 * @see FHIR R4, "create", "update", "patch", "delete", "Conditional create, update, delete"
 */
import type { Access } from '../core/access.js'
import { readParameters } from '../core/call.js'
import type { PolicyDecision } from '../core/decision.js'
import { rewriteBase } from '../core/enforcement.js'
import {
  type ChangeCall,
  type CreateCall,
  enforceFhir,
  type FhirPlan,
  type FhirWriteCall,
  type SearchCall,
} from '../core/fhir.js'
import { type FhirRelease, requireOwn, versionOf } from '../core/fhir-own.js'
import { tellsByPages } from '../core/fhir-pages.js'
import { heldToPatient, readCriteria, type Search } from '../core/fhir-search.js'
import {
  judgeWritten,
  readResource,
  readVersion,
  requireLabels,
  versionIn,
  withoutGiven,
} from '../core/fhir-write.js'
import type { Json } from '../core/json.js'
import { patched, readPatch } from '../core/json-patch.js'
import { Refusal } from '../core/refusal.js'
import { recordRead } from './entry.js'
import { type FhirAnswer, type FhirAsked, releaseFor } from './fhir-parts.js'
import { readReleased } from './fhir-read.js'
import { requireReferences } from './fhir-references.js'
import type { ProxyParts } from './parts.js'
import { requireFound } from './request.js'
import type { Stands } from './standing.js'

/** A write that may go on, exactly as it was judged. */
export interface FhirWrite {
  readonly interaction: FhirWriteCall['interaction']
  readonly type: string
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly release: FhirRelease
  readonly decisions: readonly PolicyDecision[]
  /** Of what stands; absent for what is new. */
  readonly id?: string
  /** The version that was judged, and is changed. */
  readonly previous?: string
  /** As it goes on; absent for a delete. */
  readonly resource?: Json
  /** A condition that must meet nothing, held to the patient. */
  readonly unless?: string
  /** Whether something could meet it that this caller may not find, and what refers to the new one would lead there. */
  readonly hides?: boolean
}

/** What a conditional create found, which is its answer: nothing is written. */
export interface Found {
  readonly found: FhirAnswer
  readonly id: string
  /** As it would have been: a transaction names it, so that its other entries can refer to what was found. */
  readonly write: FhirWrite
}

const decisionsOf = ({ decision }: FhirPlan): readonly PolicyDecision[] =>
  decision === undefined ? [] : [decision]

/**
 * What meets a condition, of what the caller may find by a search of their own. `hides`: whether anything could meet it
 * that they may not find, be there any or not.
 * @throws Refusal scope_insufficient, condition_ambiguous
 */
async function meeting(parts: ProxyParts, access: Access, criteria: Search, stands: Stands) {
  const call: SearchCall = { interaction: 'search', ...criteria, form: true }
  const plan = enforceFhir(access, call, parts.policies, parts.base)
  const { released } = await readReleased(parts, access, plan, stands)
  const [first, ...others] = released.body.entry as readonly { readonly resource: Json }[]
  const goesOn = released.body.total === undefined
  if (others.length > 0 || goesOn) throw new Refusal('condition_ambiguous', criteria.type)
  const decisions = [...decisionsOf(plan), ...released.decisions]
  return { resource: first?.resource, decisions, hides: tellsByPages(plan) }
}

/** A resource as it stands, which the plan's letter lets this caller change. */
async function standing(
  parts: ProxyParts,
  plan: FhirPlan<ChangeCall>,
  id: string,
  release: FhirRelease,
) {
  const { type } = plan.call
  const answer = await parts.record.forward({
    upstream: 'fhir',
    method: 'GET',
    path: `/${type}/${id}`,
  })
  requireFound(answer)
  const own = requireOwn({ ...plan, call: { type, id } }, answer.body, release)
  const said = versionOf(own.resource)
  const version = versionIn(answer.headers.etag) ?? said
  // Of two, one would be judged and the other replaced.
  if (version === '' || (said !== '' && said !== version))
    throw new Refusal('upstream_invalid', 'fhir: no version, or two')
  return { ...own, version }
}
type Standing = Awaited<ReturnType<typeof standing>>

/** A resource that a client sent, with the record's own addresses in place of ours. */
const sent = ({ base, whose }: FhirRelease, body: unknown): unknown =>
  rewriteBase(body, base, whose.upstream)

async function prepareNew(
  parts: ProxyParts,
  access: Access,
  plan: FhirPlan<CreateCall>,
  { body, stands }: FhirAsked,
): Promise<FhirWrite> {
  const release = releaseFor(parts, access, plan.patient)
  const { type } = plan.call
  const resource = readResource(sent(release, body), type)
  const own = judgeWritten(release, resource, 'c', plan.decision)
  const led = await requireReferences(parts, access, release, { after: resource, stands })
  const decisions = [...own, ...led]
  return { interaction: 'create', type, method: 'POST', release, resource, decisions }
}

async function prepareCreate(
  parts: ProxyParts,
  access: Access,
  plan: FhirPlan<CreateCall>,
  asked: FhirAsked,
): Promise<FhirWrite | Found> {
  const write = await prepareNew(parts, access, plan, asked)
  const { type } = plan.call
  const { ifNoneExist, stands } = asked
  if (ifNoneExist === undefined) return write

  const criteria = readCriteria(type, readParameters(ifNoneExist))
  const unless = heldToPatient(criteria, plan.patient)
  const met = await meeting(parts, access, criteria, stands)
  const { resource: there, decisions, hides } = met
  if (there === undefined)
    return { ...write, decisions: [...write.decisions, ...decisions], unless, hides }
  const id = String(there.id)
  await recordRead(parts.trail, { access, stands }, decisions, { interaction: 'search', type, id })
  const found = { status: 200, body: there, location: `${parts.base}/${type}/${id}` }
  return { found, id, write: { ...write, unless } }
}

/** What is to stand in its place; nothing for a delete. */
function successor(
  release: FhirRelease,
  plan: FhirPlan<ChangeCall>,
  before: Standing,
  { body }: FhirAsked,
) {
  const { interaction, type } = plan.call
  if (interaction === 'delete') return undefined
  const { resource } = before
  const id = String(resource.id)
  if (interaction === 'update') return readResource(sent(release, body), type, id)
  // A patch tests and copies what stands, so it tells of it as a read does.
  const { access, policies, base } = release
  const read = { interaction: 'read', type, id, version: '' } as const
  requireOwn(enforceFhir(access, read, policies, base), resource, release)
  const made = patched(resource, readPatch(sent(release, body)))
  return readResource(withoutGiven(made), type, id)
}

async function prepareChange(
  parts: ProxyParts,
  access: Access,
  plan: FhirPlan<ChangeCall>,
  asked: FhirAsked & { readonly id: string },
  wanted: string | undefined,
): Promise<FhirWrite> {
  const release = releaseFor(parts, access, plan.patient)
  const { interaction, type } = plan.call
  const { id } = asked
  const before = await standing(parts, plan, id, release)
  if (wanted !== undefined && wanted !== before.version)
    throw new Refusal('version_stale', 'read since')
  const write = { interaction, type, id, release, previous: before.version }
  const resource = successor(release, plan, before, asked)
  if (resource === undefined) return { ...write, method: 'DELETE', decisions: before.decisions }
  const judged = judgeWritten(release, resource, 'u', plan.decision)
  requireLabels(before.resource, resource)
  const places = { before: before.resource, after: resource, stands: asked.stands }
  const led = await requireReferences(parts, access, release, places)
  const decisions = [...before.decisions, ...judged, ...led]
  return { ...write, method: 'PUT', resource, decisions }
}

/** An update of what is not there yet is a create, held to its condition. */
async function prepareUpsert(
  parts: ProxyParts,
  access: Access,
  criteria: Search,
  asked: FhirAsked,
): Promise<FhirWrite> {
  const create: CreateCall = { interaction: 'create', type: criteria.type }
  const plan = enforceFhir(access, create, parts.policies, parts.base)
  const { ifNoneExist: _other, ...alone } = asked
  const write = await prepareNew(parts, access, plan, alone)
  return { ...write, unless: heldToPatient(criteria, plan.patient) }
}

/**
 * Judges a write as far as it can be before it is done.
 *
 * @throws Refusal scope_insufficient, policy_denied, policy_stale, record_absent, record_other_patient,
 *   resource_refused, reference_refused, version_missing, version_stale, condition_ambiguous, patch_failed
 */
export async function prepareWrite(
  parts: ProxyParts,
  access: Access,
  asked: FhirAsked<FhirWriteCall>,
): Promise<FhirWrite | Found> {
  const { call } = asked
  const { policies, base } = parts
  if (call.interaction === 'create')
    return prepareCreate(parts, access, enforceFhir(access, call, policies, base), asked)

  const plan = enforceFhir(access, call, policies, base)
  const { interaction, target } = call
  const byId = 'id' in target
  // A patch is made of what stands, under its version: it overwrites nobody's change unseen.
  const wanted = readVersion(asked.ifMatch, byId && interaction === 'update')
  if (byId) return prepareChange(parts, access, plan, { ...asked, id: target.id }, wanted)
  const { resource } = await meeting(parts, access, target.criteria, asked.stands)
  if (resource !== undefined)
    return prepareChange(parts, access, plan, { ...asked, id: String(resource.id) }, wanted)
  if (interaction !== 'update') throw new Refusal('record_absent', 'nothing meets the condition')
  return prepareUpsert(parts, access, target.criteria, asked)
}
