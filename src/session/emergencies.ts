/**
 * Uses of emergency access as they are kept: written with the session that each opens, listed until somebody else has
 * reviewed them, kept after that for as long as the operator says.
 */
import type { Trail } from '../audit/trail.js'
import type { Happening } from '../core/audit.js'
import { closeEmergency, type Emergency, type Finding, type Reviewer } from '../core/emergency.js'
import { sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { after, type Clock, type EpochMs } from '../core/values.js'
import type { Put, Store } from '../store/store.js'

interface Parts {
  readonly store: Store
  readonly trail: Pick<Trail, 'commit'>
  readonly clock: Clock
  /** How long one is kept once it was reviewed, in days; 0: for good. */
  readonly keepDays: number
}

export interface Emergencies {
  /** Those that are still to be reviewed, the oldest first; of one organisation where it is named. */
  open(organization?: string): Promise<readonly Emergency[]>
  /** How many are still to be reviewed, everywhere. */
  waiting(): Promise<number>
  read(id: string): Promise<Emergency | undefined>
  /**
   * Closes one, on record. @throws Refusal not_found, emergency_own, emergency_closed
   */
  close(id: string, person: Reviewer, finding: Finding): Promise<Emergency>
}

const FOR_GOOD: EpochMs = Date.UTC(9999, 0)
const DAY = 86_400

/** What stores one that begins: for the commit that opens its session, before that. */
export const emergencyPuts = (emergency: Emergency): readonly Put[] => {
  const { id, at, user } = emergency
  return [
    // As long as nobody has looked at it, it does not go.
    { kind: 'emergency', id, value: emergency, until: FOR_GOOD },
    {
      ...{ kind: 'unreviewed', id, until: FOR_GOOD },
      value: { organization: user.organization, at },
    },
  ]
}

/** Of what people wrote only a hash: the trail shows a later change of it, and holds nothing clinical. */
export const glassBroken = (
  emergency: Emergency,
): Pick<Happening, 'what' | 'outcome' | 'detail'> => ({
  ...{ what: 'glass_broken', outcome: 'success' },
  detail: {
    emergency: emergency.id,
    reason: emergency.reason,
    said: sha256(emergency.text),
    until: emergency.until,
  },
})

function reviewed(emergency: Emergency, { uid, name }: Reviewer, finding: Finding): Happening {
  const { id, launch, patient, system, app, user } = emergency
  return {
    ...{ what: 'emergency_reviewed', outcome: 'success', launch, patient, system, app },
    user: { id: uid, name },
    detail: {
      ...{ emergency: id, outcome: finding.outcome, said: sha256(finding.text) },
      ...{ used_by: user.uid, organization: user.organization },
    },
  }
}

export function createEmergencies({ store, trail, clock, keepDays }: Parts): Emergencies {
  const read = (id: string) => store.get('emergency', id)
  return {
    read,
    waiting: async () => (await store.list('unreviewed')).length,
    async open(organization) {
      const listed = await store.list('unreviewed')
      const wanted = listed.filter(
        ({ value }) => organization === undefined || value.organization === organization,
      )
      const found = await store.getAll(wanted.map(({ id }) => ({ kind: 'emergency' as const, id })))
      return found.filter((one) => one !== undefined).sort((a, b) => a.at - b.at)
    },
    async close(id, person, finding) {
      const kept = await read(id)
      if (!kept) throw new Refusal('not_found', 'no such emergency')
      const now = clock()
      const emergency = closeEmergency(kept, person, finding, now)
      const until = keepDays === 0 ? FOR_GOOD : after(now, keepDays * DAY)
      const by = emergency.closed?.by ?? person
      const won = await trail.commit({
        // Of two who close it at once, one has.
        claims: [{ what: `emergency/${id}`, until }],
        record: [reviewed(emergency, by, finding)],
        puts: [{ kind: 'emergency', id, value: emergency, until }],
        drops: [{ kind: 'unreviewed', id }],
      })
      if (!won) throw new Refusal('emergency_closed', id)
      return emergency
    },
  }
}
