/** Ending sign-ons, with all that hangs on them: the marker first, its notice to the apps with it, then the entry. */
import type { Trail } from '../audit/trail.js'
import type { Happening } from '../core/audit.js'
import { type LaunchId, newId, type SignOnId, type TokenId } from '../core/ids.js'
import type { LogoutNotice } from '../core/logout-token.js'
import { NOTICE_LIFE, newNotice } from '../core/notice.js'
import { endOf } from '../core/records.js'
import { personOf, type SignOn } from '../core/session.js'
import { after, type Clock, type EpochMs, type Random, type Seconds } from '../core/values.js'
import type { Put, Store } from '../store/store.js'
import { hangingOf, isOver, launchedName, providerEnd, providerSessionId } from './ends.js'

export interface Ending {
  readonly record: readonly Happening[]
  readonly puts: readonly Put[]
}

export interface Endings {
  /** What ends a sign-on, and so every launch, grant and token under it: for the commit that is the reason. */
  ending(signOn: SignOn, why: string): Ending
  /** Ends a sign-on, then records it. */
  end(signOn: SignOn, why: string): Promise<void>
  /** What ends all that an app was ever granted: for the commit that takes the app away. */
  appEnding(app: string, why: string): Ending
  /** What ends all that was granted under a policy version: for the commit that takes the version back. */
  versionEnding(version: number): Put
  /** Ends one launch and its grant. */
  endLaunch(launch: LaunchId, why: string): Promise<void>
  /** Ends one token that was exchanged, and what was exchanged for it; its launch goes on. */
  endToken(token: TokenId): Promise<void>
  /** Ends all that a person signed on for until now, listed or not, and what apps may do without them. */
  endPerson(person: string, why: string): Promise<void>
  /** Ends what a launch system signed on: by its own name for the user. Nothing that anybody else vouched for. */
  endLaunched(system: string, localId: string): Promise<void>
  /**
   * Ends one launch, if this system made it; with its sign-on, when the system's own launches made that.
   * @param alone the user goes on, in other charts
   */
  endLaunchOf(system: string, launch: LaunchId, alone: boolean): Promise<void>
  /**
   * Ends everything of a provider's session, or, when it names none, what the user had signed in for
   * until the notice was issued: one that comes late ends no newer sign-in, and one that comes again ends
   * nothing more, so that a provider may repeat what was not answered.
   *
   * @see OIDC Back-Channel Logout 1.0 §2.7
   */
  endAtProvider(notice: LogoutNotice): Promise<void>
}

interface Parts {
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  readonly lifetimes: { readonly session: Seconds; readonly offline: Seconds }
  /** Live sign-ons under a name. */
  readonly known: (name: string) => Promise<readonly SignOn[]>
  readonly live: (id: SignOnId) => Promise<SignOn | undefined>
}

/** A node that has not heard of a later version gives under this one for so long. */
const HEARD_WITHIN: Seconds = 60

const endedEntry = (signOn: SignOn, why: string): Happening => ({
  what: 'session_ended',
  outcome: 'success',
  signOn: signOn.id,
  user: { id: personOf(signOn.user, signOn.issuer) },
  detail: { why },
})

export function createEndings(parts: Parts): Endings {
  const { store, trail, clock, random, lifetimes, known } = parts
  const marker = (id: string, at = clock()): Extract<Put, { kind: 'ended' }> => ({
    kind: 'ended',
    id,
    value: { at },
    // As long as anything that it ends could live.
    until: after(clock(), Math.max(lifetimes.session, lifetimes.offline)),
  })
  const notice = ({ id: signOn }: SignOn): Put => ({
    ...{ kind: 'notice', id: newId('ntc', random), value: newNotice(signOn, clock()) },
    until: after(clock(), NOTICE_LIFE),
  })
  const ending: Endings['ending'] = (signOn, why) => ({
    puts: [marker(endOf('signOn', signOn.id)), notice(signOn)],
    record: [endedEntry(signOn, why)],
  })

  /** Markers that end whatever they name, listed or not; apps of those that are listed are told. */
  async function endBy(
    markers: readonly Extract<Put, { kind: 'ended' }>[],
    names: readonly string[],
    why: string,
    about: Partial<Happening>,
  ): Promise<void> {
    const listed = (await Promise.all(names.map(known))).flat()
    const ended = listed.filter((signOn) => {
      const hanging = hangingOf(signOn)
      const ends = hanging.map(({ end }) => markers.find(({ id }) => id === end.id)?.value)
      return isOver(hanging, ends)
    })
    await store.commit({ puts: [...markers, ...ended.map(notice)] })
    const entry: Happening = {
      what: 'session_ended',
      outcome: 'success',
      ...about,
      detail: { why },
    }
    await trail.record(entry, ...ended.map((signOn) => endedEntry(signOn, why)))
  }

  /** All that is open under a name; what is listed there one by one as well, whatever the clock said of the node that opened it. */
  async function endAll(
    kind: 'person' | 'launched',
    name: string,
    why: string,
    about: Partial<Happening>,
  ): Promise<void> {
    const each = (await known(name)).map(({ id }) => marker(endOf('signOn', id)))
    await endBy([marker(endOf(kind, name)), ...each], [name], why, about)
  }

  async function endLaunch(launch: LaunchId, why: string): Promise<void> {
    await store.commit({
      puts: [marker(endOf('launch', launch))],
      drops: [{ kind: 'handover', id: launch }],
    })
    await trail.record({ what: 'grant_ended', outcome: 'success', launch, detail: { why } })
  }

  async function end(signOn: SignOn, why: string): Promise<void> {
    const { puts, record } = ending(signOn, why)
    await store.commit({ puts })
    await trail.record(...record)
  }

  return {
    ending,
    end,
    appEnding: (app, why) => ({
      puts: [marker(endOf('app', app))],
      record: [{ what: 'grant_ended', outcome: 'success', app, detail: { why } }],
    }),
    versionEnding(version) {
      const put = marker(endOf('policy', String(version)))
      return { ...put, until: after(put.until, HEARD_WITHIN) }
    },
    endLaunch,
    async endToken(token) {
      await store.commit({ puts: [marker(endOf('token', token))] })
    },
    endPerson: (person, why) => endAll('person', person, why, { user: { id: person } }),
    endLaunched(system, localId) {
      const name = launchedName(system, localId)
      const why = 'the launch system ended what it had signed on'
      return endAll('launched', name, why, { system, user: { id: name } })
    },
    async endLaunchOf(system, launch, alone) {
      const [session, pending, link] = await store.getAll([
        { kind: 'session', id: launch },
        { kind: 'pending', id: launch },
        { kind: 'link', id: launch },
      ])
      if ((session ?? pending ?? link)?.launch.system !== system) return
      const why = 'the launch system ended it'
      await endLaunch(launch, why)
      const signOn = session && !alone ? await parts.live(session.signOn) : undefined
      if (signOn?.by === 'launch' && signOn.issuer === system) await end(signOn, why)
    },
    async endAtProvider({ issuer, providerSession: sid, subject, iat }) {
      const issued: EpochMs = Math.min(clock(), iat * 1000 + 999)
      // A provider's session never comes back: a sign-on under way when the notice arrives is over as well.
      const never = after(clock(), lifetimes.session)
      const markers = [
        ...(sid === undefined ? [] : [marker(providerEnd(issuer, sid), never)]),
        ...(subject === undefined
          ? []
          : [marker(endOf(sid === undefined ? 'user' : 'unnamed', subject), issued)]),
      ]
      const session =
        sid === undefined
          ? undefined
          : await store.get('providerSession', providerSessionId(issuer, sid))
      const names = new Set([subject, session?.person].filter((name) => name !== undefined))
      const about = subject === undefined ? {} : { user: { id: subject } }
      await endBy(markers, [...names], 'the provider signed the user out', about)
    },
  }
}
