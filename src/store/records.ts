/** How both back ends name and write what they keep. */
import type { TrailEntry } from '../core/audit.js'
import type { Link } from '../core/chain.js'
import { launchTime, sha256 } from '../core/ids.js'
import { KINDS, type Kind, type Records } from '../core/records.js'
import type { EpochMs } from '../core/values.js'
import { StoreFailure } from './failure.js'
import type { Commit } from './store.js'

/** The longest record, in characters of its JSON. */
const LONGEST_VALUE = 4 * 1024 * 1024
/** The longest text that may be hashed into a key. */
const LONGEST_NAME = 64 * 1024
/** What one commit may ask for: more is a fault of the caller. */
const MOST_ACTS = 1000
/** How many commits may wait for their turn before new ones are turned away. */
export const MOST_WAITING = 10_000

/** Kinds of which there are few, so that all of them can be read. */
const LISTED: ReadonlySet<Kind> = new Set<Kind>([
  ...(['app', 'system', 'policy', 'keys', 'notice', 'draft', 'unreviewed', 'alert'] as const),
  ...(['node', 'asked', 'shadow'] as const),
])

/**
 * Text that may stand in a key as it is. LMDB ends at 1978 bytes; braces would choose a slot of a Redis
 * Cluster; `#` marks a hash.
 */
const PLAIN = /^[\x21\x22\x24-\x7a\x7c\x7e][\x21-\x7a\x7c\x7e]{0,399}$/
const LAUNCH = /lch_([0-9a-z]{9}[0-9a-f]{16})/

/** Through JSON, so that two texts with halves of surrogate pairs do not become one in UTF-8. */
function name(text: string): string {
  if (PLAIN.test(text)) return text
  if (text.length > LONGEST_NAME) throw new StoreFailure('too_large', 'a key')
  return `#${sha256(JSON.stringify(text))}`
}

/**
 * Where a record is. Records of one launch begin with `{…}`, the launch's tag: on a Redis Cluster they
 * share a slot, and in LMDB they lie side by side, so that a launch touches few pages.
 */
export function recordKey(kind: Kind, id: string): string {
  if (KINDS[kind].tag === 'launch' && launchTime(id) !== undefined)
    return `{${id.slice(4)}}/${kind}`
  return `${kind}/${name(id)}`
}

/** A claim on something of a launch lies with that launch. */
export function claimKey(what: string): string {
  const tag = LAUNCH.exec(what)?.[1]
  return tag === undefined ? `claim/${name(what)}` : `{${tag}}/claim/${name(what)}`
}

/** Counters are neither claims nor records. */
export const counterKey = (what: string): string => `count/${name(what)}`

/** @throws Error for a kind that may be many */
export function assertListed(kind: Kind): void {
  if (!LISTED.has(kind)) throw new Error(`records of kind ${kind} cannot be listed`)
}

/** Whether ids of this kind are kept readable, so that they can be listed. @throws Error for an id that cannot */
export function isListed(kind: Kind, id: string): boolean {
  if (!LISTED.has(kind)) return false
  if (!PLAIN.test(id)) throw new Error(`a ${kind} needs an id of 1 to 400 visible ASCII characters`)
  return true
}

/** `<until> <JSON>`: what is past its time need not be read. */
export function encodeRecord(value: unknown, until: EpochMs): string {
  if (Number.isNaN(until)) throw new TypeError('until is not a time')
  const text = `${encodeUntil(until)} ${JSON.stringify(value)}`
  if (text.length > LONGEST_VALUE) throw new StoreFailure('too_large', 'a record')
  return text
}

export const encodeUntil = (until: EpochMs): string =>
  String(Math.ceil(Math.min(until, Number.MAX_SAFE_INTEGER)))

/** Until when a record or claim lives. */
export function untilOf(text: string): EpochMs {
  const end = text.indexOf(' ')
  return Number(end === -1 ? text : text.slice(0, end))
}

/** The record, unless there is none or its time has come. A new value on each call. */
export function decodeRecord<K extends Kind>(
  text: string | null | undefined,
  now: EpochMs,
): Records[K] | undefined {
  if (text === undefined || text === null) return undefined
  return untilOf(text) > now ? JSON.parse(text.slice(text.indexOf(' ') + 1)) : undefined
}

/**
 * An entry as it was written, but for its place: writer and number are those of where it stands, so that
 * one that was moved no longer matches its hash. What cannot be read has no hash, for `verify` to find.
 */
export function decodeEntry(text: string, writer: string, seq: number): TrailEntry {
  try {
    return Object.assign(JSON.parse(text), { writer, seq })
  } catch {
    return {
      what: 'unreadable',
      outcome: 'failure',
      writer,
      seq,
      at: 0,
      prev: '',
      hash: '',
    } as unknown as TrailEntry
  }
}

/** @throws Error when a commit's entries would break or fork the chain: a fault of its maker */
export function assertFollows(head: Link, entries: readonly TrailEntry[]): void {
  let before = head
  for (const entry of entries) {
    const follows = entry.seq === before.seq + 1 && entry.prev === before.hash
    if (!follows || entry.writer !== head.writer)
      throw new Error(`entry ${entry.seq} does not follow ${before.seq} of ${head.writer}`)
    before = entry
  }
}

/** A commit with its values written out: what the caller changes later changes nothing. */
export interface Writing {
  readonly claims: readonly { readonly key: string; readonly until: EpochMs }[]
  readonly entries: Commit['entries']
  readonly puts: readonly {
    readonly key: string
    readonly text: string
    readonly until: EpochMs
    readonly listed?: { readonly kind: Kind; readonly id: string }
  }[]
  readonly drops: readonly {
    readonly key: string
    readonly listed?: { readonly kind: Kind; readonly id: string }
  }[]
}

export function writingOf({ claims = [], entries, puts = [], drops = [] }: Commit): Writing {
  if (claims.length + puts.length + drops.length > MOST_ACTS)
    throw new StoreFailure('too_large', 'a commit')
  const listed = (kind: Kind, id: string) => (isListed(kind, id) ? { listed: { kind, id } } : {})
  return {
    claims: claims.map(({ what, until }) => ({ key: claimKey(what), until })),
    entries,
    puts: puts.map(({ kind, id, value, until }) => ({
      key: recordKey(kind, id),
      text: encodeRecord(value, until),
      until,
      ...listed(kind, id),
    })),
    drops: drops.map(({ kind, id }) => ({ key: recordKey(kind, id), ...listed(kind, id) })),
  }
}
