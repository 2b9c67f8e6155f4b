/** What a write refers to is looked at before it is written: it must be there, and readable for who writes. */
import type { Access } from '../core/access.js'
import type { FhirRelease } from '../core/fhir-own.js'
import { mayLeadTo, newPlaces } from '../core/fhir-references.js'
import type { Json } from '../core/json.js'
import { Refusal } from '../core/refusal.js'
import { withinSize, withinTime } from './bounds.js'
import type { ProxyParts } from './parts.js'

/** Of one resource. Each is a call to the record, one after the other. */
const MOST_PLACES = 50

/**
 * The same answer for what is not there, of another patient, or withheld.
 *
 * @param before as it stands; absent for a new one
 * @throws Refusal reference_refused, parameter_invalid, body_too_large, rate_limited, record_unavailable
 */
export async function requireReferences(
  parts: ProxyParts,
  access: Access,
  release: FhirRelease,
  { before, after }: { readonly before?: Json; readonly after: Json },
): Promise<void> {
  const places = newPlaces(before, after, release.whose)
  if (places.length === 0) return
  if (places.length > MOST_PLACES) throw new Refusal('body_too_large', 'references of a resource')
  parts.again(access, places.length)
  const [requireTime, requireSize] = [withinTime(parts), withinSize(parts)]
  for (const place of places) {
    requireTime()
    const path = `/${place.type}/${place.id}`
    const answer = await parts.record.forward({ upstream: 'fhir', method: 'GET', path })
    requireSize(answer)
    if (answer.status !== 200 || !mayLeadTo(release, place, answer.body))
      throw new Refusal('reference_refused', `${after.resourceType} to ${place.type}`)
  }
}
