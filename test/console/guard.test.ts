/** Nothing of the console opens without a session, its own form, and a duty: every row, tried by everybody. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { formToken } from '../../src/console/form-token.js'
import type { ConsoleRow } from '../../src/console/page.js'
import { consoleRoutes, openRoutes } from '../../src/console/routes.js'
import { DUTIES, type Duty } from '../../src/core/roles.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, formsOf, send, UserAgent, wordsOf } from '../user-agent.js'
import { at, get, ROWS, signedIn } from './signing-in.js'

jest.setTimeout(60_000)

const EVERYBODY: readonly Duty[] = DUTIES
/** By hand, from what config/console.yaml promises: not computed, so that a change of the policies shows here. */
const MAY: Readonly<Record<string, readonly Duty[]>> = {
  'fleet console-view': EVERYBODY,
  'decisions console-view': EVERYBODY,
  'policies console-view': EVERYBODY,
  'policies console-author': ['author', 'guardian'],
  'policies console-approve': ['approver', 'guardian'],
  'policies console-simulate': ['author', 'approver', 'guardian'],
  'launches console-view': ['operator', 'privacy-officer'],
  'launches console-operate': ['operator'],
  'registrations console-view': ['operator'],
  'registrations console-operate': ['operator'],
  'keys console-view': ['operator'],
  'keys console-operate': ['operator'],
  'trail console-view': ['operator', 'privacy-officer'],
  'rights console-view': ['approver', 'guardian', 'privacy-officer'],
  'emergencies console-view': ['privacy-officer'],
  'emergencies console-review': ['privacy-officer'],
}

/** An address of the row: nothing stands there, which the guard must not say to whom it does not let in. */
const addressOf = ({ path }: ConsoleRow): string => path.replace(/:\w+/g, 'nothing-here')
const nameOf = (row: ConsoleRow): string => `${row.verb} ${row.path}`

const secretOf = (t: TestGateway, browser: UserAgent): string =>
  /__Host-console=(con_[\w-]{32})/.exec(browser.cookiesAt(at(t, '/console')))?.[1] ?? ''

describe('the table of the console', () => {
  it('needs a part and an action in each row, and opens only the way in and out without a session', () => {
    const routes = consoleRoutes({ keys: {}, policies: {} } as never)
    const open = openRoutes({} as never).map(([verb, path]) => `${verb} ${path}`)
    expect(open).toEqual([
      'get /console/sign-in',
      'post /console/sign-in',
      'get /console/callback',
      'post /console/sign-out',
    ])
    const all = routes.map(([verb, path]) => `${verb} ${path}`)
    expect(all).toEqual([...open, ...ROWS.map(nameOf), 'use /console'])
    for (const row of ROWS) expect(MAY).toHaveProperty([`${row.part} ${row.act}`])
    expect(new Set(all).size).toBe(all.length)
  })
})

// No store matters to the table and its duties; sessions on both are sign-in.test.ts's.
describe('the guard', () => {
  let t: TestGateway
  const members: Partial<Record<Duty, UserAgent>> = {}
  beforeAll(async () => {
    t = await openTestGateway({ store: 'embedded' })
    // Approving takes a strong sign-in, which gives nobody a duty that they have not.
    for (const duty of DUTIES) members[duty] = await signedIn(t, duty, 3)
  }, 60_000)
  afterAll(() => t?.close())

  const as = (duty: Duty): UserAgent => members[duty] as UserAgent
  const ask = (browser: UserAgent, row: ConsoleRow, token?: string, headers = {}) => {
    const path = addressOf(row)
    if (row.verb === 'get') return get(t, browser, path, { headers })
    const own = token ?? formToken(secretOf(t, browser), path)
    return browser.visit(at(t, path), { form: { token: own }, headers })
  }
  const isLetIn = (answer: Answer): boolean => [200, 303, 400, 404].includes(answer.status)

  it.each(DUTIES)('lets a %s in where the duty says so, and nowhere else', async (duty) => {
    for (const row of ROWS) {
      const answer = await ask(as(duty), row)
      const allowed = MAY[`${row.part} ${row.act}`]?.includes(duty)
      const told = { row: nameOf(row), in: isLetIn(answer) }
      expect(told).toEqual({ row: nameOf(row), in: allowed })
      if (allowed) continue
      const entry = await expectRefused(t, answer, 'console_denied', 403)
      expect(entry).toMatchObject({ what: 'console_refused', user: { name: expect.any(String) } })
    }
  })

  it('lets nobody in without a session, or by a clinician’s cookie', async () => {
    for (const headers of [{}, { cookie: `__Host-browser=brw_${'A'.repeat(32)}` }]) {
      for (const row of ROWS) {
        const path = addressOf(row)
        if (row.verb === 'post') {
          const answer = await send(at(t, path), { form: { token: 'x' }, headers })
          await expectRefused(t, answer, 'console_signed_out', 403)
          continue
        }
        const answer = await send(at(t, path), { headers })
        expect(answer.status).toBe(path === '/console' ? 200 : 403)
        expect(formsOf(answer.text).map(({ action }) => action)).toEqual(['/console/sign-in'])
        expect(formsOf(answer.text)[0]?.fields.to).toBe(path)
      }
    }
  })

  it('takes a form from nowhere but its own page of this very session', async () => {
    const posts = ROWS.filter(({ verb }) => verb === 'post')
    for (const row of posts) {
      const path = addressOf(row)
      const [duty = 'viewer'] = MAY[`${row.part} ${row.act}`] ?? []
      const member = as(duty)
      const other = as(duty === 'guardian' ? 'viewer' : 'guardian')
      const wrong = [
        '',
        'x',
        formToken(secretOf(t, member), '/console'),
        formToken(secretOf(t, other), path),
      ]
      for (const token of wrong)
        await expectRefused(t, await ask(member, row, token), 'console_form_refused', 403)
      for (const site of ['cross-site', 'same-site', 'none']) {
        const headers = { 'sec-fetch-site': site }
        await expectRefused(
          t,
          await ask(member, row, undefined, headers),
          'console_form_refused',
          403,
        )
      }
      const own = await ask(member, row, undefined, { 'sec-fetch-site': 'same-origin' })
      expect(isLetIn(own)).toBe(true)
    }
    const elsewhere = await send(at(t, '/console/sign-in'), {
      form: { to: '/console' },
      headers: { 'sec-fetch-site': 'cross-site' },
    })
    await expectRefused(t, elsewhere, 'console_form_refused', 403)
  })

  it('says which duty it takes, and offers a stronger sign-in only where that would do', async () => {
    const denied = await get(t, as('viewer'), '/console/keys')
    expect(wordsOf(denied.text)).toMatch(/Your duties here viewer It takes operator/)
    expect(denied.text).not.toContain('data-step-up')
    const weak = jest.spyOn(t.running.policies, 'stepUp').mockReturnValue(3)
    const stronger = await get(t, as('viewer'), '/console/keys')
    weak.mockRestore()
    expect(stronger.text).toContain('href="/console/sign-in?assurance=3&amp;to=%2Fconsole%2Fkeys"')
    const page = await get(t, as('viewer'), '/console/sign-in?assurance=3&to=%2Fconsole%2Fkeys')
    expect(formsOf(page.text)[0]?.fields).toEqual({ to: '/console/keys', assurance: '3' })
  })

  it('shows in the navigation what the member may see, and no more', async () => {
    const home = wordsOf((await get(t, as('viewer'), '/console')).text)
    expect(home).toMatch(/Home .*Decisions/)
    expect(home).not.toMatch(/Launches|Keys|Trail/)
    const operator = wordsOf((await get(t, as('operator'), '/console')).text)
    expect(operator).toMatch(/Home Nodes Launches Sign-ons Charts .*Keys Trail/)
  })

  it('never lets a page be framed, kept, sniffed or reached by another window', async () => {
    for (const path of ['/console', '/console/keys', '/console/nothing', '/console/sign-in']) {
      for (const browser of [as('viewer'), as('operator'), new UserAgent()]) {
        const { headers } = await get(t, browser, `${path}?system=gp-push`)
        expect(headers['content-security-policy']).toMatch(/frame-ancestors 'none'/)
        expect(headers['content-security-policy']).toMatch(/default-src 'none'.*script-src 'self'/)
        expect(headers['cache-control']).toContain('no-store')
        expect(headers['x-content-type-options']).toBe('nosniff')
        if (path !== '/console/nothing')
          expect(headers['cross-origin-opener-policy']).toBe('same-origin')
        expect(headers['access-control-allow-origin']).toBeUndefined()
      }
    }
  })

  it('puts each view into the trail before it leaves, and does not show what it cannot record', async () => {
    const count = async () => (await entriesOf(t, { what: 'console_viewed' })).length
    const before = await count()
    await get(t, as('operator'), '/console/keys')
    expect(await count()).toBe(before + 1)
    const fails = jest.spyOn(t.running.trail, 'record').mockRejectedValue(new Error('no disk'))
    const answer = await get(t, as('operator'), '/console/keys')
    fails.mockRestore()
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('ES256')
  })

  it('shows nothing and does nothing once the policies in force are not known', async () => {
    const unknown = jest.spyOn(t.running.policies, 'mayRead').mockReturnValue(false)
    const answer = await get(t, as('viewer'), '/console')
    unknown.mockRestore()
    await expectRefused(t, answer, 'policy_stale', 503)
    const stale = jest.spyOn(t.running.policies, 'mayIssue').mockReturnValue(false)
    const act = await get(t, as('operator'), '/console/keys/rotate')
    const view = await get(t, as('operator'), '/console/keys')
    stale.mockRestore()
    await expectRefused(t, act, 'policy_stale', 503)
    expect(view.status).toBe(200)
  })

  it('lets in by a duty of one organisation’s layer where the page is no more than that layer’s', async () => {
    const post = { uid: '555254239201', duties: ['author'], layer: 'local/RYX01' } as const
    const posts = jest.spyOn(t.running.policies, 'posts').mockReturnValue([post])
    const home = await get(t, as('viewer'), '/console')
    const decisions = await get(t, as('viewer'), '/console/decisions')
    posts.mockRestore()
    expect(wordsOf(home.text)).toMatch(/AAL3, local\/RYX01 .*Author: drafts/)
    expect(wordsOf(home.text)).not.toMatch(/Home Decisions/)
    await expectRefused(t, decisions, 'console_denied', 403)
    const [entry] = (await entriesOf(t, { what: 'console_viewed' })).slice(-1)
    expect(entry?.detail?.layer).toBe('local/RYX01')
  })

  it('says nothing of a page that is not there, in the console’s own words', async () => {
    const answer = await get(t, as('viewer'), '/console/nothing')
    await expectRefused(t, answer, 'not_found', 404)
    expect(wordsOf(answer.text)).toContain('Go to the console')
  })

  it('leaves a whole trail', () => expectWholeTrail(t))
})
