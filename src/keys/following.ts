/** The ring of the store, held in memory with its keys open: nothing that is signed or checked waits for the store. */
import type { CryptoKey } from 'jose'
import { type PublicJwk, type RingView, viewOf } from '../core/key-ring.js'
import { publicKey, type Signer, type Unsealer } from './custody.js'
import { KeyFault } from './fault.js'
import { custodyOf, type KnownRing, openRing, type RingParts, readRing } from './ring.js'

/** RFC 7638: what each `kid` of ours looks like. */
const KID = /^[\w-]{43}$/
/** Anyone can make up a `kid`: how often, in milliseconds, one makes us ask the store. */
const UNKNOWN_FLOOR_MS = 1_000

interface LoadedKey {
  readonly public: CryptoKey
  readonly signer?: Signer
  readonly unsealer?: Unsealer
}
type Loaded = ReadonlyMap<string, LoadedKey>

/** Every key of a ring, opened; those that were open already are taken over. @throws KeyFault */
async function load(parts: RingParts, { ring, under }: KnownRing, open: Loaded): Promise<Loaded> {
  const custody = custodyOf(parts, under)
  const opened = ring.keys.map(async (key): Promise<[string, LoadedKey]> => {
    const before = open.get(key.kid)
    if (before && key.held !== undefined) return [key.kid, before]
    const base = { public: await publicKey(key) }
    if (key.held === undefined) return [key.kid, base]
    try {
      if (key.jwk.use === 'sig') return [key.kid, { ...base, signer: await custody.signer(key) }]
      return [key.kid, { ...base, unsealer: await custody.unsealer(key) }]
    } catch {
      throw new KeyFault(`our key ${key.kid} cannot be opened: it was changed in the store`)
    }
  })
  return new Map(await Promise.all(opened))
}

/** What /oauth/jwks says. */
export interface Published {
  readonly keys: readonly PublicJwk[]
}

interface Held extends KnownRing {
  readonly loaded: Loaded
}

/** The ring in memory, as it is now. */
export interface Follower {
  readonly now: () => Held
  readonly view: () => RingView
  readonly jwks: () => Published
  refresh(): Promise<void>
  /** Asks the store because somebody named a key that we do not know: not oftener than the floor. */
  learn(kid: string | undefined): Promise<void>
}

/** @throws KeyFault */
export async function follow(parts: RingParts): Promise<Follower> {
  const first = await openRing(parts)
  let held: Held = { ...first, loaded: await load(parts, first, new Map()) }
  let seen: { view: RingView; of: Held; jwks: Published } | undefined
  let refreshing: Promise<void> | undefined
  let askedAt = -Infinity

  async function fetch(): Promise<void> {
    const known = await readRing(parts)
    if (!known) throw new KeyFault('our keys are gone from the store')
    if (known.seal === held.seal) return
    held = { ...known, loaded: await load(parts, known, held.loaded) }
  }
  const refresh = (): Promise<void> => {
    refreshing ??= fetch().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }
  const current = () => {
    const now = parts.clock()
    if (seen?.of === held && seen.view.from <= now && now < seen.view.until) return seen
    const view = viewOf(held.ring, now, parts.times)
    seen = { view, of: held, jwks: { keys: view.published.map(({ jwk }) => jwk) } }
    return seen
  }
  return {
    now: () => held,
    view: () => current().view,
    jwks: () => current().jwks,
    refresh,
    async learn(kid) {
      if (kid === undefined || !KID.test(kid) || held.loaded.has(kid)) return
      const now = parts.clock()
      if (Math.abs(now - askedAt) < UNKNOWN_FLOOR_MS) return
      askedAt = now
      // What is not known stays unknown; the tick says why the store does not answer.
      await refresh().catch(() => undefined)
    },
  }
}
