import type { RequestHandler } from 'express'
import type { Happening } from '../core/audit.js'
import { isSecret, launchOfSecret } from '../core/ids.js'
import { standalone } from '../core/launch.js'
import { Refusal } from '../core/refusal.js'
import { after } from '../core/values.js'
import { browsersOf } from '../http/browser.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { type Arrival, factsOf, type LaunchParts } from './parts.js'
import { proceed } from './proceed.js'

/**
 * GET /launch/standalone?request=: an app asked at the authorize endpoint for what needs its user: a sign-on, and a
 * patient where it said so. Of a launch that is open already only the user signs on anew.
 *
 * @throws Refusal handle_invalid, handle_other_browser and what proceed refuses (to the app)
 * @see SMART App Launch 2.2, "Launch App: Standalone Launch"
 */
export function standaloneLaunch(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const secret = parameters(req).get('request') ?? ''
    const id = launchOfSecret('req', secret)
    const [request, session] = await parts.store.getAll([
      { kind: 'request', id: id ?? '' },
      { kind: 'session', id: id ?? '' },
    ])
    if (!id || !request || !isSecret(secret, request.ask.request))
      throw new Refusal('handle_invalid', 'no such request')
    learn(res, { launch: id, app: request.client })
    if (!(await parts.sessions.names(browsersOf(req))).includes(request.browser))
      throw new Refusal('handle_other_browser', 'cookie')

    const { ask } = request
    const until = after(parts.clock(), parts.lifetimes.pending)
    const claims = [{ what: `request/${ask.request}`, until }]
    const launch = session?.launch ?? standalone(id, request.client, until)
    const asked: Happening = {
      what: 'launch_verified',
      outcome: 'success',
      ...factsOf({ launch }),
      detail: { rung: launch.rung, by: 'the authorize request of a registered app' },
    }
    const arrival: Arrival = { launch, ask, claims, record: session ? [] : [asked] }
    const { patient } = session ?? {}
    await proceed(parts, { req, res }, patient ? { ...arrival, patient } : arrival)
  }
}
