/** Who acts in a launch: the first of the questions that every launch goes through. */
import type { Demand } from '../core/authorization-request.js'
import { RUNG_ASSURANCE } from '../core/circumstances.js'
import type { KnownUser } from '../core/context.js'
import { hashOf } from '../core/ids.js'
import { isStandalone, type SystemLaunch } from '../core/launch.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { Refusal } from '../core/refusal.js'
import {
  meetsDemand,
  personOf,
  type SignOn,
  samePerson,
  subjectOf,
  type Waiting,
} from '../core/session.js'
import type { Arrival, LaunchParts } from './parts.js'

/** Who acts in this launch: a sign-on that stands or that the launch makes, or what must happen first. */
export type Standing = (
  | { readonly signOn: SignOn; readonly made: boolean }
  | { readonly waiting: Waiting; readonly signOn?: SignOn }
) & {
  /** Of those who were signed on in this browser until now, whose sessions end with this launch. */
  readonly replaces: readonly SignOn[]
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
  launch: SystemLaunch,
  browser: string,
  same: readonly SignOn[],
): { readonly signOn: SignOn; readonly made: boolean } {
  const user = parts.knowUser(launch.user, launch.organization, RUNG_ASSURANCE[launch.rung])
  const before = same.find(
    (signOn) => isOwn(signOn, launch) && rightsOf(signOn.user) === rightsOf(user),
  )
  if (before) return { signOn: before, made: false }
  const { authentication, system: issuer } = launch
  const signOn = parts.sessions.open({ user, by: 'launch', issuer, authentication, browser })
  return { signOn, made: true }
}

/** Whether an earlier launch of the same system made it. */
const isOwn = (signOn: SignOn, { system }: SystemLaunch): boolean =>
  signOn.by === 'launch' && signOn.issuer === system

/** A sign-on that stands, its user's roles as the role map gives them now. */
const today = (parts: LaunchParts, { user, ...signOn }: SignOn): SignOn => ({
  ...signOn,
  user: parts.knowUser(user, user.organization.odsCode, user.assurance),
})

const NO_DEMAND: Demand = { silent: false }

/** The next page, where one may be shown. @throws Refusal login_required */
function wait(demand: Demand, waiting: Waiting): { readonly waiting: Waiting } {
  if (demand.silent) throw new Refusal('login_required', waiting.for)
  return { waiting }
}

/** Nobody launched: whoever the provider signed on acts, as the app asked for it. */
function standingAlone(
  parts: LaunchParts,
  { launch, ask, signOn: own }: Arrival,
  held: readonly SignOn[],
): Standing {
  const demand = ask?.demand ?? NO_DEMAND
  const found =
    own ?? held.find((signOn) => signOn.by === 'provider' && meetsDemand(signOn, demand))
  if (!found)
    return { ...wait(demand, { for: 'sign-on', assurance: demand.assurance ?? 2 }), replaces: [] }
  const person = personOf(found.user, found.issuer)
  // As the id_token will say it, which knows people without a national identity by another name.
  if (demand.subject !== undefined && demand.subject !== subjectOf(found.user, launch.system))
    throw new Refusal('login_required', 'another person than the app expects')
  const replaces = held.filter(({ user, issuer }) => personOf(user, issuer) !== person)
  return { signOn: today(parts, found), made: false, replaces }
}

/**
 * Who acts in a launch, in this browser.
 *
 * A link between a local user and a person is only ever made by somebody who signed on for this very launch:
 * whoever sits at a browser that another signed on in must not become them by a click.
 *
 * @param held who is signed on here already
 * @throws Refusal person_mismatch, login_required
 */
export async function standing(
  parts: LaunchParts,
  arrival: Arrival,
  system: LaunchSystem,
  browser: string,
  held: readonly SignOn[],
): Promise<Standing> {
  const { launch, signOn: own, ask } = arrival
  if (isStandalone(launch)) return standingAlone(parts, arrival, held)
  const demand = ask?.demand ?? NO_DEMAND
  const relation = await relationTo(parts, launch, own ? [own, ...held] : held)
  const same = held.filter((signOn) => relation(signOn) === 'same')
  const others = held.filter((signOn) => relation(signOn) !== 'same')
  // A seal is anybody's: it ends nobody's session before somebody has signed on for it.
  const replaces = launch.rung === 'sealed' && !own ? [] : others
  if (own && relation(own) === 'other')
    throw new Refusal('person_mismatch', 'the provider named another person than the launch')
  if (own && relation(own) === 'unknown')
    return { waiting: { for: 'person' }, signOn: own, replaces }
  if (own) return { signOn: today(parts, own), made: false, replaces }

  const vouched = same.find(
    (signOn) =>
      signOn.by === 'provider' &&
      meetsDemand(signOn, demand) &&
      (system.signOn === 'provider' || signOn.user.organization.odsCode === launch.organization),
  )
  if (vouched) return { signOn: today(parts, vouched), made: false, replaces }
  if (system.signOn === 'provider' || !isEmpty(demand))
    return {
      ...wait(demand, { for: 'sign-on', assurance: demand.assurance ?? 2 }),
      replaces: replaces.filter((signOn) => relation(signOn) === 'other'),
    }
  const made = byLaunch(parts, launch, browser, same)
  const outdated = same.filter((signOn) => made.made && isOwn(signOn, launch))
  return { ...made, replaces: [...others, ...outdated] }
}

const isEmpty = ({ since, assurance }: Demand): boolean =>
  since === undefined && assurance === undefined

/** How each of some sign-ons relates to the person whom a launch names. */
async function relationTo(
  parts: LaunchParts,
  launch: SystemLaunch,
  signOns: readonly SignOn[],
): Promise<(signOn: SignOn) => ReturnType<typeof samePerson>> {
  const byProvider = signOns.filter(({ by }) => by === 'provider')
  if (launch.user.sdsUserId !== undefined || byProvider.length === 0)
    return (signOn) => samePerson(launch, signOn, undefined)
  const ids = byProvider.map((signOn) => personId(launch, personOf(signOn.user, signOn.issuer)))
  const links = await parts.store.getAll(ids.map((id) => ({ kind: 'person' as const, id })))
  return (signOn) => samePerson(launch, signOn, links[byProvider.indexOf(signOn)]?.uid)
}

/**
 * Under which name a system's local user is remembered. A hint could name anybody's local user, so on the
 * sealed rung a link is one of a local user and a person together, and keeps nobody else out.
 */
export const personId = (launch: SystemLaunch, person: string): string =>
  hashOf(`${launch.system} ${launch.user.localId}${launch.rung === 'sealed' ? ` ${person}` : ''}`)
