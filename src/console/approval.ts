/** The second pair of eyes: a proposed draft with all that it changes, and what the other person says of it. */
import { z } from 'zod'
import { isAmong } from '../core/draft.js'
import { parameter, readParameters } from '../http/parameters.js'
import { asText, impactWords, inSentences, titlesOf } from './difference-words.js'
import {
  aboutDraft,
  crumbsOf,
  draftOf,
  headOf,
  pathOf,
  sidesOf,
  stepping,
  stopping,
  waiting,
} from './draft-page.js'
import { inWords } from './in-words.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

/** GET /console/drafts/:draft/approve */
export const approvalPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const whole = await draftOf(parts, visit)
    const { draft, files } = whole
    const { before, after } = await sidesOf(parts, whole)
    const { findings } = parts
    const changes = findings.changes(before, after)
    const impact = findings.impact(before, after, draft.layer)
    const checked = findings.problems({ ...draft, files })
    const titles = titlesOf(parts)
    const proposal = 'proposal' in draft ? draft.proposal : undefined
    return {
      ...{ view: 'approval', title: 'Approve or decline', crumbs: crumbsOf(draft) },
      about: aboutDraft(draft),
      data: {
        ...headOf(draft),
        ...waiting(changes, impact, checked),
        ...{ proposal, proposedAt: proposal && inWords(proposal.at), checked },
        problems: stopping(draft, checked, files),
        ...{ words: inSentences(changes, titles), impact: impactWords(impact, titles) },
        text: asText(before, after),
        own: isAmong(draft.authors, visit.member),
      },
    }
  }

const approved = z.object({ hash: parameter(100) })
const declined = z.object({ reason: parameter(4_000) })

/** POST /console/drafts/:draft/approve: of the hash that the page showed. */
export const approveDraft =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    return stepping(draft, files, async () => {
      const { hash } = readParameters(approved, visit.sent)
      await parts.drafts.approve(draft.id, { by: visit.member, hash })
      return { to: pathOf(draft), about: aboutDraft(draft), recorded: true }
    })
  }

/** POST /console/drafts/:draft/decline */
export const declineDraft =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    return stepping(draft, files, async () => {
      const { reason } = readParameters(declined, visit.sent)
      await parts.drafts.decline(draft.id, { by: visit.member, reason })
      return { to: pathOf(draft), about: aboutDraft(draft), recorded: true }
    })
  }
