/** What waits among the changes of the policies, for the first page. */
import type { TileOf } from './home.js'
import type { ConsoleParts } from './parts.js'

export const draftTile =
  (parts: Pick<ConsoleParts, 'drafts'>): TileOf =>
  async ({ mayIn }) => {
    const seen = (await parts.drafts.list()).filter(({ layer }) => mayIn('console-view', layer))
    const at = (stage: string): number => seen.filter((draft) => draft.stage === stage).length
    const unreviewed = seen.filter(
      (draft) => draft.stage === 'published' && draft.publication.review === 'open',
    )
    return {
      heading: 'Changes of the policies',
      facts: [
        ['Being written', at('open')],
        ['Wait for approval', at('proposed')],
        ['Approved, not in force yet', at('approved')],
        ['Emergencies to review', unreviewed.length],
      ],
      link: { text: 'All drafts', href: '/console/drafts' },
    }
  }
