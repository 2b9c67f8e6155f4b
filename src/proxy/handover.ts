/** What the launch brought of its system's own record: to this launch's app, as far as scopes and policies let it read. */
import type { Access } from '../core/access.js'
import type { Policies, PolicyDecision } from '../core/decision.js'
import { accessWith, allows, decide, reachedBy, requirePatient } from '../core/enforcement.js'
import { isReached } from '../core/fhir-judge.js'
import { handoverId, releaseHandover } from '../core/handover.js'
import type { Json } from '../core/json.js'
import { isLabelled } from '../core/patient-flags.js'
import { Refusal } from '../core/refusal.js'
import type { Handovers } from '../session/handovers.js'
import { recordRead } from './entry.js'
import type { ProxyParts } from './parts.js'
import type { Stands } from './standing.js'

export interface HandoverParts extends ProxyParts {
  readonly handovers: Pick<Handovers, 'read'>
}

/** Whether a call is for it: of this launch and no other. Every other Bundle is nobody's. */
export const isHandover = ({ grant }: Access, method: string, address: string): boolean =>
  method === 'GET' && address === `/Bundle/${handoverId(grant.launch)}`

/**
 * Of what a launch brought: what scopes and policies let the caller read, each type decided once, and once more for what
 * of it is labelled: that is judged as a sensitive patient's record is, as in the record itself.
 */
export function readsHanded(access: Access, policies: Policies) {
  const decisions = new Map<string, PolicyDecision>()
  const { deceased } = access.grant.circumstances.patient
  const labelled = accessWith(access, { sensitive: true, deceased })
  const decided = (by: Access, type: string, name: string): PolicyDecision => {
    const decision = decisions.get(name) ?? decide(by, policies, 'r', { type: 'fhir', id: type })
    decisions.set(name, decision)
    return decision
  }
  const may = (resource: Json): boolean => {
    const type = String(resource.resourceType)
    if (!isReached(reachedBy(access, type, 'r'), resource)) return false
    if (!allows(decided(access, type, type))) return false
    return !isLabelled(resource) || allows(decided(labelled, type, `${type} labelled`))
  }
  return { may, decisions }
}

/** @throws Refusal record_absent, scope_insufficient, of {@link Stands}, policy_changed */
export async function answerHandover(
  parts: HandoverParts,
  access: Access,
  stands: Stands,
): Promise<Json> {
  const { launch } = access.grant
  const patient = requirePatient(access)
  const kept = await parts.handovers.read(launch)
  if (!kept) throw new Refusal('record_absent', 'the launch brought nothing')
  const { may, decisions } = readsHanded(access, parts.policies)
  const body = releaseHandover(kept, { launch, patient }, may)
  const entries = (body.entry as readonly unknown[]).length
  // What may not be seen is as if it were not there.
  if (entries === 0) throw new Refusal('record_absent', 'nothing that may be read')
  await recordRead(parts.trail, { access, stands }, [...decisions.values()].filter(allows), {
    ...{ interaction: 'handover', entries, withheld: kept.resources.length - entries },
  })
  return body
}
