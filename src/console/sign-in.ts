/** Signing in to the console at the OpenID provider, and out of it. */
import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { Person } from '../core/clinician-claims.js'
import type { ConsoleJourney, ConsoleSession } from '../core/console.js'
import { isSecret, newId, newSecret, sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { after, seconds } from '../core/values.js'
import { learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { seeOther } from '../http/redirect.js'
import { giveJourney, giveSession, journeyCookie, takeJourney } from './cookie.js'
import { requireSameOrigin } from './form-token.js'
import { aboutMember, memberEnd, presenceOf, sessionPut } from './members.js'
import { keepApart } from './page.js'
import type { ConsoleParts } from './parts.js'
import { askToSignIn, isWithin } from './sign-in-page.js'

const asked = z.object({
  to: parameter().refine(isWithin).default('/console'),
  assurance: z.enum(['2', '3']).default('2'),
})

const readAsked = (req: Request) => {
  const { to, assurance } = readParameters(asked, parameters(req))
  return { to, assurance: assurance === '3' ? 3 : 2 } as const
}

/** GET /console/sign-in: the button by itself, for whoever needs a stronger sign-in than theirs. */
export const signInPage =
  (parts: ConsoleParts): RequestHandler =>
  async (req, res) => {
    keepApart(res)
    await askToSignIn(parts, res, readAsked(req))
  }

/**
 * POST /console/sign-in: on to the provider. A session that is open here goes on until the new one is.
 * @throws Refusal console_form_refused, sign_on_unavailable, sign_on_failed
 * @see OIDC Core §3.1.2.1
 */
export const startSignIn =
  (parts: ConsoleParts): RequestHandler =>
  async (req, res) => {
    const { random, clock, lifetimes, team } = parts
    requireSameOrigin(req)
    const { to, assurance } = readAsked(req)
    const here = await presenceOf(parts, req)
    const state = newSecret('sta', random)
    const nonce = newSecret('non', random)
    const verifier = `${newSecret('ver', random)}${newSecret('ver', random)}`
    // Whoever the provider still remembers may have left this workstation.
    const address = await team.begin({
      ...{ assurance, framed: false, forceLogin: true, state, nonce, verifier },
    })
    const browser = sha256(giveJourney(res, random, lifetimes.pending))
    const value: ConsoleJourney = {
      ...{ nonce, verifier, browser, assurance, to, since: seconds(clock()) },
      ...(here ? { instead: here.session.id } : {}),
    }
    const until = after(clock(), lifetimes.pending)
    await parts.store.commit({
      puts: [{ kind: 'consoleJourney', id: sha256(state), value, until }],
    })
    seeOther(res, address.href)
  }

/** The journey that this answer ends, in the browser that began it, once. @throws Refusal sign_on_state_invalid */
async function spendJourney({ store, clock, lifetimes }: ConsoleParts, req: Request) {
  const state = parameters(req).get('state') ?? ''
  const begun = await store.get('consoleJourney', sha256(state))
  const browser = journeyCookie(req) ?? ''
  if (!begun || !isSecret(browser, begun.browser))
    throw new Refusal('sign_on_state_invalid', 'state or browser')
  const until = after(clock(), lifetimes.pending)
  if (!(await store.commit({ claims: [{ what: `state/${sha256(state)}`, until }] })))
    throw new Refusal('sign_on_state_invalid', 'used before')
  return { ...begun, state }
}

function sessionFor({ clock, random, lifetimes }: ConsoleParts, person: Person): ConsoleSession {
  const { uid, name, assurance, issuer, providerSession, authentication } = person
  const since = clock()
  const until = after(since, lifetimes.session)
  return {
    ...{ id: newId('sgn', random), member: { uid, name, assurance }, issuer, since, until },
    ...{ idleUntil: Math.min(until, after(since, lifetimes.session_idle)) },
    authenticated: authentication.time,
    ...(providerSession === undefined ? {} : { providerSession }),
  }
}

async function open(
  parts: ConsoleParts,
  res: Response,
  person: Person,
  instead: ConsoleJourney['instead'],
): Promise<void> {
  const posts = parts.policies.posts().filter(({ uid }) => uid === person.uid)
  learn(res, { user: { id: person.uid, name: person.name } })
  if (posts.length === 0) throw new Refusal('console_stranger', 'no post in console.yaml')
  const session = sessionFor(parts, person)
  const duties = [...new Set(posts.flatMap((post) => post.duties))]
  const secret = giveSession(res, parts.random)
  await parts.trail.commit({
    record: [
      {
        ...{ what: 'console_opened', outcome: 'success', ...aboutMember(session, duties) },
        detail: { issuer: person.issuer, assurance: person.assurance },
      },
    ],
    puts: [
      sessionPut(secret, session),
      ...(instead === undefined ? [] : [memberEnd(parts, { id: instead })]),
    ],
  })
}

/**
 * GET /console/callback: the provider's answer. It comes from another site, so the session's cookie would not be sent
 * along a redirect: a page of ours goes on.
 *
 * @throws Refusal sign_on_state_invalid, console_stranger, policy_stale and what the provider's answer refuses
 */
export const signInCallback =
  (parts: ConsoleParts): RequestHandler =>
  async (req, res) => {
    keepApart(res)
    const begun = await spendJourney(parts, req)
    takeJourney(res)
    const person = await parts.team.finishPerson(new URL(req.originalUrl, parts.issuer), begun)
    if (!parts.policies.mayIssue()) throw new Refusal('policy_stale', 'who has a duty is not known')
    await open(parts, res, person, begun.instead)
    parts.pages.send(res, 200, 'console/arrived', { to: begun.to, title: 'You are signed in' })
  }
