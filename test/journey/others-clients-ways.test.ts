/**
 * The flows that begin at the record, at a certificate or at a form, and all of one flow by a client that leaves each
 * step to its caller: by clients that others wrote. The store has no part in what is new here, so one is enough.
 */
import type { Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { importJWK, type JWK } from 'jose'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { Agent, fetch as fetchBy } from 'undici'
import { createHttpServer } from '../../src/http/server.js'
import { AUTHORITY, OUR_PAIR } from '../access/certificate-scene.js'
import { claimsIn } from '../app-by-hand.js'
import { certificate } from '../certificates.js'
import { freePorts } from '../free-ports.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import { handleOf, open, PEGGY, patientOf } from '../launching.js'
import { BACK, choose, follow, named, row, standaloneApps, throughProvider } from '../standalone.js'
import { type Answer, formsOf, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const DATA = 'launch/patient openid fhirUser patient/Patient.r'
const LASTING = `${DATA} offline_access`
const SUBJECT = '555254239101'
const peggy = patientOf(PEGGY)
const holder = certificate({ by: AUTHORITY, alternatives: [['dns', 'app.example']] })

let t: TestGateway
let key: JWK
let certified: Server
let alias: string
beforeAll(async () => {
  const port = await freePorts(1)
  alias = `https://127.0.0.1:${port}`
  const made = await standaloneApps()
  key = made.key
  const { d: _, ...shown } = key
  const jwks = { keys: [shown] }
  const apps = [
    row({
      ...{ id: 'by-name', type: 'certificate', tls_client_auth_san_dns: 'app.example' },
      scopes: LASTING.split(' '),
    }),
    row({
      ...{ id: 'lasting', profile: 'fapi2', type: 'key', jwks, dpop_nonce: 'required' },
      scopes: LASTING.split(' '),
    }),
  ]
  t = await openTestGateway({
    store: 'embedded',
    change: (c) => ({
      mtls: { alias, ca: 'read by serve' },
      apps: [...c.apps, ...made.apps, ...apps],
    }),
  })
  const clients = { ca: Buffer.from(AUTHORITY.pem) }
  certified = createHttpServer(t.running.app, { ...OUR_PAIR, clients })
  await listen(certified, port)
}, 60_000)
afterAll(async () => {
  await hangUp(certified)
  await t?.close()
})
// The libraries date their assertions and proofs by the machine's clock.
beforeEach(() => t.clock.catchUp())

const own = async (of: JWK = key, alg = 'ES256') => ({
  key: (await importJWK(of, alg)) as client.CryptoKey,
  kid: of.kid ?? '',
})
/** The page or address to which a standalone launch leads, its patient chosen. */
async function landed(url: URL): Promise<Answer> {
  const browser = new UserAgent()
  const door = await follow(t, browser, await browser.visit(url))
  const page = await throughProvider(t, browser, door)
  return choose(t, browser, page, named(PEGGY, peggy.birthDate))
}
const patientAt = (origin: string) => new URL(`/fhir/Patient/${peggy.fhirId}`, origin)

describe('openid-client', () => {
  const http = { execute: [client.allowInsecureRequests] }
  const discover = (id: string, how: client.ClientAuth, metadata = {}) =>
    client.discovery(new URL(t.issuer), id, metadata, how, http)

  async function checks(change: Readonly<Record<string, string>> = {}) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    const parameters = {
      ...{ redirect_uri: BACK, scope: DATA, aud: `${t.issuer}/fhir`, state: expectedState },
      ...{ nonce: expectedNonce, code_challenge_method: 'S256' },
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      ...change,
    }
    return { parameters, checks: { pkceCodeVerifier, expectedState, expectedNonce } }
  }
  const reads = async (
    config: client.Configuration,
    token: string,
    origin = t.issuer,
    options = {},
  ) => {
    const call = [config, token, patientAt(origin), 'GET', null, undefined, options] as const
    return (await client.fetchProtectedResource(...call)).status
  }

  it('is launched from the record as an app with a key, and renews', async () => {
    const how = client.PrivateKeyJwt(await own(t.appKeys['key-app'] as JWK, 'ES384'))
    const config = await discover('key-app', how, { id_token_signed_response_alg: 'ES256' })
    const browser = new UserAgent()
    const order = { system: 'gp-push', app: 'key-app' }
    const asked = await checks({
      ...{ launch: handleOf(await open(t, browser, order)) },
      ...{ redirect_uri: `${APP_ORIGINS['key-app']}/` },
      scope: 'launch openid fhirUser online_access patient/Patient.r',
    })
    const { location } = await browser.visit(client.buildAuthorizationUrl(config, asked.parameters))
    const tokens = await client.authorizationCodeGrant(config, location as URL, asked.checks)
    expect(tokens).toMatchObject({ patient: peggy.fhirId, need_patient_banner: true })
    expect(tokens.claims()?.fhirUser).toBe(`${t.issuer}/fhir/Practitioner/${SUBJECT}`)
    expect(await reads(config, tokens.access_token)).toBe(200)
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(fresh).toMatchObject({ patient: peggy.fhirId })
    expect(await reads(config, fresh.access_token)).toBe(200)
  })

  it('is answered by a form that the browser posts (form_post)', async () => {
    const config = await discover('solo', client.None())
    const asked = await checks({ response_mode: 'form_post' })
    const page = await landed(client.buildAuthorizationUrl(config, asked.parameters))
    const form = formsOf(page.text).find(({ action }) => action === BACK)
    const posted = new Request(BACK, { method: 'POST', body: new URLSearchParams(form?.fields) })
    const tokens = await client.authorizationCodeGrant(config, posted, asked.checks)
    expect(tokens).toMatchObject({ patient: peggy.fhirId })
    expect(await reads(config, tokens.access_token)).toBe(200)
  })

  describe('with a certificate, at the aliases (RFC 8705)', () => {
    const connect = { ca: AUTHORITY.pem, cert: holder.pem, key: holder.keyPem }
    const dispatcher = new Agent({ connect })
    afterAll(() => dispatcher.close())
    /** All of its requests come with the certificate; `seen` keeps where they went. */
    const holding = async (id: string, how: client.ClientAuth) => {
      const seen: string[] = []
      const config = await discover(id, how, { use_mtls_endpoint_aliases: true })
      config[client.customFetch] = (url, options) => {
        seen.push(new URL(url).origin)
        return fetchBy(url, { ...options, dispatcher } as never) as never
      }
      return { config, seen }
    }

    it('proves itself by it, and holds tokens that are worth nothing without', async () => {
      const { config, seen } = await holding('by-name', client.TlsClientAuth())
      const asked = await checks({ scope: LASTING })
      const url = await client.buildAuthorizationUrlWithPAR(config, asked.parameters)
      const here = (await landed(url)).location as URL
      const tokens = await client.authorizationCodeGrant(config, here, asked.checks)
      expect(claimsIn(tokens.access_token)).toHaveProperty(['cnf', 'x5t#S256'])
      expect(await reads(config, tokens.access_token, alias)).toBe(200)
      const said = await client.fetchUserInfo(config, tokens.access_token, SUBJECT)
      expect(said.sub).toBe(SUBJECT)
      const fresh = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
      expect(await reads(config, fresh.access_token, alias)).toBe(200)
      expect(new Set(seen)).toEqual(new Set([alias]))
      const bare = await discover('by-name', client.None())
      await expect(reads(bare, fresh.access_token)).rejects.toThrow()
    })

    it('binds its tokens to a key there, by proofs that name the alias (RFC 9449 §4.3)', async () => {
      const { config, seen } = await holding('signing', client.PrivateKeyJwt(await own()))
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
      const asked = await checks()
      const url = await client.buildAuthorizationUrlWithJAR(config, asked.parameters, await own())
      const here = (await landed(url)).location as URL
      const tokens = await client.authorizationCodeGrant(config, here, asked.checks, {}, { DPoP })
      expect(tokens.token_type).toBe('dpop')
      for (const origin of [alias, t.issuer])
        expect(await reads(config, tokens.access_token, origin, { DPoP })).toBe(200)
      expect(new Set(seen)).toEqual(new Set([alias, t.issuer]))
    })
  })
})

describe('oauth4webapi', () => {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const server = async () => {
    const issuer = new URL(t.issuer)
    const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure })
    return oauth.processDiscoveryResponse(issuer, answer)
  }
  async function asking(scope: string) {
    const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()]
    const nonce = oauth.generateRandomNonce()
    const parameters = {
      ...{ response_type: 'code', redirect_uri: BACK, scope, aud: `${t.issuer}/fhir` },
      ...{ state, nonce, code_challenge_method: 'S256' },
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    }
    return { verifier, state, nonce, parameters }
  }
  const authorizing = (as: oauth.AuthorizationServer, parameters: Record<string, string>): URL => {
    const url = new URL(as.authorization_endpoint ?? '')
    url.search = new URLSearchParams(parameters).toString()
    return url
  }
  /** Once more with the nonce that the first answer told, as the library asks of its callers. */
  const withNonce = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error
      return ask()
    }
  }

  it('pushes, redeems, reads, asks who the user is and renews, with proofs and their nonces', async () => {
    const as = await server()
    const app: oauth.Client = { client_id: 'lasting' }
    const proof = oauth.PrivateKeyJwt(await own())
    const DPoP = oauth.DPoP(app, await oauth.generateKeyPair('ES256'))
    const more = { DPoP, ...insecure }
    const { verifier, state, nonce, parameters } = await asking(LASTING)
    const { request_uri } = await withNonce(async () => {
      const answer = oauth.pushedAuthorizationRequest(as, app, proof, parameters, more)
      return oauth.processPushedAuthorizationResponse(as, app, await answer)
    })
    const here = (await landed(authorizing(as, { client_id: app.client_id, request_uri })))
      .location as URL
    const answered = oauth.validateAuthResponse(as, app, here, state)
    const tokens = await withNonce(async () => {
      const given = [as, app, proof, answered, BACK, verifier, more] as const
      const answer = await oauth.authorizationCodeGrantRequest(...given)
      const checks = { expectedNonce: nonce, requireIdToken: true }
      return oauth.processAuthorizationCodeResponse(as, app, answer, checks)
    })
    expect(tokens).toMatchObject({ token_type: 'dpop', patient: peggy.fhirId })
    const { sub } = oauth.getValidatedIdTokenClaims(tokens) ?? { sub: '' }
    const who = await withNonce(async () =>
      oauth.processUserInfoResponse(
        ...([
          as,
          app,
          sub,
          await oauth.userInfoRequest(as, app, tokens.access_token, more),
        ] as const),
      ),
    )
    expect(who.sub).toBe(SUBJECT)
    const fresh = await withNonce(async () => {
      const renewing = [as, app, proof, tokens.refresh_token ?? '', more] as const
      const answer = await oauth.refreshTokenGrantRequest(...renewing)
      return oauth.processRefreshTokenResponse(as, app, answer)
    })
    for (const { access_token } of [tokens, fresh]) {
      const call = [access_token, 'GET', patientAt(t.issuer), undefined, undefined, more] as const
      const answer = await withNonce(() => oauth.protectedResourceRequest(...call))
      expect(answer.status).toBe(200)
    }
  })

  it('redeems and renews as a public app, without any of it', async () => {
    const as = await server()
    const app = { client_id: 'solo' }
    const { verifier, state, nonce, parameters } = await asking(LASTING)
    const here = (await landed(authorizing(as, { ...app, ...parameters }))).location as URL
    const answered = oauth.validateAuthResponse(as, app, here, state)
    const given = [as, app, oauth.None(), answered, BACK, verifier, insecure] as const
    const answer = await oauth.authorizationCodeGrantRequest(...given)
    const checks = { expectedNonce: nonce, requireIdToken: true }
    const tokens = await oauth.processAuthorizationCodeResponse(as, app, answer, checks)
    const renewing = [as, app, oauth.None(), tokens.refresh_token ?? '', insecure] as const
    const renewed = await oauth.refreshTokenGrantRequest(...renewing)
    const fresh = await oauth.processRefreshTokenResponse(as, app, renewed)
    const call = [fresh.access_token, 'GET', patientAt(t.issuer)] as const
    const read = await oauth.protectedResourceRequest(...call, undefined, undefined, insecure)
    expect(read.status).toBe(200)
  })
})
