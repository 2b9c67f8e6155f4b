import { searchTrail } from '../audit/search.js'
import { verifyTrail } from '../audit/verify.js'
import type { TrailEntry } from '../core/audit.js'
import type { EpochMs } from '../core/values.js'
import { checkpointVerifier } from '../keys/checkpoints.js'
import { type Command, Refused, text, Usage, type Values } from './command.js'
import { keptKeys } from './keys.js'
import { STORE_OPTIONS, withStore } from './with-store.js'

const when = (at: EpochMs): string => new Date(at).toISOString().replace('T', ' ').slice(0, 23)

/** One entry in a line that a person can read; `--json` has all of it. */
function line(entry: TrailEntry): string {
  const { what, outcome, user, patient, refusal, reference, policy, detail } = entry
  const facts = [
    user && `${user.id}${user.roles?.length ? ` (${user.roles.join(', ')})` : ''}`,
    patient?.fhirId && `patient ${patient.fhirId}`,
    entry.app && `app ${entry.app}`,
    policy &&
      `policy ${policy.version}${policy.policies?.length ? ` ${policy.policies.join(', ')}` : ''}`,
    refusal && `refusal ${refusal}${detail?.why === undefined ? '' : `: ${detail.why}`}`,
    reference,
  ].filter(Boolean)
  return `${when(entry.at)}  ${what.padEnd(21)} ${outcome.padEnd(8)} ${facts.join(' · ')}`.trimEnd()
}

function time(values: Values, name: string): { [k: string]: EpochMs } {
  const given = text(values, name)
  if (given === undefined) return {}
  const at = Date.parse(given)
  if (Number.isNaN(at))
    throw new Usage(`--${name}: expected a date or time such as 2026-11-23T09:00Z`)
  return { [name]: at }
}

const limitOf = (values: Values): number => {
  const limit = Number(text(values, 'limit') ?? 1000)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000_000)
    throw new Usage('--limit: a number from 1 to 1000000')
  return limit
}

export const auditSearch: Command = {
  name: 'audit search',
  summary: 'find entries of the trail',
  help: `
One launch tells its whole story; a reference is what a page showed to a user. A patient's NHS number goes to
standard input, after --patient -.

  launch-gateway audit search --launch lch_0mwt…
  launch-gateway audit search --reference ref_… --json`,
  options: {
    launch: { type: 'string', value: 'LCH', help: 'a launch id' },
    reference: { type: 'string', value: 'REF', help: 'a reference from a page' },
    user: { type: 'string', value: 'ID', help: 'a user’s id' },
    patient: { type: 'string', value: 'ID', help: 'a FHIR id, or - to read an NHS number' },
    organization: { type: 'string', value: 'ODS', help: 'an organisation' },
    from: { type: 'string', value: 'TIME', help: 'not before this time' },
    to: { type: 'string', value: 'TIME', help: 'before this time' },
    limit: { type: 'string', value: 'N', help: 'at most so many (default 1000)' },
    json: { type: 'boolean', help: 'whole entries, one a line' },
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const named = text(values, 'patient')
    const patient = named === '-' ? (await outside.input()).replace(/\s/g, '') : named
    const asked = ['launch', 'reference', 'user', 'organization'].flatMap((name) => {
      const value = text(values, name)
      return value === undefined ? [] : [[name, value] as const]
    })
    if (asked.length === 0 && patient === undefined && text(values, 'from') === undefined) {
      throw new Usage(
        'say what to look for: --launch, --reference, --user, --patient, --organization or --from',
      )
    }
    const query = {
      ...Object.fromEntries(asked),
      ...(patient === undefined ? {} : { patient }),
      ...time(values, 'from'),
      ...time(values, 'to'),
      limit: limitOf(values),
    }
    await withStore(outside, values, async (store) => {
      let found = 0
      for await (const entry of searchTrail(store, query)) {
        found += 1
        outside.say(values.json ? JSON.stringify(entry) : line(entry))
      }
      if (found === 0) throw new Refused('No entry was found.')
    })
  },
}

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'check that nobody has changed the trail',
  help: `
Follows every writer's chain, compares it with what later entries and signed checkpoints say of it, and names
the first entry that does not fit: changed, removed, moved or forged. Checkpoints are checked by our own public
keys, and those by the encryption key, LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: give it, or hear that it was not done.

  launch-gateway audit verify`,
  options: STORE_OPTIONS,
  run: (outside, values) =>
    withStore(outside, values, async (store, config) => {
      const keys = await keptKeys(outside, store, config)
      const verifyCheckpoint = checkpointVerifier(keys, config.issuer)
      const report = await verifyTrail(store, { verifyCheckpoint })
      const { entries, writers, problems, lastCheckpoint } = report
      outside.say(`${entries} entries by ${writers} writers.`)
      outside.say(
        lastCheckpoint ? `Last checkpoint ${when(lastCheckpoint.at)}.` : 'No checkpoint yet.',
      )
      if (problems.length > 0) {
        throw new Refused(
          problems
            .map(
              (p) =>
                `${p.writer} entry ${p.seq}${p.at === undefined ? '' : ` at ${when(p.at)}`}: ${p.problem}`,
            )
            .join('\n'),
        )
      }
      outside.say('The trail is whole.')
    }),
}
