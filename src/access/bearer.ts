/** Who calls with an access token, and whether what it stands for still stands. */
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { JWTPayload } from 'jose'
import type { Access } from '../core/access.js'
import type { KnowUser } from '../core/context.js'
import { type Confirmation, grantUnder } from '../core/grant.js'
import type { LaunchId, TokenId } from '../core/ids.js'
import { endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { readScopes } from '../core/scope.js'
import type { Clock } from '../core/values.js'
import type { Keys } from '../keys/signing.js'
import type { Sessions } from '../session/sessions.js'
import type { Store } from '../store/store.js'
import type { CertificateOf } from './certificate.js'
import { requireBoundCertificate } from './confirmation.js'
import type { Dpop } from './dpop.js'
import type { Registry } from './registry.js'

interface Parts {
  readonly store: Store
  readonly registry: Registry
  readonly keys: Keys
  readonly sessions: Sessions
  readonly clock: Clock
  readonly policies: { mayRead(): boolean; mayIssue(): boolean; version(): number }
  readonly knowUser: KnowUser
  readonly dpop: Dpop
  /** Whether proofs of an app must carry a nonce of ours; none must, unless this says so. */
  readonly needsNonce?: (app: string) => Promise<boolean>
  readonly certificateOf: CertificateOf
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

interface Credential {
  /** In lower case: `bearer` or `dpop`. */
  readonly scheme: string
  readonly token: string
}

function credentialOf({ headersDistinct }: Request): Credential {
  const [header, ...others] = headersDistinct.authorization ?? []
  if (header === undefined) throw new Refusal('token_missing', 'no Authorization header')
  const [sent = '', token, ...more] = header.split(' ')
  const scheme = sent.toLowerCase()
  if (others.length > 0) throw new Refusal('token_invalid', 'more than one Authorization header')
  if (!['bearer', 'dpop'].includes(scheme) || !token || more.length > 0 || token.length > LONGEST) {
    throw new Refusal('token_invalid', 'not an access token')
  }
  return { scheme, token }
}

/**
 * A token that is bound to a key is good only beside a proof of that key, and one that is not bound is no
 * DPoP token: neither passes for the other.
 *
 * @throws Refusal token_invalid, token_other_key, token_other_certificate, dpop_invalid, dpop_replayed, dpop_nonce_required
 * @see RFC 9449 §7.1, §7.2
 */
async function requireHolder(
  { dpop, needsNonce, certificateOf }: Parts,
  req: Request,
  { scheme, token }: Credential,
  claims: JWTPayload,
): Promise<void> {
  const { cnf } = claims as { readonly cnf?: Confirmation }
  if (cnf !== undefined && cnf.jkt === undefined && cnf['x5t#S256'] === undefined)
    throw new Refusal('token_invalid', 'bound to what is not known here')
  const bound = cnf?.jkt !== undefined
  if (scheme !== (bound ? 'dpop' : 'bearer'))
    throw new Refusal('token_invalid', bound ? 'without a proof' : 'not bound to a key')
  requireBoundCertificate(cnf, req, certificateOf)
  if (!bound) return
  const requireNonce = (await needsNonce?.(String(claims.client_id))) ?? false
  const proof = await dpop.prove(req, { accessToken: token, required: true, requireNonce })
  if (proof?.jkt !== cnf.jkt) throw new Refusal('token_other_key', 'cnf.jkt')
}

/**
 * A call is let in when its token's signature, time and audience are right and its grant, sign-on,
 * user, provider session and app have not been ended: asked of the store at each call, so that an end
 * holds at the next request on every node.
 *
 * @throws Refusal token_missing, token_invalid, token_expired, token_ended, token_other_audience,
 *   token_other_key, token_other_certificate, dpop_*, policy_stale
 * @see RFC 6750; RFC 9068 §4; RFC 9449 §7; RFC 8705 §3
 */
export function createBearer(parts: Parts): Bearer {
  const { store, registry, keys, sessions, clock, policies } = parts
  const prove = rememberProofs(keys, clock)
  return async (req, base) => {
    if (!policies.mayRead()) throw new Refusal('policy_stale', 'the policy version is not known')
    const credential = credentialOf(req)
    const claims = await prove(credential.token)
    const now = clock()
    if (typeof claims.exp !== 'number' || claims.exp * 1000 <= now)
      throw new Refusal('token_expired', 'exp')
    const audience = [claims.aud ?? []].flat()
    if (!audience.includes(base)) throw new Refusal('token_other_audience', 'aud')
    // Before anything of the session moves on: a thief's call keeps nobody signed on.
    await requireHolder(parts, req, credential, claims)

    const launch = String(claims.launch) as LaunchId
    const [grant, launchEnd, appEnd] = await store.getAll([
      { kind: 'grant', id: launch },
      { kind: 'ended', id: endOf('launch', launch) },
      { kind: 'ended', id: endOf('app', String(claims.client_id)) },
    ])
    const over = launchEnd !== undefined || (appEnd && grant && appEnd.at >= grant.since)
    if (!grant || over || grant.until <= now) throw new Refusal('token_ended', 'the grant is over')
    const system = await registry.system(grant.circumstances.launch.system)
    if (!system || !(await registry.client(grant.client)))
      throw new Refusal('token_ended', 'its system or app is not registered any more')
    const behind = await sessions.behind(grant)
    if (!behind) throw new Refusal('token_ended', 'the session is over')
    if (behind.signOn) await sessions.touch(behind.signOn)
    const { user } = behind
    return {
      token: String(claims.jti) as TokenId,
      grant: grantUnder(grant, policies.version(), user, parts.knowUser),
      user,
      scopes: readScopes(String(claims.scope)),
      audience,
      stale: !policies.mayIssue(),
    }
  }
}
