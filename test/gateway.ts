/**
 * The real gateway for tests that come from outside: its own listener, the demonstration's hospital
 * behind it, one of the two stores under it, and a clock that is moved by hand.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import type { JWK } from 'jose'
import { type Logger, pino } from 'pino'
import type { Config } from '../src/config.js'
import type { EpochMs, Seconds } from '../src/core/values.js'
import { demoConfig, type Origins } from '../src/demo/configuration.js'
import type { LaunchingSystem, LaunchingUser } from '../src/demo/desktop-launches.js'
import { createSmartServer, type SmartServer } from '../src/demo/desktop-smart-server.js'
import { demoSystems, launchSystemRows } from '../src/demo/desktop-systems.js'
import { createHospital, demoUsers } from '../src/demo/hospital.js'
import { packageRoot } from '../src/http/pages.js'
import { createHttpServer } from '../src/http/server.js'
import { type OpenGateway, openGateway } from '../src/open.js'
import { freePorts } from './free-ports.js'
import { APP_ORIGINS, APPS, extraSystems } from './gateway-registrations.js'
import {
  breakable,
  type Condition,
  hangUp,
  launchingSystems,
  listen,
  newKey,
  openSite,
} from './gateway-surroundings.js'
import { putInForce } from './policies-in-force.js'
import { type RedisServer, startRedis } from './redis-server.js'

export const STORES = ['embedded', 'redis'] as const
export type StoreKind = (typeof STORES)[number]

/** Stands still until it is moved. Begins at the machine's own time, by which the provider's library lives. */
export interface HandClock {
  (): EpochMs
  /** Moves it, and lets the gateway hear of policies and keys in force, as its timer would every second. */
  advance(by: Seconds): Promise<void>
  /** Not behind the machine's own time: before anything that the provider does. */
  catchUp(): Promise<void>
}

export interface TestGateway {
  readonly origins: Origins
  readonly issuer: string
  readonly clock: HandClock
  readonly config: Config
  /** As they launch: with their private keys. */
  readonly systems: Readonly<Record<string, LaunchingSystem>>
  readonly users: readonly LaunchingUser[]
  readonly smart: SmartServer
  /** What the hospital's provider signs with. */
  readonly providerKey: JWK
  /** Private keys of the apps that authenticate. */
  readonly appKeys: Readonly<Record<string, JWK>>
  /** What runs now: {@link restart} replaces it. */
  readonly running: OpenGateway
  readonly redis: RedisServer | undefined
  /** What is behind, and may be made to fail. */
  readonly behind: { record: Condition; provider: Condition }
  /** Ends the gateway and starts it again on what its store kept. */
  restart(change?: Partial<Config>): Promise<void>
  /** One more node on the same store, under the same name. Answers its port. */
  secondNode(
    change?: Partial<Config>,
  ): Promise<{ readonly port: number; readonly gateway: OpenGateway }>
  close(): Promise<void>
}

export interface Options {
  readonly store: StoreKind
  /** Laid over the configuration, member by member. */
  readonly change?: (config: Config) => Partial<Config>
  /** Hears what the gateway's operators would. */
  readonly log?: Logger
}

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const silent = pino({ level: 'silent' })

function handClock(running: () => OpenGateway | undefined): HandClock {
  // At a whole second, as tokens tell the time.
  const machine = (): EpochMs => Math.ceil(Date.now() / 1000) * 1000
  let now = machine()
  const moveTo = async (time: EpochMs) => {
    now = time
    await running()?.policies.refresh()
    await running()?.keys.refresh()
  }
  return Object.assign(() => now, {
    advance: (by: Seconds) => moveTo(now + by * 1000),
    catchUp: () => moveTo(Math.max(now, machine())),
  })
}

async function makeKeys(dataDir: string) {
  return {
    demo: await demoSystems(dataDir),
    apps: { 'key-app': await newKey('ES384', 'key-app-1') },
    clinic: await newKey('ES256', 'clinic-1'),
    ward: await newKey('ES256', 'ward-1'),
  }
}
type TestKeys = Awaited<ReturnType<typeof makeKeys>>

interface Setting {
  readonly dataDir: string
  readonly origins: Origins
  readonly clock: HandClock
  readonly redis: RedisServer | undefined
  readonly credential: string
  readonly keys: TestKeys
  readonly log: Logger
}

/** The demonstration's configuration, with more apps and systems than it has. */
function configOf(setting: Setting, { change = () => ({}) }: Options): Config {
  const { origins, redis, credential, keys } = setting
  const store = redis ? { overrides: { store: { kind: 'redis', url: redis.url } } } : {}
  const rows = launchSystemRows(keys.demo, origins.desktop)
  const whole = { root: packageRoot(), ...setting, random, ...store }
  const base = demoConfig(whole, rows, credential)
  const apps = [...base.apps, ...APPS(keys.apps)]
  const systems = [...rows, ...extraSystems(keys, origins.desktop)].map((row) => ({
    ...row,
    apps: apps.map(({ id }) => id),
  }))
  const config = { ...base, apps, systems }
  return { ...config, ...change(config) }
}

/** The gateway's own nodes: the first answers at the issuer's address. */
function openNodes(setting: Setting, config: Config, placeholder: Server) {
  const { clock, origins, log } = setting
  const open = (change: Partial<Config>) =>
    openGateway({ ...config, ...change }, { clock, random, log, allowHttp: true })
  const others: { readonly gateway: OpenGateway; readonly server: Server }[] = []
  let front = placeholder
  let running: OpenGateway | undefined
  return {
    running: () => running,
    async start(change: Partial<Config> = {}) {
      await running?.close()
      running = await open(change)
      // Until here something else kept the port.
      await hangUp(front)
      front = createHttpServer(running.app)
      await listen(front, Number(new URL(origins.gateway).port))
    },
    async add(change: Partial<Config> = {}) {
      const gateway = await open(change)
      const server = createHttpServer(gateway.app)
      others.push({ gateway, server })
      return { port: await listen(server), gateway }
    },
    async close() {
      await Promise.all([front, ...others.map(({ server }) => server)].map(hangUp))
      for (const { gateway } of others) await gateway.close()
      await running?.close()
    },
  }
}

/** The gateway and all around it. Close it, or its servers keep the test waiting. */
export async function openTestGateway(options: Options): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-'))
  const redis = options.store === 'redis' ? await startRedis() : undefined
  // Given up for a moment whenever the gateway starts.
  const front = await openSite('localhost', await freePorts(1))
  const desktop = await openSite('127.0.0.1')
  const hospital = await openSite('127.0.0.1')
  const origins: Origins = {
    ...{ gateway: front.origin, desktop: desktop.origin, hospital: hospital.origin },
    // Nobody listens there: what is sent to the app is read off the address.
    app: APP_ORIGINS['care-plan'] ?? '',
  }
  const credential = Buffer.from(random(24)).toString('base64url')
  const keys = await makeKeys(dataDir)
  const clock: HandClock = handClock(() => nodes.running())
  const { log = silent } = options
  const setting: Setting = { dataDir, origins, clock, redis, credential, keys, log }
  const config = configOf(setting, options)
  const nodes = openNodes(setting, config, front.server)
  const users = await demoUsers(packageRoot())
  const systems = launchingSystems(keys.demo, keys)
  const behind: TestGateway['behind'] = { record: 'up', provider: 'up' }
  const around = {
    root: packageRoot(),
    origins,
    dataDir,
    credential,
    form: config.plan,
    clock,
    log,
  }
  hospital.serve(breakable(await createHospital(around), behind))
  const { signing } = JSON.parse(await readFile(join(dataDir, 'demo-provider.json'), 'utf8'))
  const smart = createSmartServer({
    ...{ issuer: `${origins.desktop}/smart`, gateway: origins.gateway, clock: Date.now, random },
    system: systems['gp-smart'] as LaunchingSystem,
  })
  desktop.serve(express().use('/smart', smart.router))
  await putInForce(config, { clock, random, log })
  await nodes.start()
  return {
    ...{ origins, issuer: origins.gateway, clock, config, systems, users, smart, redis, behind },
    ...{ providerKey: signing[0] as JWK, appKeys: keys.apps },
    get running() {
      return nodes.running() as OpenGateway
    },
    restart: nodes.start,
    secondNode: nodes.add,
    async close() {
      await nodes.close()
      await Promise.all([desktop, hospital].map(({ server }) => hangUp(server)))
      await redis?.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
