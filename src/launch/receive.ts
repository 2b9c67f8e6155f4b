import type { Request, RequestHandler, Response } from 'express'
import { replayClaim } from '../core/launch-claims.js'
import { Refusal } from '../core/refusal.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { factsOf, type LaunchParts, launchVerified } from './parts.js'
import { proceed } from './proceed.js'
import { patientOf, proveToken } from './prove.js'

/**
 * POST /launch: a launch token that the browser brings from the launch system (rung `signed`).
 *
 * @throws Refusal launch_clear_text and what proveToken, patientOf and proceed refuse
 */
export function receive(parts: LaunchParts): RequestHandler {
  return async (req: Request, res: Response) => {
    // Only a signed token is a launch; patient details as plain fields are refused whatever they say.
    const token = parameters(req).get('launch_token')
    if (token === undefined) throw new Refusal('launch_clear_text', 'no launch_token')

    // Proven under the keys of the system that it names …
    const { launch, handover } = await proveToken(parts, token, 'signed', (system, id, jti) => {
      journeyOf(res).frameAncestors = system.frameAncestors
      learn(res, {
        launch: id,
        system: system.id,
        ...(jti === undefined ? {} : { detail: { jti } }),
      })
    })
    learn(res, factsOf({ launch }))

    // … for a patient whom the record knows by number and birth date.
    const patient = await patientOf(parts, launch)
    const verified = launchVerified(launch, patient, { jti: launch.jti ?? '', by: 'signature' })
    const claims = replayClaim(launch)
    await proceed(
      parts,
      { req, res },
      { launch, patient, claims, record: [verified], ...(handover ? { handover } : {}) },
    )
  }
}

/** GET /launch: there is no launch in the clear. */
export const refuseClearText: RequestHandler = () => {
  throw new Refusal('launch_clear_text', 'parameters in the address')
}
