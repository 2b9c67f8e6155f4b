/** What else a command may ask: who it is, which nodes there are, why something was decided, what is wrong with files. */
import { z } from 'zod'
import { fleetOf } from '../../policy/fleet.js'
import { decisions } from '../decisions.js'
import { aboutMember } from '../members.js'
import type { ConsoleParts } from '../parts.js'
import type { ApiAnswer, ApiVisit } from './answering.js'
import { commandEnd } from './commands.js'

/** GET /session */
export const readSession =
  () =>
  async ({ member, duties, layer, command: { access } }: ApiVisit): Promise<ApiAnswer> => {
    const { client, until, idleUntil } = access
    return { json: { member, duties, layer, client, until, idleUntil } }
  }

/** DELETE /session: the command signs itself out. */
export const endSession =
  (parts: ConsoleParts) =>
  async ({ command: { access, session } }: ApiVisit): Promise<ApiAnswer> => {
    await parts.store.commit({ puts: [commandEnd(parts, access)] })
    await parts.trail.record({
      ...{ what: 'console_closed', outcome: 'success', ...aboutMember(session) },
      detail: { why: 'signed out', by: 'command', client: access.client },
    })
    return { json: { ended: true }, recorded: true }
  }

/** GET /fleet */
export const readFleet =
  ({ store, clock, policies }: ConsoleParts) =>
  async (): Promise<ApiAnswer> => ({
    json: { version: policies.version(), nodes: await fleetOf(store, clock) },
  })

/** GET /decisions/:of, where `of` is a reference or a launch: what the page shows. */
export function readDecisions(parts: ConsoleParts) {
  const why = decisions(parts)
  return async (visit: ApiVisit): Promise<ApiAnswer> => {
    const { data = {}, status = 200, about = {} } = await why(visit)
    const { rows = [], launch, problem } = data
    return { json: { decisions: rows, launch, problem }, status, about }
  }
}

const checking = z.strictObject({ files: z.record(z.string().max(200), z.string()) })

/** POST /check: what is wrong with the files of a version, tests and invariants included; nothing is kept. */
export const checkFiles =
  ({ findings }: ConsoleParts) =>
  async (visit: ApiVisit): Promise<ApiAnswer> => {
    const problems = await findings.offered(visit.read(checking).files, visit.member.uid)
    const json = { sound: problems.length === 0, problems: problems.slice(0, 200) }
    return { json, about: { detail: { problems: problems.length } } }
  }
