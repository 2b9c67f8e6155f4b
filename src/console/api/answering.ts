/** What every call of the console's API goes through: command, duty, body, work, trail, answer. The pages' own guard and functions. */
import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { LiveCommand } from '../../core/console-command.js'
import { parameterFault, Refusal } from '../../core/refusal.js'
import { journeyOf, learn } from '../../http/journey.js'
import { jsonBodyOf } from '../../http/json-body.js'
import { parameters } from '../../http/parameters.js'
import { Unfit } from '../../policy/draft-gates.js'
import type { Finding } from '../../policy/findings.js'
import { WalkStopped } from '../../policy/walks.js'
import { type Needs, requireDuty } from '../guard.js'
import { aboutMember } from '../members.js'
import { entryOf, type Facts, type Visit, visitOf } from '../page.js'
import type { ConsoleParts } from '../parts.js'
import { commandOf, touchCommand } from './commands.js'

export type ApiVerb = 'get' | 'post' | 'put' | 'delete'

/** `recorded`: the entry stands in the act's own commit. */
export interface ApiAnswer {
  readonly json: unknown
  readonly status?: number
  readonly about?: Facts
  readonly recorded?: true
}

export interface ApiVisit extends Visit {
  readonly command: LiveCommand
  /** What was sent, as this endpoint takes it. @throws Refusal parameter_invalid, parameter_missing */
  read<T>(schema: z.ZodType<T>): T
}

/** One row of the API's table. */
export interface ApiRow extends Needs {
  readonly verb: ApiVerb
  readonly path: string
  readonly answer: (visit: ApiVisit) => Promise<ApiAnswer>
}

/** A draft's files in JSON: more than a draft may hold, less than a server would mind. */
const readBody = jsonBodyOf(5 * 1_048_576)

/**
 * Reads a body as one endpoint takes it. A member that is not known is refused: it could be one that somebody relies on.
 * One that stands in the address as well must say the same.
 */
export function readAs<T>(
  body: unknown,
  schema: z.ZodType<T>,
  params: Readonly<Record<string, string>> = {},
): T {
  const given = z.record(z.string(), z.unknown()).safeParse(body)
  if (!given.success) throw new Refusal('body_unreadable', 'not an object')
  const rest = { ...given.data }
  for (const [name, value] of Object.entries(params)) {
    if (!Object.hasOwn(rest, name)) continue
    if (String(rest[name]) !== value) throw parameterFault('parameter_invalid', name)
    delete rest[name]
  }
  const read = schema.safeParse(rest)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const name = String(
    issue?.path[0] ?? (issue?.code === 'unrecognized_keys' && 'an unknown member'),
  )
  throw parameterFault(
    issue?.code === 'unrecognized_keys' || Object.hasOwn(rest, name)
      ? 'parameter_invalid'
      : 'parameter_missing',
    name.slice(0, 60),
  )
}

/** Something that is worked out: 202 until it is found. */
export function found<T>(
  finding: Finding<T>,
  told: (value: T) => unknown,
  about: Facts = {},
): ApiAnswer {
  if (finding.state === 'under way') return { json: finding, status: 202, about }
  if (finding.state === 'failed') return { json: finding, status: 503, about }
  return { json: { state: 'found', found: told(finding.value) }, about }
}

/** What a refusal says beside its text: its code, and all that is wrong with the policies. */
function telling(res: Response, error: unknown): unknown {
  const stopped = error instanceof WalkStopped
  const refusal = stopped ? new Refusal('check_unfinished', error.why, { cause: error }) : error
  if (!(refusal instanceof Refusal)) return refusal
  journeyOf(res).members = {
    code: refusal.code,
    ...(refusal instanceof Unfit ? { problems: refusal.problems.slice(0, 200) } : {}),
  }
  return refusal
}

async function enter(
  parts: ConsoleParts,
  row: ApiRow,
  { req, res, command }: { req: Request; res: Response; command: LiveCommand },
): Promise<void> {
  const { access, session } = command
  const { key } = access.by
  const leave = requireDuty(parts, res, session.member, row, '/console')
  const writes = row.verb === 'post' || row.verb === 'put'
  const body = writes ? await readBody(req, res) : {}
  await touchCommand(parts, req, access)
  const sent = row.verb === 'get' ? parameters(req) : new Map<string, string>()
  const entered = { session, key, leave, back: '/console' }
  const base = visitOf(parts, { req, res, row, sent }, entered)
  const visit: ApiVisit = {
    ...{ ...base, command, posted: true },
    read: (schema) =>
      readAs(row.verb === 'get' ? Object.fromEntries(sent) : body, schema, base.params),
  }
  const { json, status = 200, about = {}, recorded } = await row.answer(visit)
  const what = row.verb === 'get' ? 'console_viewed' : 'console_acted'
  if (!recorded) await parts.trail.record(entryOf(what, { row, session }, leave, about))
  if (status === 202) res.set('Retry-After', '1')
  res.status(status).json(json)
}

/** @throws Refusal command_signed_out, console_denied, policy_stale, body_unreadable */
export const apiAnswering =
  (parts: ConsoleParts, row: ApiRow): RequestHandler =>
  async (req, res) => {
    const command = await commandOf(parts, req)
    learn(res, aboutMember(command.session))
    try {
      await enter(parts, row, { req, res, command })
    } catch (error) {
      throw telling(res, error)
    }
  }
