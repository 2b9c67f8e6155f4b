/**
 * Builds what a GP system sends, on each rung: the signed launch token, the assertion of a server that
 * pushes, the sealed parameters. Used by the pretend desktop and by the `launch` command.
 */
import { CompactEncrypt, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import type { SystemRung } from '../core/context.js'
import type { ClaimMapping } from '../core/launch-system.js'
import { type Clock, type Random, seconds } from '../core/values.js'
import { dataOf } from './desktop-data.js'
import {
  applyFault,
  type FaultName,
  type LaunchDraft,
  type LaunchTokenClaims,
} from './desktop-faults.js'

const LIFETIME_SECONDS = 60
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** A user as config/demo/people.yaml writes them. */
export interface LaunchingUser {
  readonly id: string
  readonly name: string
  /** In the manner of an SDS user id; empty for a user without one. */
  readonly uid: string
  readonly role_profile: string
  readonly role_code: string
  readonly activities: readonly string[]
  readonly ods: string
  readonly org: string
}

export interface LaunchedPatient {
  readonly nhsNumber: string
  readonly birthDate: string
  /** What the GP system holds instead: a GP system sends what it holds. */
  readonly gpBirthDate?: string
}

/** The system that launches: who it is, what it signs with, and what it calls things. */
export interface LaunchingSystem {
  readonly id: string
  readonly rung: SystemRung
  /** Private JWK with `kid` and `alg`. */
  readonly key: JWK
  readonly claims?: ClaimMapping
  /** Another system's key, for the fault `wrong-signature`; a new one when absent. */
  readonly otherKey?: JWK
}

export interface Launch {
  readonly system: LaunchingSystem
  readonly user: LaunchingUser
  readonly patient: LaunchedPatient
  readonly app: string
  /** The gateway's issuer: the `aud` of everything. */
  readonly gateway: string
  readonly clock: Clock
  readonly random: Random
  readonly fault?: FaultName
  readonly intent?: string
  readonly encounter?: string
}

/** A launch token as sent, and what is in it, for the inspector. */
export interface BuiltLaunch {
  readonly token: string
  readonly header: Readonly<Record<string, unknown>>
  /** Under the system's own names. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly draft: LaunchDraft
}

const newJti = (random: Random): string => Buffer.from(random(18)).toString('base64url')
const whenSet = <K extends string>(name: K, value: string | undefined) =>
  (value ? { [name]: value } : {}) as { readonly [P in K]?: string }

function claimsOf(launch: Launch): LaunchTokenClaims {
  const { system, user, patient, app, gateway, clock, random } = launch
  const iat = seconds(clock())
  return {
    ...{ iss: system.id, aud: gateway, iat, exp: iat + LIFETIME_SECONDS, jti: newJti(random) },
    ...{ sub: user.id, app, purpose: 'direct-care' },
    patient: {
      nhs_number: patient.nhsNumber,
      ...(system.rung === 'sealed' ? {} : { birth_date: patient.gpBirthDate ?? patient.birthDate }),
    },
    practitioner: {
      name: user.name,
      ...whenSet('sds_user_id', user.uid),
      ...whenSet('sds_role_profile_id', user.role_profile),
      role_codes: user.role_code === '' ? [] : [user.role_code],
      activity_codes: user.activities,
    },
    organization: { ods_code: user.ods },
    ...whenSet('intent', launch.intent),
    ...whenSet('encounter', launch.encounter),
    device: `${system.id} demonstration desktop`,
    // Nothing vouches for it on rung sealed.
    ...(system.rung === 'sealed' ? {} : { data: dataOf(patient) }),
  }
}

/** The launch before it is signed, its fault applied. Draws from the clock and the randomness handed in. */
export function draftLaunch(launch: Launch): LaunchDraft {
  const draft: LaunchDraft = {
    ...{ rung: launch.system.rung, claims: claimsOf(launch) },
    ...{ signing: 'own', delivery: 'once' },
  }
  return launch.fault === undefined ? draft : applyFault(launch.fault, draft)
}

const put = (target: Record<string, unknown>, path: string, value: unknown): void => {
  const [step = '', ...rest] = path.split('.')
  if (rest.length === 0) target[step] = value
  else {
    target[step] ??= {}
    put(target[step] as Record<string, unknown>, rest.join('.'), value)
  }
}

/** Our claims under a system's own names: the mapping of its registration, the other way round. */
export function underTheirNames(
  claims: LaunchTokenClaims,
  mapping: ClaimMapping,
): Readonly<Record<string, unknown>> {
  const theirs: Record<string, unknown> = {}
  const nested = new Set(['patient', 'practitioner', 'organization'])
  for (const [outer, value] of Object.entries(claims)) {
    const leaves: readonly (readonly [string, unknown])[] = nested.has(outer)
      ? Object.entries(value as object).map(([inner, leaf]) => [`${outer}.${inner}`, leaf])
      : [[outer, value]]
    for (const [name, leaf] of leaves)
      put(theirs, mapping[name as keyof ClaimMapping] ?? name, leaf)
  }
  return theirs
}

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

async function newSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  return { ...(await exportJWK(privateKey)), alg: 'ES256' }
}

/** `other-system` goes under the system's own `kid`, so that only the signature is wrong. */
async function signingKey(system: LaunchingSystem, signing: LaunchDraft['signing']): Promise<JWK> {
  if (signing === 'own') return system.key
  if (signing === 'unknown-key')
    return { ...(await newSigningKey()), kid: 'nobody-registered-this-key' }
  return { ...(system.otherKey ?? (await newSigningKey())), ...whenSet('kid', system.key.kid) }
}

/** A JWS of the claims as they are, under the draft's key. */
export async function signJws(
  system: LaunchingSystem,
  signing: LaunchDraft['signing'],
  typ: string,
  claims: Readonly<Record<string, unknown>>,
): Promise<{ readonly jws: string; readonly header: Readonly<Record<string, unknown>> }> {
  if (signing === 'none') {
    const header = { alg: 'none', typ }
    return { jws: `${base64url(header)}.${base64url(claims)}.`, header }
  }
  const jwk = await signingKey(system, signing)
  const header = { alg: jwk.alg ?? 'ES256', typ, ...whenSet('kid', jwk.kid) }
  const signer = new SignJWT({ ...claims }).setProtectedHeader(header)
  return { jws: await signer.sign(await importJWK(jwk, header.alg)), header }
}

/** The launch token of a system that signs (rungs `pushed` and `signed`). */
export async function buildLaunchToken(launch: Launch): Promise<BuiltLaunch> {
  const draft = draftLaunch(launch)
  const mapping = launch.system.claims ?? {}
  const signed = underTheirNames(draft.claims, mapping)
  const { jws, header } = await signJws(launch.system, draft.signing, 'launch+jwt', signed)
  if (draft.swapped === undefined) return { token: jws, header, claims: signed, draft }
  const claims = underTheirNames(draft.swapped, mapping)
  const [head, , signature] = jws.split('.')
  return { token: `${head}.${base64url(claims)}.${signature}`, header, claims, draft }
}

/** How a server that pushes proves itself. @see RFC 7523 §3; RFC 7521 §4.2 */
export async function buildAssertion(launch: Omit<Launch, 'user' | 'patient' | 'app'>) {
  const { system, gateway, clock, random } = launch
  const iat = seconds(clock())
  const { jws } = await signJws(system, 'own', 'JWT', {
    ...{ iss: system.id, sub: system.id, aud: gateway },
    ...{ iat, exp: iat + LIFETIME_SECONDS, jti: newJti(random) },
  })
  return jws
}

/**
 * Launch parameters sealed to the gateway's published encryption key (JWE compact, ECDH-ES, A256GCM).
 * @param gatewayKey the `use: enc` key of the gateway's JWKS
 */
export async function buildSealedLaunch(launch: Launch, gatewayKey: JWK): Promise<BuiltLaunch> {
  const draft = draftLaunch(launch)
  const claims = underTheirNames(draft.claims, launch.system.claims ?? {})
  const foreign = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
  const jwk = draft.signing === 'own' ? gatewayKey : await exportJWK(foreign.publicKey)
  const header = {
    ...{ alg: 'ECDH-ES', enc: 'A256GCM', typ: 'launch+jwt' },
    ...whenSet('kid', gatewayKey.kid),
  }
  const token = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader(header)
    .encrypt(await importJWK(jwk, 'ECDH-ES'))
  return { token, header, claims, draft }
}
