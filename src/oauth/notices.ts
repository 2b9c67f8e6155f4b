/**
 * Tells apps that a sign-on is over: each that was opened under it and registered an address for that. What is
 * to be told lies in the store, so it outlives the node; whichever node claims a try makes it.
 *
 * @see OpenID Connect Back-Channel Logout 1.0 §2.5, §2.7
 */
import type { Registry } from '../access/registry.js'
import type { Trail } from '../audit/trail.js'
import type { Happening } from '../core/audit.js'
import type { Client } from '../core/client.js'
import { newId } from '../core/ids.js'
import {
  inTurn,
  isGivenUp,
  logoutClaims,
  NOTICE_LIFE,
  type Notice,
  putOff,
  tried,
} from '../core/notice.js'
import { after, type Clock, type EpochMs, type Random } from '../core/values.js'
import { type Outbound, OutboundFailure } from '../keys/outbound.js'
import type { Keys } from '../keys/signing.js'
import type { Opened, Sessions } from '../session/sessions.js'
import type { Put, Store } from '../store/store.js'

export interface Notices {
  /** Makes the tries whose time has come. To be called every second; calls may overlap. */
  turn(): Promise<void>
  /** Resolves once no call is under way. */
  idle(): Promise<void>
}

export interface NoticeParts {
  readonly issuer: string
  readonly store: Store
  readonly trail: Trail
  readonly clock: Clock
  readonly random: Random
  readonly keys: Pick<Keys, 'sign'>
  readonly registry: Registry
  readonly sessions: Pick<Sessions, 'opened'>
  /** Of their own: apps that do not answer must not keep others' keys from being fetched. */
  readonly outbound: Pick<Outbound, 'post'>
  /** Told of each notice that is given up because there are too many. */
  readonly dropped: () => void
}

/** Of a region with five sign-outs a second, six minutes of an app that does not answer. */
const MOST = 2_000
/** How many are given up in one go. */
const MOST_DROPPED = 100
/** How many notices a node tries at a time. */
const MOST_AT_ONCE = 20
/** Up to so many are read each time; more are read as much seldomer, so that reading costs the same. */
const READ_EACH_TIME = 200
const READ_REST: EpochMs = 5

interface Kept {
  readonly id: string
  readonly value: Notice
}

/** What is to be told, and no more of it than can be: the oldest is given up. */
function openReading(parts: NoticeParts) {
  const { store, clock } = parts
  let kept: readonly Kept[] = []
  let again: EpochMs = 0
  return {
    async read(): Promise<readonly Kept[]> {
      const now = clock()
      if (now < again) return kept
      const all = [...(await store.list('notice'))].sort((a, b) => a.value.at - b.value.at)
      const excess = Math.max(0, all.length - MOST)
      for (const one of all.slice(0, Math.min(excess, MOST_DROPPED))) await drop(parts, one)
      kept = all.slice(excess)
      again = kept.length > READ_EACH_TIME ? now + kept.length * READ_REST : 0
      return kept
    },
    /** Somebody has taken it: it is read again as that left it. */
    taken(id: string): void {
      kept = kept.filter((one) => one.id !== id)
    },
  }
}

async function drop(parts: NoticeParts, { id, value }: Kept): Promise<void> {
  const claims = [{ what: `notice/${id}/dropped`, until: after(parts.clock(), NOTICE_LIFE) }]
  if (!(await parts.store.commit({ claims, drops: [{ kind: 'notice', id }] }))) return
  parts.dropped()
  const detail = { why: 'too many apps are still to be told' }
  await parts.trail.record({
    ...{ what: 'app_notified', outcome: 'failure', signOn: value.signOn, detail },
  })
}

type Addressed = Client & { readonly backchannelLogoutUri: string }

const reasonOf = (error: unknown): string =>
  error instanceof OutboundFailure ? error.message : 'the logout token could not be made'

/** One call to one app. Answers why it did not hear it. §2.8: 200; some servers say 204. */
async function tell(
  { keys, outbound, clock, random, issuer }: NoticeParts,
  { signOn, subject }: Opened,
  app: Addressed,
): Promise<string | undefined> {
  try {
    const by = { issuer, jti: newId('lgt', random), now: clock() }
    const claims = logoutClaims({ signOn, subject, app: app.id }, by)
    const logout_token = await keys.sign(app.idTokenAlgorithm, 'logout+jwt', claims)
    const status = await outbound.post(app.backchannelLogoutUri, { logout_token })
    return status === 200 || status === 204 ? undefined : `status ${status}`
  } catch (error) {
    return reasonOf(error)
  }
}

const hasAddress = (app: Client): app is Addressed => app.backchannelLogoutUri !== undefined

/** Calls every app that was opened and has not been told. */
async function tellAll(
  parts: NoticeParts,
  apps: readonly Addressed[],
  { signOn, told, tries }: Notice,
) {
  const left = apps.filter(({ id }) => !told.includes(id))
  const opened = await parts.sessions.opened(
    [{ id: signOn }],
    left.map(({ id }) => id),
  )
  const calls = opened.flatMap((one) => {
    const app = left.find(({ id }) => id === one.app)
    return app ? [tell(parts, one, app).then((why) => ({ ...one, why }))] : []
  })
  const answers = await Promise.all(calls)
  const record = answers.map(
    ({ app, subject, why }): Happening => ({
      what: 'app_notified',
      outcome: why === undefined ? 'success' : 'failure',
      ...{ app, signOn, user: { id: subject } },
      detail: { try: tries, ...(why === undefined ? {} : { why }) },
    }),
  )
  const heard = answers.filter(({ why }) => why === undefined).map(({ app }) => app)
  return { record, heard, whole: heard.length === answers.length }
}

export function createNotices(parts: NoticeParts): Notices {
  const { store, trail, clock } = parts
  const { read, taken } = openReading(parts)
  const busy = new Set<Promise<void>>()

  async function attempt({ id, value }: Kept, apps: readonly Addressed[]): Promise<void> {
    const until = after(value.at, NOTICE_LIFE)
    const put = (notice: Notice): Put => ({ kind: 'notice', id, value: notice, until })
    const now = tried(value, clock())
    taken(id)
    // Before the calls are made: this node may never come back from them.
    const claims = [{ what: `notice/${id}/${value.tries}`, until }]
    if (!(await store.commit({ claims, puts: [put(now)] }))) return
    const { record, heard, whole } = await tellAll(parts, apps, now)
    const over = whole || isGivenUp(now)
    await trail.commit({
      record,
      ...(over
        ? { drops: [{ kind: 'notice' as const, id }] }
        : { puts: [put(putOff(now, heard, clock()))] }),
    })
  }

  return {
    async turn() {
      const now = clock()
      const due = (await read()).filter(({ value }) => value.due <= now)
      const chosen = due
        .sort((a, b) => inTurn(a.value, b.value))
        .slice(0, Math.max(0, MOST_AT_ONCE - busy.size))
      if (chosen.length === 0) return
      const apps = (await parts.registry.clients()).filter(hasAddress)
      await Promise.all(
        chosen.map((one) => {
          const trying = attempt(one, apps)
          const done = trying.finally(() => busy.delete(done))
          busy.add(done)
          return done
        }),
      )
    },
    async idle() {
      await Promise.allSettled([...busy])
    },
  }
}
