/** Signing on at the OpenID provider: the way there, and the way back. */
import type { RequestHandler } from 'express'
import { z } from 'zod'
import type { Happening } from '../core/audit.js'
import { hashOf, newSecret, sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type PendingLaunch, personOf, type SignOn } from '../core/session.js'
import { after, seconds } from '../core/values.js'
import { browsersOf, ensureBrowser } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
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
    if (pending.waiting.for !== 'sign-on') throw new Refusal('sign_on_state_invalid', 'not awaited')
    const { assurance } = pending.waiting
    const framed = sent.framed === '1'
    const state = newSecret('sta', parts.random)
    const nonce = newSecret('non', parts.random)
    const verifier = `${newSecret('ver', parts.random)}${newSecret('ver', parts.random)}`
    // Whoever the provider still remembers may have left this workstation: it asks anew, and the role with it.
    const asked = { assurance, framed, state, nonce, verifier, forceLogin: true }
    const address = await parts.provider.begin(asked)
    const browser = ensureBrowser(req, res, parts.random)
    await parts.store.commit({
      puts: [
        {
          kind: 'state',
          id: sha256(state),
          value: {
            launch: pending.launch.id,
            nonce,
            verifier,
            browser,
            assurance,
            framed,
            since: seconds(parts.clock()),
          },
          until: after(parts.clock(), parts.lifetimes.pending),
        },
      ],
    })
    res.redirect(303, address.href)
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
    if (!begun || !pending || !browsersOf(req).includes(begun.browser)) {
      throw new Refusal('sign_on_state_invalid', 'state or browser')
    }
    learn(res, factsOf(pending))
    const claims = [
      { what: `state/${sha256(state)}`, until: after(parts.clock(), parts.lifetimes.pending) },
    ]
    if (!(await parts.store.commit({ claims })))
      throw new Refusal('sign_on_state_invalid', 'used before')

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
    ownBrowser(req, pending)
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
