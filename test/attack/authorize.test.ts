/** The launch handle and the authorize endpoint: whatever is wrong never opens a plan without its launch. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import * as client from 'openid-client'
import type { RefusalCode } from '../../src/core/refusal.js'
import { App, type Change, codeOf, readsPatient, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, open, openFramed } from '../launching.js'
import { entriesOf, expectRefused, expectSentBack, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const ORDER = { system: 'gp-push' }
const swapped = (text: string): string => text.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A'))
const coded = (answers: readonly Answer[]): readonly Answer[] =>
  answers.filter(({ location }) => location?.searchParams.has('code'))

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let port: number
  beforeAll(async () => {
    t = await openTestGateway({ store })
    port = (await t.secondNode()).port
  }, 60_000)
  afterAll(() => t?.close())

  const begin = async (id = 'care-plan') => {
    const app = new App(t, new UserAgent(), id)
    return { app, handle: handleOf(await open(t, app.browser, { ...ORDER, app: id })) }
  }
  const worksOnce = async (app: App, handle: string): Promise<void> => {
    const tokens = tokensOf(await app.redeem(await app.code(handle)))
    expect(await readsPatient(t, tokens)).toBe(200)
  }

  describe('a handle', () => {
    it('is spent by its first use', async () => {
      const { app, handle } = await begin()
      const code = await app.code(handle)
      const again = await app.authorize(handle)
      await expectRefused(t, again, 'handle_spent', 400)
      expect(again.location).toBeUndefined()
      expect((await app.redeem(code)).status).toBe(200)
    })

    it('gives exactly one code, of fifty asked for at once on two nodes', async () => {
      const { app, handle } = await begin()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => app.authorize(handle, {}, i % 2 ? { port } : {})),
      )
      const [won, ...others] = coded(answers)
      expect(others).toEqual([])
      expect((await app.redeem(codeOf(won as Answer))).status).toBe(200)
      for (const answer of answers) {
        if (answer !== won) await expectRefused(t, answer, 'handle_spent', 400)
      }
      const opened = await entriesOf(t, { launch: launchBehind(handle) })
      expect(opened.filter(({ what }) => what === 'grant_opened')).toHaveLength(1)
    })

    it('lives a minute', async () => {
      const { app, handle } = await begin()
      await t.clock.advance(59.999)
      await worksOnce(app, handle)
      const late = await begin()
      await t.clock.advance(60)
      await expectRefused(t, await late.app.authorize(late.handle), 'handle_invalid', 400)
    })

    it('is not spent by another app, which learns nothing', async () => {
      const { app, handle } = await begin()
      const other = new App(t, app.browser, 'v1-app')
      await expectRefused(t, await other.authorize(handle), 'handle_other_app', 400)
      await worksOnce(app, handle)
    })

    it('works in no other browser, nor in another frame of this one', async () => {
      const { app, handle } = await begin()
      const stranger = new App(t, new UserAgent())
      await expectRefused(t, await stranger.authorize(handle), 'handle_other_browser', 400)
      const framed = handleOf(await openFramed(t, app.browser, ORDER))
      await expectRefused(t, await app.authorize(framed), 'handle_other_browser', 400)
      await worksOnce(app, handle)
    })

    it('works in no browser that makes its cookie up', async () => {
      const { handle } = await begin()
      const url = new URL('/oauth/authorize', t.issuer)
      const app = new App(t, new UserAgent())
      url.search = new URLSearchParams(app.parameters(handle)).toString()
      for (const cookie of [
        '__Host-browser=',
        `__Host-browser=brw_${'A'.repeat(32)}`,
        'x'.repeat(20_000),
      ]) {
        await expectRefused(
          t,
          await send(url, { headers: { cookie } }),
          'handle_other_browser',
          400,
        )
      }
    })

    it.each<[string, (handle: string) => string]>([
      ['altered at its end', swapped],
      ['altered in its launch', (handle) => handle.replace(/.{4}\./, '0000.')],
      ['of another kind', (handle) => handle.replace('hdl_', 'lnk_')],
      ['with a space after it', (handle) => `${handle} `],
      ['twice as long', (handle) => `${handle}${handle}`],
      ['named like a built-in', () => '__proto__'],
    ])('is not good when %s', async (_what, change) => {
      const { app, handle } = await begin()
      await expectRefused(t, await app.authorize(change(handle)), 'handle_invalid', 400)
      await worksOnce(app, handle)
    })
  })

  describe('a redirect address', () => {
    // biome-ignore format: a table
    it.each([
      ['with more path',        'http://app.localhost:9999/more'],
      ['with less path',        'http://app.localhost:9999'],
      ['with a query',          'http://app.localhost:9999/?x=1'],
      ['with a fragment',       'http://app.localhost:9999/#x'],
      ['in capitals',           'http://APP.localhost:9999/'],
      ['with a trailing dot',   'http://app.localhost.:9999/'],
      ['with a user',           'http://app.localhost:9999@elsewhere.example/'],
      ['with our name in it',   'http://elsewhere.example/http://app.localhost:9999/'],
      ['of a name that begins so', 'http://app.localhost:9999.elsewhere.example/'],
      ['encoded',               'http://app.localhost:9999/%2e%2e/'],
      ['with a step up',        'http://app.localhost:9999/x/..'],
      ['with a backslash',      'http://app.localhost:9999\\@elsewhere.example/'],
      ['without scheme',        '//app.localhost:9999/'],
      ['of another port',       'http://app.localhost:99990/'],
      ['over https',            'https://app.localhost:9999/'],
      ['that runs a script',    'javascript:alert(1)'],
      ['of another app',        'http://v1-app.localhost:9997/'],
      ['with a line break',     'http://app.localhost:9999/\r\nLocation: http://elsewhere.example/'],
    ])('%s is told to the user and followed by nobody', async (_what, redirect_uri) => {
      const { app, handle } = await begin()
      for (const more of [{}, { error: 'x' }, { response_type: 'token' }] as Change[]) {
        const answer = await app.authorize(handle, { redirect_uri, ...more })
        const { detail } = await expectRefused(t, answer, 'redirect_unregistered', 400)
        expect(detail?.registered).toEqual([app.redirect])
        expect(answer.location).toBeUndefined()
        expect(answer.text).not.toContain('elsewhere')
        expect(answer.text).not.toContain(app.redirect)
      }
    })

    // biome-ignore format: a table
    it.each([
      ['as it was sent',                 'https://elsewhere.example/back',              'https://elsewhere.example/back'],
      ['without what its query said',    'https://app.example/back?nhs=9990000018',     'https://app.example/back?…'],
      ['without what its fragment said', 'https://app.example/back#nhs=9990000018',     'https://app.example/back#…'],
      ['without what fools a terminal',  'https://app.example/\u001b[2Jback\u202e',    'https://app.example/[2Jback'],
      ['as far as it is not too long',   `https://app.example/${'x'.repeat(1000)}`,     `https://app.example/${'x'.repeat(180)}`],
    ])('stands in the trail %s, beside those that are registered', async (_what, redirect_uri, sent) => {
      const { app, handle } = await begin()
      const answer = await app.authorize(handle, { redirect_uri })
      const { detail } = await expectRefused(t, answer, 'redirect_unregistered', 400)
      expect(detail).toMatchObject({ sent, registered: [app.redirect] })
      expect(answer.text).not.toContain(sent)
    })

    it('that is missing, or of an app that nobody knows, is told to the user', async () => {
      const { app, handle } = await begin()
      const missing = await app.authorize(handle, { redirect_uri: undefined })
      await expectRefused(t, missing, 'parameter_missing', 400)
      for (const client_id of ['nobody', '__proto__', 'x'.repeat(1000), undefined]) {
        const answer = await app.authorize(handle, { client_id })
        await expectRefused(t, answer, 'client_unknown', 400)
      }
      await worksOnce(app, handle)
    })
  })

  // biome-ignore format: a table
  it.each<[string, RefusalCode, string, Change]>([
    ['no PKCE',                           'pkce_required',             'invalid_request',           { code_challenge: undefined, code_challenge_method: undefined }],
    ['a plain challenge',                 'pkce_required',             'invalid_request',           { code_challenge_method: 'plain' }],
    ['a challenge without its method',    'pkce_required',             'invalid_request',           { code_challenge_method: undefined }],
    ['a challenge that is too short',     'pkce_required',             'invalid_request',           { code_challenge: 'A'.repeat(42) }],
    ['an audience on another host',       'audience_invalid',          'invalid_request',           { aud: 'https://elsewhere.example/fhir' }],
    ['an audience that only begins so',   'audience_invalid',          'invalid_request',           { aud: 'http://localhost.elsewhere.example/fhir' }],
    ['no audience',                       'audience_invalid',          'invalid_request',           { aud: undefined }],
    ['response type token',               'response_type_unsupported', 'unsupported_response_type', { response_type: 'token' }],
    ['response type “code id_token”',     'response_type_unsupported', 'unsupported_response_type', { response_type: 'code id_token' }],
    ['no response type',                  'parameter_missing',         'invalid_request',           { response_type: undefined }],
    ['no launch scope',                   'launch_scope_missing',      'invalid_scope',             { scope: 'openid patient/Patient.r' }],
    ['no scope at all',                   'scope_invalid',             'invalid_scope',             { scope: undefined }],
    ['scopes that nobody registered',     'scope_invalid',             'invalid_scope',             { scope: 'system/*.cruds patient/Observation.rs user/*.*' }],
    ['no handle',                         'launch_required',           'invalid_request',           { launch: undefined }],
    ['no state',                          'parameter_missing',         'invalid_request',           { state: undefined }],
  ])('%s is told to the app, and spends nothing', async (_what, code, wire, change) => {
    const { app, handle } = await begin()
    const answer = await app.authorize(handle, change)
    await expectSentBack(t, answer, code, app.redirect)
    expect(answer.location?.searchParams.get('error')).toBe(wire)
    const state = 'state' in change ? null : app.state
    expect(answer.location?.searchParams.get('state')).toBe(state)
    expect(answer.location?.href).not.toContain(handle)
    await worksOnce(app, handle)
  })

  it.each(['redirect_uri', 'client_id', 'launch', 'state', 'scope'])(
    'refuses %s when it stands twice',
    async (name) => {
      const { app, handle } = await begin()
      const url = new URL('/oauth/authorize', t.issuer)
      const parameters = app.parameters(handle)
      url.search = new URLSearchParams([
        ...parameters,
        ...parameters.filter(([each]) => each === name),
      ]).toString()
      await expectRefused(t, await app.browser.visit(url), 'parameter_repeated', 400)
      const form = [...parameters, [name, 'https://elsewhere.example/'] as const]
      const posted = await app.browser.visit(new URL('/oauth/authorize', t.issuer), { form })
      await expectRefused(t, posted, 'parameter_repeated', 400)
      await worksOnce(app, handle)
    },
  )

  it('takes a form’s parameters from the form alone', async () => {
    const { app, handle } = await begin()
    const form = app.parameters(handle, { redirect_uri: undefined })
    const url = new URL(
      `/oauth/authorize?redirect_uri=${encodeURIComponent(app.redirect)}`,
      t.issuer,
    )
    await expectRefused(t, await app.browser.visit(url, { form }), 'parameter_missing', 400)
  })

  it('leaks neither handle nor code to whoever comes next', async () => {
    const { app, handle } = await begin()
    for (const answer of [await app.authorize(handle, { aud: 'x' }), await app.authorize(handle)]) {
      expect(answer.headers).toMatchObject({
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
    }
  })

  describe('an app with two servers, one of which sends its users on to us (mix-up, RFC 9700 §4.4)', () => {
    const OTHER = 'https://other.example'
    const OTHER_ISSUER = { cause: { message: expect.stringContaining('"iss"') } }
    /** The app by somebody else's library, as it talks to the other server: what it would tell there is kept. */
    const atOther = (announces: boolean) => {
      const told: string[] = []
      const metadata = {
        ...{ issuer: OTHER, authorization_endpoint: `${OTHER}/authorize` },
        ...{ token_endpoint: `${OTHER}/token` },
        ...(announces ? { authorization_response_iss_parameter_supported: true } : {}),
      }
      const config = new client.Configuration(metadata, 'care-plan', {}, client.None())
      config[client.customFetch] = async (url, options) => {
        told.push(`${url} ${options.body}`)
        return new Response('{}', { status: 400 })
      }
      return { config, told }
    }
    const checksOf = ({ verifier, state, nonce }: App) => ({
      ...{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
    })

    it.each([
      ['that names itself in its answers', true],
      ['that does not', false],
    ])('does not tell our code to one %s', async (_what, announces) => {
      const { app, handle } = await begin()
      const { config, told } = atOther(announces)
      const answer = await app.authorize(handle)
      const here = answer.location as URL
      expect(here.searchParams.get('iss')).toBe(t.issuer)
      await expect(
        client.authorizationCodeGrant(config, here, checksOf(app)),
      ).rejects.toMatchObject(OTHER_ISSUER)
      expect(told).toEqual([])
      expect((await app.redeem(codeOf(answer))).status).toBe(200)
    })

    it('does not take our refusal for the other’s', async () => {
      const { app, handle } = await begin()
      const { location } = await app.authorize(handle, { aud: 'https://elsewhere.example' })
      const here = location as URL
      expect(here.searchParams.get('error')).toBe('invalid_request')
      expect(here.searchParams.get('iss')).toBe(t.issuer)
      const { config } = atOther(true)
      await expect(
        client.authorizationCodeGrant(config, here, checksOf(app)),
      ).rejects.toMatchObject(OTHER_ISSUER)
    })

    it('that does not look has told code and verifier, which open nothing without its key', async () => {
      const { app, handle } = await begin('key-app')
      const code = await app.code(handle)
      const meant = await app.proof({ aud: `${OTHER}/token` })
      await expectRefused(t, await app.redeem(code, meant), 'client_unproven', 401)
      const nobody = { client_id: app.id, client_assertion: undefined }
      const bare = await app.redeem(code, { ...nobody, client_assertion_type: undefined })
      await expectRefused(t, bare, 'client_unproven', 401)
      expect((await app.redeem(code)).status).toBe(200)
    })
  })

  it('goes on working, with a whole trail', async () => {
    const { app, handle } = await begin()
    await worksOnce(app, handle)
    await expectWholeTrail(t)
  })
})

/** The launch that a handle belongs to. */
const launchBehind = (handle: string): string => `lch_${/_([0-9a-z]+)\./.exec(handle)?.[1]}`
