/** One file of a draft: shown in an editor, saved, taken out, and checked while it is typed. */
import { z } from 'zod'
import type { Draft } from '../core/draft.js'
import { REFUSALS, Refusal } from '../core/refusal.js'
import { parameter, readParameters } from '../http/parameters.js'
import { isOf } from '../policy/draft-files.js'
import type { Problem } from '../policy/problem.js'
import type { PolicyFiles } from '../policy/source.js'
import { WalkStopped } from '../policy/walks.js'
import { yamlWords } from '../policy/yaml-words.js'
import {
  aboutDraft,
  BUSY,
  crumbsOf,
  draftOf,
  headOf,
  linked,
  pathOf,
  sentence,
} from './draft-page.js'
import { isLive } from './draft-stages.js'
import type { Answer, Shown, Told, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { editorWords, inPage } from './policy-words.js'

/** Of one file, in characters: more than the largest of a thousand policies in four files. */
const LONGEST = 500_000
const name = parameter(200)
const asked = z.object({
  name: name.optional(),
  line: z.coerce.number().int().min(1).max(1_000_000).optional(),
  saved: z.literal('yes').optional(),
})

interface Editing {
  readonly draft: Draft
  readonly files: PolicyFiles
  /** Absent of a file that is to be. */
  readonly file: string | undefined
  readonly text: string
  readonly line?: number | undefined
  readonly saved?: boolean
  /** What somebody else made of the file meanwhile; `null`: it is no longer there. */
  readonly theirs?: string | null
  /** Why it was not saved. */
  readonly refused?: Refusal
}

/** Up to this line's text, so that a problem can be found without any script. */
const lineOf = (text: string, line: number | undefined) =>
  line === undefined ? undefined : { number: line, text: text.split('\n')[line - 1] ?? '' }

/** What may be typed in this file, as its editor completes it. */
const wordsFor = (parts: ConsoleParts, file: string | undefined, files: PolicyFiles): string =>
  inPage((file && yamlWords(file, files)) || editorWords(parts))

function editor(parts: ConsoleParts, visit: Visit, editing: Editing): Shown {
  const { draft, files, file, text, line, theirs, refused } = editing
  const own = parts.findings.known(draft.hash)
  const here: readonly Problem[] = own.filter((problem) => problem.file === file)
  const mayWrite =
    isLive(draft) &&
    visit.mayIn('console-author', draft.layer) &&
    (file === undefined || isOf(draft.layer, file))
  return {
    ...{ connects: true, view: 'draft-file', title: file ?? 'New file', crumbs: crumbsOf(draft) },
    ...{ about: { detail: { ...aboutDraft(draft).detail, file: file ?? '' } } },
    status: refused ? REFUSALS[refused.code].status : theirs === undefined ? 200 : 409,
    data: {
      ...headOf(draft),
      ...{
        file,
        text,
        theirs,
        mayWrite,
        saved: editing.saved,
        words: wordsFor(parts, file, files),
      },
      ...{
        generation: draft.generation,
        isThere: file !== undefined && Object.hasOwn(files, file),
      },
      language: file?.endsWith('.yaml') ? 'yaml' : 'cedar',
      ...(refused ? { why: sentence(refused), code: refused.code } : {}),
      problems: linked(draft, here, files),
      line: lineOf(text, line),
    },
  }
}

/** Other layers' own files are not for whoever sees a layer. */
const fileOf = (draft: Draft, files: PolicyFiles, file: string): string => {
  const text = Object.hasOwn(files, file) ? files[file] : undefined
  const isOthers = file.startsWith('policies/local/') && !isOf(draft.layer, file)
  if (text === undefined || (isOthers && draft.layer !== 'central'))
    throw new Refusal('not_found', 'no such file in the draft')
  return text
}

/** GET /console/drafts/:draft/files @throws Refusal draft_unknown, not_found */
export const fileEditor =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const { draft, files } = await draftOf(parts, visit)
    const { name: file, line, saved } = readParameters(asked, visit.sent)
    const text = file === undefined ? '' : fileOf(draft, files, file)
    return editor(parts, visit, { draft, files, file, text, line, saved: saved === 'yes' })
  }

const sent = z.object({
  name,
  generation: z.coerce.number().int().min(1),
  text: z.string().max(LONGEST).default(''),
  remove: z.literal('yes').optional(),
})

/** POST /console/drafts/:draft/files. Where somebody else came first, both texts are shown and nothing is lost. */
export const saveFile =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    const { name: file, generation, text: typed, remove } = readParameters(sent, visit.sent)
    const text = typed.replaceAll('\r\n', '\n')
    const theirs = Object.hasOwn(files, file) ? (files[file] ?? null) : null
    const conflict = (): Shown => editor(parts, visit, { draft, files, file, text, theirs })
    if (generation !== draft.generation && !remove) return conflict()
    const { [file]: _, ...others } = files
    const next = remove ? others : { ...others, [file]: text }
    try {
      const guardian = visit.mayIn('console-guard', 'central')
      const change = { by: visit.member, generation, files: next, guardian }
      const edited = await parts.drafts.edit(draft.id, change)
      const rest = remove ? '' : `/files?name=${encodeURIComponent(file)}&saved=yes`
      return { to: pathOf(draft, rest), about: aboutDraft(edited), recorded: true }
    } catch (error) {
      // Whatever is refused, what was typed stays on the page.
      if (!(error instanceof Refusal)) throw error
      return editor(parts, visit, { draft, files, file, text, refused: error })
    }
  }

const typing = z.object({ file: name, text: z.string().max(LONGEST).default('') })

/** POST /console/drafts/:draft/check: what is wrong with a file as it is typed, said beside the other files. */
export const checkTyped =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Told> => {
    const { draft, files } = await draftOf(parts, visit)
    const { file, text } = readParameters(typing, visit.sent)
    if (!isOf(draft.layer, file)) throw new Refusal('layer_refused', 'a check of another layer')
    const next = { ...files, [file]: text.replaceAll('\r\n', '\n') }
    try {
      const problems = await parts.findings.typed(next, visit.member.uid)
      return { json: { problems: problems.slice(0, 200) }, quiet: true }
    } catch (error) {
      if (!(error instanceof WalkStopped)) throw error
      return { json: { problems: [{ file: '', text: BUSY }] }, quiet: true }
    }
  }
