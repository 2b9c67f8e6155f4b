/** Changes of the policies, by command: the acts of policy/drafts.ts behind the guard of the pages. */
import { z } from 'zod'
import type { Layer } from '../../core/console.js'
import type { Draft } from '../../core/draft.js'
import { Refusal } from '../../core/refusal.js'
import { isOf, readLayer } from '../../policy/draft-files.js'
import type { WholeDraft } from '../../policy/draft-records.js'
import type { PolicyFiles } from '../../policy/source.js'
import { aboutDraft, draftOf } from '../draft-page.js'
import type { ConsoleParts } from '../parts.js'
import type { ApiAnswer, ApiVisit } from './answering.js'

const MOST_LISTED = 500
const text = z.string().max(4_000)
const hash = z.string().min(1).max(100)

const told = (draft: Draft, status = 200): ApiAnswer => ({
  ...{ json: { draft }, status, about: aboutDraft(draft) },
  recorded: true,
})

/** GET /drafts: those of layers that the member may see, the last changed first. */
export const listDrafts =
  ({ drafts }: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const all = (await drafts.list()).filter(({ layer }) => visit.mayIn('console-view', layer))
    const rows = [...all].sort((a, b) => b.changedAt - a.changedAt).slice(0, MOST_LISTED)
    return { json: { drafts: rows } }
  }

const opening = z.strictObject({
  title: text,
  ticket: text.default(''),
  layer: text.default('central'),
})

/** POST /drafts @throws Refusal draft_invalid, drafts_full, console_denied */
export const openDraft =
  ({ drafts }: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { title, ticket, layer } = visit.read(opening)
    visit.within(readLayer(layer))
    return told(await drafts.open({ by: visit.member, title, ticket, layer }), 201)
  }

/** GET /drafts/:draft @throws Refusal draft_unknown */
export const readDraft =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { draft } = await draftOf(parts, visit)
    return { json: { draft }, about: aboutDraft(draft) }
  }

/** The draft's own layer's files; of a local draft the central ones too, never another layer's. */
const seenOf = ({ draft: { layer }, files }: WholeDraft): PolicyFiles =>
  Object.fromEntries(
    Object.entries(files).filter(
      ([name]) => layer === 'central' || isOf('central', name) || isOf(layer, name),
    ),
  )

/** GET /drafts/:draft/files */
export const readFiles =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const whole = await draftOf(parts, visit)
    const { hash: of, generation } = whole.draft
    return { json: { hash: of, generation, files: seenOf(whole) }, about: aboutDraft(whole.draft) }
  }

const editing = z.strictObject({
  generation: z.int().min(1),
  files: z.record(z.string().max(200), z.string()),
  rebase: z.boolean().default(false),
})

/** The layer's files as they were sent, and all others as they are. @throws Refusal layer_refused for another that differs */
function whole(layer: Layer, sent: PolicyFiles, present: PolicyFiles): PolicyFiles {
  const others = Object.entries(present).filter(([name]) => !isOf(layer, name))
  const kept = Object.fromEntries(others)
  const astray = Object.keys(sent).find(
    (name) => !isOf(layer, name) && (!Object.hasOwn(kept, name) || kept[name] !== sent[name]),
  )
  if (astray !== undefined) throw new Refusal('layer_refused', `${layer} changes ${astray}`)
  return { ...kept, ...sent }
}

/** PUT /drafts/:draft/files: all files of the draft's layer; one that is left out is taken out. @throws Refusal */
export const writeFiles =
  (parts: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { draft, files: present } = await draftOf(parts, visit)
    const { generation, files: sent, rebase } = visit.read(editing)
    const others = rebase ? (await parts.drafts.inForce()).files : present
    const files = whole(draft.layer, sent, others)
    const guardian = visit.mayIn('console-guard', 'central')
    const change = { by: visit.member, generation, files, guardian, rebase }
    return told(await parts.drafts.edit(draft.id, change))
  }

// biome-ignore format: a table
const SAID = {
  propose:   z.strictObject({ hash, reason: text, ticket: text.default('') }),
  approve:   z.strictObject({ hash }),
  decline:   z.strictObject({ reason: text }),
  publish:   z.strictObject({ hash }),
  emergency: z.strictObject({ hash, reason: text }),
  review:    z.strictObject({ reason: text }),
  abandon:   z.strictObject({ reason: text }),
  shadow:    z.strictObject({ on: z.boolean() }),
} as const
export type StepName = keyof typeof SAID

/** POST /drafts/:draft/<step>. What the step refuses is on record by policy/drafts.ts as well. @throws Refusal */
export const stepOf =
  (parts: ConsoleParts, step: StepName) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { draft } = await draftOf(parts, visit)
    const said = visit.read<object>(SAID[step])
    const act = parts.drafts[step] as (id: string, say: object) => Promise<Draft>
    return told(await act(draft.id, { ...said, by: visit.member }))
  }
