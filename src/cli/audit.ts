import { readFileSync } from 'node:fs'
import { searchTrail, type TrailQuery } from '../audit/search.js'
import {
  type TrailProblem,
  type TrailReport,
  type VerifyOptions,
  verifyTrail,
} from '../audit/verify.js'
import { EVENTS, nameInRecord, type TrailEntry } from '../core/audit.js'
import type { EpochMs } from '../core/values.js'
import { checkpointVerifier } from '../keys/checkpoints.js'
import type { Head } from '../store/store.js'
import { type Command, type Outside, Refused, text, Usage, type Values } from './command.js'
import { keptKeys } from './keys.js'
import { STORE_OPTIONS, withKeptStore } from './with-store.js'

const when = (at: EpochMs): string => new Date(at).toISOString().replace('T', ' ').slice(0, 23)

/** One entry in a line that a person can read; `--json` has all of it. */
function line(entry: TrailEntry): string {
  const { what, outcome, user, patient, refusal, reference, policy, detail } = entry
  const facts = [
    user && `${user.id}${user.roles?.length ? ` (${user.roles.join(', ')})` : ''}`,
    patient?.fhirId && `patient ${nameInRecord(patient)}`,
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

/** Other users of the machine can read arguments, so a number that may be somebody's NHS number is none. */
async function patientOf(outside: Outside, values: Values): Promise<string | undefined> {
  const named = text(values, 'patient')
  if (named === '-') return (await outside.input()).replace(/\s/g, '')
  if (named?.replace(/[\s-]/g, '').match(/^\d{10}$/))
    throw new Usage('an NHS number goes to standard input, after `--patient -`')
  return named
}

/** What is looked for. @throws Usage when nothing is, or what cannot be */
async function queryOf(outside: Outside, values: Values): Promise<TrailQuery> {
  const patient = await patientOf(outside, values)
  const what = text(values, 'what')
  if (what !== undefined && !EVENTS.some((name) => name === what))
    throw new Usage(`--what is one of ${EVENTS.join(', ')}`)
  const asked = ['what', 'launch', 'reference', 'user', 'organization'].flatMap((name) => {
    const value = text(values, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  if (asked.length === 0 && patient === undefined && text(values, 'from') === undefined) {
    throw new Usage(
      'say what to look for: --launch, --reference, --user, --patient, --organization, --what or --from',
    )
  }
  return {
    ...Object.fromEntries(asked),
    ...(patient === undefined ? {} : { patient }),
    ...time(values, 'from'),
    ...time(values, 'to'),
  }
}

const moreThan = (limit: number): string =>
  `There is more: these are the oldest ${limit}. Give --from, --to or a higher --limit.`

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
    user: { type: 'string', value: 'ID', help: 'national number, or system/local user' },
    patient: {
      type: 'string',
      value: 'ID',
      help: 'a FHIR id (of a tenant’s record: tenant/id), or - to read an NHS number',
    },
    organization: { type: 'string', value: 'ODS', help: 'an organisation' },
    what: { type: 'string', value: 'KIND', help: 'a kind of entry, such as launch_refused' },
    from: { type: 'string', value: 'TIME', help: 'not before this time' },
    to: { type: 'string', value: 'TIME', help: 'before this time' },
    limit: { type: 'string', value: 'N', help: 'at most so many, the oldest first (default 1000)' },
    json: { type: 'boolean', help: 'whole entries, one a line' },
    ...STORE_OPTIONS,
  },
  async run(outside, values) {
    const query = await queryOf(outside, values)
    const limit = limitOf(values)
    await withKeptStore(outside, values, async (store) => {
      let found = 0
      for await (const entry of searchTrail(store, { ...query, limit: limit + 1 })) {
        if (found === limit) return outside.complain(moreThan(limit))
        found += 1
        outside.say(values.json ? JSON.stringify(entry) : line(entry))
      }
      if (found === 0) throw new Refused('No entry was found.')
    })
  },
}

type VerifyCheckpoint = NonNullable<VerifyOptions['verifyCheckpoint']>

/** The signatures in a file: whole entries, as `audit search --json` gives them, or the signatures alone. */
function checkpointsIn(file: string): readonly string[] {
  const wrong = new Usage(`--since-checkpoint: ${file} holds no checkpoint`)
  const jwsOf = (line: string): string => {
    if (!line.startsWith('{')) return line
    try {
      return String((JSON.parse(line) as Partial<TrailEntry>).detail?.jws ?? '')
    } catch {
      throw wrong
    }
  }
  const found = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map(jwsOf)
  if (found.length === 0 || found.some((jws) => jws.split('.').length !== 3)) throw wrong
  return found
}

/** @throws Refused for one that the keys of this store did not sign: either it, or they, are not what they were */
async function keptHeads(file: string, verify: VerifyCheckpoint): Promise<readonly Head[]> {
  const heads: Head[] = []
  for (const jws of checkpointsIn(file)) {
    const payload = (await verify(jws)) as Head | undefined
    if (!payload) throw new Refused(`A checkpoint of ${file} was not signed by this store’s keys.`)
    heads.push(payload)
  }
  return heads
}

const describe = ({ writer, seq, at, problem }: TrailProblem): string =>
  `${writer} entry ${seq}${at === undefined ? '' : ` at ${when(at)}`}: ${problem}`

/** @throws Refused when something is wrong, or when nothing was there that could have been */
function requireWhole({ entries, problems, lastCheckpoint }: TrailReport): void {
  if (problems.length > 0) throw new Refused(problems.map(describe).join('\n'))
  if (entries === 0) throw new Refused('The trail is empty. Is this the right store?')
  if (!lastCheckpoint) {
    throw new Refused(
      'No checkpoint was signed here, so nothing says that this is all there was. A running gateway signs one at its start and each minute.',
    )
  }
}

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'check that nobody has changed the trail',
  help: `
Follows every writer's chain, compares it with what later entries and signed checkpoints say of it, and names
the first entry that does not fit: changed, removed, moved or forged. Exits 1 as well when there is nothing to
verify. Checkpoints are checked by our own public keys, and those by the encryption key,
LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: give it, or hear that it was not done. Whoever holds the store and its keys could
write all of it anew: only a checkpoint that was kept elsewhere tells. Keep them as \`audit search --json\` gives them.

  launch-gateway audit verify
  launch-gateway audit verify --since-checkpoint kept.json`,
  options: {
    'since-checkpoint': {
      type: 'string',
      value: 'FILE',
      help: 'checkpoints that were kept elsewhere, one a line',
    },
    ...STORE_OPTIONS,
  },
  run: (outside, values) =>
    withKeptStore(outside, values, async (store, config) => {
      const keys = await keptKeys(outside, store, config)
      const verifyCheckpoint = checkpointVerifier(keys, config.issuer)
      const file = text(values, 'since-checkpoint')
      const kept = file === undefined ? [] : await keptHeads(file, verifyCheckpoint)
      const report = await verifyTrail(store, { verifyCheckpoint, kept })
      const { entries, writers, lastCheckpoint } = report
      outside.say(`${entries} entries by ${writers} writers.`)
      if (lastCheckpoint) outside.say(`Last checkpoint ${when(lastCheckpoint.at)}.`)
      requireWhole(report)
      if (kept.length > 0) {
        const stand = kept.length === 1 ? 'checkpoint stands' : 'checkpoints stand'
        outside.say(`${kept.length} kept ${stand} in it.`)
      }
      outside.say('The trail is whole.')
    }),
}
