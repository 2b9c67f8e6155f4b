/** Drafts and versions as the store holds them: found, read with their files, and moved on by one step. */
import type { Trail } from '../audit/trail.js'
import type { EventName, Happening } from '../core/audit.js'
import { asInForce, type Draft, keptUntil, type Person } from '../core/draft.js'
import { Refusal } from '../core/refusal.js'
import { after, type Seconds } from '../core/values.js'
import type { Put, Store } from '../store/store.js'
import { keptVersions } from './kept-versions.js'
import { aboutVersion, actor } from './publishing.js'
import { hashOfFiles, type PolicyFiles } from './source.js'

export interface DraftRecordsParts {
  readonly store: Pick<Store, 'get' | 'getAll' | 'list'>
  readonly trail: Pick<Trail, 'commit'>
}

export type { WholeVersion } from './kept-versions.js'
export interface WholeDraft {
  readonly draft: Draft
  readonly files: PolicyFiles
}

/** Whoever dies in the act keeps the draft from moving for so long. */
const CLAIM_FOR: Seconds = 60
const DRAFT_ID = /^dft_[\w-]{1,40}$/
/** An edit drops the files of the step before: who read that step just before looks again. */
const TRIES = 3

const unknown = (id: string): Refusal => new Refusal('draft_unknown', id.slice(0, 50))
const filesId = ({ id, hash }: Draft): string => `${id}/${hash}`

/**
 * That only one of several at once makes this step, within a minute of when its maker began to look: `changedAt` is from
 * before the draft was read.
 */
export const turnOf = ({ id, generation, changedAt }: Draft) => ({
  what: `draft/${id}/${generation}`,
  until: after(changedAt, CLAIM_FOR),
})

/** The draft with its files, which live as long as it does. Files first: a draft without them is none. */
export const draftPuts = (draft: Draft, files: PolicyFiles): readonly Put[] => {
  const until = keptUntil(draft)
  return [
    { kind: 'draftFiles', id: filesId(draft), value: { files }, until },
    { kind: 'draft', id: draft.id, value: draft, until },
  ]
}

export type DraftRecords = ReturnType<typeof draftRecords>

export function draftRecords({ store, trail }: DraftRecordsParts) {
  const versions = keptVersions(store)
  const { current } = versions

  /** As it stands in truth: see {@link asInForce}. */
  async function settled(draft: Draft, inForce: number): Promise<Draft> {
    const next = draft.base.version + 1
    const isOver = draft.stage === 'published' || draft.stage === 'abandoned'
    if (isOver || inForce < next) return draft
    const about = await store.get('policy', aboutVersion(next))
    return about ? asInForce(draft, about) : draft
  }

  /** @throws Refusal `draft_unknown` */
  async function find(id: string): Promise<Draft> {
    const found = DRAFT_ID.test(id) ? await store.get('draft', id) : undefined
    if (found?.id !== id) throw unknown(id)
    return settled(found, (await current()).version)
  }

  /** @throws Refusal `draft_unknown` */
  async function read(id: string): Promise<WholeDraft> {
    for (let tries = 0; tries < TRIES; tries++) {
      const draft = await find(id)
      const kept = await store.get('draftFiles', filesId(draft))
      if (!kept) continue
      if (hashOfFiles(kept.files) !== draft.hash) throw new Error(`draft ${id} is not whole`)
      return { draft, files: kept.files }
    }
    throw unknown(id)
  }

  return {
    ...versions,
    find,
    read,
    async list(): Promise<readonly Draft[]> {
      const all = await store.list('draft')
      const { version: inForce } = await current()
      return Promise.all(all.map(({ value }) => settled(value, inForce)))
    },

    /** One step, with what its entry says. @throws Refusal `draft_changed` where another came first */
    async step(
      next: Draft,
      files: PolicyFiles,
      say: { readonly what: EventName; readonly by: Person; readonly detail?: Happening['detail'] },
      replaced?: Draft,
    ): Promise<void> {
      const { what, by, detail = {} } = say
      const { id, hash, generation, layer } = next
      const stale = replaced && replaced.hash !== hash ? filesId(replaced) : undefined
      const done = await trail.commit({
        claims: [turnOf(next)],
        record: [
          {
            ...{ what, outcome: 'success', user: actor(by) },
            detail: { draft: id, layer, hash, generation, ...detail },
          },
        ],
        puts: draftPuts(next, files),
        drops: stale === undefined ? [] : [{ kind: 'draftFiles', id: stale }],
      })
      if (!done) throw new Refusal('draft_changed', `generation ${generation} was taken`)
    },
  }
}
