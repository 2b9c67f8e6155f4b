/**
 * The trail: what happened, durable before it takes effect. Everything the gateway writes that widens
 * goes through {@link Trail.commit}, so that the record and its entry are one act.
 */
import type { Happening, TrailEntry } from '../core/audit.js'
import { chain, writerTime } from '../core/chain.js'
import { boundHappening } from '../core/happening.js'
import type { Clock } from '../core/values.js'
import type { Commit, Head, Store } from '../store/store.js'
import { openings } from './openings.js'

export interface Trail {
  /** Durable when it returns. @throws Error when that is unknown */
  record(...happenings: Happening[]): Promise<void>
  /**
   * Claims, then entries, then puts and drops. Answers false when a claim was lost: then nothing was
   * recorded either, and the caller records what that means.
   *
   * @throws Error when durability is unknown; the caller must treat it as not done
   */
  commit(work: Work): Promise<boolean>
  /** Signs how far this writer's chain has come. Does nothing without a signer, or when nothing is new. */
  checkpoint(): Promise<void>
  /** A last checkpoint. The store stays open: it is its opener's. */
  close(): Promise<void>
}

export interface Work extends Pick<Commit, 'claims' | 'puts' | 'drops'> {
  readonly record?: readonly Happening[]
}

export interface TrailParts {
  readonly store: Store
  readonly clock: Clock
  /** Makes a compact JWS of the payload. */
  readonly sign?: (payload: CheckpointPayload) => Promise<string>
  /** After how many entries a checkpoint is made without being asked for. */
  readonly checkpointEvery?: number
}

/** Says that the writer's chain held this entry. */
export type CheckpointPayload = Readonly<{ writer: string; seq: number; hash: string }>

const LONGEST_CHECKPOINT = 4096
/** How far our clock may step back before entries say so, in milliseconds. */
const STEP = 1000

/** Begins this process's chain with an entry that names where the other writers' chains stand. */
export async function openTrail(parts: TrailParts): Promise<Trail> {
  const { store, clock, sign, checkpointEvery = Number.POSITIVE_INFINITY } = parts
  const pen = openPen(store, clock)
  await pen.write({ record: await openings(store) })
  let signed = 0
  let signing: Promise<void> | undefined

  async function signHead(): Promise<void> {
    const head = pen.head()
    if (!sign || !head || head.seq === signed) return
    const jws = await sign(head)
    if (jws.length > LONGEST_CHECKPOINT) throw new Error('the checkpoint is too long')
    await pen.write({ record: [{ what: 'checkpoint', outcome: 'success', detail: { jws } }] })
    // The checkpoint's own entry is nothing new.
    signed = head.seq + 1
  }
  const checkpoint = (): Promise<void> => {
    signing ??= signHead().finally(() => {
      signing = undefined
    })
    return signing
  }
  async function commit({ record = [], claims = [], puts = [], drops = [] }: Work) {
    const done = await pen.write({ record: record.map(boundHappening), claims, puts, drops })
    // Nobody waits for this one: what is wrong with it, the next by timer or at the end tells.
    if ((pen.head()?.seq ?? 0) - signed > checkpointEvery) checkpoint().catch(() => undefined)
    return done
  }
  return {
    commit,
    checkpoint,
    async record(...happenings) {
      await commit({ record: happenings })
    },
    async close() {
      await signing?.catch(() => undefined)
      await checkpoint()
    },
  }
}

interface Pen {
  write(work: Work): Promise<boolean>
  /** The last entry that is known to be durable. */
  head(): CheckpointPayload | undefined
}

function openPen(store: Store, clock: Clock): Pen {
  let head: CheckpointPayload | undefined
  let latest = 0

  /** Called by the store at the moment of writing. Time never runs backwards in a chain: searches rely on it. */
  function follow(from: Head, record: readonly Happening[]): readonly TrailEntry[] {
    const now = clock()
    latest = Math.max(now, latest, writerTime(from.writer))
    const told = (happening: Happening): Happening => {
      return { ...happening, detail: { ...happening.detail, clock: now } }
    }
    return chain(from, latest - now > STEP ? record.map(told) : record, latest)
  }
  return {
    head: () => head,
    async write({ record = [], claims = [], puts = [], drops = [] }) {
      let made: readonly TrailEntry[] = []
      const entries = (from: Head) => {
        made = follow(from, record)
        return made
      }
      const acts = record.length > 0 ? { entries } : {}
      const done = await store.commit({ claims, puts, drops, ...acts })
      const last = made.at(-1)
      if (done && last && last.seq > (head?.seq ?? 0))
        head = { writer: last.writer, seq: last.seq, hash: last.hash }
      return done
    },
  }
}
