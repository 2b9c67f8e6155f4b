/** Tokens that are bound to a certificate, called with, without and with another. */
import type { Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { readCertificate } from '../../src/core/certificate.js'
import { createHttpServer } from '../../src/http/server.js'
import { AUTHORITY, type Caller, callAs, OUR_PAIR, PROXY } from '../access/certificate-scene.js'
import { claimsIn, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { certificate, type Made } from '../certificates.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import { expectNoPatient, expectRefused } from '../trail-reading.js'
import { send } from '../user-agent.js'

jest.setTimeout(60_000)

const ALIAS = 'https://mtls.launch.example'
const holder = certificate({ by: AUTHORITY, subject: [{ CN: 'holder' }] })
const other = certificate({ by: AUTHORITY, subject: [{ CN: 'holder' }] })
const thumbprint = (made: Made): string => readCertificate(made.der)?.thumbprint ?? ''
const headerOf = (made: Made) => ({ 'client-cert': `:${made.der.toString('base64')}:` })

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let certified: Server
  let port: number
  let tokens: Tokens
  let bound: string
  beforeAll(async () => {
    const mtls = { alias: ALIAS, header: 'client-cert', ca: 'read by serve' } as const
    t = await openTestGateway({ store, change: () => ({ mtls, trust_proxy: [PROXY] }) })
    const clients = { ca: Buffer.from(AUTHORITY.pem) }
    certified = createHttpServer(t.running.app, { ...OUR_PAIR, clients })
    port = await listen(certified)
    tokens = (await launchTo(t, { system: 'gp-push' })).tokens
    bound = await boundTo({ 'x5t#S256': thumbprint(holder) })
  }, 60_000)
  afterAll(async () => {
    await hangUp(certified)
    await t.close()
  })

  const boundTo = (cnf: unknown): Promise<string> =>
    t.running.keys.sign('ES256', 'at+jwt', { ...claimsIn(tokens.access_token), cnf } as never)

  /** One read of the patient with a token, at the listener for certificates or as from the proxy. */
  function reads(token: string, caller: Caller = {}, secure = true) {
    const path = `/fhir/Patient/${tokens.patient}`
    const headers = { authorization: `Bearer ${token}`, ...caller.headers }
    const at = secure ? port : Number(new URL(t.issuer).port)
    return callAs({ ...caller, path, headers }, at, secure)
  }

  describe('A token that is bound to a certificate (RFC 8705 §3)', () => {
    it('is good with it, by our own handshake and by a proxy’s word', async () => {
      expect((await reads(bound, { with: holder })).status).toBe(200)
      const told = await reads(bound, { from: PROXY, headers: headerOf(holder) }, false)
      expect(told.status).toBe(200)
    })

    // biome-ignore format: a table
    it.each<[string, Caller, boolean]>([
    ['without any',                                { },                                                        true],
    ['with another of the same name',              { with: other },                                            true],
    ['with a copy in a header',                    { headers: headerOf(holder) },                              true],
    ['with another, and a copy in a header',       { with: other, headers: headerOf(holder) },                 true],
    ['from elsewhere without any',                 { },                                                        false],
    ['from elsewhere with a copy in a header',     { headers: { ...headerOf(holder), 'x-forwarded-for': PROXY } }, false],
    ['by the proxy without any',                   { from: PROXY },                                            false],
    ['by the proxy with another',                  { from: PROXY, headers: headerOf(other) },                  false],
  ])('is good for nothing %s', async (_, caller, secure) => {
    const answer = await reads(bound, caller, secure)
    await expectRefused(t, answer, 'token_other_certificate', 401)
    expectNoPatient(answer)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

    // biome-ignore format: a table
    it.each<[string, unknown]>([
    ['nothing',                      { 'x5t#S256': '' }],
    ['a list with the right one',    { 'x5t#S256': [thumbprint(holder)] }],
    ['null',                         { 'x5t#S256': null }],
    ['the same in other case',       { 'x5t#S256': thumbprint(holder).toLowerCase() }],
  ])('is good for nobody when it is bound to %s', async (_, cnf) => {
    const answer = await reads(await boundTo(cnf), { with: holder })
    await expectRefused(t, answer, 'token_other_certificate', 401)
  })

    it('is not good with its certificate once that is out of its time', async () => {
      const short = certificate({ by: AUTHORITY, to: t.clock() + 60_000 })
      const token = await boundTo({ 'x5t#S256': thumbprint(short) })
      await t.clock.advance(60)
      expect((await reads(token, { with: short })).status).toBe(200)
      await t.clock.advance(1)
      await expectRefused(t, await reads(token, { with: short }), 'token_other_certificate', 401)
    })

    it('tells nobody more than any other token that is not valid', async () => {
      const said = async (token: string) => {
        const answer = await reads(token)
        return JSON.parse(answer.text).issue[0].diagnostics.replace(/ref_[\w-]+/, '')
      }
      expect(await said(bound)).toBe(await said('nonsense'))
    })
  })

  describe('A token that is bound to nothing', () => {
    it('is good with any certificate and with none', async () => {
      expect(await readsPatient(t, tokens)).toBe(200)
      expect((await reads(tokens.access_token, { with: other })).status).toBe(200)
      expect((await reads(tokens.access_token)).status).toBe(200)
    })
  })

  describe('A grant that is bound to a certificate', () => {
    it('renews nothing without it', async () => {
      const { app, tokens: first } = await launchTo(t, { system: 'gp-push' })
      const launch = first.__launch as `lch_${string}`
      const { store } = t.running
      const grant = await store.get('grant', launch)
      if (!grant) throw new Error('no grant')
      const cnf = { 'x5t#S256': thumbprint(holder) }
      const value = { ...grant, cnf }
      await store.commit({ puts: [{ kind: 'grant', id: launch, value, until: grant.until }] })
      await expectRefused(t, await app.refresh(first), 'refresh_other_key', 400)
    })
  })

  describe('Discovery', () => {
    it('says where clients with a certificate call, as far as there is such an endpoint (RFC 8705 §5)', async () => {
      for (const path of [
        'openid-configuration',
        'oauth-authorization-server',
        'smart-configuration',
      ]) {
        const url = new URL(`/.well-known/${path}`, t.issuer)
        const document = JSON.parse((await send(url)).text)
        const aliases = document.mtls_endpoint_aliases as Record<string, string>
        expect(document.tls_client_certificate_bound_access_tokens).toBe(true)
        expect(aliases.token_endpoint).toBe(`${ALIAS}/oauth/token`)
        expect(Object.keys(aliases)).not.toContain('authorization_endpoint')
        for (const [name, alias] of Object.entries(aliases))
          expect(String(document[name]).replace(t.issuer, ALIAS)).toBe(alias)
      }
    })

    it('says nothing of it where nobody is known by a certificate, and bound tokens open nothing', async () => {
      await t.restart({ mtls: undefined })
      const url = new URL('/.well-known/smart-configuration', t.issuer)
      const document = (await send(url)).text
      expect(document).not.toMatch(/mtls|certificate/)
      const told = await reads(bound, { from: PROXY, headers: headerOf(holder) }, false)
      expect(told.status).toBe(401)
    })
  })
})
