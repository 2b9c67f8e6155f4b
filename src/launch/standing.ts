/** Who acts in a launch: the first of the questions that every launch goes through. */
import { RUNG_ASSURANCE } from '../core/circumstances.js'
import type { KnownUser } from '../core/context.js'
import { hashOf } from '../core/ids.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import { type SignOn, samePerson, type Waiting } from '../core/session.js'
import type { Arrival, LaunchParts } from './parts.js'

/** Who acts in this launch: a sign-on that stands or that the launch makes, or what must happen first. */
export type Standing = (
  | { readonly signOn: SignOn; readonly made: boolean }
  | { readonly waiting: Waiting; readonly signOn?: SignOn }
) & {
  /** Another user's, who was signed on in this browser until now. */
  readonly replaces?: SignOn
}

/** All that rights come from: what the system no longer says of its user must not live on. */
const rightsOf = (user: KnownUser): string =>
  JSON.stringify([
    ...[user.organization.odsCode, user.sdsRoleProfileId, user.roleCodes],
    ...[user.roles, user.activities, user.activitySource],
  ])

/** The sign-on that this launch itself makes, or the one that it made before in this browser. */
function byLaunch(
  parts: LaunchParts,
  { launch }: Arrival,
  browser: string,
  present: SignOn | undefined,
): Standing {
  const user = parts.knowUser(launch.user, launch.organization, RUNG_ASSURANCE[launch.rung])
  if (
    present?.by === 'launch' &&
    present.issuer === launch.system &&
    rightsOf(present.user) === rightsOf(user)
  ) {
    return { signOn: present, made: false }
  }
  const { authentication } = launch
  const signOn = parts.sessions.open({
    user,
    by: 'launch',
    issuer: launch.system,
    authentication,
    browser,
  })
  return { signOn, made: true }
}

/** A sign-on that stands, its user's roles as the role map gives them now. */
const today = (parts: LaunchParts, { user, ...signOn }: SignOn): SignOn => ({
  ...signOn,
  user: parts.knowUser(user, user.organization.odsCode, user.assurance),
})

/**
 * Who acts in a launch, in this browser.
 *
 * @param held who is signed on here already
 * @throws Refusal person_mismatch
 */
export async function standing(
  parts: LaunchParts,
  arrival: Arrival,
  system: LaunchSystem,
  browser: string,
  held: SignOn | undefined,
): Promise<Standing> {
  const { launch } = arrival
  const present = arrival.signOn ?? held
  const link =
    present?.by === 'provider' || held?.by === 'provider'
      ? await parts.store.get('person', personId(launch))
      : undefined
  const person = present ? samePerson(launch, present, link?.uid) : 'none'
  if (person === 'other' && arrival.signOn) {
    throw new Refusal('person_mismatch', 'the provider named another person than the launch')
  }
  const other = held && samePerson(launch, held, link?.uid) === 'other'
  const replaces = other ? { replaces: held } : {}
  const sameOrganization = present?.user.organization.odsCode === launch.organization
  const vouched = present?.by === 'provider' && (system.signOn === 'provider' || sameOrganization)
  if (present && person === 'same' && (vouched || arrival.signOn)) {
    return { signOn: today(parts, present), made: false, ...replaces }
  }
  if (present && person === 'unknown' && (system.signOn === 'provider' || arrival.signOn)) {
    return { waiting: { for: 'person' }, signOn: present, ...replaces }
  }
  if (system.signOn === 'provider') {
    return { waiting: { for: 'sign-on', assurance: 2 }, ...replaces }
  }
  const same = person === 'same' ? present : undefined
  return { ...byLaunch(parts, arrival, browser, same), ...replaces }
}

/** Under which name a system's local user is remembered. */
export const personId = (launch: Arrival['launch']): string =>
  hashOf(`${launch.system} ${launch.user.localId}`)
