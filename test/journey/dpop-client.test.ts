/** A client that others wrote, with its own idea of DPoP. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { App, claimsIn } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, open } from '../launching.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('openid-client on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())
  // The library's proofs are dated by the machine's own clock.
  beforeEach(() => t.clock.catchUp())

  it.each(['ES256', 'ES384', 'PS256'])(
    'redeems, reads and refreshes with proofs by %s, and keeps the nonces that it is told',
    async (alg) => {
      const sent: string[] = []
      const http = { execute: [client.allowInsecureRequests] }
      const issuer = new URL(t.issuer)
      const config = await client.discovery(issuer, 'care-plan', {}, client.None(), http)
      config[client.customFetch] = (url, options) => {
        const proof = new Headers(options.headers as Record<string, string>).get('dpop')
        if (proof !== null) sent.push(proof)
        return fetch(url, options as RequestInit)
      }
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(alg))
      const app = new App(t, new UserAgent())
      const dpop_jkt = await DPoP.calculateThumbprint()
      const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
      const { location } = await app.authorize(handle, { dpop_jkt })
      const { verifier: pkceCodeVerifier, state: expectedState, nonce: expectedNonce } = app
      const checks = { pkceCodeVerifier, expectedState, expectedNonce }
      const here = location as URL
      const tokens = await client.authorizationCodeGrant(config, here, checks, {}, { DPoP })
      expect(tokens.token_type).toBe('dpop')
      expect(claimsIn(tokens.access_token).cnf).toEqual({ jkt: dpop_jkt })

      const read = async (token: string) => {
        const url = new URL(`/fhir/Patient/${tokens.patient}?_format=json`, t.issuer)
        const call = [config, token, url, 'GET', null, undefined, { DPoP }] as const
        return (await client.fetchProtectedResource(...call)).status
      }
      expect(await read(tokens.access_token)).toBe(200)
      const refresh = tokens.refresh_token ?? ''
      const fresh = await client.refreshTokenGrant(config, refresh, {}, { DPoP })
      expect(await read(fresh.access_token)).toBe(200)
      const nonces = sent.map((proof) => decodeJwt(proof).nonce)
      expect(nonces[0]).toBeUndefined()
      expect(nonces.slice(1).filter(Boolean)).toHaveLength(sent.length - 1)
    },
  )
})
