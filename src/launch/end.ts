import type { RequestHandler } from 'express'
import { z } from 'zod'
import { Refusal } from '../core/refusal.js'
import { learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { launchNamed } from '../session/outcomes.js'
import { assertingSystem, assertionParameters } from './assertion.js'
import type { LaunchParts } from './parts.js'

const endParameters = z.object({
  ...assertionParameters,
  launch: parameter(200).min(8).optional(),
  user: parameter(200).optional(),
  sign_on: z.enum(['end', 'keep']).default('end'),
})

/**
 * POST /launch/end: a launch system says that its user has left the workstation. It ends what it launched: one
 * launch, or whom it signed on; `sign_on=keep`: only the launch, whose chart was closed. What the OpenID provider signed on stays: other systems' launches hang on that.
 * The answer is the same whether there was anything to end.
 *
 * @throws Refusal client_unproven, parameter_missing, launch_replayed
 */
export function endLaunched(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = readParameters(endParameters, parameters(req))
    const { system, claim } = await assertingSystem(parts, sent.client_assertion)
    learn(res, { system: system.id })
    if ((sent.launch === undefined) === (sent.user === undefined))
      throw new Refusal('parameter_missing', 'launch or user, and not both')
    if (!(await parts.store.commit({ claims: [claim] })))
      throw new Refusal('launch_replayed', 'assertion used before')

    if (sent.launch !== undefined) {
      const launch = await launchNamed(parts, system.id, sent.launch)
      if (launch !== undefined)
        await parts.sessions.endLaunchOf(system.id, launch, sent.sign_on === 'keep')
    }
    if (sent.user !== undefined) await parts.sessions.endLaunched(system.id, sent.user)
    res.status(204).end()
  }
}
