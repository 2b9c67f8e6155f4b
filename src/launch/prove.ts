/** How a launch token proves itself, whichever door it came through. */

import type { SystemRung } from '../core/context.js'
import { requireKinds } from '../core/context-kinds.js'
import { type LaunchId, newLaunchId } from '../core/ids.js'
import { plainNumbers, readJson } from '../core/json-text.js'
import type { LaunchRequest, SystemLaunch } from '../core/launch.js'
import { launchTimes, readLaunch, verifyLaunch } from '../core/launch-claims.js'
import type { LaunchSystem } from '../core/launch-system.js'
import type { Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { peek } from '../keys/trusted.js'
import { takeOver } from './handover.js'
import type { LaunchParts } from './parts.js'

/** Room for what a launch hands over (core/handover.ts) in base64url, and for the rest. */
export const LONGEST_TOKEN = 448 * 1024

export interface ProvenLaunch {
  readonly launch: SystemLaunch
  readonly system: LaunchSystem
  /** What it brought, sealed: for the commit that takes the launch on. */
  readonly handover?: Records['handover']
}

/** The system that a text claims to come from, if it is registered for this door. */
export async function claimedSystem(
  parts: LaunchParts,
  issuer: unknown,
  rung: SystemRung,
): Promise<LaunchSystem> {
  const system =
    typeof issuer === 'string' && issuer.length <= 200
      ? await parts.registry.systemOf(issuer)
      : undefined
  if (!system) throw new Refusal('system_unknown', String(issuer).slice(0, 100))
  if (system.rung !== rung) throw new Refusal('rung_unregistered', `${system.id} came as ${rung}`)
  return system
}

/**
 * Checks a launch token: whose it is, under that system's own keys, in time, for an app and an
 * organisation that it may speak for. Spends nothing: the `jti` is spent with what the launch leads to.
 *
 * @throws Refusal launch_malformed, system_unknown, rung_unregistered, signature_invalid and what
 *   readLaunch and verifyLaunch refuse
 * @see RFC 7515, RFC 7519 §7.2
 */
export async function proveToken(
  parts: LaunchParts,
  token: string,
  rung: SystemRung,
  learned: (system: LaunchSystem, id: LaunchId, jti: string | undefined) => void,
): Promise<ProvenLaunch> {
  if (token.length > LONGEST_TOKEN) throw new Refusal('launch_malformed', 'too long')
  const claimed = peek(token, 'launch_malformed')
  const system = await claimedSystem(parts, claimed.iss, rung)
  const id = newLaunchId(parts.clock(), parts.random)
  learned(system, id, typeof claimed.jti === 'string' ? claimed.jti.slice(0, 200) : undefined)
  if (!system.keys) throw new Refusal('signature_invalid', 'no keys are registered')
  const given = await parts.trusted.verify(token, system.keys, {
    algorithms: system.algorithms,
    types: ['launch+jwt'],
    code: 'signature_invalid',
    read: readJson,
  })
  const claims = plainNumbers(given) as typeof given
  const times = launchTimes.safeParse(claims)
  if (!times.success) throw new Refusal('launch_malformed', 'iat, exp or jti')
  const { iat, exp, nbf, jti } = times.data
  const proof = { id, audience: claims.aud, issuer: parts.issuer, iat, exp, nbf, jti }
  const named = readLaunch(claims, system)
  await requireOwn(parts, named)
  // Judged before anything is sealed: a launch that is not to be costs no more than its signature.
  verifyLaunch(named, system, proof, parts.clock(), parts.skew)
  const { request, ...rest } = await takeOver(parts, id, given, system, named)
  const launch = verifyLaunch(request, system, proof, parts.clock(), parts.skew)
  return { launch, system, ...rest }
}

/** What a launch brings for its app must be what the app takes. @throws Refusal context_refused */
export async function requireOwn({ registry }: LaunchParts, { app, own }: LaunchRequest) {
  if (own === undefined) return
  const client = await registry.client(app)
  requireKinds(own, client?.contexts ?? [])
}

/** The patient whom a proven launch names, found in the record. @throws Refusal patient_unknown, patient_mismatch, record_unavailable */
export function patientOf(parts: LaunchParts, launch: SystemLaunch) {
  const { nhsNumber, birthDate } = launch.patient
  if (birthDate === undefined) throw new Refusal('launch_malformed', 'patient.birth_date')
  return parts.findPatient(nhsNumber, birthDate, launch)
}
