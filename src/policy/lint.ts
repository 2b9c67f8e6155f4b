/**
 * What Cedar's validator cannot see: words of policies that no question ever holds, so that the policy would read
 * well and do nothing.
 */
import { PURPOSES, RUNGS } from '../core/context.js'
import { OBLIGATIONS } from '../core/decision.js'
import type { ParsedPolicy } from './parse.js'
import type { Problem } from './problem.js'
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

/** @param organizationTypes those of `roles.yaml`, when it could be read */
export function lintPolicy(
  { id, json, obligations, file, line }: ParsedPolicy,
  organizationTypes?: ReadonlySet<string>,
): Problem[] {
  const words: Readonly<Record<string, ReadonlySet<string> | undefined>> = {
    purpose: new Set(PURPOSES),
    rung: new Set(RUNGS),
    activitySource: new Set(['listed', 'baseline']),
    organizationType: organizationTypes && new Set([...organizationTypes, 'unknown']),
  }
  const problems: string[] = []
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
