import { isService, type UserToken } from '../../access/access-token.js'
import type { Happening } from '../../core/audit.js'
import { narrow } from '../../core/authorization.js'
import { circumstancesAt } from '../../core/circumstances.js'
import {
  ACCESS_TOKEN_TYPE,
  actingFor,
  exchangedAudience,
  exchangedScopes,
  readExchange,
} from '../../core/exchange.js'
import type { Grant } from '../../core/grant.js'
import { newId, type TokenId } from '../../core/ids.js'
import { Refusal } from '../../core/refusal.js'
import { accessClaims, besideToken, tokenTypeOf } from '../../core/token.js'
import { type Seconds, seconds } from '../../core/values.js'
import type { OAuthParts } from '../parts.js'
import { presentedToken } from '../presented.js'
import { boundTo, type GrantType, grantFacts, lifetimeOf, type TokenCall } from './issue.js'

/** The app's token that is to be exchanged, alive. @throws Refusal subject_token_invalid, subject_token_refused */
async function subjectOf(parts: OAuthParts, call: TokenCall): Promise<UserToken> {
  const token = await presentedToken(parts, readExchange(call.sent))
  if (token.kind !== 'access')
    throw new Refusal('subject_token_invalid', token.kind === 'none' ? token.why : token.kind)
  const { live } = token
  if (isService(live)) throw new Refusal('subject_token_refused', 'a service’s own')
  call.learn({ ...grantFacts(live.grant), app: call.client.id })
  return live
}

/** What today's policies leave of it. @throws Refusal scope_invalid when that is nothing */
function judge(parts: OAuthParts, { claims, grant }: UserToken, { client, sent }: TokenCall) {
  const asked = exchangedScopes(sent.get('scope'), claims, client)
  const now = circumstancesAt(grant.circumstances, parts.clock())
  const judged = narrow(asked, parts.policies, now, parts.offered)
  if (judged.scopes.length === 0) throw new Refusal('scope_invalid', 'nothing is left of it')
  return judged
}

/** The grant as the new token says it: fewer scopes, another holder, no key but the one that was proven now. */
function given(grant: Grant, { client, cnf }: TokenCall, said: Pick<Grant, 'scopes' | 'audience'>) {
  const { cnf: _, ...rest } = grant
  return boundTo({ ...rest, ...said, client: client.id }, cnf)
}

/** What was decided, then what was issued by it. */
function entriesOf(
  { grant, token: exchanged }: UserToken,
  said: Grant,
  policies: readonly string[],
  { token, lifetime }: { readonly token: TokenId; readonly lifetime: Seconds },
): readonly Happening[] {
  const { policyVersion: version, signOn } = grant
  const { scopes } = said
  const facts = { outcome: 'success', ...grantFacts(said), signOn } as const
  return [
    {
      ...{ what: 'decision_made', ...facts },
      policy: { version, effect: 'allow', policies },
      detail: { action: 'grant', scopes },
    },
    {
      ...{ what: 'token_issued', ...facts, token, policy: { version } },
      detail: { by: 'token-exchange', lifetime, scopes, exchanged },
    },
  ]
}

/**
 * grant_type=urn:ietf:params:oauth:grant-type:token-exchange: an app's back end calls on in the same launch, for the
 * same patient and user, with less and for no longer. The grant is the app's: it is neither written nor renewed, and
 * what ends it ends this.
 *
 * @throws Refusal grant_type_unregistered, parameter_missing, parameter_invalid, subject_token_invalid,
 *   subject_token_refused, scope_exceeded, scope_invalid, target_invalid, policy_stale
 * @see RFC 8693
 */
export const exchangeGrant: GrantType = {
  async redeem(parts, call) {
    const { client, sent, cnf } = call
    if (client.type !== 'key' && client.type !== 'certificate')
      throw new Refusal('grant_type_unregistered', client.type)
    const subject = await subjectOf(parts, call)
    const { claims, grant } = subject
    const act = actingFor(claims, grant.client, client)
    // Less, never more: what was bound to one key does not become good in anybody's hand.
    if (claims.cnf !== undefined && cnf === undefined)
      throw new Refusal('subject_token_refused', 'bound, and the back end proved no key of its own')
    if (!parts.policies.mayIssue())
      throw new Refusal('policy_stale', 'the policy version is not known')
    const { scopes, policies } = judge(parts, subject, call)
    const bases = { ...parts.bases, issuer: parts.issuer }
    const audience = exchangedAudience(sent, claims, scopes, bases)

    const now = parts.clock()
    const lifetime = Math.min(lifetimeOf(parts, client), claims.exp - seconds(now))
    const id = newId('tok', parts.random)
    const said = given(grant, call, { scopes, audience })
    const access = await parts.keys.sign('ES256', 'at+jwt', {
      ...accessClaims(said, parts.issuer, id, now, lifetime),
      act,
      exchanged_from: [...(claims.exchanged_from ?? []), claims.jti],
    })
    await parts.trail.commit({
      record: entriesOf(subject, said, policies, { token: id, lifetime }),
    })
    return {
      ...{ access_token: access, issued_token_type: ACCESS_TOKEN_TYPE },
      ...{ token_type: tokenTypeOf(cnf), expires_in: lifetime, scope: scopes.join(' ') },
      ...besideToken(grant),
    }
  },
}
