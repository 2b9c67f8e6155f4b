/**
 * A service that asks for itself (`client_credentials`): there is no user, no patient and no launch. Its grant is a
 * type of its own, so that nothing that serves a patient's app can be handed one by mistake.
 *
 * @see SMART App Launch 2.2, "Backend Services"
 */
import { localTime } from './circumstances.js'
import type { Circumstances } from './decision.js'
import type { Confirmation } from './grant.js'
import type { GrantId, LaunchId, TokenId } from './ids.js'
import { INTROSPECT, type Scope } from './scope.js'
import type { EpochMs, Seconds } from './values.js'

export interface ServiceGrant {
  readonly id: GrantId
  /** Nobody launched: a name of the same form, by which it is kept and ended and its entries are found. */
  readonly launch: LaunchId
  readonly client: string
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  readonly policyVersion: number
  /** Its one token. */
  readonly token: TokenId
  readonly cnf?: Confirmation
  readonly since: EpochMs
  readonly until: EpochMs
}

/** The longest that a service's token lives. @see SMART App Launch 2.2, "Issue access token" */
export const SERVICE_LIFETIME: Seconds = 300

/**
 * Whether a service may ask for a scope at all. A search query narrows only what is held to it, and a stored query
 * shows only what other scopes open: neither stands here.
 */
export function isServiceScope(scope: Scope): boolean {
  if (scope.kind === 'plain') return scope.name === INTROSPECT
  if (scope.reach !== 'system') return false
  return scope.kind === 'fhir' ? scope.query === '' : scope.resource === 'composition'
}

/** Under what the policies are asked for a service: the weakest in every respect, and the narrowest purpose. */
export const serviceCircumstances = (client: string, now: EpochMs): Circumstances => ({
  user: {
    id: client,
    roles: ['service'],
    activities: [],
    activitySource: 'listed',
    assurance: 1,
    organization: { odsCode: '', type: 'unknown', region: '' },
  },
  patient: { sensitive: false, deceased: false },
  launch: { rung: 'service', system: '', app: client },
  purpose: 'administration',
  emergencyReason: '',
  ...localTime(now),
})
