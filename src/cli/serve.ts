import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Config, type ConfigInput, ENCRYPTION_MISSING, readConfig } from '../config.js'
import { ENCRYPTION_VARIABLE } from '../keys/encryption.js'
import { type Command, need, type Outside } from './command.js'
import { isPlain, memberAt, unfit } from './rows.js'

type Files = Parameters<NonNullable<ConfigInput['judge']>>[0]

/** A text in a file that may not be sound; '' for anything else that stands there. */
const textAt = (file: unknown, path: string): string => {
  const found = memberAt(file, path)
  return typeof found === 'string' ? found : ''
}

const rowsOf = (file: unknown): readonly unknown[] => (Array.isArray(file) ? file : [])

/** Members of gateway.yaml that name addresses which patients' data or users' sign-ons depend on. */
const ISSUERS = ['issuer', 'identity.clinician.issuer']

/** The servers of the region and of each tenant. */
function serversIn(gateway: unknown): readonly string[] {
  const places = [
    'upstreams',
    ...rowsOf(memberAt(gateway, 'upstreams.tenants')).map((_, i) => `upstreams.tenants.${i}`),
  ]
  return places.flatMap((place) => [`${place}.fhir`, `${place}.openehr`])
}
const PLACES = ['policies', 'roles', 'console', 'organizations', 'plan']
/** What the demonstration keeps in its data directory: keys that anyone who ran it may hold. */
const DEMO_KEYS = ['demo-gp-systems.json', 'demo-provider.json', 'demo-key-encryption']

/** What is fine for a demonstration and must never meet a patient, a line each. */
function demonstrationIn(directory: string, root: string, { gateway, apps, systems }: Files) {
  const demo = join(root, 'config/demo')
  const dataDir = resolve(directory, textAt(gateway, 'data_dir'))
  const servers = serversIn(gateway)
  const isDemoRecord = (base: string) => isPlain(base) && /^[^/]*\/\/[^/]+\/record\//.test(base)
  return [
    ...[...ISSUERS, ...servers.map((path) => `${path}.authenticate.token_endpoint`)]
      .filter((path) => isPlain(textAt(gateway, path)))
      .map((path) => `${path}: must be https (RFC 8414 §2)`),
    ...servers
      .map((path) => `${path}.base`)
      .filter((path) => isDemoRecord(textAt(gateway, path)))
      .map((path) => `${path}: is the demonstration’s record`),
    ...PLACES.filter((path) =>
      resolve(directory, textAt(gateway, path)).startsWith(`${demo}/`),
    ).map((path) => `${path}: is the demonstration’s`),
    ...DEMO_KEYS.filter((file) => existsSync(join(dataDir, file))).map(
      (file) => `data_dir: holds the demonstration’s keys (${file})`,
    ),
    ...rowsOf(systems).flatMap((row) => unfit('system', row)),
    ...rowsOf(apps).flatMap((row) => unfit('app', row)),
  ]
}

/** A configuration for real patients. @throws ConfigError with every problem of it */
const servedConfig = (outside: Outside, directory: string): Config =>
  readConfig({
    directory,
    env: outside.env,
    judge: (files) => [
      ...demonstrationIn(resolve(directory), outside.root, files),
      ...([ENCRYPTION_VARIABLE, `${ENCRYPTION_VARIABLE}_FILE`].every((name) => !outside.env[name])
        ? [ENCRYPTION_MISSING]
        : []),
    ],
  })

/** @throws ConfigError with every problem of the configuration */
export const configOf = (outside: Outside, directory: string): Config =>
  readConfig({ directory, env: outside.env })

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
    const config = servedConfig(outside, need(values, 'config'))
    // Not before it is needed: the other commands share this file and not the gateway.
    const { serving } = await import('./serving.js')
    await serving(outside, config)
  },
}
