/** How a call to the record stands in the trail. Identifiers only: never a value of the record. */
import type { Access } from '../core/access.js'
import type { Happening } from '../core/audit.js'
import type { PolicyDecision } from '../core/decision.js'
import { partiesOf } from '../core/grant.js'
import type { AccessTrail } from './parts.js'

type Detail = NonNullable<Happening['detail']>

/** Who calls, for whom, in which launch. */
export function aboutAccess({
  token,
  grant,
  user,
  actor = grant.client,
}: Access): Partial<Happening> {
  const parties = partiesOf(grant)
  return {
    launch: grant.launch,
    signOn: grant.signOn,
    grant: grant.id,
    token,
    ...parties,
    user: {
      ...parties.user,
      ...(user.name === undefined ? {} : { name: user.name }),
      ...(user.sdsRoleProfileId === undefined ? {} : { roleProfile: user.sdsRoleProfileId }),
    },
    system: grant.circumstances.launch.system,
    app: actor,
    purpose: grant.circumstances.purpose,
  }
}

/** That a call is allowed, and by which decisions. */
export function allowedEntry(
  access: Access,
  decisions: readonly PolicyDecision[],
  detail: Detail,
): Happening {
  const [first] = decisions
  const policies = [...new Set(decisions.flatMap((decision) => decision.policies))]
  const { emergency } = access.grant
  const policy = first && { version: first.version, effect: 'allow' as const, policies }
  return {
    what: 'access_allowed',
    outcome: 'success',
    ...aboutAccess(access),
    ...(policy === undefined ? {} : { policy }),
    detail: {
      ...detail,
      ...(access.stale ? { stale: true } : {}),
      ...(emergency === undefined ? {} : { emergency: emergency.id }),
    },
  }
}

/**
 * Records that a call is allowed: durable when it resolves, so data leaves, or a write goes on to the
 * record, after it and never before.
 */
export async function recordAllowed(
  trail: AccessTrail,
  access: Access,
  decisions: readonly PolicyDecision[],
  detail: Detail,
): Promise<void> {
  const entry = allowedEntry(access, decisions, detail)
  if (!(await trail.commit({ record: [entry] }))) throw new Error('the trail took no entry')
}
