/** A real Redis for a test: its own process, a free port of 127.0.0.1, a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from './free-ports.js'

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Ends it; what it keeps on disk stays for {@link RedisServer.start}. */
  halt(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again on the same port with what it kept. */
  start(): Promise<void>
  /** Stops answering without closing any connection, and goes on again. */
  freeze(): void
  thaw(): void
  /** One command, and its reply as it is on the wire. */
  say(...command: readonly string[]): Promise<string>
  /** Ends it and removes its directory. */
  stop(): Promise<void>
}

const MISSING =
  'redis-server is not installed, and the store must be shown on a real one.\n' +
  'Install it: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS).'

/** Resolves when it says that it takes connections; `undefined` when it ended before. */
async function launch(args: readonly string[], dir: string): Promise<ChildProcess | undefined> {
  const child = spawn('redis-server', args, { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(MISSING) : error),
    )
  })
  for await (const line of createInterface({ input: child.stdout }))
    if (/Ready to accept connections|Sentinel ID is/.test(line)) {
      child.stdout.resume()
      return child
    }
  return undefined
}

async function ask(port: number, command: readonly string[]): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
  socket.write(`*${command.length}\r\n${parts.join('')}`)
  const [reply] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return reply.toString()
}

/** Written before it is acknowledged: by Redis' own `everysec` it may wait for a flush of the disk, and be lost with a server that is killed. */
const KEPT = ['--appendonly', 'yes', '--appendfsync', 'no']

/** @param settings as on the command line: `--appendonly no`; the append-only file is on by default */
export async function startRedis(...settings: readonly string[]): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'))
  // Sentinel wants a file that it can write to.
  await writeFile(join(dir, 'redis.conf'), '')
  let port = 0
  let child: ChildProcess | undefined
  const start = async () => {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir]
    child = await launch(['redis.conf', ...place, ...KEPT, ...settings], dir)
    if (!child) return
    const reply = await ask(port, ['PING'])
    if (reply !== '+PONG\r\n') throw new Error(`redis-server answers ${reply}`)
  }
  // Somebody else may take the free port before Redis does.
  for (let attempt = 0; attempt < 5 && !child; attempt++) {
    port = await freePorts(1)
    await start()
  }
  if (!child) throw new Error('redis-server does not start')
  const halt = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    halt,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    say: (...command) => ask(port, command),
    async stop() {
      await halt('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Asks again and again, until the server says so: for up to a minute, for by itself it is ready within three seconds. */
export async function says(server: RedisServer, command: string[], line: RegExp): Promise<void> {
  for (let attempt = 0; attempt < 3_000; attempt++) {
    if (line.test(await server.say(...command))) return
    await pause(20)
  }
  throw new Error(`redis-server does not come to ${line}`)
}

/** A Cluster of two masters, each with half of the slots. */
export async function startCluster(): Promise<readonly [RedisServer, RedisServer]> {
  const one = await startRedis('--cluster-enabled', 'yes')
  const other = await startRedis('--cluster-enabled', 'yes')
  await one.say('CLUSTER', 'ADDSLOTSRANGE', '0', '8191')
  await other.say('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383')
  // Else both would claim the same epoch and one would have to change it first.
  await other.say('CLUSTER', 'SET-CONFIG-EPOCH', '2')
  await one.say('CLUSTER', 'MEET', '127.0.0.1', String(other.port))
  for (const server of [one, other]) await says(server, ['CLUSTER', 'INFO'], /cluster_state:ok/)
  return [one, other]
}

/** A Sentinel that watches a server under the name `gateway`. */
export async function startSentinel(master: RedisServer): Promise<RedisServer> {
  const sentinel = await startRedis('--sentinel')
  await sentinel.say('SENTINEL', 'MONITOR', 'gateway', '127.0.0.1', String(master.port), '1')
  return sentinel
}
