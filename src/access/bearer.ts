/** Who calls with an access token, and whether what it stands for still stands. */
import type { Request } from 'express'
import type { Access } from '../core/access.js'
import { Refusal } from '../core/refusal.js'
import type { AccessClaims } from '../core/token.js'
import type { Clock } from '../core/values.js'
import type { Sessions } from '../session/sessions.js'
import { type AccessTokens, isService, type LiveToken, requireCurrent } from './access-token.js'
import type { CertificateOf } from './certificate.js'
import { requireBoundCertificate } from './confirmation.js'
import type { Dpop } from './dpop.js'
import type { Registry } from './registry.js'

interface Parts {
  readonly tokens: AccessTokens
  readonly sessions: Pick<Sessions, 'touch'>
  readonly policies: { version(): number; mayRead(): boolean; mayIssue(): boolean }
  readonly dpop: Dpop
  readonly registry: Pick<Registry, 'client'>
  readonly certificateOf: CertificateOf
}

/** A call that was let in. */
export interface LetIn {
  readonly access: Access
  /**
   * Asks again, while the call is answered, whether it would be let in now, and judged by the same rules.
   * @throws Refusal token_expired, token_ended, policy_stale, policy_changed; StoreFailure
   */
  still(): Promise<void>
}

/** Proves the token of a call. `base`: the audience that the token must be good for. */
export type Bearer = (req: Request, base: string) => Promise<LetIn>

/** A token of ours is near 2 kB with every section's scope; a header past this is not one. */
const LONGEST = 8_192

interface Credential {
  /** In lower case: `bearer` or `dpop`. */
  readonly scheme: string
  readonly token: string
}

/** Each value of a header as it was sent. Node's own list of such lists holds all headers, and is made for each request. */
function valuesOf({ rawHeaders }: Request, name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '')
  return values
}

/** @param sent RFC 6750 §2.2: the form's `access_token`, where the endpoint takes one; never a second one */
function credentialOf(req: Request, sent?: string): Credential {
  const given = valuesOf(req, 'authorization')
  const [header = sent && `bearer ${sent}`, ...others] = given
  if (header === undefined) throw new Refusal('token_missing', 'no Authorization header')
  if (sent !== undefined && given.length > 0)
    throw new Refusal('parameter_invalid', 'a token in the header and one in the form')
  const [word = '', token, ...more] = header.split(' ')
  const scheme = word.toLowerCase()
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
function requireHolder(
  { dpop, registry, certificateOf }: Parts,
  req: Request,
  { scheme, token }: Credential,
  claims: AccessClaims,
): Promise<void> | undefined {
  const { cnf } = claims
  if (cnf !== undefined && cnf.jkt === undefined && cnf['x5t#S256'] === undefined)
    throw new Refusal('token_invalid', 'bound to what is not known here')
  const bound = cnf?.jkt !== undefined
  if (scheme !== (bound ? 'dpop' : 'bearer'))
    throw new Refusal('token_invalid', bound ? 'without a proof' : 'not bound to a key')
  requireBoundCertificate(cnf, req, certificateOf)
  if (!bound) return undefined
  const proves = async () => {
    const { nonceRequired: requireNonce = false } =
      (await registry.client(String(claims.client_id))) ?? {}
    const proof = await dpop.prove(req, { accessToken: token, required: true, requireNonce })
    if (proof?.jkt !== cnf.jkt) throw new Refusal('token_other_key', 'cnf.jkt')
  }
  return proves()
}

/** @throws Refusal policy_stale */
function requireRules(policies: Parts['policies']): void {
  if (!policies.mayRead()) throw new Refusal('policy_stale', 'the policy version is not known')
}

/** Whom the call stands for, and what they may, was worked out under one version. @throws Refusal policy_changed */
function requireSame(policies: Parts['policies'], { grant }: Access): void {
  const [before, now] = [grant.policyVersion, policies.version()]
  if (now !== before) throw new Refusal('policy_changed', `from version ${before} to ${now}`)
}

const isFor = ({ aud }: AccessClaims, base: string): boolean =>
  Array.isArray(aud) ? aud.includes(base) : aud === base

/** Proves the token of a call, wherever it is good. `base`: what it must be good for; `sent`: one that the form held. */
export type Callers = (
  req: Request,
  demand?: { readonly base?: string; readonly sent?: string | undefined },
) => Promise<LiveToken>

/**
 * A call is let in when its token's signature, time and audience are right and its grant, sign-on,
 * user, provider session, app and launch system have not been ended: asked of the store at each call, so
 * that an end holds at the next request on every node.
 *
 * @throws Refusal token_missing, token_invalid, token_expired, token_ended, token_other_audience,
 *   token_other_key, token_other_certificate, dpop_*, policy_stale
 * @see RFC 6750; RFC 9068 §4; RFC 9449 §7; RFC 8705 §3
 */
export function createCallers(parts: Parts): Callers {
  const { tokens, sessions, policies } = parts
  return async (req, { base, sent } = {}) => {
    requireRules(policies)
    const credential = credentialOf(req, sent)
    const claims = await tokens.prove(credential.token)
    if (base !== undefined && !isFor(claims, base)) throw new Refusal('token_other_audience', 'aud')
    // Before anything of the session moves on: a thief's call keeps nobody signed on.
    await requireHolder(parts, req, credential, claims)
    const live = await tokens.stand(claims)
    // Nor does a back end's: the user need not be there when it calls.
    if (!isService(live) && live.behind.signOn && live.actor === undefined)
      await sessions.touch(live.behind.signOn)
    return policies.mayIssue() ? live : { ...live, stale: true }
  }
}

/** Callers of the record: each for one patient. @throws Refusal scope_insufficient for a service */
export const bearerOf =
  (
    callers: Callers,
    { tokens, policies, clock }: Pick<Parts, 'tokens' | 'policies'> & { readonly clock: Clock },
  ): Bearer =>
  async (req, base) => {
    const live = await callers(req, { base })
    // What the record would be asked for without a patient is not enforced anywhere yet.
    if (isService(live)) throw new Refusal('scope_insufficient', 'a service’s own token')
    return {
      access: live,
      async still() {
        requireRules(policies)
        requireSame(policies, live)
        requireCurrent(live.claims, clock())
        await tokens.stand(live.claims)
      },
    }
  }
