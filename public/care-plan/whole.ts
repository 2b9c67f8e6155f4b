/**
 * What is read in one piece stays on one line: a date that is broken over two reads as another day, a dose as another
 * dose, and half a telephone number is nobody's. A word longer than any line may be broken anywhere.
 */

export interface Piece {
  readonly text: string
  /** `whole`: not to be broken; `long`: too long for some lines. */
  readonly kind?: 'whole' | 'long'
}

const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)'
/** With its sign: one that stands apart, or on the other side in a text that reads from the right, says another dose. */
const SIGN = '[<>≤≥±~+-] ?'
const NUMBER = '(?:\\b\\d|[.·]\\d|[½¼¾])[\\d.,/·½¼¾]{0,12}'
const UNIT =
  '(?:micrograms?|nanograms?|milligrams?|grams?|mcg|mg|ng|kg|g|litres?|mL|ml|L|mmol|units?|mmHg|kPa|cm|mm|°C|%|minutes?|hours?|days?|weeks?|months?|years?|tablets?|capsules?|puffs?|drops?)'

// biome-ignore format: a table
const PATTERNS = [
  `\\b\\d{1,2}(?:st|nd|rd|th)?[ -]${MONTH}\\b(?:[ -]\\d{4}\\b(?: at \\d\\d:\\d\\d)?)?`,        // 12-Mar-2026 at 14:05, 5th May
  `\\b${MONTH}[ -]\\d{4}\\b`,                                                                  // March 2026
  `(?:${SIGN})?${NUMBER}(?: ?(?:-|–|to) ?${NUMBER})? ${UNIT}(?:/(?:\\d[\\d.]{0,5} ?)?[A-Za-z]{1,8}){0,2}(?!\\w)`, // 2.5 mg, 10 mg/5 mL
  '\\b\\d{3} \\d{3} \\d{4}\\b',                                                                // NHS number
  '(?:\\+\\d{2} ?(?:\\(0\\) ?)?|\\(0|\\b0)\\d{1,4}\\)?(?:[ -]\\d{2,6}){1,4}\\b',               // telephone
  '\\b(?:GMC|NMC|HCPC|GPhC|GDC|SNOMED CT) \\d[\\dA-Z]{3,17}\\b',                               // 'GMC 9000018'
  '\\b[A-Z]{1,2}\\d[A-Z\\d]? \\d[A-Z]{2}\\b',                                                  // postcode
]

/** Characters of the narrowest lines. */
const LINE = 26
const FOUND = new RegExp(`\\S{${LINE},}|${PATTERNS.join('|')}`, 'g')

/** The text in pieces, in order and with nothing left out. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: found, index } of text.matchAll(FOUND)) {
    if (index > from) pieces.push({ text: text.slice(from, index) })
    pieces.push({ text: found, kind: found.length < LINE ? 'whole' : 'long' })
    from = index + found.length
  }
  if (from < text.length) pieces.push({ text: text.slice(from) })
  return pieces
}
