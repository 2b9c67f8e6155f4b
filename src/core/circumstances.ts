import type { KnownUser, SystemRung } from './context.js'
import type { Circumstances } from './decision.js'
import type { EmergencyReason } from './emergency.js'
import type { VerifiedLaunch } from './launch.js'
import type { PatientFlags } from './patient-flags.js'
import type { Assurance } from './roles.js'
import { personOf } from './session.js'
import type { EpochMs } from './values.js'

/** How strongly a launch itself signs a user on: a server that we call or that calls us, or a browser's word. */
export const RUNG_ASSURANCE: Readonly<Record<SystemRung, Assurance>> = {
  redeemed: 2,
  pushed: 2,
  signed: 1,
  sealed: 1,
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const london = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  weekday: 'short',
  hour: '2-digit',
  hourCycle: 'h23',
})

const MINUTE: EpochMs = 60_000
let lately:
  | { readonly minute: number; readonly time: { hour: number; weekday: number } }
  | undefined

/** Local time in the region. The last answer is kept: within a minute it is the same, and a launch asks twice. */
export function localTime(now: EpochMs): { hour: number; weekday: number } {
  const minute = Math.floor(now / MINUTE)
  if (lately?.minute !== minute) lately = { minute, time: localTimeOf(now) }
  return lately.time
}

function localTimeOf(now: EpochMs): { hour: number; weekday: number } {
  const parts = london.formatToParts(now)
  const part = (type: string) => parts.find((candidate) => candidate.type === type)?.value ?? ''
  return { hour: Number(part('hour')), weekday: WEEKDAYS.indexOf(part('weekday')) + 1 }
}

/** What policies look at of a user. */
function seen(user: KnownUser): Omit<Circumstances['user'], 'id'> {
  const { odsCode, type, region } = user.organization
  return {
    roles: user.roles,
    activities: user.activities,
    activitySource: user.activitySource,
    assurance: user.assurance,
    organization: { odsCode, type, region },
  }
}

/** What the policies are asked under, for one user in one launch, now. */
export function circumstancesOf(
  launch: VerifiedLaunch,
  user: KnownUser,
  patient: PatientFlags | undefined,
  now: EpochMs,
): Circumstances {
  return {
    user: { id: personOf(user, launch.system), ...seen(user) },
    patient: {
      sensitive: patient?.sensitive ?? false,
      deceased: patient?.deceased ?? false,
    },
    launch: { rung: launch.rung, system: launch.system, app: launch.app },
    purpose: launch.purpose,
    emergencyReason: '',
    ...localTime(now),
  }
}

/** The same circumstances, with the glass broken for this reason. */
export const inEmergency = (
  circumstances: Circumstances,
  emergencyReason: EmergencyReason,
): Circumstances => ({ ...circumstances, emergencyReason })

/** The same circumstances, with the user as they are known now. */
export const circumstancesFor = (circumstances: Circumstances, user: KnownUser): Circumstances => ({
  ...circumstances,
  user: { id: circumstances.user.id, ...seen(user) },
})

/** The same circumstances, with what the record says of the patient now. */
export const circumstancesWith = (
  circumstances: Circumstances,
  { sensitive, deceased }: PatientFlags,
): Circumstances => ({ ...circumstances, patient: { sensitive, deceased } })

/** The same circumstances at another time: what a grant keeps, asked anew. */
export const circumstancesAt = (circumstances: Circumstances, now: EpochMs): Circumstances => ({
  ...circumstances,
  ...localTime(now),
})
