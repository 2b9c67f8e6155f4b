/** Changes of the policies that are under way: the list, a new one, and one by itself. */
import { z } from 'zod'
import { type Layer, layersOf } from '../core/console.js'
import type { Draft } from '../core/draft.js'
import { parameter, readParameters } from '../http/parameters.js'
import { shadowOf } from '../policy/shadow.js'
import {
  aboutDraft,
  crumbsOf,
  draftOf,
  filesOf,
  headOf,
  pathOf,
  sidesOf,
  stopping,
  waiting,
} from './draft-page.js'
import { isLive, possibleOf, STAGE_WORDS, stepsOf } from './draft-stages.js'
import { inWords } from './in-words.js'
import type { Answer, Shown, Visit } from './page.js'
import type { ConsoleParts } from './parts.js'

/** Where this member may write, `central` first. */
export function writable({ policies }: ConsoleParts, { member, mayIn }: Visit): readonly Layer[] {
  const layers = new Set<Layer>(['central', ...layersOf(policies.posts(), member.uid)])
  return [...layers].filter((layer) => mayIn('console-author', layer))
}

const byAge = (a: Draft, b: Draft): number => b.changedAt - a.changedAt

const rowOf = (draft: Draft) => ({
  ...{ href: pathOf(draft), title: draft.title, ticket: draft.ticket, layer: draft.layer },
  ...{ stage: STAGE_WORDS[draft.stage], authors: draft.authors.map(({ name }) => name).join(', ') },
  changed: inWords(draft.changedAt),
})

/** How many drafts that are over are listed. */
const MOST_OVER = 50

/** GET /console/drafts */
export const draftList =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const all = (await parts.drafts.list()).filter(({ layer }) =>
      visit.mayIn('console-view', layer),
    )
    const live = all.filter(isLive).sort(byAge)
    const over = all
      .filter((draft) => !isLive(draft))
      .sort(byAge)
      .slice(0, MOST_OVER)
    return {
      ...{ view: 'drafts', title: 'Changes of the policies' },
      data: { live: live.map(rowOf), over: over.map(rowOf), layers: writable(parts, visit) },
    }
  }

const begun = z.object({
  title: parameter(),
  ticket: parameter().default(''),
  layer: parameter(100).default('central'),
})

/** POST /console/drafts @throws Refusal draft_invalid, drafts_full, console_denied */
export const beginDraft =
  ({ drafts }: ConsoleParts) =>
  async (visit: Visit): Promise<Answer> => {
    const { title, ticket, layer } = readParameters(begun, visit.sent)
    if (!/^(central|local\/[\w-]{1,40})$/.test(layer)) visit.within('central')
    else visit.within(layer as Layer)
    const draft = await drafts.open({ by: visit.member, title, ticket, layer })
    return { to: pathOf(draft), about: aboutDraft(draft), recorded: true }
  }

/** GET /console/drafts/:draft */
export const draftPage =
  (parts: ConsoleParts) =>
  async (visit: Visit): Promise<Shown> => {
    const { drafts, findings, store } = parts
    const whole = await draftOf(parts, visit)
    const { draft, files } = whole
    const { before, after } = await sidesOf(parts, whole)
    const [inForce] = await drafts.history(1)
    const checked = findings.problems({ ...draft, files })
    const found = stopping(draft, checked, files)
    return {
      ...{ view: 'draft', title: draft.title, crumbs: crumbsOf(draft).slice(0, 1) },
      about: aboutDraft(draft),
      data: {
        ...headOf(draft),
        ...waiting(checked),
        ...{ steps: stepsOf(draft), checked, problems: found },
        possible: possibleOf(visit, draft, inForce?.version ?? 0),
        declined: draft.declined && { ...draft.declined, at: inWords(draft.declined.at) },
        changed: filesOf(before, after),
        names: Object.keys(files).sort(),
        shadow: draft.shadow ? (await shadowOf(store, draft)).counts : undefined,
        mayWrite: isLive(draft) && visit.mayIn('console-author', draft.layer),
      },
    }
  }
