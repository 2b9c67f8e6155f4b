/**
 * Embeddings, overrides and isolates could make a name or a dose read as another; control characters
 * have no place in either. Tabs and line ends stay, and so do the joiners that real scripts need.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** Text from the record, made harmless to show. Its markup stays text, because nothing here parses it. */
export const harmless = (text: unknown): string =>
  typeof text === 'string' ? text.replace(/\r\n?/g, '\n').replace(UNSEEN, '') : ''

/** One line of it. */
export const oneLine = (text: unknown): string => harmless(text).replace(/\s+/g, ' ').trim()

export const plural = (count: number, word: string): string =>
  `${count} ${word}${count === 1 ? '' : 's'}`

/** A gateway's words end with their reference where they have no member of their own for it. */
export function apart(text: unknown): { readonly words: string; readonly reference: string } {
  const all = oneLine(text).slice(0, 500)
  const found = /\s*(?:Reference:\s*)?\b(ref_[\w-]{8,64})\s*$/.exec(all)
  return { words: found ? all.slice(0, found.index) : all, reference: found?.[1] ?? '' }
}
