/** Sign-on sessions as they are kept: found by a browser's cookie, moved on by use, ended with all that hangs on them. */

import type { Trail } from '../audit/trail.js'
import type { Happening } from '../core/audit.js'
import type { LaunchId, SignOnId } from '../core/ids.js'
import { hashOf, newId } from '../core/ids.js'
import type { LogoutNotice } from '../core/logout-token.js'
import { endOf } from '../core/records.js'
import { isLive, personOf, type SignOn } from '../core/session.js'
import { after, type Clock, type EpochMs, type Random, type Seconds } from '../core/values.js'
import type { Ask, Put, Store } from '../store/store.js'

interface Parts {
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  readonly lifetimes: { readonly session_idle: Seconds; readonly session: Seconds }
}

/** How far the idle end may lag behind the last use: it bounds writes to one a minute. */
const TOUCH_EVERY: EpochMs = 60_000

/** The markers that end a sign-on: its own, its person's, its provider session's. */
const endsOf = (signOn: SignOn): readonly Ask[] => [
  { kind: 'ended', id: endOf('signOn', signOn.id) },
  { kind: 'ended', id: endOf('user', personOf(signOn.user, signOn.issuer)) },
  ...(signOn.providerSession === undefined
    ? []
    : [{ kind: 'ended' as const, id: providerEnd(signOn.issuer, signOn.providerSession) }]),
]

const providerEnd = (issuer: string, sid: string): string =>
  endOf('providerSession', hashOf(`${issuer} ${sid}`))

/** By the provider's own clock where it signed the user on: what it says of its sessions' ends is by that clock too. */
const beganOf = ({ by, since, authentication: { time } }: SignOn): EpochMs =>
  by === 'provider' && time !== undefined ? Math.min(since, time * 1000) : since

export interface Sessions {
  /** The live sign-on of a browser, by the hashes of its cookies. */
  find(browsers: readonly string[]): Promise<SignOn | undefined>
  /** A live sign-on by its id. */
  get(id: SignOnId): Promise<SignOn | undefined>
  /** A new sign-on, not yet stored: {@link puts} goes into the commit that records it. */
  open(facts: Omit<SignOn, 'id' | 'since' | 'until' | 'idleUntil'>): SignOn
  /** What stores a sign-on and ties it to its browser. */
  puts(signOn: SignOn): readonly Put[]
  /** Moves the idle end on; writes at most once a minute. */
  touch(signOn: SignOn): Promise<void>
  /** What ends a sign-on, and so every launch, grant and token under it: for the commit that is the reason. */
  ending(signOn: SignOn, why: string): Ending
  /** Ends a sign-on, then records it. */
  end(signOn: SignOn, why: string): Promise<void>
  /** Ends one launch and its grant. */
  endLaunch(launch: LaunchId, why: string): Promise<void>
  /**
   * Ends everything of a provider's session, or, when it names none, what the user had signed in for
   * until the notice was issued: one that comes late ends no newer sign-in.
   *
   * @returns false when the claim was lost
   * @see OIDC Back-Channel Logout 1.0 §2.7
   */
  endAtProvider(notice: LogoutNotice, claim: string): Promise<boolean>
}

export interface Ending {
  readonly record: readonly Happening[]
  readonly puts: readonly Put[]
}

export function createSessions({ store, trail, clock, random, lifetimes }: Parts): Sessions {
  const live = async (signOn: SignOn | undefined): Promise<SignOn | undefined> => {
    if (!signOn || !isLive(signOn, clock())) return undefined
    const ends = await store.getAll([...endsOf(signOn)])
    const began = beganOf(signOn)
    return ends.some((end) => end !== undefined && (end as { at: EpochMs }).at >= began)
      ? undefined
      : signOn
  }
  const get = async (id: SignOnId) => live(await store.get('signOn', id))
  const marker = (id: string, at = clock()): Put => ({
    kind: 'ended',
    id,
    value: { at },
    until: after(clock(), lifetimes.session),
  })
  const ending = (signOn: SignOn, why: string): Ending => ({
    puts: [marker(endOf('signOn', signOn.id))],
    record: [
      {
        what: 'session_ended',
        outcome: 'success',
        signOn: signOn.id,
        user: { id: personOf(signOn.user, signOn.issuer) },
        detail: { why },
      },
    ],
  })
  const puts = (signOn: SignOn): readonly Put[] => [
    { kind: 'signOn', id: signOn.id, value: signOn, until: signOn.until },
    { kind: 'browser', id: signOn.browser, value: { signOn: signOn.id }, until: signOn.until },
  ]
  return {
    get,
    puts,
    ending,
    async find(browsers) {
      const held = await store.getAll(browsers.map((id) => ({ kind: 'browser' as const, id })))
      for (const browser of held) {
        const signOn = browser && (await get(browser.signOn))
        if (signOn) return signOn
      }
      return undefined
    },
    open(facts) {
      const since = clock()
      const until = after(since, lifetimes.session)
      return Object.assign({}, facts, {
        id: newId('sgn', random),
        since,
        until,
        idleUntil: Math.min(until, after(since, lifetimes.session_idle)),
      })
    },
    async touch(signOn) {
      const idleUntil = Math.min(signOn.until, after(clock(), lifetimes.session_idle))
      if (idleUntil - signOn.idleUntil < TOUCH_EVERY) return
      await store.commit({
        puts: [
          { kind: 'signOn', id: signOn.id, value: { ...signOn, idleUntil }, until: signOn.until },
        ],
      })
    },
    async end(signOn, why) {
      const { puts, record } = ending(signOn, why)
      await store.commit({ puts })
      await trail.record(...record)
    },
    async endLaunch(launch, why) {
      await store.commit({ puts: [marker(endOf('launch', launch))] })
      await trail.record({ what: 'grant_ended', outcome: 'success', launch, detail: { why } })
    },
    async endAtProvider({ issuer, providerSession: sid, subject, iat }, claim) {
      const until = after(clock(), lifetimes.session)
      // A provider's session never comes back: a sign-on under way when the notice arrives is over as well.
      const end =
        sid === undefined
          ? marker(endOf('user', subject ?? ''), Math.min(clock(), iat * 1000 + 999))
          : marker(providerEnd(issuer, sid), until)
      const first = await store.commit({ claims: [{ what: claim, until }], puts: [end] })
      if (!first) return false
      await trail.record({
        what: 'session_ended',
        outcome: 'success',
        ...(subject === undefined ? {} : { user: { id: subject } }),
        detail: { why: 'the provider signed the user out' },
      })
      return true
    },
  }
}
