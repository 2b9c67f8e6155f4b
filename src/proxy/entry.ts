/** How a call to the record stands in the trail. Identifiers only: never a value of the record. */
import type { Access } from '../core/access.js'
import type { Happening } from '../core/audit.js'
import type { PolicyDecision } from '../core/decision.js'
import { partiesOf } from '../core/grant.js'
import { Refusal } from '../core/refusal.js'
import type { AccessTrail } from './parts.js'
import type { Stands } from './standing.js'

type Detail = NonNullable<Happening['detail']>

const known = new WeakMap<Access, Partial<Happening>>()

/** Who calls, for whom, in which launch: once for all calls that are let in by the same. */
export function aboutAccess(access: Access): Partial<Happening> {
  const before = known.get(access)
  if (before) return before
  const about = saidOf(access)
  known.set(access, about)
  return about
}

/** Not by spreading: V8 takes ten times as long for members that follow a spread. */
function saidOf({ token, grant, user, actor = grant.client }: Access): Partial<Happening> {
  const { user: person, ...patient } = partiesOf(grant)
  const { id, organization, roles } = person
  // In the order of their names, as all that the trail can write at once: see core/chain.ts.
  const named = {
    user: Object.assign(
      { id },
      user.name === undefined ? undefined : { name: user.name },
      { organization },
      user.sdsRoleProfileId === undefined ? undefined : { roleProfile: user.sdsRoleProfileId },
      { roles },
    ),
    launch: grant.launch,
    signOn: grant.signOn,
    grant: grant.id,
    token,
    system: grant.circumstances.launch.system,
    app: actor,
    purpose: grant.circumstances.purpose,
  }
  return Object.assign(named, patient)
}

/**
 * Of several decisions, each policy once. An entry names one version, and that is the one that allowed all of it.
 * @throws Refusal policy_changed
 */
function policyOf(decisions: readonly PolicyDecision[]): Happening['policy'] {
  const [first] = decisions
  if (first === undefined) return undefined
  const ids = new Set<string>()
  let before: PolicyDecision | undefined
  for (const decision of decisions) {
    // Those of a list's resources are mostly one.
    if (decision === before) continue
    if (decision.version !== first.version)
      throw new Refusal('policy_changed', `from version ${first.version} to ${decision.version}`)
    for (const id of decision.policies) ids.add(id)
    before = decision
  }
  return { effect: 'allow', policies: [...ids], version: first.version }
}

/** That a call is allowed, and by which decisions. @throws Refusal policy_changed */
export function allowedEntry(
  access: Access,
  decisions: readonly PolicyDecision[],
  detail: Detail,
): Happening {
  const policy = policyOf(decisions)
  const { emergency } = access.grant
  return Object.assign(
    { what: 'access_allowed', outcome: 'success' } as const,
    aboutAccess(access),
    policy && { policy },
    {
      detail: Object.assign(
        {},
        detail,
        access.stale ? { stale: true } : undefined,
        emergency && { emergency: emergency.id },
      ),
    },
  )
}

/**
 * Records that a call is allowed: durable when it resolves, so data leaves, or a write goes on to the
 * record, after it and never before.
 * @throws Refusal policy_changed; StoreFailure
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

/** The same of what was read, which the record may have taken its time over: for who would still be let in. @throws Refusal of {@link Stands}, policy_changed */
export function recordRead(
  trail: AccessTrail,
  { access, stands }: { readonly access: Access; readonly stands: Stands },
  decisions: readonly PolicyDecision[],
  detail: Detail,
): Promise<void> {
  // The trail may take its time as well.
  const record = () => recordAllowed(trail, access, decisions, detail).then(stands)
  // A quick read asks nothing, and waits for nothing.
  return stands()?.then(record) ?? record()
}
