/**
 * openEHR REST as far as we let it through: one EHR, the plan's own templates, one stored query. What no
 * row matches is refused: ad-hoc AQL, the EHR root, contributions, definitions, administration.
 *
 * @see openEHR REST API, "EHR", "Query"; SMART on openEHR, "Resource scopes"
 */
import type { Access } from './access.js'
import type { Call } from './call.js'
import type { Policies, PolicyDecision } from './decision.js'
import {
  allows,
  decide,
  hasAnyComposition,
  hasOpenEhrScope,
  requireAudience,
  requireDecision,
} from './enforcement.js'
import { Refusal } from './refusal.js'
import type { Letter } from './scope.js'

/** A section of the plan and the template of its composition, from configuration. */
export interface PlanSection {
  readonly id: string
  readonly template: string
}

export interface Rules {
  readonly policies: Policies
  readonly plan: readonly PlanSection[]
}

/** `<uuid>`, or a version of it: `<uuid>::<system>::<number>`. */
const OBJECT = '[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'
const VERSION = `${OBJECT}::[A-Za-z0-9._-]{1,100}::\\d{1,9}`
const composition = (uid: string) => new RegExp(`^/ehr/([^/]+)/composition/(${uid})$`)

/** Interactions, and the letter each one needs. First match wins. */
// biome-ignore format: a table
export const OPENEHR_INTERACTIONS = [
  { method: 'GET',  path: composition(`${OBJECT}|${VERSION}`),                                           name: 'composition_read',   needs: 'r' },
  { method: 'PUT',  path: composition(OBJECT),                                                           name: 'composition_update', needs: 'u' },
  { method: 'POST', path: /^\/ehr\/([^/]+)\/composition$/,                                               name: 'composition_create', needs: 'c' },
  { method: 'GET',  path: new RegExp(`^/ehr/([^/]+)/versioned_composition/(${OBJECT})/revision_history$`), name: 'revision_history',   needs: 'r' },
  { method: 'GET',  path: /^\/query\/([^/]+)$/,                                                          name: 'query',              needs: 's' },
] as const satisfies readonly { method: string; path: RegExp; name: string; needs: Letter }[]

/** The plan: every section of one EHR. */
export const PLAN_QUERY = 'care-plan::sections'

/** Stored queries that bind `ehr_id` and give these columns, `ehr` among them so that rows can be proven. */
export const STORED_QUERIES: Readonly<Record<string, readonly string[]>> = {
  [PLAN_QUERY]: ['template', 'uid', 'composition', 'ehr'],
}
const QUERY_VALUES: Readonly<Record<string, RegExp>> = {
  ehr_id: new RegExp(`^${OBJECT}$`),
  offset: /^\d{1,6}$/,
  fetch: /^\d{1,4}$/,
}

export type OpenEhrCall =
  | {
      readonly interaction:
        | 'composition_read'
        | 'composition_update'
        | 'composition_create'
        | 'revision_history'
      readonly letter: Letter
      /** As the client wrote it; {@link enforceOpenEhr} compares it. */
      readonly ehr: string
      /** Empty for a create. */
      readonly uid: string
    }
  | {
      readonly interaction: 'query'
      readonly letter: Letter
      readonly ehr: string | undefined
      readonly name: string
      readonly paging: readonly (readonly [string, string])[]
    }

function readQueryCall(name: string, query: ReadonlyMap<string, string>): OpenEhrCall {
  if (!Object.hasOwn(STORED_QUERIES, name)) throw new Refusal('interaction_refused', 'query')
  for (const [parameter, value] of query) {
    if (!QUERY_VALUES[parameter]?.test(value))
      throw new Refusal('parameter_invalid', `query parameter ${parameter}`)
  }
  const paging = [...query].filter(([parameter]) => parameter !== 'ehr_id')
  return { interaction: 'query', letter: 's', ehr: query.get('ehr_id'), name, paging }
}

/** @throws Refusal interaction_refused, parameter_invalid */
export function readOpenEhrCall(call: Call): OpenEhrCall {
  const row = OPENEHR_INTERACTIONS.find(
    (each) => each.method === call.method && each.path.test(call.path),
  )
  if (row === undefined) throw new Refusal('interaction_refused', `${call.method} at openEHR`)
  const [, first = '', uid = ''] = row.path.exec(call.path) ?? []
  if (row.name === 'query') return readQueryCall(first, call.query)
  if (call.query.size > 0) throw new Refusal('parameter_invalid', 'parameters on a composition')
  return { interaction: row.name, letter: row.needs, ehr: first, uid }
}

/**
 * Before anything is asked of the record: the token's bases, its scopes, its EHR. Answers the EHR's id to
 * forward: always the token's own, never the client's text.
 *
 * @throws Refusal token_other_audience, scope_insufficient, record_other_patient
 */
export function enforceOpenEhr(access: Access, call: OpenEhrCall, base: string): string {
  requireAudience(access, base)
  const inScope =
    call.interaction === 'query'
      ? hasOpenEhrScope(access, 'aql', call.name, 's')
      : hasAnyComposition(access, call.letter)
  if (!inScope) throw new Refusal('scope_insufficient', call.interaction)
  const own = access.grant.context.ehrId?.toLowerCase()
  if (own === undefined || (call.ehr ?? own).toLowerCase() !== own)
    throw new Refusal('record_other_patient', call.interaction)
  return own
}

/** @throws Refusal scope_insufficient, policy_denied, policy_stale */
export function requireTemplate(
  access: Access,
  { policies, plan }: Rules,
  letter: Letter,
  template: string,
): PolicyDecision {
  const section = plan.find((each) => each.template === template)
  if (section === undefined || !hasOpenEhrScope(access, 'composition', template, letter))
    throw new Refusal('scope_insufficient', `${letter} ${section?.id ?? 'another template'}`)
  return requireDecision(access, policies, letter, { type: 'section', id: section.id })
}

/** The decision that lets a template be read, or `undefined`: what may not be read is as if absent. */
export function readable(
  access: Access,
  { policies, plan }: Rules,
  template: string,
): PolicyDecision | undefined {
  const section = plan.find((each) => each.template === template)
  if (section === undefined || !hasOpenEhrScope(access, 'composition', template, 'r'))
    return undefined
  const decision = decide(access, policies, 'r', { type: 'section', id: section.id })
  return allows(decision) ? decision : undefined
}

/** The object that a uid is a version of. */
export const objectOf = (uid: string): string => (uid.split('::')[0] ?? '').toLowerCase()

const VERSION_UID = new RegExp(`^${VERSION}$`)

/** Whether a version's uid is what was asked for: that version, or any version of that object, or any at all (''). */
export function isVersionOf(uid: string, asked: string): boolean {
  if (!VERSION_UID.test(uid)) return false
  if (asked.includes('::')) return uid === asked
  return asked === '' || objectOf(uid) === asked.toLowerCase()
}

/** The version that an `If-Match` names. @throws Refusal version_missing, parameter_invalid */
export function readIfMatch(header: string | undefined, object: string): string {
  if (header === undefined || header.trim() === '*')
    throw new Refusal('version_missing', 'If-Match')
  const version = /^(?:W\/)?"([^"]{1,250})"$/.exec(header.trim())?.[1] ?? ''
  if (!isVersionOf(version, object)) throw new Refusal('parameter_invalid', 'If-Match')
  return version
}
