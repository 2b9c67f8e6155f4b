/** The answers for which a launch waits: each takes it up again where it stood. */
import type { RequestHandler } from 'express'
import type { Happening } from '../core/audit.js'
import { isSecret } from '../core/ids.js'
import { readBirthDate } from '../core/nhs-number.js'
import { Refusal } from '../core/refusal.js'
import { type PendingLaunch, personOf, type SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import { parameters } from '../http/parameters.js'
import { type Exchange, factsOf, type LaunchParts } from './parts.js'
import { resume } from './proceed.js'
import { personId } from './standing.js'
import { ownBrowser, pendingOf, showWaiting } from './waiting.js'

const MOST_BIRTH_DATES = 3
const FOREVER = Date.UTC(9999, 0)

/** Answers that a waiting launch takes, by the step that its form names. */
const STEPS = new Map<string, (parts: LaunchParts, step: Step) => Promise<void>>([
  ['signed-on', confirmSignOn],
  ['birth-date', confirmBirthDate],
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
  if (waiting.attempts >= MOST_BIRTH_DATES)
    throw new Refusal('birth_date_exhausted', 'answered often enough')
  const attempts = waiting.attempts + 1
  await spendTry(parts, pending, attempts)
  const patient = await patientBorn(parts, pending, signOn, sent)
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
 * Counts a try before it is judged, so that neither parallel posts nor a record that does not answer
 * change how many there are.
 *
 * @throws Refusal launch_replayed
 */
async function spendTry(
  parts: LaunchParts,
  pending: PendingLaunch,
  attempts: number,
): Promise<void> {
  const { id } = pending.launch
  const until = after(parts.clock(), parts.lifetimes.pending)
  const value: PendingLaunch = { ...pending, waiting: { for: 'birth-date', attempts } }
  const fresh = await parts.store.commit({
    claims: [{ what: `birth-date/${id}/${attempts}`, until }],
    puts: [{ kind: 'pending', id, value, until }],
  })
  if (!fresh) throw new Refusal('launch_replayed', 'answered before')
}

/** The launch's patient, if the date typed is theirs. @throws Refusal record_unavailable, upstream_invalid, rate_limited */
async function patientBorn(
  parts: LaunchParts,
  { launch }: PendingLaunch,
  { user }: SignOn,
  sent: ReadonlyMap<string, string>,
) {
  const [day = '', month = '', year = ''] = ['day', 'month', 'year'].map((name) =>
    (sent.get(name) ?? '').trim(),
  )
  const typed = readBirthDate(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`)
  if (!typed) return undefined
  // Whoever signed on: a sealed launch names whomever its maker likes.
  const seeker = { system: launch.system, organization: launch.organization, user }
  return parts.findPatient(launch.patient.nhsNumber, typed, seeker).catch((error: unknown) => {
    if (error instanceof Refusal && ['patient_unknown', 'patient_mismatch'].includes(error.code))
      return undefined
    throw error
  })
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
    const step = STEPS.get(sent.get('step') ?? '')
    if (!step) throw new Refusal('parameter_invalid', 'step')
    const signOn = pending.signOn && (await parts.sessions.get(pending.signOn))
    await step(parts, { exchange: { req, res }, pending, signOn, sent })
  }
}
