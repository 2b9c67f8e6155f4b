/** What the launch brought of the GP system's own record: read when a form first needs it, and for this launch only. */
import type { Offer } from '../../src/core/adoption.js'
import { feederAudit } from '../../src/core/feeder-audit.js'
import {
  HANDOVER_ROLE,
  ORGANIZATION_TAG,
  type Sender,
  SYSTEM_TAG,
} from '../../src/core/handed-over.js'
import { CallFailed, type Connection } from './connection.js'
import { ForeignPatient } from './finding.js'
import type { Adopted } from './sourced.js'
import { oneLine } from './text.js'

export interface GpRecord {
  readonly from: Sender
  readonly launch: string
  readonly gateway: string
  readonly resources: readonly unknown[]
}

interface Tag {
  readonly system?: unknown
  readonly code?: unknown
  readonly display?: unknown
}

interface Bundle {
  readonly resourceType?: unknown
  readonly id?: unknown
  readonly timestamp?: unknown
  readonly meta?: { readonly tag?: readonly Tag[] }
  readonly entry?: readonly { readonly resource?: unknown }[]
}

type Whose = Readonly<Record<'subject' | 'patient', { readonly reference?: unknown } | undefined>>

/** @throws TypeError when it is no such Bundle; ForeignPatient when something of it is somebody else's */
export function readGpRecord(json: unknown, gateway: string, patient: string): GpRecord {
  const bundle = json as Bundle | null
  const { id, timestamp, meta, entry = [] } = bundle ?? {}
  const at = Date.parse(String(timestamp))
  const tag = (system: string) => meta?.tag?.find((one) => one.system === system)
  const [system, organization] = [tag(SYSTEM_TAG), tag(ORGANIZATION_TAG)]
  if (bundle?.resourceType !== 'Bundle' || !Array.isArray(entry) || Number.isNaN(at))
    throw new TypeError('not what a launch brought')
  const resources = entry.flatMap(({ resource }) => resource ?? [])
  for (const resource of resources) {
    const { subject, patient: whose } = resource as Partial<Whose>
    if ((subject ?? whose)?.reference !== `Patient/${patient}`)
      throw new ForeignPatient('GP record')
  }
  const named = oneLine(organization?.display)
  const from = {
    ...{ system: oneLine(system?.code), name: oneLine(system?.display) || oneLine(system?.code) },
    organization: oneLine(organization?.code),
    ...(named === '' ? {} : { organizationName: named }),
    at,
  }
  return { from, launch: oneLine(id).replace('-', '_'), gateway, resources }
}

const addressIn = (context: unknown): string | undefined => {
  const items = Array.isArray(context) ? (context as readonly Record<string, unknown>[]) : []
  const reference = items.find(({ role }) => role === HANDOVER_ROLE)?.reference
  return typeof reference === 'string' && /^Bundle\/[\w.-]{1,64}$/.test(reference)
    ? reference
    : undefined
}

export type ReadGpRecord = () => Promise<GpRecord>

/**
 * Reads it once, and again only after it could not be read; `undefined` where the launch brought nothing.
 * What it does throws CallFailed, TypeError, ForeignPatient.
 */
export function gpRecordOf(connection: Connection): ReadGpRecord | undefined {
  const address = addressIn(connection.token('fhirContext'))
  if (address === undefined) return undefined
  let reading: Promise<GpRecord> | undefined
  const read = async () => {
    const { json } = await connection.call(`${connection.fhir}/${address}`)
    return readGpRecord(json, new URL(connection.fhir).host, connection.patient)
  }
  return () => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined
      throw error
    })
    return reading
  }
}

/** Why a form has nothing to offer, in words for its user. */
export const unreadWords = (error: unknown): string => {
  if (!(error instanceof CallFailed))
    return 'What the GP record sent with this launch could not be understood.'
  return error.why === 'absent' || error.why === 'refused'
    ? 'What the GP record sent with this launch is not available to you any more, or not to your role.'
    : 'What the GP record sent with this launch could not be loaded.'
}

/** What the record will be told of where it came from; the gateway proves it, and says it in its own words. */
export const adoptedOf = (
  { field, elements, item }: Offer,
  { from, launch, gateway }: GpRecord,
): Adopted => ({
  ...{ field, elements },
  audit: feederAudit({ from, item: item.id, launch, gateway }),
})
