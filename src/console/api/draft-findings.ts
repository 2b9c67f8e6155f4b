/** What is found out about a draft, by command: none of it waits for a walk. */
import { type Problem, stops } from '../../policy/problem.js'
import { titlesOf } from '../difference-words.js'
import { aboutDraft, draftOf, sidesOf } from '../draft-page.js'
import type { ConsoleParts } from '../parts.js'
import { type ApiAnswer, type ApiVisit, found } from './answering.js'
import { differenceIn, matrixIn } from './differences.js'

/** GET /drafts/:draft/check: what is wrong with it, its tests and invariants included. */
export const checkDraft =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { draft, files } = await draftOf(parts, visit)
    const finding = parts.findings.problems({ id: draft.id, hash: draft.hash, files })
    const value = (all: readonly Problem[]) => {
      const problems = all.filter((problem) => stops(problem, draft.layer))
      return { sound: problems.length === 0, problems: problems.slice(0, 200) }
    }
    return found(finding, value, aboutDraft(draft))
  }

/** GET /drafts/:draft/diff */
export const diffDraft =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const all = await draftOf(parts, visit)
    const { before, after } = await sidesOf(parts, all)
    const sides = { before, after: { ...after, files: all.files } }
    return found(
      parts.findings.changes(before, after),
      differenceIn(titlesOf(parts), sides),
      aboutDraft(all.draft),
    )
  }

/** GET /drafts/:draft/impact: what was really asked lately and would be answered otherwise. */
export const impactOfDraft =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const all = await draftOf(parts, visit)
    const { before, after } = await sidesOf(parts, all)
    const impact = parts.findings.impact(before, after, all.draft.layer)
    return found(impact, (value) => value, aboutDraft(all.draft))
  }

/** GET /drafts/:draft/matrix */
export const matrixOfDraft =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { draft, files } = await draftOf(parts, visit)
    return matrixIn(parts, visit, files, aboutDraft(draft))
  }
