/** What a write says of where its values came from: held against what its launch brought. */
import type { Access } from '../core/access.js'
import type { Witness } from '../core/feeder-audit.js'
import type { Handover } from '../core/handover.js'
import type { Json } from '../core/json.js'
import { claimsIn, proven, saysSource } from '../core/provenance.js'
import { type UnsavedOwner, unsavedOf } from '../core/unsaved.js'
import { typeOf, witnessed } from '../core/witness.js'
import type { Witnessed } from '../session/unsaved.js'
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

/** Of what was seen in earlier launches: what is of a type that the caller may read now. */
export function witnessesTo(
  { policies }: Pick<OpenEhrParts, 'policies'>,
  access: Access,
  { witnessed: all = [] }: Pick<Witnessed, 'witnessed'>,
): readonly Witness[] {
  const { may } = readsHanded(access, policies)
  return all.filter((one) => may({ resourceType: typeOf(one) }))
}

/** What may be kept as seen of what is taken over in unsaved changes. */
export async function witnessesOf(
  parts: OpenEhrParts,
  access: Access,
  owner: UnsavedOwner,
  { template, adopted }: { readonly template: string; readonly adopted: Witnessed['adopted'] },
): Promise<readonly Witness[]> {
  const section = parts.plan.find((each) => each.template === template)
  if (section === undefined || adopted.length === 0) return []
  const handover = await broughtTo(parts, access)
  const before = await parts.unsaved.read(owner)
  const launch = { id: access.grant.launch, section, handover }
  return witnessed(launch, adopted, witnessesTo(parts, access, before?.typed ?? {}))
}

/** What a writer has not saved yet may bear out what this launch did not bring. */
async function witnessesFor(
  parts: OpenEhrParts,
  access: Access,
  ehrId: string,
  template: string,
): Promise<readonly Witness[]> {
  if (access.grant.nhsNumber === undefined) return []
  const before = await parts.unsaved.read(unsavedOf(access, ehrId, template))
  return witnessesTo(parts, access, before?.typed ?? {})
}

interface Sent {
  readonly composition: Json
  readonly template: string
  readonly ehrId: string
}

/**
 * @param standing the version that is replaced; absent for a new composition
 * @throws Refusal provenance_unproven
 */
export async function withProvenance(
  parts: OpenEhrParts,
  access: Access,
  { composition, template, ehrId }: Sent,
  standing?: unknown,
): Promise<Proven> {
  const section = parts.plan.find((each) => each.template === template)
  if (section === undefined || !saysSource(composition)) return { composition, adopted: 0 }
  const before = rewritten(parts, standing)
  const claims = claimsIn(composition, before)
  const none = claims.length === 0
  const handover = none ? undefined : await broughtTo(parts, access)
  const witnesses = none ? [] : await witnessesFor(parts, access, ehrId, template)
  const gateway = new URL(parts.base).host
  const launch = { id: access.grant.launch, section, handover, witnesses, gateway }
  return { composition: proven(composition, before, claims, launch), adopted: claims.length }
}
