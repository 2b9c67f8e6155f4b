/** Sign-on sessions as they are kept: found by a browser's cookie, moved on by use, ended with all that hangs on them. */

import type { Trail } from '../audit/trail.js'
import type { Happening } from '../core/audit.js'
import type { KnownUser } from '../core/context.js'
import type { Grant } from '../core/grant.js'
import type { LaunchId, SignOnId, TokenId } from '../core/ids.js'
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
  readonly lifetimes: {
    readonly session_idle: Seconds
    readonly session: Seconds
    readonly offline: Seconds
  }
}

/** How far the idle end may lag behind the last use: it bounds writes to one a minute. */
const TOUCH_EVERY: EpochMs = 60_000

/** How many cookies of before a browser is still known by. */
const MOST_NAMES = 4

/** By the session that the provider named; else by its user: so it names one whom it signs out. */
const providerEndOf = ({ issuer, providerSession, user }: SignOn): Ask => ({
  kind: 'ended',
  id:
    providerSession === undefined
      ? endOf('unnamed', personOf(user, issuer))
      : providerEnd(issuer, providerSession),
})

/** The markers that end a sign-on: its own, its person's, its provider session's. */
const endsOf = (signOn: SignOn): readonly Ask[] => [
  { kind: 'ended', id: endOf('signOn', signOn.id) },
  { kind: 'ended', id: endOf('user', personOf(signOn.user, signOn.issuer)) },
  ...(signOn.by === 'provider' ? [providerEndOf(signOn)] : []),
]

const providerEnd = (issuer: string, sid: string): string =>
  endOf('providerSession', hashOf(`${issuer} ${sid}`))

/** By the provider's own clock where it signed the user on: what it says of its sessions' ends is by that clock too. */
const beganOf = ({ by, since, authentication: { time } }: SignOn): EpochMs =>
  by === 'provider' && time !== undefined ? Math.min(since, time * 1000) : since

export interface Sessions {
  /** The live sign-ons of a browser, by the hashes of its cookies. */
  find(browsers: readonly string[]): Promise<readonly SignOn[]>
  /** A live sign-on by its id. */
  get(id: SignOnId): Promise<SignOn | undefined>
  /** A new sign-on, not yet stored: {@link puts} goes into the commit that records it. */
  open(facts: Omit<SignOn, 'id' | 'since' | 'until' | 'idleUntil'>): SignOn
  /**
   * Who stands behind a grant now: the user of its sign-on while that lives, or, for an offline grant, its user as
   * long as nobody ended what they had.
   */
  behind(grant: Grant): Promise<Behind | undefined>
  /** What a browser is known by: the hashes of its cookies, and of those that it had when somebody signed on in it. */
  names(browsers: readonly string[]): Promise<readonly string[]>
  /** What stores a sign-on and ties it to its browser. `was`: what the browser was known by until now, for launches that are under way. */
  puts(signOn: SignOn, was?: readonly string[]): readonly Put[]
  /** Moves the idle end on; writes at most once a minute. */
  touch(signOn: SignOn): Promise<void>
  /** What ends a sign-on, and so every launch, grant and token under it: for the commit that is the reason. */
  ending(signOn: SignOn, why: string): Ending
  /** Ends a sign-on, then records it. */
  end(signOn: SignOn, why: string): Promise<void>
  /** What ends all that an app was ever granted: for the commit that takes the app away. */
  appEnding(app: string, why: string): Ending
  /** Ends one launch and its grant. */
  endLaunch(launch: LaunchId, why: string): Promise<void>
  /** Ends one token that was exchanged, and what was exchanged for it; its launch goes on. */
  endToken(token: TokenId): Promise<void>
  /**
   * Ends everything of a provider's session, or, when it names none, what the user had signed in for
   * until the notice was issued: one that comes late ends no newer sign-in, and one that comes again ends
   * nothing more, so that a provider may repeat what was not answered.
   *
   * @see OIDC Back-Channel Logout 1.0 §2.7
   */
  endAtProvider(notice: LogoutNotice): Promise<void>
}

export interface Behind {
  readonly user: KnownUser
  readonly signOn?: SignOn
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
    // As long as anything that it ends could live.
    until: after(clock(), Math.max(lifetimes.session, lifetimes.offline)),
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
  const puts = (signOn: SignOn, was: readonly string[] = []): readonly Put[] => {
    const { id, browser, until } = signOn
    const value = { signOn: id, was: was.slice(0, MOST_NAMES) }
    return [
      { kind: 'signOn', id, value: signOn, until },
      { kind: 'browser', id: browser, value, until },
    ]
  }
  return {
    get,
    async names(browsers) {
      const known = await store.getAll(browsers.map((id) => ({ kind: 'browser' as const, id })))
      return [...browsers, ...known.flatMap((browser) => browser?.was ?? [])]
    },
    async behind(grant) {
      const signOn = await get(grant.signOn)
      if (signOn) return { user: signOn.user, signOn }
      if (!grant.offline) return undefined
      const id = endOf('user', grant.person)
      const end = await store.get('ended', id)
      return end && end.at >= grant.since ? undefined : { user: grant.user }
    },
    puts,
    ending,
    appEnding: (app, why) => ({
      puts: [marker(endOf('app', app))],
      record: [{ what: 'grant_ended', outcome: 'success', app, detail: { why } }],
    }),
    async find(browsers) {
      if (browsers.length === 0) return []
      const held = await store.getAll(browsers.map((id) => ({ kind: 'browser' as const, id })))
      const ids = new Set(held.flatMap((browser) => (browser ? [browser.signOn] : [])))
      const found = await Promise.all([...ids].map(get))
      return found.filter((signOn) => signOn !== undefined)
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
      const put: Put = {
        ...{ kind: 'signOn', id: signOn.id, until: signOn.until },
        value: { ...signOn, idleUntil },
      }
      // What was done is done: a store that fails now only lets the session end sooner.
      await store.commit({ puts: [put] }).catch(() => undefined)
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
    async endToken(token) {
      await store.commit({ puts: [marker(endOf('token', token))] })
    },
    async endAtProvider({ issuer, providerSession: sid, subject, iat }) {
      const until = after(clock(), lifetimes.session)
      const issued = Math.min(clock(), iat * 1000 + 999)
      // A provider's session never comes back: a sign-on under way when the notice arrives is over as well.
      const ends = [
        ...(sid === undefined ? [] : [marker(providerEnd(issuer, sid), until)]),
        ...(subject === undefined
          ? []
          : [marker(endOf(sid === undefined ? 'user' : 'unnamed', subject), issued)]),
      ]
      await store.commit({ puts: ends })
      await trail.record({
        what: 'session_ended',
        outcome: 'success',
        ...(subject === undefined ? {} : { user: { id: subject } }),
        detail: { why: 'the provider signed the user out' },
      })
    },
  }
}
