/** Pages about what a draft would change: the difference, its impact, and its tests. None of them waits for a walk. */

import { stops } from '../policy/problem.js'
import { asText, impactWords, inSentences, titlesOf } from './difference-words.js'
import { cedarOf } from './draft-cell.js'
import {
  aboutDraft,
  crumbsOf,
  draftOf,
  headOf,
  linked,
  sidesOf,
  stopping,
  waiting,
} from './draft-page.js'
import type { Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

/** GET /console/drafts/:draft/difference */
export const differencePage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const whole = await draftOf(parts, visit)
    const { draft } = whole
    const { before, after } = await sidesOf(parts, whole)
    const changes = parts.findings.changes(before, after)
    return {
      ...{ view: 'difference', title: 'What it changes', crumbs: crumbsOf(draft) },
      about: aboutDraft(draft),
      data: {
        ...headOf(draft),
        ...waiting(changes),
        wrote: cedarOf(visit, whole.files),
        words: inSentences(changes, titlesOf(parts)),
        text: asText(before, after),
        versions: [`version ${draft.base.version}`, 'this draft'],
      },
    }
  }

/** GET /console/drafts/:draft/impact */
export const impactPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const whole = await draftOf(parts, visit)
    const { before, after } = await sidesOf(parts, whole)
    const impact = parts.findings.impact(before, after, whole.draft.layer)
    const changes = parts.findings.changes(before, after)
    const titles = titlesOf(parts)
    return {
      ...{ view: 'impact', title: 'Whom it would touch', crumbs: crumbsOf(whole.draft) },
      about: aboutDraft(whole.draft),
      data: {
        ...headOf(whole.draft),
        ...waiting(impact, changes),
        ...{ impact: impactWords(impact, titles), words: inSentences(changes, titles) },
      },
    }
  }

/** GET /console/drafts/:draft/tests */
export const testsPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const { draft, files } = await draftOf(parts, visit)
    const checked = parts.findings.problems({ ...draft, files })
    const problems = stopping(draft, checked, files)
    const red = checked.state === 'found' && draft.layer === 'central' ? checked.value : []
    const others = linked(
      draft,
      red.filter((problem) => !stops(problem, draft.layer)),
      files,
    )
    return {
      ...{ view: 'draft-tests', title: 'Tests and invariants', crumbs: crumbsOf(draft) },
      about: aboutDraft(draft),
      data: { ...headOf(draft), ...waiting(checked), checked, problems, others },
    }
  }
