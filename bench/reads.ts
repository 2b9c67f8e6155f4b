/**
 * What a judged read costs more than the same read merely forwarded: a search that answers about 10 KB, 500 a second,
 * the server on one core. Prints a table; README.md says how to read it.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exportJWK, generateKeyPair } from 'jose'
import { startRedis } from '../test/redis-server.js'
import { type Child, startChild, type Usage } from './children.js'
import { median } from './figures.js'
import type { Outside } from './load.js'
import { areas, type CpuProfile } from './profile.js'

const { values: options } = parseArgs({
  options: {
    reads: { type: 'boolean', default: true },
    /** A few seconds: does it run at all? Its figures say nothing. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
    /** Only rows whose name fits: a regular expression. */
    only: { type: 'string', default: '' },
    /** Where the time goes, by area. */
    profile: { type: 'boolean', default: false },
    /** Where profiles are kept, for a viewer. */
    keep: { type: 'string' },
  },
})
const rounds = options.quick ? 1 : Number(options.rounds)
const perSecond = options.quick ? 50 : Number(options.rate)
const seconds = options.quick ? 1 : Number(options.seconds)

interface Line {
  readonly name: string
  readonly child: Child
  readonly target: { readonly origin: string; readonly jwk?: object }
  readonly rounds: {
    readonly cpu: number
    readonly p50: number
    readonly p99: number
    /** CPU of a read where the core is full. */
    readonly full: number
  }[]
}

const FORWARDED = 'merely forwarded'
/**
 * Before anything counts: until then V8 compiles what is called often, on the one core that is measured. That of Node 26
 * takes its time: after some 15,000 reads it compiles most of it once more, and takes as much as a quarter of them.
 */
const WARM_UP = options.quick ? { perSecond, seconds: 1 } : { perSecond: 700, seconds: 30 }

/** How far a load may be off its pace: one that is faster is another load, and one that is slower met a full server. */
const OFF_PACE = 0.1

/** As the image and docs/operating.md start it. */
const AS_STARTED = ['--initial-old-space-size=400', '--min-semi-space-size=64']

const close: (() => Promise<unknown>)[] = []

async function start(script: string, measured = false): Promise<Child> {
  const child = await startChild(script, { measured, nodeOptions: AS_STARTED })
  close.push(child.stop)
  return child
}

async function emptyFolder(inside: string): Promise<string> {
  const path = await mkdtemp(join(inside, 'bench-'))
  close.push(() => rm(path, { recursive: true, force: true }))
  return path
}

async function lines(): Promise<readonly Line[]> {
  const redis = await startRedis()
  close.push(redis.stop)
  const record = await (await start('record')).ask<string>('open')
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: 'bench', alg: 'ES256' }
  const { d: _, ...publicKey } = jwk
  const found: Line[] = []
  const begin = async (name: string, script: string, setting: object): Promise<void> => {
    if (!name.match(options.only)) return
    const child = await start(script, true)
    const origin = await child.ask<string>('open', { record, ...setting })
    found.push({
      ...{ name, child, rounds: [] },
      target: { origin, ...(script === 'gateway' ? { jwk } : {}) },
    })
  }
  const gateway = async (name: string, store: object, inside: string, unwritten = false) =>
    begin(name, 'gateway', { jwk: publicKey, store, dataDir: await emptyFolder(inside), unwritten })
  await begin(FORWARDED, 'forwarder', {})
  const memory = '/dev/shm'
  const embedded = { kind: 'embedded' }
  await gateway('judged, before the flush', embedded, tmpdir(), true)
  if (existsSync(memory)) await gateway('judged, store in memory', embedded, memory)
  await gateway('judged, embedded store', embedded, tmpdir())
  await gateway('judged, Redis', { kind: 'redis', url: redis.url }, tmpdir())
  return found
}

async function go(load: Child, { name, target }: Line, pace: typeof WARM_UP): Promise<Outside> {
  const done = await load.ask<Outside>('go', { ...target, ...pace })
  const { errors, failed } = done
  if (failed > 0) throw new Error(`${name}: ${failed} reads failed\n${errors.join('\n')}`)
  return done
}

async function warmUp(load: Child, line: Line): Promise<void> {
  await load.ask('prepare', line.target)
  await go(load, line, WARM_UP)
}

async function measure(load: Child, line: Line) {
  const { child, name, target } = line
  await load.ask('prepare', target)
  const before = await child.usage()
  const { p50, p99, seconds: took } = await go(load, line, { perSecond, seconds })
  const after = await child.usage()
  if (Math.abs(took / seconds - 1) > OFF_PACE)
    throw new Error(`${name}: ${seconds} s of reads took ${took.toFixed(1)} s`)
  const count = perSecond * seconds
  await load.ask('fill', { ...target, count })
  const last = await child.usage()
  const each = (from: Usage, to: Usage) => ((to.cpuSeconds - from.cpuSeconds) * 1000) / count
  return { cpu: each(before, after), p50, p99, full: each(after, last) }
}

async function profile(load: Child, line: Line): Promise<void> {
  await line.child.ask('profile')
  await measure(load, line)
  const profile = await line.child.ask<CpuProfile>('profiled')
  // As many at the pace, and as many with the core full.
  const reads = 2 * perSecond * seconds
  console.log(`\n${line.name}: microseconds a read\n\n${areas(profile, reads)}`)
  if (options.keep === undefined) return
  const file = `${line.name.replace(/\W+/g, '-')}.cpuprofile`
  await writeFile(join(options.keep, file), JSON.stringify(profile))
}

type Figure = keyof Line['rounds'][number]
const FIGURES: readonly Figure[] = ['full', 'cpu', 'p50', 'p99']
const least = (values: readonly number[]): number => Math.min(...values)

function table(all: readonly Line[], row: (line: Line) => readonly number[]): void {
  const own = ['CPU ms, core full', 'CPU ms', 'p50 ms', 'p99 ms']
  const heads = ['read', ...own, ...own.map((head) => `more ${head}`)]
  const rule = heads.map((_, index) => (index === 0 ? '---' : '---:'))
  const cells = (line: Line): readonly string[] => {
    const figures = row(line).map((figure) => figure.toFixed(2))
    return [line.name, ...figures, ...heads.slice(figures.length + 1).map(() => '')]
  }
  const rows = [heads, rule, ...all.map(cells)].map((row) => `| ${row.join(' | ')} |`)
  console.log(`\n${rows.join('\n')}\n`)
}

/**
 * Medians of the rounds; what is added, round by round, because what disturbs a machine disturbs neighbours alike. And
 * the least of the rounds: where others use the machine, what it would be without them.
 */
function show(all: readonly Line[]): void {
  const base = all.find(({ name }) => name === FORWARDED)?.rounds
  const of = (figure: Figure, rounds: Line['rounds']) => rounds.map((round) => round[figure])
  table(all, ({ rounds }) => [
    ...FIGURES.map((figure) => median(of(figure, rounds))),
    ...(!base || rounds === base ? [] : FIGURES).map((figure) =>
      median(of(figure, rounds).map((own, i) => own - (base?.[i]?.[figure] ?? 0))),
    ),
  ])
  console.log('The least of the rounds:')
  table(all, ({ rounds }) => [
    ...FIGURES.map((figure) => least(of(figure, rounds))),
    ...(!base || rounds === base ? [] : FIGURES).map(
      (figure) => least(of(figure, rounds)) - least(of(figure, base ?? [])),
    ),
  ])
}

async function run(): Promise<void> {
  const load = await start('reading')
  const all = await lines()
  for (const line of all) await warmUp(load, line)
  if (options.profile) {
    for (const line of all) await profile(load, line)
    return
  }
  for (let round = 0; round < rounds; round++) {
    for (const line of all) {
      const measured = await measure(load, line)
      line.rounds.push(measured)
      console.error(`round ${round + 1} of ${rounds}: ${line.name}: ${measured.cpu.toFixed(2)} ms`)
    }
  }
  console.log(
    `Node ${process.version}, ${cpus().length} cores, ${rounds} rounds of ${seconds} s at ${perSecond} reads a second; medians.`,
  )
  show(all)
}

try {
  await run()
} finally {
  for (const end of close.reverse()) await end()
}
