/**
 * What every launch goes through once it has been proven, whichever way it came: who is signed on here,
 * may they, open, land. A step that needs the user stores the launch and shows a page (identify.ts), and
 * comes back here.
 */

import type { Response } from 'express'
import type { Happening } from '../core/audit.js'
import type { KnownPatient } from '../core/context.js'
import { hashOf, newLaunchSecret } from '../core/ids.js'
import { launchAddress, openSession } from '../core/launch.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import type { PendingLaunch, SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import { type Browser, browsersOf, ensureBrowser, renewBrowser } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { seeOther } from '../http/redirect.js'
import type { Put } from '../store/store.js'
import { breakGlass } from './break-glass.js'
import { type Moved, moveChart } from './chart.js'
import { recentOf } from './choose.js'
import { handoverPuts } from './handover.js'
import { denied, type Judgement, judge } from './judge.js'
import { outcomePuts } from './outcome.js'
import { type Arrival, type Exchange, factsOf, type LaunchParts } from './parts.js'
import { standing } from './standing.js'
import { showWaiting, wantedPatient } from './waiting.js'

const signedOn = (arrival: Arrival, signOn: SignOn): Happening => ({
  what: 'signed_on',
  outcome: 'success',
  ...factsOf(arrival),
  signOn: signOn.id,
  detail: { by: signOn.by, issuer: signOn.issuer, assurance: signOn.user.assurance },
})

/**
 * Another user's session ends with the launch that takes the browser over: in the same commit, so that a
 * launch that comes to nothing, such as a replayed one, ends nobody's.
 */
function ending(parts: LaunchParts, arrival: Arrival, replaced: readonly SignOn[]): Arrival {
  if (replaced.length === 0) return arrival
  const ends = replaced.map((signOn) =>
    parts.sessions.ending(signOn, 'another user, or other rights, launched in this browser'),
  )
  return {
    ...arrival,
    record: [...arrival.record, ...ends.flatMap(({ record }) => record)],
    puts: ends.flatMap(({ puts }) => puts),
  }
}

/**
 * Takes a proven launch as far as it can go now: to the app, to a page that asks the user, or to a
 * refusal. Whatever it leads to is written in one commit with the claims that make it happen once.
 *
 * @throws Refusal launch_replayed, launch_denied, person_mismatch, policy_stale, rate_limited
 */
export async function proceed(
  parts: LaunchParts,
  exchange: Exchange,
  arrived: Arrival,
): Promise<void> {
  const { req, res } = exchange
  const { launch } = arrived
  const system = await parts.registry.system(launch.system)
  if (!system) throw new Refusal('system_unknown', launch.system)
  journeyOf(res).frameAncestors = system.frameAncestors
  learn(res, factsOf(arrived))
  // Whoever asked for this at the authorize endpoint is told what comes of it.
  if (arrived.ask) journeyOf(res).redirect = arrived.ask.answer
  if (!parts.policies.mayIssue())
    throw new Refusal('policy_stale', 'the policy version is not known')

  const browser = ensureBrowser(req, res, parts.random)
  const held = await parts.sessions.find(browsersOf(req))
  const stand = await standing(parts, arrived, system, browser.hash, held)
  const arrival = ending(parts, arrived, stand.replaces)
  if ('waiting' in stand)
    return showWaiting(parts, exchange, arrival, { ...stand, browser: browser.hash, system })

  const judged = judge(parts, arrival, stand.signOn)
  const told = { ...arrival, record: [...arrival.record, ...judged.record] }
  if (judged.decision.effect === 'deny') {
    const waiting = await denied(parts, exchange, arrival, judged)
    const own = arrival.signOn ? { signOn: arrival.signOn } : {}
    return showWaiting(parts, exchange, told, { waiting, browser: browser.hash, system, ...own })
  }
  const whose = wantedPatient(arrival)
  if (whose) {
    const { signOn } = stand
    const recent = whose.for === 'patient' ? await recentOf(parts, signOn) : []
    const wait = { waiting: whose, browser: browser.hash, system, signOn, recent }
    return showWaiting(parts, exchange, told, wait)
  }
  // A sign-on that this launch ends takes its launches with it.
  const lasting = held.filter(({ id }) => !stand.replaces.some((ended) => ended.id === id))
  const moved = await moveChart(parts, system, arrival, [stand.signOn, ...lasting])
  await land(parts, exchange, told, { ...stand, moved, system }, browser, judged)
}

/** Where the app is started: at its launch URL, or where it asked from. @throws Refusal app_refused */
async function addressOf(parts: LaunchParts, { launch, ask }: Arrival, handle: string) {
  if (ask) {
    const query = new URLSearchParams({ client_id: launch.app, launch: handle })
    return `${parts.issuer}/oauth/authorize?${query}`
  }
  const client = await parts.registry.client(launch.app)
  const launchUrl = client?.launchUrls[0]
  if (launchUrl === undefined) throw new Refusal('app_refused', `${launch.app} has no launch URL`)
  return launchAddress(launchUrl, parts.fhirBase, handle)
}

/** In which record they were found, and what others were seen to hold. */
const foundIn = ({ tenant, insteadOf, alsoIn }: Partial<KnownPatient> = {}) => ({
  ...(tenant === undefined ? {} : { tenant }),
  ...(insteadOf === undefined ? {} : { instead_of: insteadOf }),
  ...(alsoIn === undefined ? {} : { plan_also_in: alsoIn }),
})

/** What the app's handle stands for, and what is written with it. @throws Refusal rate_limited */
async function opening(
  parts: LaunchParts,
  arrival: Arrival,
  by: {
    readonly signOn: SignOn
    readonly browser: string
    readonly handle: string
    readonly moved: Moved
  },
  { decision: { obligations }, plea }: Judgement,
) {
  const { launch, patient, ask } = arrival
  const { signOn, browser, handle, moved } = by
  const broken = plea && patient && (await breakGlass(parts, { ...arrival, patient }, signOn, plea))
  const session = openSession(
    { launch, ...(patient ? { patient } : {}) },
    { user: signOn.user, signOn: signOn.id, browser },
    { hash: hashOf(handle), until: after(parts.clock(), parts.lifetimes.handle) },
    obligations,
    {
      ...(ask ? { request: ask.request } : {}),
      ...(broken ? { emergency: broken.glass } : {}),
    },
  )
  const opened: Happening = {
    what: 'session_opened',
    outcome: 'success',
    ...factsOf(arrival),
    signOn: signOn.id,
    detail: {
      obligations,
      ...foundIn(patient),
      ...(moved.supersedes === undefined ? {} : { supersedes: moved.supersedes }),
    },
  }
  const until = Math.min(signOn.until, broken?.glass.until ?? signOn.until)
  const put: Put = { kind: 'session', id: launch.id, value: session, until }
  return {
    emergency: broken?.emergency,
    record: [...(broken ? [broken.entry] : []), opened],
    // A session that stands without what is to be reviewed of it must not be.
    puts: [...(broken?.puts ?? []), put, ...moved.puts],
  }
}

/** Under which sign-on a launch lands, and what of its system. */
interface Landing {
  readonly signOn: SignOn
  readonly made: boolean
  readonly moved: Moved
  readonly system: LaunchSystem
}

/** Opens the session and sends the browser to the app. Everything before it is durable by then. */
async function land(
  parts: LaunchParts,
  { res }: Exchange,
  arrival: Arrival,
  { signOn, made, moved, system }: Landing,
  browser: Browser,
  judged: Judgement,
): Promise<void> {
  const { launch, ask } = arrival
  const handle = newLaunchSecret('hdl', launch.id, parts.random)
  const address = await addressOf(parts, arrival, handle)
  const by = { signOn, browser: browser.hash, handle, moved }
  const { emergency, record, puts } = await opening(parts, arrival, by, judged)
  // An app that asks for a new sign-on opens the launch again, once for each that it asked for.
  const open = ask ? `open/${launch.id}/${signOn.id}` : `open/${launch.id}`
  const fresh = await parts.trail.commit({
    claims: [...arrival.claims, { what: open, until: signOn.until }],
    record: [...arrival.record, ...(made ? [signedOn(arrival, signOn)] : []), ...record],
    puts: [
      ...puts,
      ...(await handoverPuts(parts, arrival, signOn.until)),
      ...outcomePuts(parts, arrival, system, signOn),
      ...(made || arrival.signOn ? await attach(parts, res, signOn, browser) : []),
      ...(arrival.puts ?? []),
    ],
    ...(arrival.waited ? { drops: [{ kind: 'pending' as const, id: arrival.waited }] } : {}),
  })
  if (!fresh) throw new Refusal('launch_replayed', 'jti, link or launch used before')
  if (emergency) parts.emergencies.broken(emergency)
  if (!made) await parts.sessions.touch(signOn)
  seeOther(res, address)
}

/**
 * Ties a new sign-on to the browser under a cookie of its own: one that was there before somebody signed on may
 * be known to whoever sat here then.
 */
async function attach(parts: LaunchParts, res: Response, signOn: SignOn, browser: Browser) {
  if (browser.fresh) return parts.sessions.puts({ ...signOn, browser: browser.hash })
  const hash = renewBrowser(res, browser, parts.random)
  return parts.sessions.puts(
    { ...signOn, browser: hash },
    await parts.sessions.names([browser.hash]),
  )
}

/** Takes a launch up again where it waited. */
export async function resume(
  parts: LaunchParts,
  exchange: Exchange,
  pending: PendingLaunch,
  signOn: SignOn | undefined,
  more: Partial<Pick<Arrival, 'patient' | 'record' | 'emergency'>> = {},
): Promise<void> {
  const { launch } = pending
  const patient = more.patient ?? pending.patient
  await proceed(parts, exchange, {
    launch,
    ...(patient ? { patient } : {}),
    ...(signOn ? { signOn } : {}),
    ...(pending.ask ? { ask: pending.ask } : {}),
    ...(more.emergency ? { emergency: more.emergency } : {}),
    claims: [],
    record: more.record ?? [],
    waited: launch.id,
  })
}
