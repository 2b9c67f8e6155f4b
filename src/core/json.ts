/** JSON from outside, of which nothing more is known. */
export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const WORDS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g

/**
 * Whether some object of a JSON text has a member twice, in whatever spelling, or one by which a program's own
 * objects can be changed: two readers of such a text may see two things.
 *
 * @param text that JSON.parse has read
 */
export function hasRepeatedMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let before = ''
  for (const [word] of text.matchAll(WORDS)) {
    if (word === '{') open.push(new Set())
    else if (word === '[') open.push(undefined)
    else if (word === '}' || word === ']') open.pop()
    else if (word === ':') {
      const name = JSON.parse(before) as string
      const members = open.at(-1)
      if (name === '__proto__' || members?.has(name)) return true
      members?.add(name)
    }
    before = word
  }
  return false
}

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

const NUMBERS = /"(?:[^"\\]|\\.)*"|-?[\d.]+(?:[eE][+-]?\d+)?/g

/** Whether a JSON text has a number that is endless to one reader, or nothing, and to another a number. */
export const hasBoundlessNumber = (text: string): boolean =>
  [...text.matchAll(NUMBERS)].some(([word]) => !word.startsWith('"') && isBoundless(word))

/** Whether a text that JSON.parse has read means the same to every reader. */
export const isExact = (text: string): boolean =>
  !hasRepeatedMember(text) && !hasBoundlessNumber(text)
