/** Who may see a plan can change while it is open: what is asked anew of the records and the policies before more is given. */
import { type StandingGrant, standingOf } from '../../access/access-token.js'
import { circumstancesAt, circumstancesWith } from '../../core/circumstances.js'
import type { Grant } from '../../core/grant.js'
import { launchTime } from '../../core/ids.js'
import { ask } from '../../core/question.js'
import { Refusal } from '../../core/refusal.js'
import { after, type Seconds } from '../../core/values.js'
import type { OAuthParts } from '../parts.js'

type Over = 'refresh_ended' | 'code_invalid'

/** What the records that know a grant's patient say of them now. */
async function flagsNow(parts: OAuthParts, grant: Grant, patient: string, over: Over) {
  const known = [{ fhirId: patient, tenant: grant.recordTenant }, ...(grant.knownIn ?? [])]
  const last = grant.circumstances.patient
  return parts.patientFlags(known, last).catch((error: unknown) => {
    const code = error instanceof Refusal ? error.code : ''
    if (code === 'patient_unknown') throw new Refusal(over, 'the patient was replaced')
    throw error
  })
}

/** {@link standingOf} a grant from which more is to be given. @throws Refusal over */
export async function standingNow(
  parts: OAuthParts,
  grant: Grant,
  over: Over,
): Promise<StandingGrant> {
  const standing = await standingOf(parts, grant)
  if (!standing) throw new Refusal(over, 'the session is over')
  return standing
}

/**
 * The grant as the records that know its patient do now, and as the policies let a launch be opened now. While a record
 * cannot be asked, what was said last counts.
 *
 * @param over the refusal of what may not be opened any more
 * @throws Refusal over; upstream_invalid, record_unavailable as {@link OAuthParts.patientFlags} throws
 */
export async function judgedAnew(
  parts: OAuthParts,
  given: Grant,
  over: Over,
): Promise<StandingGrant> {
  const { patient } = given.context
  const flags = patient === undefined ? undefined : await flagsNow(parts, given, patient, over)
  // Only then: a record may take its time, and what is over or in force by the end of it is what counts.
  const standing = await standingNow(parts, given, over)
  if (flags === undefined) return standing
  const { grant } = standing
  const circumstances = circumstancesWith(grant.circumstances, flags)
  const now = circumstancesAt(circumstances, parts.clock())
  const launch = parts.policies.decide(ask(now, 'launch', { type: 'app', id: grant.client }))
  if (launch.effect === 'deny') throw new Refusal(over, launch.policies.join(', '))
  const judged = { ...grant, circumstances, obligations: launch.obligations }
  return { ...standing, grant: judged }
}

/** How old what a launch was told of its patient may be when it becomes tokens. */
const FRESH: Seconds = 60

/** Whether a launch was under way for so long that its records are to be asked again: its user may have had to sign on. */
export function isOld({ launch }: Pick<Grant, 'launch'>, { clock }: Pick<OAuthParts, 'clock'>) {
  const began = launchTime(launch)
  return began === undefined || clock() >= after(began, FRESH)
}
