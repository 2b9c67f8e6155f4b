import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import type { Config } from '../../src/config.js'
import { endOf } from '../../src/core/records.js'
import { App, claimsIn, launchTo, readsPatient, type Tokens, tokensOf } from '../app-by-hand.js'
import { signInAt } from '../demo/sign-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { formTo, handleOf, open, signIn } from '../launching.js'
import { logOut, openReceiver, type Receiver, toldAt } from '../logout-receiver.js'
import { entriesOf, expectNoPatient, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const PAGE = '/sign-in/sessions'
const BYE = `${APP_ORIGINS['care-plan']}/bye`

describe.each(STORES)('what is open in somebody’s name, on the %s store', (store) => {
  let t: TestGateway
  let plan: Receiver
  beforeAll(async () => {
    plan = await openReceiver()
    const told = toldAt({ 'care-plan': plan }, BYE)
    const change = (config: Config) => ({
      apps: (told(config).apps ?? []).map((app) => ({
        ...app,
        scopes: [...app.scopes, 'offline_access'],
      })),
    })
    t = await openTestGateway({ store, change })
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await plan?.close()
  })

  // What is ended at one moment is not what begins at the next.
  beforeEach(() => t.clock.advance(1))

  const at = (path: string) => new URL(path, t.issuer)
  const see = (browser: UserAgent): Promise<Answer> => browser.visit(at(PAGE))
  const sidOf = ({ id_token }: Tokens) => String(claimsIn(id_token).sid)
  /** From the page to the provider and back. */
  const signInToSee = async (browser: UserAgent, person = 'gp'): Promise<Answer> => {
    await t.clock.catchUp()
    const form = formTo(await see(browser), `${PAGE}/start`)
    const started = await browser.visit(at(`${PAGE}/start`), { form })
    if (!started.location) throw new Error(`${started.status} ${started.text}`)
    const back = await browser.visit(await signInAt(started.location, { person }, browser.jar))
    expect(back.location?.pathname).toBe(PAGE)
    return see(browser)
  }
  const end = (browser: UserAgent, page: Answer, what: string): Promise<Answer> =>
    browser.visit(at(PAGE), { form: { ...formTo(page, PAGE), end: what } })
  /** Signed on at the provider, by a launch that asks for it. */
  const elsewhere = async (person = 'gp') => {
    const browser = new UserAgent()
    const page = await open(t, browser, { system: 'gp-clinic', user: person })
    const app = new App(t, browser)
    return { browser, app, tokens: await app.tokens(await signIn(t, browser, page, { person })) }
  }

  it('is shown to whom the provider signed on, since when, by whom, with which apps', async () => {
    const launched = await launchTo(t, { system: 'gp-push' })
    const other = await elsewhere()
    const stranger = await elsewhere('practice-nurse')
    const browser = new UserAgent()
    const page = await signInToSee(browser)
    expect(page.status).toBe(200)
    const words = wordsOf(page.text)
    expect(words).toContain('Signed in as Dr Amara Okafor')
    expect(words).toContain('you, at the sign-in page')
    expect(words).toContain('This window')
    expect(words).toContain('Shared care plan')
    for (const tokens of [launched.tokens, other.tokens]) expect(page.text).toContain(sidOf(tokens))
    expect(page.text).not.toContain(sidOf(stranger.tokens))
    expect(page.text.match(/nhsuk-tag/g)).toHaveLength(1)
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(page.headers['cache-control']).toContain('no-store')
    expectNoPatient(page)
  })

  it('is not shown on a launch’s word for its user: that one must sign in', async () => {
    const { browser, tokens } = await launchTo(t, { system: 'gp-push' })
    const page = await see(browser)
    expect(wordsOf(page.text)).toContain('Sign in yourself')
    expect(page.text).not.toContain('sgn_')
    const form = formTo(page, `${PAGE}/start`)
    const answer = await browser.visit(at(PAGE), { form: { ...form, end: 'all' } })
    await expectRefused(t, answer, 'session_ended', 403)
    expect(await readsPatient(t, tokens)).toBe(200)
  })

  it('ends one, tells its apps, and leaves the others', async () => {
    const [one, two] = [await elsewhere(), await elsewhere()]
    const browser = new UserAgent()
    const page = await signInToSee(browser)
    plan.heard.length = 0
    const answer = await end(browser, page, sidOf(one.tokens))
    expect(answer.location?.pathname).toBe(PAGE)
    expect([await readsPatient(t, one.tokens), await readsPatient(t, two.tokens)]).toEqual([
      401, 200,
    ])
    await t.running.notices.turn()
    expect(plan.sids()).toEqual([sidOf(one.tokens)])
    const after = await see(browser)
    expect(after.text).not.toContain(sidOf(one.tokens))
    expect(after.text).toContain(sidOf(two.tokens))
  })

  it('ends all, this browser’s too, by whoever’s word they were signed on', async () => {
    const [launched, other] = [await launchTo(t, { system: 'gp-push' }), await elsewhere()]
    const stranger = await elsewhere('practice-nurse')
    const browser = new UserAgent()
    const page = await signInToSee(browser)
    plan.heard.length = 0
    await end(browser, page, 'all')
    const statuses = [launched, other, stranger].map(({ tokens }) => readsPatient(t, tokens))
    expect(await Promise.all(statuses)).toEqual([401, 401, 200])
    await t.running.notices.turn()
    expect(plan.sids()).toEqual(
      expect.arrayContaining([sidOf(launched.tokens), sidOf(other.tokens)]),
    )
    expect(plan.sids()).not.toContain(sidOf(stranger.tokens))
    expect(wordsOf((await see(browser)).text)).toContain('Sign in yourself')
    const entries = await entriesOf(t, { from: t.clock() - 1000 })
    expect(entries.filter(({ what }) => what === 'session_ended').length).toBeGreaterThan(2)
  })

  it('ends nobody else’s, and nothing by a form that is not this browser’s or was answered', async () => {
    const stranger = await elsewhere('practice-nurse')
    const browser = new UserAgent()
    const page = await signInToSee(browser)
    await end(browser, page, sidOf(stranger.tokens))
    expect(await readsPatient(t, stranger.tokens)).toBe(200)
    const again = await end(browser, page, 'all')
    await expectRefused(t, again, 'form_invalid', 400)
    const fresh = await see(browser)
    await expectRefused(t, await end(stranger.browser, fresh, 'all'), 'form_invalid', 400)
    const bare = await browser.visit(at(PAGE), { form: { end: 'all' } })
    await expectRefused(t, bare, 'form_invalid', 400)
    expect(await readsPatient(t, stranger.tokens)).toBe(200)
  })

  it('ends the session of whoever was signed on in this browser before', async () => {
    const { browser, tokens } = await launchTo(t, { system: 'gp-push', user: 'practice-nurse' })
    expect(await readsPatient(t, tokens)).toBe(200)
    await signInToSee(browser)
    expect(await readsPatient(t, tokens)).toBe(401)
  })

  it('lists each of many that began at the same moment', async () => {
    const many = await Promise.all(
      Array.from({ length: 20 }, () => launchTo(t, { system: 'gp-push' })),
    )
    const browser = new UserAgent()
    const page = await signInToSee(browser)
    const missing = many.filter(({ tokens }) => !page.text.includes(sidOf(tokens)))
    expect(missing).toEqual([])
    await end(browser, page, 'all')
  })

  it('is no way to sign somebody else’s browser on', async () => {
    const [attacker, victim] = [new UserAgent(), new UserAgent()]
    await t.clock.catchUp()
    const form = formTo(await see(attacker), `${PAGE}/start`)
    const started = await attacker.visit(at(`${PAGE}/start`), { form })
    const back = await signInAt(started.location as URL, { person: 'gp' }, attacker.jar)
    await see(victim)
    await expectRefused(t, await victim.visit(back), 'sign_on_state_invalid', 400)
    expect((await attacker.visit(back)).status).toBe(303)
    await expectRefused(t, await attacker.visit(back), 'sign_on_state_invalid', 400)
  })

  describe('what apps may do for a user who is away', () => {
    const REMINDER = /(\d+) apps? may still act in your name/
    /** Opened by a user of their own, and by an app that goes on without them where it asks to. */
    const opened = async (user: string, id: string, scope: string) => {
      const app = new App(t, new UserAgent(), id)
      const landed = await open(t, app.browser, { system: 'gp-push', app: id, user })
      const code = await app.code(handleOf(landed), { scope })
      return { app, tokens: tokensOf(await app.redeem(code)) }
    }
    const SCOPE = 'launch patient/Patient.r'
    const signedOut = async ({ app: { browser } }: Awaited<ReturnType<typeof opened>>) => {
      const page = await logOut(t, browser, {})
      const form = formTo(page, '/oauth/logout/confirm')
      const answer = await browser.visit(at('/oauth/logout/confirm'), { form })
      return wordsOf(answer.text)
    }

    it('is told to them when they sign out, and to nobody else (SMART, "offline_access")', async () => {
      const lasting = `${SCOPE} offline_access`
      await opened('paramedic', 'care-plan', lasting)
      const other = await opened('paramedic', 'key-app', lasting)
      const again = await opened('paramedic', 'care-plan', SCOPE)
      const stranger = await opened('district-nurse', 'care-plan', SCOPE)
      expect(REMINDER.exec(await signedOut(again))?.[1]).toBe('2')
      expect(await signedOut(stranger)).not.toMatch(REMINDER)
      // Sparingly: not to whom an app takes elsewhere.
      const onward = { client_id: 'care-plan', post_logout_redirect_uri: BYE }
      const gone = await logOut(t, again.app.browser, onward)
      expect(gone.location?.href).toBe(BYE)
      expect((await other.app.refresh(other.tokens)).status).toBe(200)
    })

    it('stands by name where they see what is open, until they end all of it', async () => {
      const { app, tokens } = await opened('gp', 'care-plan', `${SCOPE} offline_access`)
      await opened('practice-nurse', 'key-app', `${SCOPE} offline_access`)
      const browser = new UserAgent()
      const page = await signInToSee(browser)
      expect(wordsOf(page.text)).toContain('May act for you while you are away: Shared care plan')
      await end(browser, page, 'all')
      await t.clock.advance(1)
      expect((await app.refresh(tokens)).status).toBe(400)
      expect(wordsOf((await signInToSee(browser)).text)).not.toContain('while you are away:')
    })

    it('ends with the app’s registration', async () => {
      await opened('paramedic', 'care-plan', `${SCOPE} offline_access`)
      const last = await opened('paramedic', 'key-app', SCOPE)
      const until = t.clock() + 3_600_000
      const ended = { kind: 'ended' as const, id: endOf('app', 'care-plan'), until }
      await t.running.store.commit({ puts: [{ ...ended, value: { at: t.clock() } }] })
      expect(REMINDER.exec(await signedOut(last))?.[1]).toBe('1')
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
