/**
 * What is written in a launch, kept sealed for its outcome: before a write goes on, as one of which nobody knows, and
 * again when the record has said yes. Each write has a place of its own, so that two at once never lose each other.
 */
import type { Access } from '../core/access.js'
import type { LaunchId } from '../core/ids.js'
import {
  bounded,
  type Change,
  changeOf,
  doneChange,
  MOST_ACTS,
  type Outcome,
  roomAt,
  type Writing,
  type Written,
} from '../core/outcome.js'
import type { PlanSection } from '../core/plan.js'
import { changeIn, endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import type { Clock, EpochMs } from '../core/values.js'
import type { EncryptionKeys } from '../keys/encryption.js'
import type { Put, Store } from '../store/store.js'
import { createSealing } from './sealing.js'

/** A write that is on its way, or several that the record does together. */
export interface UnderWay {
  /** The record has said yes, to each in the order in which they were begun. */
  done(written: readonly Written[]): Promise<void>
  /** The record has said no. */
  undone(): Promise<void>
}

/** Every write of a launch, as far as it is kept. */
export interface Kept {
  readonly changes: readonly Change[]
  /** There were more. */
  readonly more: boolean
  /** What keeps the same records until then, and what keeps them no longer. */
  puts(until: EpochMs): readonly Put[]
  readonly drops: readonly { readonly kind: 'change'; readonly id: string }[]
}

export interface Changes {
  /**
   * Keeps that something is about to be written. Durable when it resolves: whoever asks for the outcome from then on
   * is told of it, or has asked before, and then it is refused.
   *
   * @throws Refusal context_closed; StoreFailure
   */
  begin(access: Access, writings: readonly Writing[]): Promise<UnderWay>
  /** @throws StoreFailure; Error where one is not as it was sealed, or of another patient */
  read(launch: LaunchId, outcome: Outcome): Promise<Kept>
}

export interface ChangesParts {
  readonly store: Pick<Store, 'get' | 'getAll' | 'commit' | 'count'>
  readonly clock: Clock
  readonly encryption: EncryptionKeys
  readonly plan: readonly PlanSection[]
  /** Told of what left a write uncertain that is not. */
  readonly unsettled: (launch: LaunchId, error: unknown) => void
}

/** Of a launch whose outcome nobody may fetch; and past all that are kept. */
const NOT_KEPT: UnderWay = { done: async () => undefined, undone: async () => undefined }

const MORE = 'more'
type Place = number | typeof MORE

interface Taken {
  readonly place: number
  readonly changes: readonly Change[]
}

/** Authenticated with what it names: what is sealed for one place of one launch opens in no other. */
const nameOf = (id: string): string => `change/${id}`

export function createChanges(parts: ChangesParts): Changes {
  const { store, clock, encryption, plan, unsettled } = parts
  const sealing = createSealing(encryption)

  async function putOf(launch: LaunchId, place: Place, value: unknown, until: EpochMs) {
    const id = changeIn(launch, place)
    const sealed = await sealing.seal(nameOf(id), value)
    return { kind: 'change', id, value: { sealed }, until } as const
  }

  /** A place that nobody else has, with as much as there is room for there. The counter may be set back by a crash: the claim may not. */
  async function take(launch: LaunchId, begun: readonly Change[], until: EpochMs) {
    for (let tries = 0; tries < MOST_ACTS; tries += 1) {
      const place = (await store.count(`changes/${launch}`, until)) - 1
      if (place >= MOST_ACTS) break
      const claims = [{ what: `change/${launch}/${place}`, until }]
      const changes = begun.slice(0, roomAt(place).changes)
      const rest = changes.length < begun.length ? [await putOf(launch, MORE, [], until)] : []
      const puts = [await putOf(launch, place, changes, until), ...rest]
      if (await store.commit({ claims, puts })) return { place, changes }
    }
    await store.commit({ puts: [await putOf(launch, MORE, [], until)] })
    return undefined
  }

  /**
   * Whatever fails here, the record has answered, and its answer is the app's. The write is then told as uncertain:
   * too much is told of it, and never too little.
   */
  function underWay(outcome: Outcome, launch: LaunchId, { place, changes }: Taken) {
    const settle = (work: () => Promise<unknown>): Promise<void> =>
      Promise.resolve()
        .then(work)
        .then(
          () => undefined,
          (error: unknown) => unsettled(launch, error),
        )
    return {
      done: (written: readonly Written[]) =>
        settle(async () => {
          const done = changes.map((one, i) => doneChange(outcome, one, written[i] ?? {}, plan))
          const told = bounded(done, roomAt(place).bytes)
          // It has left as uncertain: so it stays for whoever repeats the request, and nothing is kept for longer.
          if (await store.get('released', launch)) return undefined
          return store.commit({ puts: [await putOf(launch, place, told, outcome.until)] })
        }),
      undone: () =>
        settle(() => store.commit({ drops: [{ kind: 'change', id: changeIn(launch, place) }] })),
    }
  }

  return {
    async begin(access, writings) {
      const { launch } = access.grant
      if (writings.length === 0) return NOT_KEPT
      const [outcome, over] = await store.getAll([{ kind: 'outcome', id: launch }, closing(launch)])
      // For longer than the outcome is kept: an app may go on without its user for a month.
      if (over) throw closed()
      if (!outcome) return NOT_KEPT
      const at = clock()
      const begun = writings.map((writing) => changeOf(outcome, access, writing, plan, at))
      const taken = await take(launch, begun, outcome.until)
      const kept = taken === undefined ? NOT_KEPT : underWay(outcome, launch, taken)
      // Asked after it is kept: an outcome is closed before it is read, so one of the two sees the other.
      if (await store.get('ended', closing(launch).id)) {
        await kept.undone()
        throw closed()
      }
      return kept
    },
    async read(launch, outcome) {
      const places: readonly Place[] = [...Array(MOST_ACTS).keys(), MORE]
      const ids = places.map((place) => changeIn(launch, place))
      const kept = await store.getAll(ids.map((id) => ({ kind: 'change' as const, id })))
      const found = ids.flatMap((id, i) => {
        const value = kept[i]
        return value ? [{ id, value }] : []
      })
      const opened = await Promise.all(
        found.map(({ id, value }) => sealing.open(nameOf(id), value.sealed)),
      )
      const changes = opened.flat() as readonly Change[]
      if (changes.some(({ patient }) => patient !== outcome.patient.fhirId))
        throw new Error('a change of another patient than its launch')
      return {
        changes,
        more: kept.at(-1) !== undefined,
        puts: (until) => found.map(({ id, value }) => ({ kind: 'change', id, value, until })),
        drops: found.map(({ id }) => ({ kind: 'change', id })),
      }
    },
  }
}

const closed = () => new Refusal('context_closed', 'its outcome has been asked for')

/** What says that a launch writes no more, its outcome having been asked for. */
export const closing = (launch: LaunchId) =>
  ({ kind: 'ended', id: endOf('writing', launch) }) as const
