/** How much of what an app asks for its registration, a launch and the policies give. */
import type { Client } from './client.js'
import type { Action, Circumstances, Policies, Resource } from './decision.js'
import { askedWord } from './denial.js'
import { contextAsked } from './fhir-context.js'
import { ask } from './question.js'
import {
  INTROSPECT,
  type Letter,
  matchesPattern,
  type Reach,
  readScope,
  type Scope,
  shortest,
  writeScope,
} from './scope.js'
import { readScopeQuery } from './scope-query.js'

/** What a launch's own kinds of data are: the FHIR types and plan sections that the record offers. */
export interface Offered {
  readonly fhirTypes: readonly string[]
  readonly sections: readonly { readonly id: string; readonly template: string }[]
  readonly queries: readonly string[]
}

export const has = (scopes: readonly Scope[], name: string): boolean =>
  scopes.some((scope) => scope.kind === 'plain' && scope.name === name)

const common = (a: ReadonlySet<Letter>, b: ReadonlySet<Letter>): ReadonlySet<Letter> =>
  new Set([...a].filter((letter) => b.has(letter)))

/** The scope of a type's context without the role. */
const allRoles = (name: string): string =>
  contextAsked(name) === undefined ? name : (name.split('?')[0] ?? name)

/** What one registered scope leaves of one that was asked; `undefined` when it does not cover it. */
function within(asked: Scope, limit: Scope): Scope | undefined {
  if (asked.kind === 'plain') {
    const same = limit.kind === 'plain' && [asked.name, allRoles(asked.name)].includes(limit.name)
    return same ? asked : undefined
  }
  if (asked.kind !== limit.kind || asked.reach !== limit.reach) return undefined
  const letters = common(asked.letters, limit.letters)
  if (letters.size === 0) return undefined
  if (asked.kind === 'fhir' && limit.kind === 'fhir') {
    if (limit.type !== '*' && limit.type !== asked.type) return undefined
    // A registered query narrows what is asked plainly; two different queries have no common scope.
    if (limit.query !== '' && asked.query !== '' && limit.query !== asked.query) return undefined
    return { ...asked, letters, query: asked.query === '' ? limit.query : asked.query }
  }
  if (asked.kind === 'openehr' && limit.kind === 'openehr' && asked.resource === limit.resource) {
    const covered = asked.pattern === limit.pattern || matchesPattern(limit.pattern, asked.pattern)
    return covered ? { ...asked, letters } : undefined
  }
  return undefined
}

const limitsOf = (words: readonly string[]): readonly Scope[] =>
  words.map(readScope).filter((scope) => scope !== undefined)

/** What only a refresh token would be good for. */
const RENEWING = ['online_access', 'offline_access']

/** Of the scopes asked, those that the app was registered for; none that lasts, for one that may not renew. */
export function registered(
  asked: readonly Scope[],
  { scopes, grantTypes }: Pick<Client, 'scopes'> & Partial<Pick<Client, 'grantTypes'>>,
): readonly Scope[] {
  const renews = grantTypes?.includes('refresh_token') ?? true
  const limits = limitsOf(scopes.filter((name) => renews || !RENEWING.includes(name)))
  return shortest(asked.flatMap((scope) => limits.flatMap((limit) => within(scope, limit) ?? [])))
}

/** Whether a scope lies within these whole, with every letter and without a search query that would narrow it. */
export function covers(words: readonly string[], asked: Scope): boolean {
  const parts = limitsOf(words).flatMap((limit) => within(asked, limit) ?? [])
  if (asked.kind === 'plain') return parts.length > 0
  const query = (scope: Scope) => (scope.kind === 'fhir' ? scope.query : '')
  const whole = parts.filter((part) => query(part) === query(asked))
  const letters = new Set(whole.flatMap((part) => (part.kind === 'plain' ? [] : [...part.letters])))
  return letters.size === asked.letters.size
}

const ACTION: Readonly<Record<Letter, Action>> = {
  c: 'create',
  r: 'read',
  u: 'update',
  d: 'delete',
  s: 'search',
}

/** How far a grant may reach, and the plain scopes that can be honoured in it. The rest is left out. */
interface Given {
  readonly reaches: readonly Reach[]
  readonly plain: ReadonlySet<string>
}

/**
 * A launch is about one patient. What the user may see is held to them, as enforcement holds it; what reaches
 * further than that is not given in one.
 */
const IN_LAUNCH: Given = {
  reaches: ['patient', 'user'],
  plain: new Set([
    ...['launch', 'launch/patient', 'launch/encounter', 'launch/episode'],
    ...['openid', 'profile', 'fhirUser', 'online_access', 'offline_access'],
  ]),
}

/** What a broken glass opens, whatever the policies say: reading, and only while its user is there. */
const READING: ReadonlySet<Letter> = new Set(['r', 's'])
const PAST_EMERGENCY = 'offline_access'

/** Enough to explain why nothing was left. */
const MOST_DENIED = 10

export const TO_SERVICE: Given = { reaches: ['system'], plain: new Set([INTROSPECT]) }

/** Context of other types is given by launch-scopes.ts, in a launch alone. */
const isGiven = (name: string, { plain, reaches }: Given): boolean =>
  plain.has(name) || (reaches.includes('patient') && contextAsked(name) !== undefined)
/** What an emergency leaves of a scope before any policy is asked; all of it where there is none. */
function lettersIn({ emergencyReason }: Circumstances, scope: Scope): Scope | undefined {
  if (emergencyReason === '') return scope
  if (scope.kind === 'plain') return scope.name === PAST_EMERGENCY ? undefined : scope
  return { ...scope, letters: common(scope.letters, READING) }
}

/**
 * Narrows scopes to what the policies allow in these circumstances: a letter stays where its action on
 * that kind of data is allowed, a pattern becomes the sections that it names, a scope without letters goes.
 *
 * @returns the granted scopes, the ids of the policies that decided, and some of what was denied
 */
export function narrow(
  scopes: readonly Scope[],
  policies: Policies,
  circumstances: Circumstances,
  offered: Offered,
  given: Given = IN_LAUNCH,
): {
  readonly scopes: readonly string[]
  readonly policies: readonly string[]
  readonly errors: readonly string[]
  readonly denied: readonly string[]
} {
  const [decided, errors, denied] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const allowed = (letters: ReadonlySet<Letter>, resource: Resource): ReadonlySet<Letter> =>
    new Set(
      [...letters].filter((letter) => {
        const decision = policies.decide(ask(circumstances, ACTION[letter], resource))
        for (const id of decision.policies) decided.add(id)
        for (const error of decision.errors) errors.add(error)
        if (decision.effect !== 'allow' && denied.size < MOST_DENIED)
          denied.add(askedWord(ACTION[letter], resource))
        return decision.effect === 'allow'
      }),
    )
  const granted = scopes.flatMap((asked): Scope[] => {
    const scope = lettersIn(circumstances, asked)
    if (scope === undefined) return []
    if (scope.kind === 'plain') return isGiven(scope.name, given) ? [scope] : []
    if (!given.reaches.includes(scope.reach)) return []
    // A service's calls are held to no query, and SMART v1 knows none.
    const bare = scope.reach === 'system' || (scope.kind === 'fhir' && scope.v1)
    if (scope.kind === 'fhir' && scope.query !== '' && bare) return []
    const kept = scope.kind === 'fhir' ? fhirKinds(scope, offered) : openehrKinds(scope, offered)
    return kept
      .map(({ as, resource }) => ({
        ...as,
        letters: resource ? allowed(scope.letters, resource) : scope.letters,
      }))
      .filter(({ letters }) => letters.size > 0)
  })
  return {
    scopes: shortest(granted).map(writeScope),
    ...{ policies: [...decided], errors: [...errors], denied: [...denied] },
  }
}

type Kinds = readonly {
  readonly as: Exclude<Scope, { kind: 'plain' }>
  readonly resource?: Resource
}[]

/** A query stays where the record is held to it, whole: what is granted is what is enforced. */
const fhirKinds = (scope: Extract<Scope, { kind: 'fhir' }>, offered: Offered): Kinds =>
  offered.fhirTypes
    .filter((type) => scope.type === '*' || scope.type === type)
    .filter((type) => scope.query === '' || readScopeQuery(type, scope.query) !== undefined)
    .map((type) => ({ as: { ...scope, type }, resource: { type: 'fhir', id: type } }))

function openehrKinds(scope: Extract<Scope, { kind: 'openehr' }>, offered: Offered): Kinds {
  if (scope.resource === 'template') return []
  if (scope.resource === 'aql') {
    // A stored query shows only rows of sections that the token may read: it needs no decision of its own.
    return offered.queries
      .filter((query) => matchesPattern(scope.pattern, query))
      .map((query) => ({ as: { ...scope, pattern: query } }))
  }
  return offered.sections
    .filter(({ template }) => matchesPattern(scope.pattern, template))
    .map(({ id, template }) => ({
      as: { ...scope, pattern: template },
      resource: { type: 'section', id },
    }))
}

/** Whether a grant reaches any data at all. */
export const reachesData = (scopes: readonly string[]): boolean =>
  scopes.some((text) => {
    const scope = readScope(text)
    return scope?.kind === 'fhir' || (scope?.kind === 'openehr' && scope.resource === 'composition')
  })
