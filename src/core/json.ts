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

const NUMBERS = /"(?:[^"\\]|\\.)*"|-?[\d.]+(?:[eE][+-]?\d+)?/g
const MOST_DIGITS = 15

const isCarried = (word: string): boolean => {
  const [digits = ''] = word.replace(/[-.]/g, '').split(/[eE]/)
  const value = Number(word)
  // As it is written again, or as the same number: a double of a program's own has up to 17 digits.
  if (String(value) === word) return true
  return (
    Number.isFinite(value) &&
    (value !== 0 || !/[1-9]/.test(digits)) &&
    digits.replace(/^0+/, '').length <= MOST_DIGITS
  )
}

/** Whether a JSON text has a number that would go on as another one: a dose must not change on its way. */
export const hasOtherNumber = (text: string): boolean =>
  [...text.matchAll(NUMBERS)].some(([word]) => !word.startsWith('"') && !isCarried(word))

/** Whether a text that JSON.parse has read means the same to every reader, and goes on as it came. */
export const isExact = (text: string): boolean => !hasRepeatedMember(text) && !hasOtherNumber(text)
