/**
 * JSON text, in and out, with every number as it came. 1.50 mg is more than 1.5 mg: it says how exactly it was measured;
 * and a number of twenty digits is another one without its last. A number that JavaScript would write otherwise than it
 * stood is held as a text, by a mark with which no text from outside can begin, and goes on as it stood.
 *
 * @see FHIR R4, "Data Types", decimal; RFC 8259 §6
 */
import { isCarried, isObject } from './json.js'

const MARK = '\u0000'
/** How a text that begins with the mark begins in JSON: a control character has this one spelling there. */
const MARKED = '"\\u0000'
/** A backslash is rare, and found fast. */
const isMarked = (text: string): boolean => text.includes('\\u0000') && text.includes(MARKED)

/**
 * Whether there may be a number that would be written otherwise: with zeros at its end, an exponent, sixteen characters
 * or more, too small for a plain spelling, or −0. It is asked of most texts, so it is written for how V8 searches: from
 * a character that a number may follow, and nothing before the first digit that could be tried in two ways.
 */
const DOUBTFUL =
  /[:,[\s]-?\d(?<=[:,[]\s*-?\d)(?:[\d.]{15,}(?:[eE][+-]?\d+)?|[\d.]{0,14}(?:[eE][+-]?\d+|(?<=\.\d*0|-0|0\.000000\d*)))(?=[\s,}\]]|$)/

/** Whether it need be asked at all, in half the time: a number of three characters or more, or −0. */
const LONG = /[\d.+eE-]\d[\s,}\]](?<=(?:[\d.eE+-][\d.+eE-]\d|-0)[\s\S])/

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /["\d-]/g

/** Where the string ends that begins at `from`: after its closing quote. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at)
    let before = at - 1
    while (text[before] === '\\') before -= 1
    if ((at - before) % 2 === 1) return at + 1
  }
}

function endOfNumber(text: string, from: number): number {
  NUMBER.lastIndex = from
  NUMBER.test(text)
  return NUMBER.lastIndex
}

/** What is to stand instead of words of a text: `undefined` leaves one as it is. */
interface Change {
  /** Whether the word that begins there is looked at. */
  readonly of: (text: string, at: number) => boolean
  readonly to: (word: string) => string | undefined
}

/**
 * A JSON text with some of its strings or numbers replaced. Not by one expression: a string of megabytes would exhaust
 * its stack.
 *
 * @param text that JSON.parse has read
 */
function changed(text: string, { of, to }: Change): string {
  const parts: string[] = []
  let done = 0
  WORD.lastIndex = 0
  for (let found = WORD.exec(text); found !== null; found = WORD.exec(text)) {
    const { index } = found
    const end = found[0] === '"' ? endOfString(text, index) : endOfNumber(text, index)
    const instead = of(text, index) ? to(text.slice(index, end)) : undefined
    if (instead !== undefined) {
      parts.push(text.slice(done, index), instead)
      done = end
    }
    WORD.lastIndex = end
  }
  parts.push(text.slice(done))
  return parts.join('')
}

const MARKING: Change = {
  of: (text, at) => text[at] !== '"',
  to: (word) => (String(Number(word)) === word ? undefined : `${MARKED}${word}"`),
}

const isNumber = (word: string): boolean => word !== '' && endOfNumber(word, 0) === word.length

const UNMARKING: Change = {
  of: (text, at) => text.startsWith(MARKED, at),
  to(word) {
    const number = word.slice(MARKED.length, -1)
    return isNumber(number) ? number : undefined
  },
}

/**
 * Reads JSON whose numbers are to go on as they came: by {@link writeJson} and nothing else. Whoever asks what a number
 * is asks {@link plainNumbers}.
 *
 * @throws SyntaxError for what is no JSON, or has a text that begins with U+0000, which neither FHIR nor openEHR lets be
 */
export function readJson(text: string): unknown {
  // Before it is marked: what is no JSON must not become some.
  const value: unknown = JSON.parse(text)
  if (isMarked(text)) throw new SyntaxError('U+0000')
  const isDoubtful = typeof value === 'number' || (LONG.test(text) && DOUBTFUL.test(text))
  return isDoubtful ? JSON.parse(changed(text, MARKING)) : value
}

/**
 * Texts as one. Put together by `+` or in a template, V8 keeps a text in pieces, and where it meets one it writes all of
 * a JSON the slow way: in three times the time.
 */
export const atOnce = (...pieces: readonly string[]): string => pieces.join('')

/** Writes what {@link readJson} has read, or what was made of it. */
export function writeJson(value: unknown): string {
  const text = JSON.stringify(value)
  return isMarked(text) ? changed(text, UNMARKING) : text
}

/**
 * A value with each number a number, where it is one to the last digit. What it leaves can be compared, and is not the
 * same as any number.
 */
export function plainNumbers(value: unknown): unknown {
  if (typeof value === 'string') {
    const number = value.startsWith(MARK) ? value.slice(1) : ''
    return isNumber(number) && isCarried(number) ? Number(number) : value
  }
  if (Array.isArray(value)) return value.map(plainNumbers)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, plainNumbers(member)]),
  )
}
