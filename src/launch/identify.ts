/** The answers for which a launch waits: each takes it up again where it stood. */
import type { RequestHandler } from 'express'
import type { Happening } from '../core/audit.js'
import { isSecret } from '../core/ids.js'
import { isStandalone } from '../core/launch.js'
import { readNhsNumber } from '../core/nhs-number.js'
import { Refusal } from '../core/refusal.js'
import { type PendingLaunch, personOf, type SignOn, type Waiting } from '../core/session.js'
import { after, type Seconds } from '../core/values.js'
import { parameters } from '../http/parameters.js'
import { patientNamed, recentOf, rememberPut, typedDate, typedFields } from './choose.js'
import { type Exchange, factsOf, type LaunchParts } from './parts.js'
import { resume } from './proceed.js'
import { personId } from './standing.js'
import { ownBrowser, pendingOf, showWaiting } from './waiting.js'

const MOST_BIRTH_DATES = 3
/** Typing NHS number and birth date: typing errors, and no more. */
const MOST_CHOICES = 10
const FOREVER = Date.UTC(9999, 0)
/** Longer than two answers to one question can lie apart. */
const LINKING: Seconds = 60

/** Answers that a waiting launch takes, by the step that its form names. */
const STEPS = new Map<string, (parts: LaunchParts, step: Step) => Promise<void>>([
  ['signed-on', confirmSignOn],
  ['birth-date', confirmBirthDate],
  ['patient', choosePatient],
  ['person', confirmPerson],
])

interface Step {
  readonly exchange: Exchange
  readonly pending: PendingLaunch
  readonly signOn: SignOn | undefined
  readonly sent: ReadonlyMap<string, string>
}

/** The frame shows the proof that the sign-in window handed to it: the same user is before both. */
async function confirmSignOn(parts: LaunchParts, { exchange, pending, sent }: Step): Promise<void> {
  const { returned } = pending
  if (!returned || !isSecret(sent.get('proof') ?? '', returned.proof)) {
    throw new Refusal('sign_on_state_invalid', 'proof')
  }
  await resume(parts, exchange, pending, await parts.sessions.get(returned.signOn))
}

/** The user says whether the launch's local user and the one who signed on are one person. */
async function confirmPerson(
  parts: LaunchParts,
  { exchange, pending, signOn, sent }: Step,
): Promise<void> {
  if (!signOn || pending.waiting.for !== 'person')
    throw new Refusal('sign_on_state_invalid', 'not awaited')
  if (sent.get('answer') !== 'yes') {
    // Somebody else sits here now: without this they would be asked the same again and again.
    await parts.sessions.end(signOn, 'the user said that it is somebody else')
    throw new Refusal('person_mismatch', 'the user did not confirm')
  }
  const { launch } = pending
  if (isStandalone(launch)) throw new Refusal('sign_on_state_invalid', 'not awaited')
  const uid = personOf(signOn.user, signOn.issuer)
  const id = personId(launch, uid)
  const linked: Happening = {
    what: 'person_linked',
    outcome: 'success',
    ...factsOf(pending),
    detail: { uid },
  }
  // Recorded once: whoever was first is the person, and a second answer does not change it.
  const known = await parts.store.get('person', id)
  const fresh =
    known === undefined &&
    (await parts.trail.commit({
      claims: [{ what: `person/${id}`, until: after(parts.clock(), LINKING) }],
      record: [linked],
      puts: [{ kind: 'person', id, value: { uid, since: parts.clock() }, until: FOREVER }],
    }))
  if (!fresh && known?.uid !== uid) throw new Refusal('person_mismatch', 'linked to another person')
  await resume(parts, exchange, pending, signOn)
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
  if (waiting.for !== 'birth-date' || !signOn || isStandalone(launch))
    throw new Refusal('sign_on_state_invalid', 'not awaited')
  if (waiting.attempts >= MOST_BIRTH_DATES)
    throw new Refusal('birth_date_exhausted', 'answered often enough')
  const attempts = waiting.attempts + 1
  await spendTry(parts, pending, { for: 'birth-date', attempts })
  const born = typedDate(sent)
  const { nhsNumber } = launch.patient
  const patient = born && (await patientNamed(parts, launch, signOn, nhsNumber, born))
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
      typed: typedFields(sent),
      error: 'The date of birth does not match. Check it in the patient record and try again.',
    },
  )
}

/** What a step says of a patient who was not matched; the same for an unknown number and a wrong date. */
const UNMATCHED =
  'No patient was found by this NHS number and date of birth. Check both and try again.'

/**
 * A standalone launch: the user names the patient by NHS number and birth date, or chooses one of those whom
 * they opened lately. Nothing tells an unknown number from a wrong date.
 *
 * @see SMART App Launch 2.2, "Launch App: Standalone Launch" (launch/patient)
 */
async function choosePatient(
  parts: LaunchParts,
  { exchange, pending, signOn, sent }: Step,
): Promise<void> {
  const { waiting, launch } = pending
  if (waiting.for !== 'patient' || !signOn)
    throw new Refusal('sign_on_state_invalid', 'not awaited')
  if (waiting.attempts >= MOST_CHOICES) throw new Refusal('birth_date_exhausted', 'often enough')
  const attempts = waiting.attempts + 1
  await spendTry(parts, pending, { for: 'patient', attempts })
  const recent = await recentOf(parts, signOn)
  const typed = { nhsNumber: readNhsNumber(sent.get('nhs_number')), birthDate: typedDate(sent) }
  // By number, never by place: what the user opens elsewhere meanwhile moves the places.
  const offered = recent.find(({ nhsNumber }) => nhsNumber === sent.get('recent'))
  const { nhsNumber, birthDate } = offered ?? typed
  const patient =
    nhsNumber && birthDate && (await patientNamed(parts, launch, signOn, nhsNumber, birthDate))
  if (patient && nhsNumber && birthDate) {
    const chosen: Happening = {
      what: 'patient_confirmed',
      outcome: 'success',
      ...factsOf({ launch, patient }),
    }
    await parts.store.commit({ puts: [rememberPut(signOn, { nhsNumber, birthDate }, recent)] })
    return resume(parts, exchange, pending, signOn, { patient, record: [chosen] })
  }
  const refused: Happening = {
    what: 'patient_confirmed',
    outcome: 'refused',
    ...factsOf(pending),
    detail: { attempts },
  }
  const system = await parts.registry.system(launch.system)
  if (!system) throw new Refusal('system_unknown', launch.system)
  const arrival = { launch, claims: [], record: [refused], signOn }
  await showWaiting(
    parts,
    exchange,
    { ...arrival, ...(pending.ask ? { ask: pending.ask } : {}) },
    {
      ...{ waiting: { for: 'patient', attempts }, browser: pending.browser, system, signOn },
      ...{ error: UNMATCHED, recent, typed: typedFields(sent) },
    },
  )
}

/**
 * Counts a try before it is judged, so that neither parallel posts nor a record that does not answer
 * change how many there are.
 *
 * @throws Refusal launch_replayed
 */
async function spendTry(
  parts: LaunchParts,
  pending: PendingLaunch,
  waiting: Extract<Waiting, { attempts: number }>,
): Promise<void> {
  const { id } = pending.launch
  const until = after(parts.clock(), parts.lifetimes.pending)
  const fresh = await parts.store.commit({
    claims: [{ what: `${waiting.for}/${id}/${waiting.attempts}`, until }],
    puts: [{ kind: 'pending', id, value: { ...pending, waiting }, until }],
  })
  if (!fresh) throw new Refusal('launch_replayed', 'answered before')
}

/**
 * POST /launch/continue: an answer to a waiting launch's page, from the browser that owns the launch.
 * @throws Refusal sign_on_state_invalid, handle_other_browser and what the step refuses
 */
export function carryOn(parts: LaunchParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const pending = await pendingOf(parts, res, sent.get('pending') ?? '')
    await ownBrowser(parts, req, pending)
    const step = STEPS.get(sent.get('step') ?? '')
    if (!step) throw new Refusal('parameter_invalid', 'step')
    const signOn = pending.signOn && (await parts.sessions.get(pending.signOn))
    await step(parts, { exchange: { req, res }, pending, signOn, sent })
  }
}
