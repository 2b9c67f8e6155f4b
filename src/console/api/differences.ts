import type { Hashed } from '../../policy/findings.js'
import { sentencesOf } from '../../policy/sentences.js'
import { textDiff } from '../../policy/text-diff.js'
import type { Compared } from '../../policy/walks.js'

const MOST_SENTENCES = 1_000
const MOST_CHANGES = 2_000

/** What two versions do differently: in words, change by change, and as text. `cut`: there is more than stands here. */
export const differenceIn =
  (
    titles: Readonly<Record<string, string>>,
    { before, after }: { readonly before: Hashed; readonly after: Hashed },
  ) =>
  ({ changes, roles, cells, exhaustive }: Compared) => {
    const words = sentencesOf(changes, titles)
    return {
      words: words.slice(0, MOST_SENTENCES),
      roles: roles.map(({ sentence, widening }) => ({ sentence, widening })),
      changes: changes.slice(0, MOST_CHANGES),
      cut: words.length > MOST_SENTENCES || changes.length > MOST_CHANGES,
      ...{ cells, exhaustive, text: textDiff(before.files, after.files) },
    }
  }
