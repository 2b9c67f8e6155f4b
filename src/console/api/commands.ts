/** Who acts by a command: a bearer of its own, in the Authorization header and nowhere else, that hangs on its member's session. */
import type { Request } from 'express'
import {
  COMMAND_IDLE,
  type CommandAccess,
  type LiveCommand,
  type Vouching,
} from '../../core/console-command.js'
import { hashOf, newId, newSecret } from '../../core/ids.js'
import { endOf } from '../../core/records.js'
import { Refusal } from '../../core/refusal.js'
import { after } from '../../core/values.js'
import type { Hanging } from '../../session/ends.js'
import type { Put } from '../../store/store.js'
import { liveSession } from '../members.js'
import type { ConsoleParts } from '../parts.js'

type Parts = Pick<ConsoleParts, 'store' | 'clock'>

/** How far the idle end may lag behind the last use, in milliseconds: it bounds writes. */
const TOUCH_EVERY = 60_000

const put = (id: string, access: CommandAccess): Put => ({
  ...{ kind: 'command', id, value: access, until: access.until },
})

/** A new bearer for a member's session, and the record by which it is known. */
export function newCommand(
  { clock, random }: Pick<ConsoleParts, 'clock' | 'random'>,
  by: Vouching,
  { client, until }: { readonly client: string; readonly until: number },
) {
  const bearer = newSecret('cmd', random)
  const since = clock()
  const idleUntil = Math.min(until, after(since, COMMAND_IDLE))
  const id = newId('tok', random)
  return { bearer, puts: [put(hashOf(bearer), { id, by, client, since, until, idleUntil })] }
}

const ownEnd = ({ id, since }: CommandAccess): Hanging => ({
  ...{ end: { kind: 'ended', id: endOf('token', id) }, began: since },
})

/** One scheme and one token: a command sends nothing else. @see RFC 6750 §2.1 */
const bearerIn = (req: Request): string | undefined =>
  /^Bearer (cmd_[\w-]{32})$/i.exec(req.get('authorization') ?? '')?.[1]

/** @throws Refusal command_signed_out, whatever is the matter with it */
export async function commandOf(parts: Parts, req: Request): Promise<LiveCommand> {
  const bearer = bearerIn(req)
  const over = (why: string) => new Refusal('command_signed_out', why)
  if (bearer === undefined) throw over('no bearer')
  const access = await parts.store.get('command', hashOf(bearer))
  const now = parts.clock()
  if (!access || now >= access.until || now >= access.idleUntil) throw over('none that lives')
  const session = await liveSession(parts, access.by.key, [ownEnd(access)])
  if (session?.id !== access.by.signOn) throw over('its session is over')
  return { access, session }
}

/** Moves the idle end on. A store that fails now only lets it end sooner. */
export async function touchCommand(
  { store, clock }: Parts,
  req: Request,
  access: CommandAccess,
): Promise<void> {
  const idleUntil = Math.min(access.until, after(clock(), COMMAND_IDLE))
  const bearer = bearerIn(req)
  if (bearer === undefined || idleUntil - access.idleUntil < TOUCH_EVERY) return
  await store.commit({ puts: [put(hashOf(bearer), { ...access, idleUntil })] }).catch(() => false)
}

/** What ends a command at its next request: a marker, so that no {@link touchCommand} can bring it back. */
export const commandEnd = ({ clock }: Pick<Parts, 'clock'>, access: CommandAccess): Put => ({
  ...{ kind: 'ended', id: endOf('token', access.id), value: { at: clock() } },
  until: access.until,
})
