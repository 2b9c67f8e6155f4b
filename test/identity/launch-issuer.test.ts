import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import { type CryptoKey, generateKeyPair } from 'jose'
import type { LaunchSystem } from '../../src/core/launch-system.js'
import { openLaunchIssuers } from '../../src/identity/launch-issuer.js'
import { type Listening, listen } from '../demo/hospital-provider.js'
import { configFor, newSecrets, refusalOf } from './relying-party.js'

const CIS2 = 'https://am.nhsidentity.example:443/openam/oauth2/realms/root/realms/oidc'

let server: Listening
let base: string
/** What the GP system's server says of itself. */
let said: Record<string, string> = {}
let key: CryptoKey

beforeAll(async () => {
  const app = express()
  server = await listen(app)
  base = `${server.origin}/fhir`
  app.get('/fhir/.well-known/smart-configuration', (_req, res) => {
    res.json({
      issuer: base,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      jwks_uri: `${base}/jwks`,
      ...said,
    })
  })
  key = (await generateKeyPair('ES256')).privateKey
})
afterAll(() => server.close())

const systemWith = (issuer?: string): LaunchSystem => ({
  ...{ id: 'my-gp', issuer: base, name: 'My GP system', rung: 'redeemed', signOn: 'launch' },
  relay: {
    ...{ clientId: 'launch-gateway', scope: 'launch openid' },
    ...(issuer === undefined ? {} : { issuer }),
  },
  ...{ algorithms: ['ES256'], organizations: ['A83001'], apps: ['care-plan'], claims: {} },
  ...{ purposes: ['direct-care'], defaultPurpose: 'direct-care', frameAncestors: [] },
  supersede: 'never',
  outcome: 'text',
  maxLifetime: 60,
})

const begun = (system: LaunchSystem): Promise<string> => {
  const parts = { issuer: base, redirectUri: 'http://localhost:1/callback' }
  const issuers = openLaunchIssuers(configFor({ ...parts, key: { key, kid: 'ours' } }), Date.now)
  return refusalOf(issuers.begin(system, 'handle', newSecrets()))
}

/** An assertion of ours names its reader by the issuer: whose it is must not be the reader's own word. */
describe('the authorization server of an inbound launch (RFC 8414 §3.3; RFC 7523 §3)', () => {
  // biome-ignore format: a table
  it.each([
    ['its FHIR base',                            () => base,                undefined,                  'not refused'],
    ['the origin of its FHIR base',              () => server.origin,       undefined,                  'not refused'],
    ['what its registration says',               () => 'https://as.example', 'https://as.example',      'not refused'],
    ['the OpenID provider',                      () => CIS2,                undefined,                  'sign_on_failed'],
    ['its base with a slash',                    () => `${base}/`,          undefined,                  'sign_on_failed'],
    ['another than its registration says',       () => base,                'https://as.example',       'sign_on_failed'],
    ['what its registration says but for case',  () => 'https://AS.example', 'https://as.example',      'sign_on_failed'],
  ])('that calls itself %s', async (_, issuer, registered, outcome) => {
    said = { issuer: issuer() }
    expect(await begun(systemWith(registered))).toBe(outcome)
  })
})
