/** Who asks too often: counted by the rows of core/rates.ts, where it becomes known who asks. */
import type { Request, RequestHandler } from 'express'
import type { Access, ServiceAccess } from '../core/access.js'
import type { Happening } from '../core/audit.js'
import type { Client } from '../core/client.js'
import type { BirthDate, KnownPatient, NamedUser, NhsNumber } from '../core/context.js'
import {
  type Caller,
  type Excess,
  keyOf,
  LIMIT_NAMES,
  LIMITS,
  type LimitName,
  limitOf,
  networkOf,
  type OwnLimitName,
  type Rates,
  type SharedLimitName,
  TooMany,
} from '../core/rates.js'
import type { Refusal } from '../core/refusal.js'
import type { Clock } from '../core/values.js'
import { type Count, consume, countHere, Limiter, OwnLimiter } from './limiter.js'
import { openTries } from './tries.js'

/** In whose name a patient is looked for: the launch, with the user who really sits there. */
export interface Seeker {
  readonly system: string
  readonly organization: string
  readonly user: NamedUser
}
export type FindPatient = (
  nhsNumber: NhsNumber,
  birthDate: BirthDate,
  seeker: Seeker,
) => Promise<KnownPatient>

export interface RateLimits {
  /** Counts a request on its address. @throws Refusal rate_limited */
  readonly flood: RequestHandler
  /** Counts calls on the user whose token was proven, or on the service. @throws Refusal rate_limited */
  calls<A extends readonly unknown[], T extends Access | ServiceAccess>(
    callers: (...call: A) => Promise<T>,
  ): (...call: A) => Promise<T>
  /** Counts what else one call asks for, a bundle's entries or what a write refers to, before any of it. @throws Refusal rate_limited */
  again(access: Access, times: number): void
  /** Counts requests on the app that has proven itself. @throws Refusal rate_limited */
  clients<A extends readonly unknown[]>(
    authenticate: (...sent: A) => Promise<Client>,
  ): (...sent: A) => Promise<Client>
  /** Counts broken glasses on who broke them, wherever they did. @throws Refusal rate_limited */
  emergency(uid: string): Promise<void>
  /** Counts codes of commands on who typed them, right or wrong. @throws Refusal rate_limited */
  devices(uid: string): Promise<void>
  /** Counts commands that want to sign in on their address. @throws Refusal rate_limited */
  commands(handler: RequestHandler): RequestHandler
  /** Counts registrations of apps on their address. @throws Refusal rate_limited */
  registrations(handler: RequestHandler): RequestHandler
  /** Counts launches, and birth dates that were wrong. @throws Refusal rate_limited */
  seeking(
    find: (
      nhsNumber: NhsNumber,
      birthDate: BirthDate,
      organization: string,
    ) => Promise<KnownPatient>,
  ): FindPatient
  /**
   * The refusal with which a refused request is answered: itself, or the limit that it was one too many for.
   * @param about what the request had learned
   */
  refused(req: Request, about: Partial<Happening>, refusal: Refusal): Promise<Refusal>
}

interface Parts {
  readonly rates: Rates
  readonly store: { count: Count }
  readonly clock: Clock
  /** Told of each request that was turned away. */
  readonly limited: (limit: LimitName) => void
  /** Told when the store could not count. */
  readonly failed: (error: unknown) => void
}

const addressOf = (req: Request): string => networkOf(req.ip ?? '')

/** What needs to be known of a caller who has proven who they are: no address. */
const PROVEN = { address: '' }

/**
 * A store that fails stops nobody: this node then counts for itself. Nothing else fails open with it, for
 * a limit lets nobody in.
 */
function countOn({ store, clock, failed }: Parts): Count {
  const here = countHere(clock)
  return (what, until) =>
    store.count(what, until).catch((error: unknown) => {
      failed(error)
      return here(what, until)
    })
}

interface Limiters {
  readonly own: ReadonlyMap<LimitName, OwnLimiter>
  readonly shared: ReadonlyMap<LimitName, Limiter>
}

function openLimiters(parts: Parts): Limiters {
  const { rates, clock } = parts
  const count = countOn(parts)
  const own = new Map<LimitName, OwnLimiter>()
  const shared = new Map<LimitName, Limiter>()
  for (const name of LIMIT_NAMES) {
    const points = rates[name]
    if (points === 'off') continue
    if (LIMITS[name].counts === 'asked') own.set(name, new OwnLimiter({ name, points, clock }))
    else shared.set(name, new Limiter({ name, points, count, clock }))
  }
  return { own, shared }
}

export function createRateLimits(parts: Parts): RateLimits {
  const { clock, limited } = parts
  const { own, shared } = openLimiters(parts)

  function tooMany(excess: Excess): TooMany {
    limited(excess.limit)
    return new TooMany(excess, clock())
  }
  function admitKey(limit: OwnLimitName, key: string | undefined): void {
    const window = key === undefined ? undefined : own.get(limit)?.consume(key)
    if (window && key !== undefined) throw tooMany({ limit, key, window })
  }
  const admit = (limit: OwnLimitName, caller: Caller) => admitKey(limit, keyOf(limit, caller))
  const again: RateLimits['again'] = (access, times) => {
    for (let time = 0; time < times; time++) admitKey('calls', callerOf(access))
  }
  async function count(limit: LimitName, caller: Caller): Promise<Excess | undefined> {
    const [limiter, key] = [shared.get(limit), keyOf(limit, caller)]
    if (!limiter || key === undefined) return undefined
    const window = await consume(limiter, key)
    return window && { limit, key, window }
  }
  async function admitDone(limit: SharedLimitName, caller: Caller): Promise<void> {
    const excess = await count(limit, caller)
    if (excess) throw tooMany(excess)
  }

  const onAddress =
    (limit: OwnLimitName) =>
    (handler: RequestHandler): RequestHandler =>
    async (req, res, next) => {
      admit(limit, { address: addressOf(req) })
      await handler(req, res, next)
    }

  return {
    flood(req, _res, next) {
      admit('flood', { address: addressOf(req) })
      next()
    },
    emergency: (uid) => admitDone('emergencies', { ...PROVEN, user: uid }),
    devices: (uid) => admitDone('devices', { ...PROVEN, user: uid }),
    commands: onAddress('commands'),
    registrations: onAddress('registrations'),
    again,
    ...guards(admit, again, openTries(shared, clock, tooMany)),
    async refused(req, { system, user }, refusal) {
      const limit = limitOf(refusal.code)
      if (!limit) return refusal
      const known = { system, organization: user?.organization, user: user?.id }
      const excess = await count(limit, { address: addressOf(req), ...known })
      return excess ? tooMany({ ...excess, instead: refusal.code }) : refusal
    },
  }
}

const counted = new WeakMap<Access, string | undefined>()

/** On what calls of an access count: once for all of them. */
function callerOf(access: Access): string | undefined {
  const before = counted.get(access)
  if (before !== undefined) return before
  const { system } = access.grant.circumstances.launch
  const organization = access.user.organization.odsCode
  const user = access.grant.subject
  const key = keyOf('calls', { ...PROVEN, system, organization, user })
  counted.set(access, key)
  return key
}

/** Around the steps at which it becomes known who asks. */
function guards(
  admit: (limit: OwnLimitName, caller: Caller) => void,
  again: RateLimits['again'],
  tries: ReturnType<typeof openTries>,
): Pick<RateLimits, 'calls' | 'clients' | 'seeking'> {
  return {
    calls:
      (callers) =>
      async (...call) => {
        const live = await callers(...call)
        if ('service' in live) admit('apps', { ...PROVEN, app: live.service.client })
        else again(live, 1)
        return live
      },
    clients:
      (authenticate) =>
      async (...sent) => {
        const client = await authenticate(...sent)
        // A public app proves nothing: its name is anybody's to use up.
        if (client.type !== 'public') admit('apps', { ...PROVEN, app: client.id })
        return client
      },
    seeking: (find) => async (nhsNumber, birthDate, seeker) => {
      const { system, organization, user } = seeker
      const caller = { ...PROVEN, system, organization, user: user.sdsUserId ?? user.localId }
      admit('launches', caller)
      return tries({ ...caller, patient: nhsNumber }, () =>
        find(nhsNumber, birthDate, organization),
      )
    },
  }
}
