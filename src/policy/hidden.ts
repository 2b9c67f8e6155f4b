/** Characters that make a text say other than it shows: refused, so that what is approved is what was read. */
import { lineOf, piecesOf } from './bounds.js'
import type { Problem } from './problem.js'

/** Without width, turning the direction, or of control. */
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?![\t\n\r])\p{Cc}/u
/** A letter of another script, or a variant form: `gр` with a Cyrillic р, `ｇｐ`. */
const FOREIGN = /(?!\p{Script=Latin})\p{L}/u

const codeOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** The first of it: whoever wrote one such character in a file rarely wrote one alone. */
export function hiddenIn(file: string, text: string): Problem[] {
  const found = INVISIBLE.exec(text)
  if (found) {
    const words = `holds the invisible character ${codeOf(found[0])}: take it out, or write the line anew`
    return [{ file, line: lineOf(text, found.index), text: words }]
  }
  if (text.normalize('NFC') !== text) {
    const line = text.split('\n').findIndex((each) => each.normalize('NFC') !== each) + 1
    return [
      { file, line, text: 'holds letters made of parts (not Unicode NFC): write the line anew' },
    ]
  }
  return file.endsWith('.cedar') ? [...foreignNames(file, text)] : []
}

/** Names in quotes that look like others. Reasons are for people, in whatever script. */
function* foreignNames(file: string, text: string): Generator<Problem> {
  let before = ''
  for (const { kind, at, text: piece } of piecesOf(text)) {
    const foreign = FOREIGN.exec(piece)?.[0]
    const variant = piece.normalize('NFKC') !== piece
    if (kind === 'quoted' && !/@reason\s*\(\s*$/.test(before) && (foreign || variant)) {
      const which = foreign ? `the letter ${codeOf(foreign)}` : 'a variant letter'
      const words = `the name ${piece.slice(0, 100)} holds ${which}, which looks like another: names are Latin letters`
      yield { file, line: lineOf(text, at), text: words }
    }
    if (kind !== 'comment') before = piece
  }
}
