/** What a sign-on and a launch hang on: the markers that end them, all in one place, and whether one of them did. */

import type { ConsoleSession } from '../core/console.js'
import type { Grant } from '../core/grant.js'
import { hashOf, type LaunchId, launchTime } from '../core/ids.js'
import { endOf, type Records } from '../core/records.js'
import { personOf, type SignOn } from '../core/session.js'
import type { EpochMs } from '../core/values.js'
import type { Ask } from '../store/store.js'

export type End = Extract<Ask, { kind: 'ended' }>

export const providerSessionId = (issuer: string, sid: string): string => hashOf(`${issuer} ${sid}`)

export const providerEnd = (issuer: string, sid: string): string =>
  endOf('providerSession', providerSessionId(issuer, sid))

/** Whom a launch system signed on, as it names them itself. */
export const launchedName = (system: string, localId: string): string => `${system}/${localId}`

/** A marker that ends something, and since when that has been: by the clock of whoever writes the marker. */
export interface Hanging {
  readonly end: End
  readonly began: EpochMs
}

const on = (began: EpochMs, ...about: Parameters<typeof endOf>): Hanging => ({
  end: { kind: 'ended', id: endOf(...about) },
  began,
})

/** What is never opened a second time: its end is for good, whatever the clock said of the node that told it. */
const once = (...about: Parameters<typeof endOf>): Hanging => on(0, ...about)

/** What a provider ends: by the session that it named; else by its user, so it names one whom it signs out. */
const onProvider = (
  { issuer, providerSession }: Pick<SignOn, 'issuer' | 'providerSession'>,
  person: string,
  began: EpochMs,
): Hanging =>
  providerSession === undefined
    ? on(began, 'unnamed', person)
    : on(began, 'providerSession', providerSessionId(issuer, providerSession))

/**
 * What ends a sign-on: its own marker, its person's, and those of whoever vouched for them. Where the provider
 * signed the user on, it is by its own clock: what it says of its sessions' ends is by that clock too.
 */
export function hangingOf(signOn: SignOn): readonly Hanging[] {
  const { by, since, issuer, user, authentication } = signOn
  const person = personOf(user, issuer)
  const time = authentication.time ?? Number.POSITIVE_INFINITY
  const there = by === 'provider' ? Math.min(since, time * 1000) : since
  return [
    once('signOn', signOn.id),
    on(since, 'person', person),
    on(there, 'user', person),
    ...(by === 'provider'
      ? [onProvider(signOn, person, there)]
      : [on(since, 'system', issuer), on(since, 'launched', launchedName(issuer, user.localId))]),
  ]
}

/** The same for somebody in the console, whom only the provider signs in. */
export function hangingOfMember(session: ConsoleSession): readonly Hanging[] {
  const { id, since, authenticated, member } = session
  const there = Math.min(since, authenticated * 1000)
  return [
    once('signOn', id),
    on(since, 'person', member.uid),
    on(there, 'user', member.uid),
    onProvider(session, member.uid, there),
  ]
}

/** An open launch with its app and system, which began when it arrived, however much later its app asked for tokens. */
export function hangingOfLaunch(launch: LaunchId, app: string, system: string) {
  const began = launchTime(launch) ?? Number.NEGATIVE_INFINITY
  return [once('launch', launch), on(began, 'app', app), on(began, 'system', system)]
}

/**
 * What was given under a version of the policies that was taken back. A version does not come again, so whenever a node
 * gave it that had not heard yet, it is over.
 */
export const hangingOfVersion = (given: {
  readonly policyVersion: number
  readonly openedUnder?: number
}): Hanging => once('policy', String(given.openedUnder ?? given.policyVersion))

/** What an app may do for a user who is not there. */
export const hangingOfOffline = ({ person, since }: Grant): readonly Hanging[] => [
  on(since, 'person', person),
  on(since, 'user', person),
]

/** The same of an app and a person, whatever was granted: one that gave its grant back is not told apart. */
export const hangingOfAway = (person: string, app: string, since: EpochMs): readonly Hanging[] => [
  ...[on(since, 'person', person), on(since, 'user', person), on(since, 'app', app)],
]

/** @param ends the markers, in the same order, as far as there are any */
export const isOver = (
  hanging: readonly Hanging[],
  ends: readonly (Records['ended'] | undefined)[],
): boolean => hanging.some(({ began }, i) => (ends[i]?.at ?? Number.NEGATIVE_INFINITY) >= began)
