/** On to the OpenID provider, for a launch that waits for its user to sign on. */
import { newSecret, sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import type { PendingLaunch } from '../core/session.js'
import { after, seconds } from '../core/values.js'
import { ensureBrowser } from '../http/browser.js'
import { seeOther } from '../http/redirect.js'
import type { Exchange, LaunchParts } from './parts.js'

/**
 * Sends this window to the provider's sign-in page.
 *
 * @param framed the launch stands in a frame, and this is a window of its own
 * @throws Refusal sign_on_state_invalid, sign_on_unavailable, sign_on_failed
 * @see OIDC Core §3.1.2.1
 */
export async function depart(
  parts: LaunchParts,
  { req, res }: Exchange,
  { launch, waiting, ask }: PendingLaunch,
  framed: boolean,
): Promise<void> {
  if (waiting.for !== 'sign-on') throw new Refusal('sign_on_state_invalid', 'not awaited')
  const { assurance } = waiting
  const state = newSecret('sta', parts.random)
  const nonce = newSecret('non', parts.random)
  const verifier = `${newSecret('ver', parts.random)}${newSecret('ver', parts.random)}`
  const loginHint = ask?.demand.loginHint
  // Whoever the provider still remembers may have left this workstation: it asks anew, and the role with it.
  const address = await parts.provider.begin({
    ...{ assurance, framed, state, nonce, verifier, forceLogin: true },
    ...(loginHint === undefined ? {} : { loginHint }),
  })
  const { hash: browser } = ensureBrowser(req, res, parts.random)
  const since = seconds(parts.clock())
  const value = { launch: launch.id, nonce, verifier, browser, assurance, framed, since }
  const until = after(parts.clock(), parts.lifetimes.pending)
  await parts.store.commit({ puts: [{ kind: 'state', id: sha256(state), value, until }] })
  seeOther(res, address.href)
}
