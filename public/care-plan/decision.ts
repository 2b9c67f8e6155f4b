/** What a section says that others act on at once, in words: also for who must be told that it is another now. */
import type { Decision } from '../../src/core/plan.js'
import { type Entry, unshown, valuesOf } from './composition.js'
import { type Section, wordsFor } from './definition.js'

export interface Decided {
  /** `unseen`: what is not shown may be the decision. */
  readonly state: 'made' | 'unseen' | 'none'
  readonly words: string
  /** What the record says, where it is `made`. */
  readonly made: string
}

interface Known {
  readonly section: Section
  readonly entry: Entry | undefined
  readonly several: boolean
  /** Whether an entry may have been left out of what was read. */
  readonly unsure: boolean
}

export function decidedIn(
  { section, entry, several, unsure }: Known,
  { field: id, name }: Decision,
): Decided {
  const field = section.fields.find((one) => one.id === id)
  const made = valuesOf(section, entry?.composition)[id] ?? ''
  if (made !== '' && field) return { state: 'made', words: wordsFor(field, made), made }
  const unseen = entry ? several || unshown(section, entry.composition) > 0 : unsure
  return unseen
    ? { state: 'unseen', words: `The ${name} decision cannot be shown here`, made: '' }
    : { state: 'none', words: `No ${name} decision was found`, made: '' }
}
