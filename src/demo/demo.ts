/** The demonstration: a gateway, the GP desktop in front of it, the hospital behind it, the app beside it. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { searchTrail } from '../audit/search.js'
import type { Config } from '../config.js'
import { createHttpServer } from '../http/server.js'
import { type OpenGateway, openGateway } from '../open.js'
import { createAppServer } from './app-server.js'
import { type DemoSettings, demoConfig, LISTEN } from './configuration.js'
import { createDesktop } from './desktop.js'
import type { LaunchingUser } from './desktop-launches.js'
import { type DemoSystems, demoSystems, launchSystemRows } from './desktop-systems.js'
import { createTap, type Tap } from './desktop-tap.js'
import { makeHistory } from './history.js'
import { createHospital, demoUsers } from './hospital.js'
import { everyone } from './population/population.js'

export interface Demo {
  readonly gateway: OpenGateway
  readonly config: Config
  readonly systems: DemoSystems
  readonly users: readonly LaunchingUser[]
  close(): Promise<void>
}

async function listen(server: Server, port: number, host: string): Promise<Server> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}

const portOf = (origin: string): number => Number(new URL(origin).port || 443)

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** All of them, or none: one that stayed open would keep the process from ending. */
async function listenAll(
  wanted: readonly (readonly [server: Server, origin: string, host?: string | undefined])[],
): Promise<readonly Server[]> {
  const open: Server[] = []
  try {
    for (const [server, origin, host = LISTEN] of wanted)
      open.push(await listen(server, portOf(origin), host))
    return open
  } catch (error) {
    await Promise.all(open.map(close))
    throw error
  }
}

/** The gateway's own: its origin, and beside it the one where clients with certificates call. */
function gatewayServers(
  { app }: OpenGateway,
  tap: Tap,
  { origins, tls, mtls, host }: DemoSettings,
) {
  const main = [createHttpServer(app, tls, tap.wrap(app)), origins.gateway, host] as const
  if (!mtls) return [main]
  const { ca, origin } = mtls
  return [main, [createHttpServer(app, { ...tls, clients: { ca } }), origin, host] as const]
}

/**
 * Starts the four servers, and a fifth for clients with certificates.
 * @throws Error when a port is taken, ConfigError
 */
export async function startDemo(settings: DemoSettings): Promise<Demo> {
  const { root, origins, clock, random, log } = settings
  const dataDir = settings.dataDir ?? join(root, '.data')
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o700)
  const systems = await demoSystems(dataDir)
  const users = await demoUsers(root)
  const credential = randomBytes(24).toString('base64url')
  const config = demoConfig(
    { ...settings, dataDir },
    launchSystemRows(systems, origins.desktop),
    credential,
  )
  const gateway = await openGateway(config, { clock, random, log, allowHttp: true })
  const tap = createTap(clock)
  const desktop = createDesktop({
    ...{
      origin: origins.desktop,
      gateway: { origin: origins.gateway },
      systems,
      users,
      clock,
      random,
    },
    ...{ app: { origin: origins.app, id: 'care-plan' }, patients: everyone },
    search: (query) => searchTrail(gateway.store, query),
    tap,
    pages: join(root, 'dist/public/desktop'),
  })
  const listing = config.listing ? { listing: config.listing } : {}
  const careplan = createAppServer({
    gatewayOrigin: origins.gateway,
    issuers: [`${origins.gateway}/fhir`],
    clientId: 'care-plan',
    frameAncestors: [origins.desktop],
    emergencyText: config.pages.emergency_text,
    plan: { ...listing, pathways: config.pathways, sections: config.plan },
    root: join(root, 'dist/public/care-plan'),
  })
  const servers = await listenAll([
    ...gatewayServers(gateway, tap, settings),
    [createServer(desktop), origins.desktop],
    [
      createServer(
        await createHospital({ root, origins, dataDir, credential, form: config.plan, clock, log }),
      ),
      origins.hospital,
    ],
    [createServer(careplan), origins.app],
  ]).catch(async (error: unknown) => {
    await gateway.close()
    throw error
  })
  gateway.tick()
  let closing = false
  // Nobody waits for it: judging four changes takes some seconds.
  const past = settings.history
    ? makeHistory(gateway.drafts).catch((error: unknown) => {
        if (!closing) log.warn({ err: error }, 'the pretend history could not be made')
      })
    : undefined
  return {
    ...{ gateway, config, systems, users },
    async close() {
      closing = true
      await Promise.all(servers.map(close))
      await gateway.close()
      await past
    },
  }
}
