/** Sign-on and the other answers for which a launch waits: each takes the launch up again where it stood. */
import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { Happening } from '../core/audit.js'
import { hashOf, isSecret, launchOfSecret, newSecret, sha256 } from '../core/ids.js'
import { readBirthDate } from '../core/nhs-number.js'
import { Refusal } from '../core/refusal.js'
import { type PendingLaunch, personOf, type SignOn } from '../core/session.js'
import { after, seconds } from '../core/values.js'
import { browsersOf, ensureBrowser } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameter, parameters, readParameters } from '../http/parameters.js'
import { type Arrival, type Exchange, factsOf, type LaunchParts } from './parts.js'
import { personId, proceed } from './proceed.js'
import { showWaiting } from './waiting.js'

const MOST_BIRTH_DATES = 3
const FOREVER = Date.UTC(9999, 0)

/**
 * The waiting launch that a form speaks for, by the form's secret.
 * @throws Refusal sign_on_state_invalid
 */
async function pendingOf(
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

const startParameters = z.object({ pending: parameter(100), framed: z.enum(['0', '1']) })

/**
 * POST /sign-in/start: on to the provider, in this window or in one of its own.
 * @see OIDC Core §3.1.2.1
 */
export function startSignOn(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = readParameters(startParameters, parameters(req))
    const pending = await pendingOf(parts, res, sent.pending)
    journeyOf(res).frameAncestors = []
    const framed = sent.framed === '1'
    const assurance = pending.waiting.for === 'sign-on' ? pending.waiting.assurance : 2
    const state = newSecret('sta', parts.random)
    const nonce = newSecret('non', parts.random)
    const verifier = `${newSecret('ver', parts.random)}${newSecret('ver', parts.random)}`
    // Whoever the provider still remembers may have left this workstation: it asks anew, and the role with it.
    const asked = { assurance, framed, state, nonce, verifier, forceLogin: true }
    const address = await parts.provider.begin(asked)
    const browser = ensureBrowser(req, res, parts.random)
    await parts.store.commit({
      puts: [
        {
          kind: 'state',
          id: sha256(state),
          value: {
            launch: pending.launch.id,
            nonce,
            verifier,
            browser,
            assurance,
            framed,
            since: seconds(parts.clock()),
          },
          until: after(parts.clock(), parts.lifetimes.pending),
        },
      ],
    })
    res.redirect(303, address.href)
  }
}

/**
 * GET /sign-in/callback: the provider's answer, in the window that went there. The sign-on is made, but
 * belongs to the launch's browser only once that browser shows the proof: this window may be another's.
 *
 * @throws Refusal sign_on_state_invalid, person_mismatch and what the provider's answer refuses
 */
export function signOnCallback(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const state = parameters(req).get('state') ?? ''
    const begun = await parts.store.get('state', sha256(state))
    const pending = begun && (await parts.store.get('pending', begun.launch))
    if (!begun || !pending || !browsersOf(req).includes(begun.browser)) {
      throw new Refusal('sign_on_state_invalid', 'state or browser')
    }
    learn(res, factsOf(pending))
    const claims = [
      { what: `state/${sha256(state)}`, until: after(parts.clock(), parts.lifetimes.pending) },
    ]
    if (!(await parts.store.commit({ claims })))
      throw new Refusal('sign_on_state_invalid', 'used before')

    const callback = new URL(req.originalUrl, parts.issuer)
    const clinician = await parts.provider.finish(callback, { ...begun, state })
    const signOn = parts.sessions.open({
      user: parts.knowUser(clinician.user, clinician.organization, clinician.assurance),
      by: 'provider',
      issuer: clinician.issuer,
      ...(clinician.providerSession === undefined
        ? {}
        : { providerSession: clinician.providerSession }),
      authentication: clinician.authentication,
      browser: pending.browser,
    })
    const proof = newSecret('prf', parts.random)
    await parts.trail.commit({
      record: [signedOn(pending, signOn)],
      puts: [
        { kind: 'signOn', id: signOn.id, value: signOn, until: signOn.until },
        {
          kind: 'pending',
          id: pending.launch.id,
          value: { ...pending, signOn: signOn.id, proof: hashOf(proof) },
          until: after(parts.clock(), parts.lifetimes.pending),
        },
      ],
    })
    if (begun.framed) return parts.pages.send(res, 200, 'signed-in', { proof })
    ownBrowser(req, pending)
    await resume(parts, { req, res }, pending, signOn)
  }
}

const signedOn = (pending: PendingLaunch, signOn: SignOn): Happening => ({
  what: 'signed_on',
  outcome: 'success',
  ...factsOf(pending),
  signOn: signOn.id,
  user: {
    id: personOf(signOn.user, signOn.issuer),
    ...(signOn.user.name === undefined ? {} : { name: signOn.user.name }),
    roles: signOn.user.roles,
    organization: signOn.user.organization.odsCode,
  },
  detail: { by: 'provider', issuer: signOn.issuer, assurance: signOn.user.assurance },
})

/** The launch's own browser, not merely one that knows a secret. @throws Refusal handle_other_browser */
function ownBrowser(req: Request, pending: PendingLaunch): void {
  if (!browsersOf(req).includes(pending.browser))
    throw new Refusal('handle_other_browser', 'cookie')
}

async function resume(
  parts: LaunchParts,
  exchange: Exchange,
  pending: PendingLaunch,
  signOn: SignOn | undefined,
  more: Partial<Pick<Arrival, 'patient' | 'record'>> = {},
): Promise<void> {
  const { launch } = pending
  const patient = more.patient ?? pending.patient
  await proceed(parts, exchange, {
    launch,
    ...(patient ? { patient } : {}),
    ...(signOn ? { signOn } : {}),
    claims: [],
    record: more.record ?? [],
    waited: launch.id,
  })
}

/** Answers that a waiting launch takes, by the step that its form names. */
const STEPS: Readonly<Record<string, (parts: LaunchParts, step: Step) => Promise<void>>> = {
  'signed-on': async (parts, { exchange, pending, signOn, sent }) => {
    const proof = sent.get('proof') ?? ''
    if (!pending.proof || !isSecret(proof, pending.proof)) {
      throw new Refusal('sign_on_state_invalid', 'proof')
    }
    await resume(parts, exchange, pending, signOn)
  },
  'birth-date': confirmBirthDate,
  person: async (parts, { exchange, pending, signOn, sent }) => {
    if (!signOn || pending.waiting.for !== 'person' || sent.get('answer') !== 'yes') {
      throw new Refusal('person_mismatch', 'the user did not confirm')
    }
    const uid = personOf(signOn.user, signOn.issuer)
    const linked: Happening = {
      what: 'person_linked',
      outcome: 'success',
      ...factsOf(pending),
      detail: { uid },
    }
    const value = { uid, since: parts.clock() }
    await parts.trail.commit({
      record: [linked],
      puts: [{ kind: 'person', id: personId(pending.launch), value, until: FOREVER }],
    })
    await resume(parts, exchange, pending, signOn)
  },
}

interface Step {
  readonly exchange: Exchange
  readonly pending: PendingLaunch
  readonly signOn: SignOn | undefined
  readonly sent: ReadonlyMap<string, string>
}

/**
 * The user types the birth date of a patient whom a mere hint named. Three tries; nothing about the
 * patient is shown before it is right, not even whether the number exists.
 */
async function confirmBirthDate(
  parts: LaunchParts,
  { exchange, pending, signOn, sent }: Step,
): Promise<void> {
  const { waiting, launch } = pending
  if (waiting.for !== 'birth-date' || !signOn)
    throw new Refusal('sign_on_state_invalid', 'not awaited')
  const attempts = waiting.attempts + 1
  // One claim for each try: parallel posts do not buy more of them.
  const claim = {
    what: `birth-date/${launch.id}/${attempts}`,
    until: after(parts.clock(), parts.lifetimes.pending),
  }
  if (!(await parts.store.commit({ claims: [claim] })))
    throw new Refusal('launch_replayed', 'answered before')
  const [day = '', month = '', year = ''] = ['day', 'month', 'year'].map((name) =>
    (sent.get(name) ?? '').trim(),
  )
  const typed = readBirthDate(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`)
  const patient =
    typed &&
    (await parts.findPatient(launch.patient.nhsNumber, typed).catch((error: unknown) => {
      if (error instanceof Refusal && ['patient_unknown', 'patient_mismatch'].includes(error.code))
        return undefined
      throw error
    }))
  if (patient) {
    const confirmed: Happening = {
      what: 'patient_confirmed',
      outcome: 'success',
      ...factsOf({ launch, patient }),
    }
    return resume(parts, exchange, pending, signOn, { patient, record: [confirmed] })
  }
  if (attempts >= MOST_BIRTH_DATES) throw new Refusal('birth_date_exhausted', `${attempts} tries`)
  const refused: Happening = {
    what: 'patient_confirmed',
    outcome: 'refused',
    ...factsOf(pending),
    detail: { attempts },
  }
  const system = await parts.registry.system(launch.system)
  if (!system) throw new Refusal('system_unknown', launch.system)
  await showWaiting(
    parts,
    exchange,
    { launch, claims: [], record: [refused], signOn },
    {
      waiting: { for: 'birth-date', attempts },
      browser: pending.browser,
      system,
      signOn,
      error: 'The date of birth does not match. Check it in the patient record and try again.',
    },
  )
}

/**
 * POST /launch/continue: an answer to a waiting launch's page, from the browser that owns the launch.
 * @throws Refusal sign_on_state_invalid, handle_other_browser and what the step refuses
 */
export function carryOn(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const pending = await pendingOf(parts, res, sent.get('pending') ?? '')
    ownBrowser(req, pending)
    const step = STEPS[sent.get('step') ?? '']
    if (!step) throw new Refusal('parameter_invalid', 'step')
    const signOn = pending.signOn && (await parts.sessions.get(pending.signOn))
    await step(parts, { exchange: { req, res }, pending, signOn, sent })
  }
}
