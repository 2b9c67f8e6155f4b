import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createLog } from '../log.js'
import {
  type Command,
  isOrigin,
  type Outside,
  Refused,
  text,
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
export async function loadDemo() {
  try {
    return await import('../demo/demo.js')
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Refused(
      'There is no demonstration in this installation: `npm ci` in the source folder brings it. Commands that look into a store take --config.',
    )
  }
}

type DemoModule = Awaited<ReturnType<typeof loadDemo>>

function banner(
  origins: ReturnType<DemoModule['demoOrigins']>,
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
  launch-gateway demo --issuer https://localhost:8443 --tls-cert cert.pem --tls-key key.pem`,
  options: {
    issuer: { type: 'string', value: 'URL', help: 'the gateway’s origin, for outside test suites' },
    'tls-cert': { type: 'string', value: 'FILE', help: 'certificate of that origin, PEM' },
    'tls-key': { type: 'string', value: 'FILE', help: 'its key, PEM' },
    data: { type: 'string', value: 'DIR', help: 'where to keep what is made (default .data)' },
    redis: {
      type: 'string',
      value: 'URL',
      help: 'keep records in Redis instead of the data directory',
    },
  },
  async run(outside, values) {
    const { demoOrigins, startDemo } = await loadDemo()
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
      ...redisOf(values),
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
  const { keptDemoConfig, demoOrigins } = await loadDemo()
  const { root, clock, random } = outside
  const dataDir = dataDirOf(outside, values)
  if (!existsSync(dataDir)) throw absent(dataDir)
  const origins = demoOrigins(portOf(outside))
  return await keptDemoConfig({
    ...{ root, origins, dataDir, clock, random, log: createLog('warn') },
    ...redisOf(values),
  })
}

const redisOf = (values: Values) => {
  const url = text(values, 'redis')
  return url === undefined ? {} : { overrides: { store: { kind: 'redis', url } } }
}
