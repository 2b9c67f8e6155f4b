/** Signing on at the OpenID provider: the way there, and the way back. */
import type { RequestHandler } from 'express'
import { z } from 'zod'
import { hashOf, newSecret, sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { after } from '../core/values.js'
import { browsersOf } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { depart } from './depart.js'
import { factsOf, type LaunchParts } from './parts.js'
import { resume } from './proceed.js'
import { arriveToSee, finishSignOn, signedOn, spendState } from './sign-on-end.js'
import { ownBrowser, pendingOf } from './waiting.js'

const startParameters = z.object({
  pending: parameter(100),
  framed: z.enum(['0', '1']),
  /** To ask for emergency access afterwards. */
  emergency: z.literal('1').optional(),
})

/**
 * POST /sign-in/start: on to the provider, in this window or in one of its own.
 * @see OIDC Core §3.1.2.1
 */
export function startSignOn(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = readParameters(startParameters, parameters(req))
    const pending = await pendingOf(parts, res, sent.pending)
    journeyOf(res).frameAncestors = []
    const how = { framed: sent.framed === '1', emergency: sent.emergency === '1' }
    await depart(parts, { req, res }, pending, how)
  }
}

/**
 * GET /sign-in/callback: the provider's answer, in the window that went there. The sign-on is made, but
 * belongs to the launch's browser only once that browser shows the proof: this window may be another's.
 *
 * @throws Refusal sign_on_state_invalid, person_mismatch and what the provider's answer refuses
 */
export function signOnCallback(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const state = parameters(req).get('state') ?? ''
    const begun = await parts.store.get('state', sha256(state))
    const names = await parts.sessions.names(browsersOf(req))
    if (!begun || !names.includes(begun.browser))
      throw new Refusal('sign_on_state_invalid', 'state or browser')
    if (begun.launch === undefined) return arriveToSee(parts, { req, res }, state, begun)
    const pending = await parts.store.get('pending', begun.launch)
    if (!pending) throw new Refusal('sign_on_state_invalid', 'the launch waits no more')
    learn(res, factsOf(pending))
    await spendState(parts, state)
    // The app that asked is told, but for a window of its own: there the launch stands elsewhere.
    if (pending.ask && !begun.framed) journeyOf(res).redirect = pending.ask.answer
    const callback = new URL(req.originalUrl, parts.issuer)
    const signOn = await finishSignOn(parts, callback, { ...begun, state }, pending.browser)
    const proof = newSecret('prf', parts.random)
    await parts.trail.commit({
      record: [signedOn(signOn, factsOf(pending))],
      puts: [
        { kind: 'signOn', id: signOn.id, value: signOn, until: signOn.until },
        {
          kind: 'pending',
          id: pending.launch.id,
          value: { ...pending, returned: { signOn: signOn.id, proof: hashOf(proof) } },
          until: after(parts.clock(), parts.lifetimes.pending),
        },
      ],
    })
    if (begun.framed) return parts.pages.send(res, 200, 'signed-in', { proof })
    await ownBrowser(parts, req, pending)
    await resume(parts, { req, res }, pending, signOn)
  }
}
