/** JSON from outside, of which nothing more is known. */
export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values of a text, its objects and lists among them: a megabyte of a record's own words has some fifty thousand. */
const MOST_VALUES = 100_000
/** A number counts as so many, for one that JavaScript would write otherwise is put aside and back (json-text.ts). */
const NUMBER = 5
/** Of one object: past some thousand V8 keeps them in a table, which is slow to read and to copy. */
const MOST_MEMBERS = 5_000

/** Where a string ends that begins at `from`: at its closing quote, or at the text's end where it has none. */
function closing(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1
    while (text[before] === '\\') before -= 1
    if ((at - before) % 2 === 1) return at
  }
  return text.length
}

const DIGITS = /[\d.eE+-]+/y
function lastOfNumber(text: string, from: number): number {
  DIGITS.lastIndex = from
  DIGITS.test(text)
  return DIGITS.lastIndex - 1
}

const isNumberFrom = (one: string): boolean => (one >= '0' && one <= '9') || one === '-'

/**
 * Whether a text, JSON or not, has more in it than anybody needs: a megabyte of noughts takes a hundred times as long to
 * read, to judge and to write again as a megabyte of words.
 */
export function isCrowded(text: string): boolean {
  let values = 1
  /** Members of each object that is open; lists have none. */
  const open: number[] = []
  for (let at = 0; at < text.length && values <= MOST_VALUES; at++) {
    const one = text[at] as string
    if (one === '"') at = closing(text, at)
    else if (one === '}' || one === ']') open.pop()
    else if (one === '{' || one === '[') {
      values += 1
      open.push(one === '{' ? 1 : Number.NEGATIVE_INFINITY)
    } else if (one === ',') {
      values += 1
      const members = (open.pop() ?? 0) + 1
      if (members > MOST_MEMBERS) return true
      open.push(members)
    } else if (isNumberFrom(one)) {
      values += NUMBER - 1
      at = lastOfNumber(text, at)
    }
  }
  return values > MOST_VALUES
}

/**
 * Whether some object of a JSON text has a member twice, in whatever spelling, or one by which a program's own
 * objects can be changed: two readers of such a text may see two things.
 *
 * @param text that JSON.parse has read
 */
export function hasRepeatedMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let before = ''
  for (let at = 0; at < text.length; at++) {
    const one = text[at] as string
    if (one === '"') {
      const end = closing(text, at)
      before = text.slice(at, end + 1)
      at = end
    } else if (one === '{') open.push(new Set())
    else if (one === '[') open.push(undefined)
    else if (one === '}' || one === ']') open.pop()
    else if (one === ':') {
      const name = before.includes('\\') ? (JSON.parse(before) as string) : before.slice(1, -1)
      const members = open.at(-1)
      if (name === '__proto__' || members?.has(name)) return true
      members?.add(name)
    }
  }
  return false
}

const ESCAPED_HALF = /\\u[dD][89a-fA-F]/
const HALF = /\p{Surrogate}/u

function holdsHalf(value: unknown): boolean {
  if (typeof value === 'string') return HALF.test(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, each]) => HALF.test(name) || holdsHalf(each))
}

/**
 * Whether a text has half a character in it, which only an escape can spell: another reader makes a question mark of it,
 * and of two of them, as names, one.
 *
 * @param value what JSON.parse has made of it; not too deep
 * @see RFC 8259 §8.2
 */
export const hasHalfCharacter = (text: string, value: unknown): boolean =>
  ESCAPED_HALF.test(text) && holdsHalf(value)

const MOST_DIGITS = 15

/** Too great for a number, or so small that nothing is left of it. */
const isBoundless = (word: string): boolean => {
  const value = Number(word)
  return !Number.isFinite(value) || (value === 0 && /[1-9]/.test(word.split(/[eE]/)[0] ?? ''))
}

/** Whether a number's text means the very number that JavaScript makes of it. */
export const isCarried = (word: string): boolean => {
  const [digits = ''] = word.replace(/[-.]/g, '').split(/[eE]/)
  return !isBoundless(word) && digits.replace(/^0+/, '').length <= MOST_DIGITS
}

/** What no number without bounds is without: it is looked for in a hundredth of the time. */
const DOUBTFUL = /[\d.][eE][+-]?\d|(?<![\d.])[\d.]{300}/
const NUMBERS = /"(?:[^"\\]|\\.)*"|-?[\d.]+(?:[eE][+-]?\d+)?/g

/** Whether a JSON text has a number that is endless to one reader, or nothing, and to another a number. */
export function hasBoundlessNumber(text: string): boolean {
  if (!DOUBTFUL.test(text)) return false
  for (const [word] of text.matchAll(NUMBERS))
    if (!word.startsWith('"') && isBoundless(word)) return true
  return false
}

/** Whether a text that JSON.parse has read means the same to every reader. */
export const isExact = (text: string): boolean =>
  !hasRepeatedMember(text) && !hasBoundlessNumber(text)
