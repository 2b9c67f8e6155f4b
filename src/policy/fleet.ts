/** Which nodes there are, and by which policy version each of them answers: written by each, read by whoever asks. */
import { newId } from '../core/ids.js'
import type { Records } from '../core/records.js'
import { after, type Clock, type EpochMs, type Random, type Seconds } from '../core/values.js'
import type { Store } from '../store/store.js'
import { ISSUE_FOR, type OpenPolicies } from './versions.js'

/** How often a node says so, in milliseconds, while nothing changes. */
const EVERY = 5_000
/** How long a node that says nothing more is listed. */
const LISTED_FOR: Seconds = 300

export interface BeatParts {
  readonly store: Pick<Store, 'commit'>
  readonly policies: Pick<OpenPolicies, 'version' | 'hash' | 'heardAt' | 'mayIssue' | 'mayRead'>
  readonly clock: Clock
  readonly random: Random
}

/** This node's own word in the fleet. */
export interface Beat {
  readonly node: string
  /** To be called every second: writes every five, and at once when something changed. @throws StoreFailure */
  beat(): Promise<void>
  /** The node goes: it is listed no longer. @throws StoreFailure */
  leave(): Promise<void>
}

export function createBeat({ store, policies, clock, random }: BeatParts): Beat {
  const node = newId('nod', random)
  const startedAt = clock()
  let said: Records['node'] | undefined
  let underWay = false
  const now = (): Records['node'] => ({
    ...{ version: policies.version(), hash: policies.hash(), heardAt: policies.heardAt() },
    ...{ mayIssue: policies.mayIssue(), mayRead: policies.mayRead(), startedAt, at: clock() },
  })
  const isOld = (value: Records['node'], before: Records['node']): boolean =>
    Math.abs(value.at - before.at) >= EVERY ||
    value.version !== before.version ||
    value.mayIssue !== before.mayIssue ||
    value.mayRead !== before.mayRead
  return {
    node,
    async beat() {
      const value = now()
      if (underWay || (said && !isOld(value, said))) return
      underWay = true
      try {
        const until = after(value.at, LISTED_FOR)
        await store.commit({ puts: [{ kind: 'node', id: node, value, until }] })
        said = value
      } finally {
        underWay = false
      }
    },
    async leave() {
      if (said) await store.commit({ drops: [{ kind: 'node', id: node }] })
    },
  }
}

export interface FleetNode {
  readonly id: string
  readonly version: number
  readonly startedAt: EpochMs
  /** Milliseconds since it last said something. */
  readonly silent: number
  /** Milliseconds since it last heard which version is in force, as far as it has said. */
  readonly unheard: number
  /** Whether it answers by the version in force. */
  readonly follows: boolean
  /** False once it must have stopped issuing, whether it could still say so or not. */
  readonly mayIssue: boolean
  readonly mayRead: boolean
}

/** Every node that spoke within five minutes, the one that started first first. */
export async function fleetOf(
  store: Pick<Store, 'get' | 'list'>,
  clock: Clock,
): Promise<readonly FleetNode[]> {
  const [nodes, current] = await Promise.all([store.list('node'), store.get('policy', 'current')])
  const now = clock()
  return nodes
    .map(({ id, value }) => {
      const { version, startedAt, mayRead } = value
      const unheard = now - value.heardAt
      const mayIssue = value.mayIssue && Math.abs(unheard) <= ISSUE_FOR * 1000
      const follows = version === current?.version && value.hash === current.hash
      const silent = now - value.at
      return { id, version, startedAt, silent, unheard, follows, mayIssue, mayRead }
    })
    .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
}
