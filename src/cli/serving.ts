/** The gateway in production: listening, draining. What it may be configured with is judged in serve.ts. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import { type Config, ConfigError } from '../config.js'
import { inlineKeys } from '../core/client.js'
import { sharedIssuers } from '../core/registered.js'
import { createHttpServer } from '../http/server.js'
import { createLog } from '../log.js'
import { createMetricsServer } from '../metrics.js'
import { type OpenGateway, openGateway } from '../open.js'
import { warmUp } from '../policy/warm.js'
import { type Outside, Refused } from './command.js'
import { unfit } from './rows.js'

const DRAIN_MS = 10_000

/** Rows that were added by command are held to the same. @throws ConfigError */
async function judgeStored({ store, registry }: OpenGateway, config: Config): Promise<void> {
  const [apps, systems] = await Promise.all([store.list('app'), store.list('system')])
  const problems = [
    ...apps.flatMap(({ value }) => unfit('app', value)),
    ...systems.flatMap(({ value }) => unfit('system', value)),
    ...sharedIssuers(await registry.systems(), config.identity.clinician.issuer),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

/** Whoever runs this knows whom to ask; the apps themselves show no page that their makers see. */
async function remindOfKeys({ registry }: OpenGateway, { clock }: Outside, log: Logger) {
  for (const app of await registry.clients()) {
    const keys = inlineKeys(app, clock())
    if (keys?.old)
      log.warn({ app: app.id, days: keys.days }, 'its keys are old: ask for new ones (app list)')
  }
}

/** @throws Error when the port is taken */
async function listening(server: Server, { host, port }: Config['listen']): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}

/** @throws Refused when the files hold no certificate with its key */
function tlsOf(files: Config['tls'], what: string, ca?: string) {
  if (!files) return undefined
  const pair = { cert: readFileSync(files.cert), key: readFileSync(files.key) }
  const authorities = ca === undefined ? undefined : readFileSync(ca)
  try {
    createSecureContext(pair)
    // A listener takes a file without any certificate in silence, and then trusts nobody.
    if (authorities) new X509Certificate(authorities)
  } catch (error) {
    throw new Refused(`${what}: ${(error as Error).message}`)
  }
  return { ...pair, ca: authorities }
}

/** What each listener needs to speak TLS, read and tried before anything is opened. @throws Refused */
function listenersOf({ listen, tls, mtls }: Config) {
  const main = tlsOf(tls, 'tls')
  const certified = mtls?.listen && tlsOf(mtls.tls ?? tls, 'mtls', mtls.ca)
  const pairOf = ({ cert, key }: NonNullable<typeof certified>) => ({ cert, key })
  return [
    { at: listen, tls: main && pairOf(main) },
    ...(mtls?.listen && certified
      ? [{ at: mtls.listen, tls: { ...pairOf(certified), clients: { ca: certified.ca } } }]
      : []),
  ]
}

/** No new connections; what is in hand may end within its time. */
async function drain(servers: readonly Server[]): Promise<void> {
  const closing = servers.map(
    (server) => new Promise<void>((resolve) => server.close(() => resolve())),
  )
  const timer = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
  }, DRAIN_MS)
  for (const server of servers) server.closeIdleConnections()
  await Promise.all(closing)
  clearTimeout(timer)
}

/**
 * Runs the gateway until it is told to stop.
 * @throws ConfigError, Refused, and what opening a gateway throws
 */
export async function serving(outside: Outside, config: Config): Promise<void> {
  const log = createLog(outside.env.LAUNCH_GATEWAY_LOG_LEVEL ?? 'info')
  const listeners = listenersOf(config)
  const gateway = await openGateway(config, { ...outside, log, allowHttp: false })
  const servers = listeners.map(({ at, tls }) => ({
    at,
    server: createHttpServer(gateway.app, tls),
  }))
  const figures = createMetricsServer(gateway.metrics)
  const { operations, issuer, store } = config
  const { host, port } = config.listen
  try {
    await judgeStored(gateway, config)
    await remindOfKeys(gateway, outside, log)
    warmUp(gateway.policies)
    if (operations) await listening(figures, operations.listen)
    for (const { server, at } of servers) await listening(server, at)
  } catch (error) {
    // What stays open would keep the process from ending.
    figures.close()
    for (const { server } of servers) server.close()
    await gateway.close()
    throw error
  }
  gateway.tick()
  log.info({ issuer, host, port, store: store.kind }, 'serving')
  await outside.stopped()
  log.info('draining')
  figures.close()
  await drain(servers.map(({ server }) => server))
  await gateway.close()
}
