/** What the launch brought of the GP system's own record, and what is said of it where something was taken over. */
import type { Offer } from '../../src/core/adoption.js'
import { feederAudit } from '../../src/core/feeder-audit.js'
import { ORGANIZATION_TAG, type Sender, SYSTEM_TAG } from '../../src/core/handed-over.js'
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
  const launch = oneLine(id).replace('-', '_')
  const tag = (system: string) => meta?.tag?.find((one) => one.system === system)
  const [system, organization] = [tag(SYSTEM_TAG), tag(ORGANIZATION_TAG)]
  if (
    bundle?.resourceType !== 'Bundle' ||
    !Array.isArray(entry) ||
    Number.isNaN(at) ||
    !launch.startsWith('lch_')
  )
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
  return { from, launch, gateway, resources }
}

/** What the record will be told of where it came from; the gateway proves it, and says it in its own words. */
export const adoptedOf = (
  { field, elements, item }: Offer,
  { from, launch, gateway }: GpRecord,
): Adopted => ({
  ...{ field, elements },
  audit: feederAudit({ from, item: item.id, launch, gateway }),
})
