/** What introspection may not tell, and whom revocation may not end. @see RFC 7662 §4; RFC 7009 §5 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { endOf } from '../../src/core/records.js'
import {
  type Change,
  call,
  claimsIn,
  launchTo,
  readsPatient,
  type Tokens,
  tokensOf,
} from '../app-by-hand.js'
import {
  askAsService,
  type BackEnds,
  exchangeAs,
  introspectAs,
  introspected,
  openWithBackEnds,
  postAs,
  proofOf,
  SECRET,
} from '../back-ends.js'
import { STORES, type TestGateway } from '../gateway.js'
import { PEGGY, patientOf } from '../launching.js'
import { REGISTRATION, registered } from '../registering.js'
import { entriesOf, expectNoPatient, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send } from '../user-agent.js'

jest.setTimeout(60_000)

const ORDER = { system: 'gp-push' }
const KEY_ORDER = { system: 'gp-push', app: 'key-app' }
const INACTIVE = '{"active":false}'

describe.each(STORES)('on the %s store', (store) => {
  let ends: BackEnds
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    ends = await openWithBackEnds(store, () => ({ registration: REGISTRATION }))
    t = ends.t
    tokens = (await launchTo(t, ORDER)).tokens
  }, 60_000)
  afterAll(() => t?.close())

  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  })
  const asSecretApp = (path: string, form: Record<string, string>) =>
    send(new URL(path, t.issuer), { form, headers: basic('secret-app', SECRET) })
  const serviceToken = async (scope = '__introspect') =>
    tokensOf(await askAsService(ends, 'service', scope)).access_token

  describe('introspection is answered', () => {
    it.each<[string, () => Promise<Answer>]>([
      ['by a key', () => introspectAs(ends, 'reader', tokens.access_token)],
      ['by a secret', () => asSecretApp('/oauth/introspect', { token: tokens.access_token })],
      [
        'by a token of a service that has the scope for it',
        async () =>
          send(new URL('/oauth/introspect', t.issuer), {
            form: { token: tokens.access_token },
            headers: { authorization: `Bearer ${await serviceToken()}` },
          }),
      ],
    ])('to who proves themselves %s', async (_, ask) => {
      const answer = await ask()
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.text)).toMatchObject({
        ...{ active: true, client_id: 'care-plan', scope: tokens.scope, sub: '555254239101' },
        ...{ patient: patientOf(PEGGY).fhirId, ehrId: patientOf(PEGGY).ehrId, tenant: 'A83001' },
        ...{ need_patient_banner: true, iss: t.issuer, token_type: 'Bearer' },
      })
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
    })

    // biome-ignore format: a table
    it.each<[string, string, number, () => Promise<Answer>]>([
      ['who says only its name, a public app’s',   'client_unproven',    401, () => introspectAs(ends, 'care-plan', tokens.access_token)],
      ['who says only a name with a key',          'client_unproven',    401, () => postAs(ends, 'nobody', '/oauth/introspect', { token: tokens.access_token, client_id: 'reader' })],
      ['who says nothing',                         'client_unproven',    401, () => postAs(ends, 'nobody', '/oauth/introspect', { token: tokens.access_token, client_id: undefined })],
      ['who says a wrong secret',                  'client_unproven',    401, () => send(new URL('/oauth/introspect', t.issuer), { form: { token: tokens.access_token }, headers: basic('secret-app', `${SECRET}x`) })],
      ['who shows a service’s token without the scope', 'scope_insufficient', 403, async () => send(new URL('/oauth/introspect', t.issuer), { form: { token: tokens.access_token }, headers: { authorization: `Bearer ${await serviceToken('system/Patient.r')}` } })],
      ['who shows the app’s own token',            'scope_insufficient', 403, () => send(new URL('/oauth/introspect', t.issuer), { form: { token: tokens.access_token }, headers: { authorization: `Bearer ${tokens.access_token}` } })],
      ['who shows a token and a proof',            'client_unproven',    401, async () => postAs(ends, 'reader', '/oauth/introspect', { token: tokens.access_token }, { headers: { authorization: `Bearer ${await serviceToken()}` } })],
      ['who shows no token of ours',               'token_invalid',      401, () => send(new URL('/oauth/introspect', t.issuer), { form: { token: tokens.access_token }, headers: { authorization: 'Bearer x' } })],
      ['who asks about nothing',                   'parameter_missing',  400, () => postAs(ends, 'reader', '/oauth/introspect', {})],
    ])('to nobody else: %s', async (_, code, status, ask) => {
      await expectRefused(t, await ask(), code as never, status)
    })

    it('to no page of any origin', async () => {
      const headers = { origin: 'http://app.localhost:9999' }
      const answer = await introspectAs(ends, 'reader', tokens.access_token, { headers })
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
    })
  })

  describe('a token that the asker has no business with', () => {
    const tampered = (jwt: string) => {
      const [head, body = '', signature] = jwt.split('.')
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
      const other = Buffer.from(JSON.stringify({ ...claims, patient: 'x' })).toString('base64url')
      return [head, other, signature].join('.')
    }
    const signed = (typ: string, change: object) =>
      t.running.keys.sign('ES256', typ, {
        ...JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString()),
        ...change,
      })
    const revoked = async () => {
      const { tokens: own } = await launchTo(t, ORDER)
      await postAs(ends, 'care-plan', '/oauth/revoke', { token: own.access_token })
      return own
    }
    const replaced = async () => {
      const { app, tokens: first } = await launchTo(t, KEY_ORDER)
      const again = tokensOf(await app.refresh(first))
      expect(again.refresh_token).not.toBe(first.refresh_token)
      await t.clock.advance(61)
      return first.refresh_token ?? ''
    }

    // biome-ignore format: a table
    it.each<[string, () => Promise<string> | string]>([
      ['a word',                                       () => 'token'],
      ['a word of a hundred thousand letters',         () => 'a'.repeat(100_000)],
      ['a token with its patient changed',             () => tampered(tokens.access_token)],
      ['a token with its signature cut',               () => tokens.access_token.slice(0, -8)],
      ['an id_token',                                  () => tokens.id_token ?? ''],
      ['an id_token that would be an access token',    () => signed('JWT', {})],
      ['an expired token',                             () => signed('at+jwt', { exp: Math.floor(t.clock() / 1000) })],
      ['a token that never expires',                   () => signed('at+jwt', { exp: undefined })],
      ['a token of no launch',                         () => signed('at+jwt', { launch: undefined })],
      ['a token of a launch that never was',           () => signed('at+jwt', { launch: 'lch_000000000ffffffffffffffff' })],
      ['a token of an app that is gone',               () => signed('at+jwt', { client_id: 'gone' })],
      ['a token that a back end exchanged that is gone', () => signed('at+jwt', { client_id: 'back-end', act: { sub: 'back-end', act: { sub: 'gone' } } })],
      ['an introspection answer',                      () => signed('token-introspection+jwt', {})],
      ['a revoked access token',                       async () => (await revoked()).access_token],
      ['a revoked grant’s refresh token',              async () => (await revoked()).refresh_token ?? ''],
      ['another client’s refresh token',               () => tokens.refresh_token ?? ''],
      ['a refresh token that was guessed to the half', () => (tokens.refresh_token ?? '').replace(/.{16}$/, 'A'.repeat(16))],
      ['a refresh token of no launch',                 () => (tokens.refresh_token ?? '').replace(/_\w{25}/, `_${'0'.repeat(25)}`)],
      ['a refresh token that was replaced',            replaced],
      ['a code',                                       () => (tokens.refresh_token ?? '').replace(/^rft/, 'cod')],
    ])('is answered as any that is not active: %s', async (_, make) => {
      const answer = await introspectAs(ends, 'reader', await make())
      expect([answer.status, answer.text]).toEqual([200, INACTIVE])
    })

    it('is its replaced refresh token even to its own client, and asking ends nothing', async () => {
      const { app, tokens: first } = await launchTo(t, KEY_ORDER)
      const next = tokensOf(await app.refresh(first))
      await t.clock.advance(61)
      const own = (token = '') =>
        app
          .proof()
          .then((proof) =>
            postAs(ends, 'nobody', '/oauth/introspect', { client_id: undefined, ...proof, token }),
          )
          .then(({ text }) => JSON.parse(text))
      expect(await own(first.refresh_token)).toEqual({ active: false })
      expect(await own(next.refresh_token)).toMatchObject({ active: true, client_id: 'key-app' })
      expect((await app.refresh(next)).status).toBe(200)
    })

    it('is any token of others’, for a client that serves none', async () => {
      // Of both profiles: to prove oneself is not to be registered for it.
      for (const id of ['fapi-app', 'back-end'])
        expect(await introspected(ends, id, tokens.access_token)).toEqual({ active: false })
      const own = tokensOf(await exchangeAs(ends, 'back-end', tokens.access_token))
      expect(await introspected(ends, 'back-end', own.access_token)).toMatchObject({ active: true })
      const told = await introspected(ends, 'resource', tokens.access_token)
      expect(told).toMatchObject({ active: true, patient: tokens.patient })
    })

    it('is any token of others’, for an app that registered itself', async () => {
      const app = await registered(t, { token_endpoint_auth_method: 'client_secret_basic' })
      const answer = await send(new URL('/oauth/introspect', t.issuer), {
        form: { token: tokens.access_token },
        headers: basic(app.client_id, app.client_secret ?? ''),
      })
      expect([answer.status, answer.text]).toEqual([200, INACTIVE])
    })

    it('says nothing more in a signed answer (RFC 9701 §5)', async () => {
      const headers = { accept: 'application/token-introspection+jwt' }
      const answer = await introspectAs(ends, 'reader', tampered(tokens.access_token), { headers })
      const [, body = ''] = answer.text.split('.')
      const said = JSON.parse(Buffer.from(body, 'base64url').toString())
      expect(said.token_introspection).toEqual({ active: false })
      expect(Object.keys(said).sort()).toEqual(['aud', 'iat', 'iss', 'token_introspection'])
    })

    it('is not told apart by the hint (RFC 7662 §2.1)', async () => {
      for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense', '__proto__']) {
        const ask = (token: string) =>
          postAs(ends, 'reader', '/oauth/introspect', { token, token_type_hint })
        expect((await ask('x')).text).toBe(INACTIVE)
        expect(JSON.parse((await ask(tokens.access_token)).text).active).toBe(true)
      }
    })

    it('is in the trail with who asked, and with what was told', async () => {
      const { tokens: own } = await launchTo(t, ORDER)
      await introspected(ends, 'reader', own.access_token)
      await introspected(ends, 'fapi-app', own.access_token)
      const asked = (await entriesOf(t, { launch: own.__launch })).filter(
        ({ what }) => what === 'introspected',
      )
      expect(asked.map(({ app, outcome }) => [app, outcome])).toEqual([
        ['reader', 'success'],
        ['fapi-app', 'refused'],
      ])
      expect(asked[0]?.token).toMatch(/^tok_/)
    })
  })

  it('asking keeps nobody signed on', async () => {
    const { tokens: own } = await launchTo(t, ORDER)
    for (const wait of [240, 50]) {
      await t.clock.advance(wait)
      expect(await introspected(ends, 'reader', own.access_token)).toMatchObject({ active: true })
    }
    await t.clock.advance(610)
    await expectRefused(
      t,
      await postAs(ends, 'care-plan', '/oauth/token', {
        grant_type: 'refresh_token',
        refresh_token: own.refresh_token,
      }),
      'refresh_ended',
      400,
    )
    tokens = (await launchTo(t, ORDER)).tokens
  })

  describe('revocation', () => {
    const revoke = (id: string, token = '', change: Change = {}) =>
      postAs(ends, id, '/oauth/revoke', { token, ...change })

    it.each(['access_token', 'refresh_token'] as const)(
      'of its own %s ends the grant, all of it, at the next call',
      async (which) => {
        const { app, tokens: own } = await launchTo(t, ORDER)
        const exchanged = tokensOf(await exchangeAs(ends, 'back-end', own.access_token))
        const answer = await revoke('care-plan', own[which])
        expect([answer.status, answer.text]).toEqual([200, ''])
        expect(await readsPatient(t, own)).toBe(401)
        expect(await readsPatient(t, exchanged)).toBe(401)
        await expectRefused(t, await app.refresh(own), 'refresh_ended', 400)
        const what = (await entriesOf(t, { launch: own.__launch })).map((entry) => entry.what)
        expect(what).toEqual(expect.arrayContaining(['grant_ended', 'token_revoked']))
      },
    )

    it.each(['access_token', 'refresh_token'] as const)(
      'of another client’s %s does nothing, says so to nobody, and is in the trail',
      async (which) => {
        const { tokens: own } = await launchTo(t, ORDER)
        for (const id of ['reader', 'v1-app', 'back-end']) {
          const answer = await revoke(id, own[which])
          expect([answer.status, answer.text]).toEqual([200, ''])
        }
        expect(await readsPatient(t, own)).toBe(200)
        const entries = (await entriesOf(t, { launch: own.__launch })).filter(
          ({ what }) => what === 'token_revoked',
        )
        expect(entries.map(({ app, outcome }) => [app, outcome])).toEqual([
          ['reader', 'refused'],
          ['v1-app', 'refused'],
          ['back-end', 'refused'],
        ])
      },
    )

    it('of what is no token of ours is answered alike (RFC 7009 §2.2)', async () => {
      for (const token of ['x', tokens.id_token, 'a'.repeat(50_000)]) {
        const answer = await revoke('care-plan', token, { token_type_hint: 'nonsense' })
        expect([answer.status, answer.text]).toEqual([200, ''])
      }
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('needs the client’s proof where it has one, and names the token', async () => {
      await expectRefused(
        t,
        await revoke('nobody', tokens.access_token, { client_id: 'back-end' }),
        'client_unproven',
        401,
      )
      const bare = await postAs(ends, 'care-plan', '/oauth/revoke', {})
      await expectRefused(t, bare, 'parameter_missing', 400)
      // One that is sent without a value is none (RFC 6749 §3.2), here and at introspection.
      await expectRefused(t, await revoke('care-plan', ''), 'parameter_missing', 400)
      await expectRefused(t, await introspectAs(ends, 'reader', ''), 'parameter_missing', 400)
    })

    it('of an exchanged token ends it and what came of it, and not the user’s launch', async () => {
      const { tokens: own } = await launchTo(t, ORDER)
      const first = tokensOf(await exchangeAs(ends, 'back-end', own.access_token))
      const second = tokensOf(await exchangeAs(ends, 'back-end-2', first.access_token))
      expect(await readsPatient(t, second)).toBe(200)
      await revoke('back-end', first.access_token)
      expect([await readsPatient(t, first), await readsPatient(t, second)]).toEqual([401, 401])
      expect(await introspected(ends, 'reader', second.access_token)).toEqual({ active: false })
      expect(await readsPatient(t, own)).toBe(200)
      expect((await exchangeAs(ends, 'back-end', own.access_token)).status).toBe(200)
    })

    it('of an exchanged token holds, though the clock of the node that was told is behind', async () => {
      const { tokens: own } = await launchTo(t, ORDER)
      const first = tokensOf(await exchangeAs(ends, 'back-end', own.access_token))
      const id = endOf('token', String(claimsIn(first.access_token).jti))
      const put = { kind: 'ended', id, value: { at: t.clock() - 20_000 } } as const
      await t.running.store.commit({ puts: [{ ...put, until: t.clock() + 600_000 }] })
      expect(await readsPatient(t, first)).toBe(401)
    })

    it('holds on the other node at once, where the token could be learned of until then', async () => {
      const { port } = await t.secondNode()
      const { app, tokens: own } = await launchTo(t, ORDER)
      const there = async (token = '') =>
        JSON.parse((await introspectAs(ends, 'reader', token, { port })).text)
      const exchanged = tokensOf(await exchangeAs(ends, 'back-end', own.access_token, {}, { port }))
      for (const { access_token } of [own, exchanged])
        expect(await there(access_token)).toMatchObject({ active: true, patient: own.patient })
      await revoke('care-plan', own.refresh_token)
      for (const { access_token } of [own, exchanged]) {
        expect(await there(access_token)).toEqual({ active: false })
        expect((await call(t, access_token, `/fhir/Patient/${own.patient}`, { port })).status).toBe(
          401,
        )
      }
      await expectRefused(t, await app.refresh(own, {}, { port }), 'refresh_ended', 400)
      const late = await exchangeAs(ends, 'back-end', own.access_token, {}, { port })
      await expectRefused(t, late, 'subject_token_invalid', 400)
      // And the other way round.
      const { tokens: second } = await launchTo(t, ORDER)
      const form = { token: second.access_token }
      await postAs(ends, 'care-plan', '/oauth/revoke', form, { port })
      expect(await introspected(ends, 'reader', second.access_token)).toEqual({ active: false })
    })

    it('of a service’s token ends it', async () => {
      const token = await serviceToken()
      expect(await introspected(ends, 'reader', token)).toMatchObject({ active: true })
      await revoke('service', token)
      expect(await introspected(ends, 'reader', token)).toEqual({ active: false })
    })

    it('is not needed where the policy version was taken back: nothing that it gave goes on, a service’s token included', async () => {
      const token = await serviceToken()
      const { tokens } = await launchTo(t, ORDER)
      const end = {
        kind: 'ended',
        id: endOf('policy', String(t.running.policies.version())),
      } as const
      const until = t.clock() + 60_000
      await t.running.store.commit({ puts: [{ ...end, value: { at: 0 }, until }] })
      for (const each of [token, tokens.access_token, tokens.refresh_token])
        expect(await introspected(ends, 'reader', each)).toEqual({ active: false })
      await t.running.store.commit({ drops: [end] })
      expect(await introspected(ends, 'reader', token)).toMatchObject({ active: true })
    })

    it('spends one proof each time', async () => {
      const proof = await proofOf(ends, 'reader')
      const form = { ...proof, token: 'x' }
      expect(
        (await postAs(ends, 'nobody', '/oauth/revoke', { client_id: undefined, ...form })).status,
      ).toBe(200)
      const again = await postAs(ends, 'nobody', '/oauth/revoke', { client_id: undefined, ...form })
      await expectRefused(t, again, 'assertion_replayed', 401)
      expectNoPatient(again)
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
