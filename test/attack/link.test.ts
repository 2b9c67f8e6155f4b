/** The one-time link of a pushed launch: whoever opens it first owns it; whatever only looks does not. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, linkOf, openFramed, sealOf, smartCallback } from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const landed = (answers: readonly Answer[]): readonly Answer[] =>
  answers.filter(({ location }) => location?.searchParams.has('launch'))

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let port: number
  beforeAll(async () => {
    t = await openTestGateway({ store })
    port = (await t.secondNode()).port
  }, 60_000)
  afterAll(() => t?.close())

  describe('a pushed link', () => {
    it('is opened once, by the browser that was first', async () => {
      const link = await linkOf(t, { system: 'gp-push' })
      const [first, second] = [new UserAgent(), new UserAgent()]
      const handle = handleOf(await first.visit(link))
      await expectRefused(t, await second.visit(link), 'launch_replayed', 400)
      await expectRefused(t, await first.visit(link), 'launch_replayed', 400)
      expect((await new App(t, first).authorize(handle)).location?.searchParams.has('code')).toBe(
        true,
      )
    })

    it('has one owner of fifty at once, on two nodes', async () => {
      const link = await linkOf(t, { system: 'gp-push' })
      const visits = Array.from({ length: 50 }, (_, i) =>
        new UserAgent().visit(link, i % 2 ? { port } : {}),
      )
      expect(landed(await Promise.all(visits))).toHaveLength(1)
    })

    it.each([
      ['HEAD', { method: 'HEAD' }],
      ['prefetch', { headers: { 'sec-purpose': 'prefetch' } }],
      ['prerender', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
      ['an old browser’s prefetch', { headers: { purpose: 'prefetch' } }],
      ['an older browser’s prefetch', { headers: { 'x-moz': 'prefetch' } }],
    ])(
      'is not spent by %s, nor is anything else that an address of ours opens',
      async (_what, sent) => {
        const browser = new UserAgent()
        const link = await linkOf(t, { system: 'gp-push' })
        const sealed = new URL('/launch/sealed', t.issuer)
        sealed.search = new URLSearchParams({
          ...{ system: 'gp-sealed', sealed: await sealOf(t, { system: 'gp-sealed' }) },
        }).toString()
        const callback = await smartCallback(t, (url) => browser.visit(url), { system: 'gp-smart' })
        for (const url of [link, sealed, callback]) {
          const looked = await browser.visit(url, sent)
          expect([looked.status, looked.text]).toEqual([204, ''])
        }
        const handle = handleOf(await browser.visit(link))
        expect((await new App(t, browser).authorize(handle, {}, sent)).status).toBe(204)
        expect(
          (await new App(t, browser).authorize(handle)).location?.searchParams.has('code'),
        ).toBe(true)
        expect((await new UserAgent().visit(sealed)).text).toContain('/sign-in/start')
        expect(handleOf(await browser.visit(callback))).toMatch(/^hdl_/)
      },
    )

    it('is worth nothing after a minute, or with a character changed', async () => {
      const link = await linkOf(t, { system: 'gp-push' })
      const altered = new URL(link.href.replace(/.$/, (end) => (end === 'A' ? 'B' : 'A')))
      await expectRefused(t, await new UserAgent().visit(altered), 'link_invalid', 400)
      await t.clock.advance(59.999)
      expect(handleOf(await new UserAgent().visit(link))).toMatch(/^hdl_/)
      const late = await linkOf(t, { system: 'gp-push' })
      await t.clock.advance(60)
      await expectRefused(t, await new UserAgent().visit(late), 'link_invalid', 400)
    })

    it.each(['lnk_', 'hdl_x.y', 'continue', '%2e%2e', 'lnk_000000000.'])(
      'cannot be guessed: %s',
      async (path) => {
        const answer = await new UserAgent().visit(new URL(`/launch/${path}`, t.issuer))
        expect([400, 404]).toContain(answer.status)
        expect(
          (await entriesOf(t, { reference: answer.headers['x-request-id'] as string })).length,
        ).toBe(1)
      },
    )
  })

  it('opens in a frame for the registered chart alone, refusals included', async () => {
    const link = await linkOf(t, { system: 'gp-push' })
    const browser = new UserAgent()
    await browser.visitFramed(link)
    const policies = [
      await browser.visitFramed(link),
      await openFramed(t, browser, { system: 'gp-push', user: 'no-role' }),
    ]
    for (const { headers } of policies) {
      expect(headers['content-security-policy']).toMatch(
        new RegExp(`frame-ancestors ${t.origins.desktop}$`),
      )
      expect(headers).not.toHaveProperty('x-frame-options')
    }
    const ward = await openFramed(t, browser, { system: 'gp-ward', user: 'no-role' })
    expect(ward.headers['content-security-policy']).toMatch(
      /frame-ancestors https:\/\/ward\.example$/,
    )
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
