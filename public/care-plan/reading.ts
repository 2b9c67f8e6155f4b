/** Everything that is read before a plan is shown, and what it allows us to say. */
import { type CallFailed, type Connection, grantedTo, mustMark } from './connection.js'
import { dayOf } from './dates.js'
import type { Section } from './definition.js'
import { type Content, type Entries, type Finding, findingOf, type Index } from './finding.js'
import { type Banner, bannerOf, type FhirPatient } from './patient.js'
import { fetchEntries, fetchIndex, fetchPatient } from './record.js'
import { type Sight, sightOf } from './rights.js'

export interface Reading {
  readonly finding: Finding
  readonly patient: FhirPatient
  readonly index: Index
  readonly content: Content
  readonly entries: Entries
  readonly sight: Sight
  /** `scope` of the token response that it was read under. */
  readonly granted: string
  /** Under emergency access, which is for reading only. */
  readonly emergency: boolean
  readonly readAt: Date
  /** Why something is not known, where a read failed. */
  readonly failure: CallFailed | undefined
}

/** @throws CallFailed, ForeignPatient */
export async function readPlan(
  connection: Connection,
  sections: readonly Section[],
): Promise<Reading> {
  const [patient, index, found] = await Promise.all([
    fetchPatient(connection),
    fetchIndex(connection),
    fetchEntries(connection),
  ])
  const granted = grantedTo(connection)
  const sight = sightOf(granted, sections)
  return {
    finding: findingOf(index.value, found.value, sight.seen.length),
    patient,
    index: index.value,
    content: found.value,
    entries: found.entries,
    sight,
    granted,
    emergency: connection.token('__emergency') === true,
    readAt: new Date(),
    failure: index.failure ?? found.failure,
  }
}

/** Sections of templates that the definitions do not have, such as the next version of one. */
export function unknownIn({ entries, sight }: Pick<Reading, 'entries' | 'sight'>): number {
  const known = new Set([...sight.seen, ...sight.hidden].map(({ template }) => template))
  return [...entries.newest.keys()].filter((template) => !known.has(template)).length
}

/** Whether something was left out that no hidden section explains, such as by a policy that is newer than the token. */
export const isShort = ({ entries, sight }: Pick<Reading, 'entries' | 'sight'>): boolean =>
  entries.withheld && sight.hidden.length === 0

/** Whether sections that this role sees may be missing. */
export const isPartial = (plan: Pick<Reading, 'content' | 'entries' | 'sight'>): boolean =>
  plan.content === 'unread' || isShort(plan)

/** Whose plan it is, with what the launch says of it. */
export const bannerFor = (connection: Connection, { patient, readAt }: Reading): Banner =>
  bannerOf(
    patient,
    dayOf(readAt),
    mustMark(connection),
    connection.token('__nhs_number_replaced') === true,
  )
