/** What was tried out, kept as a test of a draft: the version cannot come into force any more with another answer. */
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { Refusal } from '../core/refusal.js'
import { parameter, readParameters } from '../http/parameters.js'
import { readCases } from '../policy/cases.js'
import { isLocal } from '../policy/layers.js'
import { describeProblem } from '../policy/problem.js'
import type { PolicyFiles } from '../policy/source.js'
import { aboutDraft, draftOf, pathOf, stepping } from './draft-page.js'
import type { Answer, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

const sent = z.object({ generation: z.coerce.number().int().min(1), test: parameter(8_000) })

const invalid = (told: string): Refusal => new Refusal('draft_invalid', 'no such test', { told })

/** Where a layer's kept tests stand. */
export const testFileOf = (layer: Parameters<typeof isLocal>[0]): string =>
  isLocal(layer) ? `policies/${layer}/tests/tried-out.yaml` : 'policies/tests/tried-out.yaml'

/**
 * The file with one test more; what people wrote into it stays as it is.
 * @param sections ids of the plan's sections
 * @throws Refusal draft_invalid where it is no test, or the file cannot be read
 */
export function withTest(
  before: string | undefined,
  test: string,
  sections: readonly string[],
): string {
  const { cases, problems } = readCases({ 'policies/tests/tried-out.yaml': test }, sections, 1)
  const [first] = problems
  if (first || cases.length !== 1) throw invalid(first ? describeProblem(first) : 'it is no test')
  if (before === undefined) return test
  const [file, own] = [parseDocument(before), parseDocument(test)]
  if (file.errors.length > 0) throw invalid('tried-out.yaml cannot be read')
  file.addIn(['tests'], own.getIn(['tests', 0]))
  return file.toString({ lineWidth: 0 })
}

/** POST /console/drafts/:draft/keep-test */
export const keepTest =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    const { generation, test } = readParameters(sent, visit.sent)
    return stepping(draft, files, async () => {
      const file = testFileOf(draft.layer)
      const sections = parts.offered.sections.map(({ id }) => id)
      const next: PolicyFiles = { ...files, [file]: withTest(files[file], test, sections) }
      const edited = await parts.drafts.edit(draft.id, {
        ...{ by: visit.member, generation, files: next },
      })
      return { to: pathOf(edited, '/tests'), about: aboutDraft(edited), recorded: true }
    })
  }
