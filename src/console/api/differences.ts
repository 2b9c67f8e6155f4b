/** What is worked out about versions, as a command is told. */
import type { Hashed } from '../../policy/findings.js'
import { sentencesOf } from '../../policy/sentences.js'
import type { PolicyFiles } from '../../policy/source.js'
import { textDiff } from '../../policy/text-diff.js'
import type { Compared } from '../../policy/walks.js'
import type { Facts } from '../page.js'
import type { ConsoleParts } from '../parts.js'
import { appIds, layerOf } from '../version-chosen.js'
import type { ApiAnswer, ApiVisit } from './answering.js'

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

/** Who may do what, of users under no layer or under `?layer=`; of a member of one layer, under theirs. */
export async function matrixIn(
  parts: ConsoleParts,
  visit: ApiVisit,
  files: PolicyFiles,
  about: Facts,
): Promise<ApiAnswer> {
  const layer = layerOf(visit, { files }, visit.sent.get('layer') ?? '')
  const standing = parts.matrices.of(files, await appIds(parts), { layer })
  if (standing.state === 'under way')
    return { json: { state: standing.state, ...standing.progress }, status: 202, about }
  if (standing.state === 'failed') return { json: standing, status: 503, about }
  return { json: { state: 'found', found: standing.matrix }, about }
}
