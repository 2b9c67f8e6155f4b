/**
 * Our own keys by time. Each key of the ring is, one after the other: `next`, published but not used · `active` ·
 * `retiring`, no longer used, but what it signed or was sealed to it may still be alive · `retired`, of which only
 * the public part is kept, and only where checkpoints of the trail were signed with it. Time alone moves a key on, so
 * that all nodes agree without a word. `compromised` ends a key whatever the time.
 *
 * @see OpenID Connect Core 1.0 §10.1.1 (rotation of signing keys), §10.2.1 (of encryption keys)
 */
import { after, type EpochMs, type Seconds } from './values.js'

/** The keys that there must be: ES256 for access tokens and all of our own, RS256 for id_tokens, one to seal to. */
export const OUR_KEYS = [
  { alg: 'ES256', use: 'sig' },
  { alg: 'RS256', use: 'sig' },
  { alg: 'ECDH-ES', use: 'enc' },
] as const
export type KeyAlgorithm = (typeof OUR_KEYS)[number]['alg']
export type SigningAlgorithm = Extract<(typeof OUR_KEYS)[number], { use: 'sig' }>['alg']

/** With what checkpoints of the trail are signed: those public keys are kept for good. */
export const CHECKPOINT_ALGORITHM = 'ES256' satisfies SigningAlgorithm

/** Members of a JWK that anyone may see (RFC 7517 §4, RFC 7518 §6). */
export interface PublicJwk {
  readonly kty: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
  readonly kid: string
  readonly alg: string
  readonly use: string
}

export interface RingKey {
  /** RFC 7638: the thumbprint of its public part. */
  readonly kid: string
  readonly alg: KeyAlgorithm
  readonly jwk: PublicJwk
  /** How its holder finds or opens the private part; gone when that is not needed any more. */
  readonly held?: string
  readonly made: EpochMs
  /** Used from then on, until another of its algorithm is. */
  readonly from: EpochMs
  readonly compromised?: EpochMs
}

export interface Ring {
  /** Counts the changes. */
  readonly revision: number
  readonly keys: readonly RingKey[]
}

/** The ring as it is kept. Before revision 1 of all rings, keys were private JWKs and nothing was sealed. */
export interface SealedRing extends Ring {
  /** Which encryption key it is sealed and wrapped under. */
  readonly under: string
  readonly seal: string
}

export interface RingTimes {
  /** 0: never by itself. */
  readonly rotateEvery: Seconds
  /** From published to used: longer than anyone keeps our published keys. */
  readonly publishAhead: Seconds
  /** How long a key outlives its use. */
  readonly keepFor: Seconds
}

/** Clocks that differ, and nodes that hear of a change a little later. */
const MARGIN: Seconds = 300
const HOUR: Seconds = 3600

/** A key is kept as long as the longest of all that it may have signed: an access token, or an id_token as a hint. */
export const ringTimes = (
  keys: { readonly rotate_days: number; readonly publish_ahead_hours: number },
  lifetimes: { readonly access_token: Seconds; readonly session: Seconds },
): RingTimes => ({
  rotateEvery: keys.rotate_days * 24 * HOUR,
  publishAhead: keys.publish_ahead_hours * HOUR,
  keepFor:
    MARGIN + Math.max(lifetimes.access_token, lifetimes.session, keys.publish_ahead_hours * HOUR),
})

export type KeyState = 'next' | 'active' | 'retiring' | 'retired' | 'compromised'

/** In the order in which they are used; of two from the same moment, the one that was made later is the later. */
const lineOf = ({ keys }: Ring, alg: KeyAlgorithm): readonly RingKey[] =>
  keys.filter((key) => key.alg === alg).sort((a, b) => a.from - b.from)

const isSound = ({ compromised, held }: RingKey): boolean =>
  compromised === undefined && held !== undefined

/** The key in use. One whose time has not quite come, on a clock that is behind, is better than none. */
function activeOf(ring: Ring, alg: KeyAlgorithm, now: EpochMs): RingKey | undefined {
  const line = lineOf(ring, alg).filter(isSound)
  return line.filter(({ from }) => from <= now).at(-1) ?? line[0]
}

/** When another took over. */
function replacedAt(ring: Ring, key: RingKey): EpochMs | undefined {
  const line = lineOf(ring, key.alg)
  const later = line.slice(line.indexOf(key) + 1)
  // One that was compromised before its time never took over.
  return later.find(({ from, compromised = Infinity }) => compromised > from)?.from
}

const keptUntil = (ring: Ring, key: RingKey, { keepFor }: RingTimes): EpochMs =>
  after(replacedAt(ring, key) ?? Infinity, keepFor)

export function stateOf(ring: Ring, key: RingKey, now: EpochMs, times: RingTimes): KeyState {
  if (key.compromised !== undefined) return 'compromised'
  if (key === activeOf(ring, key.alg, now)) return 'active'
  if (key.from > now) return 'next'
  return now < keptUntil(ring, key, times) ? 'retiring' : 'retired'
}

/** What may be done with which key, between two moments at which that changes. */
export interface RingView {
  /** The key in use, for each algorithm. */
  readonly active: Readonly<Partial<Record<KeyAlgorithm, RingKey>>>
  /** Those in use first. */
  readonly published: readonly RingKey[]
  /** What signed by these is believed, or what is sealed to them is opened. Those in use first. */
  readonly trusted: readonly RingKey[]
  readonly from: EpochMs
  /** From then on it is another view. */
  readonly until: EpochMs
}

const STANDING: readonly KeyState[] = ['active', 'next', 'retiring']

export function viewOf(ring: Ring, now: EpochMs, times: RingTimes): RingView {
  const states = ring.keys.map((key) => ({ key, state: stateOf(ring, key, now, times) }))
  const standing = STANDING.flatMap((each) => states.filter(({ state }) => state === each))
  const moments = ring.keys.flatMap((key) => [key.from, keptUntil(ring, key, times)])
  const active = standing.filter(({ state }) => state === 'active').map(({ key }) => key)
  return {
    active: Object.fromEntries(active.map((key) => [key.alg, key])),
    // Of the sealing keys, only the one to seal to: who seals chooses among those that are published (§10.2.1).
    published: standing
      .filter(({ key, state }) => key.jwk.use === 'sig' || state === 'active')
      .map(({ key }) => key),
    trusted: standing.map(({ key }) => key),
    from: Math.max(-Infinity, ...moments.filter((moment) => moment <= now)),
    until: Math.min(Infinity, ...moments.filter((moment) => moment > now)),
  }
}

/** A change of the ring, before its keys are made. */
export interface Turn {
  readonly ring: Ring
  readonly make: readonly { readonly alg: KeyAlgorithm; readonly from: EpochMs }[]
  /** Whose private part is given up by this turn. */
  readonly retired: readonly string[]
  readonly compromised: readonly string[]
}

const isWaiting = (ring: Ring, alg: KeyAlgorithm, now: EpochMs): boolean =>
  lineOf(ring, alg).some((key) => isSound(key) && key.from > now)

const withoutPrivate = ({ held: _, ...key }: RingKey): RingKey => key

/** Gives up private parts that are not needed, and whole keys that nothing will ask for again. */
function tidied(ring: Ring, now: EpochMs, times: RingTimes): Turn {
  const over = ring.keys.filter((key) =>
    ['retired', 'compromised'].includes(stateOf(ring, key, now, times)),
  )
  const forgotten = (key: RingKey): boolean =>
    key.alg !== CHECKPOINT_ALGORITHM && after(key.compromised ?? 0, times.keepFor) <= now
  const keys = ring.keys
    .filter((key) => !over.includes(key) || !forgotten(key))
    .map((key) => (over.includes(key) ? withoutPrivate(key) : key))
  const retired = over.filter(({ held, compromised }) => held !== undefined && !compromised)
  return {
    ring: { ...ring, keys },
    make: [],
    retired: retired.map(({ kid }) => kid),
    compromised: [],
  }
}

/** What is to be done by the clock: keys that are missing, keys that are due, keys that are over. */
export function scheduledTurn(ring: Ring, now: EpochMs, times: RingTimes): Turn | undefined {
  const { rotateEvery, publishAhead } = times
  const make = OUR_KEYS.flatMap(({ alg }) => {
    const active = activeOf(ring, alg, now)
    if (!active) return [{ alg, from: now }]
    const due = after(active.from, rotateEvery)
    const wanted = rotateEvery > 0 && !isWaiting(ring, alg, now) && after(now, publishAhead) >= due
    return wanted ? [{ alg, from: Math.max(due, after(now, publishAhead)) }] : []
  })
  const turn = { ...tidied(ring, now, times), make }
  const changed = make.length > 0 || turn.ring.keys.length !== ring.keys.length
  return changed || turn.retired.length > 0 ? turn : undefined
}

export interface RotationOrder {
  /** New keys are used at once, which those who keep our published keys for a while may refuse. */
  readonly atOnce: boolean
  /** Keys that nothing is believed of any more, from this moment. */
  readonly compromised: readonly string[] | 'all'
}

/** What is to be done because somebody says so. `undefined` when new keys of every kind are waiting already. */
export function orderedTurn(
  ring: Ring,
  now: EpochMs,
  times: RingTimes,
  { atOnce, compromised }: RotationOrder,
): Turn | undefined {
  const named = ring.keys.filter(
    (key) => isSound(key) && (compromised === 'all' || compromised.includes(key.kid)),
  )
  const keys = ring.keys.map((key) => {
    // What waited has been published, and may have been used by a clock that is ahead: it retires.
    const from = atOnce ? Math.min(key.from, now) : key.from
    return { ...key, from, ...(named.includes(key) ? { compromised: now } : {}) }
  })
  const marked = { ...ring, keys }
  const make = OUR_KEYS.flatMap(({ alg }) => {
    if (atOnce || !activeOf(marked, alg, now)) return [{ alg, from: now }]
    return isWaiting(marked, alg, now) ? [] : [{ alg, from: after(now, times.publishAhead) }]
  })
  if (make.length === 0 && named.length === 0) return undefined
  return { ...tidied(marked, now, times), make, compromised: named.map(({ kid }) => kid) }
}

/** The ring after a turn whose keys were made. */
export const turned = ({ ring }: Turn, made: readonly RingKey[]): Ring => ({
  revision: ring.revision + 1,
  keys: [...ring.keys, ...made],
})
