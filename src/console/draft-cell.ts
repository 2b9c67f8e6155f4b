/** One cell of the matrix, changed in a draft: a form, and the Cedar that a person would have written for it. */
import { z } from 'zod'
import { PURPOSES } from '../core/context.js'
import { ACTIONS, type Action, type Resource } from '../core/decision.js'
import type { Draft } from '../core/draft.js'
import { Refusal } from '../core/refusal.js'
import { type Assurance, ROLES } from '../core/roles.js'
import { plainText } from '../core/text.js'
import { parameter, readParameters } from '../http/parameters.js'
import { type CellChange, editCell } from '../policy/cell-edit.js'
import { Unfit } from '../policy/draft-gates.js'
import { actionWords, resourceWords, roleWords } from '../policy/names.js'
import { parsePolicies } from '../policy/parse.js'
import { type Pair, pairsOf } from '../policy/schema.js'
import { type PolicyFiles, SCHEMA_FILE } from '../policy/source.js'
import { titlesOf } from './difference-words.js'
import { aboutDraft, crumbsOf, draftOf, headOf, pathOf, stepping } from './draft-page.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

const LONGEST_REASON = 500
/** Of the console's own duties nothing is said in cells. */
const CELL_ACTIONS = ACTIONS.filter((action) => !action.startsWith('console-'))

/** What the form may be filled with beforehand. What is not known is left empty: it is somebody's link. */
const asked = z.object({
  role: z.enum(ROLES).optional().catch(undefined),
  action: z.string().max(200).default(''),
  resource: z.string().max(250).optional(),
})

const nameOf = ({ type, id }: Resource): string => `${type}/${id}`

async function pairsIn({ registry }: ConsoleParts, files: PolicyFiles): Promise<readonly Pair[]> {
  const apps = (await registry.clients()).map(({ id }) => id)
  return pairsOf(files[SCHEMA_FILE] ?? '', apps)
}

/** GET /console/drafts/:draft/cell?role=…&action=…&resource=section/… */
export const cellForm =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const { draft, files } = await draftOf(parts, visit)
    const { role = '', action, resource = '' } = readParameters(asked, visit.sent)
    const chosen = action.split(',')
    const titles = new Map(Object.entries(titlesOf(parts)))
    const pairs = await pairsIn(parts, files)
    const resources = new Map(pairs.map((pair) => [nameOf(pair.resource), pair.resource]))
    return {
      ...{ view: 'draft-cell', title: 'Change who may do what', crumbs: crumbsOf(draft) },
      about: aboutDraft(draft),
      data: {
        ...headOf(draft),
        ...{ to: pathOf(draft, '/cell'), role, resource, generation: draft.generation },
        roles: ROLES.map((value) => ({ value, text: roleWords(value) })),
        actions: CELL_ACTIONS.map((value) => ({
          ...{ value, text: actionWords(value), checked: chosen.includes(value) },
        })),
        resources: [...resources].map(([value, one]) => ({
          value,
          text: resourceWords(one, titles),
        })),
        purposes: PURPOSES.map((value) => ({ value, text: value.replaceAll('-', ' ') })),
      },
    }
  }

const sent = z.object({
  generation: z.coerce.number().int().min(1),
  role: z.enum(ROLES),
  resource: parameter(250),
  wanted: z.enum(['allow', 'deny']),
  assurance: z.enum(['1', '2', '3']).default('1'),
  activities: z
    .string()
    .max(200)
    .regex(/^\s*(B\d{4}([\s,]+|$))*$/)
    .default(''),
  reason: parameter(4_000),
})

/** Boxes of one list are told apart by name: the same name twice is refused of any form. */
const ticked = <T extends string>(
  given: Visit['sent'],
  list: string,
  words: readonly T[],
): readonly T[] => words.filter((word) => given.get(`${list}-${word}`) === 'yes')

function readChange(visit: Visit, { layer }: Draft, pairs: readonly Pair[]): CellChange {
  const { role, resource, wanted, assurance, activities, reason } = readParameters(sent, visit.sent)
  const actions: readonly Action[] = ticked(visit.sent, 'action', CELL_ACTIONS)
  const fitting = pairs.filter((pair) => nameOf(pair.resource) === resource)
  const known = actions.every((action) => fitting.some((pair) => pair.action === action))
  const [first] = fitting
  if (!first || actions.length === 0 || !known) {
    const told = 'choose at least one action that goes with what it is on'
    throw new Refusal('draft_invalid', 'no such cell', { told })
  }
  return {
    ...{ role, actions, resource: first.resource, wanted, layer },
    reason: plainText(reason, LONGEST_REASON),
    when: {
      purposes: ticked(visit.sent, 'purpose', PURPOSES),
      assurance: Number(assurance) as Assurance,
      activities: activities.split(/[\s,]+/).filter((code) => code !== ''),
    },
  }
}

/** POST /console/drafts/:draft/cell: writes it, and shows what came of it. */
export const changeCell =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    const pairs = await pairsIn(parts, files)
    return stepping(draft, files, async () => {
      const { generation } = readParameters(sent, visit.sent)
      const change = readChange(visit, draft, pairs)
      const { problems } = parsePolicies(files)
      // Into a text that cannot be read nothing can be written.
      if (problems.length > 0) throw new Unfit(problems)
      const { files: next, written, changed, removed } = editCell(files, change)
      const edit = { by: visit.member, generation, files: next }
      const edited = await parts.drafts.edit(draft.id, edit)
      const did = new URLSearchParams({
        ...{ written: written.join(), changed: changed.join(), removed: removed.join() },
      })
      const about = { detail: { ...aboutDraft(edited).detail, written, changed, removed } }
      return { to: pathOf(draft, `/difference?${did}`), about, recorded: true }
    })
  }

const did = z.object({
  written: z.string().max(2_000).default(''),
  changed: z.string().max(2_000).default(''),
  removed: z.string().max(2_000).default(''),
})

/** What a change of a cell wrote, as the page after it shows it; nothing where none led there. */
export function cedarOf(visit: Visit, files: PolicyFiles) {
  const { written, changed, removed } = readParameters(did, visit.sent)
  if (`${written}${changed}${removed}` === '') return undefined
  const ids = new Set([...written.split(','), ...changed.split(',')])
  const { policies } = parsePolicies(files)
  return {
    policies: policies
      .filter(({ id }) => ids.has(id))
      .map(({ id, file, text }) => ({ id, file, text })),
    removed: removed.split(',').filter((id) => id !== ''),
  }
}
