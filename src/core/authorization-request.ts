/** What an app asks for at the authorize endpoint, read and checked: everything of it that needs no store. */
import { z } from 'zod'
import { has, registered } from './authorization.js'
import { readDetails } from './authorization-details.js'
import type { Client } from './client.js'
import { type Profile, profileOf } from './client-profile.js'
import { isThumbprint } from './dpop.js'
import { reachesPatient } from './launch-scopes.js'
import { isChallenge } from './pkce.js'
import { parameterFault, Refusal } from './refusal.js'
import type { Assurance } from './roles.js'
import { readScopes, type Scope } from './scope.js'
import type { Branded, EpochSeconds, Seconds } from './values.js'

/** An address that a registered client has registered, compared character by character. */
export type ProvenRedirect = Branded<string, 'ProvenRedirect'>

/** How an answer reaches the app. @see OAuth 2.0 Multiple Response Types §2.1; OAuth 2.0 Form Post Response Mode */
export const RESPONSE_MODES = ['query', 'form_post'] as const
export type ResponseMode = (typeof RESPONSE_MODES)[number]

/** Where and how the app is answered. */
export interface AppReturn {
  readonly to: ProvenRedirect
  readonly state?: string
  readonly mode: ResponseMode
}

/** What an app asks of the user's sign-on. @see OIDC Core §3.1.2.1 */
export interface Demand {
  /** `prompt=none`: no page may be shown. */
  readonly silent: boolean
  /** A sign-in before this does not count: `prompt=login`, or `max_age` counted back from now. */
  readonly since?: EpochSeconds
  /** The least that will do, by `acr_values` or an essential `acr` claim. */
  readonly assurance?: Assurance
  readonly loginHint?: string
  /** Whom the app expects, by `sub` of an id_token that we gave it. */
  readonly subject?: string
}

/** The part of an authorize request that a sign-on or a choice of patient needs. */
export interface AppAsk {
  readonly demand: Demand
  readonly needsPatient: boolean
  readonly answer: AppReturn
  /** Hash of the secret of the request that is kept meanwhile. */
  readonly request: string
}

/** An authorize request whose client and redirect have been proven before. */
export interface AuthorizationRequest {
  /** Absent in a standalone launch. */
  readonly launchHandle?: string
  readonly scopes: readonly Scope[]
  readonly challenge?: string
  readonly nonce?: string
  readonly demand: Demand
  readonly needsPatient: boolean
  /** Claims asked for by name (OIDC Core §5.5). */
  readonly claims: { readonly userinfo: readonly string[]; readonly idToken: readonly string[] }
  /** Whether the answer must say where the token is good (RFC 9396). */
  readonly detailed: boolean
  /** Thumbprint of the key to which the code is bound (RFC 9449 §10). */
  readonly dpopJkt?: string
}

type Parameters = ReadonlyMap<string, string>

const claimAsk = z.union([
  z.null(),
  z.looseObject({
    essential: z.boolean().optional(),
    value: z.unknown().optional(),
    values: z.array(z.unknown()).max(20).optional(),
  }),
])
const claimAsks = z.record(z.string().max(100), claimAsk).default({})
const claimsParameter = z.object({ userinfo: claimAsks, id_token: claimAsks })

/** OIDC Core §5.5: JSON, of which what is not understood is ignored. @throws Refusal parameter_invalid */
function readClaims(text: string | undefined) {
  if (text === undefined) return claimsParameter.parse({})
  try {
    if (text.length > 4000) throw new Error('too long')
    return claimsParameter.parse(JSON.parse(text))
  } catch (cause) {
    throw parameterFault('parameter_invalid', 'claims', { cause })
  }
}

const LONGEST_NONCE = 500

const LEVEL = /^(?:urn:nhs:)?AAL([123])(?:_|$)/

/** The least assurance that any of the names stands for; names that are not ours say nothing. */
function assuranceOf(names: readonly string[]): Assurance | undefined {
  const levels = names.flatMap((name) => {
    const [, level] = LEVEL.exec(name) ?? []
    return level === undefined ? [] : [Number(level) as Assurance]
  })
  return levels.length === 0 ? undefined : (Math.min(...levels) as Assurance)
}

const PROMPTS = new Set(['none', 'login', 'consent', 'select_account'])

function readPrompt(text: string): ReadonlySet<string> {
  const words = text.split(' ').filter((word) => word !== '')
  const alone = !words.includes('none') || words.length === 1
  if (!alone || words.some((word) => !PROMPTS.has(word)))
    throw parameterFault('parameter_invalid', 'prompt')
  return new Set(words)
}

function readMaxAge(text: string | undefined): Seconds | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw parameterFault('parameter_invalid', 'max_age')
  return Number(text)
}

/** @throws Refusal parameter_invalid, login_required */
function readDemand(
  sent: Parameters,
  claims: z.infer<typeof claimsParameter>,
  now: EpochSeconds,
): Demand {
  const prompt = readPrompt(sent.get('prompt') ?? '')
  const maxAge = readMaxAge(sent.get('max_age'))
  const again = prompt.has('login') || prompt.has('select_account')
  const since = again ? now : maxAge === undefined ? undefined : now - maxAge
  const { acr } = claims.id_token
  const named = acr ? [acr.value, ...(acr.values ?? [])].filter((v) => typeof v === 'string') : []
  const acrValues = (sent.get('acr_values') ?? '').split(' ').slice(0, 20)
  const assurance = assuranceOf(named.length > 0 ? named : acrValues)
  // §5.5.1.1: what is essential and cannot be had is "a failed authentication attempt", not a sign-in with less.
  if (acr?.essential && named.length > 0 && assurance === undefined)
    throw new Refusal('login_required', 'an essential acr that is none of ours')
  const loginHint = sent.get('login_hint')?.slice(0, 200)
  const subject = claims.id_token.sub?.value
  return {
    silent: prompt.has('none'),
    ...(since === undefined ? {} : { since }),
    ...(assurance === undefined ? {} : { assurance }),
    ...(loginHint === undefined ? {} : { loginHint }),
    ...(typeof subject === 'string' ? { subject } : {}),
  }
}

/** @throws Refusal parameter_invalid @see OAuth 2.0 Form Post Response Mode §2 */
export function readResponseMode(sent: Parameters): ResponseMode {
  const mode = RESPONSE_MODES.find((known) => known === (sent.get('response_mode') ?? 'query'))
  if (!mode) throw parameterFault('parameter_invalid', 'response_mode')
  return mode
}

/** RFC 7636 §4.4.1; RFC 9700 §2.1.1 (a nonce instead, where the app authenticates). @throws Refusal pkce_required */
function readChallenge(sent: Parameters, profile: Profile, client: Client): string | undefined {
  const challenge = sent.get('code_challenge')
  const method = sent.get('code_challenge_method')
  const spared =
    profile.pkce === 'unless-nonce' &&
    client.type !== 'public' &&
    (sent.has('nonce') || client.pkceOptional === true)
  if (challenge === undefined && method === undefined && spared) return undefined
  if (method !== 'S256' || !isChallenge(challenge ?? ''))
    throw new Refusal('pkce_required', 'code_challenge')
  return challenge
}

/** SMART: an `aud`, or RFC 8707's `resource`, without its trailing slash. @throws Refusal audience_invalid */
function checkAudience(
  sent: Parameters,
  profile: Profile,
  scopes: readonly Scope[],
  audiences: readonly string[],
): void {
  const aud = sent.get('aud') ?? sent.get('resource')
  const plain = scopes.every((scope) => scope.kind === 'plain' && !scope.name.startsWith('launch'))
  if (aud === undefined && profile.audience === 'for-data' && plain) return
  if (!audiences.includes((aud ?? '').replace(/\/$/, '')))
    throw new Refusal('audience_invalid', 'aud')
}

/**
 * A launch from the patient record brings a handle and asks for `launch`; one that the app begins itself asks
 * for `launch/patient`. Nothing else may reach a patient, by `patient/` or by `user/` scopes.
 *
 * @throws Refusal launch_scope_missing, launch_required
 * @see SMART App Launch 2.2, "Scopes for requesting context data"
 */
function checkLaunch(handle: string, scopes: readonly Scope[]): void {
  if (handle !== '' && !has(scopes, 'launch')) throw new Refusal('launch_scope_missing', 'launch')
  if (handle !== '') return
  if (has(scopes, 'launch')) throw new Refusal('launch_required', 'scope launch')
  if (reachesPatient(scopes) && !has(scopes, 'launch/patient'))
    throw new Refusal('launch_required', 'patient scopes')
}

/**
 * Checks everything of an authorize request that needs no store.
 *
 * @param audiences what `aud` may name, without trailing slash: our issuer and our FHIR base
 * @throws Refusal grant_type_unregistered, response_type_unsupported, parameter_missing, parameter_invalid,
 *   audience_invalid, pkce_required, scope_invalid, launch_scope_missing, launch_required, details_invalid, login_required
 * @see SMART App Launch 2.2, "Request authorization code"; RFC 6749 §4.1.1; OIDC Core §3.1.2.1
 */
export function readAuthorization(
  sent: Parameters,
  client: Client,
  audiences: readonly [issuer: string, fhir: string],
  now: EpochSeconds,
): AuthorizationRequest {
  const profile = profileOf(client)
  if (!client.grantTypes.includes('authorization_code'))
    throw new Refusal('grant_type_unregistered', client.id)
  if (!sent.has('response_type')) throw parameterFault('parameter_missing', 'response_type')
  if (sent.get('response_type') !== 'code')
    throw new Refusal('response_type_unsupported', 'response_type')
  if (profile.state === 'required' && (sent.get('state') ?? '') === '')
    throw parameterFault('parameter_missing', 'state')
  const scopes = registered(readScopes(sent.get('scope') ?? ''), client)
  checkAudience(sent, profile, scopes, audiences)
  const challenge = readChallenge(sent, profile, client)
  if (scopes.length === 0) throw new Refusal('scope_invalid', 'nothing of the scope is registered')
  const handle = sent.get('launch') ?? ''
  checkLaunch(handle, scopes)
  const details = sent.get('authorization_details')
  const detailed = readDetails(details, client.detailTypes ?? [], audiences[1])
  const claims = readClaims(sent.get('claims'))
  const nonce = sent.get('nonce')
  // It comes back as it was, or not at all (OIDC Core §3.1.3.7, 11).
  if ((nonce?.length ?? 0) > LONGEST_NONCE) throw parameterFault('parameter_invalid', 'nonce')
  const dpopJkt = sent.get('dpop_jkt')
  if (dpopJkt !== undefined && !isThumbprint(dpopJkt))
    throw parameterFault('parameter_invalid', 'dpop_jkt')
  return {
    ...(handle === '' ? {} : { launchHandle: handle }),
    scopes,
    ...(challenge === undefined ? {} : { challenge }),
    ...(nonce === undefined ? {} : { nonce }),
    demand: readDemand(sent, claims, now),
    needsPatient: has(scopes, 'launch/patient'),
    detailed,
    claims: {
      userinfo: Object.keys(claims.userinfo).slice(0, 50),
      idToken: Object.keys(claims.id_token).slice(0, 50),
    },
    ...(dpopJkt === undefined ? {} : { dpopJkt }),
  }
}
