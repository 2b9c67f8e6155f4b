import type { Request, RequestHandler, Response } from 'express'
import { isService } from '../access/access-token.js'
import type { Callers } from '../access/bearer.js'
import type { ClientAuthentication } from '../access/client.js'
import type { Happening } from '../core/audit.js'
import { has } from '../core/authorization.js'
import { type Client, mayIntrospect } from '../core/client.js'
import { INACTIVE, introspectedAccess, introspectedRefresh } from '../core/introspection.js'
import { Refusal } from '../core/refusal.js'
import { INTROSPECT } from '../core/scope.js'
import { seconds } from '../core/values.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import type { OAuthParts } from './parts.js'
import { type Presented, presentedToken } from './presented.js'

/** How a signed answer is asked for, and what it is. @see RFC 9701 §4, §5 */
const SIGNED = 'application/token-introspection+jwt'
export const INTROSPECTION_ALGORITHMS = ['ES256'] as const

/** How apps prove themselves here, and what the endpoint takes instead: a service's token. */
export interface Proofs {
  readonly authenticate: ClientAuthentication
  readonly callers: Callers
}

/** @throws Refusal scope_insufficient, and those of a token that is not good */
async function serviceOf({ callers }: Proofs, req: Request): Promise<Client> {
  const live = await callers(req)
  if (!isService(live) || !has(live.scopes, INTROSPECT))
    throw new Refusal('scope_insufficient', INTROSPECT)
  return live.client
}

/**
 * Who asks: never somebody who only knows a name (RFC 7662 §2.1: "MUST also require some form of authorization").
 * @throws Refusal client_unproven, assertion_replayed, scope_insufficient, token_*, dpop_*
 */
async function askerOf(
  proofs: Proofs,
  req: Request,
  sent: ReadonlyMap<string, string>,
): Promise<Client> {
  if (/^(?:bearer|dpop) /i.test(req.get('authorization') ?? '')) {
    if (sent.has('client_assertion') || sent.has('client_secret'))
      throw new Refusal('client_unproven', 'more than one way of authentication')
    return serviceOf(proofs, req)
  }
  const client = await proofs.authenticate(req, sent)
  if (client.type === 'public') throw new Refusal('client_unproven', 'a public app proves nothing')
  return client
}

/** What this client may learn: of its own tokens, and of others' access tokens if it is registered to serve them. */
function learned(parts: OAuthParts, client: Client, token: Presented) {
  if (token.kind === 'access') {
    const { live } = token
    if (live.client.id !== client.id && !mayIntrospect(client)) return undefined
    return introspectedAccess(live.claims, isService(live) ? undefined : live.grant)
  }
  // A refresh token is nobody's business but its own client's: no resource is ever sent one.
  if (token.kind === 'none' || token.replaced) return undefined
  const { grant } = token.held
  return grant.client === client.id ? introspectedRefresh(grant, parts.issuer) : undefined
}

function entryOf(client: Client, token: Presented, told: boolean): Happening {
  const about =
    token.kind === 'access'
      ? { launch: token.live.claims.launch, token: token.live.token }
      : token.kind === 'refresh'
        ? { launch: token.held.grant.launch, grant: token.held.grant.id }
        : {}
  return {
    ...{ what: 'introspected', outcome: told ? 'success' : 'refused', app: client.id },
    ...about,
    detail: told ? {} : { why: token.kind === 'none' ? token.why : 'not this client’s to know' },
  }
}

async function answer(
  parts: OAuthParts,
  req: Request,
  res: Response,
  client: Client,
  said: object,
) {
  if (req.accepts(['application/json', SIGNED]) !== SIGNED) return void res.json(said)
  const claims = {
    ...{ iss: parts.issuer, aud: client.id, iat: seconds(parts.clock()) },
    token_introspection: said,
  }
  const jwt = await parts.keys.sign('ES256', 'token-introspection+jwt', claims)
  res.set('Content-Type', SIGNED).end(jwt)
}

/**
 * POST /oauth/introspect
 *
 * A token is judged as its use would be, at this moment. Whatever is wrong with it is answered alike.
 *
 * @throws Refusal parameter_missing, client_unproven, assertion_replayed, scope_insufficient, policy_stale,
 *   token_* and dpop_* of the asker's own token
 * @see RFC 7662; RFC 9701; SMART App Launch 2.2, "Token Introspection"
 */
export function introspect(parts: OAuthParts, proofs: Proofs): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const client = await askerOf(proofs, req, sent)
    learn(res, { app: client.id })
    const text = sent.get('token')
    if (text === undefined) throw new Refusal('parameter_missing', 'token')
    if (!parts.policies.mayRead())
      throw new Refusal('policy_stale', 'the policy version is not known')
    const token = await presentedToken(parts, text)
    const told = learned(parts, client, token)
    // It may say who the patient is: durable first.
    await parts.trail.record(entryOf(client, token, told !== undefined))
    await answer(parts, req, res, client, told ?? INACTIVE)
  }
}
