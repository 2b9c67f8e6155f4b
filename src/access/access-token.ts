/**
 * Whether an access token of ours stands: its signature and times, then, asked of the store at each use, everything
 * that it hangs on. Calls to the record, introspection, revocation and exchange all judge by this one answer.
 */
import type { Access, ServiceAccess } from '../core/access.js'
import type { Client } from '../core/client.js'
import type { KnownUser, KnowUser } from '../core/context.js'
import { type Grant, grantUnder } from '../core/grant.js'
import type { LaunchId } from '../core/ids.js'
import { endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { readScopes } from '../core/scope.js'
import { type AccessClaims, actorsOf } from '../core/token.js'
import type { Clock, EpochMs } from '../core/values.js'
import type { Keys } from '../keys/signing.js'
import { hangingOfVersion, isOver } from '../session/ends.js'
import type { Behind, Sessions } from '../session/sessions.js'
import { readAhead } from '../store/ahead.js'
import type { Ask, Store } from '../store/store.js'
import { rememberJudged } from './judged.js'
import type { Registry } from './registry.js'

interface Parts {
  readonly store: Store
  readonly registry: Registry
  readonly keys: Keys
  readonly sessions: Sessions
  readonly clock: Clock
  readonly policies: { version(): number }
  readonly knowUser: KnowUser
}

type Reads = Pick<Store, 'get' | 'getAll'>

interface Standing {
  readonly claims: AccessClaims
  /** Whose token it is: the app, or the back end that exchanged for it. */
  readonly client: Client
}
/** A grant of a launch as today's role map has it, and who stands behind it now. */
export interface StandingGrant {
  readonly grant: Grant
  readonly user: KnownUser
  readonly behind: Behind
}
export type UserToken = Access & Standing & StandingGrant
export type ServiceToken = ServiceAccess & Standing
export type LiveToken = UserToken | ServiceToken

export const isService = (token: LiveToken): token is ServiceToken => 'service' in token

export interface AccessTokens {
  /** The claims of a token that we signed and whose time has come and not gone. @throws Refusal token_invalid, token_expired */
  prove(token: string): Promise<AccessClaims>
  /** What it stands for. @throws Refusal token_ended when any of that is over */
  stand(claims: AccessClaims): Promise<LiveToken>
  /** The grant of a launch, for its refresh token. @throws Refusal token_ended when any of that is over */
  standingGrant(launch: LaunchId): Promise<StandingGrant>
}

const REMEMBERED = 5_000

/**
 * Signatures that were right once stay right, until our keys change: one of them may not be trusted any more. A
 * token's claims are remembered until then, by the token itself: whoever can read this memory has the keys that sign it.
 */
function rememberProofs(keys: Keys, clock: Clock) {
  const proven = new Map<string, AccessClaims>()
  let revision = keys.revision
  return async (token: string): Promise<AccessClaims> => {
    const began = keys.revision
    if (began !== revision) proven.clear()
    revision = began
    const known = proven.get(token)
    if (known) return known
    const payload = await keys.verify(token, 'at+jwt', clock()).catch((cause: unknown) => {
      const expired = (cause as { code?: string }).code === 'ERR_JWT_EXPIRED'
      throw new Refusal(expired ? 'token_expired' : 'token_invalid', 'signature or claims', {
        cause,
      })
    })
    const claims = payload as unknown as AccessClaims
    // Proven under keys that have changed meanwhile: good for this call, and proven anew at the next.
    if (keys.revision !== began) return claims
    if (proven.size >= REMEMBERED) proven.delete(proven.keys().next().value ?? '')
    proven.set(token, claims)
    return claims
  }
}

/** @throws Refusal token_expired */
export function requireCurrent({ exp }: AccessClaims, now: EpochMs): void {
  if (typeof exp !== 'number' || exp * 1000 <= now) throw new Refusal('token_expired', 'exp')
}

const ended = (detail: string) => new Refusal('token_ended', detail)

/**
 * What an exchanged token hangs on besides its grant: those who exchanged, and the tokens that were exchanged.
 * @throws Refusal token_ended
 */
async function requireChain(
  registry: Registry,
  from: Reads,
  { act, jti, exchanged_from = [] }: AccessClaims,
  grant: Grant,
): Promise<void> {
  const actors = actorsOf(act)
  if (actors.length === 0) return
  for (const actor of actors)
    if (!(await registry.client(actor))) throw ended('a back end is not registered any more')
  const tokens = [jti, ...exchanged_from].map(
    (id): Ask => ({ kind: 'ended', id: endOf('token', id) }),
  )
  const apps = [...actors, grant.client].map(
    (app): Ask => ({ kind: 'ended', id: endOf('app', app) }),
  )
  const ends = (await from.getAll([...tokens, ...apps])) as ({ at: EpochMs } | undefined)[]
  // A token's end is for good, whatever the clock said of the node that told it.
  const over = (end: { at: EpochMs } | undefined, i: number) =>
    end !== undefined && (i < tokens.length || end.at >= grant.since)
  if (ends.some(over)) throw ended('what it was exchanged by or from is over')
}

async function standAlone(clock: Clock, from: Reads, claims: AccessClaims, client: Client) {
  const service = await from.get('service', claims.launch)
  // Each has one token, which says that it is the client's own.
  const own = service?.token === claims.jti && service.client === client.id
  if (!service || !own || service.until <= clock()) throw ended('the grant is over')
  const version = hangingOfVersion(service)
  const [end] = await from.getAll([version.end])
  if (isOver([version], [end])) throw ended('the policies that it was given under were taken back')
  return { service }
}

/**
 * Who stands behind a grant now, and the grant as today's role map has it.
 * @returns `undefined` where its session, launch, app or system was ended, or its policy version taken back
 */
export async function standingOf(
  { sessions, policies, knowUser }: Pick<Parts, 'sessions' | 'policies' | 'knowUser'>,
  grant: Grant,
  from?: Reads,
): Promise<StandingGrant | undefined> {
  const behind = await sessions.behind(grant, from)
  if (!behind) return undefined
  const { user } = behind
  return { grant: grantUnder(grant, policies.version(), user, knowUser), user, behind }
}

/** @throws Refusal token_ended */
async function standInLaunch(parts: Parts, grant: Grant, from?: Reads) {
  const { registry } = parts
  if (grant.until <= parts.clock()) throw ended('the grant is over')
  const system = await registry.system(grant.circumstances.launch.system)
  if (!system || !(await registry.client(grant.client)))
    throw ended('its system or app is not registered any more')
  const standing = await standingOf(parts, grant, from)
  if (!standing)
    throw ended('its session, launch, app or system was ended, or its policy version taken back')
  return { ...standing, system }
}

/** @see RFC 6750; RFC 9068 §4 */
export function openAccessTokens(parts: Parts): AccessTokens {
  const { store, registry, keys, clock } = parts
  const proof = rememberProofs(keys, clock)
  const judged = rememberJudged<UserToken>(parts)
  return {
    async prove(token) {
      const claims = await proof(token)
      requireCurrent(claims, clock())
      return claims
    },
    async stand(claims) {
      const launch = String(claims.launch) as LaunchId
      const app = String(claims.client_id)
      const from = await readAhead(parts, judged.asksOf(claims))
      const before = await judged.again(claims, from)
      if (before) return before
      const [grant, launchEnd, appEnd] = await from.getAll([
        { kind: 'grant', id: launch },
        { kind: 'ended', id: endOf('launch', launch) },
        { kind: 'ended', id: endOf('app', app) },
      ])
      const since = grant?.since ?? claims.iat * 1000
      if (launchEnd !== undefined || (appEnd && appEnd.at >= since))
        throw ended('the grant is over')
      const client = await registry.client(app)
      if (!client) throw ended('its app is not registered any more')
      const about = {
        ...{ token: claims.jti, claims, client },
        ...{ scopes: readScopes(String(claims.scope)), audience: [claims.aud ?? []].flat() },
      }
      if (!grant)
        return { ...about, ...(await standAlone(clock, from, { ...claims, launch }, client)) }
      await requireChain(registry, from, claims, grant)
      const { system, ...standing } = await standInLaunch(parts, grant, from)
      const live = { ...about, ...standing }
      if (claims.act !== undefined) return { ...live, actor: claims.act.sub }
      if (grant.client === client.id) judged.keep(claims, from, live, system)
      return live
    },
    async standingGrant(launch) {
      const grant = await store.get('grant', launch)
      if (!grant) throw ended('the grant is over')
      return standInLaunch(parts, grant)
    },
  }
}
