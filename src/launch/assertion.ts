/** How a launch system's own server proves itself: private_key_jwt with our issuer as its only audience. */
import { z } from 'zod'
import type { SystemRung } from '../core/context.js'
import { sha256 } from '../core/ids.js'
import { CLAIM_MARGIN } from '../core/launch-claims.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import { type Seconds, seconds } from '../core/values.js'
import { parameter } from '../http/parameters.js'
import { peek } from '../keys/trusted.js'
import type { Claim } from '../store/store.js'
import type { LaunchParts } from './parts.js'

/** Longest life of an assertion: five minutes (RFC 7523 §3 leaves it to us). */
const ASSERTION_LIFETIME: Seconds = 300

export const assertionParameters = {
  client_assertion_type: z.literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  client_assertion: parameter(8192),
}

const assertionClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number().int(),
  iat: z.number().int().optional(),
  jti: z.string().min(8).max(200),
})

/** The system that an assertion claims to come from. */
async function named({ registry }: LaunchParts, issuer: unknown, rung: SystemRung | undefined) {
  const short = typeof issuer === 'string' && issuer.length <= 200
  const system = short ? await registry.systemOf(issuer) : undefined
  if (!system?.keys || (rung !== undefined && system.rung !== rung))
    throw new Refusal('client_unproven', 'unknown system, or without keys')
  return { ...system, keys: system.keys }
}

/**
 * Who calls, and what the caller spends with what comes of it.
 *
 * @param rung where only systems of this rung may call
 * @throws Refusal client_unproven
 * @see RFC 7523 §3; draft-ietf-oauth-rfc7523bis (audience is the issuer)
 */
export async function assertingSystem(
  parts: LaunchParts,
  assertion: string,
  rung?: SystemRung,
): Promise<{ readonly system: LaunchSystem; readonly claim: Claim }> {
  const system = await named(parts, peek(assertion, 'client_unproven').iss, rung)
  const claims = assertionClaims.safeParse(
    await parts.trusted.verify(assertion, system.keys, {
      algorithms: system.algorithms,
      types: ['jwt', 'client-authentication+jwt', undefined],
      code: 'client_unproven',
    }),
  )
  if (!claims.success) throw new Refusal('client_unproven', 'claims')
  const { iss, sub, aud, exp, iat, jti } = claims.data
  const now = seconds(parts.clock())
  if (sub !== iss || aud !== parts.issuer) throw new Refusal('client_unproven', 'sub or aud')
  if (exp + parts.skew <= now || exp > now + ASSERTION_LIFETIME + parts.skew) {
    throw new Refusal('client_unproven', 'exp')
  }
  if (iat !== undefined && iat > now + parts.skew) throw new Refusal('client_unproven', 'iat')
  const until = (exp + parts.skew) * 1000 + CLAIM_MARGIN
  return { system, claim: { what: `assertion/${system.id}/${sha256(jti)}`, until } }
}
