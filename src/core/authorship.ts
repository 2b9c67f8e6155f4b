/** Who writes to the record, and when: from the token and our clock. A client's own word on it never goes on. */
import type { Access } from './access.js'
import { isObject, type Json } from './json.js'
import { Refusal } from './refusal.js'
import { plainText } from './text.js'
import type { EpochMs, Seconds } from './values.js'

const CHANGES = {
  composition_create: '249',
  composition_update: '251',
  composition_delete: '523',
} as const

interface Writer {
  readonly id: string
  readonly namespace: string
  readonly name: string
}

function writerOf({ user, grant }: Access): Writer {
  const id = user.sdsUserId ?? grant.subject
  const namespace = user.sdsUserId === undefined ? 'local' : 'https://fhir.nhs.uk/Id/sds-user-id'
  return { id, namespace, name: user.name ?? id }
}

/** Printable ASCII without what would end a quoted value: header values carry no more. */
const quoted = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/ł/g, 'l')
    .replace(/Ł/g, 'L')
    .replace(/[^\x20-\x7e]/g, '')
    .replace(/["\\]/g, ' ')
    .slice(0, 200)

/**
 * Who commits, in the words of both versions of the specification: a server reads one and leaves the other aside.
 * @see openEHR REST API 1.1, "openehr-audit-details"; 1.0, "openEHR-AUDIT_DETAILS"; openEHR terminology, "audit change type"
 */
export function auditHeaders(
  access: Access,
  interaction: keyof typeof CHANGES,
): Readonly<Record<string, string>> {
  const { id, namespace, name } = writerOf(access)
  const change = `code_string="${CHANGES[interaction]}"`
  const committer = [
    `name="${quoted(name)}"`,
    `external_ref.id="${quoted(id)}"`,
    `external_ref.namespace="${namespace}"`,
    'external_ref.type="PERSON"',
  ]
  const details = [`change_type.${change}`, ...committer.map((member) => `committer.${member}`)]
  return {
    'openehr-audit-details': details.join(','),
    'openehr-audit_details.change_type': change,
    'openehr-audit_details.committer': committer.join(', '),
  }
}

const partyOf = ({ id, namespace, name }: Writer) => ({
  _type: 'PARTY_IDENTIFIED',
  name: plainText(name, 200),
  external_ref: {
    _type: 'PARTY_REF',
    id: { _type: 'GENERIC_ID', value: id, scheme: namespace },
    namespace,
    type: 'PERSON',
  },
})

/** The token's person as a PARTY_IDENTIFIED: who composes, and who commits. */
export const committerOf = (access: Access) => partyOf(writerOf(access))

/** With its zone: without one, a reader elsewhere would take it for another hour. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

function startOf(said: unknown, now: EpochMs, skew: Seconds): string {
  const value = isObject(said) ? said.value : undefined
  if (typeof value === 'string' && TIME.test(value)) {
    if (Math.abs(Date.parse(value) - now) <= skew * 1000) return value
  }
  return new Date(now).toISOString()
}

/** Left out where the client left it out: a persistent composition has none. */
function contextOf({ context }: Json, now: EpochMs, skew: Seconds): Json {
  if (context === undefined) return {}
  if (!isObject(context)) throw new Refusal('body_unreadable', 'context of a COMPOSITION')
  const value = startOf(context.start_time, now, skew)
  return { context: { ...context, start_time: { _type: 'DV_DATE_TIME', value } } }
}

/**
 * A composition as it goes on: signed with the token's person, its time our own unless the client's
 * clock agrees with ours. The next reader sees both beside a section and judges by them.
 *
 * @param skew how far clocks may differ
 * @throws Refusal body_unreadable
 * @see openEHR RM, "EHR Information Model", COMPOSITION.composer, EVENT_CONTEXT.start_time
 */
export const authored = (composition: Json, access: Access, now: EpochMs, skew: Seconds): Json => ({
  ...composition,
  composer: committerOf(access),
  ...contextOf(composition, now, skew),
})
