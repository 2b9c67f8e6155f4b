/** What a write says of where its values came from: held against what its launch brought. */
import type { Access } from '../core/access.js'
import type { Handover } from '../core/handover.js'
import type { Json } from '../core/json.js'
import { claimsIn, proven, saysSource } from '../core/provenance.js'
import { readsHanded } from './handover.js'
import { type OpenEhrParts, rewritten } from './openehr-parts.js'

export interface Proven {
  readonly composition: Json
  /** How many values were taken over from the GP record. */
  readonly adopted: number
}

/** As much of what the launch brought as the caller may read. */
async function broughtTo(parts: OpenEhrParts, access: Access): Promise<Handover | undefined> {
  const kept = await parts.handovers.read(access.grant.launch)
  const { may } = readsHanded(access, parts.policies)
  return kept && { ...kept, resources: kept.resources.filter(may) }
}

/**
 * @param standing the version that is replaced; absent for a new composition
 * @throws Refusal provenance_unproven
 */
export async function withProvenance(
  parts: OpenEhrParts,
  access: Access,
  { composition, template }: { readonly composition: Json; readonly template: string },
  standing?: unknown,
): Promise<Proven> {
  const section = parts.plan.find((each) => each.template === template)
  if (section === undefined || !saysSource(composition)) return { composition, adopted: 0 }
  const before = rewritten(parts, standing)
  const claims = claimsIn(composition, before)
  const handover = claims.length > 0 ? await broughtTo(parts, access) : undefined
  const gateway = new URL(parts.base).host
  const launch = { id: access.grant.launch, section, handover, gateway }
  return { composition: proven(composition, before, claims, launch), adopted: claims.length }
}
