/** What the parts of the stores' contract share. */
import { randomBytes } from 'node:crypto'
import type { Happening, TrailEntry } from '../../src/core/audit.js'
import { chain } from '../../src/core/chain.js'
import type { Clock, Random } from '../../src/core/values.js'
import type { Head, Put, Store, TrailRange } from '../../src/store/store.js'

/** What all instances of a store have in common: one directory, one server. */
export interface Shared {
  /** Opens one more instance, as another process or machine would. */
  open(parts: { clock: Clock; random: Random }): Promise<Store>
  /** Whether `sweep` has something to do, or the back end forgets by itself. */
  readonly sweeps: boolean
  stop(): Promise<void>
}

/** Two machines on one store, and the hand of their clock. */
export interface Machines {
  now: number
  readonly shared: Shared
  readonly store: Store
  readonly other: Store
}

export const START = Date.UTC(2026, 0, 5, 9)
export const MINUTE = 60_000
export const random: Random = (bytes) => new Uint8Array(randomBytes(bytes))

/** Each test has names of its own: all of them share one store. */
export const unique = (name: string): string => `${name}-${Buffer.from(random(6)).toString('hex')}`

export const person = (id: string, uid: string, until: number): Put => ({
  kind: 'person',
  id,
  value: { uid, since: START },
  until,
})

export const happening = (reference: string): Happening => ({
  what: 'launch_verified',
  outcome: 'success',
  reference: `ref_${reference}`,
})

export const entriesAt = (at: number, ...references: string[]) => {
  return (head: Head) => chain(head, references.map(happening), at)
}

export async function read(store: Store, range?: TrailRange): Promise<TrailEntry[]> {
  const entries: TrailEntry[] = []
  for await (const entry of store.trail(range)) entries.push(entry)
  return entries
}

export const references = async (store: Store): Promise<readonly (string | undefined)[]> =>
  (await read(store)).map(({ reference }) => reference)
