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
import { ALGORITHMS, type Algorithm } from './people.js'
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
/** One line of the table: a server with one algorithm of its id_tokens. */
interface Line extends Server {
  readonly algorithm: Algorithm
  readonly rounds: Round[]
}

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
    if (!ALGORITHMS.some((algorithm) => `${name}, ${algorithm}`.match(options.only))) return
    const child = await start(script, { measured: true })
    const opened = await child.ask<string | { origin: string }>('open', setting)
    const target = typeof opened === 'string' ? { origin: opened, jwk } : opened
    for (const algorithm of ALGORITHMS)
      await load.ask('target', { ...target, name: `${name} ${algorithm}`, algorithm })
    started.push({ name, child })
  }
  const ours = { record, jwk: open, dataDir }
  await begin('ours, embedded', 'gateway', { ...ours, store: { kind: 'embedded' } })
  await begin('oidc-provider, Redis', 'provider', { redis: redis.url })
  await begin('ours, Redis', 'gateway', { ...ours, store: { kind: 'redis', url: redis.url } })
  await begin('oidc-provider, memory', 'provider', {})
  return started
}

async function measure(load: Child, { name, algorithm, child }: Line, flows: number) {
  await load.ask('prepare', { name: `${name} ${algorithm}`, flows })
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
  console.log(`\n${line.name}, ${line.algorithm}: microseconds a flow\n\n${areas(profile, flows)}`)
  if (options.keep === undefined) return
  const file = `${line.name.replace(/\W+/g, '-')}-${line.algorithm}.cpuprofile`
  await writeFile(join(options.keep, file), JSON.stringify(profile))
}

function show(lines: readonly Line[]): void {
  const peers = {
    'oidc-provider/Redis': 'oidc-provider, Redis',
    'oidc-provider/memory': 'oidc-provider, memory',
  }
  const rows = lines.map(({ name, algorithm, rounds }): Row => {
    const of = Object.entries(peers).flatMap(([column, peer]) => {
      const other = lines.find((line) => line.name === peer && line.algorithm === algorithm)
      return other && name !== peer ? [[column, ratios(rounds, other.rounds)]] : []
    })
    return { name: `${name}, ${algorithm}`, rounds, ratios: Object.fromEntries(of) }
  })
  console.log(`\n${table(rows, Object.keys(peers))}\n`)
}

async function run(): Promise<void> {
  const load = await start('load')
  const lines = (await servers(load)).flatMap((server) =>
    ALGORITHMS.map((algorithm): Line => ({ ...server, algorithm, rounds: [] })).filter(
      ({ name, algorithm }) => `${name}, ${algorithm}`.match(options.only) !== null,
    ),
  )
  lines.sort((a, b) => ALGORITHMS.indexOf(a.algorithm) - ALGORITHMS.indexOf(b.algorithm))
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
      console.error(`round ${round + 1} of ${rounds}: ${line.name}, ${line.algorithm}: ${cpu}`)
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
