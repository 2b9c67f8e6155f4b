/** What a section was before: its versions at the record, newest first, each with what it changed. */
import { authorOf, type Composition, type Entry, unshown, valuesOf } from './composition.js'
import { CallFailed, type Connection } from './connection.js'
import type { Field, Section } from './definition.js'
import { changedFields } from './merge.js'
import { compositions, objectOf } from './record.js'
import { sourcesOf, type Told } from './sourced.js'
import { oneLine } from './text.js'

export interface FieldChange {
  readonly field: Field
  readonly before: string
  readonly after: string
  /** What of it came from the GP record since the version before. */
  readonly sources: readonly Told[]
}

export interface Version {
  readonly uid: string
  readonly by: string
  readonly at: Date | undefined
  /** Field by field, against the version before; `undefined` for a version that could not be read. */
  readonly changes: readonly FieldChange[] | undefined
  /** It has no version before it. */
  readonly first: boolean
  /** Something changed that none of the fields show. */
  readonly beside: boolean
}

export interface History {
  /** Newest first. */
  readonly versions: readonly Version[]
  /** Older versions that are not among them. */
  readonly older: number
}

/** More are read only when somebody asks: each is a call. */
const MOST_VERSIONS = 10
const ALL_VERSIONS = 50

interface Audit {
  readonly uid: string
  readonly by: string
  readonly at: Date | undefined
}

interface RevisionItem {
  readonly version_id?: { readonly value?: unknown }
  readonly audits?: readonly {
    readonly committer?: { readonly name?: unknown }
    readonly time_committed?: { readonly value?: unknown }
  }[]
}

const numberOf = (uid: string): number => Number(uid.split('::')[2] ?? 0)

/** @throws CallFailed when it is no history of this object */
function readAudits(json: unknown, object: string): readonly Audit[] {
  const items = (json as { items?: unknown } | null)?.items
  if (!Array.isArray(items)) throw new CallFailed('failed')
  return (items as RevisionItem[])
    .map(({ version_id: id, audits }) => {
      const [audit] = audits ?? []
      const at = new Date(String(audit?.time_committed?.value ?? ''))
      const uid = String(id?.value ?? '')
      if (objectOf(uid) !== object) throw new CallFailed('failed')
      return {
        uid,
        by: oneLine(audit?.committer?.name),
        at: Number.isNaN(at.getTime()) ? undefined : at,
      }
    })
    .sort((a, b) => numberOf(b.uid) - numberOf(a.uid))
}

/** What one version changed, field by field. */
export function changesBetween(
  section: Section,
  before: Composition | undefined,
  after: Composition,
): readonly FieldChange[] {
  const [was, is] = [valuesOf(section, before), valuesOf(section, after)]
  const changed = changedFields(section, was, is)
  const [old, now] = [sourcesOf(section, before?.content), sourcesOf(section, after.content)]
  const fresh = (id: string) => {
    const known = (old.get(id) ?? []).map((one) => JSON.stringify(one))
    return (now.get(id) ?? []).filter((one) => !known.includes(JSON.stringify(one)))
  }
  return section.fields
    .filter(({ id }) => changed.includes(id))
    .map((field) => ({
      ...{ field, before: was[field.id] ?? '', after: is[field.id] ?? '' },
      sources: fresh(field.id),
    }))
}

/**
 * @param most how many versions to read
 * @throws CallFailed
 */
async function fetchHistory(
  connection: Connection,
  section: Section,
  entry: Entry,
  most: number,
): Promise<History> {
  const base = compositions(connection)
  const object = objectOf(entry.version)
  const past = base.replace(/\/composition$/, '/versioned_composition')
  const { json } = await connection.call(`${past}/${encodeURIComponent(object)}/revision_history`)
  const audits = readAudits(json, object)
  // One more than is shown: what the last one changed is seen against it.
  const read = await Promise.all(
    audits.slice(0, most + 1).map(async ({ uid }) => {
      try {
        const answer = await connection.call(`${base}/${encodeURIComponent(uid)}`)
        const composition = answer.json as Composition | undefined
        return composition?._type === 'COMPOSITION' ? composition : undefined
      } catch (error) {
        if (error instanceof CallFailed && error.why === 'ended') throw error
        return undefined
      }
    }),
  )
  const versions = audits.slice(0, most).map(({ uid, by, at }, i): Version => {
    const [after, before] = [read[i], read[i + 1]]
    const first = i === audits.length - 1
    const known = after !== undefined && (first || before !== undefined)
    const author = after && authorOf(after)
    return {
      uid,
      by: by || author?.name || 'author not recorded',
      at: at ?? author?.at,
      changes: known ? changesBetween(section, before, after) : undefined,
      first,
      beside: known && unshown(section, after) !== (before ? unshown(section, before) : 0),
    }
  })
  return { versions, older: Math.max(0, audits.length - most) }
}

/** @param more whether to read older versions too */
export type Asked = readonly [section: Section, entry: Entry, more: boolean]

/**
 * @param failed is told first of what went wrong: it may be the end of the session
 * @throws CallFailed
 */
export async function readHistory(
  connection: Connection,
  [section, entry, more]: Asked,
  failed: (error: unknown) => void,
): Promise<History> {
  try {
    return await fetchHistory(connection, section, entry, more ? ALL_VERSIONS : MOST_VERSIONS)
  } catch (error) {
    failed(error)
    throw error
  }
}
