/** The record's reads and writes that this app makes, and what their answers prove. */
import {
  type Author,
  type Composition,
  composed,
  type Entry,
  revised,
  valuesOf,
} from './composition.js'
import { type Answer, CallFailed, type Connection } from './connection.js'
import type { Section, Values } from './definition.js'
import {
  type Content,
  type Entries,
  ForeignPatient,
  type Index,
  readEntries,
  readIndex,
} from './finding.js'
import { changedFields } from './merge.js'
import { type FhirPatient, readPatient } from './patient.js'
import { maySearchSections } from './rights.js'
import { type Adopted, settledValues } from './sourced.js'

const QUERY = 'care-plan::sections'

/** @throws CallFailed, ForeignPatient when the record answers with anyone but the launch's patient */
export async function fetchPatient(connection: Connection): Promise<FhirPatient> {
  const id = connection.patient
  const { json } = await connection.call(`${connection.fhir}/Patient/${encodeURIComponent(id)}`)
  const patient = readPatient(json, id)
  if (!patient) throw new ForeignPatient('Patient')
  return patient
}

/** A failure that ends everything must not be taken for a search that merely did not answer. */
function unlessFatal(error: unknown): CallFailed {
  if (error instanceof ForeignPatient) throw error
  if (error instanceof CallFailed && error.why === 'ended') throw error
  return error instanceof CallFailed ? error : new CallFailed('failed')
}

export interface Searched<T> {
  readonly value: T
  /** Why it is not known, where it is not. */
  readonly failure?: CallFailed
}

export async function fetchIndex(connection: Connection): Promise<Searched<Index>> {
  const search = new URLSearchParams({ patient: connection.patient })
  try {
    const { json } = await connection.call(`${connection.fhir}/CarePlan?${search}`)
    return { value: readIndex(json, connection.patient) }
  } catch (error) {
    return { value: 'unread', failure: unlessFatal(error) }
  }
}

const NO_ENTRIES: Entries = { newest: new Map(), several: new Set(), withheld: false }

export type FoundEntries = Searched<Content> & { readonly entries: Entries }

export async function fetchEntries(connection: Connection): Promise<FoundEntries> {
  const granted = String(connection.token('scope') ?? '')
  const ehrId = connection.token('ehrId')
  if (typeof ehrId !== 'string') return { value: 'no-ehr', entries: NO_ENTRIES }
  if (!maySearchSections(granted, QUERY)) return { value: 'withheld', entries: NO_ENTRIES }
  try {
    const search = new URLSearchParams({ ehr_id: ehrId })
    const { json } = await connection.call(`${connection.openEhr}/query/${QUERY}?${search}`)
    const entries = readEntries(json, ehrId)
    const none = entries.withheld ? 'hidden' : 'empty'
    return { value: entries.newest.size > 0 ? 'found' : none, entries }
  } catch (error) {
    return { value: 'unread', failure: unlessFatal(error), entries: NO_ENTRIES }
  }
}

export const compositions = (connection: Connection): string =>
  `${connection.openEhr}/ehr/${encodeURIComponent(String(connection.token('ehrId')))}/composition`

/** The object that a version belongs to: `object::system::version`. */
export const objectOf = (version: string): string => version.split('::')[0] ?? version

async function fetchEntry(connection: Connection, object: string): Promise<Entry> {
  const url = `${compositions(connection)}/${encodeURIComponent(object)}`
  const { json, version } = await connection.call(url)
  const composition = json as Composition | undefined
  const named = composition?.uid?.value ?? version
  if (composition?._type !== 'COMPOSITION' || !named) throw new CallFailed('failed')
  return { version: named, composition }
}

export type Saved =
  | { readonly outcome: 'saved'; readonly entry: Entry }
  /** Somebody else saved first: `entry` is theirs. */
  | { readonly outcome: 'stale'; readonly entry: Entry }
  /** It was taken, but the record holds something else than what was sent. */
  | { readonly outcome: 'altered'; readonly entry: Entry }

async function write(connection: Connection, base: Entry | undefined, body: Composition) {
  const object = base ? `/${encodeURIComponent(objectOf(base.version))}` : ''
  return connection.call(`${compositions(connection)}${object}`, {
    method: base ? 'PUT' : 'POST',
    headers: {
      'content-type': 'application/json',
      prefer: 'return=representation',
      ...(base ? { 'if-match': `"${base.version}"` } : {}),
    },
    body: JSON.stringify(body),
  })
}

/** The section's entry as it now stands, when somebody else has begun it since it was read as empty. */
async function begunByOther(connection: Connection, section: Section): Promise<Entry | undefined> {
  const { value, failure, entries } = await fetchEntries(connection)
  if (value === 'unread') throw failure ?? new CallFailed('failed')
  return entries.newest.get(section.template)
}

/**
 * What the entry that stands there means for what was to be saved.
 * @param other what it is when it says something else: after a conflict theirs, unless it is ours that had
 * arrived although its answer was lost on the way
 */
function compared(
  section: Section,
  entry: Entry,
  values: Values,
  other: 'stale' | 'altered',
): Saved {
  const ours = changedFields(section, valuesOf(section, entry.composition), values).length === 0
  return { outcome: ours ? 'saved' : other, entry }
}

/** @throws CallFailed when the composition would not say what was typed: a save would lose it in silence */
function requireFit(section: Section, body: Composition, values: Values): void {
  const lost = changedFields(section, valuesOf(section, body), values)
  const titles = section.fields.filter(({ id }) => lost.includes(id)).map(({ title }) => title)
  if (titles.length > 0) throw new CallFailed('unfit', `It concerns: ${titles.join(', ')}.`)
}

/**
 * Saves a section over the version that was read, or begins it.
 * @param adopted what was taken over from the GP record, of which some may have been changed since
 * @throws CallFailed when it was not saved, or (`unsettled`) when that is not known
 */
export async function save(
  connection: Connection,
  section: Section,
  base: Entry | undefined,
  typed: Values,
  author: Author,
  adopted: readonly Adopted[] = [],
): Promise<Saved> {
  const values = settledValues(section, base?.composition.content, typed, adopted)
  if (!base) {
    const other = await begunByOther(connection, section)
    if (other) return compared(section, other, values, 'stale')
  }
  const before = valuesOf(section, base?.composition)
  const changed = changedFields(section, before, values)
  const body = base
    ? revised(section, base.composition, values, changed, author, adopted)
    : composed(section, values, author, adopted)
  requireFit(section, body, values)
  let answer: Answer
  try {
    answer = await write(connection, base, body)
  } catch (error) {
    if (!(error instanceof CallFailed) || error.why !== 'stale') throw error
    // What stands there may be ours: browsers send again by themselves when a connection breaks.
    const theirs = await unsettled(() =>
      base ? fetchEntry(connection, objectOf(base.version)) : begunByOther(connection, section),
    )
    if (!theirs) throw error
    return compared(section, theirs, values, 'stale')
  }
  const entry = await unsettled(() => entryOf(connection, answer))
  return compared(section, entry, values, 'altered')
}

/** What the record wrote: out of its answer, or read after it. */
async function entryOf(connection: Connection, { json, version }: Answer): Promise<Entry> {
  const written = json as Composition | undefined
  const named = version ?? written?.uid?.value
  if (!named) throw new CallFailed('failed')
  return written?._type === 'COMPOSITION'
    ? { version: named, composition: written }
    : fetchEntry(connection, objectOf(named))
}

/** Reading after a write was sent: when that fails, it stays open what became of the write. */
async function unsettled<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error
    throw new CallFailed(error.why, error.words, error.reference, true)
  }
}
