/** On to the OpenID provider, to sign on. */
import { type LaunchId, newSecret, sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import type { Assurance } from '../core/roles.js'
import type { PendingLaunch, Waiting } from '../core/session.js'
import { after, seconds } from '../core/values.js'
import { ensureBrowser } from '../http/browser.js'
import { seeOther } from '../http/redirect.js'
import type { Exchange, LaunchParts } from './parts.js'

/** What is asked of the provider, and what its answer leads to. */
interface Departure {
  readonly assurance: Assurance
  /** The launch stands in a frame, and this is a window of its own. */
  readonly framed: boolean
  /** Absent where somebody only wants to see what is open in their name. */
  readonly launch?: LaunchId
  readonly loginHint?: string
}

/**
 * Sends this window to the provider's sign-in page.
 *
 * @throws Refusal sign_on_unavailable, sign_on_failed
 * @see OIDC Core §3.1.2.1
 */
export async function departFor(
  parts: LaunchParts,
  { req, res }: Exchange,
  { loginHint, ...asked }: Departure,
): Promise<void> {
  const state = newSecret('sta', parts.random)
  const nonce = newSecret('non', parts.random)
  const verifier = `${newSecret('ver', parts.random)}${newSecret('ver', parts.random)}`
  // Whoever the provider still remembers may have left this workstation: it asks anew, and the role with it.
  const address = await parts.provider.begin({
    ...{ assurance: asked.assurance, framed: asked.framed, state, nonce, verifier },
    forceLogin: true,
    ...(loginHint === undefined ? {} : { loginHint }),
  })
  const { hash: browser } = ensureBrowser(req, res, parts.random)
  const since = seconds(parts.clock())
  const value = { ...asked, nonce, verifier, browser, since }
  const until = after(parts.clock(), parts.lifetimes.pending)
  await parts.store.commit({ puts: [{ kind: 'state', id: sha256(state), value, until }] })
  seeOther(res, address.href)
}

const forLaunch = (waiting: Waiting): Assurance | undefined =>
  waiting.for === 'sign-on' ? waiting.assurance : undefined
const forEmergency = (waiting: Waiting): Assurance | undefined =>
  'emergency' in waiting ? waiting.emergency?.signOn : undefined

/**
 * The same for a launch that waits for its user to sign on.
 *
 * @param how `framed`: the launch stands in a frame, and this is a window of its own; `emergency`: as strongly as
 *   emergency access asks for, not as the launch does
 * @throws Refusal sign_on_state_invalid, sign_on_unavailable, sign_on_failed
 */
export async function depart(
  parts: LaunchParts,
  exchange: Exchange,
  { launch, waiting, ask }: PendingLaunch,
  { framed, emergency = false }: { readonly framed: boolean; readonly emergency?: boolean },
): Promise<void> {
  const assurance = emergency ? forEmergency(waiting) : forLaunch(waiting)
  if (assurance === undefined) throw new Refusal('sign_on_state_invalid', 'not awaited')
  const loginHint = ask?.demand.loginHint
  await departFor(parts, exchange, {
    ...{ assurance, framed, launch: launch.id },
    ...(loginHint === undefined ? {} : { loginHint }),
  })
}
