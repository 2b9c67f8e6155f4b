/** An authorize request that needs its user first: kept, and taken up again where the launch lands. */
import type { Request, Response } from 'express'
import type { AppReturn, AuthorizationRequest } from '../core/authorization-request.js'
import type { Client } from '../core/client.js'
import { hashOf, newLaunchId, newLaunchSecret } from '../core/ids.js'
import type { LaunchSession } from '../core/launch.js'
import { after } from '../core/values.js'
import { ensureBrowser } from '../http/browser.js'
import { seeOther } from '../http/redirect.js'
import type { OAuthParts } from './parts.js'
import type { Asking } from './request.js'

/**
 * Sends the browser to sign on, and to choose a patient where the app asks for one. The request stays here; a
 * stored record is all that the launch learns of it.
 *
 * @param about with a session when its user must only sign on anew: the launch stays the same
 * @see SMART App Launch 2.2, "Launch App: Standalone Launch"; OIDC Core §3.1.2.3
 */
export async function askUser(
  parts: OAuthParts,
  { req, res }: { readonly req: Request; readonly res: Response },
  about: {
    readonly client: Client
    readonly asked: AuthorizationRequest
    readonly asking: Asking
    readonly answer: AppReturn
    readonly session?: LaunchSession
  },
): Promise<void> {
  const { client, asked, asking, answer, session } = about
  const id = session?.launch.id ?? newLaunchId(parts.clock(), parts.random)
  const secret = newLaunchSecret('req', id, parts.random)
  const request = hashOf(secret)
  const ask = { demand: asked.demand, needsPatient: asked.needsPatient, answer, request }
  const value = {
    client: client.id,
    parameters: Object.fromEntries(asking.parameters),
    ask,
    ...(asking.pushed === undefined ? {} : { pushed: asking.pushed }),
    browser: ensureBrowser(req, res, parts.random).hash,
  }
  const until = after(parts.clock(), parts.lifetimes.pending)
  await parts.store.commit({
    puts: [{ kind: 'request', id, value, until }],
  })
  seeOther(res, `${parts.issuer}/launch/standalone?request=${secret}`)
}
