/**
 * What a token may ask of openEHR, and which templates it may read and write there.
 * @see SMART on openEHR, "Resource scopes"; docs/openehr-scopes.md
 */
import type { Access } from './access.js'
import type { Policies, PolicyDecision } from './decision.js'
import {
  allows,
  decide,
  hasAnyComposition,
  hasOpenEhrScope,
  requireAudience,
  requireDecision,
} from './enforcement.js'
import { AD_HOC, OBJECT, type OpenEhrCall, VERSION } from './openehr-calls.js'
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

const REACHES: Readonly<
  Record<OpenEhrCall['reach'], (access: Access, call: OpenEhrCall) => boolean>
> = {
  composition: (access, { letters }) => letters.some((letter) => hasAnyComposition(access, letter)),
  query: (access, { id }) => hasOpenEhrScope(access, 'aql', id, 's'),
  'ad-hoc': (access) => hasOpenEhrScope(access, 'aql', AD_HOC, 's'),
}

/** The token's EHR; `undefined` for a patient who has none. */
const ownEhr = ({ grant }: Access): string | undefined => grant.context.ehrId?.toLowerCase()

/**
 * Before anything is asked of the record: the token's bases, its scopes, its EHR. Answers the EHR's id to
 * forward: always the token's own, never the client's text.
 *
 * @throws Refusal token_other_audience, scope_insufficient, record_other_patient
 */
export function enforceOpenEhr(access: Access, call: OpenEhrCall, base: string): string {
  requireAudience(access, base)
  if (!REACHES[call.reach](access, call)) throw new Refusal('scope_insufficient', call.interaction)
  return requireOwnEhr(access, call.ehr)
}

/**
 * The token's EHR, whoever names one.
 * @param named as it stands in a path, a parameter, a body or a query; `undefined` where none does
 * @throws Refusal record_other_patient
 */
export function requireOwnEhr(access: Access, named: string | undefined): string {
  const own = ownEhr(access)
  if (own === undefined || (named ?? own).toLowerCase() !== own)
    throw new Refusal('record_other_patient', 'EHR')
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

/** The decision by which a template is open to a letter, or `undefined`. */
function openTo(access: Access, { policies, plan }: Rules, letter: Letter, template: string) {
  const section = plan.find((each) => each.template === template)
  if (section === undefined || !hasOpenEhrScope(access, 'composition', template, letter))
    return undefined
  const decision = decide(access, policies, letter, { type: 'section', id: section.id })
  return allows(decision) ? decision : undefined
}

/** The decision that lets a template be read, or `undefined`: what may not be read is as if absent. */
export const readable = (
  access: Access,
  rules: Rules,
  template: string,
): PolicyDecision | undefined => openTo(access, rules, 'r', template)

/** The decision that lets a template be worked with at all: whoever may fill in a form may see how it is made. */
export const usable = (
  access: Access,
  rules: Rules,
  template: string,
): PolicyDecision | undefined =>
  openTo(access, rules, 'r', template) ??
  openTo(access, rules, 'c', template) ??
  openTo(access, rules, 'u', template)

/** The decision that lets a section be begun or changed, or `undefined`. Emergency access changes nothing. */
export const writable = (
  access: Access,
  rules: Rules,
  template: string,
): PolicyDecision | undefined =>
  access.grant.emergency === undefined
    ? (openTo(access, rules, 'u', template) ?? openTo(access, rules, 'c', template))
    : undefined

/** The same, now. @throws Refusal scope_insufficient, policy_denied, policy_stale */
export function requireWritable(access: Access, rules: Rules, template: string): PolicyDecision {
  const open = (letter: Letter) => openTo(access, rules, letter, template) !== undefined
  return requireTemplate(access, rules, !open('u') && open('c') ? 'c' : 'u', template)
}

/**
 * The first decision that lets this user read anything of the plan: who sees none of it is told nothing of the EHR
 * that holds it either.
 *
 * @throws Refusal record_absent
 */
export function requireAnySection(access: Access, rules: Rules): PolicyDecision {
  for (const { template } of rules.plan) {
    const decision = readable(access, rules, template)
    if (decision !== undefined) return decision
  }
  throw new Refusal('record_absent', 'no section is readable')
}

/** The object that a uid is a version of. */
export const objectOf = (uid: string): string => (uid.split('::')[0] ?? '').toLowerCase()

const VERSION_UID = new RegExp(`^${VERSION}$`)
const OBJECT_UID = new RegExp(`^${OBJECT}$`)

/** Whether a text is the id of an object: of an EHR, a composition without its version, a contribution. */
export const isObjectId = (text: string): boolean => OBJECT_UID.test(text)

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
