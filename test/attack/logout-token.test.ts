/** Logout tokens: what the provider did not say ends nothing, what it said late ends nothing newer. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { importJWK, SignJWT } from 'jose'
import { App, call, claimsIn, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { open, signIn } from '../launching.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, type Sent, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  describe('a logout token', () => {
    const logoutToken = async (change: object = {}, header: object = {}) => {
      const now = Math.floor(t.clock() / 1000)
      const key = t.providerKey
      return new SignJWT({
        ...{ iss: `${t.origins.hospital}/oidc`, aud: 'launch-gateway', iat: now, exp: now + 120 },
        ...{ jti: randomUUID(), sub: '555254239101', events: { [LOGOUT]: {} }, ...change },
      })
        .setProtectedHeader({ alg: 'RS256', kid: key.kid ?? '', typ: 'logout+jwt', ...header })
        .sign(await importJWK(key, 'RS256'))
    }
    const logOut = (logout_token: string, more: Sent = {}): Promise<Answer> =>
      send(new URL('/sign-in/backchannel-logout', t.issuer), { ...more, form: { logout_token } })
    const session = async (): Promise<Tokens> => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic' })
      return new App(t, browser).tokens(await signIn(t, browser, page, { person: 'gp' }))
    }

    it('that names a user ends all that they had signed in for, and a repeated one nothing more', async () => {
      const tokens = await session()
      const token = await logoutToken()
      const answer = await logOut(token)
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store'])
      expect(await readsPatient(t, tokens)).toBe(401)
      await t.clock.advance(1)
      const later = await session()
      // A provider repeats what it heard no answer to.
      expect((await logOut(token)).status).toBe(200)
      expect(await readsPatient(t, later)).toBe(200)
    })

    it('that names a session alone ends that one, and its apps are to be told', async () => {
      const [tokens, other] = [await session(), await session()]
      const { sid } = claimsIn(tokens.id_token)
      const signOn = await t.running.store.get('signOn', String(sid))
      const token = await logoutToken({ sub: undefined, sid: signOn?.providerSession })
      const told = async () =>
        (await t.running.store.list('notice')).filter(({ value }) => value.signOn === sid).length
      for (let times = 0; times < 2; times++) expect((await logOut(token)).status).toBe(200)
      expect([await readsPatient(t, tokens), await readsPatient(t, other)]).toEqual([401, 200])
      expect(await told()).toBe(1)
    })

    it('holds on the node that did not hear it, and is heard once where both hear it', async () => {
      const { port } = await t.secondNode()
      const tokens = await session()
      const path = `/fhir/Patient/${tokens.patient}`
      const there = async () => (await call(t, tokens.access_token, path, { port })).status
      expect(await there()).toBe(200)
      const token = await logoutToken()
      const heard = [logOut(token), logOut(token, { port }), logOut(token), logOut(token, { port })]
      expect((await Promise.all(heard)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
      expect([await readsPatient(t, tokens), await there()]).toEqual([401, 401])
      // Who signs on afterwards is not signed out by it, at either node.
      await t.clock.advance(1)
      const later = await session()
      expect((await logOut(token, { port })).status).toBe(200)
      expect(await readsPatient(t, later)).toBe(200)
    })

    it('that comes late ends no newer sign-in', async () => {
      const late = await logoutToken()
      await t.clock.advance(2)
      const tokens = await session()
      expect((await logOut(late)).status).toBe(200)
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    // biome-ignore format: a table
    it.each<[string, object, object]>([
      ['of another issuer',     { iss: 'https://elsewhere.example' }, {}],
      ['for another client',    { aud: 'somebody' },                  {}],
      ['that is an id_token',   { nonce: 'x' },                       {}],
      ['without its event',     { events: {} },                       {}],
      ['of nobody',             { sub: undefined },                   {}],
      ['of ten minutes ago',    { iat: Math.floor(Date.now() / 1000) - 600 }, {}],
      ['without a number',      { jti: undefined },                   {}],
      ['of another type',       {},                                   { typ: 'at+jwt' }],
      ['under another key',     {},                                   { kid: 'nobody' }],
    ])('%s ends nothing', async (_what, change, header) => {
      const tokens = await session()
      await expectRefused(t, await logOut(await logoutToken(change, header)), 'logout_token_invalid', 400)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
