/**
 * A cell of the matrix, changed: the Cedar that a person would have written for it. Only text comes of it; what the
 * changed policies then answer is for the engine to say, like everything else.
 */
import type { Layer } from '../core/console.js'
import type { Purpose } from '../core/context.js'
import type { Action, Resource } from '../core/decision.js'
import type { Assurance, Role } from '../core/roles.js'
import { formatPolicies } from './cedar.js'
import { type ParsedPolicy, parsePolicies } from './parse.js'
import { couldDecide } from './slice.js'
import type { PolicyFiles } from './source.js'
import { ACTION_TYPE, RESOURCE_TYPES, ROLE_TYPE } from './vocabulary.js'

/** What somebody wants of one role on one thing. */
export interface CellChange {
  readonly role: Role
  /** What is wanted for all of these: reading and searching go together, for example. */
  readonly actions: readonly Action[]
  readonly resource: Resource
  readonly wanted: 'allow' | 'deny'
  /** Where an allowance holds; nothing of it: everywhere. A denial holds everywhere. */
  readonly when?: {
    readonly purposes?: readonly Purpose[]
    readonly assurance?: Assurance
    /** Activity codes, any of which will do. */
    readonly activities?: readonly string[]
  }
  /** Plain words for a clinician, as `@reason`. */
  readonly reason: string
  readonly layer: Layer
}

export interface CellEdit {
  readonly files: PolicyFiles
  /** Ids of policies that were written, changed and taken away. */
  readonly written: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

// biome-ignore format: a table
const VERBS: Readonly<Record<Action, string>> = {
  launch: 'opens', create: 'creates', read: 'reads', update: 'updates', delete: 'deletes', search: 'finds',
  'check-availability': 'checks', 'break-glass': 'breaks-glass-for', 'console-view': 'views',
  'console-simulate': 'simulates', 'console-author': 'authors', 'console-approve': 'approves',
  'console-guard': 'guards', 'console-operate': 'operates', 'console-review': 'reviews',
}
/** Pairs that have a word of their own. */
const TOGETHER: Readonly<Record<string, string>> = {
  'create update': 'writes',
  'read search': 'reads',
}

/** Where a policy of this kind stands among the central ones. */
function fileOf({ layer, resource, actions }: CellChange): string {
  if (layer !== 'central') return `policies/${layer}/changes.cedar`
  if (resource.type === 'fhir') return 'policies/fhir.cedar'
  if (resource.type === 'console') return 'policies/console.cedar'
  if (resource.type === 'app') return 'policies/launch.cedar'
  const reads = actions.every((action) => action === 'read' || action === 'search')
  return reads ? 'policies/reading.cedar' : 'policies/writing.cedar'
}

/** A Cedar string: JSON's escapes are Cedar's, but for those of control characters, which texts here do not hold. */
const quoted = (text: string): string => JSON.stringify(text)
const entity = (type: string, id: string): string => `${type}::${quoted(id)}`
const oneOf = (items: readonly string[]): string => `[${items.join(', ')}]`

function conditionsOf({
  purposes = [],
  assurance = 1,
  activities = [],
}: CellChange['when'] & object) {
  const terms: string[] = []
  const [purpose] = purposes
  if (purposes.length === 1) terms.push(`context.purpose == ${quoted(purpose ?? '')}`)
  if (purposes.length > 1) terms.push(`${oneOf(purposes.map(quoted))}.contains(context.purpose)`)
  if (assurance > 1) terms.push(`principal.assurance >= ${assurance}`)
  if (activities.length > 0)
    terms.push(`principal.activities.containsAny(${oneOf(activities.map(quoted))})`)
  return terms.length === 0 ? '' : ` when { ${terms.join(' && ')} }`
}

const actionScope = (actions: readonly Action[]): string =>
  actions.length === 1
    ? `action == ${entity(ACTION_TYPE, actions[0] ?? '')}`
    : `action in ${oneOf(actions.map((action) => entity(ACTION_TYPE, action)))}`

/** As Cedar's own formatter lays policies out. */
function laidOut(text: string): string {
  const answer = formatPolicies({ policyText: text, lineWidth: 100, indentWidth: 4 })
  if (answer.type === 'failure')
    throw new Error(`a policy that we wrote: ${answer.errors[0]?.message}`)
  return answer.formatted_policy.trim()
}

/** lower-case words with hyphens: `MedicationRequest` → `medication-request` */
const wordOf = (id: string): string =>
  id
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z\d-]/g, '-')

function freshId(change: CellChange, taken: ReadonlySet<string>): string {
  const { role, actions, resource, wanted } = change
  const verb = TOGETHER[[...actions].sort().join(' ')] ?? actions.map((a) => VERBS[a]).join('-')
  const never = wanted === 'deny' ? 'never-' : ''
  const whole = `${role}-${never}${verb}-${wordOf(resource.id)}`.slice(0, 76)
  let id = whole
  for (let n = 2; taken.has(id); n++) id = `${whole}-${n}`
  return id
}

function policyText(change: CellChange, id: string): string {
  const { role, actions, resource, wanted, when, reason, layer } = change
  const effect = wanted === 'allow' ? 'permit' : 'forbid'
  const said = layer === 'central' ? 'central' : 'local'
  return laidOut(
    `@id(${quoted(id)})\n@layer(${quoted(said)})\n@reason(${quoted(reason)})\n` +
      `${effect} (principal in ${entity(ROLE_TYPE, role)}, ${actionScope(actions)}, ` +
      `resource == ${entity(RESOURCE_TYPES[resource.type], resource.id)})` +
      `${wanted === 'allow' && when ? conditionsOf(when) : ''};`,
  )
}

const isUid = (value: unknown, type: string, id: string): boolean =>
  JSON.stringify(value) === JSON.stringify({ type, id })

/** The actions that a policy's scope names, when it names some and does nothing else. */
function actionsOf({ json: { action } }: ParsedPolicy): readonly Action[] | undefined {
  const uids = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : []
  const names = uids.map((uid) => ('__entity' in uid ? uid.__entity.id : uid.id) as Action)
  return names.length === 0 ? undefined : names
}

/** Whether a policy is about this role and this thing alone, so that it can be changed without touching others. */
function isOwn({ json }: ParsedPolicy, { role, resource }: CellChange): boolean {
  const { principal, resource: on } = json
  return (
    principal.op === 'in' &&
    'entity' in principal &&
    isUid(principal.entity, ROLE_TYPE, role) &&
    on.op === '==' &&
    'entity' in on &&
    isUid(on.entity, RESOURCE_TYPES[resource.type], resource.id)
  )
}

const inLayer = ({ file }: ParsedPolicy, layer: Layer): boolean =>
  layer === 'central' ? !file.startsWith('policies/local/') : file.startsWith(`policies/${layer}/`)

/** The same policy for fewer actions. */
function withoutActions(policy: ParsedPolicy, left: readonly Action[]): string {
  const whole = /action\s*(==\s*Action::"[^"]*"|in\s*\[[^\]]*\]|in\s*Action::"[^"]*")/
  return laidOut(policy.text.replace(whole, () => actionScope(left)))
}

/** One policy's text replaced in its file, or taken out of it with the blank line behind it. */
function replaced(
  files: PolicyFiles,
  { file, text }: ParsedPolicy,
  by: string | undefined,
): PolicyFiles {
  const before = files[file] ?? ''
  const at = before.indexOf(text)
  const after = before.slice(at + text.length)
  const whole =
    by === undefined
      ? `${before.slice(0, at).trimEnd()}\n${after.replace(/^\s*\n?/, '\n')}`
      : before.slice(0, at) + by + after
  return { ...files, [file]: `${whole.trim()}\n` }
}

/**
 * Writes what was asked for into a version's files. An allowance first takes away what this role's own policies deny
 * here, a denial what they allow; only then is a policy written, and for a denial only where something could still
 * permit. Policies that speak of several roles or things are left alone: a `forbid` among them may still win, and
 * the matrix of the new files will say so.
 *
 * @param change its names are taken from the closed lists of roles, actions and resources, its reason is cleaned text
 */
export function editCell(files: PolicyFiles, change: CellChange): CellEdit {
  const { role, actions, resource, wanted, layer } = change
  const opposite = wanted === 'allow' ? 'forbid' : 'permit'
  const [changed, removed, written]: [string[], string[], string[]] = [[], [], []]
  let next = files
  for (const policy of parsePolicies(files).policies) {
    if (policy.effect !== opposite || !isOwn(policy, change) || !inLayer(policy, layer)) continue
    const named = actionsOf(policy)
    const left = named?.filter((action) => !actions.includes(action))
    if (!named || !left || left.length === named.length) continue
    ;(left.length === 0 ? removed : changed).push(policy.id)
    next = replaced(next, policy, left.length === 0 ? undefined : withoutActions(policy, left))
  }
  const { policies } = parsePolicies(next)
  const permits = policies.filter(({ effect }) => effect === 'permit')
  const still = actions.some((action) =>
    permits.some(({ json }) => couldDecide(json, { roles: [role], action, resource })),
  )
  // What this role was denied for itself alone was allowed before, by somebody's permit: that is enough.
  const restored = wanted === 'allow' && still && removed.length + changed.length > 0
  if ((wanted === 'allow' || still) && !restored) {
    const id = freshId(change, new Set(policies.map((policy) => policy.id)))
    const file = fileOf(change)
    const before = next[file]?.trimEnd()
    const text = policyText(change, id)
    next = { ...next, [file]: `${before === undefined ? '' : `${before}\n\n`}${text}\n` }
    written.push(id)
  }
  return { files: next, written, changed, removed }
}
