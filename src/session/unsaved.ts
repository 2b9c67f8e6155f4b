/**
 * What people have typed and not saved: kept sealed for a day, by person, app, patient and section. It outlives the
 * launch and the sign-on, for when those end is just when it is needed.
 */
import type { Trail } from '../audit/trail.js'
import type { Happening } from '../core/audit.js'
import type { Witness } from '../core/feeder-audit.js'
import type { LaunchId } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import {
  isFull,
  isListed,
  type KeptUnsaved,
  listedWith,
  listUntil,
  requireSeen,
  sealOf,
  tagOf,
  UNSAVED_LIFE,
  type Unsaved,
  type UnsavedList,
  type UnsavedOwner,
} from '../core/unsaved.js'
import { after, type Clock, type EpochMs } from '../core/values.js'
import type { EncryptionKeys } from '../keys/encryption.js'
import type { Put, Store } from '../store/store.js'

/** Without its words. */
export interface UnsavedMark {
  readonly launch: LaunchId
  readonly at: EpochMs
  readonly tag: string
}

/** As it was sent, with what was seen of the items that were taken over. */
export type Witnessed = Unsaved & { readonly witnessed?: readonly Witness[] }

export interface UnsavedWork {
  /**
   * @param seen the tag of what is replaced, needed where another launch kept it
   * @param entry recorded when it is the first keeping in this launch
   * @throws Refusal version_stale, unsaved_under_way; StoreFailure
   */
  keep(
    owner: UnsavedOwner,
    launch: LaunchId,
    typed: Witnessed,
    seen: string | undefined,
    entry: Happening,
  ): Promise<UnsavedMark>
  /** In the order asked. @throws StoreFailure */
  marks(owners: readonly UnsavedOwner[]): Promise<readonly (UnsavedMark | undefined)[]>
  /** @throws StoreFailure; Error when it is not as it was sealed */
  read(
    owner: UnsavedOwner,
  ): Promise<{ readonly mark: UnsavedMark; readonly typed: Witnessed } | undefined>
  /**
   * @param launch only what was kept in this one
   * @returns whether there was one
   */
  drop(owner: UnsavedOwner, launch?: LaunchId): Promise<boolean>
}

interface Parts {
  readonly store: Pick<Store, 'get' | 'getAll' | 'commit'>
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  readonly encryption: EncryptionKeys
}

/** For how long one change of a list may be under way: longer than a commit takes. */
const UNDER_WAY_MS = 10_000

const unsaved = (id: string) => ({ kind: 'unsaved', id }) as const

export function createUnsaved({ store, trail, clock, encryption }: Parts): UnsavedWork {
  const { current, previous } = encryption
  const markOf = ({ id }: UnsavedOwner, { launch, at }: KeptUnsaved): UnsavedMark => ({
    ...{ launch, at },
    tag: tagOf(id, { launch, at }),
  })

  /** Of a full list it is asked which are still there. */
  async function listed(list: UnsavedList | undefined, id: string, now: EpochMs) {
    if (!isFull(list, id, now)) return listedWith(list, id, now)
    const ids = list?.kept.map((one) => one.id) ?? []
    const found = await store.getAll(ids.map(unsaved))
    const there = new Set(ids.filter((_, i) => found[i] !== undefined))
    return listedWith(list, id, now, (one) => there.has(one))
  }

  return {
    async keep(owner, launch, typed, seen, entry) {
      const { id, person } = owner
      const at = clock()
      const [list, standing] = await store.getAll([
        { kind: 'unsavedList', id: person },
        unsaved(id),
      ])
      requireSeen(id, standing, launch, seen)
      const sealed = await current.wrap(sealOf(id, { launch, at }), JSON.stringify(typed))
      const value: KeptUnsaved = { launch, at, sealed }
      const put: Put = { ...unsaved(id), value, until: after(at, UNSAVED_LIFE) }
      const again = standing?.launch === launch
      if (again && isListed(list, id, at)) {
        await store.commit({ puts: [put] })
        return markOf(owner, value)
      }
      const next = await listed(list, id, at)
      const done = await trail.commit({
        record: again ? [] : [entry],
        claims: [{ what: `unsaved/${person}/${next.list.generation}`, until: at + UNDER_WAY_MS }],
        puts: [{ kind: 'unsavedList', id: person, value: next.list, until: listUntil(at) }, put],
        drops: next.gone.map(unsaved),
      })
      if (!done) throw new Refusal('unsaved_under_way', 'another keeping of the same person')
      return markOf(owner, value)
    },
    async marks(owners) {
      const found = await store.getAll(owners.map(({ id }) => unsaved(id)))
      return owners.map((owner, i) => {
        const kept = found[i]
        return kept && markOf(owner, kept)
      })
    },
    async read(owner) {
      const kept = await store.get('unsaved', owner.id)
      if (!kept) return undefined
      const open = (key: typeof current) => key.unwrap(sealOf(owner.id, kept), kept.sealed)
      const text = await open(current).catch((error: unknown) => {
        if (!previous) throw error
        return open(previous)
      })
      return { mark: markOf(owner, kept), typed: JSON.parse(text) as Witnessed }
    },
    async drop({ id }, launch) {
      const kept = await store.get('unsaved', id)
      if (!kept || (launch !== undefined && kept.launch !== launch)) return false
      await store.commit({ drops: [unsaved(id)] })
      return true
    },
  }
}
