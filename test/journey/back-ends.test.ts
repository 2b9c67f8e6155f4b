/** Clients that others wrote: introspection, revocation, userinfo, client credentials and token exchange. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type CryptoKey, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { TOKEN_EXCHANGE } from '../../src/core/client.js'
import { ACCESS_TOKEN_TYPE } from '../../src/core/exchange.js'
import { launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { type BackEnds, introspected, openWithBackEnds, SECRET } from '../back-ends.js'
import { STORES, type TestGateway } from '../gateway.js'
import { expectWholeTrail } from '../trail-reading.js'
import { send } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('on the %s store', (store) => {
  let ends: BackEnds
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    ends = await openWithBackEnds(store)
    t = ends.t
    tokens = (await launchTo(t, { system: 'gp-push' })).tokens
  }, 60_000)
  afterAll(() => t?.close())
  // The library's assertions are dated by the machine's own clock.
  beforeEach(() => t.clock.catchUp())

  const own = async (id: string) => {
    const key = (await importJWK(ends.keys[id] as JWK, 'ES256')) as CryptoKey
    return { key, kid: `${id}-1` }
  }

  describe('openid-client', () => {
    const http = { execute: [client.allowInsecureRequests] }
    const discover = async (id: string, how: client.ClientAuth, metadata = {}) =>
      client.discovery(new URL(t.issuer), id, metadata, how, http)

    it('gets a service’s token by private_key_jwt, and introspects with the same client', async () => {
      const config = await discover('service', client.PrivateKeyJwt(await own('service')))
      const scope = 'system/Patient.rs __introspect'
      const given = await client.clientCredentialsGrant(config, { scope })
      expect(given).toMatchObject({ token_type: 'bearer', expires_in: 300, scope })
      const told = await client.tokenIntrospection(config, tokens.access_token)
      expect(told).toMatchObject({
        ...{ active: true, client_id: 'care-plan', sub: '555254239101', iss: t.issuer },
        ...{ patient: tokens.patient, ehrId: tokens.ehrId, scope: tokens.scope },
        fhirUser: `${t.issuer}/fhir/Practitioner/555254239101`,
      })
    })

    it('introspects with a secret, and revokes as the public app', async () => {
      const { tokens: mine } = await launchTo(t, { system: 'gp-push' })
      const secret = await discover('secret-app', client.ClientSecretBasic(SECRET))
      const ask = async () => (await client.tokenIntrospection(secret, mine.access_token)).active
      expect(await ask()).toBe(true)
      const app = await discover('care-plan', client.None())
      await client.tokenRevocation(app, mine.refresh_token ?? '')
      expect(await ask()).toBe(false)
      expect(await readsPatient(t, mine)).toBe(401)
    })

    it('reads userinfo, plain and signed', async () => {
      const plain = await discover('care-plan', client.None())
      expect(await client.fetchUserInfo(plain, tokens.access_token, '555254239101')).toEqual({
        sub: '555254239101',
        fhirUser: `${t.issuer}/fhir/Practitioner/555254239101`,
      })
      const { tokens: key } = await launchTo(t, { system: 'gp-push', app: 'key-app' })
      const signed = await discover('key-app', client.None(), {
        userinfo_signed_response_alg: 'ES256',
      })
      client.enableNonRepudiationChecks(signed)
      const said = await client.fetchUserInfo(signed, key.access_token, '555254239101')
      expect(said).toMatchObject({ sub: '555254239101', iss: t.issuer, aud: 'key-app' })
    })

    it('exchanges an app’s token for its back end, bound to the back end’s key', async () => {
      const config = await discover('back-end', client.PrivateKeyJwt(await own('back-end')))
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
      const asked = { subject_token: tokens.access_token, subject_token_type: ACCESS_TOKEN_TYPE }
      const given = await client.genericGrantRequest(config, TOKEN_EXCHANGE, asked, { DPoP })
      expect(given.token_type).toBe('dpop')
      const url = new URL(`/fhir/Patient/${tokens.patient}`, t.issuer)
      const call = [config, given.access_token, url, 'GET', null, undefined, { DPoP }] as const
      expect((await client.fetchProtectedResource(...call)).status).toBe(200)
    })
  })

  describe('oauth4webapi', () => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const server = async () => {
      const issuer = new URL(t.issuer)
      const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
      return oauth.processDiscoveryResponse(issuer, answer)
    }

    it('believes a signed introspection answer, and its signature (RFC 9701)', async () => {
      const as = await server()
      const reader = { client_id: 'reader' }
      const proof = oauth.PrivateKeyJwt(await own('reader'))
      const more = { requestJwtResponse: true, ...insecure }
      const ask = (token: string) => oauth.introspectionRequest(as, reader, proof, token, more)
      const answer = await ask(tokens.access_token)
      expect(answer.headers.get('content-type')).toBe('application/token-introspection+jwt')
      expect(decodeProtectedHeader(await answer.clone().text())).toMatchObject({
        ...{ alg: 'ES256', typ: 'token-introspection+jwt' },
      })
      const told = await oauth.processIntrospectionResponse(as, reader, answer)
      await oauth.validateApplicationLevelSignature(as, answer, insecure)
      expect(told).toMatchObject({ active: true, patient: tokens.patient, tenant: 'A83001' })
      const none = await oauth.processIntrospectionResponse(as, reader, await ask('x'))
      expect(none).toEqual({ active: false })
    })

    it('gets a service’s token, is refused an unregistered scope, and revokes it', async () => {
      const as = await server()
      const service = { client_id: 'service' }
      const proof = oauth.PrivateKeyJwt(await own('service'))
      const ask = async (scope: string) => {
        const asked = oauth.clientCredentialsGrantRequest(as, service, proof, { scope }, insecure)
        return oauth.processClientCredentialsResponse(as, service, await asked)
      }
      const given = await ask('system/CarePlan.rs')
      await expect(ask('system/Condition.c')).rejects.toMatchObject({ error: 'invalid_scope' })
      const token = given.access_token
      expect((await introspected(ends, 'reader', token)).active).toBe(true)
      const gone = await oauth.revocationRequest(as, service, proof, token, insecure)
      expect(await oauth.processRevocationResponse(gone)).toBeUndefined()
      expect(await introspected(ends, 'reader', token)).toEqual({ active: false })
    })
  })

  describe('discovery', () => {
    const document = async (name: string) =>
      JSON.parse((await send(new URL(`/.well-known/${name}`, t.issuer))).text)

    it('names the endpoints that are there, and how each is proven to', async () => {
      const found = await document('openid-configuration')
      for (const name of ['introspection', 'revocation', 'userinfo', 'token']) {
        const url = new URL(found[`${name}_endpoint`])
        expect((await send(url, { form: {} })).status).not.toBe(404)
      }
      expect(found.grant_types_supported).toEqual([
        ...['authorization_code', 'refresh_token', 'client_credentials', TOKEN_EXCHANGE],
      ])
      expect(found.introspection_endpoint_auth_methods_supported).not.toContain('none')
      expect(found.revocation_endpoint_auth_methods_supported).toContain('none')
      expect(found.userinfo_signing_alg_values_supported).toEqual(['RS256', 'ES256'])
    })

    it('claims nothing of a service that the record does not do yet', async () => {
      const smart = await document('smart-configuration')
      expect(smart.introspection_endpoint).toBe(`${t.issuer}/oauth/introspect`)
      expect(smart.revocation_endpoint).toBe(`${t.issuer}/oauth/revoke`)
      expect(smart.capabilities).toContain('client-confidential-asymmetric')
      expect(smart.scopes_supported.filter((scope: string) => /^system/.test(scope))).toEqual([])
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
