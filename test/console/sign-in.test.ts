/** Signing in to the console and out of it; what its session is, and what it is not. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { endOf } from '../../src/core/records.js'
import { launchTo } from '../app-by-hand.js'
import { signInAt, signOutAt } from '../demo/sign-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { formsOf, send, UserAgent, wordsOf } from '../user-agent.js'
import { at, callbackFor, get, post, signedIn } from './signing-in.js'

jest.setTimeout(60_000)

const VIEWER = '555254239201'
const cookiesOf = (headers: Readonly<Record<string, string | readonly string[] | undefined>>) =>
  [headers['set-cookie'] ?? []].flat()

describe.each(STORES)('the console on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  describe('signing in', () => {
    it('is offered to whoever is not signed in, with nothing else on the page', async () => {
      const answer = await send(at(t, '/console'))
      expect(answer.status).toBe(200)
      expect(formsOf(answer.text).map(({ action }) => action)).toEqual(['/console/sign-in'])
      expect(wordsOf(answer.text)).not.toMatch(/version/i)
    })

    it('leads to the page that was wanted, by a page of ours and never by a redirect', async () => {
      const browser = new UserAgent()
      const callback = await callbackFor(t, browser, { person: 'viewer' })
      const answer = await browser.visit(callback)
      expect(answer).toMatchObject({ status: 200, location: undefined })
      expect(answer.text).toContain('<meta http-equiv="refresh" content="0; url=/console">')
      const home = await get(t, browser, '/console')
      expect(wordsOf(home.text)).toMatch(/Grace Lindqvist ?, AAL2.*Policies in force.*Version 1/)
    })

    it('makes a cookie that only this host gets, by this site’s own pages, and no script', async () => {
      const browser = new UserAgent()
      const answer = await browser.visit(await callbackFor(t, browser, { person: 'viewer' }))
      const [gone, given] = cookiesOf(answer.headers)
      expect(gone).toMatch(
        /^__Host-console-sign-in=; Max-Age=0; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      )
      expect(given).toMatch(
        /^__Host-console=con_[\w-]{32}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
      )
    })

    it('gives a session that nobody could have known before: not the cookie that was sent', async () => {
      const browser = new UserAgent()
      const planted = `con_${'A'.repeat(32)}`
      browser.jar.keep(at(t, '/'), [`__Host-console=${planted}; Path=/`])
      await browser.visit(await callbackFor(t, browser, { person: 'viewer' }))
      expect(browser.cookiesAt(at(t, '/'))).not.toContain(planted)
      const victim = await send(at(t, '/console'), {
        headers: { cookie: `__Host-console=${planted}` },
      })
      expect(wordsOf(victim.text)).toContain('Sign in to the access console')
    })

    it('works once, in the browser that began it', async () => {
      const browser = new UserAgent()
      const callback = await callbackFor(t, browser, { person: 'viewer' })
      await expectRefused(t, await new UserAgent().visit(callback), 'sign_on_state_invalid', 400)
      const other = await signedIn(t, 'author')
      await expectRefused(t, await other.visit(callback), 'sign_on_state_invalid', 400)
      expect((await browser.visit(callback)).status).toBe(200)
      await expectRefused(t, await browser.visit(callback), 'sign_on_state_invalid', 400)
    })

    it('does not go where another address than the console’s is asked for', async () => {
      for (const to of [
        'https://evil.example/',
        '//evil.example',
        '/launch',
        '/console/../launch',
        '/console?x',
        '/console" x="',
      ]) {
        const answer = await send(at(t, '/console/sign-in'), { form: { to } })
        await expectRefused(t, answer, 'parameter_invalid', 400)
      }
    })

    it('refuses a user to whom console.yaml gives nothing, with no session and with an entry', async () => {
      const browser = new UserAgent()
      const answer = await browser.visit(await callbackFor(t, browser, { person: 'gp' }))
      const entry = await expectRefused(t, answer, 'console_stranger', 403)
      expect(entry).toMatchObject({ what: 'console_refused', user: { id: '555254239101' } })
      expect(cookiesOf(answer.headers).join()).not.toMatch(/__Host-console=con_/)
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Sign in to the')
    })

    it('says what to do when the user cancels', async () => {
      const browser = new UserAgent()
      const form = { to: '/console', assurance: '2' }
      const { location } = await browser.visit(at(t, '/console/sign-in'), { form })
      const choice = { person: 'viewer', cancel: true }
      const callback = await signInAt(location as URL, choice, browser.jar)
      const answer = await browser.visit(callback)
      await expectRefused(t, answer, 'sign_on_cancelled', 403)
      expect(wordsOf(answer.text)).toContain('Sign-in was cancelled. Nothing was opened.')
    })

    it('is in the trail with the person, their duties and how strongly they signed in', async () => {
      await signedIn(t, 'viewer', 3)
      const [entry] = (await entriesOf(t, { what: 'console_opened', user: VIEWER })).slice(-1)
      expect(entry).toMatchObject({
        user: { id: VIEWER, name: 'Grace Lindqvist', roles: ['viewer'] },
        detail: { assurance: 3 },
      })
    })

    it('stronger takes the place of the session that was', async () => {
      const browser = await signedIn(t, 'approver')
      const old = browser.cookiesAt(at(t, '/'))
      await browser.visit(await callbackFor(t, browser, { person: 'approver', assurance: 3 }))
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('AAL3')
      const before = await send(at(t, '/console'), { headers: { cookie: old } })
      expect(wordsOf(before.text)).toContain('Sign in to the access console')
    })
  })

  describe('a session', () => {
    it('ends by signing out, which only its own page can ask for', async () => {
      const browser = await signedIn(t, 'viewer')
      const page = await get(t, browser, '/console')
      const forged = await browser.visit(at(t, '/console/sign-out'), { form: { token: 'x' } })
      await expectRefused(t, forged, 'console_form_refused', 403)
      const cookie = browser.cookiesAt(at(t, '/'))
      const out = await post(t, browser, { page, action: '/console/sign-out' })
      expect(wordsOf(out.text)).toContain('You are signed out of the console')
      const kept = await send(at(t, '/console'), { headers: { cookie } })
      expect(wordsOf(kept.text)).toContain('Sign in to the')
      expect(await entriesOf(t, { what: 'console_closed', user: VIEWER })).toHaveLength(1)
    })

    it('ends at once when the provider signs its user out', async () => {
      const browser = await signedIn(t, 'guardian')
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Policies in force')
      const signOut = new URL('/oidc/sign-out', t.origins.hospital)
      expect(await signOutAt(signOut, browser.jar)).toContain('signed out')
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Sign in to the')
    })

    it('ends at once when an operator ends all that its user signed on for', async () => {
      const browser = await signedIn(t, 'approver')
      const at = t.clock()
      const until = at + 60_000
      const marker = {
        kind: 'ended',
        id: endOf('person', '555254239203'),
        value: { at },
        until,
      } as const
      await t.running.store.commit({ puts: [marker] })
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Sign in to the')
    })

    it('is no clinician’s, nor is a clinician’s one of the console', async () => {
      const clinician = new UserAgent()
      await launchTo(t, { system: 'gp-push' }, clinician)
      const header = clinician.cookiesAt(at(t, '/'))
      expect(header).toMatch(/brw_/)
      expect(wordsOf((await get(t, clinician, '/console')).text)).toContain('Sign in to the')
      const value = /brw_([\w-]{32})/.exec(header)?.[1] ?? ''
      for (const cookie of [`__Host-console=brw_${value}`, `__Host-console=con_${value}`]) {
        const answer = await send(at(t, '/console'), { headers: { cookie } })
        expect(wordsOf(answer.text)).toContain('Sign in to the')
      }
      const member = await signedIn(t, 'viewer')
      const secret = /con_([\w-]{32})/.exec(member.cookiesAt(at(t, '/')))?.[1] ?? ''
      const sessions = await send(at(t, '/sign-in/sessions'), {
        headers: { cookie: `__Host-browser=brw_${secret}` },
      })
      expect(wordsOf(sessions.text)).toContain('See what is open in your name')
    })

    it('is not found by two cookies of one name', async () => {
      const cookie = (await signedIn(t, 'viewer')).cookiesAt(at(t, '/console'))
      const one = /__Host-console=con_[\w-]{32}/.exec(cookie)?.[0] ?? ''
      const answer = await send(at(t, '/console'), {
        headers: { cookie: `${one}; __Host-console=con_${'B'.repeat(32)}` },
      })
      expect(wordsOf(answer.text)).toContain('Sign in to the')
    })

    it('has no duty left once the version in force gives none', async () => {
      const browser = await signedIn(t, 'viewer')
      const posts = jest.spyOn(t.running.policies, 'posts').mockReturnValue([])
      const answer = await get(t, browser, '/console')
      posts.mockRestore()
      await expectRefused(t, answer, 'console_denied', 403)
    })

    it('is over after fifteen minutes without use, and after twelve hours whatever is done', async () => {
      const browser = await signedIn(t, 'viewer')
      await t.clock.advance(899)
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Policies in force')
      await t.clock.advance(899)
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Policies in force')
      await t.clock.advance(900)
      expect(wordsOf((await get(t, browser, '/console')).text)).toContain('Sign in to the')
      const busy = await signedIn(t, 'viewer')
      for (let passed = 0; passed < 43_200; passed += 600) {
        expect(wordsOf((await get(t, busy, '/console')).text)).toContain('Policies in force')
        await t.clock.advance(600)
      }
      expect(wordsOf((await get(t, busy, '/console')).text)).toContain('Sign in to the')
    })

    // The provider lives by the machine's clock: what moves ours comes last.
    it('does not come of a sign-in that took longer than ten minutes', async () => {
      const browser = new UserAgent()
      const late = await callbackFor(t, browser, { person: 'viewer' })
      await t.clock.advance(601)
      await expectRefused(t, await browser.visit(late), 'sign_on_state_invalid', 400)
    })
  })

  it('leaves a whole trail', () => expectWholeTrail(t))
})
