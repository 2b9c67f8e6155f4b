/** What the handlers of FHIR interactions take and give. A bundle's entry is handled as a call of its own. */
import type { Access } from '../core/access.js'
import type { FhirDataCall } from '../core/fhir.js'
import type { FhirRelease } from '../core/fhir-own.js'
import type { Json } from '../core/json.js'
import type { ProxyParts } from './parts.js'
import type { Meanwhile } from './standing.js'

/** One interaction that was asked for, with what came beside it. */
export interface FhirAsked<C extends FhirDataCall = FhirDataCall> extends Meanwhile {
  readonly call: C
  /** Parsed; absent where the interaction has none. */
  readonly body?: unknown
  readonly ifMatch?: string
  readonly ifNoneExist?: string
  /** Whether what now stands is to be left out of a write's answer. */
  readonly minimal?: boolean
}

/** Interactions that change nothing. */
export const READS: ReadonlySet<FhirDataCall['interaction']> = new Set([
  ...(['read', 'vread', 'history', 'search'] as const),
])

/** An answer, whether it leaves by itself or as an entry. */
export interface FhirAnswer {
  readonly status: number
  readonly body?: Json
  readonly etag?: string
  readonly lastModified?: string
  readonly location?: string
}

/** Who asks, and whose data may pass. */
export function releaseFor(
  { policies, base, record }: ProxyParts,
  access: Access,
  patient: string,
): FhirRelease {
  const { nhsNumber } = access.grant
  const whose = { patient, upstream: record.bases.fhir }
  return {
    access,
    policies,
    base,
    whose: nhsNumber === undefined ? whose : Object.assign(whose, { nhsNumber }),
  }
}
