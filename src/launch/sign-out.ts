import type { RequestHandler } from 'express'
import { Refusal } from '../core/refusal.js'
import { parameters } from '../http/parameters.js'
import type { LaunchParts } from './parts.js'

/**
 * POST /sign-in/backchannel-logout: the provider tells us that its session is over, for example because
 * the smartcard was removed. Everything that hangs on it ends first; then it is recorded.
 *
 * @throws Refusal logout_token_invalid
 * @see OIDC Back-Channel Logout 1.0 §2.5 to §2.8
 */
export function backchannelLogout(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const token = parameters(req).get('logout_token')
    if (token === undefined) throw new Refusal('logout_token_invalid', 'missing')
    const notice = await parts.provider.readLogoutToken(token)
    await parts.sessions.endAtProvider(notice)
    res.set('Cache-Control', 'no-store').status(200).end()
  }
}
