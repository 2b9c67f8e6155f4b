import { covers, reachesData } from '../../core/authorization.js'
import type { Client } from '../../core/client.js'
import { profileOf } from '../../core/client-profile.js'
import type { Confirmation, Grant } from '../../core/grant.js'
import { familyOf, isSecret, type LaunchId, launchOfSecret } from '../../core/ids.js'
import { endOf } from '../../core/records.js'
import { Refusal } from '../../core/refusal.js'
import { readScope } from '../../core/scope.js'
import { after, type Seconds } from '../../core/values.js'
import type { OAuthParts } from '../parts.js'
import { judgedAnew, standingNow } from './anew.js'
import { renewedScopes } from './code.js'
import { boundTo, type GrantType, grantFacts, issue, type TokenCall } from './issue.js'

/**
 * How long the token that was replaced last still works. The app may not have heard our answer, and two of its
 * windows may have asked at once: neither is theft.
 */
const GRACE: Seconds = 60
/** A rotation that was begun and not seen through may be begun again after this. */
const UNDER_WAY: Seconds = 10

async function grantOf(parts: OAuthParts, refresh: string): Promise<Grant | undefined> {
  const launch = launchOfSecret('rft', refresh)
  return launch && (await parts.store.get('grant', launch))
}

/**
 * The scopes of a refresh: those that were granted, or fewer, or with fewer letters, as far as the
 * registration and the policies allow them today. What cannot be read was never granted.
 *
 * @throws Refusal scope_exceeded, refresh_ended when nothing is left, or none of the data
 */
function scopesNow(
  parts: OAuthParts,
  grant: Grant,
  client: Client,
  asked: string | undefined,
): readonly string[] {
  const words = asked?.split(' ').filter((word) => word !== '') ?? grant.scopes
  const within = (word: string): boolean => {
    const scope = readScope(word)
    return grant.scopes.includes(word) || (scope !== undefined && covers(grant.scopes, scope))
  }
  if (words.length === 0 || !words.every(within)) throw new Refusal('scope_exceeded', 'scope')
  const scopes = renewedScopes(parts, grant, client, words)
  if (scopes.length === 0 || (reachesData(words) && !reachesData(scopes)))
    throw new Refusal('refresh_ended', 'nothing of it, or no data, is allowed today')
  return scopes
}

type Held = NonNullable<Grant['refresh']>

/** Which of a grant's refresh tokens was shown; to introspect or revoke one is not to use it. One that was replaced long ago is an alarm: two parties hold it. */
export function standingOf(
  refresh: string,
  held: Held,
  now: number,
): 'current' | 'late' | 'old' | 'foreign' {
  if (isSecret(refresh, held.hash)) return 'current'
  if (!isSecret(familyOf(refresh), held.family)) return 'foreign'
  const { previous } = held
  const late = previous && isSecret(refresh, previous.hash) && now < previous.at + GRACE * 1000
  return late ? 'late' : 'old'
}

/** The grant of the token that was shown, this app's and not ended. @throws Refusal refresh_* */
async function heldGrant(parts: OAuthParts, { client, sent, learn }: TokenCall) {
  const refresh = sent.get('refresh_token') ?? ''
  const grant = await grantOf(parts, refresh)
  if (!grant?.refresh) throw new Refusal('refresh_invalid', 'unknown')
  const standing = standingOf(refresh, grant.refresh, parts.clock())
  // A made-up one ends nothing, and says nothing of whom it names: a launch's name is no secret.
  if (standing === 'foreign') throw new Refusal('refresh_invalid', 'not this grant’s')
  learn(grantFacts(grant))
  if (grant.client !== client.id) throw new Refusal('refresh_invalid', 'another client')
  const [ended, appEnd] = await parts.store.getAll([
    { kind: 'ended', id: endOf('launch', grant.launch) },
    { kind: 'ended', id: endOf('app', grant.client) },
  ])
  if (ended) throw new Refusal('refresh_ended', 'the launch was ended')
  // Another app may bear the name of one that was taken away.
  if (appEnd && appEnd.at >= grant.since) throw new Refusal('refresh_ended', 'the app was ended')
  if (standing === 'old') return spentTwice(parts, grant.launch)
  return { refresh, grant, held: grant.refresh, standing }
}

/**
 * A bound grant stays bound: by the same key for an app that cannot authenticate, by any that it proves for one that can.
 *
 * @throws Refusal refresh_other_key
 * @see RFC 9449 §5; RFC 8705 §4
 */
function requireKey({ cnf }: Grant, client: Client, shown: Confirmation | undefined): void {
  if (cnf === undefined) return
  if (shown === undefined) throw new Refusal('refresh_other_key', 'no proof')
  const same = shown.jkt === cnf.jkt && shown['x5t#S256'] === cnf['x5t#S256']
  if (client.type === 'public' && !same) throw new Refusal('refresh_other_key', 'another key')
}

/**
 * grant_type=refresh_token: works while the session does, or without it for `offline_access`, and is replaced at
 * each use. One that was replaced a moment ago works once more, because its answer may have been lost; one that was
 * replaced before that ends the grant, because two parties hold it.
 *
 * @throws Refusal refresh_invalid, refresh_spent, refresh_other_key, refresh_ended, scope_exceeded, policy_stale
 * @see RFC 6749 §6; RFC 9700 §4.14.2; SMART App Launch 2.2, "Refresh access token"
 */
export const refreshGrant: GrantType = {
  async nameClient(sent, parts) {
    if (sent.has('client_id') || sent.has('client_assertion')) return sent
    const grant = await grantOf(parts, sent.get('refresh_token') ?? '')
    return grant ? new Map([...sent, ['client_id', grant.client]]) : sent
  },
  async redeem(parts, call) {
    const { client, sent, cnf } = call
    const { refresh, grant, held, standing } = await heldGrant(parts, call)
    requireKey(grant, client, cnf)
    const { offlineLifetime = Number.POSITIVE_INFINITY } = client
    if (grant.offline && parts.clock() >= after(grant.since, offlineLifetime))
      throw new Refusal('refresh_ended', 'its app’s grants do not live as long')
    // Nobody who is not signed on any more has the records asked.
    await standingNow(parts, grant, 'refresh_ended')
    if (!(await parts.registry.system(grant.circumstances.launch.system)))
      throw new Refusal('refresh_ended', 'its launch system is not registered any more')
    if (!parts.policies.mayIssue())
      throw new Refusal('policy_stale', 'the policy version is not known')
    const { grant: renewed, behind } = await judgedAnew(parts, grant, 'refresh_ended')
    const scopes = scopesNow(parts, renewed, client, sent.get('scope'))

    if (
      profileOf(client).rotates &&
      standing === 'current' &&
      (await overtaken(parts, grant, refresh))
    )
      return refreshGrant.redeem(parts, call)
    const late = standing === 'late'
    const shown = { token: refresh, late }
    const how = { by: 'refresh_token', client, behind, scopes, shown }
    if (behind.signOn) await parts.sessions.touch(behind.signOn)
    // The successor is the same for all who ask with one token, so a race makes no second family: who loses it
    // is answered as late.
    const until = parts.clock() + UNDER_WAY * 1000
    const once = { what: `refresh/${grant.launch}/${held.generation}`, until }
    const rotates = profileOf(client).rotates && !late
    return (
      (await issue(parts, boundTo(renewed, cnf), rotates ? { ...how, once } : how)) ??
      again(parts, call, held)
    )
  },
}

/**
 * Whether somebody was quicker with the same token while this call waited for the record: for longer, it may be, than
 * the claim on its rotation lasts. It then comes late; after two rotations it has nothing to say that would still hold.
 *
 * @throws Refusal refresh_under_way: its app holds a newer token by now, and this is no sign that two parties hold one
 */
async function overtaken(parts: OAuthParts, before: Grant, refresh: string): Promise<boolean> {
  const now = (await parts.store.get('grant', before.launch))?.refresh
  if (now === undefined || now.generation === before.refresh?.generation) return false
  if (standingOf(refresh, now, parts.clock()) === 'late') return true
  throw new Refusal('refresh_under_way', 'overtaken twice')
}

/** Somebody was quicker with the same token: once that is done, this call comes late and is answered as well. */
async function again(parts: OAuthParts, call: TokenCall, { generation }: Held): Promise<object> {
  const { held } = await heldGrant(parts, call)
  if (held.generation === generation) throw new Refusal('refresh_under_way', 'not yet durable')
  return refreshGrant.redeem(parts, call)
}

async function spentTwice(parts: OAuthParts, launch: LaunchId): Promise<never> {
  await parts.sessions.endLaunch(launch, 'a refresh token was used twice')
  throw new Refusal('refresh_spent', 'second use: the grant was ended')
}
