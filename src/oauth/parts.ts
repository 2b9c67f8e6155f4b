import type { AccessTokens } from '../access/access-token.js'
import type { CertificateOf } from '../access/certificate.js'
import type { Dpop } from '../access/dpop.js'
import type { Registry } from '../access/registry.js'
import type { Trail } from '../audit/trail.js'
import type { Offered } from '../core/authorization.js'
import type { MetadataRules } from '../core/client-metadata.js'
import type { KnowUser, RecordedAs } from '../core/context.js'
import type { Policies } from '../core/decision.js'
import type { KeySource } from '../core/launch-system.js'
import type { PatientFlags } from '../core/patient-flags.js'
import type { Clock, Random, Seconds } from '../core/values.js'
import type { Pages } from '../http/pages.js'
import type { Keys } from '../keys/signing.js'
import type { TrustedKeys } from '../keys/trusted.js'
import type { Sessions } from '../session/sessions.js'
import type { Store } from '../store/store.js'

/** How apps may register themselves. */
export interface Registering extends Omit<MetadataRules, 'certificates'> {
  readonly by: 'initial-token' | 'software-statement'
  /** How many apps may stand in the store. */
  readonly most: number
  /** Whose software statements count. */
  readonly issuers: readonly {
    readonly issuer: string
    readonly keys: KeySource
    readonly algorithms: readonly string[]
  }[]
  /** Reads a key set at an address that somebody registers (keys/). @throws Error where there is none */
  readonly readKeys: (address: string) => Promise<void>
}

export interface OAuthParts {
  readonly issuer: string
  readonly bases: { readonly fhir: string; readonly openehr: string }
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  readonly keys: Keys
  readonly tokens: AccessTokens
  readonly trusted: TrustedKeys
  readonly registry: Registry
  readonly dpop: Dpop
  readonly sessions: Sessions
  readonly policies: Policies & { mayRead(): boolean }
  readonly offered: Offered
  /** Styles for apps whose launch system has none of its own. */
  readonly styleUrl?: string | undefined
  /** Whether any app is told of styles: a capability. */
  readonly styled: boolean
  /** None may, where it is left out. */
  readonly registration?: Registering | undefined
  /** Where clients known by certificate reach us. */
  readonly mtls?: { readonly alias: string } | undefined
  readonly knowUser: KnowUser
  /** What is said of a patient today: see record/tenants.ts. @throws Refusal patient_unknown, record_unavailable, upstream_invalid */
  readonly patientFlags: (known: readonly RecordedAs[], last: PatientFlags) => Promise<PatientFlags>
  readonly pages: Pages
  readonly certificateOf: CertificateOf
  readonly skew: Seconds
  readonly lifetimes: {
    readonly code: Seconds
    readonly pending: Seconds
    readonly pushed: Seconds
    readonly offline: Seconds
    readonly access_token: Seconds
    readonly session_idle: Seconds
  }
}
