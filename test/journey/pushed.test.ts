/** Requests that apps push or sign. @see RFC 9126; RFC 9101; FAPI 2.0 Security Profile */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { importJWK, type JWK, SignJWT } from 'jose'
import { thumbprint } from '../../src/core/dpop.js'
import { ASSERTION_TYPE } from '../../src/demo/desktop-launches.js'
import { call, claimsIn } from '../app-by-hand.js'
import { type ProofKey, proofBy, proofKey } from '../dpop-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { PEGGY, patientOf } from '../launching.js'
import {
  asking,
  authorize,
  BACK,
  choose,
  named,
  row,
  standaloneApps,
  throughProvider,
  token,
} from '../standalone.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const DATA = 'launch/patient openid patient/Patient.r'
const peggy = patientOf(PEGGY)
const back = (answer: Answer) => Object.fromEntries(answer.location?.searchParams ?? [])
const body = (answer: Answer) => JSON.parse(answer.text)

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let key: JWK
  beforeAll(async () => {
    const made = await standaloneApps()
    key = made.key
    const { d: _, ...open } = key
    const lasting = row({
      ...{ id: 'lasting', profile: 'fapi2', type: 'key', jwks: { keys: [open] } },
      scopes: [...DATA.split(' '), 'offline_access'],
    })
    const apps = [...made.apps, lasting]
    t = await openTestGateway({ store, change: (c) => ({ apps: [...c.apps, ...apps] }) })
  }, 60_000)
  afterAll(() => t?.close())

  const now = () => Math.floor(t.clock() / 1000)
  const signed = async (typ: string, claims: object) =>
    new SignJWT({ iat: now(), exp: now() + 60, jti: randomBytes(9).toString('hex'), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid ?? '', typ })
      .sign(await importJWK(key))
  const assertion = async (id: string, claims: object = {}) => ({
    client_id: id,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await signed('JWT', { iss: id, sub: id, aud: t.issuer, ...claims }),
  })
  const push = (form: Readonly<Record<string, string>>): Promise<Answer> =>
    send(new URL('/oauth/par', t.issuer), { form })
  const pushed = async (id: string, change = {}) => {
    const asked = asking(t, id, DATA, change)
    const answer = await push({ ...asked.parameters, ...(await assertion(id)) })
    return { ...asked, answer, uri: body(answer).request_uri as string }
  }
  const land = async (browser: UserAgent, parameters: Readonly<Record<string, string>>) => {
    const page = await throughProvider(t, browser, await authorize(t, browser, parameters))
    return choose(t, browser, page, named(PEGGY, peggy.birthDate))
  }
  const proof = (by: ProofKey, method = 'POST', path = '/oauth/token', more = {}) => ({
    dpop: proofBy(by, { htm: method, htu: `${t.issuer}${path}`, iat: now(), ...more }),
  })
  const redeemed = async (id: string, code: string, verifier: string, headers = {}) =>
    token(
      t,
      {
        ...{ grant_type: 'authorization_code', code, redirect_uri: BACK, code_verifier: verifier },
        ...(await assertion(id)),
      },
      headers,
    )

  describe('a pushed request (RFC 9126)', () => {
    it('leads by its name alone to bound tokens, under FAPI 2.0', async () => {
      const { answer, uri, verifier, state } = await pushed('strict')
      expect(answer.status).toBe(201)
      expect(body(answer)).toEqual({ request_uri: uri, expires_in: 90 })
      expect(answer.headers['cache-control']).toBe('no-store')
      const landed = await land(new UserAgent(), { client_id: 'strict', request_uri: uri })
      expect(back(landed)).toMatchObject({ state, iss: t.issuer })
      const code = back(landed).code ?? ''
      const unbound = await redeemed('strict', code, verifier)
      expect(body(unbound).error).toBe('invalid_dpop_proof')
      const by = proofKey()
      const given = body(await redeemed('strict', code, verifier, proof(by)))
      expect(given).toMatchObject({ token_type: 'DPoP', patient: peggy.fhirId })
      expect(claimsIn(given.access_token)).toHaveProperty('cnf.jkt')
      const path = `/fhir/Patient/${peggy.fhirId}`
      expect((await call(t, given.access_token, path)).status).toBe(401)
    })

    it('is spent by the first browser that is answered, and dies after its time', async () => {
      const browser = new UserAgent()
      const { uri } = await pushed('strict')
      await land(browser, { client_id: 'strict', request_uri: uri })
      const again = await authorize(t, browser, { client_id: 'strict', request_uri: uri })
      expect(again.text).toContain('request_uri_invalid')
      const late = await pushed('strict')
      await t.clock.advance(91)
      const answer = await authorize(t, browser, { client_id: 'strict', request_uri: late.uri })
      expect(answer.text).toContain('request_uri_invalid')
    })

    it('may be loaded anew until it is answered, and is answered once', async () => {
      const browser = new UserAgent()
      const { uri } = await pushed('strict')
      const parameters = { client_id: 'strict', request_uri: uri }
      const first = await throughProvider(t, browser, await authorize(t, browser, parameters))
      const second = await throughProvider(t, browser, await authorize(t, browser, parameters))
      const chosen = named(PEGGY, peggy.birthDate)
      expect(back(await choose(t, browser, first, chosen))).toHaveProperty('code')
      const late = await choose(t, browser, second, chosen)
      expect(back(late)).not.toHaveProperty('code')
      expect(late.text).toContain('handle_spent')
    })

    it('is one app’s: no other app goes on with it, and what stands beside its name counts for nothing', async () => {
      const { uri } = await pushed('strict')
      const stolen = await authorize(t, new UserAgent(), { client_id: 'solo', request_uri: uri })
      expect(stolen.text).toContain('request_uri_invalid')
      const beside = { client_id: 'strict', request_uri: uri, scope: 'openid', state: 'another' }
      const landed = await land(new UserAgent(), beside)
      expect(back(landed).state).not.toBe('another')
    })

    it.each([
      ['without authentication', {}, 'strict', 401, 'invalid_client'],
      [
        'with an assertion for the token endpoint',
        { aud: '/oauth/token' },
        'strict',
        401,
        'invalid_client',
      ],
    ])('is refused %s', async (_what, claims, id, status, error) => {
      const { parameters } = asking(t, id, DATA)
      const named = Object.fromEntries(
        Object.entries(claims).map(([name, path]) => [name, `${t.issuer}${path}`]),
      )
      const proven = Object.keys(claims).length > 0 ? await assertion(id, named) : {}
      const answer = await push({ ...parameters, ...proven })
      expect([answer.status, body(answer).error]).toEqual([status, error])
    })

    it('is refused with a list of audiences, though the issuer is the only one', async () => {
      const { parameters } = asking(t, 'strict', DATA)
      const answer = await push({
        ...parameters,
        ...(await assertion('strict', { aud: [t.issuer] })),
      })
      expect([answer.status, body(answer).error]).toEqual([401, 'invalid_client'])
    })

    it('is bound to the key of a proof that comes with it (RFC 9449 §10.1)', async () => {
      const [mine, other] = [proofKey(), proofKey()]
      const at = (by: ProofKey) => proof(by, 'POST', '/oauth/par')
      const { parameters, verifier } = asking(t, 'strict', DATA)
      const url = new URL('/oauth/par', t.issuer)
      const sent = async (headers: Record<string, string>, more = {}) =>
        send(url, { form: { ...parameters, ...more, ...(await assertion('strict')) }, headers })
      const jkt = thumbprint(mine.jwk as never)
      expect(body(await sent(at(other), { dpop_jkt: jkt })).error).toBe('invalid_dpop_proof')
      const { request_uri } = body(await sent(at(mine)))
      const landed = await land(new UserAgent(), { client_id: 'strict', request_uri })
      const code = back(landed).code ?? ''
      const stolen = await redeemed('strict', code, verifier, proof(other))
      expect(body(stolen).error).toBe('invalid_grant')
      expect((await redeemed('strict', code, verifier, proof(mine))).status).toBe(200)
    })

    it.each([
      [
        'an address that is not registered',
        { redirect_uri: 'https://evil.example/' },
        'invalid_request',
      ],
      ['no PKCE', { code_challenge: undefined }, 'invalid_request'],
      ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
      ['a request_uri of its own', { request_uri: 'urn:x' }, 'invalid_request'],
    ])('is refused with %s', async (_what, change, error) => {
      const { answer } = await pushed('strict', change)
      expect([answer.status, body(answer).error]).toEqual([400, error])
    })

    it('is the only way in for an app of its profile', async () => {
      const { parameters } = asking(t, 'strict', DATA)
      const answer = await authorize(t, new UserAgent(), parameters)
      expect(back(answer)).toMatchObject({ error: 'invalid_request' })
    })

    it('refreshes without a new refresh token under FAPI 2.0', async () => {
      const { uri, verifier } = await pushed('lasting', { scope: `${DATA} offline_access` })
      const by = proofKey()
      const landed = await land(new UserAgent(), { client_id: 'lasting', request_uri: uri })
      const first = body(await redeemed('lasting', back(landed).code ?? '', verifier, proof(by)))
      expect(first.scope).toContain('offline_access')
      const { refresh_token } = first
      const form = { grant_type: 'refresh_token', refresh_token }
      for (const after of [60, 3600]) {
        await t.clock.advance(after)
        const again = await token(t, { ...form, ...(await assertion('lasting')) }, proof(by))
        expect(again.status).toBe(200)
        expect(body(again)).toMatchObject({ refresh_token, token_type: 'DPoP' })
      }
    })
  })

  describe('a request object (RFC 9101)', () => {
    const object = (claims: object, change: object = {}) =>
      signed('oauth-authz-req+jwt', { ...claims, iss: 'signing', aud: t.issuer, ...change })
    const withObject = async (claims: object, change: object = {}) => ({
      client_id: 'signing',
      redirect_uri: BACK,
      request: await object(claims, change),
    })

    it('says all that counts, by value and when it is pushed', async () => {
      const { parameters, verifier, state } = asking(t, 'signing', DATA)
      const landed = await land(new UserAgent(), await withObject(parameters))
      expect(back(landed)).toMatchObject({ state })
      expect((await redeemed('signing', back(landed).code ?? '', verifier)).status).toBe(200)
      const request = await object(asking(t, 'signing', DATA).parameters)
      const answer = await push({ request, ...(await assertion('signing')) })
      expect(answer.status).toBe(201)
    })

    it.each<[string, object]>([
      ['for another server', { aud: 'https://other.example' }],
      ['of another app', { iss: 'solo' }],
      ['that is over', { exp: 1 }],
      ['that begins later', { nbf: 4_102_444_800 }],
      ['that lives for a day', { exp: Math.floor(Date.now() / 1000) + 86_400 }],
      ['with another inside', { request_uri: 'https://evil.example/r' }],
    ])('is refused %s', async (_what, change) => {
      const { parameters } = asking(t, 'signing', DATA)
      const answer = await authorize(t, new UserAgent(), await withObject(parameters, change))
      expect(back(answer)).toMatchObject({ error: 'invalid_request_object' })
    })

    it('is refused unsigned, signed by another key, and where the app is not registered for one', async () => {
      const { parameters } = asking(t, 'signing', DATA)
      const claims = Buffer.from(JSON.stringify({ iss: 'signing', aud: t.issuer, ...parameters }))
      const none = Buffer.from('{"alg":"none"}').toString('base64url')
      const unsigned = `${none}.${claims.toString('base64url')}.`
      const tampered = `${(await object(parameters)).slice(0, -10)}AAAAAAAAAA`
      for (const request of [unsigned, tampered, 'x']) {
        const sent = { client_id: 'signing', redirect_uri: BACK, request }
        expect(back(await authorize(t, new UserAgent(), sent)).error).toBe('invalid_request_object')
      }
      const solo = { ...asking(t, 'solo', DATA).parameters, request: unsigned }
      expect(back(await authorize(t, new UserAgent(), solo)).error).toBe('request_not_supported')
      const fetched = {
        ...asking(t, 'solo', DATA).parameters,
        request_uri: 'https://evil.example/',
      }
      expect(back(await authorize(t, new UserAgent(), fetched)).error).toBe(
        'request_uri_not_supported',
      )
    })

    it('is required where the registration says so', async () => {
      const { parameters } = asking(t, 'signing', DATA)
      const answer = await authorize(t, new UserAgent(), parameters)
      expect(back(answer)).toMatchObject({ error: 'invalid_request_object' })
    })
  })
})
