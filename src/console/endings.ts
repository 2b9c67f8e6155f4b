/** Ending what is open: a launch, a sign-on, all of a person's, all of an app's or launch system's. */
import type { SignOnId } from '../core/ids.js'
import { endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { after } from '../core/values.js'
import { type Asking, asks, does } from './confirmed.js'
import { isOpen, launchIdOf } from './launches.js'
import type { Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { typed } from './typed.js'

const LAUNCHES = { text: 'Launches', href: '/console/launches' }
const SIGN_ONS = { text: 'Sign-ons of a person', href: '/console/sign-ons' }
const REGISTRATIONS = { text: 'Apps and launch systems', href: '/console/registrations' }

/** What the entry of the end itself says: who did it stands in the act's. */
const byHand = (reason: string): string => `ended in the console: ${reason}`

interface Pair {
  readonly ask: ReturnType<typeof asks>
  readonly act: ReturnType<typeof does>
}

const pair = (
  asking: (visit: Visit) => Promise<Asking>,
  act: (visit: Visit, reason: string) => Promise<void>,
): Pair => ({ ask: asks(asking), act: does(asking, act) })

/** @throws Refusal not_found when it is over, or never was */
export function endOneLaunch(parts: ConsoleParts): Pair {
  const asking = async (visit: Visit): Promise<Asking> => {
    const launch = launchIdOf(visit)
    if (launch === undefined || !(await isOpen(parts, launch)))
      throw new Refusal('not_found', 'no open launch')
    return {
      title: 'End this launch',
      warning: `Launch ${launch} and every token of it stop at the next request, on every node. Changes that are not saved are lost. The user stays signed on.`,
      ...{ button: 'End the launch', action: `/console/launches/${launch}/end` },
      ...{ back: LAUNCHES, about: { launch } },
    }
  }
  return pair(asking, async (visit, reason) => {
    const launch = launchIdOf(visit)
    if (launch) await parts.sessions.endLaunch(launch, byHand(reason))
  })
}

/** @throws Refusal not_found when it is over, or never was */
export function endOneSignOn(parts: ConsoleParts): Pair {
  const find = async ({ params }: Visit) => {
    const { signOn: id = '' } = params
    const found = /^sgn_[\w-]{20}$/.test(id) ? await parts.sessions.get(id as SignOnId) : undefined
    if (!found) throw new Refusal('not_found', 'no live sign-on')
    return found
  }
  const asking = async (visit: Visit): Promise<Asking> => {
    const { id, user } = await find(visit)
    return {
      title: 'End this sign-on',
      warning: `${user.name ?? user.localId} is signed out there, with every launch and token under it. Apps that asked for it are told.`,
      ...{ button: 'End the sign-on', action: `/console/sign-ons/${id}/end`, back: SIGN_ONS },
      about: { detail: { ended: id } },
    }
  }
  return pair(asking, async (visit, reason) =>
    parts.sessions.end(await find(visit), byHand(reason)),
  )
}

/** Everything of one person, named in the form: the console itself and offline access too. */
export function endOnePerson({ sessions }: ConsoleParts): Pair {
  const asking = async (visit: Visit): Promise<Asking> => {
    const user = typed(visit, 'user')
    if (user === '') throw new Refusal('not_found', 'nobody named')
    return {
      title: 'End everything of this person',
      warning: `Everything that ${user} signed on for until now is over, on every node: launches, tokens, this console, and what apps may do for them while they are away.`,
      ...{ button: 'End everything', action: '/console/sign-ons/end', back: SIGN_ONS },
      ...{ fields: { user }, about: { detail: { ended: user } } },
    }
  }
  return pair(asking, (visit, reason) => sessions.endPerson(typed(visit, 'user'), byHand(reason)))
}

const WORDS = { app: 'app', system: 'launch system' } as const

/** All that an app or a launch system has open, as `app end` and `system end` do; it stays registered. */
export function endRegistered(parts: ConsoleParts, kind: 'app' | 'system'): Pair {
  const { registry, store, trail, clock, lifetimes } = parts
  const asking = async ({ params }: Visit): Promise<Asking> => {
    const { id = '' } = params
    const found = await (kind === 'app' ? registry.client(id) : registry.system(id))
    if (!found) throw new Refusal('not_found', `no such ${kind}`)
    return {
      title: `End what this ${WORDS[kind]} has open`,
      warning: `Launches, grants and tokens of ${found.name} that began until now are refused at the next request, on every node. It stays registered, and new launches go on. If a key of it was stolen, change its registration first.`,
      ...{ button: 'End what is open', action: `/console/${kind}s/${id}/end` },
      ...{ back: REGISTRATIONS, about: { [kind]: id } },
    }
  }
  return pair(asking, async ({ params, member }, reason) => {
    const { id = '' } = params
    const at = clock()
    const until = after(at, Math.max(lifetimes.session, lifetimes.offline))
    await store.commit({ puts: [{ kind: 'ended', id: endOf(kind, id), value: { at }, until }] })
    await trail.record({
      ...{ what: 'configuration_changed', outcome: 'success', [kind]: id },
      detail: { ended: kind, by: member.uid, why: byHand(reason) },
    })
  })
}
