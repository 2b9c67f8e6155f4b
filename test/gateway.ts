/**
 * The real gateway for tests that come from outside: its own listener, the demonstration's hospital
 * behind it, one of the two stores under it, and a clock that is moved by hand.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { pino } from 'pino'
import type { Config } from '../src/config.js'
import type { EpochMs, Seconds } from '../src/core/values.js'
import { demoConfig, demoUsers } from '../src/demo/demo.js'
import type { LaunchingSystem, LaunchingUser } from '../src/demo/desktop-launches.js'
import { createSmartServer, type SmartServer } from '../src/demo/desktop-smart-server.js'
import {
  demoSystems,
  launchSystemRows,
  PORTRAITS,
  SYSTEM_IDS,
} from '../src/demo/desktop-systems.js'
import { PATIENTS } from '../src/demo/patients.js'
import { readForm, readPlans } from '../src/demo/plans.js'
import { createProvider, makeProviderKeys } from '../src/demo/provider.js'
import { createRecord } from '../src/demo/record.js'
import { packageRoot } from '../src/http/pages.js'
import { createHttpServer } from '../src/http/server.js'
import { type OpenGateway, openGateway } from '../src/open.js'
import { APPS, extraSystems } from './gateway-registrations.js'
import { type RedisServer, startRedis } from './redis-server.js'

export const STORES = ['embedded', 'redis'] as const
export type StoreKind = (typeof STORES)[number]

/** Stands still until it is moved. Begins at the machine's own time, by which the provider's library lives. */
export interface HandClock {
  (): EpochMs
  /** Moves it, and lets the gateway hear of the policies in force, as its timer would every second. */
  advance(by: Seconds): Promise<void>
  /** Not behind the machine's own time: before anything that the provider does. */
  catchUp(): Promise<void>
}

export interface Origins {
  readonly gateway: string
  readonly desktop: string
  readonly hospital: string
  readonly app: string
}

export interface TestGateway {
  readonly origins: Origins
  readonly issuer: string
  readonly clock: HandClock
  readonly config: Config
  readonly systems: Readonly<Record<string, LaunchingSystem>>
  readonly users: readonly LaunchingUser[]
  readonly smart: SmartServer
  /** Private keys of the apps that authenticate. */
  readonly appKeys: Readonly<Record<string, JWK>>
  /** What runs now: {@link restart} replaces it. */
  readonly running: OpenGateway
  readonly redis: RedisServer | undefined
  /** What is behind, and may be made to fail: `'up'`, `'down'` (no answer), or an answer of its own. */
  readonly behind: {
    record: 'up' | 'down' | RequestListener
    provider: 'up' | 'down' | RequestListener
  }
  /** Ends the gateway and starts it again on what its store kept. */
  restart(change?: Partial<Config>): Promise<void>
  /** One more node on the same store, under the same name. Answers its port. */
  secondNode(
    change?: Partial<Config>,
  ): Promise<{ readonly port: number; readonly gateway: OpenGateway }>
  close(): Promise<void>
}

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))
const log = pino({ level: 'silent' })

async function site(host: string) {
  let handler: RequestListener = (_req, res) => res.writeHead(503).end()
  const server = createServer((req, res) => handler(req, res))
  const port = await listen(server)
  const serve = (next: RequestListener) => {
    handler = next
  }
  return { server, origin: `http://${host}:${port}`, serve }
}

const listen = (server: Server, port = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

const hangUp = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

function handClock(running: () => OpenGateway | undefined): HandClock {
  let now = Date.now()
  const moveTo = async (time: EpochMs) => {
    now = time
    await running()?.policies.refresh()
  }
  return Object.assign(() => now, {
    advance: (by: Seconds) => moveTo(now + by * 1000),
    catchUp: () => moveTo(Math.max(now, Date.now())),
  })
}

/** Hangs up, answers by itself, or lets through. */
const failing =
  (state: () => 'up' | 'down' | RequestListener): express.RequestHandler =>
  (req, res, next) => {
    const how = state()
    if (how === 'up') next()
    else if (how === 'down') req.socket.destroy()
    else how(req, res)
  }

async function hospital(
  origins: Origins,
  users: readonly LaunchingUser[],
  credential: string,
  clock: HandClock,
  behind: TestGateway['behind'],
): Promise<RequestListener> {
  const text = (path: string) => readFile(join(packageRoot(), 'config', path), 'utf8')
  const record = createRecord({
    ...{ patients: PATIENTS, people: users, credential, clock },
    plans: readPlans(await text('demo/plans.yaml')),
    form: readForm(await text('plan/sections.yaml')),
  })
  const provider = createProvider({
    issuer: `${origins.hospital}/oidc`,
    gateway: {
      ...{ origin: origins.gateway, clientId: 'launch-gateway' },
      jwksUri: `${origins.gateway}/oauth/jwks`,
    },
    ...{ users, clock, keys: await makeProviderKeys() },
  })
  return express()
    .use(
      '/record',
      failing(() => behind.record),
      record,
    )
    .use(
      '/oidc',
      failing(() => behind.provider),
      provider,
    )
}

const newKey = async (alg: 'ES256' | 'ES384', kid: string): Promise<JWK> => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' }
}

export interface Options {
  readonly store: StoreKind
  /** Laid over the configuration, member by member. */
  readonly change?: (config: Config) => Partial<Config>
}

/** The gateway and all around it. Close it, or its servers keep the test waiting. */
export async function openTestGateway({
  store,
  change = () => ({}),
}: Options): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-'))
  const redis = store === 'redis' ? await startRedis() : undefined
  const sites = {
    gateway: await site('localhost'),
    desktop: await site('127.0.0.1'),
    hospital: await site('127.0.0.1'),
  }
  // Nobody listens there: what is sent to the app is read off the address.
  const origins: Origins = {
    gateway: sites.gateway.origin,
    desktop: sites.desktop.origin,
    hospital: sites.hospital.origin,
    app: 'http://app.localhost:9999',
  }
  const users = await demoUsers(packageRoot())
  const keys = await demoSystems(dataDir)
  const appKeys = { 'key-app': await newKey('ES384', 'key-app-1') }
  const others = {
    clinic: await newKey('ES256', 'clinic-1'),
    ward: await newKey('ES256', 'ward-1'),
  }
  const systems: Record<string, LaunchingSystem> = Object.fromEntries(
    SYSTEM_IDS.map((id) => [
      id,
      { id, rung: PORTRAITS[id].rung, key: keys[id].key, claims: PORTRAITS[id].claims },
    ]),
  )
  systems['gp-clinic'] = { id: 'gp-clinic', rung: 'pushed', key: others.clinic }
  systems['gp-ward'] = { id: 'gp-ward', rung: 'signed', key: others.ward }
  const credential = Buffer.from(random(24)).toString('base64url')
  let running: OpenGateway | undefined
  const clock = handClock(() => running)
  const settings = { root: packageRoot(), origins, dataDir, clock, random, log }
  const rows = launchSystemRows(keys, origins.desktop)
  const base = demoConfig(
    { ...settings, ...(redis ? { overrides: { store: { kind: 'redis', url: redis.url } } } : {}) },
    rows,
    credential,
  )
  const apps = [...base.apps, ...APPS(appKeys)]
  const registered = [...rows, ...extraSystems(others, origins.desktop)]
  const whole: Config = {
    ...{ ...base, apps },
    systems: registered.map((row) => ({ ...row, apps: apps.map(({ id }) => id) })),
  }
  const config: Config = { ...whole, ...change(whole) }
  const behind: TestGateway['behind'] = { record: 'up', provider: 'up' }
  sites.hospital.serve(await hospital(origins, users, credential, clock, behind))
  const smart = createSmartServer({
    ...{ issuer: `${origins.desktop}/smart`, gateway: origins.gateway, clock: Date.now, random },
    system: systems['gp-smart'] as LaunchingSystem,
  })
  sites.desktop.serve(express().use('/smart', smart.router))

  const open = (changed: Config) => openGateway(changed, { clock, random, log, allowHttp: true })
  const servers: Server[] = [sites.desktop.server, sites.hospital.server]
  const nodes: OpenGateway[] = []
  let front = sites.gateway.server
  const start = async (changed: Config) => {
    running = await open(changed)
    // Until here something else kept the port.
    await hangUp(front)
    front = createHttpServer(running.app)
    await listen(front, Number(new URL(origins.gateway).port))
  }
  await start(config)
  return {
    ...{
      origins,
      issuer: origins.gateway,
      clock,
      config,
      systems,
      users,
      smart,
      appKeys,
      redis,
      behind,
    },
    get running() {
      return running as OpenGateway
    },
    async restart(changed = {}) {
      await running?.close()
      await start({ ...config, ...changed })
    },
    async secondNode(changed = {}) {
      const gateway = await open({ ...config, ...changed })
      const server = createHttpServer(gateway.app)
      nodes.push(gateway)
      servers.push(server)
      return { port: await listen(server), gateway }
    },
    async close() {
      await Promise.all([front, ...servers].map(hangUp))
      for (const node of nodes) await node.close()
      await running?.close()
      await redis?.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
