/** What a write refers to is looked at before it is written: it must be there, and readable for who writes. */
import type { Access } from '../core/access.js'
import type { PolicyDecision } from '../core/decision.js'
import type { FhirRelease } from '../core/fhir-own.js'
import { isOnOffer, judgePlace, newPlaces, type Place } from '../core/fhir-references.js'
import type { Json } from '../core/json.js'
import { parameterFault, Refusal } from '../core/refusal.js'
import { withinSize, withinTime } from './bounds.js'
import type { ProxyParts } from './parts.js'
import type { Stands } from './standing.js'

/** Of one resource. Each is a call to the record, one after the other. */
const MOST_PLACES = 50

/** `undefined` for what is not there, and for what cannot be read as FHIR: not even that is told of another's. */
async function lookUp({ record }: ProxyParts, { type, id }: Place) {
  try {
    const path = `/${type}/${id}`
    const answer = await record.forward({ upstream: 'fhir', method: 'GET', path })
    return answer.status === 200 ? answer : undefined
  } catch (error) {
    if (error instanceof Refusal && error.code === 'upstream_invalid') return undefined
    throw error
  }
}

/**
 * The same answer for what is not there, of another patient, or withheld: the trail alone says which.
 *
 * @param before as it stands; absent for a new one
 * @returns by which decisions the rest may be referred to
 * @throws Refusal reference_refused, parameter_invalid, rate_limited, record_unavailable, upstream_invalid for more
 *   than may be read for one answer; those of {@link Stands}
 */
export async function requireReferences(
  parts: ProxyParts,
  access: Access,
  release: FhirRelease,
  {
    before,
    after,
    stands,
  }: { readonly before?: Json; readonly after: Json; readonly stands: Stands },
): Promise<readonly PolicyDecision[]> {
  const places = newPlaces(before, after, release)
  if (places.length === 0) return []
  if (places.length > MOST_PLACES) throw parameterFault('parameter_invalid', 'references')
  parts.again(access, places.length)
  const [requireTime, requireSize] = [withinTime(parts), withinSize(parts)]
  const decisions: PolicyDecision[] = []
  for (const place of places) {
    requireTime()
    const answer = isOnOffer(place) ? await lookUp(parts, place) : undefined
    await stands()
    const verdict = judgePlace(release, place, answer?.body)
    if (answer === undefined || verdict.is !== 'given') {
      const is = answer === undefined ? 'absent' : verdict.is
      throw new Refusal('reference_refused', `${place.type}/${place.id} is ${is}`)
    }
    // Of what may be read alone: how long another's is would be told by where it ends.
    requireSize(answer)
    decisions.push(...verdict.decisions)
  }
  return decisions
}
