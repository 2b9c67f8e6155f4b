/** Apps that are known by a certificate, behind a proxy that tells it. @see RFC 8705 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { AUTHORITY, PROXY } from '../access/certificate-scene.js'
import { call, claimsIn } from '../app-by-hand.js'
import { certificate, type Made } from '../certificates.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { hangUp, openSite } from '../gateway-surroundings.js'
import { PEGGY, patientOf } from '../launching.js'
import {
  asking,
  authorize,
  BACK,
  choose,
  named,
  row,
  throughProvider,
  token,
} from '../standalone.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const ALIAS = 'https://mtls.launch.example'
const vouched = certificate({ by: AUTHORITY, alternatives: [['dns', 'app.example']] })
const other = certificate({ by: AUTHORITY, alternatives: [['dns', 'other.example']] })
const own = certificate({ subject: [{ CN: 'self' }] })
const peggy = patientOf(PEGGY)
const DATA = 'launch/patient openid patient/Patient.r'

const told = (made: Made, verdict = 'SUCCESS') => ({
  'client-cert': `:${made.der.toString('base64')}:`,
  'x-ssl-client-verify': verdict,
})

const published = { keys: [] as object[], status: 200, asked: 0 }
let site: Awaited<ReturnType<typeof openSite>>
let t: TestGateway
beforeAll(async () => {
  site = await openSite('127.0.0.1')
  site.serve((_req, res) => {
    published.asked += 1
    const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=120' }
    res.writeHead(published.status, headers).end(JSON.stringify({ keys: published.keys }))
  })
  const mtls = {
    alias: ALIAS,
    header: 'client-cert',
    verify_header: 'x-ssl-client-verify',
  } as const
  const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'self' }
  published.keys = [jwk]
  const apps = [
    row({
      id: 'by-name',
      type: 'certificate',
      tls_client_auth_san_dns: 'app.example',
      scopes: DATA.split(' '),
    }),
    row({ id: 'by-key', type: 'certificate', jwks: { keys: [jwk] }, scopes: DATA.split(' ') }),
    row({
      ...{ id: 'by-address', type: 'certificate', jwks_uri: `${site.origin}/jwks.json` },
      scopes: DATA.split(' '),
    }),
  ]
  t = await openTestGateway({
    store: 'embedded',
    change: (c) => ({ mtls, trust_proxy: [PROXY], apps: [...c.apps, ...apps] }),
  })
}, 60_000)
afterAll(async () => {
  await t?.close()
  await hangUp(site.server)
})

const codeFor = async (id: string) => {
  const browser = new UserAgent()
  const asked = asking(t, id, DATA)
  const page = await throughProvider(t, browser, await authorize(t, browser, asked.parameters))
  const landed = await choose(t, browser, page, named(PEGGY, peggy.birthDate))
  const code = landed.location?.searchParams.get('code') ?? ''
  return {
    ...{ grant_type: 'authorization_code', client_id: id, redirect_uri: BACK },
    ...{ code, code_verifier: asked.verifier },
  }
}

describe.each([
  ['by-name', vouched, 'SUCCESS'],
  ['by-key', own, 'FAILED:self signed certificate'],
  ['by-address', own, 'FAILED:self signed certificate'],
] as const)('an app known %s', (id, made, verdict) => {
  it('gets tokens that are bound to its certificate, and worth nothing without', async () => {
    const form = await codeFor(id)
    const given = JSON.parse((await token(t, form, told(made, verdict), { from: PROXY })).text)
    expect(given).toMatchObject({ token_type: 'Bearer', patient: peggy.fhirId })
    expect(claimsIn(given.access_token)).toHaveProperty(['cnf', 'x5t#S256'])
    const path = `/fhir/Patient/${peggy.fhirId}`
    expect((await call(t, given.access_token, path)).status).toBe(401)
    const headers = { authorization: `Bearer ${given.access_token}`, ...told(made, verdict) }
    expect((await send(new URL(path, t.issuer), { headers, from: PROXY })).status).toBe(200)
  })

  it.each([
    ['no certificate', {}, PROXY],
    ['another’s certificate', told(other), PROXY],
    ['its certificate told by nobody who may', told(made, verdict), '127.0.0.1'],
  ])('is refused with %s', async (_what, headers, from) => {
    const answer = await token(t, await codeFor(id), headers as Record<string, string>, { from })
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([401, 'invalid_client'])
  })
})

describe('keys at an address (RFC 8705 §2.2)', () => {
  const tries = async (made: Made) => {
    const form = { grant_type: 'authorization_code', client_id: 'by-address', code: 'x' }
    const answer = await token(t, form, told(made, 'NONE'), { from: PROXY })
    // Whoever is refused for the code has been let in.
    return JSON.parse(answer.text).error
  }

  it('are kept, asked for anew for a certificate that is new to them, and given up when they are gone', async () => {
    const next = certificate({ subject: [{ CN: 'next' }] })
    await t.clock.advance(121)
    published.asked = 0
    expect([await tries(own), await tries(own)]).toEqual(['invalid_grant', 'invalid_grant'])
    expect(published.asked).toBe(1)
    published.keys = [{ ...next.publicKey.export({ format: 'jwk' }), kid: 'next' }]
    expect(await tries(next)).toBe('invalid_grant')
    expect(await tries(own)).toBe('invalid_client')
    // Anybody can make a certificate: not each of them is asked about.
    expect([await tries(other), await tries(other)]).toEqual(['invalid_client', 'invalid_client'])
    expect(published.asked).toBe(2)
    published.status = 500
    await t.clock.advance(121)
    expect(await tries(next)).toBe('invalid_client')
  })
})

it('a name counts only where the proxy found an authority behind it', async () => {
  const form = await codeFor('by-name')
  const answer = await token(t, form, told(vouched, 'FAILED:unable to verify'), { from: PROXY })
  expect(answer.status).toBe(401)
})

it('discovery names both ways and where they are', async () => {
  const found = JSON.parse(
    (await send(new URL('/.well-known/openid-configuration', t.issuer))).text,
  )
  expect(found.token_endpoint_auth_methods_supported).toEqual(
    expect.arrayContaining(['tls_client_auth', 'self_signed_tls_client_auth']),
  )
  expect(found.mtls_endpoint_aliases).toMatchObject({ token_endpoint: `${ALIAS}/oauth/token` })
})
