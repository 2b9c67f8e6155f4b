/** The pages on which a launch waits for its user, and the record that holds it meanwhile. */
import type { Request, Response } from 'express'
import type { Happening } from '../core/audit.js'
import { EMERGENCY_REASONS, EMERGENCY_WORDS, type EmergencyOffer } from '../core/emergency.js'
import { hashOf, isSecret, launchOfSecret, newLaunchSecret } from '../core/ids.js'
import { isStandalone } from '../core/launch.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import type { PendingLaunch, RecentPatient, SignOn, Waiting } from '../core/session.js'
import { after, type Seconds } from '../core/values.js'
import { browsersOf, isFramed } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { depart } from './depart.js'
import { handoverPuts } from './handover.js'
import { namePuts } from './named.js'
import { type Arrival, type Exchange, factsOf, type LaunchParts } from './parts.js'

/**
 * The waiting launch that a form speaks for, by the form's secret.
 * @throws Refusal sign_on_state_invalid
 */
export async function pendingOf(
  parts: LaunchParts,
  res: Response,
  secret: string,
): Promise<PendingLaunch> {
  const id = launchOfSecret('pnd', secret)
  const pending = id && (await parts.store.get('pending', id))
  if (!pending || !isSecret(secret, pending.secret)) {
    throw new Refusal('sign_on_state_invalid', 'nothing waits under this secret')
  }
  learn(res, factsOf(pending))
  const system = await parts.registry.system(pending.launch.system)
  journeyOf(res).frameAncestors = system?.frameAncestors ?? []
  return pending
}

/** The page on which a patient is still to be confirmed or chosen. @throws Refusal interaction_required */
export function wantedPatient({ launch, patient, ask }: Arrival): Waiting | undefined {
  if (patient) return undefined
  if (!isStandalone(launch)) return { for: 'birth-date', attempts: 0 }
  if (!ask?.needsPatient) return undefined
  if (ask.demand.silent) throw new Refusal('interaction_required', 'a patient is to be chosen')
  return { for: 'patient', attempts: 0 }
}

/** The launch's own browser, not merely one that knows a secret. @throws Refusal handle_other_browser */
export async function ownBrowser(
  { sessions }: LaunchParts,
  req: Request,
  pending: PendingLaunch,
): Promise<void> {
  if (!(await sessions.names(browsersOf(req))).includes(pending.browser))
    throw new Refusal('handle_other_browser', 'cookie')
}

export interface Wait {
  readonly waiting: Waiting
  readonly browser: string
  readonly system: LaunchSystem
  readonly signOn?: SignOn
  /** What was wrong with the last answer, in plain words. */
  readonly error?: string
  /** Which field that was, where there is more than one. */
  readonly wrong?: string
  /** What the user typed, so that it need not be typed again. */
  readonly typed?: Readonly<Record<string, string>>
  /** Whom the user opened lately, to choose from. */
  readonly recent?: readonly RecentPatient[]
}

/**
 * Stores the launch as it stands and shows the page that takes it on.
 * @throws Refusal launch_replayed, sign_on_unavailable
 */
export async function showWaiting(
  parts: LaunchParts,
  exchange: Exchange,
  arrival: Arrival,
  wait: Wait,
): Promise<void> {
  const { launch, patient } = arrival
  // First, because it may fail: a launch whose page cannot be shown has spent nothing.
  const lead = await leadOf(parts, arrival, wait)
  const secret = newLaunchSecret('pnd', launch.id, parts.random)
  const pending: PendingLaunch = {
    launch,
    ...(patient ? { patient } : {}),
    waiting: wait.waiting,
    secret: hashOf(secret),
    browser: wait.browser,
    ...(wait.signOn ? { signOn: wait.signOn.id } : {}),
    ...(arrival.ask ? { ask: arrival.ask } : {}),
  }
  const until = after(parts.clock(), parts.lifetimes.pending)
  const fresh = await parts.trail.commit({
    claims: arrival.claims,
    record: [...arrival.record, ...asked(arrival, wait)],
    puts: [
      { kind: 'pending', id: launch.id, value: pending, until },
      ...(await handoverPuts(parts, arrival, until)),
      ...namePuts(launch, until),
      ...(arrival.puts ?? []),
    ],
  })
  if (!fresh) throw new Refusal('launch_replayed', 'jti or link used before')
  // Who came by the authorize endpoint in a window of its own asked for nothing else than to sign on.
  const { waiting } = wait
  const offered = 'emergency' in waiting && waiting.emergency !== undefined
  if (waiting.for === 'sign-on' && !offered && arrival.ask && !isFramed(exchange.req))
    return depart(parts, exchange, pending, { framed: false })
  showPage(parts, exchange, arrival, wait, { secret, lead })
}

const asked = (arrival: Arrival, { waiting }: Wait): readonly Happening[] =>
  waiting.for === 'sign-on'
    ? [
        {
          what: 'sign_on_asked',
          outcome: 'success',
          ...factsOf(arrival),
          detail: { assurance: waiting.assurance },
        },
      ]
    : []

interface Page {
  readonly status?: number
  readonly view: string
  readonly data: Readonly<Record<string, unknown>>
}

const emergencyData = ({ reasons, signOn }: EmergencyOffer, wait: Wait, lasts: Seconds) => ({
  ...{ offered: true, signOnFirst: signOn !== undefined, reasons, minutes: Math.round(lasts / 60) },
  ...{ error: wait.error, wrong: wait.wrong, typed: wait.typed ?? {} },
  choices: EMERGENCY_REASONS.map((value) => ({ value, text: EMERGENCY_WORDS[value] })),
})

/** Each wait has its page; what a page shows of the patient is nothing. */
const PAGES: {
  readonly [F in Waiting['for']]: (
    waiting: Extract<Waiting, { for: F }>,
    about: {
      readonly launch: Arrival['launch']
      readonly wait: Wait
      readonly framed: boolean
      readonly emergency: Seconds
    },
  ) => Page
} = {
  'sign-on': ({ assurance, emergency }, { framed, wait, emergency: lasts }) => ({
    view: 'sign-in',
    data: {
      ...{ stronger: assurance > 2, framed },
      ...(emergency ? emergencyData(emergency, wait, lasts) : {}),
    },
    ...(wait.error === undefined ? {} : { status: 422 }),
  }),
  emergency: ({ emergency }, { framed, wait, emergency: lasts }) => ({
    view: 'emergency',
    data: { framed, ...emergencyData(emergency, wait, lasts) },
    // The launch is denied as it stands, whatever else is offered.
    status: wait.error === undefined ? 403 : 422,
  }),
  'birth-date': (_, { wait }) => ({
    view: 'birth-date',
    data: { error: wait.error, typed: wait.typed ?? {} },
    ...(wait.error === undefined ? {} : { status: 422 }),
  }),
  patient: (_, { wait }) => ({
    view: 'patient',
    data: { error: wait.error, recent: wait.recent ?? [], typed: wait.typed ?? {} },
    ...(wait.error === undefined ? {} : { status: 422 }),
  }),
  person: (_, { launch, wait }) => ({
    view: 'person',
    data: {
      signedOnAs: wait.signOn?.user.name ?? wait.signOn?.user.localId,
      localUser: isStandalone(launch) ? '' : (launch.user.name ?? launch.user.localId),
    },
  }),
}

/** Where a page's forms end: at the provider, and by way of the next step at the app. */
async function leadOf(
  parts: LaunchParts,
  { launch, ask }: Arrival,
  { waiting }: Wait,
): Promise<string[]> {
  const client = await parts.registry.client(launch.app)
  const addresses = ask ? [ask.answer.to] : (client?.launchUrls ?? [])
  const app = addresses.map((url) => new URL(url).origin)
  const away = waiting.for === 'sign-on' || ('emergency' in waiting && waiting.emergency.signOn)
  return away ? [await parts.provider.pageOrigin(), ...app] : app
}

function showPage(
  parts: LaunchParts,
  { req, res }: Exchange,
  { launch }: Arrival,
  wait: Wait,
  { secret, lead }: { readonly secret: string; readonly lead: readonly string[] },
): void {
  const make = PAGES[wait.waiting.for] as (waiting: Waiting, about: unknown) => Page
  const {
    status = 200,
    view,
    data,
  } = make(wait.waiting, {
    ...{ launch, wait, framed: isFramed(req), emergency: parts.lifetimes.emergency },
  })
  // The page names its system again, so that even an answer that comes too late shows inside the chart.
  const { id: systemId, name: system } = wait.system
  parts.pages.send(res, status, view, { ...data, secret, system, systemId }, lead)
}
