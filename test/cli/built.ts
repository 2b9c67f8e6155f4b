/** The built command, run as a person would run it: a process of its own, a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jest } from '@jest/globals'
import { readConfig } from '../../src/config.js'
import { demoConfig, demoOrigins } from '../../src/demo/configuration.js'
import { createLog } from '../../src/log.js'
import { freePorts } from '../free-ports.js'
import { putInForce } from '../policies-in-force.js'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')
const MAIN = join(ROOT, 'dist/src/main.js')

/** Longer than any command takes on a busy machine to its end, or until it is ready; one that hangs is a failure and is ended. */
const PATIENCE = 60_000
jest.setTimeout(2 * PATIENCE)

export interface Ran {
  /** `null` when it had to be killed. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface How {
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; none when absent. */
  readonly input?: string
}

function begin(words: readonly string[], { env = {}, input }: How): ChildProcess {
  if (!existsSync(MAIN)) throw new Error(`There is no ${MAIN}: run \`npm run build\` first.`)
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd: ROOT,
    // Nothing of the test runner's own environment: neither its V8 flags nor somebody's PORT.
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(input)
  return child
}

function gather(child: ChildProcess): { readonly out: () => string; readonly err: () => string } {
  const said = { out: '', err: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  return { out: () => said.out, err: () => said.err }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })

/** What it is waited for; the child is killed where that does not come in time. */
async function inPatience<T>(child: ChildProcess, awaited: Promise<T>): Promise<T> {
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  try {
    return await awaited
  } finally {
    clearTimeout(timer)
  }
}

/** Runs a command to its end. */
export async function run(words: readonly string[], how: How = {}): Promise<Ran> {
  const child = begin(words, how)
  const { out, err } = gather(child)
  const code = await inPatience(child, ended(child))
  return { code, out: out(), err: err() }
}

export interface Running {
  /** What it has said so far. */
  out(): string
  /** SIGTERM, and what came of it. */
  stop(): Promise<Ran>
}

/** Starts a command that goes on, and waits until it says that it is ready. */
export async function start(words: readonly string[], ready: RegExp, how: How): Promise<Running> {
  const child = begin(words, how)
  const { out, err } = gather(child)
  const end = ended(child)
  const isReady = new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', () => {
      if (ready.test(out())) resolve()
    })
    void end.then((code) =>
      reject(new Error(`${words.join(' ')} ended with ${code}: ${out()}${err()}`)),
    )
  })
  // From then on it runs for as long as its tests take.
  await inPatience(child, isReady)
  return {
    out,
    async stop() {
      child.kill('SIGTERM')
      return { code: await inPatience(child, end), out: out(), err: err() }
    },
  }
}

export async function emptyFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'launch-gateway-cli-'))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

const world = () => ({ clock: Date.now, random: randomBytes, log: createLog('silent') })

/** Puts a configuration's policies in force, for a start of which another thing is asked than whether it judges them. */
export const inForce = (directory: string, env: Readonly<Record<string, string>>): Promise<void> =>
  putInForce(readConfig({ directory, env }), world())

/** Puts the demonstration's policies in force in its folder. */
export const demonstrationInForce = (folder: string, firstPort: number): Promise<void> => {
  const settings = { root: ROOT, origins: demoOrigins(firstPort), dataDir: folder, ...world() }
  return putInForce(demoConfig(settings, [], ''), world())
}

/** The demonstration, its policies in force already, running from a folder of its own; `env` is what other commands need to find it. */
export async function startDemonstration() {
  const folder = await emptyFolder()
  const first = await freePorts(4)
  const env = { PORT: String(first) }
  await demonstrationInForce(folder.path, first)
  const data = ['--data', folder.path] as const
  const running = await start(['demo', '--no-history', ...data], /Stop with Ctrl\+C/, { env })
  const port = Number(env.PORT)
  return {
    ...{ env, data, folder: folder.path },
    gateway: `http://localhost:${port}`,
    desktop: `http://127.0.0.1:${port + 1}`,
    app: `http://app.localhost:${port + 3}`,
    async stop() {
      const ran = await running.stop()
      await folder.remove()
      return ran
    },
  }
}
