/** The record behind us: a FHIR server and an openEHR server, of which the gateway is the only caller. */
import type { BirthDate, KnownPatient, NhsNumber } from '../core/context.js'
import type { PatientFlags } from '../core/patient-flags.js'
import type { Clock } from '../core/values.js'
import { findFlags, findPatient } from './patient.js'
import { templatesIn } from './plan.js'
import {
  type Limits,
  openUpstream,
  type UpstreamAnswer,
  type UpstreamCall,
  type UpstreamParts,
  type UpstreamSettings,
} from './upstream.js'

export type { UpstreamAnswer } from './upstream.js'
export type UpstreamName = 'fhir' | 'openehr'

/** What servers differ in. */
export interface OpenEhrSettings {
  /** Under which an EHR's subject is named by NHS number. */
  readonly subjectNamespace: string
  /** How it reads the version in `If-Match`. */
  readonly ifMatch: 'quoted' | 'bare'
}

export interface RecordSettings {
  readonly fhir: UpstreamSettings
  readonly openehr: UpstreamSettings & OpenEhrSettings
  readonly limits?: Partial<Limits>
  readonly clock: Clock
  readonly told?: UpstreamParts['told']
}

export interface SharedRecord extends OpenEhrSettings {
  /** The largest answer: of what is read for one of ours, all together may be no more. */
  readonly mostBytes: number
  /** The addresses behind us, which no answer of ours may show. */
  readonly bases: Readonly<Record<UpstreamName, string>>
  /** See patient.ts. @throws Refusal patient_unknown, patient_mismatch, record_unavailable, upstream_invalid */
  findPatient(nhsNumber: NhsNumber, birthDate: BirthDate): Promise<KnownPatient>
  /** Sensitivity and death as they stand now. See patient.ts. @throws Refusal patient_unknown, record_unavailable, upstream_invalid */
  patientFlags(fhirId: string): Promise<PatientFlags>
  /** What an EHR holds of the plan, by template. See plan.ts. @throws Refusal record_unavailable, upstream_invalid */
  templatesIn(ehrId: string): Promise<readonly string[]>
  /**
   * Sends on a call that has been judged, with our credential. Answers 2xx, 400, 404, 405, 406, 409,
   * 410, 412, 415 and 422; nothing of a client's headers but an allow-list goes on or comes back.
   *
   * @throws Refusal record_unavailable (down, slow, busy), upstream_invalid (redirect, too large, no JSON)
   */
  forward(call: UpstreamCall & { readonly upstream: UpstreamName }): Promise<UpstreamAnswer>
  close(): Promise<void>
}

const LIMITS: Limits = { bytes: 10 * 1024 * 1024, connections: 64 }

export function openRecord(settings: RecordSettings): SharedRecord {
  const { clock, told } = settings
  const parts = { limits: { ...LIMITS, ...settings.limits }, clock, ...(told ? { told } : {}) }
  const fhir = openUpstream('fhir', settings.fhir, parts)
  const { subjectNamespace, ifMatch } = settings.openehr
  const openehr = { ...openUpstream('openehr', settings.openehr, parts), subjectNamespace }
  return {
    ...{ subjectNamespace, ifMatch, mostBytes: parts.limits.bytes },
    bases: { fhir: fhir.base, openehr: openehr.base },
    findPatient: (nhsNumber, birthDate) => findPatient(fhir, openehr, nhsNumber, birthDate),
    patientFlags: (fhirId) => findFlags(fhir, fhirId),
    templatesIn: (ehrId) => templatesIn(openehr, ehrId),
    forward: ({ upstream, ...call }) => (upstream === 'fhir' ? fhir : openehr).call(call),
    async close() {
      await Promise.all([fhir.close(), openehr.close()])
    },
  }
}
