/**
 * What is to be written to FHIR, judged before it goes on: as it was sent or as a patch makes it, beside what
 * stands. Both must be about the patient in context, within scope and allowed.
 *
 * @see FHIR R4, "create", "update", "patch"; RFC 6902
 */
import { applyPatch, type Operation } from 'rfc6902'
import { z } from 'zod'
import { canonical } from './chain.js'
import type { PolicyDecision } from './decision.js'
import { isShallow } from './enforcement.js'
import { namesAnother } from './fhir-compartment.js'
import { type Judging, judgeResource } from './fhir-judge.js'
import { isObject, type Json } from './json.js'
import { plainNumbers } from './json-text.js'
import { Refusal } from './refusal.js'
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

const MOST_OPERATIONS = 100
const pointer = z
  .string()
  .max(500)
  .regex(/^(?:\/(?!(?:__proto__|constructor|prototype)(?:\/|$))[^/]*)+$/)
const value = z.unknown().refine((given) => given !== undefined)
const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('add'), path: pointer, value }),
  z.strictObject({ op: z.literal('remove'), path: pointer }),
  z.strictObject({ op: z.literal('replace'), path: pointer, value }),
  z.strictObject({ op: z.literal('move'), from: pointer, path: pointer }),
  z.strictObject({ op: z.literal('copy'), from: pointer, path: pointer }),
  z.strictObject({ op: z.literal('test'), path: pointer, value }),
])
const operations = z.array(operation).min(1).max(MOST_OPERATIONS)

export type Patch = readonly Operation[]

/** @throws Refusal body_unreadable */
export function readPatch(body: unknown): Patch {
  const read = operations.safeParse(body)
  if (!read.success) throw new Refusal('body_unreadable', 'not a JSON Patch')
  return read.data as Patch
}

/** In characters: copies of copies double with each operation. */
const LONGEST = 1024 * 1024

/** What is wrong with an operation; the library throws where a path leads through a word. */
function faultOf(after: Json, operation: Operation): string | undefined {
  try {
    // RFC 6902 §4.6: numbers are equal by what they are worth, however they are written.
    if (operation.op === 'test')
      return applyPatch(plainNumbers(after), [plainNumbers(operation) as Operation])[0]?.name
    return applyPatch(after, [structuredClone(operation)])[0]?.name
  } catch {
    return 'TypeError'
  }
}

/** @throws Refusal patch_failed */
export function patched(standing: Json, patch: Patch): Json {
  const after = structuredClone(standing) as Json
  for (const each of patch) {
    const fault = faultOf(after, each)
    if (fault !== undefined) throw new Refusal('patch_failed', fault)
    if (!isShallow(after) || JSON.stringify(after).length > LONGEST)
      throw new Refusal('patch_failed', 'too large')
  }
  const { resourceType, id } = standing
  if (!isObject(after) || after.resourceType !== resourceType || after.id !== id)
    throw new Refusal('patch_failed', 'type or id')
  return after
}

/**
 * A resource as it is to stand. @returns what allowed it
 * @throws Refusal resource_refused, scope_insufficient, policy_denied
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
  if (verdict.is === 'given') return verdict.decisions
  throw new Refusal(verdict.by === 'scope' ? 'scope_insufficient' : 'policy_denied', verdict.why)
}

const labelsOf = ({ meta }: Json): readonly unknown[] => {
  const labels = isObject(meta) ? (meta.security ?? []) : []
  return Array.isArray(labels) ? labels : [labels]
}
const spell = (label: unknown): string =>
  isObject(label) ? `${label.system ?? ''}|${label.code ?? ''}` : String(label)

/**
 * Whoever changes a resource does not take its labels off by leaving them out.
 * @throws Refusal label_missing
 */
export function requireLabels(before: Json, after: Json): void {
  const kept = new Set(labelsOf(after).map(spell))
  if (!labelsOf(before).every((label) => kept.has(spell(label))))
    throw new Refusal('label_missing', String(after.resourceType))
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
