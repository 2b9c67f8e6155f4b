import type { RequestHandler } from 'express'
import { bindingOf } from '../access/binding.js'
import { type ClientAuthentication, needsNonce } from '../access/client.js'
import type { Happening } from '../core/audit.js'
import { TOKEN_EXCHANGE } from '../core/client.js'
import { parameterFault, Refusal } from '../core/refusal.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { clientCredentials } from './grants/client-credentials.js'
import { codeGrant } from './grants/code.js'
import { exchangeGrant } from './grants/exchange.js'
import type { GrantType } from './grants/issue.js'
import { refreshGrant } from './grants/refresh.js'
import type { OAuthParts } from './parts.js'

/** Every grant type that is offered; discovery is derived from it. */
export const GRANT_TYPES: Readonly<Record<string, GrantType>> = {
  authorization_code: codeGrant,
  refresh_token: refreshGrant,
  client_credentials: clientCredentials,
  [TOKEN_EXCHANGE]: exchangeGrant,
}

/**
 * POST /oauth/token
 *
 * @throws Refusal grant_type_unsupported, client_unproven, assertion_replayed, dpop_* and what the grant type refuses
 * @see RFC 6749 §3.2; SMART App Launch 2.2, "Obtain access token"
 */
export function token(parts: OAuthParts, authenticate: ClientAuthentication): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const grantType = GRANT_TYPES[sent.get('grant_type') ?? '']
    if (!grantType || !Object.hasOwn(GRANT_TYPES, sent.get('grant_type') ?? '')) {
      if (!sent.has('grant_type')) throw parameterFault('parameter_missing', 'grant_type')
      throw new Refusal('grant_type_unsupported', 'grant_type')
    }
    // §3.2.1 A refreshing public client may leave out its id: the token says whose it is.
    const named = grantType.nameClient ? await grantType.nameClient(sent, parts) : sent
    // RFC 9449 §5 Before the client is: a proof that must be made anew has then spent no assertion.
    const requireNonce = await needsNonce(parts.registry, req, named)
    const proof = await parts.dpop.prove(req, { requireNonce })
    const client = await authenticate(req, named)
    learn(res, { app: client.id })
    if (!client.grantTypes.some((type) => type === sent.get('grant_type')))
      throw new Refusal('grant_type_unregistered', client.id)
    const call = {
      ...{ req, client, sent, cnf: bindingOf(parts.certificateOf, req, client, proof) },
      learn: (about: Partial<Happening>) => learn(res, about),
    }
    res.json(await grantType.redeem(parts, call))
  }
}
