/**
 * A batch or a transaction, read entry by entry by the reader of single calls. What goes on to the record is
 * made anew of what was judged.
 *
 * @see FHIR R4, "batch/transaction", "Bundle", "Transaction Processing Rules"
 */
import { z } from 'zod'
import { readCall } from './call.js'
import { isShallow } from './enforcement.js'
import { type FhirDataCall, readFhirCall } from './fhir.js'
import { hasHalfCharacter, isCrowded, isExact, isObject, type Json } from './json.js'
import { readJson } from './json-text.js'
import { parameterFault, Refusal } from './refusal.js'

const MOST_ENTRIES = 50

const URN = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const bundle = z.object({
  resourceType: z.literal('Bundle'),
  type: z.enum(['batch', 'transaction']),
  entry: z.array(z.unknown()).min(1).max(MOST_ENTRIES),
})
const entry = z.strictObject({
  fullUrl: z.string().max(300).optional(),
  resource: z.unknown().optional(),
  request: z.strictObject({
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    // Relative, as FHIR has it: an address with a server in it would be read twice.
    url: z
      .string()
      .regex(/^[A-Z]/)
      .max(2000),
    ifMatch: z.string().max(100).optional(),
    ifNoneExist: z.string().max(2000).optional(),
  }),
})

export type FhirBundle = z.infer<typeof bundle>

/** @throws Refusal body_unreadable */
export function readBundle(body: unknown): FhirBundle {
  const read = bundle.safeParse(body)
  if (read.success) return read.data
  throw new Refusal('body_unreadable', `Bundle.${read.error.issues[0]?.path.join('.') ?? ''}`)
}

export interface BundleEntry {
  readonly call: FhirDataCall
  readonly body?: unknown
  readonly ifMatch?: string
  readonly ifNoneExist?: string
  /** By which other entries of a transaction refer to what this one makes. */
  readonly urn?: string
}

const BINARY = z.object({
  resourceType: z.literal('Binary'),
  contentType: z.literal('application/json-patch+json'),
  data: z.base64(),
})

/** A JSON Patch, which stands in a bundle as a Binary. @throws Refusal body_unreadable, body_too_large */
function readBinary(resource: unknown): unknown {
  const binary = BINARY.safeParse(resource)
  if (!binary.success) throw new Refusal('body_unreadable', 'not a patch in a Binary')
  const text = Buffer.from(binary.data.data, 'base64').toString('utf8')
  if (isCrowded(text)) throw new Refusal('body_too_large', 'values of a patch')
  try {
    const patch = readJson(text)
    if (isShallow(patch) && isExact(text) && !hasHalfCharacter(text, patch)) return patch
  } catch {
    // What is no JSON is refused like JSON that cannot be judged.
  }
  throw new Refusal('body_unreadable', 'a patch that cannot be read')
}

/**
 * One entry as a call of its own. A bundle inside is none: no entry can name the base.
 * @throws Refusal of core/call.ts and core/fhir.ts; body_unreadable, interaction_refused
 */
export function readBundleEntry(given: unknown): BundleEntry {
  const read = entry.safeParse(given)
  if (!read.success)
    throw new Refusal('body_unreadable', `entry.${read.error.issues[0]?.path.join('.') ?? ''}`)
  const { request, resource, fullUrl } = read.data
  const { method, url, ifMatch, ifNoneExist } = request
  const call = readFhirCall(readCall(method, `/${url}`, {}))
  const form = call.interaction === 'search' && call.form
  if (call.interaction === 'capabilities' || call.interaction === 'bundle' || form)
    throw new Refusal('interaction_refused', 'in a bundle')
  if (ifNoneExist !== undefined && call.interaction !== 'create')
    throw new Refusal('parameter_invalid', 'ifNoneExist')
  const body = call.interaction === 'patch' ? readBinary(resource) : resource
  return {
    call,
    ...(body === undefined ? {} : { body }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
    ...(fullUrl !== undefined && URN.test(fullUrl) ? { urn: fullUrl.toLowerCase() } : {}),
  }
}

function urnsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return /^urn:uuid:/i.test(value) ? [value.toLowerCase()] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, each]) =>
    typeof each === 'string' && name !== 'reference' ? [] : urnsIn(each),
  )
}

/**
 * References within a transaction lead to what it makes, and to nothing else; nothing is changed twice in it.
 * @throws Refusal parameter_invalid
 */
export function requireWhole(
  entries: readonly {
    readonly urn?: string
    /** Whether the record could take something for it that the caller may not find: then nothing may lead to it. */
    readonly hides?: boolean
    readonly place?: string
    readonly resource?: Json
  }[],
): void {
  const places = entries.flatMap(({ place }) => place ?? [])
  const urns = entries.flatMap(({ urn }) => urn ?? [])
  if (new Set(places).size < places.length || new Set(urns).size < urns.length)
    throw parameterFault('parameter_invalid', 'one resource in two entries')
  const led = entries.flatMap(({ resource }) => urnsIn(resource))
  if (!led.every((urn) => urns.includes(urn)))
    throw parameterFault('parameter_invalid', 'a reference to nothing in the bundle')
  if (entries.some(({ urn, hides }) => hides && urn !== undefined && led.includes(urn)))
    throw parameterFault('parameter_invalid', 'a reference to a conditional create')
}

/** The entries of a response, one for each that was sent. @throws Refusal upstream_invalid */
export function readResponses(body: unknown, count: number): readonly Json[] {
  if (!isObject(body) || body.type !== 'transaction-response' || !Array.isArray(body.entry))
    throw new Refusal('upstream_invalid', 'fhir: not a transaction-response')
  if (body.entry.length !== count || !body.entry.every(isObject))
    throw new Refusal('upstream_invalid', 'fhir: another number of entries')
  return body.entry
}
