/** The flows that begin at the app, by clients that others wrote and that know nothing of ours. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { importJWK, type JWK } from 'jose'
import * as client from 'openid-client'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { PEGGY, patientOf } from '../launching.js'
import { initialToken, REGISTRATION } from '../registering.js'
import {
  BACK,
  choose,
  follow,
  named,
  row,
  SECRET,
  standaloneApps,
  throughProvider,
} from '../standalone.js'
import { type Answer, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const DATA = 'launch/patient openid fhirUser patient/Patient.r'
const OUT = 'https://solo.example/out'
const peggy = patientOf(PEGGY)

describe.each(STORES)('openid-client, on the %s store', (store) => {
  let t: TestGateway
  let key: JWK
  beforeAll(async () => {
    const made = await standaloneApps()
    key = made.key
    const { d: _, ...open } = key
    const more = [
      row({
        ...{ id: 'lasting', profile: 'fapi2', type: 'key', jwks: { keys: [open] } },
        dpop_nonce: 'required',
        scopes: [...DATA.split(' '), 'offline_access'],
      }),
      row({
        ...{ id: 'leaving', profile: 'oidc', type: 'secret', scopes: ['openid'] },
        ...{ secret_hash: made.apps.find(({ id }) => id === 'relying')?.secretHash },
        post_logout_redirect_uris: [OUT],
      }),
    ]
    t = await openTestGateway({
      store,
      change: (c) => ({ apps: [...c.apps, ...made.apps, ...more], registration: REGISTRATION }),
    })
  }, 60_000)
  afterAll(() => t?.close())
  // The library dates its assertions and proofs by the machine's clock.
  beforeEach(() => t.clock.catchUp())

  const http = { execute: [client.allowInsecureRequests] }
  const discover = (id: string, how: client.ClientAuth) =>
    client.discovery(new URL(t.issuer), id, {}, how, http)
  const own = async () => ({
    key: (await importJWK(key, 'ES256')) as client.CryptoKey,
    kid: key.kid ?? '',
  })

  /** What each request is checked by afterwards. */
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
  const signedIn = async (browser: UserAgent, url: URL): Promise<Answer> =>
    throughProvider(t, browser, await follow(t, browser, await browser.visit(url)))
  /** Where the app is answered, with a patient. */
  async function landed(url: URL): Promise<URL> {
    const browser = new UserAgent()
    const page = await signedIn(browser, url)
    const answer = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
    return answer.location as URL
  }
  const reads = async (config: client.Configuration, token: string, options = {}) => {
    const url = new URL(`/fhir/Patient/${peggy.fhirId}`, t.issuer)
    const call = [config, token, url, 'GET', null, undefined, options] as const
    return (await client.fetchProtectedResource(...call)).status
  }

  it('pushes its request, proves itself by a key and binds its tokens by proofs with our nonces, and renews them (FAPI 2.0)', async () => {
    const config = await discover('lasting', client.PrivateKeyJwt(await own()))
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    const asked = await checks({ scope: `${DATA} offline_access` })
    const url = await client.buildAuthorizationUrlWithPAR(config, asked.parameters, { DPoP })
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
    const here = await landed(url)
    const tokens = await client.authorizationCodeGrant(config, here, asked.checks, {}, { DPoP })
    expect(tokens).toMatchObject({ token_type: 'dpop', patient: peggy.fhirId })
    expect(await reads(config, tokens.access_token, { DPoP })).toBe(200)
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', {}, { DPoP })
    expect(await reads(config, fresh.access_token, { DPoP })).toBe(200)
  })

  it('signs its request (JAR), by value', async () => {
    const config = await discover('signing', client.PrivateKeyJwt(await own()))
    const asked = await checks()
    const url = await client.buildAuthorizationUrlWithJAR(config, asked.parameters, await own())
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request'])
    const here = await landed(url)
    const tokens = await client.authorizationCodeGrant(config, here, asked.checks)
    expect(await reads(config, tokens.access_token)).toBe(200)
  })

  it('signs its user on with a secret in the header and in the body, and out again', async () => {
    for (const how of [client.ClientSecretBasic(SECRET), client.ClientSecretPost(SECRET)]) {
      const browser = new UserAgent()
      const config = await discover('leaving', how)
      const asked = await checks({ scope: 'openid', max_age: '600' })
      const { aud: _, ...wanted } = asked.parameters as Record<string, string>
      const page = await signedIn(browser, client.buildAuthorizationUrl(config, wanted))
      const more = { ...asked.checks, maxAge: 600 }
      const tokens = await client.authorizationCodeGrant(config, page.location as URL, more)
      expect(tokens.claims()?.sub).toBe('555254239101')
      const said = await client.fetchUserInfo(config, tokens.access_token, '555254239101')
      expect(said.sub).toBe('555254239101')
      const out = client.buildEndSessionUrl(config, {
        ...{ id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: OUT, state: 'bye' },
      })
      expect((await browser.visit(out)).location?.href).toBe(`${OUT}?state=bye`)
      await expect(
        client.fetchUserInfo(config, tokens.access_token, '555254239101'),
      ).rejects.toThrow()
    }
  })

  it('registers itself, and signs its user on as what it registered', async () => {
    const metadata = {
      ...{
        client_name: 'Theirs',
        redirect_uris: [BACK],
        scope: 'launch/patient openid patient/*.rs',
      },
      token_endpoint_auth_method: 'client_secret_basic',
    }
    const config = await client.dynamicClientRegistration(
      new URL(t.issuer),
      metadata,
      client.ClientSecretBasic(),
      {
        ...http,
        initialAccessToken: await initialToken(t),
      },
    )
    expect(config.clientMetadata().client_id).toMatch(/^dynamic-/)
    const asked = await checks({ scope: 'launch/patient openid patient/Patient.r' })
    const here = await landed(client.buildAuthorizationUrl(config, asked.parameters))
    const tokens = await client.authorizationCodeGrant(config, here, asked.checks)
    expect(await reads(config, tokens.access_token)).toBe(200)
  })
})
