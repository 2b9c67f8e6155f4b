/** The code, and what passes for an access token. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWTPayload, SignJWT } from 'jose'
import type { RefusalCode } from '../../src/core/refusal.js'
import {
  App,
  type Change,
  call,
  claimsIn,
  launchTo,
  readsPatient,
  type Tokens,
  tokensOf,
} from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { handleOf, NO_PLAN, open, patientOf } from '../launching.js'
import { entriesOf, expectNoPatient, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const ORDER = { system: 'gp-push' }
const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let port: number
  let tokens: Tokens
  beforeAll(async () => {
    t = await openTestGateway({ store })
    port = (await t.secondNode()).port
  }, 60_000)
  afterAll(() => t?.close())

  const begin = async () => {
    const app = new App(t, new UserAgent())
    return { app, code: await app.code(handleOf(await open(t, app.browser, ORDER))) }
  }

  describe('a code', () => {
    it('used twice ends all that its first use gave', async () => {
      const { app, code } = await begin()
      const given = tokensOf(await app.redeem(code))
      expect(await readsPatient(t, given)).toBe(200)
      const { launch } = await expectRefused(t, await app.redeem(code), 'code_spent', 400)
      expect(launch).toBe(given.__launch)
      expect(await readsPatient(t, given)).toBe(401)
      await expectRefused(t, await app.refresh(given), 'refresh_ended', 400)
      const stages = (await entriesOf(t, { launch: given.__launch })).map(({ what }) => what)
      expect(stages).toEqual(expect.arrayContaining(['grant_ended', 'token_refused']))
    })

    it('used twice is an alarm even when it comes late', async () => {
      const { app, code } = await begin()
      const given = tokensOf(await app.redeem(code))
      await t.clock.advance(240)
      await expectRefused(t, await app.redeem(code), 'code_spent', 400)
      expect(await readsPatient(t, given)).toBe(401)
    })

    it('has one success of fifty at once, on two nodes', async () => {
      const { app, code } = await begin()
      const url = new URL('/oauth/token', t.issuer)
      const form = {
        ...{ grant_type: 'authorization_code', client_id: app.id, code },
        ...{ redirect_uri: app.redirect, code_verifier: app.verifier },
      }
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => send(url, { form, ...(i % 2 ? { port } : {}) })),
      )
      const won = answers.filter(({ status }) => status === 200)
      expect(won).toHaveLength(1)
      for (const answer of answers)
        expectNoPatient({ ...answer, text: answer.status === 200 ? '' : answer.text })
    })

    it('lives a minute', async () => {
      const first = await begin()
      await t.clock.advance(59.999)
      expect((await first.app.redeem(first.code)).status).toBe(200)
      const second = await begin()
      await t.clock.advance(60)
      await expectRefused(t, await second.app.redeem(second.code), 'code_expired', 400)
    })

    // biome-ignore format: a table
    it.each<[string, RefusalCode, Change]>([
      ['with another verifier',   'verifier_mismatch', { code_verifier: 'A'.repeat(43) }],
      ['without a verifier',      'verifier_mismatch', { code_verifier: undefined }],
      ['with the challenge itself', 'verifier_mismatch', { code_verifier: '' }],
      ['with another redirect',   'redirect_mismatch', { redirect_uri: 'http://app.localhost:9999' }],
      ['without a redirect',      'redirect_mismatch', { redirect_uri: undefined }],
      ['by another app',          'code_other_client', { client_id: 'v1-app' }],
      ['by nobody',               'client_unproven',   { client_id: undefined }],
      ['by an app that does not exist', 'client_unproven', { client_id: '__proto__' }],
    ])('is not spent when it is tried %s', async (_what, code, change) => {
      const begun = await begin()
      const refused = await begun.app.redeem(begun.code, change)
      await expectRefused(t, refused, code, code === 'client_unproven' ? 401 : 400)
      expect((await begun.app.redeem(begun.code)).status).toBe(200)
    })

    it('tells the trail alone which redirect was sent, and which was asked with', async () => {
      const { app, code } = await begin()
      const sent = 'https://app.example/back'
      const refused = await app.redeem(code, { redirect_uri: `${sent}?x=1` })
      const { detail } = await expectRefused(t, refused, 'redirect_mismatch', 400)
      expect(detail).toMatchObject({ sent: `${sent}?…`, asked: app.redirect })
      expect(refused.text).not.toContain('example')
    })

    it('tells nobody which part of it was wrong', async () => {
      const { app, code } = await begin()
      const said = async (change: Change) => {
        const { error, error_description } = JSON.parse((await app.redeem(code, change)).text)
        return `${error}: ${error_description}`
      }
      const all = [
        await said({ code_verifier: 'A'.repeat(43) }),
        await said({ redirect_uri: 'x' }),
        await said({ client_id: 'v1-app' }),
        await said({ code: code.replace(/.$/, (end) => (end === '-' ? '_' : '-')) }),
        await said({ code: 'x' }),
      ]
      expect(new Set(all)).toEqual(new Set(['invalid_grant: The authorization code is not valid.']))
    })

    // biome-ignore format: a table
    it.each<[string, Change, RefusalCode]>([
      ['of another kind',           { grant_type: 'password' },           'grant_type_unsupported'],
      ['for the client itself',     { grant_type: 'client_credentials' }, 'grant_type_unregistered'],
      ['named like a built-in',     { grant_type: 'constructor' },        'grant_type_unsupported'],
      ['named like the prototype',  { grant_type: '__proto__' },          'grant_type_unsupported'],
      ['of no kind',                { grant_type: undefined },            'parameter_missing'],
    ])('is not given for a grant %s', async (_what, change, code) => {
      const begun = await begin()
      await expectRefused(t, await begun.app.redeem(begun.code, change), code, 400)
    })
  })

  describe('a refresh token', () => {
    it('has one successor of fifty uses at once, on two nodes, and no second family', async () => {
      const { app, tokens: first } = await launchTo(t, ORDER)
      const two = await t.secondNode()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          app.refresh(first, {}, i % 2 ? { port: two.port } : {}),
        ),
      )
      const given = answers.filter(({ status }) => status === 200).map(tokensOf)
      expect(new Set(given.map(({ refresh_token }) => refresh_token)).size).toBe(1)
      expect(given[0]?.refresh_token).not.toBe(first.refresh_token)
      // Who came while it was not durable yet is told to ask again, and has lost nothing.
      for (const answer of answers.filter(({ status }) => status !== 200))
        await expectRefused(t, answer, 'refresh_under_way', 503)
      const next = tokensOf(await app.refresh(given[0] as Tokens, {}, { port: two.port }))
      expect(await readsPatient(t, next)).toBe(200)
    })

    it('used again after its grace on the other node ends the grant on both', async () => {
      const { app, tokens: first } = await launchTo(t, ORDER)
      const next = tokensOf(await app.refresh(first))
      await t.clock.advance(60)
      const two = await t.secondNode()
      const again = await app.refresh(first, {}, { port: two.port })
      await expectRefused(t, again, 'refresh_spent', 400)
      expect(await readsPatient(t, next)).toBe(401)
      await expectRefused(t, await app.refresh(next), 'refresh_ended', 400)
    })
  })

  describe('instead of an access token', () => {
    beforeAll(async () => {
      tokens = (await launchTo(t, ORDER)).tokens
    })
    const claims = (change: JWTPayload = {}): JWTPayload => ({
      ...claimsIn(tokens.access_token),
      ...change,
    })
    const header = (jwt = '') =>
      JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString())
    const key = (use: string, kty: string) => {
      const found = t.running.keys.jwks.keys.find((jwk) => jwk.use === use && jwk.kty === kty)
      if (!found) throw new Error('no such key')
      return found
    }
    const foreign = async (more: object = {}, change: JWTPayload = {}) => {
      const { privateKey } = await generateKeyPair('ES256')
      const protectedHeader = { ...header(tokens.access_token), ...more }
      return new SignJWT(claims(change)).setProtectedHeader(protectedHeader).sign(privateKey)
    }
    const hmac = async (secret: string, kid?: string) =>
      new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: kid ?? key('sig', 'EC').kid ?? '' })
        .sign(new TextEncoder().encode(secret))
    const signed = (alg: 'ES256' | 'RS256', typ: string, change: JWTPayload) =>
      t.running.keys.sign(alg, typ, claims(change))

    // biome-ignore format: a table
    const TOKENS: readonly (readonly [string, RefusalCode, () => Promise<string>])[] = [
      ['an unsigned token',                           'token_invalid', async () => `${base64url({ alg: 'none', typ: 'at+jwt' })}.${base64url(claims())}.`],
      ['one of another key under our key’s name',     'token_invalid', () => foreign()],
      ['one with its own key in its header',          'token_invalid', async () => { const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true }); return new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk: await exportJWK(publicKey) }).sign(privateKey) }],
      ['one that says where its key is',              'token_invalid', () => foreign({ jku: `${t.origins.desktop}/smart/jwks`, kid: 'x' })],
      ['one that brings a certificate',               'token_invalid', () => foreign({ x5c: ['MIIB'], kid: undefined })],
      ['one that is critical about something',        'token_invalid', async () => `${base64url({ ...header(tokens.access_token), crit: ['b64'], b64: false })}.${tokens.access_token.split('.').slice(1).join('.')}`],
      ['an HMAC with our RSA public key (PEM)',       'token_invalid', async () => hmac(await exportSPKI(await importJWK(key('sig', 'RSA'), 'RS256', { extractable: true }) as never), key('sig', 'RSA').kid)],
      ['an HMAC with our EC public key (JWK)',        'token_invalid', () => hmac(JSON.stringify(key('sig', 'EC')))],
      ['an HMAC with nothing for a secret',           'token_invalid', async () => `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: key('sig', 'EC').kid })}.${base64url(claims())}.`],
      ['the id_token',                                'token_invalid', async () => tokens.id_token ?? ''],
      ['the refresh token',                           'token_invalid', async () => tokens.refresh_token ?? ''],
      ['a checkpoint of our trail',                   'token_invalid', async () => t.running.keys.sign('ES256', 'checkpoint+jwt', claims())],
      ['a token of another issuer',                   'token_invalid', () => signed('ES256', 'at+jwt', { iss: 'https://elsewhere.example' })],
      ['a token with our address and a slash',        'token_invalid', () => signed('ES256', 'at+jwt', { iss: `${t.issuer}/` })],
      ['a token for another audience',                'token_other_audience', () => signed('ES256', 'at+jwt', { aud: 'https://elsewhere.example/fhir' })],
      ['a token for the other base',                  'token_other_audience', () => signed('ES256', 'at+jwt', { aud: [`${t.issuer}/openehr/v1`] })],
      ['a token for nobody',                          'token_other_audience', () => signed('ES256', 'at+jwt', { aud: [] })],
      ['a token that has expired',                    'token_expired', () => signed('ES256', 'at+jwt', { exp: Math.floor(t.clock() / 1000) })],
      ['a token that never expires',                  'token_expired', () => signed('ES256', 'at+jwt', { exp: undefined } as never)],
      ['a token of no launch',                        'token_ended',   () => signed('ES256', 'at+jwt', { launch: undefined })],
      ['a token of a launch named like a built-in',   'token_ended',   () => signed('ES256', 'at+jwt', { launch: '__proto__' })],
      ['a token with its signature changed',          'token_invalid', async () => tokens.access_token.replace(/.{4}$/, 'AAAA')],
      ['a token with its patient changed',            'token_invalid', async () => tokens.access_token.replace(/\.[^.]+\./, `.${base64url(claims({ patient: patientOf(NO_PLAN).fhirId }))}.`)],
      ['a token of nine thousand characters',         'token_invalid', async () => 'a'.repeat(9000)],
      ['nothing',                                     'token_invalid', async () => ''],
    ]
    it.each(TOKENS)('%s opens nothing', async (_what, code, make) => {
      const answer = await call(t, await make(), `/fhir/Patient/${tokens.patient}`)
      await expectRefused(t, answer, code, 401)
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer realm="${t.issuer}", error="invalid_token"`,
      )
      expect(answer.headers['access-control-allow-origin']).toBe(APP_ORIGINS['care-plan'])
    })

    it('anything that we would not have refused by its signature is asked for in the header alone', async () => {
      const path = `/fhir/Patient/${tokens.patient}`
      const elsewhere: readonly (readonly [string, Parameters<typeof send>[1]])[] = [
        [`${path}?access_token=${tokens.access_token}`, {}],
        [path, { headers: { cookie: `access_token=${tokens.access_token}` } }],
        [path, { headers: { 'x-authorization': `Bearer ${tokens.access_token}` } }],
        [path, { headers: { authorization: `Basic ${tokens.access_token}` } }],
        [
          path,
          { headers: { authorization: `Bearer ${tokens.access_token} ${tokens.access_token}` } },
        ],
      ]
      for (const [where, sent] of elsewhere) {
        const answer = await send(new URL(where, t.issuer), sent)
        expect(answer.status).toBe(401)
        expectNoPatient(answer)
      }
    })

    it('says the same words for every one of them', async () => {
      const said = await Promise.all(
        TOKENS.map(async ([, , make]) => {
          const answer = await call(t, await make(), `/fhir/Patient/${tokens.patient}`)
          return JSON.parse(answer.text).issue[0].diagnostics.replace(/ref_[\w-]+/, '')
        }),
      )
      expect(new Set(said).size).toBe(1)
    })
  })

  it('goes on working, with a whole trail', async () => {
    const { tokens: fresh } = await launchTo(t, ORDER)
    expect(await readsPatient(t, fresh)).toBe(200)
    await expectWholeTrail(t)
  })
})
