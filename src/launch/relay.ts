import type { RequestHandler } from 'express'
import { z } from 'zod'
import { newLaunchId, newSecret, sha256 } from '../core/ids.js'
import { acceptLaunch, readLaunch, replayClaim } from '../core/launch-claims.js'
import { Refusal } from '../core/refusal.js'
import { after } from '../core/values.js'
import { browsersOf, ensureBrowser } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import type { LaunchIssuers } from '../identity/launch-issuer.js'
import { takeOver } from './handover.js'
import { factsOf, type LaunchParts, launchVerified } from './parts.js'
import { proceed } from './proceed.js'
import { claimedSystem, patientOf, requireOwn } from './prove.js'

export type RelayParts = LaunchParts & { readonly issuers: LaunchIssuers }

const relayParameters = z.object({ iss: parameter(200), launch: parameter(2000) })

/**
 * GET /launch/smart?iss=&launch=: an EHR launches us as it would any SMART app (rung `redeemed`). The
 * browser is sent on with the handle; what it stands for is asked at the issuer itself.
 *
 * @see SMART App Launch 2.2, "Launch App: EHR Launch"
 */
export function relay(parts: RelayParts): RequestHandler {
  return async (req, res) => {
    const { iss, launch } = readParameters(relayParameters, parameters(req))
    const system = await claimedSystem(parts, iss.replace(/\/$/, ''), 'redeemed')
    journeyOf(res).frameAncestors = system.frameAncestors
    learn(res, { system: system.id, detail: { handle: sha256(launch) } })

    const secrets = {
      state: newSecret('sta', parts.random),
      nonce: newSecret('non', parts.random),
      verifier: `${newSecret('ver', parts.random)}${newSecret('ver', parts.random)}`,
    }
    const address = await parts.issuers.begin(system, launch, secrets)
    const { hash: browser } = ensureBrowser(req, res, parts.random)
    await parts.store.commit({
      puts: [
        {
          kind: 'relay',
          id: sha256(secrets.state),
          value: {
            system: system.id,
            nonce: secrets.nonce,
            verifier: secrets.verifier,
            browser,
            handle: sha256(launch),
          },
          until: after(parts.clock(), parts.lifetimes.link),
        },
      ],
    })
    res.redirect(303, address.href)
  }
}

/**
 * GET /launch/smart/callback: the issuer's answer, in the browser that began. The code is redeemed there,
 * and the claims of the id_token are the launch.
 *
 * @throws Refusal sign_on_state_invalid and what finish, readLaunch, patientOf and proceed refuse
 */
export function relayCallback(parts: RelayParts): RequestHandler {
  return async (req, res) => {
    const state = parameters(req).get('state') ?? ''
    const begun = await parts.store.get('relay', sha256(state))
    if (!begun) throw new Refusal('sign_on_state_invalid', 'state')
    const system = await parts.registry.system(begun.system)
    if (!system) throw new Refusal('system_unknown', begun.system)
    journeyOf(res).frameAncestors = system.frameAncestors
    const id = newLaunchId(parts.clock(), parts.random)
    learn(res, { launch: id, system: system.id, detail: { handle: begun.handle } })
    if (!(await parts.sessions.names(browsersOf(req))).includes(begun.browser)) {
      throw new Refusal('sign_on_state_invalid', 'another browser')
    }
    const until = after(parts.clock(), parts.lifetimes.link)
    const claim = { what: `relay/${sha256(state)}`, until: until + parts.lifetimes.link * 1000 }
    if (!(await parts.store.commit({ claims: [claim] }))) {
      throw new Refusal('launch_replayed', 'state used before')
    }

    const callback = new URL(req.originalUrl, parts.issuer)
    const claims = await parts.issuers.finish(system, callback, { ...begun, state })
    const proof = { id, until, jti: begun.handle }
    const named = acceptLaunch(readLaunch(claims, system), system, proof)
    learn(res, factsOf({ launch: named }))
    await requireOwn(parts, named)
    const { request, ...brought } = await takeOver(parts, id, claims, system, named)
    const launch = acceptLaunch(request, system, proof)
    const patient = await patientOf(parts, launch)
    const by = { handle: begun.handle, by: 'redeemed at the issuer' }
    const record = [launchVerified(launch, patient, by)]
    const arrival = { launch, patient, claims: replayClaim(launch), record, ...brought }
    await proceed(parts, { req, res }, arrival)
  }
}
