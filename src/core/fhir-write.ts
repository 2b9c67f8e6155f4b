/**
 * What is to be written to FHIR, judged before it goes on: as it was sent or as a patch makes it, beside what
 * stands. Both must be about the patient in context, within scope and allowed.
 *
 * @see FHIR R4, "create", "update"; json-patch.ts for "patch"
 */
import { canonical } from './chain.js'
import type { PolicyDecision } from './decision.js'
import { containedIn, namesAnother } from './fhir-compartment.js'
import { type Judging, judgeResource } from './fhir-judge.js'
import { isObject, type Json } from './json.js'
import { plainNumbers } from './json-text.js'
import { parameterFault, Refusal } from './refusal.js'
import type { Letter } from './scope.js'

/** Members of `meta` that the record gives. */
const GIVEN = ['versionId', 'lastUpdated']

/** The resource as it goes on: without what is the record's to say. */
export function withoutGiven(resource: Json): Json {
  const { meta } = resource
  if (!isObject(meta)) return resource
  const kept = Object.fromEntries(Object.entries(meta).filter(([name]) => !GIVEN.includes(name)))
  return { ...resource, meta: kept }
}

/**
 * A resource that a client sent.
 * @param id that it must bear; absent for a new one, to which the record gives its id
 * @throws Refusal body_unreadable, parameter_invalid
 */
export function readResource(body: unknown, type: string, id?: string): Json {
  if (!isObject(body) || body.resourceType !== type)
    throw new Refusal('body_unreadable', `not a ${type}`)
  if (body.meta !== undefined && !isObject(body.meta)) throw new Refusal('body_unreadable', 'meta')
  // An id that a client chose could be that of another patient's resource.
  const { id: own, ...rest } = withoutGiven(body)
  if (id === undefined) return rest
  if (own !== undefined && own !== id) throw new Refusal('parameter_invalid', 'another id')
  return { ...rest, id }
}

/**
 * A resource as it is to stand. @returns what allowed it
 * @throws Refusal resource_refused, scope_insufficient, policy_denied, parameter_invalid
 */
export function judgeWritten(
  judging: Judging,
  resource: Json,
  letter: Letter,
  decided: PolicyDecision | undefined,
): readonly PolicyDecision[] {
  const verdict = judgeResource(judging, resource, letter, decided)
  if (verdict.is === 'foreign' || namesAnother(resource, judging.whose))
    throw new Refusal('resource_refused', `${resource.resourceType} of another patient`)
  if (verdict.is === 'given') {
    requireNoneInside(resource)
    return verdict.decisions
  }
  throw new Refusal(verdict.by === 'scope' ? 'scope_insufficient' : 'policy_denied', verdict.why)
}

const labelsOf = ({ meta }: Json): readonly unknown[] => {
  const labels = isObject(meta) ? (meta.security ?? []) : []
  return Array.isArray(labels) ? labels : [labels]
}
/** What only reads like a label, a text or a list of codes, is none to a server that leaves it aside. */
const spell = (label: unknown): string =>
  canonical(isObject(label) ? [label.system ?? '', label.code ?? ''] : label)

const insideOf = (resource: Json): readonly Json[] => containedIn(resource) ?? []

/**
 * Whoever changes a resource does not take its labels off by leaving them out, nor those of what stands inside it: they
 * are the whole's from then on, where FHIR has them.
 * @throws Refusal label_missing
 */
export function requireLabels(before: Json, after: Json): void {
  const kept = new Set(labelsOf(after).map(spell))
  if (![before, ...insideOf(before)].flatMap(labelsOf).every((label) => kept.has(spell(label))))
    throw new Refusal('label_missing', String(after.resourceType))
}

/**
 * What stands inside a resource that is written has no labels of its own: two readers would take them for two things.
 * @throws Refusal parameter_invalid
 * @see FHIR R4, DomainResource, dom-5
 */
function requireNoneInside(resource: Json): void {
  if (insideOf(resource).some((inside) => labelsOf(inside).length > 0))
    throw parameterFault('parameter_invalid', 'contained.meta.security')
}

/** What a resource says: its own members, and of its text only where one was sent. A server may make one. */
function saying({ meta: _, ...rest }: Json, withText: boolean): string {
  const { text: _text, ...others } = rest
  return canonical(plainNumbers(withText ? rest : others))
}

/**
 * Whether an update asked for nothing that does not stand already: some servers (HAPI) then make no new version of it.
 * What else of `meta` stood stands: only its labels are a caller's to add.
 *
 * @param sent as it went on
 */
export function isUnchanged(sent: Json | undefined, stands: Json): boolean {
  if (sent === undefined) return false
  const withText = sent.text !== undefined
  const labelled = new Set(labelsOf(stands).map(spell))
  return (
    saying(sent, withText) === saying(stands, withText) &&
    labelsOf(sent).every((label) => labelled.has(spell(label)))
  )
}

const TAG = /^\s*(?:W\/)?"([A-Za-z0-9.-]{1,64})"\s*$/

/** The version of an ETag, as FHIR writes it. */
export const versionIn = (etag: string | undefined): string | undefined =>
  etag === undefined ? undefined : TAG.exec(etag)?.[1]

/** @throws Refusal parameter_invalid, version_missing */
export function readVersion(ifMatch: string | undefined, required: boolean): string | undefined {
  if (ifMatch === undefined) {
    if (required) throw new Refusal('version_missing', 'If-Match')
    return undefined
  }
  const version = versionIn(ifMatch)
  if (version === undefined) throw new Refusal('parameter_invalid', 'If-Match')
  return version
}
