import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import { App, call, launchTo, readsPatient, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { handleOf, open } from '../launching.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const APP = APP_ORIGINS['care-plan'] ?? ''
const STRANGER = 'https://elsewhere.example'

describe.each(STORES)('apps on the %s store', (store) => {
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    t = await openTestGateway({ store })
    tokens = (await launchTo(t, { system: 'gp-push' })).tokens
  }, 60_000)
  afterAll(() => t?.close())

  const at = (path: string) => new URL(path, t.issuer)

  describe('with an app that has a key (private_key_jwt)', () => {
    it('takes its proof, once', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser, 'key-app')
      const order = { system: 'gp-push', app: 'key-app' }
      const proof = await app.proof()
      const first = await app.redeem(await app.code(handleOf(await open(t, browser, order))), proof)
      const given = tokensOf(first)
      expect(decodeProtectedHeader(given.id_token ?? '').alg).toBe('ES256')

      const code = await app.code(handleOf(await open(t, browser, order)))
      const replayed = await expectRefused(
        t,
        await app.redeem(code, proof),
        'assertion_replayed',
        401,
      )
      // A replayed proof says nothing about the code: it is not a second use, and ends no grant.
      expect(replayed.launch).toBeUndefined()
      const second = tokensOf(await app.redeem(code))
      expect([await readsPatient(t, given), await readsPatient(t, second)]).toEqual([200, 200])
      expect((await app.refresh(second)).status).toBe(200)
      await expectRefused(t, await app.refresh(second, proof), 'assertion_replayed', 401)
    })

    // biome-ignore format: a table
    it.each<[string, (now: number) => Record<string, unknown>]>([
      ['another audience',           () => ({ aud: 'https://elsewhere.example' })],
      ['an audience among others',   () => ({ aud: ['https://elsewhere.example', 'x'] })],
      ['another subject',            () => ({ sub: 'care-plan' })],
      ['no number of its own (jti)', () => ({ jti: undefined })],
      ['a life of ten minutes',      (now) => ({ exp: now + 600 })],
      ['its life over',              (now) => ({ exp: now - 31 })],
    ])('refuses a proof with %s', async (_what, change) => {
      const app = new App(t, new UserAgent(), 'key-app')
      const proof = await app.proof(change(Math.floor(t.clock() / 1000)))
      await expectRefused(t, await app.redeem('cod_x', proof), 'client_unproven', 401)
    })

    it('refuses it without proof, and a public app that comes with one', async () => {
      const key = new App(t, new UserAgent(), 'key-app')
      const bare = {
        client_assertion: undefined,
        client_assertion_type: undefined,
        client_id: 'key-app',
      }
      await expectRefused(t, await key.redeem('cod_x', bare), 'client_unproven', 401)
      const proof = await key.proof({ iss: 'care-plan', sub: 'care-plan' })
      const other = await new App(t, new UserAgent()).redeem('cod_x', proof)
      await expectRefused(t, other, 'client_unproven', 401)
    })
  })

  describe('towards other origins', () => {
    const origin = (answer: Answer) => answer.headers['access-control-allow-origin']

    it('answers a preflight of a registered app, and says nothing to a stranger', async () => {
      for (const path of [
        '/oauth/token',
        `/fhir/Patient/${tokens.patient}`,
        '/openehr/v1/query/x',
      ]) {
        const headers = {
          'access-control-request-method': 'PUT',
          'access-control-request-headers': 'authorization',
        }
        const mine = await send(at(path), {
          method: 'OPTIONS',
          headers: { ...headers, origin: APP },
        })
        expect([mine.status, origin(mine)]).toEqual([204, APP])
        expect(mine.headers['access-control-allow-methods']).toContain('PUT')
        expect(mine.headers['access-control-allow-headers']).toContain('authorization')
        expect(mine.headers['access-control-allow-headers']).toContain('launch-context')
        expect(mine.headers).not.toHaveProperty('access-control-allow-credentials')
        const other = await send(at(path), {
          method: 'OPTIONS',
          headers: { ...headers, origin: STRANGER },
        })
        expect(origin(other)).toBeUndefined()
      }
    })

    it('lets any page read what the server can do, and ask first whether it may', async () => {
      for (const path of ['/fhir/metadata', '/fhir/.well-known/smart-configuration']) {
        const headers = { origin: STRANGER, 'access-control-request-method': 'GET' }
        const asked = await send(at(path), { method: 'OPTIONS', headers })
        expect([asked.status, origin(asked)]).toEqual([204, '*'])
        expect(origin(await send(at(path), { headers }))).toBe('*')
      }
      const refused = await send(at('/fhir/metadata?_format=xml'), {
        headers: { origin: STRANGER },
      })
      expect([refused.status, origin(refused)]).toEqual([400, '*'])
    })

    it('lets the app read every answer, whatever its status', async () => {
      const fhir = (path: string, token = tokens.access_token) => call(t, token, path)
      const answers = [
        await fhir(`/fhir/Patient/${tokens.patient}`),
        await fhir('/fhir/Patient/%00'),
        await fhir(`/fhir/Patient/${tokens.patient}`, 'x'),
        await fhir(`/fhir/Observation/1`),
        await fhir(`/fhir/Patient/nobody`),
        await fhir(`/fhir/Nothing`),
        await fhir('/openehr/v1/nothing'),
        await send(at('/oauth/token'), { form: {}, headers: { origin: APP } }),
        await send(at('/oauth/token'), {
          body: 'x'.repeat(1_100_000),
          headers: { origin: APP, 'content-type': 'application/x-www-form-urlencoded' },
        }),
      ]
      expect(new Set(answers.map(({ status }) => status)).size).toBeGreaterThan(4)
      for (const answer of answers) {
        expect(origin(answer)).toBe(APP)
        expect(answer.headers.vary).toMatch(/origin/i)
        expect(answer.headers['access-control-expose-headers']).toContain('x-request-id')
      }
    })

    it('lets no page of another origin read a launch or an authorization', async () => {
      for (const path of ['/launch', '/oauth/authorize', '/launch/push', '/sign-in/callback']) {
        const answer = await send(at(path), { headers: { origin: APP } })
        expect(origin(answer)).toBeUndefined()
      }
    })
  })

  it('leave a trail that can be verified', () => expectWholeTrail(t))
})
