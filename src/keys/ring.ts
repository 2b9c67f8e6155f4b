/**
 * The ring in the store: read and believed, or changed. A change is one commit with a claim on the next revision, so
 * that of nodes that change it at once one does, and an entry of the trail that is durable first.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { JWK } from 'jose'
import type { Happening } from '../core/audit.js'
import { canonical } from '../core/chain.js'
import {
  orderedTurn,
  type Ring,
  type RingKey,
  type RingTimes,
  type RotationOrder,
  type SealedRing,
  scheduledTurn,
  type Turn,
  turned,
} from '../core/key-ring.js'
import { after, type Clock, type EpochMs, type Seconds } from '../core/values.js'
import type { Commit, Store } from '../store/store.js'
import { builtInCustody, held, type OpenCustody } from './custody.js'
import {
  ENCRYPTION_VARIABLE,
  type EncryptionKey,
  type EncryptionKeys,
  PREVIOUS_VARIABLE,
} from './encryption.js'
import { KeyFault } from './fault.js'

const FOR_GOOD: EpochMs = Date.UTC(9999, 0)
/** A node that dies in the act keeps others from that revision for so long. */
const CLAIM_FOR: Seconds = 60
/** How often, and how many milliseconds apart, a node looks whether another has made the first keys. */
const TRIES = 100
const TRY_EVERY = 100

/** Claims, then entries, then puts: the trail's commit. */
export type RecordedCommit = (
  work: Pick<Commit, 'claims' | 'puts'> & { readonly record: readonly Happening[] },
) => Promise<boolean>

export interface RingParts {
  readonly store: Pick<Store, 'get'>
  readonly commit: RecordedCommit
  readonly clock: Clock
  readonly times: RingTimes
  readonly encryption: EncryptionKeys
  /** {@link builtInCustody} without. */
  readonly custody?: OpenCustody
  readonly wait?: (milliseconds: number) => Promise<unknown>
}

/** A ring whose seal is right. */
export interface KnownRing {
  readonly ring: Ring
  readonly under: EncryptionKey
  readonly seal: string
}

export const custodyOf = ({ custody = builtInCustody }: RingParts, under: EncryptionKey) =>
  custody(under)

const sealedText = ({ revision, keys }: Ring): string => canonical({ revision, keys })

/** @throws KeyFault when it is under a key that we have not, or was changed */
export function believe(stored: SealedRing, { current, previous }: EncryptionKeys): KnownRing {
  const under = [current, previous].find((key) => key?.name === stored.under)
  if (!under) {
    throw new KeyFault(
      `${ENCRYPTION_VARIABLE}: is another key than the one that our keys in the store are encrypted under; give that one, or give it as ${PREVIOUS_VARIABLE} beside the new one`,
    )
  }
  const ring = { revision: stored.revision, keys: stored.keys }
  if (!under.isSealed(sealedText(ring), stored.seal))
    throw new KeyFault('our keys in the store were changed by somebody who has not our key')
  return { ring, under, seal: stored.seal }
}

/** `undefined` while there is none, or one in clear. @throws KeyFault */
export async function readRing({ store, encryption }: Pick<RingParts, 'store' | 'encryption'>) {
  const stored = await store.get('keys', 'current')
  return stored && 'seal' in stored ? believe(stored, encryption) : undefined
}

/** `false` when another took this revision. */
async function write(
  parts: RingParts,
  ring: Ring,
  under: EncryptionKey,
  entry: Pick<Happening, 'what' | 'detail'>,
): Promise<boolean> {
  const value: SealedRing = { ...ring, under: under.name, seal: under.seal(sealedText(ring)) }
  const until = after(parts.clock(), CLAIM_FOR)
  return parts.commit({
    claims: [{ what: `keys/${ring.revision}`, until }],
    record: [
      { ...entry, outcome: 'success', detail: { ...entry.detail, revision: ring.revision } },
    ],
    puts: [{ kind: 'keys', id: 'current', value, until: FOR_GOOD }],
  })
}

/** The turn with its keys made and kept. `undefined` when another was first. */
async function take(
  parts: RingParts,
  turn: Turn,
  under: EncryptionKey,
  by: string,
): Promise<Ring | undefined> {
  const custody = custodyOf(parts, under)
  const now = parts.clock()
  const make = async ({ alg, from }: Turn['make'][number]): Promise<RingKey> => ({
    ...(await custody.make(alg)),
    ...{ made: now, from },
  })
  const made = await Promise.all(turn.make.map(make))
  const ring = turned(turn, made)
  const { retired, compromised } = turn
  const detail = { by, made: made.map(({ kid }) => kid), retired, compromised }
  return (await write(parts, ring, under, { what: 'keys_rotated', detail })) ? ring : undefined
}

/** Keys as an older version left them, in clear: wrapped, and used from now on as they were. */
async function adopted(
  keys: readonly Readonly<Record<string, unknown>>[],
  { clock, encryption }: RingParts,
): Promise<Ring> {
  const now = clock()
  const wrapped = keys.map((jwk) => held(jwk as JWK, encryption.current))
  const ring = (await Promise.all(wrapped)).map((key) => ({ ...key, made: now, from: now }))
  return { revision: 0, keys: ring }
}

/** Makes the first ring, or wraps what an older version left. */
async function begin(parts: RingParts): Promise<void> {
  const { store, clock, times, encryption } = parts
  const stored = await store.get('keys', 'current')
  if (stored && 'seal' in stored) return
  const ring = await adopted(stored?.keys ?? [], parts)
  const missing = scheduledTurn(ring, clock(), times)
  const none = { ring, make: [], retired: [], compromised: [] }
  await take(parts, missing ?? none, encryption.current, stored ? 'upgrade' : 'first start')
}

/**
 * The ring, made if there is none: of several nodes that start at once, one makes it for all.
 * @throws KeyFault
 */
export async function openRing(parts: RingParts): Promise<KnownRing> {
  const { wait = pause } = parts
  const there = await readRing(parts)
  if (there) return there
  await begin(parts)
  for (let tries = 0; tries < TRIES; tries++) {
    const known = await readRing(parts)
    if (known) return known
    await wait(TRY_EVERY)
  }
  throw new KeyFault('another node is making the first keys: start again in a moment')
}

async function known(parts: RingParts): Promise<KnownRing> {
  const there = await readRing(parts)
  if (!there) throw new KeyFault('there are no keys in the store yet')
  return there
}

/** Does what the clock asks for. Answers whether the ring was changed, by us. */
export async function rotateWhenDue(parts: RingParts): Promise<boolean> {
  const { ring, under } = await known(parts)
  const turn = scheduledTurn(ring, parts.clock(), parts.times)
  return turn !== undefined && (await take(parts, turn, under, 'schedule')) !== undefined
}

export type Rotated = { readonly ring: Ring; readonly turn: Turn }

/**
 * @param by who says so
 * @throws KeyFault when a key of the order is not ours, new keys are waiting already, or another was first
 */
export async function rotate(parts: RingParts, order: RotationOrder, by: string): Promise<Rotated> {
  const { ring, under } = await known(parts)
  const named = order.compromised === 'all' ? [] : order.compromised
  const strange = named.find((kid) => !ring.keys.some((key) => key.kid === kid))
  if (strange !== undefined) throw new KeyFault(`${strange.slice(0, 60)}: is no key of ours`)
  const turn = orderedTurn(ring, parts.clock(), parts.times, order)
  if (!turn) throw new KeyFault('new keys are published already and wait for their time')
  const after = await take(parts, turn, under, by)
  if (!after) throw new KeyFault('somebody else changed the keys at the same moment')
  return { ring: after, turn }
}

/** Writes everything under the current encryption key. @throws KeyFault */
export async function rewrap(parts: RingParts, by: string): Promise<Ring> {
  const { ring, under } = await known(parts)
  const { current } = parts.encryption
  const custody = custodyOf(parts, under)
  const moved = async (key: RingKey): Promise<RingKey> =>
    key.held === undefined ? key : { ...key, held: await custody.moved(key, current) }
  const keys = await Promise.all(ring.keys.map(moved))
  const next = { revision: ring.revision + 1, keys }
  const detail = { by, under: current.name }
  if (!(await write(parts, next, current, { what: 'keys_rewrapped', detail })))
    throw new KeyFault('somebody else changed the keys at the same moment')
  return next
}
