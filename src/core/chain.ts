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

const isInOrder = (names: readonly string[]): boolean => {
  for (let at = 1; at < names.length; at++)
    if ((names[at - 1] as string) > (names[at] as string)) return false
  return true
}

/** The value with members in the order of their names: itself, if they stand so already. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.some(isObject) ? value.map(sorted) : value
  const names = Object.keys(value)
  const members = value as Readonly<Record<string, unknown>>
  // Each member is sorted once: twice would be twice as often at each level, which nobody lives to see the end of.
  const made = new Map<string, unknown>()
  const inOrder = isInOrder(names)
  if (inOrder)
    for (const name of names) {
      const member = sorted(members[name])
      if (member !== members[name]) made.set(name, member)
    }
  if (inOrder && made.size === 0) return value
  const copy: Record<string, unknown> = {}
  for (const name of names.sort()) {
    const member = inOrder ? (made.get(name) ?? members[name]) : sorted(members[name])
    // Plain assignment to this name would change the prototype and hide the member from the hash.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: member, enumerable: true })
    else copy[name] = member
  }
  return copy
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/**
 * One text for one JSON value: members in the order of their names, no white space. That of RFC 8785
 * for every value whose member names are not whole numbers, and no entry of the trail has such.
 */
export const canonical = (value: unknown): string => JSON.stringify(sorted(value))

/** What the entry's hash must be. */
export function entryHash({ hash: _, ...rest }: TrailEntry): string {
  return sha256(canonical(rest))
}

/** Entries as JSON, until the store has them: what was hashed need not be written out again. */
const texts = new WeakMap<TrailEntry, string>()

/** An entry as JSON. */
export const entryText = (entry: TrailEntry): string => texts.get(entry) ?? JSON.stringify(entry)

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
    // Not by spreading: V8 takes ten times as long for members that follow a spread.
    const body = Object.assign({}, happening, { writer: head.writer, seq, at, prev })
    const text = canonical(body)
    prev = sha256(text)
    const entry = Object.assign(body, { hash: prev })
    texts.set(entry, `${text.slice(0, -1)},"hash":"${prev}"}`)
    entries.push(entry)
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
