/** Ending what is open: a launch, a sign-on, all of a person's. */
import type { SignOnId } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { type Asking, byHand, type Pair, pair } from './confirmed.js'
import { isOpen, launchIdOf } from './launches.js'
import type { Visit } from './page.js'
import type { ConsoleParts } from './parts.js'
import { typed } from './typed.js'

const LAUNCHES = { text: 'Launches', href: '/console/launches' }
const SIGN_ONS = { text: 'Sign-ons of a person', href: '/console/sign-ons' }

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
