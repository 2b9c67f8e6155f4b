/**
 * A JSON Patch on what stands. Its pointers lead through what a document has itself and nowhere else: the library walks
 * into what every object and list inherits as well, and what is changed there is changed for everybody.
 *
 * @see FHIR R4, "patch"; RFC 6902; RFC 6901 §4
 */
import { applyPatch, type Operation } from 'rfc6902'
import { z } from 'zod'
import { canonical } from './chain.js'
import { isShallow } from './enforcement.js'
import { isObject, type Json } from './json.js'
import { plainNumbers } from './json-text.js'
import { Refusal } from './refusal.js'

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

const INDEX = /^(?:0|[1-9]\d{0,8})$/

const tokensOf = (path: string): string[] =>
  path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))

/** What stands there; `undefined`, which JSON has no word for, where nothing does. */
function standingAt(document: unknown, tokens: readonly string[]): unknown {
  let found = document
  for (const token of tokens) {
    const isThere = Array.isArray(found)
      ? INDEX.test(token)
      : isObject(found) && Object.hasOwn(found, token)
    if (!isThere) return undefined
    found = (found as Json)[token]
  }
  return found
}
const isThere = (document: unknown, path: string): boolean =>
  standingAt(document, tokensOf(path)) !== undefined

/** Whether something may be put there: a member, an item, or one after the last. */
function takes(document: unknown, path: string): boolean {
  const tokens = tokensOf(path)
  const last = tokens.pop() ?? ''
  const into = standingAt(document, tokens)
  if (!Array.isArray(into)) return isObject(into)
  return last === '-' || (INDEX.test(last) && Number(last) <= into.length)
}

const leads = (document: Json, one: Operation): boolean =>
  (one.op === 'add' || isThere(document, 'from' in one ? one.from : one.path)) &&
  (!['add', 'move', 'copy'].includes(one.op) || takes(document, one.path))

/** In characters: of what is made, and of all that is put into it on the way. Copies of copies double each time. */
const LONGEST = 1024 * 1024

/** How many characters an operation may add. */
function added(document: Json, one: Operation): number {
  if (one.op === 'copy') return JSON.stringify(standingAt(document, tokensOf(one.from))).length
  return one.op === 'add' || one.op === 'replace' ? JSON.stringify(one.value).length : 0
}

/** Not the library's: it looks for the fewest changes from one to the other, which for two lists of a thousand takes all memory. */
const isSame = (one: unknown, other: unknown): boolean =>
  canonical(plainNumbers(one)) === canonical(plainNumbers(other))

/** RFC 6902 §4.6: numbers are equal by what they are worth, however they are written. */
function applied(after: Json, one: Operation): string | undefined {
  if (one.op !== 'test') return applyPatch(after, [structuredClone(one)])[0]?.name
  return isSame(standingAt(after, tokensOf(one.path)), one.value) ? undefined : 'TestError'
}

/** @throws Refusal patch_failed */
export function patched(standing: Json, patch: Patch): Json {
  const after = structuredClone(standing) as Json
  let room = LONGEST
  for (const each of patch) {
    if (!leads(after, each)) throw new Refusal('patch_failed', 'path')
    const fault = faultOf(() => {
      room -= added(after, each)
      return room < 0 ? 'too large' : applied(after, each)
    })
    if (fault !== undefined) throw new Refusal('patch_failed', fault)
  }
  if (!isShallow(after) || JSON.stringify(after).length > LONGEST)
    throw new Refusal('patch_failed', 'too large')
  const { resourceType, id } = standing
  if (!isObject(after) || after.resourceType !== resourceType || after.id !== id)
    throw new Refusal('patch_failed', 'type or id')
  return after
}

/** What is nested too deep to be written or copied throws. */
function faultOf(work: () => string | undefined): string | undefined {
  try {
    return work()
  } catch {
    return 'RangeError'
  }
}
