/** The steps of a draft that its authors take: each a page that asks, and the act. */
import { z } from 'zod'
import { isAmong } from '../core/draft.js'
import { parameter, readParameters } from '../http/parameters.js'
import type { WholeDraft } from '../policy/draft-records.js'
import {
  aboutDraft,
  crumbsOf,
  draftOf,
  headOf,
  pathOf,
  stepping,
  stopping,
  waiting,
} from './draft-page.js'
import { possibleOf } from './draft-stages.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

type StepName = 'propose' | 'publish' | 'emergency' | 'abandon'

const hash = parameter(100)
const reason = parameter(4_000)
const said = {
  propose: z.object({ hash, reason, ticket: parameter(400).default('') }),
  publish: z.object({ hash }),
  emergency: z.object({ hash, reason, sure: z.literal('yes') }),
  abandon: z.object({ reason }),
}

type Take = (parts: ConsoleParts, visit: Visit, id: string) => Promise<unknown>

/** What a form says goes to the step with whoever sent it. */
// biome-ignore format: a table
const TAKE: Readonly<Record<StepName, Take>> = {
  propose:   ({ drafts }, { member: by, sent }, id) => drafts.propose(id, { by, ...readParameters(said.propose, sent) }),
  publish:   ({ drafts }, { member: by, sent }, id) => drafts.publish(id, { by, ...readParameters(said.publish, sent) }),
  emergency: ({ drafts }, { member: by, sent }, id) => drafts.emergency(id, { by, ...readParameters(said.emergency, sent) }),
  abandon:   ({ drafts }, { member: by, sent }, id) => drafts.abandon(id, { by, ...readParameters(said.abandon, sent) }),
}

const TITLES: Readonly<Record<StepName, string>> = {
  propose: 'Propose for approval',
  publish: 'Put into force',
  emergency: 'Put into force as an emergency',
  abandon: 'Abandon this draft',
}

/** Whether the files must be sound for it. */
const CHECKED: ReadonlySet<StepName> = new Set(['propose', 'publish', 'emergency'])

async function asking(
  parts: ConsoleParts,
  visit: Visit,
  step: StepName,
  { draft, files }: WholeDraft,
): Promise<Shown> {
  const [inForce] = await parts.drafts.history(1)
  const possible = possibleOf(visit, draft, inForce?.version ?? 0)
  const mine = possible.find(({ path }) => path === pathOf(draft, `/${step}`))
  const checked = parts.findings.problems({ ...draft, files })
  const held = CHECKED.has(step)
  return {
    ...{
      view: 'draft-step',
      title: TITLES[step],
      crumbs: crumbsOf(draft),
      about: aboutDraft(draft),
    },
    data: {
      ...headOf(draft),
      ...(held ? waiting(checked) : {}),
      ...{ step, to: pathOf(draft, `/${step}`), next: (inForce?.version ?? 0) + 1 },
      why:
        mine === undefined ? 'The draft is not at the stage at which this can be done.' : mine.why,
      ...{ checked: held ? checked : undefined, author: isAmong(draft.authors, visit.member) },
      problems: held ? stopping(draft, checked, files) : [],
    },
  }
}

/** GET /console/drafts/:draft/… @throws Refusal draft_unknown */
export const stepPage =
  (parts: ConsoleParts, step: StepName) =>
  async (visit: Visit): Promise<Shown> =>
    asking(parts, visit, step, await draftOf(parts, visit))

/** POST /console/drafts/:draft/… What the step refuses is said on a page; see policy/drafts.ts. */
export const takeStep =
  (parts: ConsoleParts, step: StepName) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    return stepping(draft, files, async () => {
      await TAKE[step](parts, visit, draft.id)
      return { to: pathOf(draft), about: aboutDraft(draft), recorded: true }
    })
  }

const shadowed = z.object({ on: z.enum(['yes', 'no']) })

/** POST /console/drafts/:draft/shadow */
export const setShadow =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { draft, files } = await draftOf(parts, visit)
    const { on } = readParameters(shadowed, visit.sent)
    return stepping(draft, files, async () => {
      await parts.drafts.shadow(draft.id, { by: visit.member, on: on === 'yes' })
      return { to: pathOf(draft), about: aboutDraft(draft), recorded: true }
    })
  }
