/** What a token is that somebody shows, to learn of it or to end it. */
import type { LiveToken, StandingGrant } from '../access/access-token.js'
import { launchOfSecret } from '../core/ids.js'
import { Refusal, type RefusalCode } from '../core/refusal.js'
import { standingOf } from './grants/refresh.js'
import type { OAuthParts } from './parts.js'

export type Presented =
  | { readonly kind: 'access'; readonly live: LiveToken }
  | { readonly kind: 'refresh'; readonly held: StandingGrant; readonly replaced: boolean }
  /** Unknown, malformed, over, or of another kind: who asks is not told which. */
  | { readonly kind: 'none'; readonly why: RefusalCode }

/** Of any token of ours: a longer text is none, and is not looked at. */
const LONGEST = 8_192

/** What says that a token is not good. Anything else, a store that fails above all, says nothing of the token. */
const NOT_GOOD: readonly RefusalCode[] = ['token_invalid', 'token_expired', 'token_ended']

async function refreshToken(
  { tokens, clock }: OAuthParts,
  token: string,
): Promise<Presented | undefined> {
  const launch = launchOfSecret('rft', token)
  if (launch === undefined) return undefined
  const held = await tokens.standingGrant(launch)
  const { refresh } = held.grant
  const standing = refresh && standingOf(token, refresh, clock())
  if (standing === undefined || standing === 'foreign')
    throw new Refusal('token_invalid', 'refresh')
  return { kind: 'refresh', held, replaced: standing === 'old' }
}

/**
 * Judged as its use would be, and not used by that. No hint is needed to tell the kinds apart (RFC 7662 §2.1,
 * RFC 7009 §2.1: a server may ignore it).
 */
export async function presentedToken(parts: OAuthParts, token: string): Promise<Presented> {
  if (token.length > LONGEST) return { kind: 'none', why: 'token_invalid' }
  try {
    const refresh = await refreshToken(parts, token)
    if (refresh) return refresh
    const live = await parts.tokens.stand(await parts.tokens.prove(token))
    return { kind: 'access', live }
  } catch (error) {
    if (!(error instanceof Refusal) || !NOT_GOOD.includes(error.code)) throw error
    return { kind: 'none', why: error.code }
  }
}
