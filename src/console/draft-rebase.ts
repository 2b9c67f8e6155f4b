/** A draft that another version has overtaken, brought up to it. */
import { z } from 'zod'
import { readParameters } from '../http/parameters.js'
import type { WholeDraft } from '../policy/draft-records.js'
import { mergeFiles } from '../policy/rebase.js'
import { aboutDraft, crumbsOf, draftOf, headOf, pathOf, stepping } from './draft-page.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

async function brought({ drafts }: ConsoleParts, { draft, files }: WholeDraft) {
  const [{ files: base }, inForce] = await Promise.all([
    drafts.version(draft.base.version),
    drafts.inForce(),
  ])
  return { ...mergeFiles(base, files, inForce.files), inForce: inForce.about.version }
}

/** GET /console/drafts/:draft/rebase */
export const rebasePage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const whole = await draftOf(parts, visit)
    const { draft, files } = whole
    const { conflicts, inForce } = await brought(parts, whole)
    const lost = conflicts.map((file) => ({ file, text: files[file] ?? '' }))
    return {
      ...{ view: 'draft-rebase', title: 'Bring up to date', crumbs: crumbsOf(draft) },
      about: aboutDraft(draft),
      data: { ...headOf(draft), lost, inForce, to: pathOf(draft, '/rebase') },
    }
  }

const sent = z.object({
  generation: z.coerce.number().int().min(1),
  /** The version up to which the page said it would be brought. */
  version: z.coerce.number().int().min(1),
  theirs: z.literal('yes').optional(),
})

/** POST /console/drafts/:draft/rebase */
export const rebaseDraft =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const whole = await draftOf(parts, visit)
    const { generation, version, theirs } = readParameters(sent, visit.sent)
    const { files, conflicts, inForce } = await brought(parts, whole)
    // Whoever has not seen which files lose their change is asked first.
    if (inForce !== version || (conflicts.length > 0 && !theirs)) return rebasePage(parts)(visit)
    return stepping(whole.draft, whole.files, async () => {
      const guardian = visit.mayIn('console-guard', 'central')
      const change = { by: visit.member, generation, files, guardian, rebase: true }
      const edited = await parts.drafts.edit(whole.draft.id, change)
      return { to: pathOf(edited), about: aboutDraft(edited), recorded: true }
    })
  }
