import type { RequestHandler } from 'express'
import { z } from 'zod'
import { hashOf, isSecret, launchOfSecret, newLaunchSecret } from '../core/ids.js'
import { CLAIM_MARGIN, replayClaim } from '../core/launch-claims.js'
import { Refusal } from '../core/refusal.js'
import { after } from '../core/values.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { assertingSystem, assertionParameters } from './assertion.js'
import { handoverPuts } from './handover.js'
import { factsOf, type LaunchParts, launchVerified } from './parts.js'
import { proceed } from './proceed.js'
import { LONGEST_TOKEN, patientOf, proveToken } from './prove.js'

const pushParameters = z.object({
  ...assertionParameters,
  launch_token: parameter(LONGEST_TOKEN),
})

/**
 * POST /launch/push: a launch from server to server (rung `pushed`). Answers a link that the first
 * browser to open it owns.
 */
export function push(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = readParameters(pushParameters, parameters(req))

    // Who pushes, and what: both by the same system.
    const { system, claim } = await assertingSystem(parts, sent.client_assertion, 'pushed')
    learn(res, { system: system.id })
    const proven = await proveToken(parts, sent.launch_token, 'pushed', (_system, id, jti) =>
      learn(res, { launch: id, ...(jti === undefined ? {} : { detail: { jti } }) }),
    )
    const { launch, handover } = proven
    if (proven.system.id !== system.id)
      throw new Refusal('signature_invalid', 'pushed by another system')
    learn(res, factsOf({ launch }))
    const patient = await patientOf(parts, launch)

    // Both one-use values are spent, the entry is durable, then the link exists.
    const secret = newLaunchSecret('lnk', launch.id, parts.random)
    const now = parts.clock()
    const openUntil = after(now, parts.lifetimes.link)
    const link = { launch, patient, secret: hashOf(secret), openUntil }
    const until = after(now, parts.lifetimes.pending)
    const fresh = await parts.trail.commit({
      claims: [claim, ...replayClaim(launch)],
      record: [
        launchVerified(launch, patient, {
          jti: launch.jti ?? '',
          by: 'private_key_jwt and signature',
        }),
      ],
      puts: [
        { kind: 'link', id: launch.id, value: link, until },
        ...(await handoverPuts(parts, { launch, ...(handover ? { handover } : {}) }, until)),
      ],
    })
    if (!fresh) throw new Refusal('launch_replayed', 'assertion or launch token used before')
    res.status(201).json({
      launch_uri: `${parts.issuer}/launch/${secret}`,
      expires_in: parts.lifetimes.link,
      launch: launch.id,
    })
  }
}

/**
 * GET /launch/{lnk_…}: a browser opens a pushed launch, once.
 *
 * @throws Refusal link_invalid and what proceed refuses
 */
export function openLink(parts: LaunchParts): RequestHandler<{ link: string }> {
  return async (req, res) => {
    const { link: secret } = req.params
    const id = launchOfSecret('lnk', secret)
    const link = id && (await parts.store.get('link', id))
    const system = link && (await parts.registry.system(link.launch.system))
    journeyOf(res).frameAncestors = system?.frameAncestors ?? []
    if (!id || !link || !isSecret(secret, link.secret)) throw new Refusal('link_invalid', 'unknown')
    if (link.openUntil <= parts.clock()) throw new Refusal('link_invalid', 'expired')
    const { launch, patient } = link
    await proceed(
      parts,
      { req, res },
      {
        launch,
        patient,
        claims: [
          { what: `link/${id}`, until: launch.until + parts.lifetimes.link * 1000 + CLAIM_MARGIN },
        ],
        record: [],
      },
    )
  }
}
