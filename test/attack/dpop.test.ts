/** A token that is bound to a key, in the hands of somebody who has everything but the key. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { calculateJwkThumbprint } from 'jose'
import type { Config } from '../../src/config.js'
import type { RefusalCode } from '../../src/core/refusal.js'
import type { Seconds } from '../../src/core/values.js'
import { App, type Change, call, claimsIn, type Tokens, tokensOf } from '../app-by-hand.js'
import { hashed, type ProofKey, proofBy, proofKey } from '../dpop-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { handleOf, open } from '../launching.js'
import { entriesOf, expectNoPatient, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, type Sent, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const ORDER = { system: 'gp-push' }
type Said = Readonly<Record<string, unknown>>

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let port: number
  /** Moves the clock of both nodes. */
  let advance: (by: Seconds) => Promise<void>
  let key: ProofKey
  let stranger: ProofKey
  /** Of one launch, bound to `key`. */
  let app: App
  let tokens: Tokens
  beforeAll(async () => {
    // One of them must carry nonces, and may renew.
    const apps = (c: Config) =>
      c.apps.map((one) =>
        one.id === 'v1-app'
          ? {
              ...{ ...one, bound: 'key' as const, nonceRequired: true },
              scopes: [...one.scopes, 'online_access'],
            }
          : one,
      )
    t = await openTestGateway({ store, change: (c) => ({ apps: apps(c) }) })
    const other = await t.secondNode()
    port = other.port
    advance = async (by) => {
      await t.clock.advance(by)
      await other.gateway.policies.refresh()
    }
    key = proofKey()
    stranger = proofKey()
    const begun = await begin()
    app = begun.app
    tokens = tokensOf(await begun.app.redeem(begun.code, {}, atToken()))
  }, 60_000)
  afterAll(() => t?.close())

  const begin = async (change: Change = {}, id?: string) => {
    const made = new App(t, new UserAgent(), id)
    const order = id === undefined ? ORDER : { ...ORDER, app: id }
    const code = await made.code(handleOf(await open(t, made.browser, order)), change)
    return { app: made, code }
  }
  const now = () => Math.floor(t.clock() / 1000)
  const proof = (dpop: string): Sent => ({ headers: { dpop } })

  /** A proof for the token endpoint. */
  const tokenProof = (claims: Said = {}, by = key, header: Said = {}): string =>
    proofBy(by, { htm: 'POST', htu: `${t.issuer}/oauth/token`, iat: now(), ...claims }, header)
  const atToken = (claims: Said = {}, by = key, header: Said = {}): Sent =>
    proof(tokenProof(claims, by, header))

  const path = () => `/fhir/Patient/${tokens.patient}`
  /** A proof for the one read that these tests make. */
  const readProof = (claims: Said = {}, by = key, header: Said = {}): string => {
    const about = { htm: 'GET', htu: `${t.issuer}${path()}`, ath: hashed(tokens.access_token) }
    return proofBy(by, { ...about, iat: now(), ...claims }, header)
  }
  const read = (dpop: string | undefined, more: Sent = {}): Promise<Answer> => {
    const headers = { authorization: `DPoP ${tokens.access_token}`, ...more.headers }
    return call(t, '', path(), {
      ...more,
      headers: dpop === undefined ? headers : { dpop, ...headers },
    })
  }

  describe('a proof at the token endpoint', () => {
    it('binds the tokens to its key (RFC 9449 §5, §6.1)', async () => {
      const jkt = await calculateJwkThumbprint(key.jwk)
      expect(tokens.token_type).toBe('DPoP')
      expect(claimsIn(tokens.access_token).cnf).toEqual({ jkt })
      expect((await read(readProof())).status).toBe(200)
    })

    it('is offered in the documents, and may be sent and answered across origins', async () => {
      for (const at of [
        '/fhir/.well-known/smart-configuration',
        '/.well-known/openid-configuration',
      ]) {
        const document = JSON.parse((await send(new URL(at, t.issuer))).text)
        expect(document.dpop_signing_alg_values_supported).toEqual([
          'ES256',
          'ES384',
          'PS256',
          'EdDSA',
        ])
      }
      for (const at of ['/oauth/token', path(), '/openehr/v1/ehr']) {
        const headers = { origin: APP_ORIGINS['care-plan'] ?? '' }
        const { headers: said } = await send(new URL(at, t.issuer), { method: 'OPTIONS', headers })
        expect(said['access-control-allow-headers']).toMatch(/\bdpop\b/)
        expect(said['access-control-expose-headers']).toMatch(/\bdpop-nonce\b/)
        expect(said['access-control-expose-headers']).toMatch(/\bwww-authenticate\b/)
      }
    })

    it.each(['ES384', 'PS256', 'EdDSA'] as const)(
      'may be signed by %s, and then the calls are',
      async (alg) => {
        const own = proofKey(alg)
        const begun = await begin()
        const given = tokensOf(await begun.app.redeem(begun.code, {}, atToken({}, own)))
        const claims = {
          ath: hashed(given.access_token),
          htu: `${t.issuer}/fhir/Patient/${given.patient}`,
        }
        const headers = {
          authorization: `DPoP ${given.access_token}`,
          dpop: readProof(claims, own),
        }
        expect((await call(t, '', `/fhir/Patient/${given.patient}`, { headers })).status).toBe(200)
        const forged = { ...headers, dpop: readProof(claims, own).replace(/.{8}$/, 'AAAAAAAA') }
        const refused = await call(t, '', `/fhir/Patient/${given.patient}`, { headers: forged })
        await expectRefused(t, refused, 'dpop_invalid', 401)
      },
    )

    it('used thirty times at once gives tokens once, and the code is not harmed', async () => {
      const begun = await begin()
      const sent = atToken()
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          begun.app.redeem(begun.code, {}, i % 2 ? { ...sent, port } : sent),
        ),
      )
      const won = answers.filter(({ status }) => status === 200)
      expect(won).toHaveLength(1)
      for (const answer of answers)
        if (answer.status !== 200) await expectRefused(t, answer, 'dpop_replayed', 400)
      const given = tokensOf(won[0] as Answer)
      const again = await begun.app.refresh(given, {}, atToken())
      expect(again.status).toBe(200)
    })

    // biome-ignore format: a table
    const FAULTS: readonly [string, () => Sent][] = [
      ['for another method',           () => atToken({ htm: 'GET' })],
      ['for another address',          () => atToken({ htu: `${t.issuer}/oauth/authorize` })],
      ['for another host',             () => atToken({ htu: 'https://elsewhere.example/oauth/token' })],
      ['from too long ago',            () => atToken({ iat: now() - 90 })],
      ['from too far ahead',           () => atToken({ iat: now() + 31 })],
      ['with its private key',         () => atToken({}, key, { jwk: key.signing.export({ format: 'jwk' }) })],
      ['that is not signed',           () => proof(tokenProof({}, key, { alg: 'none' }).replace(/[^.]*$/, ''))],
      ['with a symmetric algorithm',   () => atToken({}, key, { alg: 'HS256' })],
      ['signed by another key',        () => atToken({}, stranger, { jwk: key.jwk })],
      ['with a key that is no point',  () => atToken({}, key, { jwk: { ...key.jwk, x: 'A'.repeat(43) } })],
      ['beside another',               () => ({ headers: { dpop: [tokenProof(), tokenProof()] as never } })],
      ['behind another',               () => proof(`${tokenProof()}, ${tokenProof()}`)],
      ['beside an empty one',          () => ({ headers: { dpop: [tokenProof(), ''] as never } })],
      ['that is empty',                () => proof('')],
    ]
    it('is refused when it does not hold, and neither code nor refresh token is spent by it', async () => {
      const begun = await begin()
      for (const [what, sent] of FAULTS) {
        const answer = await begun.app.redeem(begun.code, {}, sent())
        await expectRefused(t, answer, 'dpop_invalid', 400).catch((error: unknown) => {
          throw new Error(what, { cause: error })
        })
        expect(JSON.parse(answer.text).error).toBe('invalid_dpop_proof')
        expect(answer.headers['www-authenticate']).toBeUndefined()
      }
      const given = tokensOf(await begun.app.redeem(begun.code, {}, atToken()))
      for (const [, sent] of FAULTS)
        await expectRefused(t, await begun.app.refresh(given, {}, sent()), 'dpop_invalid', 400)
      expect((await begun.app.refresh(given, {}, atToken())).status).toBe(200)
    })

    it.each([
      ['a moment before it is too old', { iat: -89 }],
      ['as far ahead as clocks may differ', { iat: 30 }],
    ])('is taken %s', async (_what, { iat }) => {
      const begun = await begin()
      const answer = await begun.app.redeem(begun.code, {}, atToken({ iat: now() + iat }))
      expect(answer.status).toBe(200)
    })

    it('is used up until it is too old', async () => {
      const begun = await begin()
      const sent = atToken()
      await begun.app.redeem(begun.code, { code_verifier: 'A'.repeat(43) }, sent)
      await advance(59)
      await expectRefused(t, await begun.app.redeem('cod_x', {}, sent), 'dpop_replayed', 400)
      await advance(30.999)
      await expectRefused(t, await begun.app.redeem('cod_x', {}, sent), 'dpop_replayed', 400)
      await advance(0.001)
      await expectRefused(t, await begun.app.redeem('cod_x', {}, sent), 'dpop_invalid', 400)
    })

    it('of the same number is another proof when another key made it', async () => {
      const first = await begin()
      const second = await begin()
      const jti = 'one-and-the-same-number'
      expect((await first.app.redeem(first.code, {}, atToken({ jti }))).status).toBe(200)
      const other = await second.app.redeem(second.code, {}, atToken({ jti }, stranger))
      expect(other.status).toBe(200)
    })
  })

  describe('a code that is bound to a key (§10)', () => {
    it('is redeemed by that key alone, and is not spent by another', async () => {
      const dpop_jkt = await calculateJwkThumbprint(key.jwk)
      const begun = await begin({ dpop_jkt })
      await expectRefused(t, await begun.app.redeem(begun.code), 'code_other_key', 400)
      const other = await begun.app.redeem(begun.code, {}, atToken({}, stranger))
      await expectRefused(t, other, 'code_other_key', 400)
      expect((await begun.app.redeem(begun.code, {}, atToken())).status).toBe(200)
    })

    it.each(['x', 'A'.repeat(42), `${'A'.repeat(42)}=`, 'A'.repeat(44)])(
      'is not given for a thumbprint that is none: %j',
      async (dpop_jkt) => {
        const made = new App(t, new UserAgent())
        const handle = handleOf(await open(t, made.browser, ORDER))
        const answer = await made.authorize(handle, { dpop_jkt })
        await expectRefused(t, answer, 'parameter_invalid', 303)
      },
    )
  })

  describe('a refresh token (§5)', () => {
    it('of a public app is good with its key alone, and the new tokens are bound to it', async () => {
      const begun = await begin()
      const given = tokensOf(await begun.app.redeem(begun.code, {}, atToken()))
      await expectRefused(t, await begun.app.refresh(given), 'refresh_other_key', 400)
      const other = await begun.app.refresh(given, {}, atToken({}, stranger))
      await expectRefused(t, other, 'refresh_other_key', 400)
      const fresh = tokensOf(await begun.app.refresh(given, {}, atToken()))
      expect(fresh.token_type).toBe('DPoP')
      expect(claimsIn(fresh.access_token).cnf).toEqual(claimsIn(given.access_token).cnf)
    })

    it('of an app that authenticates may change its key, and not be unbound', async () => {
      const begun = await begin({}, 'key-app')
      const given = tokensOf(await begun.app.redeem(begun.code, {}, atToken()))
      await expectRefused(t, await begun.app.refresh(given), 'refresh_other_key', 400)
      const fresh = tokensOf(await begun.app.refresh(given, {}, atToken({}, stranger)))
      const jkt = await calculateJwkThumbprint(stranger.jwk)
      expect(claimsIn(fresh.access_token).cnf).toEqual({ jkt })
    })

    it('that was not bound is bound from its first proof on', async () => {
      const begun = await begin()
      const given = tokensOf(await begun.app.redeem(begun.code))
      expect(given.token_type).toBe('Bearer')
      const fresh = tokensOf(await begun.app.refresh(given, {}, atToken()))
      expect(fresh.token_type).toBe('DPoP')
      const other = await begun.app.refresh(fresh, {}, atToken({}, stranger))
      await expectRefused(t, other, 'refresh_other_key', 400)
    })

    it('is not lost by an assertion that a bad proof came with', async () => {
      const begun = await begin({}, 'key-app')
      const assertion = await begun.app.proof()
      const bad = await begun.app.redeem(begun.code, assertion, atToken({ nonce: 'x' }))
      await expectRefused(t, bad, 'dpop_nonce_required', 400)
      const nonce = String(bad.headers['dpop-nonce'])
      expect((await begun.app.redeem(begun.code, assertion, atToken({ nonce }))).status).toBe(200)
    })
  })

  describe('a bound token at the record (§7)', () => {
    // biome-ignore format: a table
    const PROOFS: readonly [string, RefusalCode, () => string | undefined][] = [
      ['without a proof',                     'dpop_invalid',    () => undefined],
      ['with an empty proof',                 'dpop_invalid',    () => ''],
      ['with a proof of another key',         'token_other_key', () => readProof({}, stranger)],
      ['with a proof that another key signed','dpop_invalid',    () => readProof({}, stranger, { jwk: key.jwk })],
      ['with a proof for another method',     'dpop_invalid',    () => readProof({ htm: 'POST' })],
      ['with a proof for another patient',    'dpop_invalid',    () => readProof({ htu: `${t.issuer}/fhir/Patient/x` })],
      ['with a proof for the other base',     'dpop_invalid',    () => readProof({ htu: `${t.issuer}/openehr/v1/Patient/${tokens.patient}` })],
      ['with the proof of its own redemption','dpop_invalid',    () => tokenProof()],
      ['with a proof for another token',      'dpop_invalid',    () => readProof({ ath: hashed('another') })],
      ['with a proof for no token',           'dpop_invalid',    () => readProof({ ath: undefined })],
      ['with an old proof',                   'dpop_invalid',    () => readProof({ iat: now() - 90 })],
      ['with a proof from the future',        'dpop_invalid',    () => readProof({ iat: now() + 31 })],
      ['with a private key in the proof',     'dpop_invalid',    () => readProof({}, key, { jwk: key.signing.export({ format: 'jwk' }) })],
      ['with a proof that is not signed',     'dpop_invalid',    () => readProof({}, key, { alg: 'none' }).replace(/[^.]*$/, '')],
      ['with a symmetric proof',              'dpop_invalid',    () => readProof({}, key, { alg: 'HS256' })],
      ['with two proofs',                     'dpop_invalid',    () => [readProof(), readProof()] as never],
      ['with two proofs in one',              'dpop_invalid',    () => `${readProof()},${readProof()}`],
      ['with a nonce that is not ours',       'dpop_nonce_required', () => readProof({ nonce: 'x' })],
    ]
    it.each(PROOFS)('opens nothing %s', async (_what, code, dpop) => {
      const answer = await read(dpop())
      await expectRefused(t, answer, code, 401)
      const wire = { token_other_key: 'invalid_token', dpop_nonce_required: 'use_dpop_nonce' }
      const error = wire[code as 'token_other_key'] ?? 'invalid_dpop_proof'
      expect(answer.headers['www-authenticate']).toBe(
        `DPoP realm="${t.issuer}", error="${error}", algs="ES256 ES384 PS256 EdDSA"`,
      )
    })

    it('opens nothing when it is stripped to a bearer token, with or without a proof', async () => {
      const headers = { authorization: `Bearer ${tokens.access_token}` }
      for (const dpop of [undefined, readProof()]) {
        const answer = await read(dpop, { headers })
        await expectRefused(t, answer, 'token_invalid', 401)
        expect(answer.headers['www-authenticate']).toBe(
          `Bearer realm="${t.issuer}", error="invalid_token"`,
        )
      }
    })

    it('opens nothing beside a second Authorization header', async () => {
      const twice = [`DPoP ${tokens.access_token}`, `Bearer ${tokens.access_token}`]
      for (const authorization of [twice, twice.toReversed()] as never[])
        await expectRefused(
          t,
          await read(readProof(), { headers: { authorization } }),
          'token_invalid',
          401,
        )
    })

    it('is no DPoP token when it is not bound', async () => {
      const begun = await begin()
      const bare = tokensOf(await begun.app.redeem(begun.code))
      const dpop = readProof({ ath: hashed(bare.access_token) })
      const headers = { authorization: `DPoP ${bare.access_token}` }
      await expectRefused(t, await read(dpop, { headers }), 'token_invalid', 401)
      expect((await call(t, bare.access_token, `/fhir/Patient/${bare.patient}`)).status).toBe(200)
    })

    it('is asked for in both schemes where there is none', async () => {
      const answer = await send(new URL(path(), t.issuer))
      await expectRefused(t, answer, 'token_missing', 401)
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer realm="${t.issuer}", DPoP realm="${t.issuer}", algs="ES256 ES384 PS256 EdDSA"`,
      )
    })

    it('is let in with a proof whose address has a query or a fragment, and by the scheme in any case', async () => {
      for (const more of ['?', '?a=b', '#c', '?a=b#c']) {
        const answer = await read(readProof({ htu: `${t.issuer}${path()}${more}` }))
        expect(answer.status).toBe(200)
      }
      const headers = { authorization: `dpop ${tokens.access_token}` }
      expect((await read(readProof(), { headers })).status).toBe(200)
    })

    it('is let in on both sides of the times, up to them and not further', async () => {
      for (const [iat, status] of [
        [-89, 200],
        [-90, 401],
        [30, 200],
        [31, 401],
      ] as const)
        expect((await read(readProof({ iat: now() + iat }))).status).toBe(status)
    })

    it('is believed under our own address, whatever Host and its kind say', async () => {
      const poison = {
        ...{ host: 'elsewhere.example', 'x-forwarded-host': 'elsewhere.example' },
        ...{ forwarded: 'host=elsewhere.example;proto=https', 'x-forwarded-proto': 'https' },
        ...{ 'x-forwarded-prefix': '/elsewhere', 'x-original-url': '/fhir/Patient/x' },
      }
      expect((await read(readProof(), { headers: poison })).status).toBe(200)
      const htu = `https://elsewhere.example${path()}`
      await expectRefused(
        t,
        await read(readProof({ htu }), { headers: poison }),
        'dpop_invalid',
        401,
      )
    })

    it('is bound at the openEHR base as well', async () => {
      const query = `/openehr/v1/query/care-plan::sections`
      const asked = (dpop: string) =>
        call(t, '', `${query}?ehr_id=${tokens.ehrId}`, {
          headers: { authorization: `DPoP ${tokens.access_token}`, dpop },
        })
      const good = readProof({ htu: `${t.issuer}${query}` })
      expect((await asked(good)).status).toBe(200)
      await expectRefused(t, await asked(good), 'dpop_replayed', 401)
      await expectRefused(t, await asked(readProof()), 'dpop_invalid', 401)
    })

    it('has one success of thirty uses of one proof at once, on two nodes', async () => {
      const dpop = readProof()
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) => read(dpop, i % 2 ? { port } : {})),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      for (const answer of answers) {
        if (answer.status === 200) continue
        await expectRefused(t, answer, 'dpop_replayed', 401)
        expectNoPatient(answer)
      }
    })

    it('keeps nobody signed on when it is shown without its key', async () => {
      const begun = await begin()
      const given = tokensOf(await begun.app.redeem(begun.code, {}, atToken()))
      const thief = () =>
        call(t, given.access_token, `/fhir/Patient/${given.patient}`).then(({ status }) => status)
      for (let minutes = 0; minutes < 4; minutes++) {
        await advance(60)
        expect(await thief()).toBe(401)
      }
      await advance(660)
      await expectRefused(t, await begun.app.refresh(given, {}, atToken()), 'refresh_ended', 400)
      // The other tests' own launch goes on.
      const again = await begin()
      app = again.app
      tokens = tokensOf(await app.redeem(again.code, {}, atToken()))
    })
  })

  describe('a nonce (§8, §9)', () => {
    const nonceIn = (answer: Answer) => String(answer.headers['dpop-nonce'] ?? '')

    it('is told to whoever sends a proof, good or bad, and to nobody else', async () => {
      const { headers } = await send(new URL(path(), t.issuer))
      expect(headers['dpop-nonce']).toBeUndefined()
      for (const answer of [await read(readProof()), await read('x')])
        expect(nonceIn(answer)).toMatch(/^[\w-]{43}$/)
    })

    it('that is wrong is answered with one that is good, on the other node too', async () => {
      const refused = await read(readProof({ nonce: 'wrong' }))
      await expectRefused(t, refused, 'dpop_nonce_required', 401)
      const nonce = nonceIn(refused)
      expect((await read(readProof({ nonce }))).status).toBe(200)
      expect((await read(readProof({ nonce }), { port })).status).toBe(200)
      const other = await read(readProof(), { port })
      expect(nonceIn(other)).toBe(nonce)
    })

    it('is good in the five minutes of its own and the five after them, and no longer', async () => {
      const begun = await begin()
      const sent = async (nonce: string) =>
        (await begun.app.redeem('cod_x', {}, atToken({ nonce }))).status
      const nonce = nonceIn(await begun.app.redeem('cod_x', {}, atToken()))
      const left = 300 - (now() % 300)
      await advance(left + 299)
      const late = await begun.app.redeem('cod_x', {}, atToken({ nonce }))
      await expectRefused(t, late, 'code_invalid', 400)
      await advance(1)
      const over = await begun.app.redeem('cod_x', {}, atToken({ nonce }))
      await expectRefused(t, over, 'dpop_nonce_required', 400)
      expect(JSON.parse(over.text).error).toBe('use_dpop_nonce')
      expect(await sent(nonceIn(over))).toBe(400)
      const again = await begun.app.redeem('cod_x', {}, atToken({ nonce: nonceIn(over) }))
      await expectRefused(t, again, 'code_invalid', 400)
    })

    it('that an app must send is demanded at every endpoint, and nothing is spent by it', async () => {
      const demanded = async (answer: Answer, status: number): Promise<string> => {
        await expectRefused(t, answer, 'dpop_nonce_required', status)
        return nonceIn(answer)
      }
      const { app: strict, code } = await begin(
        { scope: 'launch online_access patient/Patient.read' },
        'v1-app',
      )
      const nonce = await demanded(await strict.redeem(code, {}, atToken()), 400)
      const given = tokensOf(await strict.redeem(code, {}, atToken({ nonce })))
      await demanded(await strict.refresh(given, {}, atToken()), 400)
      // Whose it is says the refresh token itself.
      await demanded(await strict.refresh(given, { client_id: undefined }, atToken()), 400)
      const { access_token } = tokensOf(await strict.refresh(given, {}, atToken({ nonce })))
      for (const at of [`/fhir/Patient/${given.patient}`, '/oauth/userinfo']) {
        const read = (more: Said) => {
          const about = { htm: 'GET', htu: `${t.issuer}${at}`, ath: hashed(access_token) }
          const headers = { dpop: proofBy(key, { ...about, iat: now(), ...more }) }
          return call(t, '', at, { headers: { authorization: `DPoP ${access_token}`, ...headers } })
        }
        const { headers } = await read({})
        expect(headers['www-authenticate']).toContain('error="use_dpop_nonce"')
        await demanded(await read({}), 401)
        const wanted = at === '/oauth/userinfo' ? 403 : 200
        expect((await read({ nonce })).status).toBe(wanted)
      }
      const push = (more: Said) => {
        const about = { htm: 'POST', htu: `${t.issuer}/oauth/par`, iat: now() }
        const headers = { dpop: proofBy(key, { ...about, ...more }) }
        const form = strict.parameters('hdl_x')
        return send(new URL('/oauth/par', t.issuer), { form, headers })
      }
      await demanded(await push({}), 400)
      expect((await push({ nonce })).status).toBe(201)
    })

    it('is the same after a restart', async () => {
      const begun = await begin()
      const nonce = nonceIn(await begun.app.redeem('cod_x', {}, atToken()))
      await t.restart()
      const answer = await begun.app.redeem(begun.code, {}, atToken({ nonce }))
      expect(answer.status).toBe(200)
    })
  })

  it('goes on working, with a whole trail', async () => {
    const begun = await begin()
    const given = tokensOf(await begun.app.redeem(begun.code, {}, atToken()))
    const stages = (await entriesOf(t, { launch: given.__launch })).map(({ what }) => what)
    expect(stages).toContain('token_issued')
    await expectWholeTrail(t)
  })
})
