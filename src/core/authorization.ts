/** What an app asks for at the authorize endpoint, and how much of it a launch and the policies give. */
import type { Client } from './client.js'
import type { Action, Circumstances, Policies, Resource } from './decision.js'
import { isThumbprint } from './dpop.js'
import { isChallenge } from './pkce.js'
import { ask } from './question.js'
import { Refusal } from './refusal.js'
import {
  type Letter,
  matchesPattern,
  readScope,
  readScopes,
  type Scope,
  writeScope,
} from './scope.js'

/** What a launch's own kinds of data are: the FHIR types and plan sections that the record offers. */
export interface Offered {
  readonly fhirTypes: readonly string[]
  readonly sections: readonly { readonly id: string; readonly template: string }[]
  readonly queries: readonly string[]
}

/** An authorize request whose client and redirect have been proven before. */
export interface AuthorizationRequest {
  readonly launchHandle: string
  readonly scopes: readonly Scope[]
  readonly challenge: string
  readonly nonce?: string
  /** The key that the code will be bound to. */
  readonly dpopJkt?: string
  readonly state?: string
}

type Parameters = ReadonlyMap<string, string>

/**
 * Checks everything of an authorize request that needs no store.
 *
 * @param audiences what `aud` may name, without trailing slash
 * @throws Refusal response_type_unsupported, audience_invalid, pkce_required, scope_invalid,
 *   launch_scope_missing, launch_required, parameter_invalid (dpop_jkt)
 * @see SMART App Launch 2.2, "Request authorization code"; RFC 7636 §4.4.1; RFC 9449 §10
 */
export function readAuthorization(
  sent: Parameters,
  client: Client,
  audiences: readonly string[],
): AuthorizationRequest {
  if (sent.get('response_type') !== 'code')
    throw new Refusal('response_type_unsupported', 'response_type')
  if ((sent.get('state') ?? '') === '') throw new Refusal('parameter_missing', 'state')
  const aud = sent.get('aud') ?? sent.get('resource') ?? ''
  if (!audiences.includes(aud.replace(/\/$/, ''))) throw new Refusal('audience_invalid', 'aud')
  const challenge = sent.get('code_challenge') ?? ''
  if (sent.get('code_challenge_method') !== 'S256' || !isChallenge(challenge)) {
    throw new Refusal('pkce_required', 'code_challenge')
  }
  const scopes = registered(readScopes(sent.get('scope') ?? ''), client)
  if (scopes.length === 0) throw new Refusal('scope_invalid', 'nothing of the scope is registered')
  const launchHandle = sent.get('launch') ?? ''
  if (launchHandle === '') throw new Refusal('launch_required', 'no launch parameter')
  if (!has(scopes, 'launch')) throw new Refusal('launch_scope_missing', 'launch')
  const [nonce, state] = [sent.get('nonce'), sent.get('state')]
  const dpopJkt = sent.get('dpop_jkt')
  if (dpopJkt !== undefined && !isThumbprint(dpopJkt))
    throw new Refusal('parameter_invalid', 'dpop_jkt')
  return {
    launchHandle,
    scopes,
    challenge,
    ...(nonce === undefined ? {} : { nonce: nonce.slice(0, 500) }),
    ...(state === undefined ? {} : { state }),
    ...(dpopJkt === undefined ? {} : { dpopJkt }),
  }
}

export const has = (scopes: readonly Scope[], name: string): boolean =>
  scopes.some((scope) => scope.kind === 'plain' && scope.name === name)

const common = (a: ReadonlySet<Letter>, b: ReadonlySet<Letter>): ReadonlySet<Letter> =>
  new Set([...a].filter((letter) => b.has(letter)))

/** What one registered scope leaves of one that was asked; `undefined` when it does not cover it. */
function within(asked: Scope, limit: Scope): Scope | undefined {
  if (asked.kind === 'plain') {
    return limit.kind === 'plain' && limit.name === asked.name ? asked : undefined
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

/** Of the scopes asked, those that the app was registered for. */
function registered(asked: readonly Scope[], client: Client): readonly Scope[] {
  const limits = client.scopes.map(readScope).filter((scope) => scope !== undefined)
  return asked.flatMap((scope) => limits.map((limit) => within(scope, limit)).find(Boolean) ?? [])
}

const ACTION: Readonly<Record<Letter, Action>> = {
  c: 'create',
  r: 'read',
  u: 'update',
  d: 'delete',
  s: 'search',
}

/** Plain scopes that the gateway can honour. The rest is left out of the grant. */
const PLAIN = new Set(['launch', 'openid', 'fhirUser', 'online_access'])

/**
 * Narrows scopes to what the policies allow in these circumstances: a letter stays where its action on
 * that kind of data is allowed, a pattern becomes the sections that it names, a scope without letters goes.
 *
 * @returns the granted scopes, and the ids of the policies that decided
 */
export function narrow(
  scopes: readonly Scope[],
  policies: Policies,
  circumstances: Circumstances,
  offered: Offered,
): {
  readonly scopes: readonly string[]
  readonly policies: readonly string[]
  readonly errors: readonly string[]
} {
  const decided = new Set<string>()
  const errors = new Set<string>()
  const allowed = (letters: ReadonlySet<Letter>, resource: Resource): ReadonlySet<Letter> =>
    new Set(
      [...letters].filter((letter) => {
        const decision = policies.decide(ask(circumstances, ACTION[letter], resource))
        for (const id of decision.policies) decided.add(id)
        for (const error of decision.errors) errors.add(error)
        return decision.effect === 'allow'
      }),
    )
  const granted = scopes.flatMap((scope): Scope[] => {
    if (scope.kind === 'plain') return PLAIN.has(scope.name) ? [scope] : []
    // A launch is about one patient: what reaches further than that is not given in one.
    if (scope.reach !== 'patient') return []
    const kept = scope.kind === 'fhir' ? fhirKinds(scope, offered) : openehrKinds(scope, offered)
    return kept
      .map(({ as, resource }) => ({
        ...as,
        letters: resource ? allowed(scope.letters, resource) : scope.letters,
      }))
      .filter(({ letters }) => letters.size > 0)
  })
  return { scopes: granted.map(writeScope), policies: [...decided], errors: [...errors] }
}

type Kinds = readonly {
  readonly as: Exclude<Scope, { kind: 'plain' }>
  readonly resource?: Resource
}[]

const fhirKinds = (scope: Extract<Scope, { kind: 'fhir' }>, offered: Offered): Kinds =>
  offered.fhirTypes
    .filter((type) => scope.type === '*' || scope.type === type)
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
