/** Every kind of app, registered in one command at a running gateway, and known by it at the next request. */
import { randomBytes, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { MEMBERS } from '../../src/cli/apps.js'
import { CLIENT_TYPES, PROFILE_NAMES, PROFILES } from '../../src/core/client-profile.js'
import { CLIENT_MEMBERS } from '../../src/core/client-registration.js'
import { certificate } from '../certificates.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { APP, REGISTRATION, registerApp } from '../registering.js'
import { entriesOf, refusalEntry } from '../trail-reading.js'
import { type Sent, send } from '../user-agent.js'
import { emptyFolder, run } from './built.js'
import { runHere } from './in-process.js'

jest.setTimeout(60_000)

const SECRET = 'a-secret.that_is~long-enough-to-be-1'
const CLIENT_CERTIFICATE = certificate({ subject: [{ CN: 'app' }] })
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })

let t: TestGateway
let folder: Awaited<ReturnType<typeof emptyFolder>>
beforeAll(async () => {
  folder = await emptyFolder()
  const mtls = { alias: 'https://mtls.example', header: 'client-cert' as const }
  const change = () => ({ mtls, trust_proxy: ['127.0.0.1'], registration: REGISTRATION })
  t = await openTestGateway({ store: 'embedded', change })
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }
  await writeFile(join(folder.path, 'keys.json'), JSON.stringify(keys))
  const { publicKey: theirs } = new X509Certificate(CLIENT_CERTIFICATE.pem)
  const certified = { keys: [{ ...theirs.export({ format: 'jwk' }), kid: 'c1' }] }
  await writeFile(join(folder.path, 'certified.json'), JSON.stringify(certified))
  await writeFile(join(folder.path, 'contexts.json'), '[{"name":"__form","type":"string"}]')
}, 60_000)
afterAll(async () => {
  await t?.close()
  await folder?.remove()
})

const file = (name: string) => join(folder.path, name)
const command = (words: readonly string[], input = '', clock = Date.now) =>
  runHere([...words, '--data', t.config.dataDir], { input, clock })
/** In a process of its own. */
const built = (words: readonly string[], input = '') =>
  run([...words, '--data', t.config.dataDir], { input })
const adding = (id: string, words: readonly string[]) =>
  ['app', 'add', '--id', id, '--redirect', 'https://app.example/', ...words] as const
const add = (id: string, words: readonly string[], input?: string) =>
  command(adding(id, words), input)

/** What each type says of itself in the command, and how it proves itself then. */
const OF: Readonly<
  Record<string, { words: () => readonly string[]; prove(id: string): Promise<Sent> }>
> = {
  public: { words: () => [], prove: async (id) => ({ form: { client_id: id } }) },
  secret: {
    words: () => ['--secret-file', '-'],
    prove: async (id) => ({
      form: {},
      headers: { authorization: `Basic ${Buffer.from(`${id}:${SECRET}`).toString('base64')}` },
    }),
  },
  key: {
    words: () => ['--jwks', file('keys.json'), '--algorithm', 'ES256'],
    async prove(id) {
      const now = Math.floor(t.clock() / 1000)
      const jti = randomBytes(9).toString('hex')
      const claims = { iss: id, sub: id, aud: t.issuer, exp: now + 60, jti }
      return {
        form: {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await new SignJWT(claims)
            .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
            .sign(privateKey),
        },
      }
    },
  },
  certificate: {
    words: () => ['--jwks', file('certified.json')],
    prove: async (id) => ({
      form: { client_id: id },
      headers: { 'client-cert': `:${CLIENT_CERTIFICATE.pem.replace(/-----[^-]+-----|\s/g, '')}:` },
    }),
  },
}

describe('app add', () => {
  it('has an option for every member of a registration', () => {
    const said = ['id', 'name', 'type', 'secret_hash', ...MEMBERS.map(({ member }) => member)]
    expect(said.sort()).toEqual([...CLIENT_MEMBERS].sort())
    expect(new Set(MEMBERS.map(({ option }) => option)).size).toBe(MEMBERS.length)
  })

  const combinations = PROFILE_NAMES.flatMap((profile) =>
    CLIENT_TYPES.filter((type) =>
      (PROFILES[profile].types as readonly string[]).includes(type),
    ).map((type) => [type, profile] as const),
  )
  it.each(combinations)(
    'registers an app of type %s and profile %s, which the gateway knows by its proof and by no other',
    async (type, profile) => {
      const id = `${type}-${profile}`
      const kind = OF[type]
      if (!kind) throw new Error(type)
      const words = [
        '--type',
        type,
        '--profile',
        profile,
        '--scope',
        'launch openid',
        ...kind.words(),
      ]
      const added = await built(adding(id, words), type === 'secret' ? `${SECRET}\n` : undefined)
      expect(added).toMatchObject({ code: 0, err: '' })
      expect(added.out).not.toContain(SECRET)

      const ask = ({ form, headers = {} }: Sent) =>
        send(new URL('/oauth/token', t.issuer), {
          form: { grant_type: 'authorization_code', code: 'cod_x', ...(form as object) },
          headers,
        })
      // Past its proof: the code is nobody's, or there is no key to bind a token to.
      const bound = PROFILES[profile].bound && type !== 'certificate'
      const { refusal } = await refusalEntry(t, await ask(await kind.prove(id)))
      expect(refusal).toBe(bound ? 'dpop_invalid' : 'code_invalid')
      const unproven = await ask(
        type === 'public'
          ? { form: { client_id: id, client_secret: SECRET } }
          : { form: { client_id: id } },
      )
      expect((await refusalEntry(t, unproven)).refusal).toBe('client_unproven')
    },
  )

  it('takes every further member', async () => {
    const added = await add('everything', [
      ...['--type', 'key', '--jwks', file('keys.json'), '--scope', 'launch openid system/*.rs'],
      ...[
        '--grant',
        'authorization_code',
        '--grant',
        'client_credentials',
        '--pushed',
        '--dpop-bound',
        '--dpop-nonce',
        'required',
      ],
      ...[
        '--request-objects',
        'required',
        '--details-type',
        'smart_on_fhir',
        '--contexts',
        file('contexts.json'),
      ],
      ...[
        '--id-token-algorithm',
        'ES256',
        '--userinfo-algorithm',
        'ES256',
        '--token-lifetime',
        '60',
      ],
      ...[
        '--origin',
        'https://pages.example',
        '--launch-url',
        'https://app.example/launch',
        '--name',
        'All',
      ],
    ])
    expect(added).toMatchObject({ code: 0, err: '' })
    expect(await t.running.registry.client('everything')).toMatchObject({
      ...{
        name: 'All',
        pushed: true,
        bound: 'key',
        nonceRequired: true,
        requestObjects: 'required',
      },
      ...{
        detailTypes: ['smart_on_fhir'],
        contexts: [{ name: '__form', type: 'string', max: 1024 }],
      },
      ...{ idTokenAlgorithm: 'ES256', userinfoAlgorithm: 'ES256', accessTokenLifetime: 60 },
      ...{ origins: ['https://pages.example'], launchUrls: ['https://app.example/launch'] },
    })
    const certified = [
      '--type',
      'key',
      '--jwks',
      file('keys.json'),
      '--scope',
      'launch',
      '--certificate-bound',
    ]
    expect(await add('certified', certified)).toMatchObject({ code: 0, err: '' })
    expect((await t.running.registry.client('certified'))?.bound).toBe('certificate')
  })

  it('remembers since when an app has the keys that stand in its registration, and the list reminds of old ones (SMART, "Registering a client")', async () => {
    const inline = ['--type', 'key', '--scope', 'launch', '--jwks', file('keys.json')]
    const now = Date.now()
    // It stays today while all of it is done.
    const today = (words: readonly string[]) => command(words, '', () => now)
    const day = (ago: number) => new Date(now - ago * 86_400_000).toISOString().slice(0, 10)
    await today(adding('keys-new', inline))
    await today(adding('keys-good', [...inline, '--jwks-since', day(365)]))
    await today(adding('keys-old', [...inline, '--jwks-since', day(366)]))
    const away = ['--type', 'key', '--scope', 'launch', '--jwks-uri', 'https://app.example/jwks']
    await today(adding('keys-away', away))
    const { out } = await today(['app', 'list'])
    const said = (id: string) =>
      new RegExp(`^${id} .*https://app.example/ *(.*)$`, 'm').exec(out)?.[1]
    expect(said('keys-new')).toBe('keys 0 days old')
    expect(said('keys-good')).toBe('keys 365 days old')
    expect(said('keys-old')).toBe('keys 366 days old: ask for new ones')
    expect(said('keys-away')).toBe('')
    const lost = await add('keys-lost', [...away, '--jwks-since', day(1)])
    expect(lost).toMatchObject({ code: 2 })
    expect(lost.err).toContain('jwks_since: needs jwks')
    const never = await add('keys-never', [...inline, '--jwks-since', 'lately'])
    expect(never.err).toContain('jwks_since: ')
  })

  it.each([
    ['--subject-dn', 'CN=app.example'],
    ['--san-dns', 'app.example'],
    ['--san-uri', 'https://app.example/id'],
    ['--san-ip', '192.0.2.7'],
    ['--san-email', 'app@app.example'],
  ])('takes a certificate’s name by %s', async (option, value) => {
    const id = `named${option.slice(1)}`
    const added = await add(id, ['--type', 'certificate', '--scope', 'launch', option, value])
    expect(added).toMatchObject({ code: 0, err: '' })
    expect(Object.values((await t.running.registry.client(id))?.certificate ?? {})).toEqual([value])
  })

  it('refuses a secret from standard input that is too short to be one', async () => {
    const added = await add(
      'short',
      ['--type', 'secret', '--scope', 'launch', '--secret-file', '-'],
      'short',
    )
    expect(added).toMatchObject({ code: 2, err: expect.stringContaining('32 to 256') })
  })

  it('refuses kinds of context that are the gateway’s own', async () => {
    await writeFile(file('own.json'), '[{"name":"__launch","type":"string"}]')
    const added = await add('taken', [
      '--type',
      'public',
      '--scope',
      'launch',
      '--contexts',
      file('own.json'),
    ])
    expect(added).toMatchObject({ code: 2, err: expect.stringContaining('contexts.0.name') })
  })
})

describe('app token', () => {
  it('makes a token that registers as many apps as it says, until its days are over', async () => {
    const made = await built(['app', 'token', '--uses', '2', '--days', '1'])
    expect(made).toMatchObject({ code: 0, err: '' })
    const [, name = '', token = ''] =
      /^Initial token (\S{8}), shown this once: (ini_[\w-]{32})$/m.exec(made.out) ?? []
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await registerApp(t, APP, token)).status)
    expect(statuses).toEqual([201, 201, 401])
    const entries = await entriesOf(t, { from: 0 })
    expect(entries.map(({ detail }) => detail)).toContainEqual(
      expect.objectContaining({ initial: name, uses: 2 }),
    )
    expect(JSON.stringify(entries)).not.toContain(token)

    const late = await command(['app', 'token', '--days', '1'])
    const [, unused = ''] = /(ini_[\w-]{32})/.exec(late.out) ?? []
    // The command ran by the machine's own clock.
    await t.clock.catchUp()
    await t.clock.advance(86_400 + 60)
    expect((await registerApp(t, APP, unused)).status).toBe(401)
  })

  it.each([['0'], ['101'], ['x'], ['1.5'], ['-1']])(
    'refuses %s uses, with exit 2',
    async (uses) => {
      expect((await command(['app', 'token', `--uses=${uses}`])).code).toBe(2)
    },
  )
})
