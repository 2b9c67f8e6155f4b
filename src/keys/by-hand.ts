/** What an operator sees of our own keys and does with them, besides what the clock does. */
import { type KeyAlgorithm, type KeyState, type RotationOrder, stateOf } from '../core/key-ring.js'
import type { EpochMs } from '../core/values.js'
import { KeyFault } from './fault.js'
import { type RingParts, readRing, rotate } from './ring.js'

/** Public facts of one key. */
export interface OwnKey {
  readonly kid: string
  readonly alg: KeyAlgorithm
  readonly use: string
  readonly state: KeyState
  readonly made: EpochMs
  readonly from: EpochMs
  readonly compromised?: EpochMs
}

export interface OwnKeys {
  /** The youngest first. @throws KeyFault */
  list(): Promise<readonly OwnKey[]>
  /** @param by who says so, for the trail. @throws KeyFault when it cannot be done now */
  rotate(order: RotationOrder, by: string): Promise<void>
}

export const openOwnKeys = (parts: RingParts): OwnKeys => ({
  async list() {
    const known = await readRing(parts)
    if (!known) throw new KeyFault('our keys are gone from the store')
    const now = parts.clock()
    return [...known.ring.keys]
      .sort((a, b) => b.from - a.from)
      .map((key) => ({
        ...{ kid: key.kid, alg: key.alg, use: key.jwk.use, made: key.made, from: key.from },
        state: stateOf(known.ring, key, now, parts.times),
        ...(key.compromised === undefined ? {} : { compromised: key.compromised }),
      }))
  },
  async rotate(order, by) {
    await rotate(parts, order, by)
  },
})
