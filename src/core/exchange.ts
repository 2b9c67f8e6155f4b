/** An access token for another, less and never more. @see RFC 8693 */
import { covers, registered } from './authorization.js'
import type { Client } from './client.js'
import { audienceOf, type Bases, type Grant } from './grant.js'
import { Refusal } from './refusal.js'
import { readScope, type Scope } from './scope.js'
import { type AccessClaims, type Actor, actorsOf } from './token.js'

/** @see RFC 8693 §3 */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

/** Back ends in a row. */
const DEEPEST = 3

/** They say how a token is renewed, and this one never is. */
const RENEWALS = new Set(['online_access', 'offline_access'])

type Sent = ReadonlyMap<string, string>

/**
 * One access token for another; who acts is who authenticated, never somebody whom a token names.
 * @throws Refusal parameter_missing, parameter_invalid
 * @see RFC 8693 §2.1
 */
export function readExchange(sent: Sent): string {
  const token = sent.get('subject_token')
  if (token === undefined) throw new Refusal('parameter_missing', 'subject_token')
  if (!sent.has('subject_token_type')) throw new Refusal('parameter_missing', 'subject_token_type')
  for (const name of ['subject_token_type', 'requested_token_type'])
    if ((sent.get(name) ?? ACCESS_TOKEN_TYPE) !== ACCESS_TOKEN_TYPE)
      throw new Refusal('parameter_invalid', name)
  for (const name of ['actor_token', 'actor_token_type'])
    if (sent.has(name)) throw new Refusal('parameter_invalid', name)
  return token
}

/**
 * Who acts from here on: this back end, for those before it.
 * @param of the app that the launch is
 * @throws Refusal subject_token_refused for whom it is not registered, in a circle, or too deep
 * @see RFC 8693 §4.1
 */
export function actingFor(claims: AccessClaims, of: string, client: Client): Actor {
  const before = actorsOf(claims.act)
  const refuse = (why: string) => new Refusal('subject_token_refused', why)
  if (client.exchangesFor?.includes(claims.client_id) !== true)
    throw refuse(`of ${claims.client_id}`)
  if (client.id === of || before.includes(client.id)) throw refuse('it acts in this chain already')
  if (before.length >= DEEPEST) throw refuse('too many in a row')
  return { sub: client.id, ...(claims.act === undefined ? {} : { act: claims.act }) }
}

/**
 * The scopes asked, each within the subject token's and the registration's whole; without any, what both have.
 * @throws Refusal scope_exceeded (more than the subject token has), scope_invalid (not registered, or nothing)
 */
export function exchangedScopes(
  asked: string | undefined,
  subject: AccessClaims,
  client: Client,
): readonly Scope[] {
  const had = subject.scope.split(' ')
  const words = asked?.split(' ').filter((word) => word !== '') ?? had
  const scopes = words.flatMap((word) => {
    const scope = readScope(word)
    if (!scope || !covers(had, scope)) throw new Refusal('scope_exceeded', 'scope')
    return RENEWALS.has(word) ? [] : [scope]
  })
  if (asked !== undefined && !scopes.every((scope) => covers(client.scopes, scope)))
    throw new Refusal('scope_invalid', 'not registered')
  return registered(scopes, client)
}

/**
 * Where the new token is good: at bases that its scopes reach and the subject token was good at, and of those only
 * the one that was asked for.
 *
 * @throws Refusal target_invalid
 * @see RFC 8693 §2.1 (resource, audience), §2.2.2 (invalid_target)
 */
export function exchangedAudience(
  sent: Sent,
  { aud }: AccessClaims,
  scopes: Grant['scopes'],
  bases: Bases,
): readonly string[] {
  const named = [sent.get('resource'), sent.get('audience')]
    .filter((name) => name !== undefined)
    .map((name) => name.replace(/\/$/, ''))
  const reached = audienceOf(scopes, bases).filter(
    (base) => aud.includes(base) || base === bases.issuer,
  )
  const wanted = reached.filter((base) => named.every((name) => name === base))
  if (wanted.length === 0) throw new Refusal('target_invalid', 'audience, resource')
  return wanted
}
