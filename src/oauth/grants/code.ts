import { isSecret, launchOfSecret } from '../../core/ids.js'
import { matchesChallenge } from '../../core/pkce.js'
import { endOf } from '../../core/records.js'
import { Refusal } from '../../core/refusal.js'
import { boundTo, type GrantType, grantFacts, issue } from './issue.js'

/**
 * grant_type=authorization_code
 *
 * Client, redirect and verifier are checked before the code is spent, so that a wrong guess burns
 * nothing; a second use ends all that the first one gave.
 *
 * @throws Refusal code_invalid, code_other_client, redirect_mismatch, verifier_mismatch, code_other_key,
 *   code_expired, code_spent
 * @see RFC 6749 §4.1.3; RFC 7636 §4.6; RFC 9700 §4.5
 */
export const codeGrant: GrantType = {
  nameClient: async (sent) => sent,
  async redeem(parts, client, sent, learn, proof) {
    const code = sent.get('code') ?? ''
    const launch = launchOfSecret('cod', code)
    const [grant, ended] = await parts.store.getAll([
      { kind: 'grant', id: launch ?? '' },
      { kind: 'ended', id: endOf('launch', launch ?? '') },
    ])
    if (!launch || !grant || !isSecret(code, grant.code.hash)) {
      throw new Refusal('code_invalid', 'unknown')
    }
    learn(grantFacts(grant))

    // "ensure that the authorization code was issued to the authenticated … client"
    if (grant.client !== client.id) throw new Refusal('code_other_client', client.id)
    // "ensure that the 'redirect_uri' parameter is present … and … identical"
    if (sent.get('redirect_uri') !== grant.code.redirectUri) {
      throw new Refusal('redirect_mismatch', 'redirect_uri')
    }
    if (!matchesChallenge(sent.get('code_verifier') ?? '', grant.code.challenge)) {
      throw new Refusal('verifier_mismatch', 'code_verifier')
    }
    // RFC 9449 §10
    if (grant.code.dpopJkt !== undefined && grant.code.dpopJkt !== proof?.jkt) {
      throw new Refusal('code_other_key', proof === undefined ? 'no proof' : 'another key')
    }
    if (ended) throw new Refusal('code_invalid', 'the launch was ended')
    // A spent code is an alarm however old it is; an unspent one that is late is only late.
    if (grant.tokens.length > 0) return await spentTwice()
    if (grant.code.until <= parts.clock()) throw new Refusal('code_expired', 'late')
    const signOn = await parts.sessions.get(grant.signOn)
    if (!signOn) throw new Refusal('code_invalid', 'the session is over')

    const once = { what: `code/${launch}`, until: grant.until }
    const how = { once, by: 'authorization_code', scopes: grant.scopes }
    const bound = boundTo(grant, proof)
    return (await issue(parts, bound, signOn, client.idTokenAlgorithm, how)) ?? (await spentTwice())

    async function spentTwice(): Promise<never> {
      await parts.sessions.endLaunch(launch as never, 'the authorization code was used twice')
      throw new Refusal('code_spent', 'second use: the grant was ended')
    }
  },
}
