import type { RequestHandler } from 'express'
import { isService, type LiveToken } from '../access/access-token.js'
import type { ClientAuthentication } from '../access/client.js'
import type { Happening } from '../core/audit.js'
import type { Client } from '../core/client.js'
import { Refusal } from '../core/refusal.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { grantFacts } from './grants/issue.js'
import type { OAuthParts } from './parts.js'
import { type Presented, presentedToken } from './presented.js'

const factsOf = (live: LiveToken): Partial<Happening> => ({
  ...(isService(live)
    ? { launch: live.service.launch, grant: live.service.id }
    : grantFacts(live.grant)),
  token: live.token,
})

/** Whose the token is, and what is known of it. */
function ownerOf(token: Exclude<Presented, { kind: 'none' }>) {
  if (token.kind === 'refresh') {
    const { grant } = token.held
    return { owner: grant.client, facts: grantFacts(grant) }
  }
  return { owner: token.live.client.id, facts: factsOf(token.live) }
}

/**
 * Ends what a token of the client's own stands for, and records it after.
 *
 * A launch has one grant, so either of its tokens ends all of it (§2.1 lets an access token's revocation do so). A
 * token that a back end exchanged for ends alone: the launch is the app's and its user's.
 */
async function end(
  { sessions }: OAuthParts,
  client: Client,
  token: Exclude<Presented, { kind: 'none' }>,
): Promise<void> {
  const why = `revoked by ${client.id}`
  if (token.kind === 'refresh') return sessions.endLaunch(token.held.grant.launch, why)
  const { live } = token
  if (!isService(live) && live.actor !== undefined) return sessions.endToken(live.token)
  return sessions.endLaunch(live.claims.launch, why)
}

/**
 * POST /oauth/revoke
 *
 * §2.2: "invalid tokens do not cause an error response", and neither does somebody else's, so that nothing is learned.
 *
 * @throws Refusal parameter_missing, client_unproven, assertion_replayed
 * @see RFC 7009
 */
export function revoke(parts: OAuthParts, authenticate: ClientAuthentication): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const client = await authenticate(req, sent)
    learn(res, { app: client.id })
    const text = sent.get('token')
    if (text === undefined) throw new Refusal('parameter_missing', 'token')
    const token = await presentedToken(parts, text)
    // What is not good already needs no end; a made-up one makes no entry.
    if (token.kind !== 'none') {
      const { owner, facts } = ownerOf(token)
      const own = owner === client.id
      if (own) await end(parts, client, token)
      await parts.trail.record({
        ...{ what: 'token_revoked', outcome: own ? 'success' : 'refused', ...facts },
        app: client.id,
        detail: { token: token.kind, ...(own ? {} : { why: `it is ${owner}’s` }) },
      })
    }
    res.status(200).end()
  }
}
