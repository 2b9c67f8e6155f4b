/**
 * May a launch open? Asked of the policies; and where its user broke the glass, asked again as an emergency. A no can
 * lead on: to a stronger sign-on, to an offer of emergency access, or to a refusal.
 */
import type { Happening } from '../core/audit.js'
import { circumstancesOf, inEmergency } from '../core/circumstances.js'
import type { Action, Circumstances, PolicyDecision, Question } from '../core/decision.js'
import { circumstancesKept } from '../core/denial.js'
import { type EmergencyOffer, type EmergencyPlea, isReviewable } from '../core/emergency.js'
import { ask } from '../core/question.js'
import { Refusal } from '../core/refusal.js'
import { personOf, type SignOn, type Waiting } from '../core/session.js'
import { journeyOf, learn } from '../http/journey.js'
import { type Arrival, type Exchange, factsOf, type LaunchParts } from './parts.js'

export interface Judgement {
  readonly question: Question
  /** The one that counts. */
  readonly decision: PolicyDecision
  /** What was decided on the way, for the trail. */
  readonly record: readonly Happening[]
  /** The launch opens as an emergency, and as nothing else. */
  readonly plea?: EmergencyPlea
  /** A denied launch may be opened as an emergency, by this person. */
  readonly offer?: EmergencyOffer
}

/** The entry that a decision makes, whatever it says. */
const decisionMade = (
  arrival: Arrival,
  user: SignOn['user'],
  { action, emergencyReason, ...circumstances }: Question,
  decision: PolicyDecision,
): Happening => ({
  what: 'decision_made',
  outcome: decision.effect === 'allow' ? 'success' : 'refused',
  ...factsOf(arrival),
  user: {
    ...factsOf(arrival).user,
    id: personOf(user, arrival.launch.system),
    roles: user.roles,
    organization: user.organization.odsCode,
  },
  policy: {
    version: decision.version,
    effect: decision.effect,
    policies: decision.policies,
    ...(decision.errors.length > 0 ? { errors: decision.errors } : {}),
  },
  detail: {
    action,
    assurance: user.assurance,
    activities: user.activitySource,
    rung: arrival.launch.rung,
    reasons: decision.reasons,
    ...(emergencyReason === '' ? {} : { emergency: emergencyReason }),
    ...(decision.effect === 'allow'
      ? {}
      : circumstancesKept({ ...circumstances, emergencyReason })),
  },
})

/** The plea of whoever was offered it: another person's is nobody's. */
const pleaOf = ({ emergency }: Arrival, person: string): EmergencyPlea | undefined =>
  emergency?.person === person ? emergency.plea : undefined

/**
 * Asks about a launch, as today's policies and today's role map have it. Emergency access is for a patient who is
 * known, and by a user whom a reviewer can be told from.
 */
export function judge(parts: LaunchParts, arrival: Arrival, { user, issuer }: SignOn): Judgement {
  const { launch, patient } = arrival
  const app = { type: 'app', id: launch.app } as const
  const circumstances = circumstancesOf(launch, user, patient, parts.clock())
  const decide = (action: Action, under: Circumstances) => {
    const question = ask(under, action, app)
    const decision = parts.policies.decide(question)
    return { question, decision, entry: decisionMade(arrival, user, question, decision) }
  }
  const plain = decide('launch', circumstances)
  const denied = { ...plain, record: [plain.entry] }
  if (plain.decision.effect === 'allow' || !patient || !isReviewable(user)) return denied
  const glass = decide('break-glass', circumstances)
  const { policies, reasons, version } = plain.decision
  const person = personOf(user, issuer)
  if (glass.decision.effect === 'deny') {
    const signOn = parts.policies.stepUp(glass.question)
    return signOn === undefined
      ? denied
      : { ...denied, offer: { person, signOn, policies, reasons, version } }
  }
  const plea = pleaOf(arrival, person)
  if (!plea) return { ...denied, offer: { person, policies, reasons, version } }
  const broken = decide('launch', inEmergency(circumstances, plea.reason))
  const record = [plain.entry, glass.entry, broken.entry]
  // What even an emergency does not open is not offered as one again.
  return broken.decision.effect === 'allow' ? { ...broken, record, plea } : { ...denied, record }
}

/**
 * A policy's no: a way to a yes by a stronger sign-on, emergency access, or a refusal.
 * @throws Refusal launch_denied, launch_replayed, login_required
 */
export async function denied(
  parts: LaunchParts,
  { res }: Exchange,
  arrival: Arrival,
  { question, decision, record, offer }: Judgement,
): Promise<Waiting> {
  const assurance = parts.policies.stepUp(question)
  const silent = arrival.ask?.demand.silent === true
  if (assurance !== undefined && silent) throw new Refusal('login_required', 'a stronger sign-on')
  if (assurance !== undefined)
    return { for: 'sign-on', assurance, ...(offer === undefined ? {} : { emergency: offer }) }
  if (offer && !silent) return { for: 'emergency', emergency: offer }
  const { claims, puts = [] } = arrival
  const entries = [...arrival.record, ...record]
  const fresh = await parts.trail.commit({ claims, record: entries, puts })
  if (!fresh) throw new Refusal('launch_replayed', 'jti')
  return refuse({ res }, decision)
}

/** The refusal of a launch that the policies denied. @throws Refusal launch_denied */
export function refuse(
  { res }: Pick<Exchange, 'res'>,
  { reasons, policies, version }: Pick<PolicyDecision, 'reasons' | 'policies' | 'version'>,
): never {
  journeyOf(res).reasons = reasons
  learn(res, { policy: { version, effect: 'deny', policies } })
  throw new Refusal('launch_denied', policies.join(', ') || 'nothing permits it')
}
