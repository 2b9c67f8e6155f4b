/**
 * Text from outside that a person will read. Bidirectional controls could make a name read as another, and control
 * characters fool a terminal: both go. So does half a character, which no other reader takes. Markup stays text, because
 * pages escape it.
 */
const UNSEEN = /[\p{Cc}\p{Cs}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu

/** At most `length` characters, one form for one text (NFC), runs of space made one. */
export const plainText = (text: string, length: number): string =>
  text
    .normalize('NFC')
    .replace(UNSEEN, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, length)
    .replace(/\p{Cs}$/u, '')
