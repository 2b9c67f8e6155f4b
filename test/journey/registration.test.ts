/** Apps that register themselves, from the initial token to the end of all that they were granted. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App, codeOf, readsPatient, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { newKey } from '../gateway-surroundings.js'
import { handleOf, open } from '../launching.js'
import {
  APP,
  callRegistration,
  initialToken,
  REGISTRATION,
  registerApp,
  registered,
} from '../registering.js'
import { entriesOf, expectRefused, expectWholeTrail, refusalEntry } from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('an app that registers itself, on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store, change: () => ({ registration: REGISTRATION }) })
  }, 60_000)
  afterAll(() => t?.close())

  const change = { redirect_uri: APP.redirect_uris[0], scope: APP.scope }
  /** What an operator does: names the app in the systems' `apps`. */
  const letLaunch = (id: string) =>
    t.restart({ systems: t.config.systems.map((row) => ({ ...row, apps: [...row.apps, id] })) })
  const launched = async (id: string) => {
    const browser = new UserAgent()
    const app = new App(t, browser, id)
    const landed = await open(t, browser, { system: 'gp-push', app: id })
    expect(landed.location?.href).toContain('https://app.example/launch.html?')
    const code = codeOf(await app.authorize(handleOf(landed), change))
    return { app, tokens: tokensOf(await app.redeem(code, { redirect_uri: change.redirect_uri })) }
  }

  it('is answered with what was registered, in the words of RFC 7591 §3.2.1', async () => {
    const answer = await registerApp(t, APP, await initialToken(t))
    expect([answer.status, answer.headers['cache-control']]).toEqual([201, 'no-store'])
    const told = JSON.parse(answer.text)
    expect(told).toMatchObject({ ...APP, response_types: ['code'] })
    expect(told.client_id).toMatch(/^dynamic-[0-9a-f]{24}$/)
    expect(told.client_id_issued_at).toBe(Math.floor(t.clock() / 1000))
    expect(told.registration_client_uri).toBe(`${t.issuer}/oauth/register/${told.client_id}`)
    expect(told).not.toHaveProperty('client_secret')
    const [entry] = (await entriesOf(t, { from: 0 })).filter(({ app }) => app === told.client_id)
    expect(entry).toMatchObject({ what: 'configuration_changed', detail: { added: 'app' } })
  })

  it('keeps since when the app has the keys that stand in it', async () => {
    const { d: _, ...open } = await newKey('ES256', 'inline-1')
    const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [open] } }
    const answer = await registerApp(t, { ...APP, ...keyed }, await initialToken(t))
    const { client_id: id, registration_access_token: token } = JSON.parse(answer.text)
    const since = async () => (await t.running.registry.client(id))?.keysSince
    const today = Date.parse(new Date(t.clock()).toISOString().slice(0, 10))
    expect(await since()).toBe(today)
    await t.clock.advance(86_400)
    const again = { ...APP, ...keyed, client_id: id }
    await callRegistration(t, `/${id}`, again, { method: 'PUT', token })
    expect(await since()).toBe(today + 86_400_000)
  })

  it('is launched by nobody until an operator names it, and is an app like any other then', async () => {
    const { client_id: id } = await registered(t)
    const refused = await open(t, new UserAgent(), { system: 'gp-post', app: id })
    await expectRefused(t, refused, 'app_refused', 403)
    await letLaunch(id)
    const { app, tokens } = await launched(id)
    expect(tokens.scope).toBe(APP.scope)
    expect(await readsPatient(t, tokens)).toBe(200)
    expect((await app.refresh(tokens)).status).toBe(200)
  })

  it('reads and changes its registration, and what it was granted ends with it (RFC 7592 §2)', async () => {
    const before = await registered(t)
    const { client_id: id, registration_access_token: token } = before
    await letLaunch(id)
    const { app, tokens } = await launched(id)

    const read = await callRegistration(t, `/${id}`, undefined, { method: 'GET', token })
    expect(JSON.parse(read.text)).toEqual(before)
    const wanted = { ...APP, client_id: id, client_name: 'Another name', scope: 'launch openid' }
    const put = await callRegistration(t, `/${id}`, wanted, { method: 'PUT', token })
    expect(put.status).toBe(200)
    expect(JSON.parse(put.text)).toMatchObject({
      client_name: 'Another name',
      scope: 'launch openid',
    })

    // What it gave back is gone from what it was granted before, too: here all of the data.
    await expectRefused(t, await app.refresh(tokens), 'refresh_ended', 400)
    const some = { ...wanted, scope: 'launch openid patient/Patient.r' }
    await callRegistration(t, `/${id}`, some, { method: 'PUT', token })
    const less = tokensOf(await app.refresh(tokens))
    expect(less.scope).toBe('launch openid patient/Patient.r')

    const gone = await callRegistration(t, `/${id}`, undefined, { method: 'DELETE', token })
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect(await readsPatient(t, tokens)).toBe(401)
    await expectRefused(t, await app.refresh(tokens), 'client_unproven', 401)
    const again = await callRegistration(t, `/${id}`, undefined, { method: 'GET', token })
    await expectRefused(t, again, 'registration_unproven', 401)
    await expectRefused(t, await app.authorize('hdl_x', change), 'client_unknown', 400)
  })

  it('that shares a secret is told it once, and keeps it through changes', async () => {
    const basic = { token_endpoint_auth_method: 'client_secret_basic' }
    const { client_id: id, client_secret = '', ...rest } = await registered(t, basic)
    expect(rest).toMatchObject({ client_secret_expires_at: 0 })
    const { registration_access_token: token } = rest
    const kept = JSON.stringify(
      await t.running.store.getAll([
        { kind: 'app', id },
        { kind: 'registration', id },
      ]),
    )
    expect(kept).not.toContain(client_secret)
    expect(kept).not.toContain(token)
    const tried = (secret: string) =>
      send(new URL('/oauth/token', t.issuer), {
        form: { grant_type: 'authorization_code', code: 'cod_x' },
        headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      })
    await expectRefused(t, await tried(client_secret), 'code_invalid', 400)
    await expectRefused(t, await tried(`${client_secret}x`), 'client_unproven', 401)
    const body = { ...APP, ...basic, client_id: id, client_secret }
    const put = await callRegistration(t, `/${id}`, body, { method: 'PUT', token })
    expect(put.status).toBe(200)
    expect(JSON.parse(put.text)).not.toHaveProperty('client_secret')
    await expectRefused(t, await tried(client_secret), 'code_invalid', 400)
  })

  it('is given no more scope than the operator allows', async () => {
    const told = await registered(t, {
      scope: 'launch patient/*.cruds system/*.rs user/*.rs offline_access',
    })
    expect(told.scope).toBe('launch patient/*.rs')
    const all = await registered(t, { scope: undefined })
    expect(all.scope).toBe(REGISTRATION.scopes.join(' '))
  })

  it('finds the endpoint in discovery, and nowhere while it is off', async () => {
    const at = async (path: string) => JSON.parse((await send(new URL(path, t.issuer))).text)
    const paths = ['/.well-known/openid-configuration', '/fhir/.well-known/smart-configuration']
    for (const path of paths)
      expect((await at(path)).registration_endpoint).toBe(`${t.issuer}/oauth/register`)
    await t.restart({ registration: { ...REGISTRATION, by: 'off' } })
    for (const path of paths) expect(await at(path)).not.toHaveProperty('registration_endpoint')
    const off = await registerApp(t, APP, await initialToken(t))
    expect([off.status, (await refusalEntry(t, off)).refusal]).toEqual([404, 'not_found'])
    await t.restart()
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
