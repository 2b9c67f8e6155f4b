import type { Request, RequestHandler } from 'express'
import { isService, type UserToken } from '../access/access-token.js'
import type { Callers } from '../access/bearer.js'
import { has } from '../core/authorization.js'
import { Refusal } from '../core/refusal.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { grantFacts } from './grants/issue.js'
import type { OAuthParts } from './parts.js'

export const USERINFO_ALGORITHMS = ['RS256', 'ES256'] as const

/** RFC 6750 §2.2: in the form of a POST, for those who cannot set the header. Never in the address. */
const sentInForm = (req: Request): string | undefined =>
  req.method === 'POST' && typeof req.body === 'string'
    ? parameters(req).get('access_token')
    : undefined

/** What the token's scopes give, and what the app asked for by name when the user signed on. @see OIDC Core §5.4, §5.5 */
function claimsOf({ grant, user, scopes, actor }: UserToken) {
  // What the app asked for is not its back end's as well.
  const asked = actor === undefined ? grant.claims.userinfo : []
  const named = has(scopes, 'profile') || asked.includes('name')
  return {
    sub: grant.subject,
    ...(named && user.name !== undefined ? { name: user.name } : {}),
    ...(has(scopes, 'fhirUser') && grant.fhirUser !== undefined
      ? { fhirUser: grant.fhirUser }
      : {}),
  }
}

/**
 * GET and POST /oauth/userinfo
 *
 * A token with `openid` is good here whatever bases its `aud` names: those are of the record, and that it may be asked
 * who the user is, is what the scope says.
 *
 * @throws Refusal scope_insufficient, parameter_invalid, and those of a token that is not good
 * @see OIDC Core §5.3; RFC 6750 §2
 */
export function userinfo(parts: OAuthParts, callers: Callers): RequestHandler {
  return async (req, res) => {
    const live = await callers(req, { sent: sentInForm(req) })
    learn(res, { app: live.client.id, token: live.token, launch: live.claims.launch })
    if (isService(live) || !has(live.scopes, 'openid'))
      throw new Refusal('scope_insufficient', 'openid')
    const said = claimsOf(live)
    await parts.trail.record({
      ...{ what: 'access_allowed', outcome: 'success', ...grantFacts(live.grant) },
      ...{ app: live.client.id, token: live.token, signOn: live.grant.signOn },
      detail: {
        ...{ interaction: 'userinfo', claims: Object.keys(said) },
        ...(live.stale ? { stale: true } : {}),
      },
    })
    const { id, userinfoAlgorithm: algorithm } = live.client
    if (algorithm === undefined) return void res.json(said)
    // §5.3.2: "MUST be signed … SHOULD contain iss and aud".
    const claims = { ...said, iss: parts.issuer, aud: id }
    res.set('Content-Type', 'application/jwt').end(await parts.keys.sign(algorithm, 'JWT', claims))
  }
}
