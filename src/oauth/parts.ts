import type { AccessTokens } from '../access/access-token.js'
import type { CertificateOf } from '../access/certificate.js'
import type { Dpop } from '../access/dpop.js'
import type { Registry } from '../access/registry.js'
import type { Trail } from '../audit/trail.js'
import type { Offered } from '../core/authorization.js'
import type { KnowUser } from '../core/context.js'
import type { Policies } from '../core/decision.js'
import type { PatientFlags } from '../core/patient-flags.js'
import type { Clock, Random, Seconds } from '../core/values.js'
import type { Pages } from '../http/pages.js'
import type { Keys } from '../keys/signing.js'
import type { TrustedKeys } from '../keys/trusted.js'
import type { Sessions } from '../session/sessions.js'
import type { Store } from '../store/store.js'

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
  /** Where clients known by certificate reach us. */
  readonly mtls?: { readonly alias: string } | undefined
  readonly knowUser: KnowUser
  /** What the record says today of a patient (record/). @throws Refusal patient_unknown, record_unavailable, upstream_invalid */
  readonly patientFlags: (fhirId: string) => Promise<PatientFlags>
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
