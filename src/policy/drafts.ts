/**
 * The life of a policy change, from a draft to the version in force and back again. What is refused is on record
 * as well.
 */
import type { Trail } from '../audit/trail.js'
import type { Draft } from '../core/draft.js'
import type { Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import type { Clock, Random } from '../core/values.js'
import type { Put, Store } from '../store/store.js'
import { type By, draftActs } from './draft-acts.js'
import { type GatesParts, openGates } from './draft-gates.js'
import { draftRecords, type WholeDraft, type WholeVersion } from './draft-records.js'
import { actor } from './publishing.js'
import { type Rollback, rollingBack } from './rollback.js'

export interface DraftsParts extends GatesParts {
  readonly store: Pick<Store, 'get' | 'getAll' | 'list'>
  readonly trail: Pick<Trail, 'commit' | 'record'>
  readonly clock: Clock
  readonly random: Random
  /** What ends all that was given under a version: what a rollback may ask for. */
  readonly revoking?: (version: number) => Put
}

type Acts = ReturnType<typeof draftActs>

/**
 * Every one of these throws a Refusal where the step may not be made; then nothing has changed, and the trail says who
 * tried. `emergency` needs no approval, and another person reviews it afterwards. `rollback` answers the number of the
 * new version.
 */
export interface Drafts extends Acts {
  rollback(say: Rollback): Promise<number>
  read(id: string): Promise<WholeDraft>
  list(): Promise<readonly Draft[]>
  version(number: number): Promise<WholeVersion>
  inForce(): Promise<WholeVersion>
  /** The youngest first, without files. */
  history(most: number): Promise<readonly Records['policy'][]>
}

const LONGEST_HISTORY = 500

export function createDrafts(given: DraftsParts): Drafts {
  const records = draftRecords(given)
  const parts = { ...given, records, gates: openGates(given) }
  const acts = { ...draftActs(parts), rollback: (say: Rollback) => rollingBack(parts, say) }
  const { read, list, version, inForce } = records
  return {
    ...onRecord(given.trail, acts),
    ...{ read, list, version, inForce },
    history: (most) => records.history(Math.max(0, Math.min(most, LONGEST_HISTORY))),
  }
}

type Act = (...args: never[]) => Promise<unknown>

/** The same acts; whichever refuses leaves an entry that says who tried what. */
function onRecord<T extends { [K in keyof T]: Act }>(trail: DraftsParts['trail'], acts: T): T {
  const recorded = Object.entries<Act>(acts).map(([name, act]) => {
    const tried = async (...args: never[]) => {
      try {
        return await act(...args)
      } catch (error) {
        // Not made is not made: when even this entry cannot be written, the answer is still the refusal.
        if (error instanceof Refusal) await refused(trail, name, args, error).catch(() => undefined)
        throw error
      }
    }
    return [name, tried]
  })
  return Object.fromEntries(recorded)
}

async function refused(
  trail: DraftsParts['trail'],
  act: string,
  args: readonly unknown[],
  { code, detail: why }: Refusal,
): Promise<void> {
  const [id, say] = typeof args[0] === 'string' ? args : ['', args[0]]
  const { by, hash } = say as By & { hash?: unknown }
  const named = typeof hash === 'string' ? { hash } : {}
  await trail.record({
    ...{ what: 'draft_refused', outcome: 'refused', refusal: code, user: actor(by) },
    detail: { act, draft: String(id), why, ...named },
  })
}
