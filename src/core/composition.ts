/** What comes back from openEHR, looked at again before it leaves. */
import { z } from 'zod'
import type { Access } from './access.js'
import type { PolicyDecision } from './decision.js'
import { isObject } from './json.js'
import { isVersionOf, type Rules, readable } from './openehr.js'
import { Refusal } from './refusal.js'

const composition = z.looseObject({
  _type: z.literal('COMPOSITION'),
  uid: z.looseObject({ value: z.string() }).optional(),
  archetype_details: z.looseObject({ template_id: z.looseObject({ value: z.string() }) }),
})

export interface ReadComposition {
  readonly template: string
  readonly uid: string | undefined
}

/** Template and uid of a composition; `undefined` for anything that is none. */
export function readComposition(value: unknown): ReadComposition | undefined {
  // Most cells of a query are none: a schema that fails is ten times as dear as one that fits.
  if (!isObject(value) || value._type !== 'COMPOSITION') return undefined
  const read = composition.safeParse(value)
  if (!read.success) return undefined
  return {
    template: read.data.archetype_details.template_id.value,
    uid: read.data.uid?.value,
  }
}

const invalid = (detail: string) => new Refusal('upstream_invalid', `openehr: ${detail}`)

/**
 * The composition that the record gave, proven to be the one asked for.
 * @param asked a uid; empty for any, when the record chose it
 * @throws Refusal upstream_invalid
 */
export function provenComposition(
  body: unknown,
  asked: string,
): { readonly template: string; readonly uid: string } {
  const read = readComposition(body)
  if (read?.uid === undefined) throw invalid('not a COMPOSITION')
  if (!isVersionOf(read.uid, asked)) throw invalid('another composition than asked')
  return { template: read.template, uid: read.uid }
}

/**
 * Whether this role may see a composition. What it may not see is answered as what does not exist.
 * @throws Refusal record_absent
 */
export function requireReadable(access: Access, rules: Rules, template: string): PolicyDecision {
  const decision = readable(access, rules, template)
  if (decision === undefined) throw new Refusal('record_absent', 'template not readable')
  return decision
}

const revisions = z.array(z.looseObject({ version_id: z.looseObject({ value: z.string() }) }))
const history = z.looseObject({ items: revisions })

/**
 * A history, always as the reference model has it: some servers (EHRbase) give the bare list of its items.
 * @throws Refusal upstream_invalid
 */
export function provenHistory(body: unknown, object: string): object {
  const whole = Array.isArray(body) ? { _type: 'REVISION_HISTORY', items: body as unknown[] } : body
  const read = history.safeParse(whole)
  if (!read.success) throw invalid('not a REVISION_HISTORY')
  if (!read.data.items.every((item) => isVersionOf(item.version_id.value, object)))
    throw invalid('history of another composition')
  return whole as object
}
