/** What the launch brought of its system's own record: to this launch's app, as far as scopes and policies let it read. */
import type { Access } from '../core/access.js'
import type { Policies, PolicyDecision } from '../core/decision.js'
import { allows, decide, reachedBy, requirePatient } from '../core/enforcement.js'
import { handoverId, releaseHandover } from '../core/handover.js'
import type { Json } from '../core/json.js'
import { Refusal } from '../core/refusal.js'
import { matchesQuery } from '../core/scope-query.js'
import type { Handovers } from '../session/handovers.js'
import { recordAllowed } from './entry.js'
import type { ProxyParts } from './parts.js'

export interface HandoverParts extends ProxyParts {
  readonly handovers: Pick<Handovers, 'read'>
}

/** Whether a call is for it: of this launch and no other. Every other Bundle is nobody's. */
export const isHandover = ({ grant }: Access, method: string, address: string): boolean =>
  method === 'GET' && address === `/Bundle/${handoverId(grant.launch)}`

/** Of what a launch brought: what scopes and policies let the caller read, each type decided once. */
export function readsHanded(access: Access, policies: Policies) {
  const decisions = new Map<string, PolicyDecision>()
  const may = (resource: Json): boolean => {
    const type = String(resource.resourceType)
    const reached = reachedBy(access, type, 'r')
    if (reached === undefined) return false
    if (reached !== 'all' && !reached.some((query) => matchesQuery(query, resource))) return false
    const decision =
      decisions.get(type) ?? decide(access, policies, 'r', { type: 'fhir', id: type })
    decisions.set(type, decision)
    return allows(decision)
  }
  return { may, decisions }
}

/** @throws Refusal record_absent, scope_insufficient */
export async function answerHandover(parts: HandoverParts, access: Access): Promise<Json> {
  const { launch } = access.grant
  const patient = requirePatient(access)
  const kept = await parts.handovers.read(launch)
  if (!kept) throw new Refusal('record_absent', 'the launch brought nothing')
  const { may, decisions } = readsHanded(access, parts.policies)
  const body = releaseHandover(kept, { launch, patient }, may)
  const entries = (body.entry as readonly unknown[]).length
  // What may not be seen is as if it were not there.
  if (entries === 0) throw new Refusal('record_absent', 'nothing that may be read')
  await recordAllowed(parts.trail, access, [...decisions.values()].filter(allows), {
    ...{ interaction: 'handover', entries, withheld: kept.resources.length - entries },
  })
  return body
}
