import { readFileSync } from 'node:fs'
import { type Config, ConfigError, readConfig } from '../config.js'
import { createHttpServer } from '../http/server.js'
import { createLog } from '../log.js'
import { openGateway } from '../open.js'
import { Problems } from '../policy/problem.js'
import { type Command, need, type Outside, Refused } from './command.js'

const DRAIN_MS = 10_000

/** What is fine for a demonstration and must never meet a patient. */
function refuseDemonstration(config: Config): void {
  const problems = [
    ...(config.issuer.startsWith('https://') ? [] : ['issuer: must be https (RFC 8414 §2)']),
    ...(config.identity.clinician.issuer.startsWith('https://')
      ? []
      : ['identity.clinician.issuer: must be https']),
    ...[config.upstreams.fhir, config.upstreams.openehr]
      .filter(
        ({ base }) => new URL(base).pathname.startsWith('/record/') && !base.startsWith('https:'),
      )
      .map(({ base }) => `upstreams: ${base} is the demonstration’s record`),
    ...config.systems
      .filter(({ id }) => ['gp-push', 'gp-post', 'gp-smart', 'gp-sealed'].includes(id))
      .map(({ id }) => `launch system ${id}: is the demonstration’s`),
    ...[...config.apps.flatMap(({ redirectUris }) => redirectUris)]
      .filter((uri) => uri.startsWith('http:'))
      .map((uri) => `app redirect ${uri}: must be https`),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

/** @throws Refused with every problem of the configuration */
export function configOf(outside: Outside, directory: string): Config {
  try {
    return readConfig({ directory, env: outside.env })
  } catch (error) {
    if (error instanceof ConfigError) throw new Refused(error.message)
    throw error
  }
}

async function listen(outside: Outside, config: Config): Promise<void> {
  const log = createLog(outside.env.LAUNCH_GATEWAY_LOG_LEVEL ?? 'info')
  const gateway = await openGateway(config, { ...outside, log, allowHttp: false })
  const tls = config.tls && {
    cert: readFileSync(config.tls.cert),
    key: readFileSync(config.tls.key),
  }
  const server = createHttpServer(gateway.app, tls)
  const { host, port } = config.listen
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  gateway.tick()
  log.info({ issuer: config.issuer, host, port, store: config.store.kind }, 'serving')
  await outside.stopped()
  log.info('draining')
  const drained = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
  server.closeIdleConnections()
  await drained
  clearTimeout(timer)
  await gateway.close()
}

export const serve: Command = {
  name: 'serve',
  summary: 'run the gateway in production',
  help: `
Reads gateway.yaml, apps.yaml, launch-systems.yaml, roles.yaml, organizations.yaml and policies/ of a
directory (config/ shows every key) and secrets from LAUNCH_GATEWAY_… variables or …_FILE. Refuses to start,
naming every problem at once, when something is missing, when an issuer is not https, or when anything of
the demonstration is configured. Stops on SIGTERM after the requests in hand.

  launch-gateway serve --config /etc/launch-gateway`,
  options: { config: { type: 'string', value: 'DIR', help: 'the configuration directory' } },
  async run(outside, values) {
    const config = configOf(outside, need(values, 'config'))
    try {
      refuseDemonstration(config)
      await listen(outside, config)
    } catch (error) {
      if (error instanceof ConfigError || error instanceof Problems)
        throw new Refused(error.message)
      throw error
    }
  },
}
