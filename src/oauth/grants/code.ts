import { narrow, reachesData, registered } from '../../core/authorization.js'
import { circumstancesAt } from '../../core/circumstances.js'
import type { Client } from '../../core/client.js'
import type { Grant } from '../../core/grant.js'
import { isSecret, type LaunchId, launchOfSecret } from '../../core/ids.js'
import { matchesChallenge } from '../../core/pkce.js'
import { endOf } from '../../core/records.js'
import { shown } from '../../core/redirect-address.js'
import { Refusal } from '../../core/refusal.js'
import { readScopes } from '../../core/scope.js'
import type { OAuthParts } from '../parts.js'
import { isOld, judgedAnew, standingNow } from './anew.js'
import { boundTo, type GrantType, grantFacts, issue, type TokenCall } from './issue.js'

/** The grant of a code, this app's and this request's. @throws Refusal code_*, redirect_mismatch, verifier_mismatch */
async function grantOf(
  parts: OAuthParts,
  { client, sent, learn, cnf }: TokenCall,
  code: string,
): Promise<Grant> {
  const launch = launchOfSecret('cod', code)
  const [grant, ended, appEnd] = await parts.store.getAll([
    { kind: 'grant', id: launch ?? '' },
    { kind: 'ended', id: endOf('launch', launch ?? '') },
    { kind: 'ended', id: endOf('app', client.id) },
  ])
  if (!launch || !grant || !isSecret(code, grant.code.hash)) {
    throw new Refusal('code_invalid', 'unknown')
  }
  learn(grantFacts(grant))

  // "ensure that the authorization code was issued to the authenticated … client"
  if (grant.client !== client.id) throw new Refusal('code_other_client', client.id)
  // "ensure that the 'redirect_uri' parameter is present … and … identical"
  const [redirect = '', asked] = [sent.get('redirect_uri'), grant.code.redirectUri]
  if (redirect !== asked) {
    const facts = { sent: shown(redirect), asked: shown(asked) }
    throw new Refusal('redirect_mismatch', 'redirect_uri', { facts })
  }
  if (!matchesChallenge(sent.get('code_verifier') ?? '', grant.code.challenge)) {
    throw new Refusal('verifier_mismatch', 'code_verifier')
  }
  // RFC 9449 §10
  const { dpopJkt } = grant.code
  if (dpopJkt !== undefined && dpopJkt !== cnf?.jkt)
    throw new Refusal('code_other_key', cnf?.jkt === undefined ? 'no proof' : 'another key')
  const over = ended || (appEnd && appEnd.at >= grant.since)
  if (over) throw new Refusal('code_invalid', 'the launch, or the app, was ended')
  return grant
}

async function spentTwice(parts: OAuthParts, launch: LaunchId): Promise<never> {
  await parts.sessions.endLaunch(launch, 'the authorization code was used twice')
  throw new Refusal('code_spent', 'second use: the grant was ended')
}

/** What the registration and the policies of today leave of a grant that was given under others. */
export function renewedScopes(
  parts: OAuthParts,
  grant: Grant,
  client: Client,
  words: readonly string[],
) {
  const now = circumstancesAt(grant.circumstances, parts.clock())
  const within = registered(readScopes(words.join(' ')), client)
  return narrow(within, parts.policies, now, parts.offered).scopes
}

/**
 * grant_type=authorization_code
 *
 * Client, redirect and verifier are checked before the code is spent, so that a wrong guess burns
 * nothing; a second use ends all that the first one gave.
 *
 * @throws Refusal code_invalid, code_other_client, redirect_mismatch, verifier_mismatch, code_other_key,
 *   code_expired, code_spent, policy_stale; of {@link judgedAnew} for a launch that was long under way
 * @see RFC 6749 §4.1.3; RFC 7636 §4.6; RFC 9700 §4.5
 */
export const codeGrant: GrantType = {
  async redeem(parts, call) {
    const { client, sent } = call
    const grant = await grantOf(parts, call, sent.get('code') ?? '')
    // A spent code is an alarm however old it is; an unspent one that is late is only late.
    if (grant.tokens.length > 0) return await spentTwice(parts, grant.launch)
    if (grant.code.until <= parts.clock()) throw new Refusal('code_expired', 'late')
    const standing = await standingNow(parts, grant, 'code_invalid')
    if (!parts.policies.mayIssue())
      throw new Refusal('policy_stale', 'the policy version is not known')

    const { grant: renewed, behind } = isOld(grant, parts)
      ? await judgedAnew(parts, grant, 'code_invalid')
      : standing
    const scopes =
      renewed === grant ? grant.scopes : renewedScopes(parts, renewed, client, grant.scopes)
    // As at authorize: what the policies leave nothing of is not given.
    if (scopes.length === 0 || (reachesData(grant.scopes) && !reachesData(scopes)))
      throw new Refusal('code_invalid', 'the policies allow nothing of it today')
    const once = { what: `code/${grant.launch}`, until: grant.until }
    const how = { once, by: 'authorization_code', client, behind, scopes }
    const answer = await issue(parts, boundTo({ ...renewed, scopes }, call.cnf), how)
    return answer ?? (await spentTwice(parts, grant.launch))
  },
}
