/** Signing on at the OpenID provider: the way there, and the way back. */
import type { RequestHandler } from 'express'
import { z } from 'zod'
import type { Happening } from '../core/audit.js'
import { hashOf, newSecret, sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type PendingLaunch, personOf, type SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import { browsersOf } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { depart } from './depart.js'
import { factsOf, type LaunchParts } from './parts.js'
import { resume } from './proceed.js'
import { ownBrowser, pendingOf } from './waiting.js'

const startParameters = z.object({ pending: parameter(100), framed: z.enum(['0', '1']) })

/**
 * POST /sign-in/start: on to the provider, in this window or in one of its own.
 * @see OIDC Core §3.1.2.1
 */
export function startSignOn(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = readParameters(startParameters, parameters(req))
    const pending = await pendingOf(parts, res, sent.pending)
    journeyOf(res).frameAncestors = []
    await depart(parts, { req, res }, pending, sent.framed === '1')
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
    const pending = begun && (await parts.store.get('pending', begun.launch))
    const names = await parts.sessions.names(browsersOf(req))
    if (!begun || !pending || !names.includes(begun.browser)) {
      throw new Refusal('sign_on_state_invalid', 'state or browser')
    }
    learn(res, factsOf(pending))
    const claims = [
      { what: `state/${sha256(state)}`, until: after(parts.clock(), parts.lifetimes.pending) },
    ]
    if (!(await parts.store.commit({ claims })))
      throw new Refusal('sign_on_state_invalid', 'used before')

    // The app that asked is told, but for a window of its own: there the launch stands elsewhere.
    if (pending.ask && !begun.framed) journeyOf(res).redirect = pending.ask.answer
    const callback = new URL(req.originalUrl, parts.issuer)
    const clinician = await parts.provider.finish(callback, { ...begun, state })
    const signOn = parts.sessions.open({
      user: parts.knowUser(clinician.user, clinician.organization, clinician.assurance),
      by: 'provider',
      issuer: clinician.issuer,
      ...(clinician.providerSession === undefined
        ? {}
        : { providerSession: clinician.providerSession }),
      authentication: clinician.authentication,
      browser: pending.browser,
    })
    const proof = newSecret('prf', parts.random)
    await parts.trail.commit({
      record: [signedOn(pending, signOn)],
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

const signedOn = (pending: PendingLaunch, signOn: SignOn): Happening => ({
  what: 'signed_on',
  outcome: 'success',
  ...factsOf(pending),
  signOn: signOn.id,
  user: {
    id: personOf(signOn.user, signOn.issuer),
    ...(signOn.user.name === undefined ? {} : { name: signOn.user.name }),
    roles: signOn.user.roles,
    organization: signOn.user.organization.odsCode,
  },
  detail: { by: 'provider', issuer: signOn.issuer, assurance: signOn.user.assurance },
})
