/** Whoever tries to register more than they may, or what is not theirs. Each is refused, and nothing is registered. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import type { RefusalCode } from '../../src/core/refusal.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { hangUp } from '../gateway-surroundings.js'
import {
  APP,
  callRegistration,
  initialToken,
  REGISTRATION,
  registerApp,
  registered,
} from '../registering.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send } from '../user-agent.js'

jest.setTimeout(60_000)

const DIRECTORY = 'https://directory.example'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const stranger = await generateKeyPair('ES256')
const ISSUERS = [
  {
    issuer: DIRECTORY,
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'd1' }] },
    algorithms: ['ES256' as const],
  },
]
const JWKS = {
  keys: [{ ...(await exportJWK(stranger.publicKey)), kid: 'k1' }] as Record<string, unknown>[],
}
const KEYED = { ...APP, token_endpoint_auth_method: 'private_key_jwt' }

const WIDE = { ...REGISTRATION, most: 1000 }

const told = ({ text }: Answer): { error: string; error_description: string } => JSON.parse(text)
const wireOf = (answer: Answer) => told(answer).error

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    // More is tried here than an address may: the limit has a test of its own.
    t = await openTestGateway({
      store,
      change: ({ limits }) => ({
        registration: WIDE,
        limits: { ...limits, rates: { ...limits.rates, registrations: 'off', clients: 'off' } },
      }),
    })
  }, 60_000)
  afterAll(() => t?.close())

  const apps = async () => (await t.running.store.list('app')).length

  /** Refused, with nothing registered and nothing of the token used. */
  async function expectNothing(body: unknown, code: RefusalCode, status = 400) {
    const [before, token] = [await apps(), await initialToken(t)]
    const answer = await registerApp(t, body, token)
    await expectRefused(t, answer, code, status)
    expect(await apps()).toBe(before)
    expect((await registerApp(t, APP, token)).status).toBe(201)
    return answer
  }

  describe('redirect addresses', () => {
    // biome-ignore format: a table
    it.each<[string, string]>([
      ['in the clear',                      'http://app.example/back'],
      ['in the clear on this machine',      'http://localhost/back'],
      ['of a script',                       'javascript:alert(1)//https://app.example/'],
      ['of data',                           'data:text/html,https://app.example/'],
      ['of an app’s own scheme',            'com.example.app:/back'],
      ['with a fragment',                   'https://app.example/back#x'],
      ['with a user before the host',       'https://app.example@elsewhere.example/'],
      ['with a pattern',                    'https://*.app.example/'],
      ['with steps back',                   'https://app.example/a/../back'],
      ['with encoded steps back',           'https://app.example/%2e%2e/back'],
      ['with a backslash',                  'https://app.example\\@elsewhere.example/'],
      ['with a tab in the scheme',          'ht\ttps://app.example/'],
      ['with a space before it',            ' https://app.example/'],
      ['with a line break after it',        'https://app.example/\n'],
      ['in capitals',                       'HTTPS://APP.EXAMPLE/'],
      ['with the port that needs no words', 'https://app.example:443/back'],
      ['with a host in other letters',      'https://аpp.example/'],
      ['with a host in decimal',            'https://2130706433/'],
      ['without a host',                    'https:///back'],
      ['that is relative',                  '//app.example/back'],
      ['that is empty',                     ''],
      ['longer than anybody needs',         `https://app.example/${'a'.repeat(2000)}`],
    ])('%s cannot be registered', async (_what, uri) => {
      const answer = await expectNothing({ ...APP, redirect_uris: [APP.redirect_uris[0], uri] }, 'redirect_invalid')
      expect(wireOf(answer)).toBe('invalid_redirect_uri')
      expect(told(answer).error_description).toContain('redirect_uris')
    })

    it('for after a sign-out, and where an app is told of one, are no others', async () => {
      for (const uri of ['http://app.example/', 'http://localhost/', 'https://a@b.example/', 'x']) {
        await expectNothing({ ...APP, post_logout_redirect_uris: [uri] }, 'metadata_invalid')
        await expectNothing({ ...APP, backchannel_logout_uri: uri }, 'metadata_invalid')
      }
      const own = {
        post_logout_redirect_uris: ['https://app.example/bye'],
        ...{
          backchannel_logout_uri: 'https://app.example/out',
          backchannel_logout_session_required: true,
        },
      }
      expect(await registered(t, own)).toMatchObject(own)
    })

    it('are strings, some, and no more than twenty', async () => {
      for (const redirect_uris of [
        [],
        [1],
        'https://app.example/',
        [['https://app.example/']],
        {},
      ]) {
        const answer = await registerApp(t, { ...APP, redirect_uris }, await initialToken(t))
        expect([answer.status, wireOf(answer)]).toEqual([400, 'invalid_redirect_uri'])
      }
      const many = Array.from({ length: 21 }, (_, i) => `https://app.example/${i}`)
      await expectNothing({ ...APP, redirect_uris: many }, 'redirect_invalid')
      await registered(t, { redirect_uris: many.slice(1) })
    })
  })

  describe('metadata', () => {
    // biome-ignore format: a table
    it.each<[string, object, string]>([
      ['a method that is none',                  { token_endpoint_auth_method: 'magic' },                   'token_endpoint_auth_method'],
      ['a method named like a built-in',         { token_endpoint_auth_method: 'constructor' },             'token_endpoint_auth_method'],
      ['a secret in the body, off its profile',  { token_endpoint_auth_method: 'client_secret_post' },      'token_endpoint_auth_method'],
      ['certificates, where none are asked for', { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a.example' }, 'token_endpoint_auth_method'],
      ['a key that is not given',                { token_endpoint_auth_method: 'private_key_jwt' },         'jwks'],
      ['a private key',                          { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }, 'jwks'],
      ['keys in two ways',                       { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS, jwks_uri: 'https://app.example/jwks' }, 'jwks'],
      ['an algorithm without a signature',       { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS, token_endpoint_auth_signing_alg: 'none' }, 'token_endpoint_auth_signing_alg'],
      ['a symmetric id_token',                   { id_token_signed_response_alg: 'HS256' },                 'id_token_signed_response_alg'],
      ['an id_token without a signature',        { id_token_signed_response_alg: 'none' },                  'id_token_signed_response_alg'],
      ['the implicit grant',                     { grant_types: ['implicit'], response_types: ['token'] },  'grant_types'],
      ['passwords',                              { grant_types: ['authorization_code', 'password'] },       'grant_types'],
      ['a response that is not the grant’s',     { response_types: ['code', 'id_token'] },                  'response_types'],
      ['a pairwise subject',                     { subject_type: 'pairwise' },                              'subject_type'],
      ['scopes that nobody may register',        { scope: 'system/*.cruds admin' },                         'scope'],
      ['a launch address of a script',           { initiate_login_uri: 'javascript:alert(1)' },             'initiate_login_uri'],
      ['a name that is an object',               { client_name: { toString: 'x' } },                        'client_name'],
      ['signed requests without a key',          { require_signed_request_object: true },                   'require_signed_request_object'],
    ])('with %s is refused, and the answer names it', async (_what, more, member) => {
      const answer = await expectNothing({ ...APP, ...more }, 'metadata_invalid')
      expect(wireOf(answer)).toBe('invalid_client_metadata')
      expect(told(answer).error_description).toContain(member)
    })

    it('in our own words changes nothing: no id, no secret, no profile, no launch address', async () => {
      const injected = {
        ...{ id: 'care-plan', client_id: 'care-plan', type: 'key', profile: 'oidc' },
        ...{ secret_hash: 'A'.repeat(43), launch_urls: ['https://elsewhere.example/'] },
        ...{ scopes: ['patient/*.cruds'], origins: ['https://elsewhere.example'] },
        ...{ access_token_lifetime: 600, contexts: [{ name: '__x', type: 'json' }] },
      }
      const { client_id: id } = await registered(t, injected)
      expect(id).not.toBe('care-plan')
      const client = await t.running.registry.client(id)
      expect(client).toMatchObject({ type: 'public', profile: 'smart' })
      expect(client?.launchUrls).toEqual([APP.initiate_login_uri])
      expect(client?.origins).toEqual(['https://app.example'])
      for (const name of ['secretHash', 'accessTokenLifetime', 'contexts'])
        expect(client).not.toHaveProperty(name)
      expect(JSON.stringify(client)).not.toContain('elsewhere')
    })

    it('cannot change what an object is', async () => {
      const body = `{"__proto__":{"scope":"x","polluted":1},"constructor":{"prototype":{"polluted":1}},${JSON.stringify(APP).slice(1)}`
      const answer = await registerApp(t, body, await initialToken(t))
      expect(answer.status).toBe(201)
      expect(answer.text).not.toContain('polluted')
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    })

    it('shows a name without what would mislead its reader', async () => {
      const { client_name } = await registered(t, { client_name: 'NHS\u202e\u0000 App\u200b' })
      expect(client_name).toBe('NHS App')
    })

    // biome-ignore format: a table
    it.each<[string, unknown, string, RefusalCode, number]>([
      ['a form',              'client_name=x',                       'application/x-www-form-urlencoded', 'body_unreadable', 400],
      ['no JSON',             '{',                                   'application/json',                  'body_unreadable', 400],
      ['a list',              '[]',                                  'application/json',                  'body_unreadable', 400],
      ['nothing',             'null',                                'application/json',                  'body_unreadable', 400],
      ['a text',              '"x"',                                 'text/plain',                        'body_unreadable', 400],
      ['too deep a nesting',  `{"x":${'['.repeat(200)}${']'.repeat(200)}}`, 'application/json',           'body_unreadable', 400],
      ['more than 64 KiB',    `{"x":"${'a'.repeat(65_536)}"}`,       'application/json',                  'body_too_large',  413],
    ])('that is %s is not read', async (_what, body, type, code, status) => {
      await expectRefused(t, await registerApp(t, body, await initialToken(t), { type }), code, status)
    })
  })

  describe('an address of keys', () => {
    // biome-ignore format: a table
    it.each([
      'https://127.0.0.1/jwks', 'https://[::1]/jwks', 'https://169.254.169.254/latest/meta-data', 'https://10.0.0.1/jwks',
      'https://2130706433/jwks', 'https://0x7f.1/jwks', 'https://[::ffff:10.0.0.1]/jwks', 'https://localhost/jwks', 'https://metadata.google.internal/jwks',
      'http://169.254.169.254/jwks', 'file:///etc/passwd', 'https://user:word@keys.example/jwks', 'gopher://keys.example/', 'https://keys.example/#x',
    ])('that is %s is refused without telling why', async (jwks_uri) => {
      const answer = await registerApp(t, { ...KEYED, jwks_uri }, await initialToken(t))
      await expectRefused(t, answer, 'metadata_invalid', 400)
      expect(told(answer).error_description).toMatch(/^The metadata cannot be registered: jwks_uri: /)
      expect(told(answer).error_description).not.toMatch(/169|ECONN|ENOTFOUND|refused|leads/)
    })

    it('is read once, and must hold a key set', async () => {
      const asked: string[] = []
      const server = createServer((req, res) => {
        asked.push(req.url ?? '')
        res.setHeader('content-type', 'application/json')
        if (req.url === '/elsewhere') res.writeHead(302, { location: '/jwks' }).end()
        else res.end(JSON.stringify(req.url === '/jwks' ? JWKS : { keys: 'none' }))
      })
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const at = async (path: string) =>
        registerApp(t, { ...KEYED, jwks_uri: origin + path }, await initialToken(t))
      expect((await at('/jwks')).status).toBe(201)
      await expectRefused(t, await at('/other'), 'metadata_invalid', 400)
      await expectRefused(t, await at('/elsewhere'), 'metadata_invalid', 400)
      expect(asked).toEqual(['/jwks', '/other', '/elsewhere'])
      await hangUp(server)
    })
  })

  describe('an initial token', () => {
    it('registers exactly as many apps as it was made for, however many try at once, on two nodes', async () => {
      const second = await t.secondNode()
      const [token, before] = [await initialToken(t, 5), await apps()]
      const answers = await Promise.all(
        Array.from({ length: 24 }, (_, i) => {
          const port = i % 2 === 0 ? {} : { port: second.port }
          return send(new URL('/oauth/register', t.issuer), {
            ...{ method: 'POST', body: JSON.stringify(APP), ...port },
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          })
        }),
      )
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
      expect(await apps()).toBe(before + 5)
      await expectRefused(t, await registerApp(t, APP, token), 'registration_unproven', 401)
    })

    it('is asked for before anything is read, and one of nobody looks like none', async () => {
      const spent = await initialToken(t)
      await registerApp(t, APP, spent)
      const past = await initialToken(t, 1, t.clock() - 1)
      const { registration_access_token: own } = await registered(t)
      const huge = 'x'.repeat(100_000)
      const answers = await Promise.all(
        [undefined, 'ini_x', spent, past, own, 'x'.repeat(101), '__proto__'].map((token) =>
          registerApp(t, huge, token),
        ),
      )
      const seen = answers.map(({ status, text, headers }) => {
        const { reference: _, ...rest } = JSON.parse(text)
        return JSON.stringify([status, rest, headers['www-authenticate']])
      })
      expect(new Set(seen).size).toBe(1)
      expect(answers[0]?.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/)
    })

    it('is not kept, and not in the trail', async () => {
      const token = await initialToken(t)
      await registerApp(t, APP, token)
      const entries = JSON.stringify(await entriesOf(t, { from: 0 }))
      expect(entries).not.toContain(token)
      // Whole words alone: the chain's hashes are chance, and spell each of these sooner or later.
      expect(entries).not.toMatch(/(?<![\w-])(?:ini|reg|sec)_[\w-]{32}(?![\w-])/)
    })
  })

  describe('another app’s registration', () => {
    it('is neither read, changed nor ended by a token of one’s own, nor by none', async () => {
      const [mine, theirs] = [await registered(t), await registered(t)]
      const path = `/${theirs.client_id}`
      const body = { ...APP, client_id: theirs.client_id }
      const tokens = [mine.registration_access_token, await initialToken(t), 'reg_x', undefined]
      for (const token of tokens) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const sent = method === 'PUT' ? body : undefined
          const answer = await callRegistration(t, path, sent, { method, token })
          await expectRefused(t, answer, 'registration_unproven', 401)
        }
      }
      const own = theirs.registration_access_token
      expect(
        (await callRegistration(t, path, undefined, { method: 'GET', token: own })).status,
      ).toBe(200)
    })

    it('looks like one that is not there, an operator’s among them', async () => {
      const { registration_access_token: token } = await registered(t)
      for (const id of [
        'nobody',
        'care-plan',
        '__proto__',
        'x'.repeat(65),
        '%2fcare-plan',
        '..%2fcare-plan',
      ]) {
        const answer = await callRegistration(t, `/${id}`, undefined, { method: 'DELETE', token })
        expect([answer.status, wireOf(answer)]).toEqual([401, 'invalid_token'])
      }
      expect(await t.running.registry.client('care-plan')).toBeDefined()
    })

    // biome-ignore format: a table
    it.each<[string, (told: Record<string, unknown>) => object]>([
      ['another id',                () => ({ client_id: 'care-plan' })],
      ['no id',                     () => ({ client_id: undefined })],
      ['a token of its choice',     () => ({ registration_access_token: 'reg_mine' })],
      ['an address of its choice',  () => ({ registration_client_uri: 'https://elsewhere.example/' })],
      ['a time of its choice',      () => ({ client_id_issued_at: 0 })],
      ['a secret of its choice',    () => ({ client_secret: 'a'.repeat(40) })],
      ['a secret of no text',       () => ({ client_secret: {} })],
    ])('is not changed with %s (RFC 7592 §2.2)', async (_what, more) => {
      const before = await registered(t, { token_endpoint_auth_method: 'client_secret_basic' })
      const { client_id, registration_access_token: token } = before
      const body = { ...APP, client_id, token_endpoint_auth_method: 'client_secret_basic', ...more(before) }
      const answer = await callRegistration(t, `/${client_id}`, body, { method: 'PUT', token })
      await expectRefused(t, answer, 'metadata_invalid', 400)
    })

    it('does not come back by a change that races with its end', async () => {
      for (let i = 0; i < 5; i++) {
        const { client_id: id, registration_access_token: token } = await registered(t)
        const change = { method: 'PUT', token }
        const answers = await Promise.all([
          callRegistration(t, `/${id}`, { ...APP, client_id: id }, change),
          callRegistration(t, `/${id}`, undefined, { method: 'DELETE', token }),
          callRegistration(t, `/${id}`, { ...APP, client_id: id }, change),
        ])
        const ended = answers[1]?.status === 204
        expect((await t.running.registry.client(id)) === undefined).toBe(ended)
        expect((await t.running.store.get('registration', id)) === undefined).toBe(ended)
      }
    })
  })

  it('no more apps register than the operator allows', async () => {
    await t.restart({ registration: { ...REGISTRATION, most: await apps() } })
    const token = await initialToken(t)
    await expectRefused(t, await registerApp(t, APP, token), 'registration_full', 503)
    await t.restart({ registration: { ...REGISTRATION, most: (await apps()) + 1 } })
    expect((await registerApp(t, APP, token)).status).toBe(201)
    await t.restart()
  })

  it('one address registers no more than sixty apps an hour', async () => {
    const rates = { ...t.config.limits.rates, registrations: 3 }
    await t.restart({ limits: { ...t.config.limits, rates } })
    const answers: Answer[] = []
    for (let i = 0; i < 4; i++) answers.push(await registerApp(t, APP, 'ini_x'))
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 429])
    await t.restart()
  })

  describe('a software statement', () => {
    beforeAll(() =>
      t.restart({
        registration: { ...WIDE, by: 'software-statement', issuers: ISSUERS },
      }),
    )
    const vouched = { redirect_uris: APP.redirect_uris, client_name: 'As the directory has it' }
    const statement = (claims: JWTPayload = {}, key = privateKey, header = {}) =>
      new SignJWT({ iss: DIRECTORY, jti: randomBytes(8).toString('hex'), ...vouched, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'd1', ...header })
        .sign(key)
    const shown = async (software_statement: unknown, more = {}) =>
      registerApp(t, { ...APP, ...more, software_statement })

    it('of a known issuer registers an app, and what it says overrides what the app says', async () => {
      const jwt = await statement()
      const answer = await shown(jwt, {
        client_name: 'NHS login',
        redirect_uris: ['https://elsewhere.example/'],
      })
      expect(answer.status).toBe(201)
      const { client_id, ...rest } = JSON.parse(answer.text)
      expect(rest).toMatchObject({ ...vouched, software_statement: jwt })
      const client = await t.running.registry.client(client_id)
      expect(client?.redirectUris).toEqual(APP.redirect_uris)
    })

    it('alone says where codes go and whose keys count: a stolen one gives its thief nothing', async () => {
      const bare = await statement({ redirect_uris: undefined })
      await expectRefused(t, await shown(bare), 'redirect_invalid', 400)
      const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS }
      await expectRefused(t, await shown(await statement(), keyed), 'metadata_invalid', 400)
      expect((await shown(await statement({ jwks: JWKS }), keyed)).status).toBe(201)
    })

    it('that is missing, altered, unsigned or out of its time is refused', async () => {
      const now = Math.floor(t.clock() / 1000)
      const good = await statement()
      const [head, body, signature] = good.split('.')
      const none = Buffer.from('{"alg":"none"}').toString('base64url')
      const embedded = { jwk: await exportJWK(stranger.publicKey), kid: undefined }
      const bad: unknown[] = [
        ...[undefined, '', 'x', {}, [good], `${good}x`, `${none}.${body}.`, `${head}.${body}`],
        ...[
          `${head}.${Buffer.from(JSON.stringify({ iss: DIRECTORY, ...vouched })).toString('base64url')}.${signature}`,
        ],
        ...[
          await statement({}, stranger.privateKey),
          await statement({}, stranger.privateKey, embedded),
        ],
        ...[await statement({ exp: now - 31 }), await statement({ nbf: now + 31 })],
        ...[
          await statement({ aud: 'https://elsewhere.example' }),
          await statement({}, privateKey, { kid: 'd2' }),
        ],
        ...[
          await statement({}, privateKey, { typ: 'launch+jwt' }),
          await statement({ x: 'a'.repeat(20_000) }),
        ],
      ]
      for (const jwt of bad) {
        const answer = await shown(jwt)
        await expectRefused(t, answer, 'statement_invalid', 400)
        expect(wireOf(answer)).toBe('invalid_software_statement')
      }
      expect((await shown(await statement({ exp: now - 29, aud: t.issuer }))).status).toBe(201)
    })

    it('of somebody whose word does not count here is told so', async () => {
      for (const iss of ['https://elsewhere.example', `${DIRECTORY}/`, '__proto__', undefined]) {
        const answer = await shown(await statement({ iss } as JWTPayload))
        await expectRefused(t, answer, 'statement_unapproved', 400)
        expect(wireOf(answer)).toBe('unapproved_software_statement')
      }
    })

    it('says nothing that only we say', async () => {
      const answer = await shown(
        await statement({
          client_id: 'care-plan',
          client_secret: 'x',
          id: 'care-plan',
          scope: 'system/*.cruds launch',
        }),
      )
      expect(answer.status).toBe(201)
      const { client_id, scope } = JSON.parse(answer.text)
      expect([client_id === 'care-plan', scope]).toEqual([false, 'launch'])
    })
  })

  it('leave a trail that can be verified', () => expectWholeTrail(t))
})
