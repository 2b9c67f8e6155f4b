/** Where values of a section came from, said under them. */
import { bdi, h } from './dom.js'
import { sourceWords, type Told } from './sourced.js'

/** By what is said of them, in the order in which they stand. */
export function bySource(told: readonly Told[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const { words, source } of told) {
    const said = sourceWords(source)
    found.set(said, [...(found.get(said) ?? []), words])
  }
  return found
}

/** @param all whether nothing else stands in the field: then it need not be said of what it is */
export function sourcesView(told: readonly Told[], all: boolean): readonly HTMLElement[] {
  const sources = [...bySource(told)]
  return sources.map(([said, words]) =>
    h(
      'p',
      { class: 'source' },
      said,
      ...(all && sources.length === 1 ? [] : [': ', bdi(words.join('; '))]),
    ),
  )
}
