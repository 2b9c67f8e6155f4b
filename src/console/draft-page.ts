/** What the pages of one draft share: finding it, its heading, and saying why a step was not made. */
import type { Draft } from '../core/draft.js'
import { REFUSALS, Refusal } from '../core/refusal.js'
import { changedFiles } from '../policy/draft-files.js'
import { Unfit } from '../policy/draft-gates.js'
import type { WholeDraft, WholeVersion } from '../policy/draft-records.js'
import type { Finding, Hashed } from '../policy/findings.js'
import { type Problem, stops } from '../policy/problem.js'
import type { PolicyFiles } from '../policy/source.js'
import { WalkStopped } from '../policy/walks.js'
import { STAGE_WORDS } from './draft-stages.js'
import { inWords } from './in-words.js'
import type { Answer, Crumb, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

export const pathOf = ({ id }: Pick<Draft, 'id'>, rest = ''): string =>
  `/console/drafts/${id}${rest}`

export const crumbsOf = (draft: Draft): readonly Crumb[] => [
  { text: 'Drafts', href: '/console/drafts' },
  { text: draft.title, href: pathOf(draft) },
]

/** The draft that the address names, in a layer where the member may do what the row is for. @throws Refusal */
export async function draftOf({ drafts }: ConsoleParts, visit: Visit): Promise<WholeDraft> {
  const found = await drafts.read(visit.params.draft ?? '')
  visit.within(found.draft.layer)
  return found
}

/** Both sides of a draft: what it is built on, and what it would be. */
export interface Sides {
  readonly before: Hashed
  readonly after: Hashed
}
export async function sidesOf(
  { drafts }: ConsoleParts,
  { draft, files }: WholeDraft,
): Promise<Sides> {
  const { about, files: base } = await drafts.version(draft.base.version)
  return { before: { hash: about.hash, files: base }, after: { hash: draft.hash, files } }
}
export const sideOf = ({ about, files }: WholeVersion): Hashed => ({ hash: about.hash, files })

/** What every page of a draft says of it. */
export const headOf = (draft: Draft) => ({
  draft,
  path: pathOf(draft),
  stage: STAGE_WORDS[draft.stage],
  begun: inWords(draft.since),
})

/** For the trail: which draft, of which files. */
export const aboutDraft = ({ id, layer, hash, generation }: Draft) => ({
  detail: { draft: id, draftLayer: layer, hash, generation },
})

export interface FoundProblem extends Problem {
  /** Into the editor. */
  readonly href?: string
}

/** At one place so many are told. */
const MOST_AT_ONE = 3
const MOST_PLACES = 100

/** One place with what is wrong there, as a link to where it can be mended. */
function placed(draft: Draft, at: readonly Problem[], files: PolicyFiles): readonly FoundProblem[] {
  const [first] = at
  if (!first) return []
  const { file, line } = first
  const rest = at.length - MOST_AT_ONE
  const told = at.slice(0, MOST_AT_ONE)
  if (rest > 0) told.push({ ...first, text: `and ${rest} more of the same place` })
  if (!Object.hasOwn(files, file)) return told
  const where = line === undefined ? '' : `&line=${line}`
  const href = pathOf(draft, `/files?name=${encodeURIComponent(file)}${where}`)
  return told.map((problem) => ({ ...problem, href }))
}

/** Problems place by place; of a place where much is wrong, the first few. */
export function linked(draft: Draft, problems: readonly Problem[], files: PolicyFiles) {
  const places = new Map<string, Problem[]>()
  for (const problem of problems) {
    const key = `${problem.file}:${problem.line}`
    places.set(key, [...(places.get(key) ?? []), problem])
  }
  return [...places.values()].slice(0, MOST_PLACES).flatMap((at) => placed(draft, at, files))
}

/** What stops a draft, where it is known already. */
export const stopping = (
  draft: Draft,
  checked: Finding<readonly Problem[]>,
  files: PolicyFiles,
): readonly FoundProblem[] =>
  checked.state === 'found'
    ? linked(
        draft,
        checked.value.filter((problem) => stops(problem, draft.layer)),
        files,
      )
    : []

export const filesOf = (before: Hashed, after: Hashed): readonly string[] =>
  changedFiles(before.files, after.files)

/** Pages that wait for what is worked out look again by themselves. */
export const waiting = (...findings: readonly Finding<unknown>[]): { readonly refresh?: true } =>
  findings.some(({ state }) => state === 'under way') ? { refresh: true } : {}

/** A refusal in words. */
export const sentence = ({ code, told }: Refusal): string => {
  const { text } = REFUSALS[code]
  return told === undefined ? text : `${text.slice(0, -1)}: ${told}.`
}

export const BUSY = 'It could not be checked just now: too much else is. Try again in a moment.'

/**
 * Makes a step. Where it is refused, a page says so beside the draft, with all that is to be mended; the refusal itself is
 * in the trail already (policy/drafts.ts). Whatever else goes wrong is not ours to answer.
 */
export async function stepping(
  draft: Draft,
  files: PolicyFiles,
  step: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await step()
  } catch (error) {
    const busy = error instanceof WalkStopped
    if (!busy && !(error instanceof Refusal)) throw error
    const said = busy
      ? { code: 'busy', status: 503, why: BUSY }
      : { code: error.code, status: REFUSALS[error.code].status, why: sentence(error) }
    const { status, ...words } = said
    const problems = error instanceof Unfit ? linked(draft, error.problems, files) : []
    const shown: Shown = {
      ...{ view: 'draft-refused', title: 'Nothing was done', status },
      ...{ crumbs: crumbsOf(draft), about: aboutDraft(draft) },
      data: { ...headOf(draft), ...words, problems },
    }
    return shown
  }
}
