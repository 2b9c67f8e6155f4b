/** How data that came with a launch is kept: in the commits that take the launch on, for as long as each makes it last. */
import { handoverContext, MOST_HANDED_CHARACTERS, readHandover } from '../core/handover.js'
import type { LaunchId } from '../core/ids.js'
import { writeJson } from '../core/json-text.js'
import type { LaunchRequest, VerifiedLaunch } from '../core/launch.js'
import { mapClaims } from '../core/launch-claims.js'
import type { LaunchSystem } from '../core/launch-system.js'
import type { Records } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import type { EpochMs } from '../core/values.js'
import type { Put } from '../store/store.js'
import type { Arrival, LaunchParts } from './parts.js'

/** What a launch brought, and the launch that says so. */
export interface Handed {
  readonly request: LaunchRequest
  readonly handover?: Records['handover']
}

/**
 * Takes over what a proven launch token brought.
 * @throws Refusal launch_malformed, launch_data_other_patient
 */
export async function takeOver(
  { handovers, clock }: LaunchParts,
  id: LaunchId,
  claims: unknown,
  system: LaunchSystem,
  request: LaunchRequest,
): Promise<Handed> {
  const { data } = mapClaims(claims, system.claims)
  if (data === undefined) return { request }
  if (writeJson(data).length > MOST_HANDED_CHARACTERS)
    throw new Refusal('launch_malformed', 'data: too large')
  const { nhsNumber, birthDate } = request.patient
  const read = readHandover(data, { nhsNumber, birthDate })
  if (read.resources.length === 0) return { request }
  const at = clock()
  const fhirContext = [...(request.fhirContext ?? []), handoverContext(id)]
  const from = { system: system.id, name: system.name, organization: request.organization, at }
  const handover = await handovers.seal(id, { ...read, from })
  return { request: { ...request, fhirContext }, handover }
}

const brought = ({ id, fhirContext = [] }: VerifiedLaunch): boolean =>
  fhirContext.some(({ reference }) => reference === handoverContext(id).reference)

/** What keeps it until then; none where the launch brought nothing. */
export async function handoverPuts(
  { store }: LaunchParts,
  { launch, handover }: Pick<Arrival, 'launch' | 'handover'>,
  until: EpochMs,
): Promise<readonly Put[]> {
  if (!brought(launch)) return []
  const value = handover ?? (await store.get('handover', launch.id))
  return value ? [{ kind: 'handover', id: launch.id, value, until }] : []
}
