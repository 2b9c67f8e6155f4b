/** Who calls with an access token, and whether what it stands for still stands. */
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { JWTPayload } from 'jose'
import type { Access } from '../core/access.js'
import type { KnowUser } from '../core/context.js'
import { grantUnder } from '../core/grant.js'
import type { LaunchId, TokenId } from '../core/ids.js'
import { endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { readScopes } from '../core/scope.js'
import type { Clock } from '../core/values.js'
import type { Keys } from '../keys/signing.js'
import type { Sessions } from '../session/sessions.js'
import type { Store } from '../store/store.js'

interface Parts {
  readonly store: Store
  readonly keys: Keys
  readonly sessions: Sessions
  readonly clock: Clock
  readonly policies: { mayRead(): boolean; version(): number }
  readonly knowUser: KnowUser
}

/** Proves the token of a call. `base`: the audience that the token must be good for. */
export type Bearer = (req: Request, base: string) => Promise<Access>

const REMEMBERED = 5_000
/** A token of ours is near 2 kB with every section's scope; a header past this is not one. */
const LONGEST = 8_192

/**
 * Signatures that were right once stay right, until our keys change: one of them may not be trusted any more. A
 * token's claims are remembered until then.
 */
function rememberProofs(keys: Keys, clock: Clock) {
  const proven = new Map<string, JWTPayload>()
  let revision = keys.revision
  return async (token: string): Promise<JWTPayload> => {
    const began = keys.revision
    if (began !== revision) proven.clear()
    revision = began
    const key = createHash('sha256').update(token).digest('base64')
    const known = proven.get(key)
    if (known) return known
    const claims = await keys.verify(token, 'at+jwt', clock()).catch((cause: unknown) => {
      const expired = (cause as { code?: string }).code === 'ERR_JWT_EXPIRED'
      throw new Refusal(expired ? 'token_expired' : 'token_invalid', 'signature or claims', {
        cause,
      })
    })
    // Proven under keys that have changed meanwhile: good for this call, and proven anew at the next.
    if (keys.revision !== began) return claims
    if (proven.size >= REMEMBERED) proven.delete(proven.keys().next().value ?? '')
    proven.set(key, claims)
    return claims
  }
}

function tokenOf(req: Request): string {
  const header = req.get('authorization')
  if (header === undefined) throw new Refusal('token_missing', 'no Authorization header')
  const [scheme, token, ...more] = header.split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || !token || more.length > 0 || token.length > LONGEST) {
    throw new Refusal('token_invalid', 'not a bearer token')
  }
  return token
}

/**
 * A call is let in when its token's signature, time and audience are right and its grant, sign-on,
 * user, provider session and app have not been ended: asked of the store at each call, so that an end
 * holds at the next request on every node.
 *
 * @throws Refusal token_missing, token_invalid, token_expired, token_ended, token_other_audience,
 *   policy_stale
 * @see RFC 6750; RFC 9068 §4
 */
export function createBearer(parts: Parts): Bearer {
  const { store, keys, sessions, clock, policies } = parts
  const prove = rememberProofs(keys, clock)
  return async (req, base) => {
    if (!policies.mayRead()) throw new Refusal('policy_stale', 'the policy version is not known')
    const claims = await prove(tokenOf(req))
    const now = clock()
    if (typeof claims.exp !== 'number' || claims.exp * 1000 <= now)
      throw new Refusal('token_expired', 'exp')
    const audience = [claims.aud ?? []].flat()
    if (!audience.includes(base)) throw new Refusal('token_other_audience', 'aud')

    const launch = String(claims.launch) as LaunchId
    const [grant, launchEnd, appEnd] = await store.getAll([
      { kind: 'grant', id: launch },
      { kind: 'ended', id: endOf('launch', launch) },
      { kind: 'ended', id: endOf('app', String(claims.client_id)) },
    ])
    const over = launchEnd !== undefined || (appEnd && grant && appEnd.at >= grant.since)
    if (!grant || over || grant.until <= now) throw new Refusal('token_ended', 'the grant is over')
    const signOn = await sessions.get(grant.signOn)
    if (!signOn) throw new Refusal('token_ended', 'the session is over')
    await sessions.touch(signOn)
    return {
      token: String(claims.jti) as TokenId,
      grant: grantUnder(grant, policies.version(), signOn.user, parts.knowUser),
      user: signOn.user,
      scopes: readScopes(String(claims.scope)),
      audience,
    }
  }
}
