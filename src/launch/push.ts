import type { RequestHandler } from 'express'
import { z } from 'zod'
import { hashOf, isSecret, launchOfSecret, newLaunchSecret, sha256 } from '../core/ids.js'
import { CLAIM_MARGIN, replayClaim } from '../core/launch-claims.js'
import { Refusal } from '../core/refusal.js'
import { after, seconds } from '../core/values.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { peek } from '../keys/trusted.js'
import { factsOf, type LaunchParts, launchVerified } from './parts.js'
import { proceed } from './proceed.js'
import { claimedSystem, patientOf, proveToken } from './prove.js'

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Longest life of an assertion: five minutes (RFC 7523 §3 leaves it to us). */
const ASSERTION_LIFETIME = 300

const pushParameters = z.object({
  client_assertion_type: z.literal(ASSERTION_TYPE),
  client_assertion: parameter(8192),
  launch_token: parameter(64 * 1024),
})

const assertionClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.string(),
  exp: z.number().int(),
  iat: z.number().int().optional(),
  jti: z.string().min(8).max(200),
})

/**
 * Who pushes, proven by private_key_jwt with our issuer as its only audience.
 * @throws Refusal client_unproven
 * @see RFC 7523 §3; draft-ietf-oauth-rfc7523bis (audience is the issuer)
 */
async function pushingSystem(parts: LaunchParts, assertion: string) {
  const claimed = peek(assertion, 'client_unproven')
  const system = await claimedSystem(parts, claimed.iss, 'pushed').catch((cause: unknown) => {
    throw new Refusal('client_unproven', 'unknown system', { cause })
  })
  if (!system.keys) throw new Refusal('client_unproven', 'no keys are registered')
  const claims = assertionClaims.safeParse(
    await parts.trusted.verify(assertion, system.keys, {
      algorithms: system.algorithms,
      types: ['jwt', 'client-authentication+jwt', undefined],
      code: 'client_unproven',
    }),
  )
  if (!claims.success) throw new Refusal('client_unproven', 'claims')
  const { iss, sub, aud, exp, iat, jti } = claims.data
  const now = seconds(parts.clock())
  if (sub !== iss || aud !== parts.issuer) throw new Refusal('client_unproven', 'sub or aud')
  if (exp + parts.skew <= now || exp > now + ASSERTION_LIFETIME + parts.skew) {
    throw new Refusal('client_unproven', 'exp')
  }
  if (iat !== undefined && iat > now + parts.skew) throw new Refusal('client_unproven', 'iat')
  const until = (exp + parts.skew) * 1000 + CLAIM_MARGIN
  const claim = { what: `assertion/${system.id}/${sha256(jti)}`, until }
  return { system, claim }
}

/**
 * POST /launch/push: a launch from server to server (rung `pushed`). Answers a link that the first
 * browser to open it owns.
 */
export function push(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = readParameters(pushParameters, parameters(req))

    // Who pushes, and what: both by the same system.
    const { system, claim } = await pushingSystem(parts, sent.client_assertion)
    learn(res, { system: system.id })
    const proven = await proveToken(parts, sent.launch_token, 'pushed', (_system, id, jti) =>
      learn(res, { launch: id, ...(jti === undefined ? {} : { detail: { jti } }) }),
    )
    const { launch } = proven
    if (proven.system.id !== system.id)
      throw new Refusal('signature_invalid', 'pushed by another system')
    learn(res, factsOf({ launch }))
    const patient = await patientOf(parts, launch)

    // Both one-use values are spent, the entry is durable, then the link exists.
    const secret = newLaunchSecret('lnk', launch.id, parts.random)
    const now = parts.clock()
    const openUntil = after(now, parts.lifetimes.link)
    const link = { launch, patient, secret: hashOf(secret), openUntil }
    const fresh = await parts.trail.commit({
      claims: [claim, ...replayClaim(launch)],
      record: [
        launchVerified(launch, patient, {
          jti: launch.jti ?? '',
          by: 'private_key_jwt and signature',
        }),
      ],
      puts: [
        { kind: 'link', id: launch.id, value: link, until: after(now, parts.lifetimes.pending) },
      ],
    })
    if (!fresh) throw new Refusal('launch_replayed', 'assertion or launch token used before')
    res
      .status(201)
      .json({ launch_uri: `${parts.issuer}/launch/${secret}`, expires_in: parts.lifetimes.link })
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
