/**
 * Complete launches through our gateway beside oidc-provider's authorize + token: the same machine, the same
 * run, taking turns. Prints a table; README.md says how to read it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exportJWK, generateKeyPair } from 'jose'
import { startRedis } from '../test/redis-server.js'
import { type Child, startChild } from './children.js'
import { cpuPerThousand, type Round, type Row, ratios, table } from './figures.js'
import type { Outside } from './load.js'
import { ALGORITHMS, type Algorithm, KINDS, type Kind } from './people.js'
import { areas, type CpuProfile } from './profile.js'

const { values: options } = parseArgs({
  options: {
    /** A few seconds: does it run at all? Its figures say nothing. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    flows: { type: 'string', default: '1000' },
    'warm-up': { type: 'string', default: '1500' },
    /** Only rows whose name fits: a regular expression. */
    only: { type: 'string', default: '' },
    /** Where our own time goes, by area. */
    profile: { type: 'boolean', default: false },
    /** Where profiles are kept, for a viewer. */
    keep: { type: 'string' },
  },
})
const rounds = options.quick ? 1 : Number(options.rounds)
const flows = options.quick ? 50 : Number(options.flows)
const warmUp = options.quick ? 20 : Number(options['warm-up'])

interface Server {
  readonly name: string
  readonly child: Child
}
/** One line of the table: a server with one algorithm of its id_tokens, and one kind of app. */
interface Line extends Server {
  readonly algorithm: Algorithm
  readonly kind: Kind
  readonly rounds: Round[]
}

const LINES = KINDS.flatMap((kind) => ALGORITHMS.map((algorithm) => ({ kind, algorithm })))
const nameOf = ({ name, algorithm, kind }: Pick<Line, 'name' | 'algorithm' | 'kind'>): string =>
  `${name}, ${algorithm}${kind === 'strict' ? ', PAR + DPoP + refresh' : ''}`

const close: (() => Promise<unknown>)[] = []

async function start(script: string, settings?: Parameters<typeof startChild>[1]): Promise<Child> {
  const child = await startChild(script, settings)
  close.push(child.stop)
  return child
}

/** The key pair of the launch system. */
async function keyPair() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: 'bench', alg: 'ES256' }
  const { d: _, ...open } = jwk
  return { jwk, open }
}

async function servers(load: Child): Promise<readonly Server[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bench-'))
  close.push(() => rm(dataDir, { recursive: true, force: true }))
  const redis = await startRedis()
  close.push(redis.stop)
  const record = await (await start('record')).ask<string>('open')
  const { jwk, open } = await keyPair()
  const started: Server[] = []
  const begin = async (name: string, script: string, setting: object): Promise<void> => {
    if (!LINES.some((line) => nameOf({ name, ...line }).match(options.only))) return
    const child = await start(script, { measured: true })
    const opened = await child.ask<string | { origin: string }>('open', setting)
    const target = { ...(typeof opened === 'string' ? { origin: opened } : opened), jwk }
    for (const line of LINES)
      await load.ask('target', { ...target, ...line, name: nameOf({ name, ...line }) })
    started.push({ name, child })
  }
  const ours = { record, jwk: open, dataDir }
  await begin('ours, embedded', 'gateway', { ...ours, store: { kind: 'embedded' } })
  await begin('oidc-provider, Redis', 'provider', { jwk: open, redis: redis.url })
  await begin('ours, Redis', 'gateway', { ...ours, store: { kind: 'redis', url: redis.url } })
  await begin('oidc-provider, memory', 'provider', { jwk: open })
  return started
}

async function measure(load: Child, line: Line, flows: number) {
  const { child } = line
  const name = nameOf(line)
  await load.ask('prepare', { name, flows })
  const before = await child.usage()
  const { seconds, p50, p99, errors, failed } = await load.ask<Outside>('go')
  const after = await child.usage()
  if (failed > 0) throw new Error(`${name}: ${failed} flows failed\n${errors.join('\n')}`)
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds
  return { flows, seconds, cpuSeconds, rssMegabytes: after.rssMegabytes, p50, p99 }
}

async function profile(load: Child, line: Line): Promise<void> {
  await line.child.ask('profile')
  await measure(load, line, flows)
  const profile = await line.child.ask<CpuProfile>('profiled')
  console.log(`\n${nameOf(line)}: microseconds a flow\n\n${areas(profile, flows)}`)
  if (options.keep === undefined) return
  const file = `${nameOf(line).replace(/\W+/g, '-')}.cpuprofile`
  await writeFile(join(options.keep, file), JSON.stringify(profile))
}

function show(lines: readonly Line[]): void {
  const peers = {
    'oidc-provider/Redis': 'oidc-provider, Redis',
    'oidc-provider/memory': 'oidc-provider, memory',
  }
  const rows = lines.map((line): Row => {
    const { name, algorithm, kind, rounds } = line
    const of = Object.entries(peers).flatMap(([column, peer]) => {
      const other = lines.find(
        (one) => one.name === peer && one.algorithm === algorithm && one.kind === kind,
      )
      return other && name !== peer ? [[column, ratios(rounds, other.rounds)]] : []
    })
    return { name: nameOf(line), rounds, ratios: Object.fromEntries(of) }
  })
  console.log(`\n${table(rows, Object.keys(peers))}\n`)
}

async function run(): Promise<void> {
  const load = await start('load')
  const lines = (await servers(load)).flatMap((server) =>
    LINES.map((line): Line => ({ ...server, ...line, rounds: [] })).filter(
      (line) => nameOf(line).match(options.only) !== null,
    ),
  )
  const place = ({ algorithm, kind }: Line) =>
    LINES.findIndex((line) => line.algorithm === algorithm && line.kind === kind)
  lines.sort((a, b) => place(a) - place(b))
  for (const line of lines) await measure(load, line, warmUp)
  if (options.profile) {
    for (const line of lines.filter(({ name }) => name.startsWith('ours')))
      await profile(load, line)
    return
  }
  for (let round = 0; round < rounds; round++) {
    for (const line of lines) {
      const measured = await measure(load, line, flows)
      line.rounds.push(measured)
      const cpu = cpuPerThousand(measured).toFixed(2)
      console.error(`round ${round + 1} of ${rounds}: ${nameOf(line)}: ${cpu}`)
    }
  }
  console.log(
    `Node ${process.version}, ${cpus().length} cores, ${rounds} rounds of ${flows} flows, 16 in flight; medians, and in brackets the least and the most.`,
  )
  show(lines)
}

try {
  await run()
} finally {
  for (const end of close.reverse()) await end()
}
