/** What a broken glass leaves behind: in the session that it opens, on record, and in the queue of who reviews it. */
import { type Happening, patientNamed } from '../core/audit.js'
import type { KnownPatient } from '../core/context.js'
import {
  type BrokenGlass,
  type Emergency,
  type EmergencyPlea,
  isReviewable,
  openEmergency,
} from '../core/emergency.js'
import { newId } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { personOf, type SignOn } from '../core/session.js'
import { after } from '../core/values.js'
import { glassBroken } from '../session/emergencies.js'
import type { Put } from '../store/store.js'
import { type Arrival, factsOf, type LaunchParts } from './parts.js'

export interface Broken {
  readonly emergency: Emergency
  /** What session and grant hold of it. */
  readonly glass: BrokenGlass
  readonly entry: Happening
  readonly puts: readonly Put[]
}

/**
 * Breaks the glass for a launch that the policies let open as an emergency. Nothing is written yet: entry and records
 * go into the commit that opens the session.
 *
 * @throws Refusal rate_limited; launch_denied where nobody could review it
 */
export async function breakGlass(
  parts: LaunchParts,
  arrival: Arrival & { readonly patient: KnownPatient },
  signOn: SignOn,
  plea: EmergencyPlea,
): Promise<Broken> {
  const { launch, patient } = arrival
  const { user } = signOn
  if (!isReviewable(user)) throw new Refusal('launch_denied', 'nobody could review it')
  await parts.emergencies.admit(user.sdsUserId)
  const at = parts.clock()
  const until = after(at, parts.lifetimes.emergency)
  const emergency = openEmergency(
    newId('emg', parts.random),
    {
      ...{ launch: launch.id, system: launch.system, app: launch.app },
      patient: patientNamed(patient),
    },
    user,
    plea,
    { at, until },
  )
  const facts = factsOf(arrival)
  const who = { id: personOf(user, launch.system), roles: user.roles }
  return {
    emergency,
    glass: { id: emergency.id, reason: emergency.reason, until },
    entry: {
      ...facts,
      ...glassBroken(emergency),
      user: { ...facts.user, ...who, organization: user.organization.odsCode },
      signOn: signOn.id,
    },
    puts: parts.emergencies.puts(emergency),
  }
}
