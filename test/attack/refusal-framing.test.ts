/** Who may frame a refusal that comes before its launch system is proven: whom the request's own claim names, or nobody. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { linkOf, sealOf, tokenOf } from '../launching.js'
import { expectRefused } from '../trail-reading.js'
import { type Answer, type Sent, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const WARD = 'https://ward.example'

describe.each(STORES)('the frame around a refusal, on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const at = (path: string, sent: Sent = {}) => new UserAgent().visit(new URL(path, t.issuer), sent)
  const ancestorsOf = ({ headers }: Answer) =>
    /frame-ancestors (.*)$/.exec(String(headers['content-security-policy']))?.[1]
  const badToken = async (system: string) =>
    (await tokenOf(t, { system })).replace(/[^.]+$/, 'AAAA')

  // biome-ignore format: a table
  it.each<[string, () => Promise<Answer>, () => string]>([
    ['a token that is not the ward’s but says so', async () => at('/launch', { form: { launch_token: await badToken('gp-ward') } }),            () => WARD],
    ['a token of nobody’s',                        async () => at('/launch', { form: { launch_token: 'e30.e30.e30' } }),                         () => "'none'"],
    ['no token at all',                            async () => at('/launch', { form: { patient: '1' } }),                                        () => "'none'"],
    ['a seal in the name of a system that does not seal', async () => at('/launch/sealed', { form: { system: 'gp-ward', sealed: 'x' } }),       () => WARD],
    ['a seal in nobody’s name',                    async () => at('/launch/sealed', { form: { system: 'nobody', sealed: await sealOf(t, { system: 'gp-sealed' }) } }), () => "'none'"],
    ['an inbound launch of a system that pushes',  async () => at(`/launch/smart?iss=${encodeURIComponent('gp-ward')}&launch=x`),              () => WARD],
    ['an inbound launch of nobody’s',              async () => at('/launch/smart?iss=https://nobody.example&launch=x'),                          () => "'none'"],
    ['an inbound launch without its handle',       async () => at(`/launch/smart?iss=${encodeURIComponent(`${t.origins.desktop}/smart`)}`),     () => t.origins.desktop],
    ['a parameter that stands twice',              async () => at('/launch/sealed?system=gp-ward&system=gp-ward'),                               () => WARD],
    ['a link that nobody made',                    async () => at('/launch/lnk_0mwtaaaaa.AAAAAAAAAAAAAAAAAAAAAA'),                               () => "'none'"],
    ['an app of nobody’s',                         async () => at('/oauth/authorize?client_id=nobody'),                                         () => "'none'"],
  ])('of %s', async (_, refused, ancestors) => {
    const answer = await refused()
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(ancestorsOf(answer)).toBe(ancestors())
    expect(String(answer.headers['content-security-policy']).length).toBeLessThan(500)
  })

  it('of a pushed link that is a minute old is still its chart’s, so that the user can read why', async () => {
    const link = await linkOf(t, { system: 'gp-push' })
    await t.clock.advance(60)
    const answer = await new UserAgent().visit(link)
    await expectRefused(t, answer, 'link_invalid', 400)
    expect(ancestorsOf(answer)).toBe(t.origins.desktop)
    await t.clock.advance(600)
    expect(ancestorsOf(await new UserAgent().visit(link))).toBe("'none'")
  })

  it('of a pushed link that was altered is its chart’s as well', async () => {
    const link = await linkOf(t, { system: 'gp-push' })
    const answer = await new UserAgent().visit(new URL(link.href.replace(/.{4}$/, 'AAAA')))
    await expectRefused(t, answer, 'link_invalid', 400)
    expect(ancestorsOf(answer)).toBe(t.origins.desktop)
    // It spends nothing: the real one still opens.
    expect((await new UserAgent().visit(link)).status).toBe(303)
  })
})
