/** More than was given: by exchanging a token, or by asking as a service. @see RFC 8693 §5; SMART "Backend Services" */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { TOKEN_EXCHANGE } from '../../src/core/client.js'
import { ACCESS_TOKEN_TYPE } from '../../src/core/exchange.js'
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
import {
  askAsService,
  type BackEnds,
  exchangeAs,
  introspected,
  openWithBackEnds,
  postAs,
  proofOf,
  SECRET,
} from '../back-ends.js'
import { hashed, proofBy, proofKey } from '../dpop-by-hand.js'
import { STORES, type TestGateway } from '../gateway.js'
import { handleOf, NO_PLAN, open, patientOf } from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const ORDER = { system: 'gp-push' }

describe.each(STORES)('on the %s store', (store) => {
  let ends: BackEnds
  let t: TestGateway
  let tokens: Tokens
  beforeAll(async () => {
    ends = await openWithBackEnds(store)
    t = ends.t
  }, 60_000)
  afterAll(() => t?.close())

  const fresh = async () => {
    tokens = (await launchTo(t, ORDER)).tokens
    return tokens
  }
  const exchanged = async (id: string, token: string, change: Change = {}): Promise<Tokens> =>
    tokensOf(await exchangeAs(ends, id, token, change))
  const words = (scope: string) => scope.split(' ').sort()

  describe('an exchanged token', () => {
    it('is for the same launch, patient and user, says who acts, and holds less', async () => {
      await fresh()
      const own = await exchanged('back-end', tokens.access_token)
      const [mine, theirs] = [claimsIn(own.access_token), claimsIn(tokens.access_token)]
      expect(mine).toMatchObject({
        ...{ sub: theirs.sub, launch: theirs.launch, patient: theirs.patient, ehrId: theirs.ehrId },
        ...{ client_id: 'back-end', act: { sub: 'back-end' }, iss: t.issuer, exp: theirs.exp },
      })
      expect(own).toMatchObject({
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        ...{ token_type: 'Bearer', patient: tokens.patient, tenant: 'A83001' },
      })
      expect(own).not.toHaveProperty('refresh_token')
      expect(own).not.toHaveProperty('id_token')
      expect(words(own.scope)).not.toContain('online_access')
      expect(own.scope).not.toMatch(/\.\w*[cu]/)
      expect(own.scope).toContain('patient/composition-care-plan::contacts.v1.rs')
      expect(await readsPatient(t, own)).toBe(200)
      const told = await introspected(ends, 'reader', own.access_token)
      expect(told).toMatchObject({ act: { sub: 'back-end' }, client_id: 'back-end' })
    })

    it('stands in the trail with the back end’s name, in its launch', async () => {
      await fresh()
      const own = await exchanged('back-end', tokens.access_token)
      await readsPatient(t, own)
      const entries = await entriesOf(t, { launch: own.__launch })
      expect(entries.filter(({ app }) => app === 'back-end').map(({ what }) => what)).toEqual([
        ...['decision_made', 'token_issued', 'access_allowed'],
      ])
    })

    it('lives no longer than the token that it came of', async () => {
      await fresh()
      await t.clock.advance(200)
      const own = await exchanged('back-end', tokens.access_token)
      expect(own.expires_in).toBe(100)
      const small = await exchanged('small-end', tokens.access_token)
      expect(small.expires_in).toBe(60)
      await t.clock.advance(99)
      expect(await readsPatient(t, own)).toBe(200)
      expect(await readsPatient(t, small)).toBe(401)
      await t.clock.advance(1)
      expect(await readsPatient(t, own)).toBe(401)
    })

    it('holds no more than its back end is registered for', async () => {
      await fresh()
      const own = await exchanged('small-end', tokens.access_token)
      expect(own.scope).toBe('patient/Patient.r')
      expect(claimsIn(own.access_token).aud).toEqual([`${t.issuer}/fhir`])
      expect((await call(t, own.access_token, '/fhir/CarePlan?patient=x')).status).toBe(403)
    })

    it('is good only where it was asked for (resource, audience)', async () => {
      await fresh()
      const fhir = `${t.issuer}/fhir`
      const own = await exchanged('back-end', tokens.access_token, { resource: `${fhir}/` })
      expect(claimsIn(own.access_token).aud).toEqual([fhir])
      const query = `/openehr/v1/query/care-plan::sections?ehr_id=${tokens.ehrId}`
      expect((await call(t, own.access_token, query)).status).toBe(401)
      expect(await readsPatient(t, own)).toBe(200)
    })

    it('ends with the launch, though the app’s own refreshes leave it be', async () => {
      const { app, tokens: first } = await launchTo(t, ORDER)
      const own = await exchanged('back-end', first.access_token)
      const next = tokensOf(await app.refresh(first))
      expect(await readsPatient(t, own)).toBe(200)
      await exchanged('back-end', next.access_token)
      expect((await app.refresh(next)).status).toBe(200)
      await postAs(ends, 'care-plan', '/oauth/revoke', { token: next.refresh_token })
      expect(await readsPatient(t, own)).toBe(401)
    })

    it('keeps nobody signed on by being used', async () => {
      const { app, tokens: first } = await launchTo(t, ORDER)
      let token = first.access_token
      for (const wait of [290, 290, 290]) {
        await t.clock.advance(wait)
        const own = await exchanged('back-end', token)
        expect(await readsPatient(t, own)).toBe(200)
        const made = await t.running.keys.sign('ES256', 'at+jwt', {
          ...claimsIn(first.access_token),
          ...{ exp: Math.floor(t.clock() / 1000) + 300 },
        })
        token = made
      }
      await t.clock.advance(40)
      await expectRefused(t, await app.refresh(first), 'refresh_ended', 400)
    })
  })

  describe('no exchange is made', () => {
    beforeAll(fresh)
    const signed = (change: object, typ = 'at+jwt') =>
      t.running.keys.sign('ES256', typ, { ...claimsIn(tokens.access_token), ...change } as never)

    // biome-ignore format: a table
    it.each<[string, RefusalCode, Change]>([
      ['for a letter more',                   'scope_exceeded', { scope: 'patient/Patient.rs' }],
      ['for a type more',                     'scope_exceeded', { scope: 'patient/Condition.r' }],
      ['for all types',                       'scope_exceeded', { scope: 'patient/*.r' }],
      ['for what the user may see',           'scope_exceeded', { scope: 'user/Patient.r' }],
      ['for a service’s scope',               'scope_exceeded', { scope: 'system/Patient.r' }],
      ['to introspect',                       'scope_exceeded', { scope: '__introspect' }],
      ['for one scope more among others',     'scope_exceeded', { scope: 'patient/Patient.r patient/Flag.r' }],
      ['for a word that no grammar reads',    'scope_exceeded', { scope: 'patient/Patient.x' }],
      ['for what the back end is not registered for', 'scope_invalid', { scope: 'patient/composition-care-plan::contacts.v1.u' }],
      ['for renewal alone',                   'scope_invalid',  { scope: 'online_access' }],
      ['for nothing',                         'scope_invalid',  { scope: ' ' }],
      ['for another server',                  'target_invalid', { resource: 'https://elsewhere.example/fhir' }],
      ['for two targets at once',             'target_invalid', { resource: 'http://x', audience: 'http://y' }],
      ['for an audience that is no address',  'target_invalid', { audience: 'back-end-2' }],
      ['for an id_token',                     'parameter_invalid', { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
      ['for a refresh token',                 'parameter_invalid', { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }],
      ['of what is said to be an id_token',   'parameter_invalid', { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
      ['of a token of no type',               'parameter_missing', { subject_token_type: undefined }],
      ['of nothing',                          'parameter_missing', { subject_token: undefined }],
      ['in somebody else’s name',             'parameter_invalid', { actor_token: 'x', actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' }],
    ])('%s', async (_, code, change) => {
      const answer = await exchangeAs(ends, 'back-end', tokens.access_token, change)
      await expectRefused(t, answer, code, 400)
    })

    // biome-ignore format: a table
    it.each<[string, RefusalCode, () => Promise<string> | string]>([
      ['an id_token',                    'subject_token_invalid', () => tokens.id_token ?? ''],
      ['a refresh token',                'subject_token_invalid', () => tokens.refresh_token ?? ''],
      ['an expired token',               'subject_token_invalid', () => signed({ exp: Math.floor(t.clock() / 1000) })],
      ['a token with its patient changed', 'subject_token_invalid', () => tokens.access_token.replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...claimsIn(tokens.access_token), patient: patientOf(NO_PLAN).fhirId })).toString('base64url')}.`)],
      ['nonsense',                       'subject_token_invalid', () => 'x'],
      ['a revoked token',                'subject_token_invalid', async () => { const { tokens: own } = await launchTo(t, ORDER); await postAs(ends, 'care-plan', '/oauth/revoke', { token: own.access_token }); return own.access_token }],
      ['another app’s token',            'subject_token_refused', async () => (await launchTo(t, { ...ORDER, app: 'v1-app' })).tokens.access_token],
      ['a service’s token',              'subject_token_refused', async () => tokensOf(await askAsService(ends, 'service', 'system/Patient.r')).access_token],
      ['its own exchanged token',        'subject_token_refused', async () => (await exchanged('back-end', tokens.access_token)).access_token],
      ['another back end’s token',       'subject_token_refused', async () => (await exchanged('small-end', tokens.access_token)).access_token],
    ])('of %s, and all are answered alike', async (_, code, make) => {
      const answer = await exchangeAs(ends, 'back-end', await make())
      await expectRefused(t, answer, code, 400)
      const { error, error_description } = JSON.parse(answer.text)
      expect(error).toBe('invalid_request')
      expect(error_description).toMatch(/^The subject token is not valid\. ?|^The subject token is not valid\.$/)
    })

    // biome-ignore format: a table
    it.each<[string, RefusalCode, number, () => Promise<Awaited<ReturnType<typeof send>>>]>([
      ['a public app',                             'grant_type_unregistered', 400, () => exchangeAs(ends, 'care-plan', tokens.access_token)],
      ['a back end of another app',                'subject_token_refused',   400, () => exchangeAs(ends, 'other-end', tokens.access_token)],
      ['a service that is not registered for it',  'grant_type_unregistered', 400, () => exchangeAs(ends, 'service', tokens.access_token)],
      ['somebody who only says the name',          'client_unproven',         401, () => postAs(ends, 'nobody', '/oauth/token', { client_id: 'back-end', grant_type: TOKEN_EXCHANGE, subject_token: tokens.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' })],
      ['an app with a secret',                     'grant_type_unregistered', 400, () => send(new URL('/oauth/token', t.issuer), { form: { grant_type: TOKEN_EXCHANGE, subject_token: tokens.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }, headers: { authorization: `Basic ${Buffer.from(`secret-app:${SECRET}`).toString('base64')}` } })],
    ])('by %s', async (_, code, status, ask) => {
      await expectRefused(t, await ask(), code, status)
    })
  })

  describe('a chain of back ends', () => {
    it('is kept in the token, the present actor outermost (RFC 8693 §4.1), three deep and no deeper', async () => {
      await fresh()
      const first = await exchanged('back-end', tokens.access_token)
      const second = await exchanged('back-end-2', first.access_token)
      const third = await exchanged('back-end-3', second.access_token)
      expect(claimsIn(third.access_token)).toMatchObject({
        client_id: 'back-end-3',
        act: { sub: 'back-end-3', act: { sub: 'back-end-2', act: { sub: 'back-end' } } },
      })
      expect(await readsPatient(t, third)).toBe(200)
      const fourth = await exchangeAs(ends, 'back-end-4', third.access_token)
      await expectRefused(t, fourth, 'subject_token_refused', 400)
      expect((await exchangeAs(ends, 'back-end-4', first.access_token)).status).toBe(200)
    })

    it('never gains a scope that a link before it had dropped', async () => {
      await fresh()
      const scope = 'patient/Patient.r'
      const first = await exchanged('back-end', tokens.access_token, { scope })
      expect((await exchanged('back-end-2', first.access_token)).scope).toBe(scope)
      const more = { scope: 'patient/CarePlan.r' }
      const answer = await exchangeAs(ends, 'back-end-2', first.access_token, more)
      await expectRefused(t, answer, 'scope_exceeded', 400)
    })

    it('does not go round in a circle', async () => {
      await fresh()
      const first = await exchanged('circle', tokens.access_token)
      const second = await exchanged('circle-2', first.access_token)
      const again = await exchangeAs(ends, 'circle', second.access_token)
      await expectRefused(t, again, 'subject_token_refused', 400)
    })
  })

  describe('a token that is bound to a key', () => {
    const proof = (key: ReturnType<typeof proofKey>, path: string, htm = 'POST', token?: string) =>
      proofBy(key, {
        ...{ htm, htu: `${t.issuer}${path}`, iat: Math.floor(t.clock() / 1000) },
        ...(token === undefined ? {} : { ath: hashed(token) }),
      })

    it('is exchanged only for one that is bound to the back end’s own key', async () => {
      const [app, mine] = [proofKey(), proofKey()]
      const browser = new UserAgent()
      const started = new App(t, browser)
      const code = await started.code(handleOf(await open(t, browser, ORDER)))
      const dpop = { headers: { dpop: proof(app, '/oauth/token') } }
      const bound = tokensOf(await started.redeem(code, {}, dpop))
      expect(bound.token_type).toBe('DPoP')

      const loose = await exchangeAs(ends, 'back-end', bound.access_token)
      await expectRefused(t, loose, 'subject_token_refused', 400)
      const headers = { dpop: proof(mine, '/oauth/token') }
      const own = tokensOf(await exchangeAs(ends, 'back-end', bound.access_token, {}, { headers }))
      expect(own.token_type).toBe('DPoP')
      const path = `/fhir/Patient/${bound.patient}`
      const read = (key: ReturnType<typeof proofKey>) =>
        call(t, own.access_token, path, {
          headers: {
            authorization: `DPoP ${own.access_token}`,
            dpop: proof(key, path, 'GET', own.access_token),
          },
        })
      expect((await read(mine)).status).toBe(200)
      await expectRefused(t, await read(app), 'token_other_key', 401)
      expect(await readsPatient(t, own)).toBe(401)
    })
  })

  describe('on two nodes', () => {
    it('many exchanges of one token at once each give one for the same launch, and one end ends all', async () => {
      await fresh()
      const { port } = await t.secondNode()
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          exchangeAs(ends, 'back-end', tokens.access_token, {}, i % 2 ? { port } : {}),
        ),
      )
      const given = answers.map(tokensOf)
      expect(new Set(given.map(({ access_token }) => claimsIn(access_token).jti)).size).toBe(12)
      expect(new Set(given.map(({ __launch }) => __launch))).toEqual(new Set([tokens.__launch]))
      const path = `/fhir/Patient/${tokens.patient}`
      const reads = () =>
        Promise.all(
          given.map(
            async ({ access_token }, i) =>
              // Each at the node that did not give it.
              (await call(t, access_token, path, i % 2 ? {} : { port })).status,
          ),
        )
      expect(new Set(await reads())).toEqual(new Set([200]))
      await postAs(ends, 'care-plan', '/oauth/revoke', { token: tokens.access_token })
      expect(new Set(await reads())).toEqual(new Set([401]))
    })

    it('one proof of a back end is good for one exchange, wherever it is shown', async () => {
      await fresh()
      const { port } = await t.secondNode()
      const form = {
        ...{ ...(await proofOf(ends, 'back-end')), client_id: undefined },
        ...{ grant_type: TOKEN_EXCHANGE, subject_token: tokens.access_token },
        subject_token_type: ACCESS_TOKEN_TYPE,
      }
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          postAs(ends, 'nobody', '/oauth/token', form, i % 2 ? { port } : {}),
        ),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      for (const answer of answers.filter(({ status }) => status !== 200))
        await expectRefused(t, answer, 'assertion_replayed', 401)
    })
  })

  describe('a service', () => {
    it('gets five minutes, no refresh token and no id_token, and says in its token that it is itself', async () => {
      const given = tokensOf(await askAsService(ends, 'service', 'system/Patient.rs'))
      expect(Object.keys(given).sort()).toEqual([
        ...['access_token', 'expires_in', 'scope', 'token_type'],
      ])
      expect(given).toMatchObject({ expires_in: 300, scope: 'system/Patient.rs' })
      expect(claimsIn(given.access_token)).toMatchObject({
        ...{ sub: 'service', client_id: 'service', aud: [`${t.issuer}/fhir`] },
      })
      expect(claimsIn(given.access_token)).not.toHaveProperty('patient')
      const told = await introspected(ends, 'reader', given.access_token)
      expect(told).toMatchObject({ active: true, sub: 'service', scope: 'system/Patient.rs' })
      expect(told).not.toHaveProperty('launch')
      await t.clock.advance(300)
      expect(await introspected(ends, 'reader', given.access_token)).toEqual({ active: false })
    })

    it('gets of a wildcard only what the policies give any service', async () => {
      const given = tokensOf(
        await askAsService(ends, 'service', 'system/*.rs system/CarePlan.cruds'),
      )
      expect(words(given.scope)).toEqual(['system/CarePlan.rs', 'system/Patient.rs'])
      const apart = await askAsService(ends, 'service', 'system/Patient.s system/Patient.r')
      expect(tokensOf(apart).scope).toBe('system/Patient.rs')
    })

    // biome-ignore format: a table
    it.each<[string, RefusalCode, string | undefined]>([
      ['no scope',                           'scope_invalid', undefined],
      ['an empty scope',                     'scope_invalid', ' '],
      ['a patient’s scope',                  'scope_invalid', 'patient/Patient.r'],
      ['a user’s scope',                     'scope_invalid', 'user/Patient.r'],
      ['an identity',                        'scope_invalid', 'openid'],
      ['a launch',                           'scope_invalid', 'launch/patient'],
      ['to be renewed',                      'scope_invalid', 'system/Patient.r offline_access'],
      ['a type that is not offered',         'scope_invalid', 'system/Observation.rs'],
      ['what its registration has not',      'scope_invalid', 'system/Condition.c'],
      ['what the policies give no service',  'scope_invalid', 'system/Condition.r'],
      ['a section of the plan',              'scope_invalid', 'system/composition-care-plan::contacts.v1.r'],
      ['a stored query',                     'scope_invalid', 'system/aql-care-plan::sections.rs'],
      ['a search query',                     'scope_invalid', 'system/Patient.rs?active=true'],
      ['one unknown scope among good ones',  'scope_invalid', 'system/Patient.r system/Patient.x'],
      ['one more scope among good ones',     'scope_invalid', 'system/Patient.r patient/Patient.r'],
      ['letters in another order',           'scope_invalid', 'system/Patient.sr'],
    ])('gets nothing when it asks for %s, never an empty scope', async (_, code, scope) => {
      await expectRefused(t, await askAsService(ends, 'service', scope), code, 400)
    })

    it('that is registered for one letter gets no other', async () => {
      const more = await askAsService(ends, 'reader', 'system/Patient.rs')
      await expectRefused(t, more, 'scope_invalid', 400)
      expect(tokensOf(await askAsService(ends, 'reader', 'system/Patient.r')).scope).toBe(
        'system/Patient.r',
      )
    })

    it('opens nothing of the record with its token, until that is enforced', async () => {
      const { patient, ehrId } = await fresh()
      const { access_token } = tokensOf(await askAsService(ends, 'service', 'system/*.rs'))
      for (const path of [`/fhir/Patient/${patient}`, '/fhir/Patient?_count=1'])
        await expectRefused(t, await call(t, access_token, path), 'scope_insufficient', 403)
      const plan = `/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`
      await expectRefused(t, await call(t, access_token, plan), 'token_other_audience', 401)
      const made = { ...claimsIn(access_token), aud: [`${t.issuer}/openehr/v1`] }
      const other = await t.running.keys.sign('ES256', 'at+jwt', made as never)
      await expectRefused(t, await call(t, other, plan), 'scope_insufficient', 403)
      await expectRefused(
        t,
        await call(t, access_token, '/oauth/userinfo'),
        'scope_insufficient',
        403,
      )
    })

    it('is nobody with a secret, a name alone or another’s proof', async () => {
      const form = { grant_type: 'client_credentials', scope: 'system/Patient.r' }
      const url = new URL('/oauth/token', t.issuer)
      const basic = Buffer.from(`secret-app:${SECRET}`).toString('base64')
      const secret = await send(url, { form, headers: { authorization: `Basic ${basic}` } })
      await expectRefused(t, secret, 'grant_type_unregistered', 400)
      const named = await send(url, { form: { ...form, client_id: 'service' } })
      await expectRefused(t, named, 'client_unproven', 401)
      const other = await postAs(ends, 'reader', '/oauth/token', { ...form, client_id: 'service' })
      await expectRefused(t, other, 'client_unproven', 401)
    })

    it.each([
      ['a second token of it', { jti: 'tok_other' }],
      ['one that another service holds', { client_id: 'reader' }],
    ])('has the one token that its grant names: not %s', async (_, change) => {
      const { access_token } = tokensOf(await askAsService(ends, 'service', 'system/Patient.r'))
      const claims = { ...claimsIn(access_token), ...change }
      const made = await t.running.keys.sign('ES256', 'at+jwt', claims as never)
      expect(await introspected(ends, 'reader', made)).toEqual({ active: false })
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
