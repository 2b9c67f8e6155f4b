import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { demoOrigins, keptDemoConfig } from '../demo/configuration.js'
import { createLog } from '../log.js'
import {
  type Command,
  isOrigin,
  need,
  type Outside,
  Refused,
  text,
  texts,
  Usage,
  type Values,
} from './command.js'

export const FIRST_PORT = 8080

/** `PORT` shifts all four. @throws Refused */
export function portOf({ env }: Pick<Outside, 'env'>): number {
  const port = Number(env.PORT ?? FIRST_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65_532)
    throw new Refused('PORT: expected a number from 1 to 65532')
  return port
}

/** The demonstration is not part of a production install; it says so instead of failing to load. */
async function loadDemo() {
  try {
    return await import('../demo/demo.js')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Refused(
      'There is no demonstration in this installation: `npm ci` in the source folder brings it. Commands that look into a store take --config.',
    )
  }
}

function banner(
  origins: ReturnType<typeof demoOrigins>,
  users: readonly { id: string; name: string; org: string }[],
): string {
  const people = users.map(({ id, name, org }) => `    ${id.padEnd(20)} ${name}, ${org}`)
  return `
  The demonstration is running. Everything and everybody in it is invented.

    GP desktop           ${origins.desktop}      ← open this one
    gateway              ${origins.gateway}
    console              ${origins.gateway}/console      the security team's pages
    hospital             ${origins.hospital}      OpenID provider at /oidc, record at /record
    care-plan app        ${origins.app}   opens inside the desktop

  Choose a GP system, a user and a patient, then "Open care plan".
  People (no passwords):
${people.join('\n')}

  From a shell:  npx launch-gateway launch --system gp-push --user gp
  Stop with Ctrl+C.
`
}

const PORT = /^[1-9]\d{0,4}$/

/** The listener for clients with certificates: under the issuer's name and by its certificate. @throws Usage, Refused */
function mtlsOf(values: Values, host: string) {
  const [port, ca] = [text(values, 'mtls-listen'), text(values, 'mtls-ca')]
  if (ca !== undefined && (port === undefined || !existsSync(ca)))
    throw new Refused('--mtls-ca goes with --mtls-listen and names a file')
  if (port === undefined) return undefined
  const [issuer, cert, key] = [
    need(values, 'issuer'),
    need(values, 'tls-cert'),
    need(values, 'tls-key'),
  ]
  if (!PORT.test(port)) throw new Usage('--mtls-listen: expected a port')
  const alias = new URL(issuer)
  alias.port = port
  return {
    settings: { origin: alias.origin, ...(ca === undefined ? {} : { ca: readFileSync(ca) }) },
    file: {
      ...{ alias: alias.origin, listen: { host, port: Number(port) } },
      tls: { cert: resolve(cert), key: resolve(key) },
      ...(ca === undefined ? {} : { ca: resolve(ca) }),
    },
  }
}

/** How far it reaches, for outside suites: where it listens, whom it calls. @throws Usage, Refused */
export function reachOf(values: Values) {
  const host = text(values, 'listen')
  if (host !== undefined && !isIP(host))
    throw new Usage('--listen: expected an address of this machine, such as 0.0.0.0')
  const mtls = mtlsOf(values, host ?? '127.0.0.1')
  const allow = texts(values, 'outbound-allow')
  return {
    ...(host === undefined ? {} : { host }),
    ...(mtls ? { mtls: mtls.settings } : {}),
    overrides: {
      ...redisOf(values),
      ...(allow.length === 0 ? {} : { outbound: { allow } }),
      ...(mtls ? { mtls: mtls.file } : {}),
    },
  }
}

function tlsOf(values: Values): { cert: Buffer; key: Buffer } | undefined {
  const [cert, key] = [text(values, 'tls-cert'), text(values, 'tls-key')]
  if (cert === undefined && key === undefined) return undefined
  for (const file of [cert, key]) {
    if (file === undefined || !existsSync(file))
      throw new Refused('--tls-cert and --tls-key go together and name files')
  }
  return { cert: readFileSync(cert ?? ''), key: readFileSync(key ?? '') }
}

export const demo: Command = {
  name: 'demo',
  summary: 'run the demonstration: a gateway with a pretend hospital around it',
  help: `
Starts four servers on this machine: GP desktop, gateway, hospital (OpenID provider and record) and the
care-plan app. Needs no account, no internet and no other server. PORT shifts all four ports.

  launch-gateway demo
  launch-gateway demo --issuer https://localhost:8443 --tls-cert cert.pem --tls-key key.pem

For a suite on another machine the gateway listens there too; what plays the hospital stays on this one.

  launch-gateway demo --issuer https://gateway.example:9443 --tls-cert cert.pem --tls-key key.pem \\
    --listen 0.0.0.0 --mtls-listen 9444 --outbound-allow suite.internal`,
  options: {
    issuer: { type: 'string', value: 'URL', help: 'the gateway’s origin, for outside test suites' },
    'tls-cert': { type: 'string', value: 'FILE', help: 'certificate of that origin, PEM' },
    'tls-key': { type: 'string', value: 'FILE', help: 'its key, PEM' },
    listen: {
      type: 'string',
      value: 'ADDRESS',
      help: 'of this machine, for the gateway alone (default 127.0.0.1)',
    },
    'mtls-listen': {
      type: 'string',
      value: 'PORT',
      help: 'beside it, for clients with certificates',
    },
    'mtls-ca': { type: 'string', value: 'FILE', help: 'authorities of such certificates, PEM' },
    'outbound-allow': {
      type: 'string',
      multiple: true,
      value: 'HOST',
      help: 'inside the network, and called all the same: a suite’s keys and logout, repeatable',
    },
    data: { type: 'string', value: 'DIR', help: 'where to keep what is made (default .data)' },
    redis: {
      type: 'string',
      value: 'URL',
      help: 'keep records in Redis instead of the data directory',
    },
    'no-history': { type: 'boolean', help: 'begin without a past of policy changes' },
  },
  async run(outside, values) {
    const { startDemo } = await loadDemo()
    const { root, clock, random } = outside
    if (!existsSync(join(root, 'dist/public/desktop/index.html'))) {
      throw new Refused('The pages are not built: run `npm run build` first.')
    }
    const issuer = text(values, 'issuer')
    if (issuer !== undefined && !isOrigin(issuer))
      throw new Usage('--issuer: expected an origin such as https://localhost:8443')
    const origins = {
      ...demoOrigins(portOf(outside)),
      ...(issuer === undefined ? {} : { gateway: issuer }),
    }
    const tls = tlsOf(values)
    const data = text(values, 'data')
    const started = await startDemo({
      ...{
        root,
        origins,
        clock,
        random,
        log: createLog(outside.env.LAUNCH_GATEWAY_LOG_LEVEL ?? 'warn'),
      },
      ...(tls ? { tls } : {}),
      ...(data === undefined ? {} : { dataDir: resolve(data) }),
      ...reachOf(values),
      history: values['no-history'] !== true,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      throw new Refused(
        `${error.message}. Another program has this port: set PORT, for example PORT=9080.`,
      )
    })
    outside.say(banner(origins, started.users))
    await outside.stopped()
    await started.close()
  },
}

const dataDirOf = (outside: Outside, values: Values): string =>
  resolve(text(values, 'data') ?? join(outside.root, '.data'))

const absent = (dataDir: string): Refused =>
  new Refused(`There is no demonstration in ${dataDir} yet: run \`npm start\` first.`)

/** For commands that make nothing. @throws Refused where the demonstration never kept anything */
export function requireDemo(outside: Outside, values: Values): void {
  const dataDir = dataDirOf(outside, values)
  if (!existsSync(join(dataDir, 'demo-gp-systems.json'))) throw absent(dataDir)
}

/** The configuration under which the demonstration keeps its store. @throws Refused when it never ran */
export async function demoConfigOf(outside: Outside, values: Values) {
  const { root, clock, random } = outside
  const dataDir = dataDirOf(outside, values)
  if (!existsSync(dataDir)) throw absent(dataDir)
  const origins = demoOrigins(portOf(outside))
  return await keptDemoConfig({
    ...{ root, origins, dataDir, clock, random, log: createLog('warn') },
    overrides: redisOf(values),
  })
}

const redisOf = (values: Values) => {
  const url = text(values, 'redis')
  return url === undefined ? {} : { store: { kind: 'redis', url } }
}
