import type { ProvenKey } from '../../access/dpop.js'
import { narrow, reachesData } from '../../core/authorization.js'
import { circumstancesAt } from '../../core/circumstances.js'
import type { Client } from '../../core/client.js'
import { type Grant, grantUnder } from '../../core/grant.js'
import { familyOf, isSecret, type LaunchId, launchOfSecret } from '../../core/ids.js'
import { endOf } from '../../core/records.js'
import { Refusal } from '../../core/refusal.js'
import { readScopes, writeScope } from '../../core/scope.js'
import type { OAuthParts } from '../parts.js'
import { boundTo, type GrantType, grantFacts, issue } from './issue.js'

async function grantOf(parts: OAuthParts, refresh: string): Promise<Grant | undefined> {
  const launch = launchOfSecret('rft', refresh)
  return launch && (await parts.store.get('grant', launch))
}

/** The scopes of a refresh: those that were granted, or fewer, as far as the policies allow them today. */
function scopesNow(parts: OAuthParts, grant: Grant, asked: string | undefined): readonly string[] {
  const words = asked === undefined ? grant.scopes : readScopes(asked).map(writeScope)
  if (words.some((word) => !grant.scopes.includes(word))) {
    throw new Refusal('scope_exceeded', 'scope')
  }
  const scopes = readScopes(words.join(' '))
  return narrow(
    scopes,
    parts.policies,
    circumstancesAt(grant.circumstances, parts.clock()),
    parts.offered,
  ).scopes
}

/**
 * Tokens that were bound stay bound. A public client has nothing but its key to show that it is the same; one
 * that authenticates may come with a new key.
 *
 * @throws Refusal refresh_other_key
 * @see RFC 9449 §5
 */
function requireKey({ cnf }: Grant, client: Client, proof: ProvenKey | undefined): void {
  if (cnf?.jkt === undefined) return
  if (proof === undefined) throw new Refusal('refresh_other_key', 'no proof')
  if (client.type === 'public' && proof.jkt !== cnf.jkt)
    throw new Refusal('refresh_other_key', 'another key')
}

/**
 * grant_type=refresh_token, for `online_access`: works while the session does, and is replaced at each
 * use. A spent one ends the grant, because two parties hold it.
 *
 * @throws Refusal refresh_invalid, refresh_spent, refresh_other_key, refresh_ended, scope_exceeded, policy_stale
 * @see RFC 6749 §6; RFC 9700 §4.14.2; SMART App Launch 2.2, "Refresh access token"
 */
export const refreshGrant: GrantType = {
  async nameClient(sent, parts) {
    if (sent.has('client_id') || sent.has('client_assertion')) return sent
    const grant = await grantOf(parts, sent.get('refresh_token') ?? '')
    return grant ? new Map([...sent, ['client_id', grant.client]]) : sent
  },
  async redeem(parts, client, sent, learn, proof) {
    const refresh = sent.get('refresh_token') ?? ''
    const grant = await grantOf(parts, refresh)
    if (!grant?.refresh) throw new Refusal('refresh_invalid', 'unknown')
    learn(grantFacts(grant))
    if (grant.client !== client.id) throw new Refusal('refresh_invalid', 'another client')
    const ended = await parts.store.get('ended', endOf('launch', grant.launch))
    if (ended) throw new Refusal('refresh_ended', 'the launch was ended')
    if (!isSecret(refresh, grant.refresh.hash)) {
      // One of this grant's that was replaced: two parties hold it. A made-up one ends nothing.
      if (isSecret(familyOf(refresh), grant.refresh.family)) await spentTwice(parts, grant.launch)
      throw new Refusal('refresh_invalid', 'not this grant’s')
    }
    requireKey(grant, client, proof)
    const signOn = await parts.sessions.get(grant.signOn)
    if (!signOn) throw new Refusal('refresh_ended', 'the session is over')
    if (!parts.policies.mayIssue())
      throw new Refusal('policy_stale', 'the policy version is not known')
    const renewed = grantUnder(grant, parts.policies.version(), signOn.user, parts.knowUser)
    const scopes = scopesNow(parts, renewed, sent.get('scope'))
    if (!reachesData(scopes))
      throw new Refusal('refresh_ended', 'the policies allow nothing of it today')

    const once = { what: `refresh/${grant.launch}/${grant.refresh.generation}`, until: grant.until }
    const how = { once, by: 'refresh_token', scopes, family: familyOf(refresh) }
    const answer = await issue(parts, boundTo(renewed, proof), signOn, client.idTokenAlgorithm, how)
    if (!answer) return await spentTwice(parts, grant.launch)
    await parts.sessions.touch(signOn)
    return answer
  },
}

async function spentTwice(parts: OAuthParts, launch: LaunchId): Promise<never> {
  await parts.sessions.endLaunch(launch, 'a refresh token was used twice')
  throw new Refusal('refresh_spent', 'second use: the grant was ended')
}
