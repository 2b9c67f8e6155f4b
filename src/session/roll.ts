/**
 * Which sign-ons a person has: in a fixed number of places, written in turn. The turn is a counter of the store,
 * which gives each number once on all nodes, so that two sign-ons at once take two places and neither waits. A
 * counter that a crash sets back overwrites a place too early: whoever stood there is on no list any more, but
 * ends as before, for ends are markers.
 */
import { hashOf, type SignOnId } from '../core/ids.js'
import { personOf, type SignOn } from '../core/session.js'
import { after, type Seconds } from '../core/values.js'
import type { Put, Store } from '../store/store.js'
import { launchedName, providerSessionId } from './ends.js'

/** More than one person opens in twelve hours, fifteen idle minutes at a time. */
const PLACES = 64

/** The person; and for a launch's word also its own name for them, by which the system may end what it launched. */
const namesOf = ({ user, issuer, by }: SignOn): ReadonlySet<string> =>
  new Set([
    personOf(user, issuer),
    ...(by === 'launch' ? [launchedName(issuer, user.localId)] : []),
  ])

export interface Roll {
  /** What puts a sign-on on the roll, and its provider session where it has one. */
  puts(signOn: SignOn): Promise<readonly Put[]>
  /** Sign-ons under a name, live or over. */
  of(name: string): Promise<readonly SignOnId[]>
}

export function createRoll(store: Store, lifetime: Seconds): Roll {
  async function placeOf(signOn: SignOn, name: string): Promise<Put> {
    const whose = hashOf(name)
    const turn = await store.count(`roll/${whose}`, after(signOn.since, lifetime * 2))
    const id = `${whose}/${turn % PLACES}`
    return { kind: 'roll', id, value: { signOn: signOn.id }, until: signOn.until }
  }
  return {
    async puts(signOn) {
      const { issuer, providerSession, user, until } = signOn
      const places = await Promise.all([...namesOf(signOn)].map((name) => placeOf(signOn, name)))
      if (providerSession === undefined) return places
      const id = providerSessionId(issuer, providerSession)
      const value = { person: personOf(user, issuer) }
      return [...places, { kind: 'providerSession', id, value, until }]
    },
    async of(name) {
      const whose = hashOf(name)
      const asks = Array.from({ length: PLACES }, (_, n) => ({
        ...{ kind: 'roll' as const, id: `${whose}/${n}` },
      }))
      const places = await store.getAll(asks)
      return [...new Set(places.flatMap((place) => (place ? [place.signOn] : [])))]
    },
  }
}
