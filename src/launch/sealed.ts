import type { RequestHandler } from 'express'
import { newLaunchId } from '../core/ids.js'
import { acceptLaunch, readLaunch, replayClaim } from '../core/launch-claims.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import { after, seconds } from '../core/values.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { unsealWith } from '../keys/trusted.js'
import { type LaunchParts, launchVerified } from './parts.js'
import { proceed } from './proceed.js'

const LONGEST_SEAL = 32 * 1024

/** What a system shares with us. Without it nothing of its is opened: our public key is anybody's. @throws Refusal seal_invalid */
function secretOf({ seals }: LaunchParts, name: string): Uint8Array {
  const secret = seals[name]
  if (!secret) throw new Refusal('seal_invalid', `${name} is missing here`)
  return Buffer.from(secret, 'base64url')
}

async function unseal(parts: LaunchParts, system: LaunchSystem, sealed: string): Promise<unknown> {
  if (sealed.length > LONGEST_SEAL) throw new Refusal('seal_invalid', 'too long')
  const text =
    system.sealSecret === undefined
      ? await parts.keys.unseal(sealed)
      : await unsealWith(sealed, secretOf(parts, system.sealSecret))
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal('launch_malformed', 'not JSON', { cause })
  }
}

/**
 * GET or POST /launch/sealed: encrypted parameters (rung `sealed`). Anyone who knows our public key could
 * have made them, so they are a hint: the user signs on at the provider and types the birth date.
 *
 * @see RFC 7516 (JWE compact); `exp` and `jti` are honoured where the system sends them
 */
export function sealed(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const system = await parts.registry.system(sent.get('system') ?? '')
    if (!system) throw new Refusal('system_unknown', 'system')
    if (system.rung !== 'sealed')
      throw new Refusal('rung_unregistered', `${system.id} came as sealed`)
    journeyOf(res).frameAncestors = system.frameAncestors
    const id = newLaunchId(parts.clock(), parts.random)
    learn(res, { launch: id, system: system.id })

    const claims = (await unseal(parts, system, sent.get('sealed') ?? '')) as {
      exp?: unknown
      jti?: unknown
    }
    const jti = typeof claims?.jti === 'string' ? claims.jti.slice(0, 200) : undefined
    if (jti !== undefined) learn(res, { detail: { jti } })
    if (typeof claims?.exp === 'number' && claims.exp + parts.skew <= seconds(parts.clock())) {
      throw new Refusal('launch_expired', 'exp')
    }
    const until = after(parts.clock(), parts.lifetimes.pending)
    const launch = acceptLaunch(readLaunch(claims, system), system, {
      id,
      until,
      ...(jti === undefined ? {} : { jti }),
    })
    const record = [launchVerified(launch, undefined, { jti: jti ?? '', by: 'seal' })]
    await proceed(parts, { req, res }, { launch, claims: replayClaim(launch), record })
  }
}
