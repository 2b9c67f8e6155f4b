/**
 * What is open in somebody's name, and its end. Only for whom the OpenID provider signed on: a launch's word is good
 * for that launch's own browser, and must not be enough to end what the same person does elsewhere.
 */
import type { RequestHandler } from 'express'
import { Refusal } from '../core/refusal.js'
import { personOf, type SignOn } from '../core/session.js'
import type { EpochMs } from '../core/values.js'
import { browsersOf } from '../http/browser.js'
import { answeredForm, showForm } from '../http/forms.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { seeOther } from '../http/redirect.js'
import { departFor } from './depart.js'
import type { Exchange, LaunchParts } from './parts.js'
import { SESSIONS } from './sign-on-end.js'

const ENDED = 'the user ended it on the page of what is open in their name'

/** Who is signed on here, at the provider. */
async function personHere({ sessions }: LaunchParts, { req }: Pick<Exchange, 'req'>) {
  const here = await sessions.find(browsersOf(req))
  const signOn = here.find(({ by }) => by === 'provider')
  return { here, person: signOn && personOf(signOn.user, signOn.issuer), signOn }
}

/** The day and the minute, as people in England read them. */
const inWords = (time: EpochMs): string =>
  new Date(time).toLocaleString('en-GB', {
    ...{ timeZone: 'Europe/London', day: 'numeric', month: 'long' },
    ...{ hour: '2-digit', minute: '2-digit', hour12: false },
  })

/** By whose word: the launch system's name, or the sign-in page. */
async function vouchedBy({ registry }: LaunchParts, { by, issuer }: SignOn): Promise<string> {
  if (by === 'provider') return 'you, at the sign-in page'
  return (await registry.system(issuer))?.name ?? issuer
}

/** Names of apps that go on without the person. */
async function awayOf({ registry, sessions }: LaunchParts, person: string) {
  const apps = await registry.clients()
  const ids = await sessions.away(
    person,
    apps.map(({ id }) => id),
  )
  return apps.filter(({ id }) => ids.includes(id)).map(({ name }) => name)
}

async function rowsOf(parts: LaunchParts, signOns: readonly SignOn[], here: readonly SignOn[]) {
  const apps = await parts.registry.clients()
  const opened = await parts.sessions.opened(
    signOns,
    apps.map(({ id }) => id),
  )
  const namesUnder = ({ id }: SignOn) =>
    apps
      .filter((app) => opened.some((one) => one.signOn === id && one.app === app.id))
      .map(({ name }) => name)
  return Promise.all(
    signOns.map(async (signOn) => ({
      id: signOn.id,
      since: inWords(signOn.since),
      by: await vouchedBy(parts, signOn),
      organization: signOn.user.organization.name ?? signOn.user.organization.odsCode,
      apps: namesUnder(signOn),
      here: here.some(({ id }) => id === signOn.id),
    })),
  )
}

/** GET /sign-in/sessions: the sign-ons of whoever is signed on here; else the way to sign on. */
export function openSessions(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const { here, person, signOn } = await personHere(parts, { req })
    const secret = await showForm(parts, { req, res }, { asks: 'sessions' })
    if (!signOn || person === undefined) {
      const lead = [await parts.provider.pageOrigin()]
      return parts.pages.send(res, 200, 'sessions-sign-in', { secret }, lead)
    }
    const rows = await rowsOf(parts, await parts.sessions.of(person), here)
    const name = signOn.user.name ?? signOn.user.localId
    const away = await awayOf(parts, person)
    parts.pages.send(res, 200, 'sessions', { secret, rows, name, away })
  }
}

/**
 * POST /sign-in/sessions: `end` names one sign-on of this person, or `all`.
 * @throws Refusal form_invalid, session_ended
 */
export function endSessions(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    await answeredForm(parts, req, sent.get('form'), 'sessions')
    const { person } = await personHere(parts, { req })
    if (person === undefined) throw new Refusal('session_ended', 'nobody is signed on here')
    learn(res, { user: { id: person } })
    const end = sent.get('end')
    if (end === 'all') await parts.sessions.endPerson(person, ENDED)
    else {
      // Another person's, or over already: nothing ends, and the page shows what there is.
      const signOn = (await parts.sessions.of(person)).find(({ id }) => id === end)
      if (signOn) await parts.sessions.end(signOn, ENDED)
    }
    seeOther(res, `${parts.issuer}${SESSIONS}`)
  }
}

/**
 * POST /sign-in/sessions/start: on to the provider, to see what is open.
 * @throws Refusal form_invalid, sign_on_unavailable
 */
export function signOnToSee(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    await answeredForm(parts, req, parameters(req).get('form'), 'sessions')
    await departFor(parts, { req, res }, { assurance: 2, framed: false })
  }
}
