import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import {
  App,
  claimsIn,
  codeOf,
  launchTo,
  readsPatient,
  type Tokens,
  tokensOf,
} from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { handleOf, open, PEGGY, patientOf } from '../launching.js'
import { entriesOf, expectWholeTrail } from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('the protocol on the %s store', (store) => {
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    t = await openTestGateway({ store })
    tokens = (await launchTo(t, { system: 'gp-push' })).tokens
  }, 60_000)
  afterAll(() => t?.close())

  const at = (path: string) => new URL(path, t.issuer)
  const document = async (path: string) => JSON.parse((await send(at(path))).text)
  const verified = (jwt = '', options = {}) =>
    jwtVerify(jwt, createRemoteJWKSet(at('/oauth/jwks')), {
      ...options,
      currentDate: new Date(t.clock()),
    })

  describe('in its discovery documents', () => {
    it('names its own addresses, the same in all of them', async () => {
      const smart = await document('/fhir/.well-known/smart-configuration')
      const openid = await document('/.well-known/openid-configuration')
      expect(await document('/.well-known/smart-configuration')).toEqual(smart)
      expect(await document('/.well-known/oauth-authorization-server')).toEqual(openid)
      for (const found of [smart, openid]) {
        expect(found).toMatchObject({
          issuer: t.issuer,
          authorization_endpoint: `${t.issuer}/oauth/authorize`,
          token_endpoint: `${t.issuer}/oauth/token`,
          jwks_uri: `${t.issuer}/oauth/jwks`,
          code_challenge_methods_supported: ['S256'],
          response_types_supported: ['code'],
          authorization_response_iss_parameter_supported: true,
        })
      }
      expect(smart.services['org.openehr.rest'].baseUrl).toBe(`${t.issuer}/openehr/v1`)
      expect(smart.capabilities).toEqual(expect.arrayContaining(['launch-ehr', 'authorize-post']))
      expect(openid.id_token_signing_alg_values_supported).toContain('RS256')
    })

    it('publishes public keys only', async () => {
      const { keys } = await document('/oauth/jwks')
      expect(keys.map(({ use }: { use: string }) => use).sort()).toEqual(['enc', 'sig', 'sig'])
      for (const key of keys) {
        const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].filter((name) => name in key)
        expect(secret).toEqual([])
      }
    })

    it('are JSON that may be kept for a while, whatever is asked for', async () => {
      for (const path of ['/fhir/.well-known/smart-configuration', '/oauth/jwks']) {
        const { status, headers } = await send(at(path), { headers: { accept: 'text/html' } })
        expect(status).toBe(200)
        expect(headers['content-type']).toMatch(/^application\/json/)
        expect(headers['cache-control']).toBe('public, max-age=300')
        expect(headers['access-control-allow-origin']).toBe('*')
      }
    })
  })

  describe('in its tokens', () => {
    it('signs a short-lived access token for this launch, this patient, this policy version', async () => {
      const { payload, protectedHeader } = await verified(tokens.access_token, { issuer: t.issuer })
      expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
      expect(payload).toMatchObject({
        ...{ client_id: 'care-plan', sub: '555254239101', scope: tokens.scope },
        ...{ patient: patientOf(PEGGY).fhirId, ehrId: patientOf(PEGGY).ehrId },
        ...{ launch: tokens.__launch, policy_version: 1 },
        aud: [`${t.issuer}/fhir`, `${t.issuer}/openehr/v1`],
      })
      const lifetime = (payload.exp ?? 0) - (payload.iat ?? 0)
      expect(lifetime).toBe(tokens.expires_in)
      expect(lifetime).toBeLessThanOrEqual(600)
      expect(JSON.stringify(payload)).not.toContain(PEGGY)
    })

    it('signs an id_token with RS256, in ASCII, that says who the user is and nothing of the patient', async () => {
      const browser = new UserAgent()
      const claims = () => ({
        sub: 'Bj\u00f6rk \u0141',
        practitioner: {
          name: 'Bj\u00f6rk \u0141',
          role_codes: ['S0010:G0020:R0260'],
          activity_codes: ['B0360'],
        },
      })
      const app = new App(t, browser)
      const local = await app.tokens(await open(t, browser, { system: 'gp-ward', claims }))
      for (const jwt of [tokens.id_token, local.id_token]) {
        const { payload, protectedHeader } = await verified(jwt, {
          issuer: t.issuer,
          audience: 'care-plan',
        })
        expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'JWT' })
        expect(JSON.stringify(payload)).toMatch(/^[\x20-\x7e]*$/)
        expect(payload).not.toHaveProperty('patient')
        expect(payload.sub?.length).toBeLessThanOrEqual(255)
      }
      expect(claimsIn(tokens.id_token)).toMatchObject({
        sub: '555254239101',
        fhirUser: `${t.issuer}/fhir/Practitioner/555254239101`,
      })
      expect(claimsIn(local.id_token)).toMatchObject({ nonce: app.nonce })
      expect(claimsIn(local.id_token)).not.toHaveProperty('fhirUser')
      expect(local.scope.split(' ')).not.toContain('fhirUser')
    })

    it('tells beside the token what the app needs, and lets nobody keep it', async () => {
      const app = new App(t, new UserAgent())
      const order = { system: 'gp-push', claims: () => ({ intent: 'review', encounter: 'enc-1' }) }
      const code = await app.code(handleOf(await open(t, app.browser, order)))
      const answer = await app.redeem(code)
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
      expect(tokensOf(answer)).toMatchObject({
        ...{ token_type: 'Bearer', need_patient_banner: true, tenant: 'A83001' },
        ...{ intent: 'review', encounter: 'enc-1', __session_idle_seconds: 900 },
      })
    })
  })

  describe('at authorize', () => {
    it('takes a form as well as an address', async () => {
      const app = new App(t, new UserAgent())
      const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
      const answer = await app.browser.visit(at('/oauth/authorize'), {
        form: app.parameters(handle),
      })
      expect(answer.location?.searchParams.get('iss')).toBe(t.issuer)
      expect(answer.location?.searchParams.get('state')).toBe(app.state)
      expect((await app.redeem(codeOf(answer))).status).toBe(200)
    })

    it.each(['?', '&', '=', ' +%2B', 'a?b=c&launch=x', '\u00e9\u0141\u{1f600}'])(
      'gives the state back as it was: %j',
      async (state) => {
        const app = new App(t, new UserAgent())
        const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
        const answer = await app.authorize(handle, { state })
        expect(answer.location?.searchParams.get('state')).toBe(state)
      },
    )

    it('reads a question mark inside a value as part of it (RFC 3986 §3.4)', async () => {
      const app = new App(t, new UserAgent())
      const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
      const url = at('/oauth/authorize')
      url.search = new URLSearchParams(app.parameters(handle, { state: undefined })).toString()
      const answer = await app.browser.visit(new URL(`${url.href}&state=a?b`))
      expect(answer.location?.searchParams.get('state')).toBe('a?b')
    })

    it('keeps the query of a registered redirect address', async () => {
      const app = new App(t, new UserAgent())
      const handle = handleOf(await open(t, app.browser, { system: 'gp-push', app: 'v1-app' }))
      const v1 = new App(t, app.browser, 'v1-app')
      const redirect_uri = `${APP_ORIGINS['v1-app']}/back?tab=1`
      const answer = await v1.authorize(handle, { redirect_uri })
      expect(answer.location?.searchParams.get('tab')).toBe('1')
      expect((await v1.redeem(codeOf(answer), { redirect_uri })).status).toBe(200)
    })
  })

  describe('with SMART v1', () => {
    it('answers v1’s words where every letter of them is allowed, and v2’s letters where not', async () => {
      const { tokens: v1 } = await launchTo(t, { system: 'gp-push', app: 'v1-app' })
      expect(v1.scope).toBe('launch openid fhirUser patient/Patient.read patient/CarePlan.read')
      expect(v1).not.toHaveProperty('refresh_token')
      expect(await readsPatient(t, v1)).toBe(200)
    })
  })

  it('leaves a trail that can be verified, every stage of each launch by one writer', async () => {
    await expectWholeTrail(t)
    const entries = await entriesOf(t, { launch: tokens.__launch })
    expect(new Set(entries.map(({ writer }) => writer)).size).toBe(1)
  })
})
