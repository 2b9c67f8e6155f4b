/** Changes that came into force as an emergency: each is looked at afterwards by somebody who did not make it. */
import { z } from 'zod'
import { type Draft, isAmong } from '../core/draft.js'
import { parameter, readParameters } from '../http/parameters.js'
import { asText, inSentences, titlesOf } from './difference-words.js'
import {
  aboutDraft,
  crumbsOf,
  draftOf,
  headOf,
  pathOf,
  sidesOf,
  stepping,
  waiting,
} from './draft-page.js'
import { inWords } from './in-words.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

type Emergency = Extract<Draft, { stage: 'published' }>
const isOpen = (draft: Draft): draft is Emergency =>
  draft.stage === 'published' && draft.publication.review === 'open'

/** Who may not review it is led to the draft, not to a page that they are not let in to. */
const rowOf = (visit: Visit) => (draft: Emergency) => {
  const { version, by, at, reason } = draft.publication
  const mine = visit.mightIn('console-approve', draft.layer)
  return [
    { text: draft.title, href: mine ? `/console/reviews/${draft.id}` : pathOf(draft) },
    ...[`Version ${version}`, by.name, inWords(at), reason],
  ]
}

/** GET /console/reviews */
export const reviewList =
  ({ drafts }: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const open = (await drafts.list())
      .filter(isOpen)
      .filter(({ layer }) => visit.mayIn('console-view', layer))
      .sort((a, b) => a.changedAt - b.changedAt)
    return {
      view: 'reviews',
      title: 'Emergency changes to review',
      data: { rows: open.map(rowOf(visit)) },
    }
  }

/** GET /console/reviews/:draft */
export const reviewPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const whole = await draftOf(parts, visit)
    const { draft } = whole
    const { before, after } = await sidesOf(parts, whole)
    const changes = parts.findings.changes(before, after)
    const publication = draft.stage === 'published' ? draft.publication : undefined
    const authors = [...draft.authors, ...(publication ? [publication.by] : [])]
    return {
      ...{ view: 'review', title: 'Review an emergency change', crumbs: crumbsOf(draft) },
      about: aboutDraft(draft),
      data: {
        ...headOf(draft),
        ...waiting(changes),
        ...{ publication, publishedAt: publication && inWords(publication.at) },
        ...{ words: inSentences(changes, titlesOf(parts)), text: asText(before, after) },
        ...{ open: isOpen(draft), own: isAmong(authors, visit.member) },
        to: `/console/reviews/${draft.id}`,
      },
    }
  }

const said = z.object({ reason: parameter(4_000) })

/** POST /console/reviews/:draft */
export const closeReview =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    return stepping(draft, files, async () => {
      const { reason } = readParameters(said, visit.sent)
      await parts.drafts.review(draft.id, { by: visit.member, reason })
      return { to: pathOf(draft), about: aboutDraft(draft), recorded: true }
    })
  }
