/**
 * How a value in a COMPOSITION says that it came from the GP record: the system and the organisation that sent it, the
 * item, and the launch that brought it. Written anew by the gateway on its way in (provenance.ts).
 *
 * @see openEHR RM 1.1.0, "Common IM", FEEDER_AUDIT, FEEDER_AUDIT_DETAILS
 */
import type { Sourced } from './adoption.js'
import { ORGANIZATION_TAG, type Sender } from './handed-over.js'
import { isObject } from './json.js'

/** An item of what a launch brought. */
export interface Brought {
  readonly from: Sender
  /** `Condition/problem-1`. */
  readonly item: string
  readonly launch: string
  /** The gateway that it came through: its host. */
  readonly gateway: string
}

/** What the gateway saw a launch bring, of something that was taken over into a field and not saved yet. */
export interface Witness extends Omit<Brought, 'gateway'> {
  readonly field: string
  readonly text: string
  /** What the section made of it. */
  readonly elements: readonly Sourced[]
}

export function feederAudit({ from, item, launch, gateway }: Brought) {
  const { system, name, organization, organizationName = organization } = from
  const time = { _type: 'DV_DATE_TIME', value: new Date(from.at).toISOString() }
  return {
    _type: 'FEEDER_AUDIT',
    originating_system_item_ids: [
      { _type: 'DV_IDENTIFIER', issuer: name, assigner: organization, id: item, type: 'FHIR R4' },
    ],
    originating_system_audit: {
      _type: 'FEEDER_AUDIT_DETAILS',
      system_id: system,
      location: {
        _type: 'PARTY_IDENTIFIED',
        name: organizationName,
        external_ref: {
          _type: 'PARTY_REF',
          id: { _type: 'GENERIC_ID', value: organization, scheme: ORGANIZATION_TAG },
          namespace: ORGANIZATION_TAG,
          type: 'ORGANISATION',
        },
      },
      time,
    },
    feeder_system_audit: {
      ...{ _type: 'FEEDER_AUDIT_DETAILS', system_id: gateway, time, version_id: launch },
    },
  } as const
}

export interface Source {
  readonly item: string
  /** The launch system's name. */
  readonly system: string
  /** The organisation's name, or its code. */
  readonly organization: string
  /** When it was sent, as ISO. */
  readonly at: string
  readonly launch: string
}

const part = (value: unknown, ...names: readonly string[]): unknown =>
  names.reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), value)

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : undefined)

const words = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What it says; `undefined` for one that tells of no launch: what other systems wrote is theirs to read. */
export function sourceOf(audit: unknown): Source | undefined {
  const id = first(part(audit, 'originating_system_item_ids'))
  const details = part(audit, 'originating_system_audit')
  const source = {
    item: words(part(id, 'id')),
    system: words(part(id, 'issuer')) || words(part(details, 'system_id')),
    organization: words(part(details, 'location', 'name')),
    at: words(part(details, 'time', 'value')),
    launch: words(part(audit, 'feeder_system_audit', 'version_id')),
  }
  return source.item !== '' && source.launch.startsWith('lch_') ? source : undefined
}
