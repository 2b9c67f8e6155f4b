/** What every grant type shares: its shape, and the tokens that a grant gives. */
import type { ProvenKey } from '../../access/dpop.js'
import type { Happening } from '../../core/audit.js'
import type { Client } from '../../core/client.js'
import type { Grant } from '../../core/grant.js'
import { familyOf, hashOf, newId, newRefreshToken } from '../../core/ids.js'
import type { SignOn } from '../../core/session.js'
import { accessClaims, idClaims, tokenAnswer } from '../../core/token.js'
import type { Claim } from '../../store/store.js'
import type { OAuthParts } from '../parts.js'

export type Learn = (about: Partial<Happening>) => void

export interface GrantType {
  /** The parameters with the client named, where the grant type's own value names it. */
  nameClient(
    sent: ReadonlyMap<string, string>,
    parts: OAuthParts,
  ): Promise<ReadonlyMap<string, string>>
  /** The token endpoint's answer. @throws Refusal of the grant type's rows */
  redeem(
    parts: OAuthParts,
    client: Client,
    sent: ReadonlyMap<string, string>,
    learn: Learn,
    proof: ProvenKey | undefined,
  ): Promise<object>
}

export const grantFacts = (grant: Grant) => ({
  launch: grant.launch,
  grant: grant.id,
  app: grant.client,
  user: { id: grant.subject },
  patient: { fhirId: grant.context.patient },
})

/** The grant with its tokens bound to the key that was proven, if one was. @see RFC 9449 §5 */
export const boundTo = (grant: Grant, proof: ProvenKey | undefined): Grant =>
  proof === undefined ? grant : { ...grant, cnf: { ...grant.cnf, jkt: proof.jkt } }

const nextRefresh = (grant: Grant, refresh: string): NonNullable<Grant['refresh']> => ({
  hash: hashOf(refresh),
  family: hashOf(familyOf(refresh)),
  generation: (grant.refresh?.generation ?? 0) + 1,
})

/** How a grant comes to give tokens. */
interface Issue {
  /** What is spent by it. */
  readonly once: Claim
  readonly by: string
  /** The tokens' scopes: the grant's own, or fewer of them this time. */
  readonly scopes: readonly string[]
  /** What the refresh tokens of this grant share, once there was one. */
  readonly family?: string
}

/**
 * Signs the tokens of a grant, then makes entry and grant durable; only then does the answer leave.
 *
 * @returns the answer, or `undefined` when `once` was spent before
 */
export async function issue(
  parts: OAuthParts,
  grant: Grant,
  signOn: SignOn,
  idTokenAlgorithm: 'RS256' | 'ES256',
  { once, by, scopes, family }: Issue,
): Promise<object | undefined> {
  const now = parts.clock()
  const { access_token: lifetime, session_idle } = parts.lifetimes
  const id = newId('tok', parts.random)
  const online = grant.scopes.includes('online_access')
  const refresh = online ? newRefreshToken(grant.launch, family, parts.random) : undefined
  const given: Grant = { ...grant, scopes }
  const [access, idToken] = await Promise.all([
    parts.keys.sign('ES256', 'at+jwt', accessClaims(given, parts.issuer, id, now, lifetime)),
    scopes.includes('openid')
      ? parts.keys.sign(idTokenAlgorithm, 'JWT', idClaims(given, parts.issuer, now, lifetime))
      : undefined,
  ])
  const kept: Grant = {
    ...grant,
    tokens: [...grant.tokens, id].slice(-20),
    ...(refresh === undefined ? {} : { refresh: nextRefresh(grant, refresh) }),
  }
  const issued: Happening = {
    what: 'token_issued',
    outcome: 'success',
    ...grantFacts(grant),
    token: id,
    signOn: signOn.id,
    policy: { version: grant.policyVersion },
    detail: { by, lifetime, scopes },
  }
  const won = await parts.trail.commit({
    claims: [once],
    record: [issued],
    puts: [{ kind: 'grant', id: grant.launch, value: kept, until: grant.until }],
  })
  if (!won) return undefined
  const tokens = {
    access,
    ...(idToken === undefined ? {} : { id: idToken }),
    ...(refresh === undefined ? {} : { refresh }),
  }
  return tokenAnswer(given, signOn, tokens, lifetime, session_idle)
}
