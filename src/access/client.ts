/** Which app calls the token endpoint, and how it proves it. */
import { z } from 'zod'
import type { Client } from '../core/client.js'
import { sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type Clock, type Seconds, seconds } from '../core/values.js'
import { peek, type TrustedKeys } from '../keys/trusted.js'
import type { Store } from '../store/store.js'
import type { Registry } from './registry.js'

interface Parts {
  readonly store: Pick<Store, 'commit'>
  readonly registry: Registry
  readonly trusted: TrustedKeys
  readonly clock: Clock
  /** What an assertion's `aud` may name: the token endpoint or the issuer. */
  readonly audiences: readonly string[]
  readonly skew: Seconds
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** SMART: `exp` at most five minutes ahead. */
const ASSERTION_LIFETIME: Seconds = 300

const assertionClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.tuple([z.string()]).transform(([only]) => only)]),
  exp: z.number().int(),
  jti: z.string().min(1).max(200),
})

export type ClientAuthentication = (sent: ReadonlyMap<string, string>) => Promise<Client>

/**
 * An assertion is spent by being shown, whatever comes of the request: were it spent with the code, one
 * that was used before would look like a second use of the code and end its grant.
 *
 * @throws Refusal client_unproven, assertion_replayed
 * @see RFC 6749 §3.2.1; SMART App Launch 2.2, "Client Authentication: Asymmetric"; RFC 7523 §3
 */
export function createClientAuthentication(parts: Parts): ClientAuthentication {
  return async (sent) => {
    const assertion = sent.get('client_assertion')
    if (assertion === undefined) {
      const client = await parts.registry.client(sent.get('client_id') ?? '')
      if (client?.type !== 'public') throw new Refusal('client_unproven', 'no proof, or unknown')
      return client
    }
    if (sent.get('client_assertion_type') !== ASSERTION_TYPE || assertion.length > 8192) {
      throw new Refusal('client_unproven', 'client_assertion_type')
    }
    const claimed = peek(assertion, 'client_unproven')
    const client = await parts.registry.client(String(claimed.iss))
    if (client?.type !== 'key' || !client.keys) throw new Refusal('client_unproven', 'no keys')
    const verified = assertionClaims.safeParse(
      await parts.trusted.verify(assertion, client.keys, {
        algorithms: client.assertionAlgorithms,
        types: ['jwt', 'client-authentication+jwt', undefined],
        code: 'client_unproven',
      }),
    )
    if (!verified.success) throw new Refusal('client_unproven', 'claims')
    const { iss, sub, aud, exp, jti } = verified.data
    const now = seconds(parts.clock())
    const named = sent.get('client_id') ?? client.id
    if (iss !== sub || named !== client.id)
      throw new Refusal('client_unproven', 'iss, sub, client_id')
    if (!parts.audiences.includes(aud)) throw new Refusal('client_unproven', 'aud')
    if (exp + parts.skew <= now || exp > now + ASSERTION_LIFETIME + parts.skew) {
      throw new Refusal('client_unproven', 'exp')
    }
    const claim = {
      what: `assertion/${client.id}/${sha256(jti)}`,
      until: (exp + parts.skew) * 1000,
    }
    if (!(await parts.store.commit({ claims: [claim] })))
      throw new Refusal('assertion_replayed', 'jti')
    return client
  }
}
