/**
 * Keys that must not be believed: whose JWKS address answers wrongly or leads where nobody may go, and what
 * a header says of keys. The store has no part in it, so one is enough.
 */
import { createHmac } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import type { RefusalCode } from '../../src/core/refusal.js'
import { ASSERTION_TYPE } from '../../src/demo/desktop-launches.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { hangUp, openSite } from '../gateway-surroundings.js'
import { claimsOf, handleOf } from '../launching.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const publicPart = ({ kty, crv, x, y, kid }: JWK): JWK =>
  JSON.parse(JSON.stringify({ kty, crv, x, y, kid }))
const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** Where the key sets are: one path for each, counted. */
const asked: string[] = []
let site: Awaited<ReturnType<typeof openSite>>
let answer: RequestListener
const json =
  (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_req, res) =>
    void res
      .writeHead(200, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body))

let t: TestGateway
let stranger: JWK
beforeAll(async () => {
  site = await openSite('127.0.0.1')
  site.serve((req, res) => {
    asked.push(req.url ?? '')
    answer(req, res)
  })
  const { privateKey } = await generateKeyPair('ES384', { extractable: true })
  stranger = { ...(await exportJWK(privateKey)), kid: 'stranger' }
  const at = (path: string) => ({ keys: { jwksUri: `${site.origin}${path}` } })
  t = await openTestGateway({
    store: 'embedded',
    change: ({ apps, systems }) => ({
      apps: [
        ...apps.map((app) => (app.id === 'key-app' ? { ...app, ...at('/app') } : app)),
        ...Object.entries(FORBIDDEN).flatMap(([id, jwksUri]) =>
          apps
            .filter((app) => app.id === 'key-app')
            .map((app) => ({ ...app, id, keys: { jwksUri } })),
        ),
      ],
      systems: systems.map((row) => (row.id === 'gp-ward' ? { ...row, ...at('/ward') } : row)),
    }),
  })
}, 60_000)
afterAll(async () => {
  await t?.close()
  await hangUp(site.server)
})

/** Registered addresses that lead inwards, by the app that registered them. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  'of-metadata': 'https://169.254.169.254/latest/meta-data',
  'of-a-private-network': 'https://10.0.0.1/jwks',
  'of-this-machine': 'https://0.0.0.0/jwks',
  'of-a-private-network-in-hex': 'https://0xa000001/jwks',
  'of-a-private-network-in-ipv6': 'https://[::ffff:10.0.0.1]/jwks',
  'of-another-name-of-loopback': 'https://127.0.0.2/jwks',
  'in-clear-text': 'http://10.0.0.1/jwks',
}

interface Signer {
  readonly key: JWK
  readonly alg: string
  readonly typ: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** Who signs what: an app at the token endpoint, a launch system at /launch. */
const assertion = (id = 'key-app'): Signer => ({
  ...{ key: t.appKeys['key-app'] as JWK, alg: 'ES384', typ: 'JWT' },
  claims: {
    ...{ iss: id, sub: id, aud: `${t.issuer}/oauth/token`, jti: crypto.randomUUID() },
    exp: t.clock() / 1000 + 60,
  },
})
const launch = (): Signer => ({
  ...{ key: t.systems['gp-ward']?.key as JWK, alg: 'ES256', typ: 'launch+jwt' },
  claims: { ...claimsOf(t, { system: 'gp-ward' }) },
})

const signed = async ({ key, alg, typ, claims }: Signer, header: object = {}): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg, typ, kid: key.kid, ...header } as never)
    .sign(await importJWK(key, alg))

/** A code that nobody was given: whoever is refused for it has been let in. */
const askToken = (client_assertion: string): Promise<Answer> =>
  send(new URL('/oauth/token', t.issuer), {
    form: {
      ...{ client_assertion_type: ASSERTION_TYPE, client_assertion },
      ...{ grant_type: 'authorization_code', code: 'x', redirect_uri: 'x', code_verifier: 'x' },
    },
  })
const askLaunch = (launch_token: string): Promise<Answer> =>
  new UserAgent().visit(new URL('/launch', t.issuer), { form: { launch_token } })

const keysOf = (path: string): JWK[] => [
  publicPart(path === '/app' ? assertion().key : launch().key),
]
const publish: RequestListener = (req, res) => json({ keys: keysOf(req.url ?? '') })(req, res)

beforeEach(async () => {
  // Whatever a test left behind is too old.
  await t.clock.advance(601)
  asked.length = 0
  answer = publish
})

const DOORS: readonly (readonly [
  string,
  () => Signer,
  typeof askToken,
  RefusalCode,
  number,
  string,
])[] = [
  ['an app’s assertion', assertion, askToken, 'client_unproven', 401, '/app'],
  ['a launch token', launch, askLaunch, 'signature_invalid', 400, '/ward'],
]

describe.each(DOORS)('the keys of %s', (_door, signer, ask, code, status, path) => {
  const refused = async (token: string) => expectRefused(t, await ask(token), code, status)
  const letIn = async (token: string) => {
    const given = await ask(token)
    if (ask === askToken) await expectRefused(t, given, 'code_invalid', 400)
    else expect(handleOf(given)).toMatch(/^hdl_/)
  }

  it('are fetched from the registered address, which the header may repeat', async () => {
    await letIn(await signed(signer()))
    await letIn(await signed(signer(), { jku: `${site.origin}${path}` }))
    expect(asked).toEqual([path])
  })

  it.each<[string, (mine: Signer) => Promise<string>]>([
    ['another address (jku)', (mine) => signed(mine, { jku: `${site.origin}/evil` })],
    [
      'another address and its key',
      (mine) =>
        signed(
          { ...mine, key: stranger, alg: 'ES384' },
          { kid: mine.key.kid, jku: `${site.origin}/evil` },
        ),
    ],
    [
      'a key of its own (jwk)',
      (mine) =>
        signed(
          { ...mine, key: stranger, alg: 'ES384' },
          { kid: mine.key.kid, jwk: publicPart(stranger) },
        ),
    ],
    [
      'certificates of its own (x5c, x5u)',
      (mine) =>
        signed(
          { ...mine, key: stranger, alg: 'ES384' },
          { kid: mine.key.kid, x5c: ['AAAA'], x5u: `${site.origin}/evil` },
        ),
    ],
    [
      'something that must be understood (crit)',
      async (mine) =>
        (await signed(mine)).replace(
          /^[^.]+/,
          base64url({ alg: mine.alg, typ: mine.typ, kid: mine.key.kid, crit: ['exp'], exp: 1 }),
        ),
    ],
    [
      'no algorithm',
      async (mine) =>
        `${base64url({ alg: 'none', typ: mine.typ, kid: mine.key.kid })}.${base64url(mine.claims)}.`,
    ],
    ['no key', (mine) => signed(mine, { kid: undefined })],
    ['a key that is not in the set', (mine) => signed({ ...mine, key: stranger, alg: 'ES384' })],
  ])('are not chosen by a header that names %s', async (_what, token) => {
    await refused(await token(signer()))
    expect(asked).not.toContain('/evil')
  })

  it('do not serve as a shared secret (alg HS256 and HS384)', async () => {
    const { key, typ, claims } = signer()
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
    ] as const) {
      for (const secret of [
        JSON.stringify(publicPart(key)),
        Buffer.from(key.x ?? '', 'base64url'),
      ]) {
        const input = `${base64url({ alg, typ, kid: key.kid })}.${base64url(claims)}`
        await refused(`${input}.${createHmac(hash, secret).update(input).digest('base64url')}`)
      }
    }
  })

  it('are not asked for a text with white space about it', async () => {
    for (const text of [` ${await signed(signer())}`, `${await signed(signer())}\n`]) {
      const { status: given } = await ask(text)
      expect(given).toBe(status)
    }
    expect(asked).toEqual([])
  })

  it.each<[string, RequestListener]>([
    ['refuses', (_req, res) => void res.writeHead(404).end()],
    ['fails', (_req, res) => void res.writeHead(500).end()],
    ['hangs up', (req) => void req.socket.destroy()],
    [
      'sends us elsewhere',
      (req, res) => {
        if (req.url === '/elsewhere') publish(req, res)
        else res.writeHead(302, { location: '/elsewhere' }).end()
      },
    ],
    [
      'answers with a page',
      (_req, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    ],
    ['answers with more than any key set', json({ keys: [], more: 'a'.repeat(300_000) })],
    [
      'answers with too many keys',
      (req, res) =>
        json({ keys: Array.from({ length: 51 }, () => keysOf(req.url ?? '')[0]) })(req, res),
    ],
    ['publishes the private key', (req, res) => json({ keys: [signer().key] })(req, res)],
    [
      'publishes two keys of one name',
      (req, res) => json({ keys: [...keysOf(req.url ?? ''), ...keysOf(req.url ?? '')] })(req, res),
    ],
    [
      'publishes it for another use',
      (req, res) =>
        json({ keys: keysOf(req.url ?? '').map((key) => ({ ...key, use: 'enc' })) })(req, res),
    ],
  ])('are not believed from an address that %s', async (_what, listener) => {
    answer = listener
    await refused(await signed(signer()))
    expect(asked).toEqual([path])
  })

  it('are asked for once more in thirty seconds, however many names are made up', async () => {
    await letIn(await signed(signer()))
    for (let n = 0; n < 100; n++) await refused(await signed(signer(), { kid: `made-up-${n}` }))
    expect(asked).toHaveLength(2)
    await letIn(await signed(signer()))
    expect(asked).toHaveLength(2)
  })

  it('are over when their owner’s Cache-Control says so, and are not used in its absence', async () => {
    answer = (req, res) =>
      json({ keys: keysOf(req.url ?? '') }, { 'cache-control': 'max-age=60' })(req, res)
    await letIn(await signed(signer()))
    answer = json({ keys: [publicPart(stranger)] })
    await t.clock.advance(59)
    await letIn(await signed(signer()))
    await t.clock.advance(1)
    await refused(await signed(signer()))
  })
})

describe('the keys of an app', () => {
  it.each(Object.entries(FORBIDDEN))('%s are not fetched: %s', async (id) => {
    const entry = await expectRefused(
      t,
      await askToken(await signed(assertion(id))),
      'client_unproven',
      401,
    )
    expect(JSON.stringify(entry.detail)).toMatch(/refused|not https/)
  })

  it('are refused in the same words, whatever the reason was', async () => {
    const words = async (token: string) => {
      const { error, error_description } = JSON.parse((await askToken(token)).text)
      return `${error} ${error_description}`
    }
    const said = await words(await signed(assertion('nobody')))
    expect(said).toMatch(/^invalid_client /)
    expect(await words(await signed(assertion('of-metadata')))).toBe(said)
    expect(await words(await signed(assertion(), { jku: 'https://evil.example/' }))).toBe(said)
    answer = (_req, res) => void res.writeHead(500).end()
    expect(await words(await signed(assertion()))).toBe(said)
  })

  it('leave a trail that is whole, whatever was tried', () => expectWholeTrail(t))
})
