/** What the handlers of FHIR interactions take and give. A bundle's entry is handled as a call of its own. */
import type { Access } from '../core/access.js'
import type { FhirDataCall } from '../core/fhir.js'
import type { FhirRelease } from '../core/fhir-own.js'
import type { Json } from '../core/json.js'
import { Refusal } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import type { ProxyParts } from './parts.js'

/** One interaction that was asked for, with what came beside it. */
export interface FhirAsked<C extends FhirDataCall = FhirDataCall> {
  readonly call: C
  /** Parsed; absent where the interaction has none. */
  readonly body?: unknown
  readonly ifMatch?: string
  readonly ifNoneExist?: string
  /** Whether what now stands is to be left out of a write's answer. */
  readonly minimal?: boolean
}

/** An answer, whether it leaves by itself or as an entry. */
export interface FhirAnswer {
  readonly status: number
  readonly body?: Json
  readonly etag?: string
  readonly lastModified?: string
  readonly location?: string
}

/** How long the entries of one bundle may take together: each may wait for the record as long as a call by itself. */
const LONGEST_MS: EpochMs = 30_000

/** Throws once a bundle has taken too long. @throws Refusal record_unavailable */
export function withinTime({ clock }: ProxyParts): () => void {
  const until = clock() + LONGEST_MS
  return () => {
    if (clock() > until)
      throw new Refusal('record_unavailable', 'fhir: a bundle that takes too long')
  }
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
