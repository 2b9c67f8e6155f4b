/**
 * Versions of which it is known that nothing is wrong with them: judging one takes seconds, proposing, approving and
 * publishing judge the same files, and they may come to three nodes. What one found sound stands in the store for the
 * others, by the hash of the files and of all else that the verdict hangs on.
 */
import { sha256 } from '../core/ids.js'
import { after, type Clock, type Seconds } from '../core/values.js'
import type { Store } from '../store/store.js'

const MOST_KNOWN = 200
/** How long others believe it: a gateway of a newer release may judge more strictly. */
const BELIEVED_FOR: Seconds = 86_400

/** By the hash of their files. What is wrong is not remembered: it is shown, and mended. */
export interface Soundness {
  /** By this process alone. */
  knows(hash: string): boolean
  /** By any node. @throws StoreFailure */
  has(hash: string): Promise<boolean>
  /** For this process alone. */
  note(hash: string): void
  /** For all nodes. A store that fails now costs them a check. */
  add(hash: string): Promise<void>
}

interface Shared {
  readonly store: Pick<Store, 'get' | 'commit'>
  readonly clock: Clock
  /** Ids of the plan's sections, by which policies are judged. */
  readonly sections: readonly string[]
}

/** @param shared absent: nothing is told to others */
export function createSoundness(shared?: Shared): Soundness {
  const known = new Set<string>()
  const idOf = (hash: string): string => sha256(JSON.stringify([hash, shared?.sections]))
  const note = (hash: string): void => {
    if (known.size >= MOST_KNOWN) known.clear()
    known.add(hash)
  }
  return {
    knows: (hash) => known.has(hash),
    note,
    async has(hash) {
      if (known.has(hash)) return true
      const found = await shared?.store.get('sound', idOf(hash))
      if (found?.hash !== hash) return false
      note(hash)
      return true
    },
    async add(hash) {
      note(hash)
      if (!shared) return
      const { store, clock } = shared
      const until = after(clock(), BELIEVED_FOR)
      const put = { kind: 'sound', id: idOf(hash), value: { hash }, until } as const
      await store.commit({ puts: [put] }).catch(() => false)
    },
  }
}
