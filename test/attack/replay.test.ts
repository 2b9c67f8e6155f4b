/** One launch, once: whoever sends it again, wherever, however fast. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { ASSERTION_TYPE, buildAssertion } from '../../src/demo/desktop-launches.js'
import { launchTo, readsPatient } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  handleOf,
  launchOf,
  linkOf,
  open,
  push,
  sealOf,
  smartCallback,
  tokenOf,
} from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

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

  const post = (launch_token: string, browser = new UserAgent(), more = {}): Promise<Answer> =>
    browser.visit(new URL('/launch', t.issuer), { form: { launch_token }, ...more })

  describe('a launch token', () => {
    it('is refused the second time, on this node and on another', async () => {
      const token = await tokenOf(t, { system: 'gp-post' })
      expect(handleOf(await post(token))).toMatch(/^hdl_/)
      await expectRefused(t, await post(token), 'launch_replayed', 400)
      await expectRefused(t, await post(token, new UserAgent(), { port }), 'launch_replayed', 400)
    })

    it('opens one session of fifty at once, on two nodes', async () => {
      const token = await tokenOf(t, { system: 'gp-post' })
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => post(token, new UserAgent(), i % 2 ? { port } : {})),
      )
      expect(landed(answers)).toHaveLength(1)
      for (const answer of answers) {
        if (answer.status !== 303) await expectRefused(t, answer, 'launch_replayed', 400)
      }
    })

    it('stays used until it would have expired, and then it has', async () => {
      const token = await tokenOf(t, { system: 'gp-post' })
      await post(token)
      await t.clock.advance(89.999)
      await expectRefused(t, await post(token), 'launch_replayed', 400)
      await t.clock.advance(0.001)
      await expectRefused(t, await post(token), 'launch_expired', 400)
    })

    it('stays used after a restart', async () => {
      const token = await tokenOf(t, { system: 'gp-post' })
      const sealed = await sealOf(t, { system: 'gp-sealed' })
      const link = await linkOf(t, { system: 'gp-push' })
      const form = { system: 'gp-sealed', sealed }
      const seal = () => new UserAgent().visit(new URL('/launch/sealed', t.issuer), { form })
      const { tokens } = await launchTo(t, { system: 'gp-smart' })
      await post(token)
      await seal()
      await new UserAgent().visit(link)
      await t.restart()
      await expectRefused(t, await post(token), 'launch_replayed', 400)
      await expectRefused(t, await seal(), 'launch_replayed', 400)
      await expectRefused(t, await new UserAgent().visit(link), 'launch_replayed', 400)
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('of the same number is another launch when another system made it', async () => {
      const claims = () => ({ jti: 'one-and-the-same-number' })
      expect(handleOf(await open(t, new UserAgent(), { system: 'gp-post', claims }))).toMatch(
        /^hdl_/,
      )
      expect(handleOf(await open(t, new UserAgent(), { system: 'gp-ward', claims }))).toMatch(
        /^hdl_/,
      )
      const again = await open(t, new UserAgent(), { system: 'gp-ward', claims })
      await expectRefused(t, again, 'launch_replayed', 400)
    })

    it('that is replayed ends nobody’s session', async () => {
      const browser = new UserAgent()
      const old = await linkOf(t, { system: 'gp-push', user: 'practice-nurse' })
      const token = await tokenOf(t, { system: 'gp-post', user: 'practice-nurse' })
      await new UserAgent().visit(old)
      await post(token)
      const { tokens } = await launchTo(t, { system: 'gp-push', user: 'gp' }, browser)
      await expectRefused(t, await browser.visit(old), 'launch_replayed', 400)
      await expectRefused(t, await post(token, browser), 'launch_replayed', 400)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  describe('a push', () => {
    it('is refused when its assertion or its launch token was used before', async () => {
      const order = { system: 'gp-push' }
      const form = {
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await buildAssertion(launchOf(t, order)),
        launch_token: await tokenOf(t, order),
      }
      const url = new URL('/launch/push', t.issuer)
      expect((await send(url, { form })).status).toBe(201)
      const fresh = {
        assertion: await buildAssertion(launchOf(t, order)),
        token: await tokenOf(t, order),
      }
      for (const change of [
        {},
        { client_assertion: fresh.assertion },
        { launch_token: fresh.token },
      ]) {
        const answer = await send(url, { form: { ...form, ...change }, port })
        await expectRefused(t, answer, 'launch_replayed', 400)
      }
    })

    // biome-ignore format: a table
    it.each<[string, (assertion: () => Promise<string>) => Promise<Record<string, string>>]>([
      ['of another system',      async () => ({ client_assertion: await buildAssertion(launchOf(t, { system: 'gp-clinic' })) })],
      ['with a launch token for its assertion', async () => ({ client_assertion: await tokenOf(t, { system: 'gp-push' }) })],
      ['that is no token',       async () => ({ client_assertion: 'x' })],
      ['with a secret instead',  async (assertion) => ({ client_assertion: await assertion(), client_assertion_type: 'basic' })],
    ])('is refused by an assertion %s', async (_what, change) => {
      const form = {
        client_assertion_type: ASSERTION_TYPE,
        launch_token: await tokenOf(t, { system: 'gp-push' }),
        ...(await change(() => buildAssertion(launchOf(t, { system: 'gp-push' })))),
      }
      const answer = await send(new URL('/launch/push', t.issuer), { form })
      const codes = { 400: ['parameter_invalid', 'signature_invalid'], 401: ['client_unproven'] }
      const [entry] = await entriesOf(t, { reference: JSON.parse(answer.text).reference })
      expect(codes[answer.status as 400]).toContain(entry?.refusal)
    })
  })

  describe('an inbound SMART launch', () => {
    it('comes back once, to the browser that began it', async () => {
      const browser = new UserAgent()
      const visit = (url: URL) => browser.visit(url)
      const callback = await smartCallback(t, visit, { system: 'gp-smart' })
      const stranger = await new UserAgent().visit(callback)
      await expectRefused(t, stranger, 'sign_on_state_invalid', 400)
      expect(handleOf(await browser.visit(callback))).toMatch(/^hdl_/)
      await expectRefused(t, await browser.visit(callback), 'launch_replayed', 400)
    })

    it('is not begun for an issuer that is not registered for it', async () => {
      for (const iss of [
        'https://elsewhere.example/fhir',
        `${t.origins.desktop}/smart/x`,
        'gp-post',
        'gp-push',
      ]) {
        const url = new URL('/launch/smart', t.issuer)
        url.search = new URLSearchParams({ iss, launch: 'handle-1' }).toString()
        const code = iss.startsWith('gp-') ? 'rung_unregistered' : 'system_unknown'
        await expectRefused(t, await new UserAgent().visit(url), code, 400)
      }
    })
  })

  it('goes on working, with a whole trail', async () => {
    expect((await push(t, { system: 'gp-push' })).status).toBe(201)
    await expectWholeTrail(t)
  })
})
