/** Sign-on sessions as they are kept: found by a browser's cookie, moved on by use, ended with all that hangs on them. */

import type { Trail } from '../audit/trail.js'
import type { KnownUser } from '../core/context.js'
import type { Grant } from '../core/grant.js'
import type { LaunchId, SignOnId } from '../core/ids.js'
import { newId } from '../core/ids.js'
import { NOTICE_LIFE } from '../core/notice.js'
import { awayOf, openedBy } from '../core/records.js'
import { isLive, type SignOn } from '../core/session.js'
import { after, type Clock, type EpochMs, type Random, type Seconds } from '../core/values.js'
import type { Put, Store } from '../store/store.js'
import { createEndings, type Endings } from './endings.js'
import {
  type Hanging,
  hangingOf,
  hangingOfAway,
  hangingOfLaunch,
  hangingOfOffline,
  hangingOfVersion,
  isOver,
} from './ends.js'
import { createRoll } from './roll.js'

type Reads = Pick<Store, 'get' | 'getAll'>

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

export interface Sessions extends Endings {
  /** The live sign-ons of a browser, by the hashes of its cookies. */
  find(browsers: readonly string[]): Promise<readonly SignOn[]>
  /** A live sign-on by its id. */
  get(id: SignOnId): Promise<SignOn | undefined>
  /** A new sign-on, not yet stored: {@link puts} goes into the commit that records it. */
  open(facts: Omit<SignOn, 'id' | 'since' | 'until' | 'idleUntil'>): SignOn
  /**
   * Who stands behind a grant now: the user of its sign-on while that lives, or, for an offline grant, its user as
   * long as nobody ended what they had. Nobody, once its launch, app or system was ended, or its policy version taken back.
   *
   * @param from reads of the same request, made ahead
   */
  behind(grant: Grant, from?: Reads): Promise<Behind | undefined>
  /** The live sign-on under which a launch stands open, unless its launch, app or system was ended. */
  under(session: Standing): Promise<SignOn | undefined>
  /** What a browser is known by: the hashes of its cookies, and of those that it had when somebody signed on in it. */
  names(browsers: readonly string[]): Promise<readonly string[]>
  /** What stores a sign-on and ties it to its browser. `was`: what the browser was known by until now, for launches that are under way. */
  puts(signOn: SignOn, was?: readonly string[]): Promise<readonly Put[]>
  /** Moves the idle end on; writes at most once a minute. */
  touch(signOn: SignOn): Promise<void>
  /** Live sign-ons of a person, the latest first: the last so many, whoever vouched for them. */
  of(person: string): Promise<readonly SignOn[]>
  /** Under which of some sign-ons which of some apps was opened. */
  opened(
    signOns: readonly Pick<SignOn, 'id'>[],
    apps: readonly string[],
  ): Promise<readonly Opened[]>
  /** Which of some apps may act for a person who is not there (`offline_access`). */
  away(person: string, apps: readonly string[]): Promise<readonly string[]>
}

/** An app that was opened under a sign-on. */
export interface Opened {
  readonly signOn: SignOnId
  readonly app: string
  /** `sub` of its tokens. */
  readonly subject: string
}

/** A launch that was opened, and under which sign-on. */
export interface Standing {
  readonly signOn: SignOnId
  readonly launch: { readonly id: LaunchId; readonly app: string; readonly system: string }
}

export interface Behind {
  readonly user: KnownUser
  readonly signOn?: SignOn
}

/** For as long as apps may still have to be told. */
const openedUntil = (signOn: SignOn): EpochMs => after(signOn.until, NOTICE_LIFE)

/** What says that an app was opened under a sign-on, and goes on without it: for the commit that opens its grant. */
export const openedPuts = (signOn: SignOn, grant: Grant): readonly Put[] => {
  const { client, subject, since, person, until, offline } = grant
  const value = { subject, at: since }
  const id = openedBy(signOn.id, client)
  return [
    { kind: 'opened', id, value, until: openedUntil(signOn) },
    ...(offline
      ? [{ kind: 'away', id: awayOf(person, client), value: { since }, until } as const]
      : []),
  ]
}

/** Whether what is kept of a sign-on still stands. */
function openReading({ store, clock }: { readonly store: Reads; readonly clock: Clock }) {
  const over = async (hanging: readonly Hanging[]): Promise<boolean> =>
    isOver(hanging, await store.getAll(hanging.map(({ end }) => end)))
  const live = async (signOn: SignOn | undefined): Promise<SignOn | undefined> =>
    signOn && isLive(signOn, clock()) && !(await over(hangingOf(signOn))) ? signOn : undefined
  return {
    get: async (id: SignOnId) => live(await store.get('signOn', id)),
    /** Several in one trip, and those that stand. */
    async all(ids: readonly SignOnId[]): Promise<readonly SignOn[]> {
      const kept = await store.getAll(ids.map((id) => ({ kind: 'signOn' as const, id })))
      const found = await Promise.all(kept.map(live))
      return found.filter((signOn) => signOn !== undefined)
    },
    over,
    /** `undefined` when the launch itself, its app or its system was ended. */
    async standing(id: SignOnId, hanging: readonly Hanging[]) {
      const asks = hanging.map(({ end }) => end)
      const [kept, ...ends] = await store.getAll([{ kind: 'signOn', id }, ...asks])
      return isOver(hanging, ends) ? undefined : { signOn: await live(kept) }
    },
  }
}

export function createSessions(parts: Parts): Sessions {
  const { store, trail, clock, random, lifetimes } = parts
  const { get, all, over, standing } = openReading(parts)
  const now = { over, standing }
  const roll = createRoll(store, lifetimes.session)
  const of = async (name: string) => {
    const found = await all(await roll.of(name))
    return [...found].sort((a, b) => b.since - a.since)
  }
  return {
    ...createEndings({ store, trail, clock, random, lifetimes, known: of, live: get }),
    get,
    of,
    async names(browsers) {
      const known = await store.getAll(browsers.map((id) => ({ kind: 'browser' as const, id })))
      return [...browsers, ...known.flatMap((browser) => browser?.was ?? [])]
    },
    async under({ signOn, launch: { id, app, system } }) {
      return (await standing(signOn, hangingOfLaunch(id, app, system)))?.signOn
    },
    async behind(grant, from) {
      const { over, standing } = from ? openReading({ store: from, clock }) : now
      const { launch, client, circumstances, signOn: id } = grant
      const hanging = [
        ...hangingOfLaunch(launch, client, circumstances.launch.system),
        hangingOfVersion(grant),
      ]
      const stands = await standing(id, hanging)
      if (stands?.signOn) return { user: stands.signOn.user, signOn: stands.signOn }
      if (!stands || !grant.offline || (await over(hangingOfOffline(grant)))) return undefined
      return { user: grant.user }
    },
    async puts(signOn, was = []) {
      const { id, browser, until } = signOn
      const value = { signOn: id, was: was.slice(0, MOST_NAMES) }
      return [
        { kind: 'signOn', id, value: signOn, until },
        { kind: 'browser', id: browser, value, until },
        ...(await roll.puts(signOn)),
      ]
    },
    async opened(signOns, apps) {
      const pairs = signOns.flatMap(({ id }) => apps.map((app) => ({ signOn: id, app })))
      const asks = pairs.map(({ signOn, app }) => ({
        ...{ kind: 'opened' as const, id: openedBy(signOn, app) },
      }))
      const kept = await store.getAll(asks)
      return pairs.flatMap((pair, i) => {
        const subject = kept[i]?.subject
        return subject === undefined ? [] : [{ ...pair, subject }]
      })
    },
    async away(person, apps) {
      const ids = apps.map((app) => ({ kind: 'away' as const, id: awayOf(person, app) }))
      const kept = await store.getAll(ids)
      const found = await Promise.all(
        apps.map(async (app, i) => {
          const since = kept[i]?.since
          const gone = since === undefined || (await over(hangingOfAway(person, app, since)))
          return gone ? [] : [app]
        }),
      )
      return found.flat()
    },
    async find(browsers) {
      if (browsers.length === 0) return []
      const held = await store.getAll(browsers.map((id) => ({ kind: 'browser' as const, id })))
      return all([...new Set(held.flatMap((browser) => (browser ? [browser.signOn] : [])))])
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
  }
}
