/** Emergency access: the answer to the page that offers it, and what it opens. */
import type { RequestHandler } from 'express'
import { type EmergencyOffer, readPlea } from '../core/emergency.js'
import { Refusal } from '../core/refusal.js'
import type { PendingLaunch, Waiting } from '../core/session.js'
import { journeyOf } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { refuse } from './judge.js'
import type { Exchange, LaunchParts } from './parts.js'
import { resume } from './proceed.js'
import { ownBrowser, pendingOf, showWaiting } from './waiting.js'

const FAULTS = {
  reason: 'Choose why you need to see this plan now.',
  text: 'Say why in 10 to 500 characters.',
} as const

const offerOf = (waiting: Waiting): EmergencyOffer | undefined =>
  'emergency' in waiting ? waiting.emergency : undefined

/** The user goes without: the page is over, and the launch ends as it would have. @throws Refusal launch_denied */
async function cancel(
  parts: LaunchParts,
  { res }: Exchange,
  { launch, ask }: PendingLaunch,
  offer: EmergencyOffer,
): Promise<never> {
  await parts.store.commit({ drops: [{ kind: 'pending', id: launch.id }] })
  if (ask) journeyOf(res).redirect = ask.answer
  return refuse({ res }, offer)
}

/** The same page again, with what was wrong and what was typed. */
async function askAgain(
  parts: LaunchParts,
  exchange: Exchange,
  { launch, patient, ask, waiting, browser, signOn }: PendingLaunch,
  wrong: keyof typeof FAULTS,
  typed: Readonly<Record<string, string>>,
): Promise<void> {
  const system = await parts.registry.system(launch.system)
  if (!system) throw new Refusal('system_unknown', launch.system)
  const held = signOn && (await parts.sessions.get(signOn))
  const arrival = {
    ...{ launch, claims: [], record: [] },
    ...(patient ? { patient } : {}),
    ...(ask ? { ask } : {}),
  }
  await showWaiting(parts, exchange, arrival, {
    ...{ waiting, browser, system, error: FAULTS[wrong], wrong, typed },
    ...(held ? { signOn: held } : {}),
  })
}

/**
 * POST /launch/emergency: a denied launch is opened by who may, for a reason, to read. Everything is asked anew: who
 * acts here, whether the launch is still denied, whether the policies let this person break the glass.
 *
 * @throws Refusal sign_on_state_invalid, handle_other_browser, launch_denied, rate_limited and what proceed refuses
 */
export function emergencyAccess(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const exchange = { req, res }
    const pending = await pendingOf(parts, res, sent.get('pending') ?? '')
    await ownBrowser(parts, req, pending)
    const offer = offerOf(pending.waiting)
    if (!offer) throw new Refusal('sign_on_state_invalid', 'not offered')
    if (sent.get('answer') === 'cancel') return cancel(parts, exchange, pending, offer)
    if (offer.signOn !== undefined) throw new Refusal('sign_on_state_invalid', 'sign on first')
    const [reason = '', text = ''] = [sent.get('reason'), sent.get('text')]
    const plea = readPlea(reason, text)
    if ('fault' in plea)
      return askAgain(parts, exchange, pending, plea.fault, { reason, text: text.slice(0, 2_000) })
    const signOn = pending.signOn && (await parts.sessions.get(pending.signOn))
    const emergency = { person: offer.person, plea }
    await resume(parts, exchange, pending, signOn, { emergency })
  }
}
