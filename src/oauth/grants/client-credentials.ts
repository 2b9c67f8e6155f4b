/** A service that asks for itself. */
import type { Happening } from '../../core/audit.js'
import { covers, narrow, TO_SERVICE } from '../../core/authorization.js'
import {
  isServiceScope,
  SERVICE_LIFETIME,
  type ServiceGrant,
  serviceCircumstances,
} from '../../core/backend-service.js'
import type { Client } from '../../core/client.js'
import { audienceOf, type Confirmation } from '../../core/grant.js'
import { newId, newLaunchId } from '../../core/ids.js'
import { Refusal } from '../../core/refusal.js'
import { readScope, type Scope, shortest, writeScope } from '../../core/scope.js'
import { serviceClaims, tokenTypeOf } from '../../core/token.js'
import { after } from '../../core/values.js'
import type { OAuthParts } from '../parts.js'
import { type GrantType, lifetimeOf, type TokenCall } from './issue.js'

const MOST_SCOPES = 100

/**
 * Every scope that is asked counts: one that is unknown, not registered or of another kind fails the request.
 * @throws Refusal scope_invalid
 * @see SMART App Launch 2.2, "Backend Services": scope
 */
function readAsked({ client, sent }: TokenCall): readonly Scope[] {
  const words = [...new Set((sent.get('scope') ?? '').split(' ').filter((word) => word !== ''))]
  if (words.length === 0 || words.length > MOST_SCOPES)
    throw new Refusal('scope_invalid', `${words.length} scopes`)
  return words.map((word) => {
    const scope = readScope(word)
    if (!scope || !isServiceScope(scope) || !covers(client.scopes, scope))
      throw new Refusal('scope_invalid', word.slice(0, 100))
    return scope
  })
}

/**
 * Registration is the permission, and the policies may take from it: letters that they withhold are left out, a scope
 * of which nothing is left fails the request.
 *
 * @throws Refusal scope_invalid
 */
function judge(parts: OAuthParts, client: Client, asked: readonly Scope[]) {
  const circumstances = serviceCircumstances(client.id, parts.clock())
  const parted = asked.map((scope) => {
    const judged = narrow([scope], parts.policies, circumstances, parts.offered, TO_SERVICE)
    if (judged.scopes.length === 0 || judged.errors.length > 0)
      throw new Refusal(
        'scope_invalid',
        `withheld by ${[...judged.policies, ...judged.errors].join(', ') || 'no policy that permits it'}`,
      )
    return judged
  })
  const scopes = parted.flatMap((judged) => judged.scopes.flatMap((text) => readScope(text) ?? []))
  return {
    scopes: shortest(scopes).map(writeScope),
    policies: [...new Set(parted.flatMap(({ policies }) => policies))],
  }
}

function openService(
  parts: OAuthParts,
  client: Client,
  scopes: readonly string[],
  cnf: Confirmation | undefined,
): ServiceGrant {
  const now = parts.clock()
  return {
    id: newId('grt', parts.random),
    launch: newLaunchId(now, parts.random),
    client: client.id,
    scopes,
    audience: audienceOf(scopes, { ...parts.bases, issuer: parts.issuer }),
    policyVersion: parts.policies.version(),
    token: newId('tok', parts.random),
    ...(cnf === undefined ? {} : { cnf }),
    since: now,
    until: after(now, Math.min(SERVICE_LIFETIME, lifetimeOf(parts, client))),
  }
}

/**
 * grant_type=client_credentials: for clients with a key or a certificate. Five minutes at most, no refresh token, no
 * id_token; another assertion is as good as either.
 *
 * @throws Refusal grant_type_unregistered, scope_invalid, policy_stale
 * @see RFC 6749 §4.4; SMART App Launch 2.2, "Backend Services"
 */
export const clientCredentials: GrantType = {
  async redeem(parts, call) {
    const { client, cnf } = call
    // The registration's own rule, held here as well: a secret can be guessed at, and is sent.
    if (client.type !== 'key' && client.type !== 'certificate')
      throw new Refusal('grant_type_unregistered', client.type)
    const asked = readAsked(call)
    if (!parts.policies.mayIssue())
      throw new Refusal('policy_stale', 'the policy version is not known')
    const { scopes, policies } = judge(parts, client, asked)
    const service = openService(parts, client, scopes, cnf)
    const lifetime = (service.until - service.since) / 1000
    const access = await parts.keys.sign(
      'ES256',
      'at+jwt',
      serviceClaims(service, parts.issuer, service.since, lifetime),
    )
    const facts = { launch: service.launch, grant: service.id, app: client.id }
    const { policyVersion: version, token, launch: id, until } = service
    const record: readonly Happening[] = [
      {
        ...{ what: 'decision_made', outcome: 'success', ...facts },
        policy: { version, effect: 'allow', policies },
        detail: { action: 'grant', scopes },
      },
      { what: 'grant_opened', outcome: 'success', ...facts },
      {
        ...{ what: 'token_issued', outcome: 'success', ...facts, token, policy: { version } },
        detail: { by: 'client_credentials', lifetime, scopes },
      },
    ]
    await parts.trail.commit({ record, puts: [{ kind: 'service', id, value: service, until }] })
    const token_type = tokenTypeOf(cnf)
    return { access_token: access, token_type, expires_in: lifetime, scope: scopes.join(' ') }
  },
}
