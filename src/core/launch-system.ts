/** A registered launch system: who may launch, how it proves itself, and for whom it may speak. */
import type { Purpose, SystemRung } from './context.js'
import type { SupersedeRule } from './context-id.js'
import { STANDALONE } from './launch.js'
import type { Seconds } from './values.js'

/** Algorithms that a launch token or assertion may be signed with. */
export const LAUNCH_ALGORITHMS = ['ES256', 'ES384', 'RS384', 'EdDSA'] as const
export type LaunchAlgorithm = (typeof LAUNCH_ALGORITHMS)[number]

/** What a launch system is told of its launches' outcomes: with what was written, that it was, or nothing. */
export const OUTCOME_RULES = ['text', 'changes', 'never'] as const
export type OutcomeRule = (typeof OUTCOME_RULES)[number]

/** Where each of our claims stands in this system's token: our name → path in theirs, dots between steps. */
export type ClaimMapping = Readonly<Partial<Record<LaunchClaimName, string>>>
export type LaunchClaimName =
  | 'sub'
  | 'app'
  | 'patient.nhs_number'
  | 'patient.birth_date'
  | 'practitioner.name'
  | 'practitioner.sds_user_id'
  | 'practitioner.sds_role_profile_id'
  | 'practitioner.role_codes'
  | 'practitioner.activity_codes'
  | 'organization.ods_code'
  | 'purpose'
  | 'auth_time'
  | 'acr'
  | 'amr'
  | 'encounter'
  | 'intent'
  | 'fhirContext'
  | 'data'
  | 'episode'
  | 'context'
  | 'device'

/** Others' public keys: held inline, or fetched from the one registered URL. */
export type KeySource =
  | { readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } }
  | { readonly jwksUri: string }

export interface LaunchSystem {
  /** Our name for it; also the default `iss` of its tokens. */
  readonly id: string
  /** `iss` in what it signs, or its FHIR base for the `redeemed` rung. */
  readonly issuer: string
  readonly name: string
  readonly rung: SystemRung
  readonly keys?: KeySource
  readonly algorithms: readonly LaunchAlgorithm[]
  /** For `sealed` with `dir`: name of the environment variable or file that holds the secret; else ECDH-ES to our key. */
  readonly sealSecret?: string
  /** For `redeemed`: our registration at its authorization server. */
  readonly relay?: {
    readonly clientId: string
    readonly scope: string
    /** What that server calls itself; if left out, the FHIR base or its origin. */
    readonly issuer?: string
  }
  /** `launch`: its launches sign the user on; `provider`: the user signs on at the OpenID provider. */
  readonly signOn: 'launch' | 'provider'
  /** ODS codes for which it may speak; `*` alone for any. */
  readonly organizations: readonly string[]
  readonly apps: readonly string[]
  readonly purposes: readonly Purpose[]
  /** Origins that may frame this system's launches. */
  readonly frameAncestors: readonly string[]
  readonly claims: ClaimMapping
  /** Where its styles are, for apps that it embeds. @see SMART App Launch 2.2, "smart_style_url" */
  readonly styleUrl?: string
  /** Whether its later launches close its earlier ones, in the same browser, to writing. */
  readonly supersede: SupersedeRule
  /** What it is told of what was written in its launches. */
  readonly outcome: OutcomeRule
  /** Longest `exp - iat`. */
  readonly maxLifetime: Seconds
  /** What a launch that names none is for. */
  readonly defaultPurpose: Purpose
}

/** What stands for the system of a launch that no system made. It launches nothing and frames nothing. */
export const NO_SYSTEM: LaunchSystem = {
  id: STANDALONE,
  issuer: STANDALONE,
  name: 'The app',
  rung: 'sealed',
  algorithms: [],
  signOn: 'provider',
  organizations: [],
  apps: [],
  purposes: [],
  frameAncestors: [],
  claims: {},
  supersede: 'never',
  outcome: 'never',
  maxLifetime: 0,
  defaultPurpose: 'direct-care',
}
