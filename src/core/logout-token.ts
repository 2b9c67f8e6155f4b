/** A logout token's claims, after its signature, issuer and audience have been checked. */
import { z } from 'zod'
import { Refusal } from './refusal.js'
import type { EpochSeconds, Seconds } from './values.js'

export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** A token older than this is refused, whatever its `exp` says: a replay must be remembered no longer. */
export const LOGOUT_TOKEN_LIFETIME: Seconds = 300

const logoutClaims = z.object({
  iss: z.string().min(1).max(500),
  iat: z.number().int().positive(),
  jti: z.string().min(1).max(200),
  sub: z.string().min(1).max(255).optional(),
  sid: z.string().min(1).max(200).optional(),
  events: z.record(z.string(), z.unknown()),
})

/** The provider's word that somebody signed out: by whom (`subject`), of which of its sessions, or both. */
export interface LogoutNotice {
  readonly issuer: string
  readonly subject?: string
  readonly providerSession?: string
  /** For the caller to spend, once, for {@link LOGOUT_TOKEN_LIFETIME}. */
  readonly jti: string
  readonly iat: EpochSeconds
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * @throws Refusal logout_token_invalid
 * @see OpenID Connect Back-Channel Logout 1.0 §2.4 (claims), §2.6 (validation, steps 4 to 7)
 */
export function readLogout(claims: unknown, now: EpochSeconds, skew: Seconds): LogoutNotice {
  const result = logoutClaims.safeParse(claims)
  if (!result.success) {
    const where = result.error.issues.map((issue) => issue.path.join('.')).join(', ')
    throw new Refusal('logout_token_invalid', where)
  }
  const { iss, iat, jti, sub, sid, events } = result.data
  const must = (fine: boolean, detail: string): void => {
    if (!fine) throw new Refusal('logout_token_invalid', detail)
  }
  must(iat <= now + skew, 'iat lies in the future')
  must(iat >= now - LOGOUT_TOKEN_LIFETIME - skew, 'iat is too old')
  // Its absence is what tells a logout token from an id_token.
  must(!Object.hasOwn(claims as object, 'nonce'), 'nonce is present')
  must(isObject(events[LOGOUT_EVENT]), 'events does not name back-channel logout')
  must(sub !== undefined || sid !== undefined, 'neither sub nor sid')
  return {
    issuer: iss,
    ...(sub === undefined ? {} : { subject: sub }),
    ...(sid === undefined ? {} : { providerSession: sid }),
    jti,
    iat,
  }
}
