/**
 * What callers say of an event, cut to a size and to characters that cannot fool a reader. Names and
 * refusal details come from outside: a trail is read in terminals and consoles.
 */
import type { Happening } from './audit.js'

const LONGEST_TEXT = 500
const LONGEST_LIST = 100
const MOST_MEMBERS = 50
const DEEPEST = 4
const MOST_NAMES = 1000

/** A member name that JSON readers of any language keep as it is, in one order. */
const NAME = /^[A-Za-z][\w.-]{0,63}$/

/** Few names come again and again. */
const names = new Set<string>()
function isName(text: string): boolean {
  if (names.has(text)) return true
  const fine = NAME.test(text)
  if (fine && names.size < MOST_NAMES) names.add(text)
  return fine
}

/** Controls, line and paragraph separators, bidirectional controls, invisible tags, halves of a pair. */
const MISLEADING =
  /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u
const EVERY_MISLEADING = new RegExp(MISLEADING, 'gu')
/** Nearly every text: nothing in it can mislead, and that is seen at once. */
const PLAIN = /^[ -~]*$/

const escaped = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`

/** At most 500 characters; what would mislead a reader stands as its number, `\u{202e}`, so that nothing is lost. */
function boundText(text: string): string {
  if (text.length <= LONGEST_TEXT && PLAIN.test(text)) return text
  const cut =
    text.length <= LONGEST_TEXT
      ? text
      : `${text.slice(0, LONGEST_TEXT - 1).replace(/[\ud800-\udbff]$/, '')}…`
  return MISLEADING.test(cut) ? cut.replace(EVERY_MISLEADING, escaped) : cut
}

/** Whether it may stand as it is: nearly always. */
function stands(value: unknown, depth: number): boolean {
  if (typeof value === 'string')
    return value.length <= LONGEST_TEXT && (PLAIN.test(value) || !MISLEADING.test(value))
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'boolean') return true
  if (typeof value !== 'object' || value === null || depth === DEEPEST) return false
  if (Array.isArray(value)) return itemsStand(value, depth + 1)
  // What has another prototype may not write itself as it looks here.
  return Object.getPrototypeOf(value) === Object.prototype && membersStand(value, depth + 1)
}

function itemsStand(items: readonly unknown[], depth: number): boolean {
  if (items.length > LONGEST_LIST) return false
  // Not by `every`, which passes over what is not there.
  for (let at = 0; at < items.length; at++) if (!stands(items[at], depth)) return false
  return true
}

function membersStand(value: object, depth: number): boolean {
  const members = value as Readonly<Record<string, unknown>>
  let count = 0
  // Not by Object.keys: to look a member up by a name that is not from here costs more than to look at it.
  for (const name in members) {
    count += 1
    if (count > MOST_MEMBERS || !isName(name) || !stands(members[name], depth)) return false
  }
  return true
}

/** What may stand of it. */
function bound(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return boundText(value)
  if (typeof value === 'boolean') return value
  // JSON has no NaN and no infinity: they would not read back as what was hashed.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null || depth === DEEPEST) return undefined
  return Array.isArray(value) ? boundItems(value, depth + 1) : boundMembers(value, depth + 1)
}

const boundItems = (items: readonly unknown[], depth: number): readonly unknown[] =>
  items
    .slice(0, LONGEST_LIST)
    .map((item) => bound(item, depth))
    .filter((item) => item !== undefined)

function boundMembers(value: object, depth: number): object {
  const kept = Object.entries(value)
    .slice(0, MOST_MEMBERS)
    .map(([name, member]) => [name, isName(name) ? bound(member, depth) : undefined] as const)
    .filter(([, member]) => member !== undefined)
  return Object.fromEntries(kept)
}

/**
 * The happening as the trail may hold it: strings of at most 500 characters, lists of at most 100 items,
 * objects of at most 50 members, no controls. Whatever a caller says, it can be hashed, kept and read.
 */
export const boundHappening = (happening: Happening): Happening =>
  stands(happening, 0) ? happening : (bound(happening, 0) as Happening)
