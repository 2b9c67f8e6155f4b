import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { App, claimsIn, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { signOutAt } from '../demo/sign-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { formTo, handleOf, open, signIn } from '../launching.js'
import { logOut, openReceiver, type Receiver, saidIn, toldAt } from '../logout-receiver.js'
import { entriesOf, expectNoPatient, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const BYE = `${APP_ORIGINS['care-plan']}/bye?from=gateway`

describe.each(STORES)('signing out on the %s store', (store) => {
  let t: TestGateway
  let plan: Receiver
  let key: Receiver
  beforeAll(async () => {
    plan = await openReceiver()
    key = await openReceiver()
    t = await openTestGateway({
      store,
      change: toldAt({ 'care-plan': plan, 'key-app': key }, BYE),
    })
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await Promise.all([plan, key].map((receiver) => receiver?.close()))
  })
  beforeEach(async () => {
    for (const receiver of [plan, key]) Object.assign(receiver, { answer: 200 })
    // What an earlier test left is told first.
    await t.running.notices.turn()
    for (const receiver of [plan, key]) receiver.heard.length = 0
  })

  const confirm = (browser: UserAgent, page: Answer): Promise<Answer> =>
    browser.visit(new URL('/oauth/logout/confirm', t.issuer), {
      form: formTo(page, '/oauth/logout/confirm'),
    })
  const hintOf = (tokens: Tokens) => ({ id_token_hint: tokens.id_token ?? '' })
  const sidOf = (tokens: Tokens) => claimsIn(tokens.id_token).sid
  const byProvider = async (browser = new UserAgent(), person = 'gp') => {
    const page = await open(t, browser, { system: 'gp-clinic', user: person })
    const app = new App(t, browser)
    return { browser, tokens: await app.tokens(await signIn(t, browser, page, { person })) }
  }

  // First of all: what the provider says is dated by the machine's own time.
  describe('when the provider signed the user out', () => {
    it('tells the apps of that session, and of no other', async () => {
      const mine = await byProvider()
      const other = await launchTo(t, { system: 'gp-push', user: 'practice-nurse' })
      await signOutAt(new URL(`${t.origins.hospital}/oidc/sign-out`), mine.browser.jar)
      expect(await readsPatient(t, mine.tokens)).toBe(401)
      await t.running.notices.turn()
      expect(plan.sids()).toEqual([sidOf(mine.tokens)])
      expect(await readsPatient(t, other.tokens)).toBe(200)
    })
  })

  describe('at the wish of an app (RP-Initiated Logout 1.0)', () => {
    it('ends the sign-on that its id_token names at once, and goes on to the registered address', async () => {
      const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
      const sent = { ...hintOf(tokens), post_logout_redirect_uri: BYE, state: 'a b&c' }
      const answer = await logOut(t, browser, sent)
      expect(answer.status).toBe(303)
      expect(answer.location?.href).toBe(`${BYE}&state=a+b%26c`)
      expect(await readsPatient(t, tokens)).toBe(401)
      const entries = await entriesOf(t, { launch: tokens.__launch })
      expect(entries.map(({ what }) => what)).toContain('grant_opened')
    })

    it('takes it by POST as well, and an id_token whose time is over', async () => {
      const { browser, tokens, app } = await launchTo(t, { system: 'gp-push' })
      await t.clock.advance(400)
      const renewed = await app.refresh(tokens)
      expect(renewed.status).toBe(200)
      const form = { ...hintOf(tokens), client_id: 'care-plan', state: '' }
      const answer = await browser.visit(new URL('/oauth/logout', t.issuer), { form })
      expect([answer.status, wordsOf(answer.text)]).toEqual([
        200,
        expect.stringContaining('You are signed out'),
      ])
      expect(await readsPatient(t, JSON.parse(renewed.text))).toBe(401)
    })

    it('asks the user where nothing proves that the app means it, and signs out by their yes, once', async () => {
      const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
      const sent = { client_id: 'care-plan', post_logout_redirect_uri: BYE, state: 's' }
      const page = await logOut(t, browser, sent)
      expect(wordsOf(page.text)).toContain('Do you want to sign out?')
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expectNoPatient(page)
      expect(await readsPatient(t, tokens)).toBe(200)
      const answer = await confirm(browser, page)
      expect(answer.location?.href).toBe(`${BYE}&state=s`)
      expect(await readsPatient(t, tokens)).toBe(401)
    })

    it('goes on at once where nobody is signed on', async () => {
      const sent = { client_id: 'care-plan', post_logout_redirect_uri: BYE }
      expect((await logOut(t, new UserAgent(), sent)).location?.href).toBe(BYE)
      const nowhere = await logOut(t, new UserAgent(), {})
      expect(wordsOf(nowhere.text)).toContain('You are signed out')
    })

    it('knows no address of an app that nobody named, and asks', async () => {
      const { browser } = await launchTo(t, { system: 'gp-push' })
      const page = await logOut(t, browser, { post_logout_redirect_uri: BYE, state: 's' })
      const answer = await confirm(browser, page)
      expect([answer.status, answer.location]).toEqual([200, undefined])
    })

    it('says in discovery what it does', async () => {
      const url = new URL('/.well-known/openid-configuration', t.issuer)
      const document = JSON.parse((await new UserAgent().visit(url)).text)
      expect(document).toMatchObject({
        end_session_endpoint: `${t.issuer}/oauth/logout`,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
      })
    })
  })

  describe('tells the apps that were opened (Back-Channel Logout 1.0)', () => {
    it('by a logout token under our published key, which is no id_token', async () => {
      const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
      await logOut(t, browser, hintOf(tokens))
      await t.running.notices.turn()
      expect(plan.heard).toHaveLength(1)
      const keys = createLocalJWKSet(t.running.keys.jwks as never)
      const { payload, protectedHeader } = await jwtVerify(plan.heard[0] ?? '', keys, {
        ...{ issuer: t.issuer, audience: 'care-plan', typ: 'logout+jwt' },
        currentDate: new Date(t.clock()),
      })
      const { sub, sid } = claimsIn(tokens.id_token)
      const now = Math.floor(t.clock() / 1000)
      expect(protectedHeader.alg).toBe('RS256')
      expect(payload).toEqual({
        ...{ iss: t.issuer, aud: 'care-plan', sub, sid, iat: now, exp: now + 120 },
        jti: expect.stringMatching(/^lgt_/),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      })
      // Nor is it a hint.
      const refused = await logOut(t, browser, { id_token_hint: plan.heard[0] ?? '' })
      expect(refused.status).toBe(400)
      const told = await entriesOf(t, { from: t.clock() - 1000 })
      expect(told).toContainEqual(
        expect.objectContaining({ what: 'app_notified', outcome: 'success', signOn: sid }),
      )
    })

    it('each of them, when two were opened at the same moment, by its own algorithm', async () => {
      const browser = new UserAgent()
      const first = await launchTo(t, { system: 'gp-push' }, browser)
      const [one, two] = [new App(t, browser), new App(t, browser, 'key-app')]
      const handles = [
        handleOf(await open(t, browser, { system: 'gp-push' })),
        handleOf(await open(t, browser, { system: 'gp-push', app: 'key-app' })),
      ]
      await Promise.all([one.code(handles[0] ?? ''), two.code(handles[1] ?? '')])
      await logOut(t, browser, hintOf(first.tokens))
      await t.running.notices.turn()
      expect([plan.sids(), key.sids()]).toEqual([[sidOf(first.tokens)], [sidOf(first.tokens)]])
      const keys = createLocalJWKSet(t.running.keys.jwks as never)
      const { protectedHeader } = await jwtVerify(key.heard[0] ?? '', keys, {
        currentDate: new Date(t.clock()),
      })
      expect(protectedHeader.alg).toBe('ES256')
    })

    it('and no app that was not opened under this sign-on', async () => {
      const other = await launchTo(t, { system: 'gp-push', app: 'key-app' })
      const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
      await logOut(t, browser, hintOf(tokens))
      await t.running.notices.turn()
      expect([plan.sids(), key.heard]).toEqual([[sidOf(tokens)], []])
      expect(await readsPatient(t, other.tokens)).toBe(200)
    })

    it('when another user launches in the browser', async () => {
      const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
      await open(t, browser, { system: 'gp-push', user: 'practice-nurse' })
      await t.running.notices.turn()
      expect(plan.sids()).toEqual([sidOf(tokens)])
    })

    it('not when a session only ran out: that is no sign-out', async () => {
      await launchTo(t, { system: 'gp-push' })
      await t.clock.advance(900)
      await t.running.notices.turn()
      expect(plan.heard).toEqual([])
    })
  })

  describe('tells an app that does not hear it', () => {
    const left = async () => (await t.running.store.list('notice')).length
    /** Signs out a new session, and makes the first try. */
    const untold = async (answer: number) => {
      plan.answer = answer
      const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
      await logOut(t, browser, hintOf(tokens))
      await t.running.notices.turn()
      return tokens
    }
    const callsAfter = async (seconds: number) => {
      await t.clock.advance(seconds)
      await t.running.notices.turn()
      return plan.heard.length
    }

    it('again after a second, ten seconds, a minute and five minutes, and then no more', async () => {
      const tokens = await untold(500)
      const calls = []
      for (const wait of [0.9, 0.1, 9, 1, 59, 1, 299, 1, 3600]) calls.push(await callsAfter(wait))
      expect(calls).toEqual([1, 2, 2, 3, 3, 4, 4, 5, 5])
      expect(await left()).toBe(0)
      // Each time with a token of its own: the first would be too old by now.
      expect(new Set(plan.heard.map((token) => saidIn(token).jti)).size).toBe(5)
      const entries = await entriesOf(t, { from: t.clock() - 4_000_000 })
      const told = entries.filter(
        ({ what, signOn }) => what === 'app_notified' && signOn === sidOf(tokens),
      )
      expect(told.map(({ outcome, detail }) => [outcome, detail?.try, detail?.why])).toEqual(
        [1, 2, 3, 4, 5].map((n) => ['failure', n, 'status 500']),
      )
    })

    it.each([200, 204])('until it answers %s', async (status) => {
      await untold(503)
      plan.answer = status
      expect([await callsAfter(1), await callsAfter(10), await left()]).toEqual([2, 2, 0])
    })

    it('after a restart as well', async () => {
      await untold(503)
      plan.answer = 200
      await t.restart()
      expect([await callsAfter(1), await left()]).toEqual([2, 0])
    })

    it('while another app that heard it is left in peace', async () => {
      plan.answer = 503
      const browser = new UserAgent()
      const { tokens } = await launchTo(t, { system: 'gp-push' }, browser)
      await new App(t, browser, 'key-app').code(
        handleOf(await open(t, browser, { system: 'gp-push', app: 'key-app' })),
      )
      await logOut(t, browser, hintOf(tokens))
      await t.running.notices.turn()
      await callsAfter(1)
      plan.answer = 200
      await callsAfter(10)
      expect([plan.heard.length, key.heard.length, await left()]).toEqual([3, 1, 0])
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
