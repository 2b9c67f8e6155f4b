/** What is said where two versions of a section stand side by side. */
import { authorOf, type Entry } from './composition.js'
import { showMoment } from './dates.js'
import { bdi, type Child, h } from './dom.js'
import type { FieldMerge } from './merge.js'

/**
 * Why two versions stand side by side: somebody else saved first, the record changed what it was given, or a draft is
 * gone on with of which the section has changed since.
 */
export type Kind = 'stale' | 'altered' | 'returned'

export interface Words {
  readonly heading: string
  readonly theirs: string
  readonly yours: string
  readonly keep: string
  readonly kept: string
  readonly says: Readonly<Record<FieldMerge['changed'], string>>
}

const STALE: Words = {
  heading: 'somebody else changed this section',
  theirs: 'Their version',
  yours: 'Your version',
  keep: 'Keep their version',
  kept: 'Their version cannot be shown here, and will be kept: check the full record.',
  says: {
    same: '',
    theirs: 'Only they changed this: their version will be kept.',
    yours: 'Only you changed this: your version will be saved.',
    both: 'You both changed this. Choose what to save.',
  },
}

export const WORDS: Readonly<Record<Kind, Words>> = {
  stale: STALE,
  // A newer version may be the user's own, saved from another page.
  returned: {
    ...STALE,
    heading: 'this section has changed since your draft',
    theirs: 'The newer version',
    yours: 'Your draft',
    keep: 'Keep the newer version',
    kept: 'The newer version cannot be shown here, and will be kept: check the full record.',
    says: {
      same: '',
      theirs: 'Changed in the newer version only, which will be kept.',
      yours: 'Changed in your draft only, which will be saved.',
      both: 'Changed in both. Choose what to save.',
    },
  },
  altered: {
    heading: 'the record holds something else',
    theirs: 'In the record',
    yours: 'Your version',
    keep: 'Keep what the record holds',
    kept: 'What the record holds cannot be shown here, and will be kept: check the full record.',
    says: {
      same: '',
      theirs: 'You did not change this, but the record now holds something else.',
      yours: 'The record still holds what it held before.',
      both: 'Choose what to save.',
    },
  },
}

/** Said aloud as the two versions appear. */
export const DIFFERS: Readonly<Record<Kind, string>> = {
  stale: 'Not saved: somebody else changed',
  altered: 'The record does not hold what you typed:',
  returned: 'Changed since your draft:',
}

const inset = (...children: Child[]): HTMLElement =>
  h('div', { class: 'nhsuk-inset-text' }, h('p', {}, ...children))

/** @param kept when a draft that was gone on with was last kept */
export function introduction(kind: Kind, theirs: Entry, kept: Date | undefined): HTMLElement {
  if (kind === 'altered') {
    return inset(
      'The record took your change, but does not hold it as you typed it. What you typed is still here. If it cannot be saved, copy it, and make the change in the full record.',
    )
  }
  const { name, at } = authorOf(theirs.composition)
  const saved = ` saved a newer version${at === undefined ? '' : ` (${showMoment(at)})`}`
  if (kept === undefined)
    return inset(
      ...[bdi(name), saved],
      ' while you were editing. Yours has not been saved, and nothing that you typed is lost.',
    )
  return inset(
    ...[bdi(name), saved],
    ` after you had begun your draft, which was last kept on ${showMoment(kept)}. `,
    'Your draft has not been saved, and nothing in it is lost.',
  )
}
