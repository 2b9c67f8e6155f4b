/** What every grant type shares: its shape, and the tokens that a grant gives. */
import type { Request } from 'express'
import type { Happening } from '../../core/audit.js'
import type { Client } from '../../core/client.js'
import { profileOf } from '../../core/client-profile.js'
import { type Confirmation, type Grant, partiesOf } from '../../core/grant.js'
import {
  familyOf,
  hashOf,
  newId,
  newRefreshToken,
  refreshTokenAfter,
  type TokenId,
} from '../../core/ids.js'
import { Refusal } from '../../core/refusal.js'
import { accessClaims, idClaims, tokenAnswer } from '../../core/token.js'
import type { Seconds } from '../../core/values.js'
import type { Behind } from '../../session/sessions.js'
import type { Claim } from '../../store/store.js'
import type { OAuthParts } from '../parts.js'

export type Learn = (about: Partial<Happening>) => void

/** One call of the token endpoint, its app proven. */
export interface TokenCall {
  readonly req: Request
  readonly client: Client
  readonly sent: ReadonlyMap<string, string>
  readonly learn: Learn
  /** The key or certificate that the call was made with: what the tokens are bound to. */
  readonly cnf: Confirmation | undefined
}

/** The grant with its tokens bound to what was proven. @see RFC 9449 §5; RFC 8705 §3 */
export const boundTo = (grant: Grant, cnf: Confirmation | undefined): Grant =>
  cnf === undefined ? grant : { ...grant, cnf }

export interface GrantType {
  /** The parameters with the client named, where the grant type's own value names it. */
  nameClient?(
    sent: ReadonlyMap<string, string>,
    parts: OAuthParts,
  ): Promise<ReadonlyMap<string, string>>
  /** The token endpoint's answer. @throws Refusal of the grant type's rows */
  redeem(parts: OAuthParts, call: TokenCall): Promise<object>
}

export const grantFacts = (grant: Grant) => ({
  launch: grant.launch,
  grant: grant.id,
  app: grant.client,
  ...partiesOf(grant),
})

/** How a grant comes to give tokens. */
interface Issue {
  /** What is spent by it. */
  readonly once?: Claim
  readonly by: string
  readonly client: Client
  readonly behind: Behind
  /** The tokens' scopes: the grant's own, or fewer of them this time. */
  readonly scopes: readonly string[]
  /** The refresh token that was shown. `late`: it was replaced already, and its answer may have been lost. */
  readonly shown?: { readonly token: string; readonly late: boolean }
}

/**
 * The next refresh token, and how the grant keeps it. It follows from the one that was shown under a key of ours, so
 * that whoever asks twice with one token gets one successor. A profile that does not rotate gives the same again.
 */
function nextRefresh(parts: OAuthParts, grant: Grant, { client, shown }: Issue) {
  if (!grant.offline && !grant.scopes.includes('online_access')) return undefined
  const { refresh: before } = grant
  if (!shown || !before) {
    const token = newRefreshToken(grant.launch, parts.random)
    return {
      token,
      kept: { hash: hashOf(token), family: hashOf(familyOf(token)), generation: 1 },
    }
  }
  if (!profileOf(client).rotates) return { token: shown.token, kept: before }
  const token = refreshTokenAfter(shown.token, parts.keys.mac(`refresh ${shown.token}`))
  if (shown.late) {
    // Another encryption key since then: this node cannot say again what it said.
    if (hashOf(token) !== before.hash) throw new Refusal('refresh_under_way', 'under another key')
    return { token, kept: before }
  }
  return {
    token,
    kept: {
      ...{ hash: hashOf(token), family: before.family, generation: before.generation + 1 },
      previous: { hash: hashOf(shown.token), at: parts.clock() },
    },
  }
}

/** Of a client's access tokens: the gateway's own, or shorter. */
export const lifetimeOf = (
  { lifetimes: { access_token: most } }: OAuthParts,
  { accessTokenLifetime = most }: Client,
): Seconds => Math.min(most, accessTokenLifetime)

/** Of this grant's: none says that it outlives the emergency that it was given in. */
const lifetimeIn = (parts: OAuthParts, { emergency }: Grant, client: Client): Seconds => {
  const lifetime = lifetimeOf(parts, client)
  const left = emergency && Math.floor((emergency.until - parts.clock()) / 1000)
  return Math.max(1, Math.min(lifetime, left ?? lifetime))
}

/** @param grant with the scopes that the tokens are to have */
async function sign(parts: OAuthParts, grant: Grant, id: TokenId, { client, behind }: Issue) {
  const now = parts.clock()
  const lifetime = lifetimeIn(parts, grant, client)
  const { issuer } = parts
  const access = await parts.keys.sign(
    'ES256',
    'at+jwt',
    accessClaims(grant, issuer, id, now, lifetime),
  )
  const idToken = grant.scopes.includes('openid')
    ? await parts.keys.sign(
        client.idTokenAlgorithm,
        'JWT',
        idClaims(grant, issuer, now, lifetime, access, behind.user.name),
      )
    : undefined
  return { access, lifetime, ...(idToken === undefined ? {} : { id: idToken }) }
}

/**
 * Signs the tokens of a grant, then makes entry and grant durable; only then does the answer leave.
 *
 * @returns the answer, or `undefined` when `once` was spent before
 */
export async function issue(
  parts: OAuthParts,
  grant: Grant,
  how: Issue,
): Promise<object | undefined> {
  const { once, by, behind, scopes } = how
  const id = newId('tok', parts.random)
  const refresh = nextRefresh(parts, grant, how)
  const given: Grant = { ...grant, scopes }
  const { lifetime, ...signed } = await sign(parts, given, id, how)
  const kept: Grant = {
    ...grant,
    tokens: [...grant.tokens, id].slice(-20),
    ...(refresh === undefined ? {} : { refresh: refresh.kept }),
  }
  const issued: Happening = {
    what: 'token_issued',
    outcome: 'success',
    ...grantFacts(grant),
    token: id,
    signOn: grant.signOn,
    policy: { version: grant.policyVersion },
    detail: { by, lifetime, scopes },
  }
  const won = await parts.trail.commit({
    claims: once ? [once] : [],
    record: [issued],
    // Who comes late changes nothing: the grant as they read it may be the one before by now.
    puts: how.shown?.late
      ? []
      : [{ kind: 'grant', id: grant.launch, value: kept, until: grant.until }],
  })
  if (!won) return undefined
  const tokens = { ...signed, ...(refresh === undefined ? {} : { refresh: refresh.token }) }
  return tokenAnswer(given, behind.signOn, tokens, lifetime, parts.lifetimes.session_idle)
}
