/**
 * The chain that makes the trail tamper-evident: each entry's hash covers its every other member, the
 * hash of the entry before it included. One writer, one chain: 1, 2, 3 … without a gap.
 */
import type { Happening, TrailEntry } from './audit.js'
import { sha256 } from './ids.js'
import type { EpochMs, Random } from './values.js'

/** Where a chain stands: its last entry's number and hash. */
export interface Link {
  readonly writer: string
  readonly seq: number
  readonly hash: string
}

/** What the first entry of a chain follows. */
export const genesis = (writer: string): Link => ({ writer, seq: 0, hash: '' })

/** A writer's name tells when it was opened: none of its entries is older. Sorts in the order of time. */
export const newWriter = (now: EpochMs, random: Random): string =>
  `wrt_${now.toString(36).padStart(9, '0')}${Buffer.from(random(8)).toString('hex')}`

/** When a writer was opened; 0 for a name that no {@link newWriter} made. */
export function writerTime(writer: string): EpochMs {
  const match = /^wrt_([0-9a-z]{9})[0-9a-f]{16}$/.exec(writer)
  return match?.[1] === undefined ? 0 : Number.parseInt(match[1], 36)
}

/** Whether members stand in the order of their names, wherever some stand, and are all of them JSON's. */
function isInOrder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function'
  if (Array.isArray(value)) return Array.from(value).every(isInOrder)
  const members = value as Readonly<Record<string, unknown>>
  let before = ''
  // Not by Object.keys: to look a member up by a name that is not from here costs more than to compare it.
  for (const name in members) {
    if (before > name || !isInOrder(members[name])) return false
    before = name
  }
  return true
}

const MOST_NAMES = 1000
/** Names as they stand before a member: few come again and again. */
const names = new Map<string, string>()
function nameText(name: string): string {
  const before = names.get(name)
  if (before !== undefined) return before
  const text = `${JSON.stringify(name)}:`
  if (names.size < MOST_NAMES) names.set(name, text)
  return text
}

/** Nothing in it is written otherwise in JSON. */
const PLAIN = /^[ !#-[\]-~]*$/

/** `undefined` for what JSON has no text for. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${Array.from(value, (item) => textOf(item) ?? 'null').join()}]`
  const members = value as Readonly<Record<string, unknown>>
  let all = ''
  for (const name of Object.keys(members).sort()) {
    const text = textOf(members[name])
    if (text !== undefined) all += `${all === '' ? '' : ','}${nameText(name)}${text}`
  }
  return `{${all}}`
}

/**
 * One text for one JSON value: members in the order of their names, no white space. That of RFC 8785
 * for every value whose member names are not whole numbers, and no entry of the trail has such. What stands in that
 * order already V8 writes by itself, in a fourth of the time.
 */
export const canonical = (value: unknown): string =>
  (isInOrder(value) ? JSON.stringify(value) : textOf(value)) ?? 'null'

/** What the entry's hash must be. */
export function entryHash({ hash: _, ...rest }: TrailEntry): string {
  return sha256(canonical(rest))
}

/**
 * Where an entry keeps itself as JSON until the store has it: what was hashed need not be written out again. Out of the
 * sight of whoever copies or compares entries, and no WeakMap: a table of what lives for a moment costs V8 more than
 * the text.
 */
const TEXT = Symbol('text')

/** An entry as JSON. */
export const entryText = (entry: TrailEntry & { readonly [TEXT]?: string }): string =>
  entry[TEXT] ?? JSON.stringify(entry)

type Unhashed = Omit<TrailEntry, 'hash'>

/** Every member that an entry can have, in the order in which they are hashed: so it is written out at once. */
function unhashed(said: Happening, { writer, seq, hash: prev }: Link, at: EpochMs): Unhashed {
  const { app, detail, grant, launch, outcome, patient, policy, purpose } = said
  const { reference, refusal, signOn, system, token, user, what } = said
  // biome-ignore format: in their order
  const members = {
    app, at, detail, grant, launch, outcome, patient, policy, prev, purpose,
    reference, refusal, seq, signOn, system, token, user, what, writer,
  } satisfies Record<keyof Unhashed, unknown>
  // What is not there is `undefined`, which JSON leaves out.
  return members as Unhashed
}

/** The entries that follow `head`, one for each happening, in their order. */
export function chain(
  head: Link,
  happenings: readonly Happening[],
  at: EpochMs,
): readonly TrailEntry[] {
  const entries: TrailEntry[] = []
  let { seq, hash: prev } = head
  for (const happening of happenings) {
    seq += 1
    const said = unhashed(happening, { writer: head.writer, seq, hash: prev }, at)
    const text = canonical(said)
    prev = sha256(text)
    const value = `${text.slice(0, -1)},"hash":"${prev}"}`
    entries.push(Object.defineProperty({ ...said, hash: prev }, TEXT, { value }))
  }
  return entries
}

/**
 * What can be wrong with an entry in its place: `changed` its hash is not that of its members ·
 * `missing` entries before it are gone · `moved` it stands where a later number belongs · `unlinked` it
 * follows another entry than the one before it · `backwards` its time is before that entry's.
 */
export type LinkProblem = 'changed' | 'missing' | 'moved' | 'unlinked' | 'backwards'

/** Judges an entry by the one before it in its writer's chain; none is the best answer. */
export function checkLink(
  before: Link & { readonly at?: EpochMs },
  entry: TrailEntry,
): readonly LinkProblem[] {
  const problems: LinkProblem[] = []
  if (entryHash(entry) !== entry.hash) problems.push('changed')
  if (entry.seq > before.seq + 1) problems.push('missing')
  else if (entry.seq <= before.seq) problems.push('moved')
  else if (entry.prev !== before.hash) problems.push('unlinked')
  if (before.at !== undefined && entry.at < before.at) problems.push('backwards')
  return problems
}
