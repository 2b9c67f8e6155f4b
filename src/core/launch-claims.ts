import { z } from 'zod'
import { type OdsCode, PURPOSES } from './context.js'
import { ownContext } from './context-kinds.js'
import { fhirContextItem } from './fhir-context.js'
import { type LaunchId, sha256 } from './ids.js'
import type { LaunchRequest, SystemLaunch } from './launch.js'
import type { ClaimMapping, LaunchClaimName, LaunchSystem } from './launch-system.js'
import { readBirthDate, readNhsNumber } from './nhs-number.js'
import { Refusal } from './refusal.js'
import { plainText } from './text.js'
import { type EpochMs, type EpochSeconds, named, type Seconds } from './values.js'

const CLAIMS: readonly LaunchClaimName[] = [
  'sub',
  'app',
  'patient.nhs_number',
  'patient.birth_date',
  'practitioner.name',
  'practitioner.sds_user_id',
  'practitioner.sds_role_profile_id',
  'practitioner.role_codes',
  'practitioner.activity_codes',
  'organization.ods_code',
  'purpose',
  'auth_time',
  'acr',
  'amr',
  'encounter',
  'intent',
  'fhirContext',
  'episode',
  'context',
  'device',
  'data',
]

const shortText = z.string().min(1).max(200)
const code = z.string().regex(/^[\w.:-]{1,64}$/)

/** The launch token's own claims, after the system's mapping. */
const launchClaims = z.object({
  sub: shortText,
  app: code,
  patient: z.object({ nhs_number: z.string().max(40), birth_date: z.string().max(20).optional() }),
  practitioner: z.object({
    name: z.string().max(400).optional(),
    sds_user_id: z
      .string()
      .regex(/^\d{12}$/)
      .optional(),
    sds_role_profile_id: z
      .string()
      .regex(/^\d{12}$/)
      .optional(),
    role_codes: z.array(code).max(50).default([]),
    activity_codes: z.array(code).max(500).optional(),
  }),
  organization: z.object({ ods_code: z.string().regex(/^[A-Za-z0-9]{1,12}$/) }),
  purpose: z.enum(PURPOSES).optional(),
  auth_time: z.number().int().positive().optional(),
  // It stands in an id_token, which is ASCII.
  acr: z
    .string()
    .regex(/^[\x20-\x7e]{1,100}$/)
    .optional(),
  amr: z.array(z.string().max(50)).max(10).optional(),
  encounter: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,64}$/)
    .optional(),
  intent: z
    .string()
    .regex(/^[\w.:/-]{1,100}$/)
    .optional(),
  fhirContext: z.array(fhirContextItem).max(20).optional(),
  episode: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]{1,100}$/)
    .optional(),
  context: ownContext.optional(),
  device: shortText.optional(),
})

/** The times of a launch, as its token carries them (RFC 7519 §4.1). */
export const launchTimes = z.object({
  iat: z.number().int().nonnegative(),
  exp: z.number().int().nonnegative(),
  nbf: z.number().optional(),
  jti: z.string().min(8).max(200),
})

const at = (object: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, step)
          ? (value as Record<string, unknown>)[step]
          : undefined,
      object,
    )

/** Puts a system's own claims into our shape: each of ours from where its registration says it stands. */
export function mapClaims(claims: unknown, mapping: ClaimMapping): Record<string, unknown> {
  const ours: Record<string, unknown> = { patient: {}, practitioner: {}, organization: {} }
  for (const name of CLAIMS) {
    const value = at(claims, mapping[name] ?? name)
    if (value === undefined || value === null || value === '') continue
    const [outer = '', inner] = name.split('.')
    if (inner === undefined) ours[outer] = value
    else (ours[outer] as Record<string, unknown>)[inner] = value
  }
  return ours
}

/**
 * Reads what a launch says, whatever its system calls things. Nothing in it is true yet.
 *
 * @param claims as decoded from the token, the seal or the redeemed handle
 * @throws Refusal launch_malformed, nhs_number_invalid
 */
export function readLaunch(claims: unknown, system: LaunchSystem): LaunchRequest {
  const read = launchClaims.safeParse(mapClaims(claims, system.claims))
  if (!read.success) {
    throw new Refusal('launch_malformed', read.error.issues.map((i) => i.path.join('.')).join(', '))
  }
  const { patient, practitioner, organization, ...rest } = read.data
  const nhsNumber = readNhsNumber(patient.nhs_number)
  if (nhsNumber === undefined) throw new Refusal('nhs_number_invalid', 'check digit or form')
  const birthDate = readBirthDate(patient.birth_date)
  if (birthDate === undefined && system.rung !== 'sealed') {
    throw new Refusal('launch_malformed', 'patient.birth_date')
  }
  return {
    system: system.id,
    app: rest.app,
    user: named({
      localId: plainText(rest.sub, 200),
      name: practitioner.name === undefined ? undefined : plainText(practitioner.name, 120),
      sdsUserId: practitioner.sds_user_id,
      sdsRoleProfileId: practitioner.sds_role_profile_id,
      roleCodes: practitioner.role_codes,
      activityCodes: practitioner.activity_codes,
    }),
    patient: named({ nhsNumber, birthDate: system.rung === 'sealed' ? undefined : birthDate }),
    organization: organization.ods_code.toUpperCase() as OdsCode,
    purpose: rest.purpose ?? system.defaultPurpose,
    authentication: named({ time: rest.auth_time, acr: rest.acr, amr: rest.amr }),
    // Anyone could have made a sealed one up, and the app would act on it.
    ...(system.rung === 'sealed'
      ? {}
      : { ...contextIn(rest), ...named({ episode: rest.episode, own: rest.context }) }),
  }
}

/** What is open beside the patient. A sealed launch has none: anyone could have made it up, and the app would act on it. */
const contextIn = ({
  encounter,
  intent,
  fhirContext,
  device,
}: Pick<z.output<typeof launchClaims>, 'encounter' | 'intent' | 'fhirContext' | 'device'>) =>
  named({ encounter, intent, fhirContext: fhirContext?.map(named), device })

/** How a launch was proven, for {@link verifyLaunch}: by whom, for whom, when. */
export interface LaunchProof {
  readonly id: LaunchId
  readonly audience: unknown
  readonly issuer: string
  readonly iat: EpochSeconds
  readonly exp: EpochSeconds
  readonly nbf?: EpochSeconds | undefined
  readonly jti: string
}

/**
 * Turns a launch whose signature has been checked into one that we act on.
 *
 * Pure: the caller has checked the signature under the system's own keys, and spends the `jti` when it
 * commits what follows.
 *
 * @param skew clock difference allowed, in seconds
 * @throws Refusal launch_misaddressed, launch_future, launch_expired, launch_too_long,
 *   organization_refused, app_refused
 * @see RFC 7519 §4.1; SMART App Launch 2.2, "Launch App: EHR Launch"
 */
export function verifyLaunch(
  request: LaunchRequest,
  system: LaunchSystem,
  proof: LaunchProof,
  now: EpochMs,
  skew: Seconds,
): SystemLaunch {
  if (proof.audience !== proof.issuer) throw new Refusal('launch_misaddressed', 'aud')
  if (Math.max(proof.iat, proof.nbf ?? 0) * 1000 > now + skew * 1000) {
    throw new Refusal('launch_future', 'iat or nbf')
  }
  if (proof.exp * 1000 + skew * 1000 <= now) throw new Refusal('launch_expired', 'exp')
  if (proof.exp <= proof.iat || proof.exp - proof.iat > system.maxLifetime) {
    throw new Refusal('launch_too_long', `${proof.exp - proof.iat} s`)
  }
  mayLaunch(request, system)
  // Not by spreading, which V8 does slowly where new members follow it: a microsecond and more for each.
  return Object.assign({}, request, {
    id: proof.id,
    rung: system.rung,
    jti: proof.jti,
    until: (proof.exp + skew) * 1000,
  }) as SystemLaunch
}

/**
 * A launch whose proof lies elsewhere: a handle redeemed at its issuer, or a seal, which proves no time
 * and is therefore only a hint (the user signs on and types the birth date).
 *
 * @param until past this the launch is dead
 * @throws Refusal organization_refused, app_refused
 */
export function acceptLaunch(
  request: LaunchRequest,
  system: LaunchSystem,
  proof: { readonly id: LaunchId; readonly jti?: string; readonly until: EpochMs },
): SystemLaunch {
  mayLaunch(request, system)
  return { ...request, ...proof, rung: system.rung } as SystemLaunch
}

/** Claims outlive what they guard: what was judged in its last moment is spent a little later. Milliseconds. */
export const CLAIM_MARGIN = 300_000

/** What makes a launch happen once: spent with whatever the launch leads to. */
export const replayClaim = (launch: SystemLaunch) =>
  launch.jti === undefined
    ? []
    : [{ what: `jti/${launch.system}/${sha256(launch.jti)}`, until: launch.until + CLAIM_MARGIN }]

/**
 * What the registration allows a system to launch, on whichever rung.
 * @throws Refusal organization_refused, app_refused
 */
function mayLaunch(request: LaunchRequest, system: LaunchSystem): void {
  const { organizations, apps, purposes } = system
  if (!organizations.includes('*') && !organizations.includes(request.organization)) {
    throw new Refusal('organization_refused', request.organization)
  }
  if (!apps.includes(request.app)) throw new Refusal('app_refused', request.app)
  if (!purposes.includes(request.purpose)) throw new Refusal('launch_malformed', 'purpose')
}
