/** What introspection answers of a token that is good. @see RFC 7662 §2.2; SMART App Launch 2.2, "Token Introspection" */
import type { Grant } from './grant.js'
import { type AccessClaims, besideToken, tokenTypeOf } from './token.js'
import { seconds } from './values.js'

/** Exactly this of every other: unknown, over, or none of the asker's business. @see RFC 7662 §2.2 */
export const INACTIVE = { active: false } as const

/** All that stood beside the access token when it was given, and who the id_token names if there was one. */
const contextOf = (grant: Grant, scopes: readonly string[]) => ({
  ...besideToken(grant),
  launch: grant.launch,
  ...(grant.fhirUser !== undefined && scopes.includes('openid') && scopes.includes('fhirUser')
    ? { fhirUser: grant.fhirUser }
    : {}),
})

/** `iss` and `sub` are those of the id_token as well. @param grant none for a service's own token */
export function introspectedAccess(claims: AccessClaims, grant: Grant | undefined) {
  const { iss, sub, aud, client_id, scope, exp, iat, jti, cnf, act } = claims
  return {
    active: true as const,
    ...{ scope, client_id, token_type: tokenTypeOf(cnf), exp, iat, iss, sub, aud, jti },
    ...(cnf === undefined ? {} : { cnf }),
    ...(act === undefined ? {} : { act }),
    ...(grant === undefined ? {} : contextOf(grant, scope.split(' '))),
    // RFC 9396 §9.2. They stood beside the app's own token, and say where that is good.
    ...(grant?.details === undefined || act ? {} : { authorization_details: grant.details }),
  }
}

/** A refresh token has no times of its own: it is good as long as its grant. */
export function introspectedRefresh(grant: Grant, issuer: string) {
  return {
    active: true as const,
    ...{ scope: grant.scopes.join(' '), client_id: grant.client, iss: issuer, sub: grant.subject },
    ...{ exp: seconds(grant.until), iat: seconds(grant.since) },
    ...(grant.cnf === undefined ? {} : { cnf: grant.cnf }),
    ...contextOf(grant, grant.scopes),
  }
}
