/** The demonstration: a gateway, the GP desktop in front of it, the hospital behind it, the app beside it. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { searchTrail } from '../audit/search.js'
import { type Config, readConfig } from '../config.js'
import type { Client } from '../core/client.js'
import type { LaunchSystem } from '../core/launch-system.js'
import type { Clock, Random } from '../core/values.js'
import { createHttpServer } from '../http/server.js'
import { type OpenGateway, openGateway } from '../open.js'
import { createAppServer } from './app-server.js'
import { createDesktop } from './desktop.js'
import type { LaunchingUser } from './desktop-launches.js'
import { type DemoSystems, demoSystems, launchSystemRows } from './desktop-systems.js'
import { createTap, type Tap } from './desktop-tap.js'
import { createHospital, demoUsers } from './hospital.js'
import { demoKeyEncryption } from './key-encryption.js'
import { PATIENTS } from './patients.js'

export interface Origins {
  readonly gateway: string
  readonly desktop: string
  readonly hospital: string
  readonly app: string
}

/** Four sites on one machine: cookies and framing are as hard as in a hospital. */
export const demoOrigins = (port: number): Origins => ({
  gateway: `http://localhost:${port}`,
  desktop: `http://127.0.0.1:${port + 1}`,
  hospital: `http://127.0.0.1:${port + 2}`,
  app: `http://app.localhost:${port + 3}`,
})

export interface DemoSettings {
  /** The package's folder: `config/`, `dist/public/`. */
  readonly root: string
  readonly origins: Origins
  readonly dataDir?: string
  /** Laid over config/demo/gateway.yaml. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Certificate and key in PEM, when the gateway itself speaks https. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer }
  /** Where clients with certificates call, by the same certificate of ours: the alias of `overrides.mtls`. */
  readonly mtls?: { readonly origin: string; readonly ca?: Buffer }
  /** The address that the gateway listens on. What plays the hospital is for this machine alone. */
  readonly host?: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface Demo {
  readonly gateway: OpenGateway
  readonly config: Config
  readonly systems: DemoSystems
  readonly users: readonly LaunchingUser[]
  close(): Promise<void>
}

const LISTEN = '127.0.0.1'

const APP_SCOPES = [
  'launch',
  'openid',
  'fhirUser',
  'online_access',
  'patient/Patient.r',
  'patient/CarePlan.rs',
  'patient/composition-care-plan::*.crus',
  'patient/aql-care-plan::sections.rs',
]

export const demoApp = (origin: string): Client => ({
  id: 'care-plan',
  name: 'Shared care plan',
  profile: 'smart',
  type: 'public',
  assertionAlgorithms: [],
  grantTypes: ['authorization_code', 'refresh_token'],
  pushed: false,
  redirectUris: [`${origin}/`],
  launchUrls: [`${origin}/launch.html`],
  scopes: APP_SCOPES,
  idTokenAlgorithm: 'RS256',
  origins: [origin],
})

/** The demonstration's configuration, with this start's ports, origins and credential. */
export function demoConfig(
  { root, origins, dataDir, overrides = {} }: DemoSettings,
  systems: readonly LaunchSystem[],
  credential: string,
): Config {
  const { port, hostname } = new URL(origins.gateway)
  return readConfig({
    directory: join(root, 'config/demo'),
    env: {
      LAUNCH_GATEWAY_FHIR_CREDENTIAL: credential,
      LAUNCH_GATEWAY_OPENEHR_CREDENTIAL: credential,
      LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY_FILE: demoKeyEncryption(dataDir ?? join(root, '.data')),
    },
    overrides: {
      issuer: origins.gateway,
      listen: { host: hostname === 'localhost' ? LISTEN : hostname, port: Number(port || 443) },
      ...(dataDir === undefined ? {} : { data_dir: dataDir }),
      upstreams: {
        fhir: { base: `${origins.hospital}/record/fhir` },
        openehr: {
          base: `${origins.hospital}/record/openehr/v1`,
          subject_namespace: 'https://fhir.nhs.uk/Id/nhs-number',
        },
      },
      identity: { clinician: { issuer: `${origins.hospital}/oidc`, client_id: 'launch-gateway' } },
      ...overrides,
    },
    registrations: { apps: [demoApp(origins.app)], systems },
  })
}

/** The same configuration without a running demonstration: for commands that only look into its store. */
export async function keptDemoConfig(
  settings: DemoSettings & { readonly dataDir: string },
): Promise<Config> {
  const systems = await demoSystems(settings.dataDir)
  return demoConfig(settings, launchSystemRows(systems, settings.origins.desktop), '')
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
    ...{ app: { origin: origins.app, id: 'care-plan' }, patients: PATIENTS },
    search: (query) => searchTrail(gateway.store, query),
    tap,
    pages: join(root, 'dist/public/desktop'),
  })
  const careplan = createAppServer({
    gatewayOrigin: origins.gateway,
    issuers: [`${origins.gateway}/fhir`],
    clientId: 'care-plan',
    frameAncestors: [origins.desktop],
    emergencyText: config.pages.emergency_text,
    root: join(root, 'dist/public/care-plan'),
  })
  const servers = await listenAll([
    ...gatewayServers(gateway, tap, settings),
    [createServer(desktop), origins.desktop],
    [
      createServer(await createHospital({ root, origins, dataDir, credential, clock, log })),
      origins.hospital,
    ],
    [createServer(careplan), origins.app],
  ]).catch(async (error: unknown) => {
    await gateway.close()
    throw error
  })
  gateway.tick()
  return {
    ...{ gateway, config, systems, users },
    async close() {
      await Promise.all(servers.map(close))
      await gateway.close()
    },
  }
}
