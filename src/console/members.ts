/** Who of the security team is signed in: found by the console's cookie, moved on by use, ended by markers. */
import type { Request } from 'express'
import type { Happening } from '../core/audit.js'
import type { ConsoleSession } from '../core/console.js'
import { hashOf } from '../core/ids.js'
import { endOf } from '../core/records.js'
import { after } from '../core/values.js'
import { type Hanging, hangingOfMember, isOver } from '../session/ends.js'
import type { Put } from '../store/store.js'
import { sessionCookie } from './cookie.js'
import type { ConsoleParts } from './parts.js'

/** How far the idle end may lag behind the last use, in milliseconds: it bounds writes to one a minute. */
const TOUCH_EVERY = 60_000

/** A live session, with the secret of its cookie: what its forms are bound to. */
export interface Presence {
  readonly session: ConsoleSession
  readonly secret: string
}

export const sessionPut = (secret: string, session: ConsoleSession): Put => ({
  ...{ kind: 'consoleSession', id: hashOf(secret), value: session, until: session.until },
})

/**
 * The session of a cookie's hash. Nobody, when it ran out, was ended, or its user was signed out at the provider.
 *
 * @param more that ends whoever acts by it
 */
export async function liveSession(
  { store, clock }: Pick<ConsoleParts, 'store' | 'clock'>,
  key: string,
  more: readonly Hanging[] = [],
): Promise<ConsoleSession | undefined> {
  const session = await store.get('consoleSession', key)
  const now = clock()
  if (!session || now >= session.until || now >= session.idleUntil) return undefined
  const hanging = [...hangingOfMember(session), ...more]
  const ends = await store.getAll(hanging.map(({ end }) => end))
  return isOver(hanging, ends) ? undefined : session
}

export async function presenceOf(
  parts: Pick<ConsoleParts, 'store' | 'clock'>,
  req: Request,
): Promise<Presence | undefined> {
  const secret = sessionCookie(req)
  if (secret === undefined) return undefined
  const session = await liveSession(parts, hashOf(secret))
  return session && { session, secret }
}

/** Moves the idle end on. A store that fails now only lets the session end sooner. */
export async function touch(
  { store, clock, lifetimes }: Pick<ConsoleParts, 'store' | 'clock' | 'lifetimes'>,
  { session, secret }: Presence,
): Promise<void> {
  const idleUntil = Math.min(session.until, after(clock(), lifetimes.session_idle))
  if (idleUntil - session.idleUntil < TOUCH_EVERY) return
  await store.commit({ puts: [sessionPut(secret, { ...session, idleUntil })] }).catch(() => false)
}

/** What ends a session, on every node at the next request: a marker, so that no {@link touch} can bring it back. */
export const memberEnd = (
  { clock, lifetimes }: Pick<ConsoleParts, 'clock' | 'lifetimes'>,
  { id }: Pick<ConsoleSession, 'id'>,
): Put => ({
  ...{ kind: 'ended', id: endOf('signOn', id), value: { at: clock() } },
  until: after(clock(), lifetimes.session),
})

/** Whom an entry of the trail is about: the person, by the provider's number, with the duties of today. */
export const aboutMember = (
  { id, member }: ConsoleSession,
  duties: readonly string[] = [],
): Pick<Happening, 'signOn' | 'user'> => ({
  signOn: id,
  user: { id: member.uid, name: member.name, ...(duties.length > 0 ? { roles: duties } : {}) },
})
