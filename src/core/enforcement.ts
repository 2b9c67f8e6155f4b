/**
 * What both proxies judge by: the token's scopes say what the app may ask, today's policies what this
 * user may do in these circumstances. Both must allow; what neither speaks of is refused.
 */
import type { Access } from './access.js'
import { circumstancesWith, localTime } from './circumstances.js'
import type { Action, Circumstances, Policies, PolicyDecision, Resource } from './decision.js'
import { askedWord, circumstancesKept } from './denial.js'
import { atOnce } from './json-text.js'
import type { PatientFlags } from './patient-flags.js'
import { ask } from './question.js'
import { Refusal } from './refusal.js'
import { type Letter, matchesPattern } from './scope.js'
import { readScopeQuery, type ScopeQuery } from './scope-query.js'
import type { EpochMs } from './values.js'

// biome-ignore format: a table
const ACTIONS = { c: 'create', r: 'read', u: 'update', d: 'delete', s: 'search' } as const satisfies Record<Letter, Action>

/** Letters that change the record: refused while the rules in force are not known for certain. */
const WRITES: ReadonlySet<Letter> = new Set<Letter>(['c', 'u', 'd'])

/**
 * The same access as of now: a grant keeps the hour at which it was opened, and a policy may speak of
 * the hour.
 */
export function accessAt(access: Access, now: EpochMs): Access {
  const { circumstances } = access.grant
  const { hour, weekday } = localTime(now)
  return remembered(access, `${weekday} ${hour}`, () =>
    accessIn(access, { ...circumstances, hour, weekday }),
  )
}

/** The same access to a patient of whom the record says this now. */
export function accessWith(access: Access, flags: PatientFlags): Access {
  const { circumstances } = access.grant
  return remembered(access, `${flags.sensitive} ${flags.deceased}`, () =>
    accessIn(access, circumstancesWith(circumstances, flags)),
  )
}

const accessIn = (access: Access, circumstances: Circumstances): Access => ({
  ...access,
  grant: { ...access.grant, circumstances },
})

/**
 * The same access is the same object: a token is used many times, and what is worked out of an access or of its
 * circumstances (entry.ts, policy/entities.ts) is remembered by it.
 */
const variants = new WeakMap<Access, Map<string, Access>>()
const MOST_VARIANTS = 8

function remembered(access: Access, name: string, make: () => Access): Access {
  const known = variants.get(access) ?? new Map<string, Access>()
  const before = known.get(name)
  if (before) return before
  // An access that is used for days meets more hours than need be kept.
  if (known.size >= MOST_VARIANTS) known.clear()
  const made = make()
  known.set(name, made)
  variants.set(access, known)
  return made
}

/** @throws Refusal token_other_audience */
export function requireAudience(access: Access, base: string): void {
  if (!access.audience.includes(base)) throw new Refusal('token_other_audience', 'aud')
}

/** Of a type, what a token's scopes reach: all of it, or what meets one of these queries. */
export type Reached = 'all' | readonly ScopeQuery[]

/**
 * What scopes of the token reach of a FHIR type; `undefined` for nothing. `user/` reaches no further than
 * `patient/` here: every call is held to the patient in context. A scope whose query cannot be evaluated
 * covers nothing, for it would be read as wider than it is.
 */
export function reachedBy(access: Access, type: string, letter: Letter): Reached | undefined {
  const queries: ScopeQuery[] = []
  for (const scope of access.scopes) {
    if (scope.kind !== 'fhir' || scope.reach === 'system' || !scope.letters.has(letter)) continue
    if (scope.type !== '*' && scope.type !== type) continue
    if (scope.query === '') return 'all'
    const query = readScopeQuery(type, scope.query)
    if (query !== undefined) queries.push(query)
  }
  return queries.length === 0 ? undefined : queries
}

/** Whether a scope of the token covers a template or a stored query. */
export const hasOpenEhrScope = (
  access: Access,
  resource: 'composition' | 'aql',
  name: string,
  letter: Letter,
): boolean =>
  access.scopes.some(
    (scope) =>
      scope.kind === 'openehr' &&
      scope.reach !== 'system' &&
      scope.resource === resource &&
      matchesPattern(scope.pattern, name) &&
      scope.letters.has(letter),
  )

/** Whether any template at all is within the token's reach for this letter. */
export const hasAnyComposition = (access: Access, letter: Letter): boolean =>
  access.scopes.some(
    (scope) =>
      scope.kind === 'openehr' && scope.resource === 'composition' && scope.letters.has(letter),
  )

/**
 * Asks today's policies, whatever they said when the token was issued: a decision is cheap, and a
 * version that was published a second ago must already count.
 */
export function decide(
  access: Access,
  policies: Policies,
  letter: Letter,
  resource: Resource,
): PolicyDecision {
  return policies.decide(ask(access.grant.circumstances, ACTIONS[letter], resource))
}

/** An allow without errors: Cedar skips a policy that errors, `forbid` included. */
export const allows = (decision: PolicyDecision): boolean =>
  decision.effect === 'allow' && decision.errors.length === 0

/** @throws Refusal policy_denied, policy_stale */
export function requireDecision(
  access: Access,
  policies: Policies,
  letter: Letter,
  resource: Resource,
): PolicyDecision {
  if (WRITES.has(letter) && !policies.mayIssue())
    throw new Refusal('policy_stale', `${ACTIONS[letter]} ${resource.type}/${resource.id}`)
  // Whatever the policies say: they are the operator's, and this is not theirs to permit.
  if (WRITES.has(letter) && access.grant.emergency !== undefined)
    throw new Refusal(
      'policy_denied',
      `${ACTIONS[letter]} ${resource.type}/${resource.id}: emergency`,
    )
  const decision = decide(access, policies, letter, resource)
  if (allows(decision)) return decision
  const { version, policies: ids, errors } = decision
  const by = [...ids, ...errors].join(', ')
  const { circumstances } = access.grant
  throw new Refusal(
    'policy_denied',
    `${ACTIONS[letter]} ${resource.type}/${resource.id}, version ${version}: ${by || 'nothing permits it'}`,
    {
      policy: { version, effect: 'deny', policies: ids, ...(errors.length > 0 ? { errors } : {}) },
      facts: {
        ...circumstancesKept(circumstances),
        asked: [askedWord(ACTIONS[letter], resource)],
      },
    },
  )
}

/**
 * The patient in context: without one nothing of the record is reached.
 * @throws Refusal scope_insufficient
 */
export function requirePatient({ grant }: Access): string {
  const { patient } = grant.context
  if (patient === undefined) throw new Refusal('scope_insufficient', 'no patient in context')
  return patient
}

const DEEPEST = 100

/**
 * The same JSON with every address of the record behind us turned into ours, so that an app that follows
 * one comes back to us and learns nothing of the network behind. Made anew only where it differs: most of an
 * answer holds no address, and what is copied member by member is slow to copy and slow to write out.
 *
 * @throws Refusal upstream_invalid when nested too deep to be judged
 */
export function rewriteBase(value: unknown, from: string, to: string, depth = 0): unknown {
  if (typeof value === 'string') return rewriteAddress(value, from, to)
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) throw new Refusal('upstream_invalid', 'nested too deep')
  return Array.isArray(value)
    ? rewriteItems(value, from, to, depth + 1)
    : rewriteMembers(value as Members, from, to, depth + 1)
}

function rewriteItems(items: readonly unknown[], from: string, to: string, depth: number) {
  let copy: unknown[] | undefined
  for (let at = 0; at < items.length; at++) {
    const item = rewriteBase(items[at], from, to, depth)
    if (item === items[at]) continue
    copy ??= [...items]
    copy[at] = item
  }
  return copy ?? items
}

type Members = Readonly<Record<string, unknown>>

function rewriteMembers(members: Members, from: string, to: string, depth: number) {
  let copy: Record<string, unknown> | undefined
  // Not by Object.keys: a list of names for each of some hundred objects is a third of the cost.
  for (const name in members) {
    const member = rewriteBase(members[name], from, to, depth)
    if (member === members[name]) continue
    // A copy has each member as its own, `__proto__` too, and so it is that which is set.
    copy ??= { ...members }
    copy[name] = member
  }
  return copy ?? members
}

export function rewriteAddress(text: string, from: string, to: string): string {
  // One character tells nearly every text apart, and is looked at in a tenth of the time.
  const last = from.length - 1
  if (text.charCodeAt(last) !== from.charCodeAt(last) || !text.startsWith(from)) return text
  const end = text[from.length]
  return end === undefined || end === '/' || end === '?'
    ? atOnce(to, text.slice(from.length))
    : text
}

/** Whether a client's JSON is shallow enough to be judged and written again. */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth <= DEEPEST && Object.values(value).every((each) => isShallow(each, depth + 1))
}
