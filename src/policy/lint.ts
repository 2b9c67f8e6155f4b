/**
 * What Cedar's validator cannot see: words of policies that no question ever holds, so that the policy would read
 * well and do nothing.
 */
import { CONSOLE_PARTS } from '../core/console.js'
import { PURPOSES, RUNGS } from '../core/context.js'
import { ACTIONS, OBLIGATIONS } from '../core/decision.js'
import type { ParsedPolicy } from './parse.js'
import type { Problem } from './problem.js'
import { couldDecide } from './slice.js'
import { CONSOLE_POLICIES } from './source.js'
import { ACTIVITIES } from './vocabulary.js'

type Node = Readonly<Record<string, unknown>>
const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object'

/** `principal.x` or `context.x` → x */
function attributeOf(value: unknown): string | undefined {
  const access = isNode(value) ? value['.'] : undefined
  if (!isNode(access) || !isNode(access.left) || typeof access.attr !== 'string') return undefined
  return access.left.Var === 'principal' || access.left.Var === 'context' ? access.attr : undefined
}

/** Every text of a literal, or of a set of them. */
function textsIn(value: unknown): string[] {
  if (!isNode(value)) return []
  if (typeof value.Value === 'string') return [value.Value]
  return Array.isArray(value.Set) ? value.Set.flatMap(textsIn) : []
}

/** Attributes compared with texts anywhere in an expression: `context.purpose == "…"`, `["…"].contains(context.purpose)`. */
function* compared(value: unknown): Generator<{ attribute: string; text: string }> {
  if (Array.isArray(value)) for (const item of value) yield* compared(item)
  else if (isNode(value)) {
    const { left, right } = value
    for (const [one, other] of [
      [left, right],
      [right, left],
    ]) {
      const attribute = attributeOf(one)
      if (attribute === undefined) continue
      for (const text of textsIn(other)) yield { attribute, text }
    }
    for (const inner of Object.values(value)) yield* compared(inner)
  }
}

/** How texts look that are not in a list of ours. */
// biome-ignore format: a table
const SHAPES: Readonly<Record<string, { readonly reads: RegExp; readonly said: string }>> = {
  [ACTIVITIES]: { reads: /^B\d{4}$/,           said: 'an activity code such as B0360' },
  organization: { reads: /^[A-Z0-9]{1,12}$/,   said: 'an ODS code such as A83001: capital letters and digits' },
  region:       { reads: /^[a-z0-9-]{0,40}$/,  said: 'a region as in organizations.yaml: small letters, digits, hyphens' },
}

const CONSOLE_ACTS = ACTIONS.filter((action) => action.startsWith('console-'))
const NAMES_CONSOLE = /"(type|entity_type)":"Console"|"type":"Action","id":"console-/

/**
 * Whether a policy says what somebody may do in the console, or a permit so wide that it does as well. A local layer's
 * never does: nobody in the console is under one.
 */
function isOfConsole({ json, effect, layer }: ParsedPolicy): boolean {
  if (layer !== 'central') return false
  const { annotations: _, ...said } = json
  if (effect === 'forbid' && !NAMES_CONSOLE.test(JSON.stringify(said))) return false
  return CONSOLE_ACTS.some((action) =>
    CONSOLE_PARTS.some((id) =>
      couldDecide(json, { roles: undefined, action, resource: { type: 'console', id } }),
    ),
  )
}

/** @param organizationTypes those of `roles.yaml`, when it could be read */
export function lintPolicy(
  policy: ParsedPolicy,
  organizationTypes?: ReadonlySet<string>,
): Problem[] {
  const { id, json, obligations, file, line } = policy
  const words: Readonly<Record<string, ReadonlySet<string> | undefined>> = {
    purpose: new Set(PURPOSES),
    rung: new Set(RUNGS),
    activitySource: new Set(['listed', 'baseline']),
    organizationType: organizationTypes && new Set([...organizationTypes, 'unknown']),
  }
  const problems: string[] = []
  // Elsewhere it would go past the guardians: an author could make one of themselves.
  if (file !== CONSOLE_POLICIES && isOfConsole(policy))
    problems.push(
      `it is about the console: what duties allow is said in ${CONSOLE_POLICIES}, which guardians change`,
    )
  for (const { attribute, text } of compared(json.conditions)) {
    const known = words[attribute]
    if (known && !known.has(text))
      problems.push(`there is no ${attribute} "${text}"; there are ${[...known].join(', ')}`)
    const shape = SHAPES[attribute]
    if (shape && !shape.reads.test(text)) problems.push(`"${text}" is not ${shape.said}`)
  }
  for (const obligation of obligations) {
    if (!OBLIGATIONS.some((known) => known === obligation))
      problems.push(
        `nothing carries out @obligation("${obligation}"); there is ${OBLIGATIONS.join(', ')}`,
      )
  }
  return [...new Set(problems)].map((text) => ({ file, line, text: `policy ${id}: ${text}` }))
}
