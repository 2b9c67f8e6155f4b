import type { Expr, PolicyJson } from './cedar.js'
import { ACTIVITIES, CONTEXT, PRINCIPAL, ROLE_TYPE } from './vocabulary.js'

/** What a set of policies looks at, so that a question can leave out the rest. Roles, action and resource always count. */
export interface Relevance {
  /** Whether it matters which user it is, beyond role and attributes. */
  readonly userId: boolean
  readonly principal: ReadonlySet<string>
  readonly context: ReadonlySet<string>
  /** The activity codes that are asked for by name, or `all` where activities are looked at in any other way. */
  readonly activities: 'all' | ReadonlySet<string>
}

interface Found {
  userId: boolean
  readonly principal: Set<string>
  readonly context: Set<string>
  readonly codes: Set<string>
  allActivities: boolean
}

type Node = Readonly<Record<string, unknown>>

const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object'
const isVariable = (value: unknown, name: string): boolean => isNode(value) && value.Var === name

/** `principal.activities` */
const isActivities = (value: unknown): boolean => {
  const access = isNode(value) ? value['.'] : undefined
  return isNode(access) && access.attr === ACTIVITIES && isVariable(access.left, 'principal')
}

/** The texts of `"B0360"` or `["B0360", "B0380"]`; `undefined` for anything else. */
function texts(value: unknown): readonly string[] | undefined {
  if (!isNode(value)) return undefined
  if (typeof value.Value === 'string') return [value.Value]
  if (!Array.isArray(value.Set)) return undefined
  const all = value.Set.map(texts)
  return all.every((one) => one !== undefined) ? all.flat() : undefined
}

/** Whether an `in`'s right side names roles only, by name. */
const namesRoles = (value: unknown): boolean => {
  if (!isNode(value)) return false
  if (Array.isArray(value.Set)) return value.Set.every(namesRoles)
  const entity = isNode(value.Value) ? value.Value.__entity : undefined
  return isNode(entity) && entity.type === ROLE_TYPE
}

const CONTAINS: ReadonlySet<string> = new Set(['contains', 'containsAny', 'containsAll'])

function everything(found: Found, variable: unknown): void {
  if (variable === 'principal') {
    found.userId = true
    found.allActivities = true
    for (const name of Object.keys(PRINCIPAL)) found.principal.add(name)
  }
  if (variable === 'context') for (const name of Object.keys(CONTEXT)) found.context.add(name)
}

/** Notes one operation if it is one whose reach is known; `false` leaves it to be walked through. */
function noteKnown(op: string, body: Node, found: Found): boolean {
  const { left, right } = body
  if (CONTAINS.has(op) && isActivities(left)) {
    const codes = texts(right)
    if (codes === undefined) return false
    found.principal.add(ACTIVITIES)
    for (const code of codes) found.codes.add(code)
    return true
  }
  const variable = isNode(left) ? left.Var : undefined
  if (op === '.' || op === 'has') {
    if (variable !== 'principal' && variable !== 'context') return false
    const name = Array.isArray(body.attr) ? body.attr[0] : body.attr
    found[variable].add(String(name))
    if (variable === 'principal' && name === ACTIVITIES) found.allActivities = true
    return true
  }
  if (variable !== 'principal') return false
  return op === 'in' ? namesRoles(right) : op === 'is' && body.in === undefined
}

function walk(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const item of value) walk(item, found)
  else if (isNode(value)) {
    // A variable that stands for itself can be looked at in any way.
    if (typeof value.Var === 'string') everything(found, value.Var)
    if ('Var' in value || 'Value' in value) return
    for (const [op, body] of Object.entries(value)) {
      // The keys of a record are words of its writer, not operations.
      if (op === 'Record' && isNode(body)) walk(Object.values(body), found)
      else if (!isNode(body) || !noteKnown(op, body, found)) walk(body, found)
    }
  }
}

/** Reads off what policies look at. Where it cannot tell, everything counts. */
export function relevanceOf(policies: readonly PolicyJson[]): Relevance {
  const found: Found = {
    userId: false,
    principal: new Set(),
    context: new Set(),
    codes: new Set(),
    allActivities: false,
  }
  for (const { principal, conditions } of policies) {
    const named =
      principal.op === 'is' ? principal.in : principal.op === 'All' ? undefined : principal
    if (named !== undefined) {
      const uid = 'entity' in named ? named.entity : undefined
      const type = uid && ('__entity' in uid ? uid.__entity.type : uid.type)
      if (type !== ROLE_TYPE) found.userId = true
    }
    for (const { body } of conditions) walk(body satisfies Expr, found)
  }
  const { userId, principal, context, codes, allActivities } = found
  return { userId, principal, context, activities: allActivities ? 'all' : codes }
}
