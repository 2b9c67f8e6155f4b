import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openEmbedded } from '../../src/store/embedded.js'
import type { Put } from '../../src/store/store.js'
import { freePorts, occupy, vacate } from '../free-ports.js'
import { emptyFolder, inForce, ROOT, run, start } from './built.js'
import { runHere } from './in-process.js'

let folder: Awaited<ReturnType<typeof emptyFolder>>
beforeEach(async () => {
  folder = await emptyFolder()
  await cp(join(ROOT, 'config'), folder.path, { recursive: true })
})
afterEach(() => folder.remove())

const ENCRYPTION = { LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex') }

type Env = Readonly<Record<string, string>>
const serve = (config = folder.path, env: Env = {}) =>
  runHere(['serve', '--config', config], { env: { ...ENCRYPTION, ...env } })
/** In a process of its own. */
const built = (env: Env = {}) =>
  run(['serve', '--config', folder.path], { env: { ...ENCRYPTION, ...env } })

async function change(file: string, ...changes: readonly (readonly [RegExp, string])[]) {
  const path = join(folder.path, file)
  let text = await readFile(path, 'utf8')
  for (const [from, to] of changes) {
    if (!from.test(text)) throw new Error(`${file} has no ${from}`)
    text = text.replace(from, to)
  }
  await writeFile(path, text)
}

/** One more launch system, before the shipped one. */
const addSystem = (id: string, ...members: readonly string[]) =>
  change('launch-systems.yaml', [
    /^- id: example-gp/m,
    `- { id: ${id}, name: Another, sign_on: provider, organizations: [A83001], apps: [care-plan], ${members.join(', ')} }
- id: example-gp`,
  ])

/** The shipped example, on this machine alone: an embedded store, a free port, TLS ended in front of it. */
async function onThisMachine(): Promise<number> {
  const port = await freePorts(1)
  await change(
    'gateway.yaml',
    [/^listen: .*$/m, `listen: { host: 127.0.0.1, port: ${port} }`],
    [/^data_dir: .*$/m, 'data_dir: data'],
    [/^store: .*$/m, 'store: { kind: embedded }'],
  )
  return port
}

describe('serve refuses to start', () => {
  it('on a folder that holds no configuration, naming every file that it wants', async () => {
    const { code, out, err } = await serve(join(folder.path, 'nowhere'))
    expect({ code, out }).toEqual({ code: 1, out: '' })
    for (const file of ['gateway.yaml', 'apps.yaml', 'launch-systems.yaml'])
      expect(err).toMatch(new RegExp(`nowhere/${file}: there is no such file`))
  })

  it('on the shipped example as it stands, naming the one setting that is missing', async () => {
    const { code, err } = await built()
    expect(code).toBe(1)
    expect(err).toContain('store.url or LAUNCH_GATEWAY_REDIS_URL: missing')
  })

  it('on anything of the demonstration and anything that is missing, all at once', async () => {
    await mkdir(join(folder.path, 'data'))
    await writeFile(join(folder.path, 'data/demo-gp-systems.json'), '{}')
    await change(
      'gateway.yaml',
      [/^issuer: .*$/m, 'issuer: http://localhost:8080'],
      [/^data_dir: .*$/m, 'data_dir: data'],
      [/issuer: https:\/\/cis2.*$/m, 'issuer: http://127.0.0.1:8082/oidc'],
      [
        /base: https:\/\/fhir[^,]*/,
        'base: http://127.0.0.1:8082/record/fhir, authenticate: { token_endpoint: http://127.0.0.1:8082/token, client_id: us }',
      ],
      [/^organizations: .*$/m, `organizations: ${join(ROOT, 'config/demo/organizations.yaml')}`],
      [/^ {2}support: .*$/m, ''],
    )
    await change('apps.yaml', [
      /https:\/\/care-plan\.example\.nhs\.uk\/\]/,
      'http://app.localhost:8083/]',
    ])
    await change(
      'launch-systems.yaml',
      [/id: example-gp/, 'id: gp-push'],
      [/rung: pushed/, 'rung: carrier-pigeon'],
    )
    const { code, out, err } = await serve()
    expect({ code, out }).toEqual({ code: 1, out: '' })
    for (const problem of [
      'pages.support: ',
      'launch-systems.yaml: 0.rung: ',
      'issuer: must be https',
      'identity.clinician.issuer: must be https',
      'upstreams.fhir.base: is the demonstration’s record',
      'upstreams.fhir.authenticate.token_endpoint: must be https',
      'organizations: is the demonstration’s',
      'data_dir: holds the demonstration’s keys (demo-gp-systems.json)',
      'launch system gp-push: is the demonstration’s',
      'app care-plan: redirect_uris: http://app.localhost:8083/ must be https',
    ])
      expect(err).toContain(problem)
    expect(err).toMatch(/^The configuration has 10 problem\(s\):\n/)
  })

  it('on tenants whose records are the demonstration’s, whose organisations are another’s as well, or whose files are not there', async () => {
    await onThisMachine()
    const openehr = 'openehr: { base: https://one.example/openehr/v1, subject_namespace: n }'
    const tenants = (...rows: string[]) =>
      change('gateway.yaml', [/^ {2}tenants: .*$/m, `  tenants: [${rows.join(', ')}]`])
    await tenants(
      `{ name: north, organizations: [A1, A2], fhir: { base: http://127.0.0.1:8082/record/fhir }, ${openehr} }`,
      `{ name: north, organizations: [A2], regions: [coast], fhir: { base: https://two.example/fhir }, ${openehr} }`,
      `{ name: nobodys, fhir: { base: https://three.example/fhir }, ${openehr} }`,
    )
    const first = await serve()
    for (const problem of [
      'upstreams.tenants.0.fhir.base: is the demonstration’s record',
      'upstreams.tenants: name north stands twice',
      'upstreams.tenants: organisation A2 stands twice',
      'upstreams.tenants.2: needs organizations or regions',
    ])
      expect(first.err).toContain(problem)

    const authenticate =
      'authenticate: { token_endpoint: https://auth.example.nhs.uk/token, client_id: us }'
    await change('gateway.yaml', [
      /^ {2}tenants: .*$/m,
      `  tenants: [{ name: north-east, regions: [coast], fhir: { base: https://two.example/fhir, tls: { ca: ca.crt }, ${authenticate} }, ${openehr} }]`,
    ])
    const second = await serve(folder.path, {
      LAUNCH_GATEWAY_FHIR_CREDENTIAL_NORTH_EAST: 'a token',
      LAUNCH_GATEWAY_OPENEHR_CREDENTIAL_NORTH_EAST_FILE: '/nowhere/credential',
    })
    for (const problem of [
      `upstreams.tenants.0.fhir.tls.ca: there is no file ${join(folder.path, 'ca.crt')}`,
      'upstreams.tenants.0.fhir.authenticate: there is a credential in the environment as well',
      'LAUNCH_GATEWAY_OPENEHR_CREDENTIAL_NORTH_EAST_FILE: there is no file /nowhere/credential',
    ])
      expect(second.err).toContain(problem)
  })

  it('on secrets and certificates that are named and not there', async () => {
    await onThisMachine()
    await change(
      'gateway.yaml',
      [/^# tls: .*$/m, 'tls: { cert: tls.crt, key: tls.key }'],
      [
        /^ {2}fhir: \{ (.*) \}$/m,
        '  fhir: { $1, tls: { ca: ca.crt }, authenticate: { token_endpoint: https://auth.example.nhs.uk/token, client_id: us } }',
      ],
    )
    await change('launch-systems.yaml', [
      /^- id: example-gp/m,
      `- id: sealing
  name: A system that seals
  rung: sealed
  seal_secret: LAUNCH_GATEWAY_SEAL_ONE
  sign_on: provider
  organizations: [A83001]
  apps: [care-plan, another-app]
- id: example-gp`,
    ])
    const { code, err } = await serve(folder.path, {
      LAUNCH_GATEWAY_FHIR_CREDENTIAL_FILE: '/nowhere/credential',
    })
    expect(code).toBe(1)
    for (const problem of [
      `tls.cert: there is no file ${join(folder.path, 'tls.crt')}`,
      `tls.key: there is no file ${join(folder.path, 'tls.key')}`,
      `upstreams.fhir.tls.ca: there is no file ${join(folder.path, 'ca.crt')}`,
      'LAUNCH_GATEWAY_SEAL_ONE: missing; launch system sealing seals with it',
      'LAUNCH_GATEWAY_FHIR_CREDENTIAL_FILE: there is no file /nowhere/credential',
      'launch system sealing: app another-app is not registered',
    ])
      expect(err).toContain(problem)
  })

  // biome-ignore format: a table
  it.each([
    ['missing',      {},                                                          ': missing; the gateway encrypts its own keys under it'],
    ['too short',    { LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: 'ab'.repeat(31) },      ': expected 32 random bytes'],
    ['a pattern',    { LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: '0'.repeat(64) },       ': expected 32 random bytes'],
    ['in no file',   { LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY_FILE: '/nowhere/key' },  '_FILE: there is no file /nowhere/key'],
  ] as const)('when the key that encrypts its own keys is %s', async (_, env, said) => {
    await onThisMachine()
    const { code, err } = await runHere(['serve', '--config', folder.path], { env })
    expect(code).toBe(1)
    expect(err).toMatch(/^The configuration has 1 problem\(s\):\n/)
    expect(err).toContain(`LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY${said}`)
  })

  it('when its own keys in the store are encrypted under another key, naming the variable', async () => {
    await onThisMachine()
    await inForce(folder.path, ENCRYPTION)
    expect(await serve()).toMatchObject({ code: 0, err: '' })
    const { code, err } = await serve(folder.path, {
      LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    })
    expect(code).toBe(1)
    expect(err).toMatch(/^LAUNCH_GATEWAY_KEY_ENCRYPTION_KEY: is another key .*\n$/)
  })

  const APP = ['launch_urls', 'origins', 'jwks_uri']
  const SYSTEM = ['jwks_uri', 'frame_ancestors', 'relay.issuer']
  const PLAIN = 'http://localhost:9'

  it('on any address in clear text, wherever it stands in a registration', async () => {
    await onThisMachine()
    await change('apps.yaml', [
      /^- id: /m,
      `- { id: plain, name: Plain, type: key, scopes: [launch], redirect_uris: ['https://x.example/'],
    launch_urls: ['${PLAIN}/launch'], origins: ['${PLAIN}'], jwks_uri: '${PLAIN}/jwks' }
- id: `,
    ])
    const relay = `relay: { client_id: us, scope: launch, issuer: '${PLAIN}' }`
    const reached = [`issuer: '${PLAIN}/fhir'`, `jwks_uri: '${PLAIN}/jwks'`, relay]
    await addSystem('clear', 'rung: redeemed', ...reached, `frame_ancestors: ['${PLAIN}']`)
    const { code, err } = await serve()
    expect(code).toBe(1)
    for (const member of APP)
      expect(err).toMatch(new RegExp(`app plain: ${member}: ${PLAIN}\\S* must be https`))
    for (const member of [...SYSTEM, 'issuer'])
      expect(err).toMatch(new RegExp(`launch system clear: ${member}: ${PLAIN}\\S* must be https`))
  })

  /** Writes to the store of {@link onThisMachine} what no command of production would. */
  const keep = async (...puts: readonly Put[]) => {
    const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
    const store = await openEmbedded({ dir: join(folder.path, 'data'), clock: Date.now, random })
    await store.commit({ puts })
    await store.close()
  }
  const until = Date.UTC(9999, 0)

  it('on such addresses, demonstration systems and twins among the rows that were added by command', async () => {
    await onThisMachine()
    const app = { ...{ id: 'plain', name: 'Plain', type: 'public', scopes: ['launch'] } }
    const system = {
      ...{ name: 'A system', rung: 'pushed', jwks_uri: 'https://gp.example/jwks' },
      ...{ sign_on: 'launch', organizations: ['A83001'], apps: ['care-plan'] },
    }
    await keep(
      { kind: 'app', id: 'plain', value: { ...app, redirect_uris: [`${PLAIN}/`] }, until },
      { kind: 'system', id: 'gp-push', value: { ...system, id: 'gp-push' }, until },
      {
        ...{ kind: 'system', id: 'twin', until },
        value: { ...system, id: 'twin', issuer: 'example-gp' },
      },
    )
    const { code, out, err } = await serve()
    expect({ code, out }).toEqual({ code: 1, out: '' })
    for (const problem of [
      `app plain: redirect_uris: ${PLAIN}/ must be https`,
      'launch system gp-push: is the demonstration’s',
      'launch system twin: has the issuer of example-gp (example-gp)',
    ])
      expect(err).toContain(problem)
  })

  it('on a store in which the demonstration has run, whose keys anybody may hold', async () => {
    await onThisMachine()
    await keep({ kind: 'demonstration', id: 'current', value: { since: 0 }, until })
    const { code, err } = await serve()
    expect(code).toBe(1)
    expect(err).toContain('store: the demonstration has run on it')
  })

  it.each([
    ['empty', ''],
    ['too short', 'c2hvcnQ'],
    ['a passphrase of some length, which is no key', 'correct-horse-battery-staple-correct-horse!'],
    ['too long', 'A'.repeat(44)],
  ])('on a shared secret that is %s (RFC 7518 §5.3: A256GCM takes 32 bytes)', async (_, secret) => {
    await onThisMachine()
    await addSystem('sealing', 'rung: sealed', 'seal_secret: LAUNCH_GATEWAY_SEAL_ONE')
    const { code, err } = await serve(folder.path, { LAUNCH_GATEWAY_SEAL_ONE: secret })
    expect(code).toBe(1)
    expect(err).toContain('LAUNCH_GATEWAY_SEAL_ONE: expected 32 bytes in base64url')
    if (secret !== '') expect(err).not.toContain(secret)
  })

  it('on two launch systems of one issuer, or of the OpenID provider’s', async () => {
    await onThisMachine()
    const provider = /issuer: (https:\/\/cis2.*)$/m.exec(
      await readFile(join(folder.path, 'gateway.yaml'), 'utf8'),
    )?.[1]
    await addSystem('twin', 'rung: sealed', 'issuer: example-gp')
    await addSystem('provider', 'rung: sealed', `issuer: ${provider}`)
    const { code, err } = await serve()
    expect(code).toBe(1)
    expect(err).toContain('launch system example-gp: has the issuer of twin (example-gp)')
    expect(err).toContain(`launch system provider: has the OpenID provider’s issuer`)
  })

  it('on a member that it does not know, instead of passing it over', async () => {
    await change('gateway.yaml', [/^limits:/m, 'limts: { skew: 5 }\nlimits:'])
    const { code, err } = await serve(folder.path, {
      LAUNCH_GATEWAY_REDIS_URL: 'redis://127.0.0.1:9',
    })
    expect(code).toBe(1)
    expect(err).toContain('Unrecognized key: "limts"')
  })

  it('on policies that fail their own tests, naming file and question', async () => {
    await onThisMachine()
    await change('policies/launch.cedar', [/^permit \(/m, 'forbid ('])
    const { code, err } = await serve()
    expect(code).toBe(1)
    expect(err).toMatch(/policies\/tests\/\w+\.yaml:\d+: /)
  })

  it('when Redis does not answer, in one line', async () => {
    const { code, err } = await built({ LAUNCH_GATEWAY_REDIS_URL: 'redis://127.0.0.1:9' })
    expect(code).toBe(1)
    expect(err).toMatch(/^The store could not be used: unavailable: Redis: .*\n$/)
  })

  it('on a certificate that is none', async () => {
    await onThisMachine()
    await change('gateway.yaml', [/^# tls: .*$/m, 'tls: { cert: apps.yaml, key: apps.yaml }'])
    const { code, err } = await serve()
    expect(code).toBe(1)
    expect(err).toMatch(/^tls: .*\n$/)
  })

  it.each([
    ['port', /^listen: .*$/m, 'listen: %'],
    ['port for figures', /^# operations: .*$/m, 'operations: { listen: % }'],
  ])('when its %s is taken, and ends', async (_, row, text) => {
    await onThisMachine()
    const port = await freePorts(1)
    const place = `{ host: 127.0.0.1, port: ${port} }`
    await change('gateway.yaml', [row, text.replace('%', place)])
    await inForce(folder.path, ENCRYPTION)
    const other = await occupy(port)
    const { code, err } = await built()
    await vacate(other)
    expect(code).toBe(1)
    expect(err).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`)
  })
})

describe('registering by command, for production', () => {
  it('refuses addresses in clear text and the demonstration’s names, before anything counts them in', async () => {
    await onThisMachine()
    const config = ['--config', folder.path]
    const app = ['--id', 'plain', '--type', 'public', '--scope', 'launch']
    const where = ['--redirect', 'http://localhost:9/', ...config]
    const added = await runHere(['app', 'add', ...app, ...where])
    expect(added.code).toBe(1)
    expect(added.err).toContain('app plain: redirect_uris: http://localhost:9/ must be https')
    const keys = ['--rung', 'pushed', '--jwks-uri', 'https://gp.example/jwks']
    const rest = ['--sign-on', 'launch', '--organizations', 'A83001', '--apps', 'care-plan']
    const name = ['--id', 'gp-push', '--name', 'A GP system']
    const system = await runHere(['system', 'add', ...name, ...keys, ...rest, ...config])
    expect(system.code).toBe(1)
    expect(system.err).toContain('launch system gp-push: is the demonstration’s')
  })
})

describe('serve', () => {
  it('reminds at its start of apps whose keys stand in their registration and are old', async () => {
    await onThisMachine()
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] })
    const keyed = (id: string, since: string) =>
      `- { id: ${id}, name: Keyed, type: key, scopes: [launch], redirect_uris: ['https://x.example/'],
    jwks: ${jwks}, jwks_since: ${since} }\n`
    const today = new Date().toISOString().slice(0, 10)
    const rows = `${keyed('kept-long', '2020-02-29')}${keyed('kept-short', `'${today}'`)}`
    await change('apps.yaml', [/^- id: /m, `${rows}- id: `])
    await inForce(folder.path, ENCRYPTION)
    const running = await start(['serve', '--config', folder.path], /"serving"/, {
      env: ENCRYPTION,
    })
    const { out } = await running.stop()
    expect(out).toMatch(/"app":"kept-long","days":\d{4},.*its keys are old/)
    expect(out).not.toContain('kept-short')
  })

  it('runs the shipped example on one machine, answers its health checks, and ends when it is asked to', async () => {
    const port = await onThisMachine()
    const figures = await freePorts(2)
    await change('gateway.yaml', [
      /^# operations: .*$/m,
      `operations: { listen: { host: 127.0.0.1, port: ${figures + 1} } }`,
    ])
    const running = await start(['serve', '--config', folder.path], /"serving"/, {
      env: ENCRYPTION,
    })
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
    expect(await (await get('/livez')).json()).toEqual({ alive: true })
    expect(await (await get('/readyz')).json()).toEqual({ store: true, policies: true })
    const discovery = await get('/.well-known/smart-configuration')
    expect(await discovery.json()).toMatchObject({ issuer: 'https://launch.example.nhs.uk' })
    const metrics = await fetch(`http://127.0.0.1:${figures + 1}/metrics`)
    expect(await metrics.text()).toContain('launch_gateway_policy_version 1')
    expect(discovery.headers.get('strict-transport-security')).toBe('max-age=63072000')
    const { code, out, err } = await running.stop()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('"draining"')
  })
})
