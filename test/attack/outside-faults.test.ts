/** When what stands behind the gateway is away or answers wrongly, the page says so and shows nothing of it. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { call, launchTo, readsPatient } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  callbackOf,
  handleOf,
  linkOf,
  open,
  PEGGY,
  patientOf,
  signIn,
  tokenOf,
  typeBirthDate,
} from '../launching.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())
  afterEach(() => {
    Object.assign(t.behind, { record: 'up', provider: 'up' })
  })

  describe('when the record', () => {
    it('is away: the page says that we do not know, and the launch can be tried again', async () => {
      const browser = new UserAgent()
      t.behind.record = 'down'
      const form = { launch_token: await tokenOf(t, { system: 'gp-post' }) }
      const url = new URL('/launch', t.issuer)
      const answer = await browser.visit(url, { form })
      await expectRefused(t, answer, 'record_unavailable', 503)
      const words = wordsOf(answer.text)
      expect(words).toContain('we do not know whether there is a plan')
      expect(words).toContain(t.config.pages.emergency_text.slice(0, 30))
      expect(words).not.toMatch(/no plan/i)
      t.behind.record = 'up'
      expect(handleOf(await browser.visit(url, { form }))).toMatch(/^hdl_/)
    })

    it('goes away after the launch: the app is told so, and never that there is nothing', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      t.behind.record = 'down'
      for (const path of [
        `/fhir/Patient/${tokens.patient}`,
        `/fhir/CarePlan?patient=${tokens.patient}`,
        `/openehr/v1/query/care-plan::sections?ehr_id=${tokens.ehrId}`,
      ]) {
        await expectRefused(t, await call(t, tokens.access_token, path), 'record_unavailable', 503)
      }
    })

    it.each<[string, string, string]>([
      ['answers with a page', 'text/html', '<h1>Margaret Ashworth</h1>'],
      ['answers with half an answer', 'application/fhir+json', '{"resourceType":"Bund'],
      ['answers with another kind', 'application/fhir+json', '{"resourceType":"Patient","id":"1"}'],
    ])('%s: it is refused, and nothing of the answer is shown', async (_what, type, body) => {
      t.behind.record = (_req, res) => res.writeHead(200, { 'content-type': type }).end(body)
      const answer = await open(t, new UserAgent(), { system: 'gp-post' })
      await expectRefused(t, answer, 'upstream_invalid', 502)
    })

    it('is away while a date of birth is typed: the user may try once more', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-sealed' })
      const asked = await signIn(t, browser, page, { person: 'gp' })
      const { birthDate } = patientOf(PEGGY)
      t.behind.record = 'down'
      const answer = await typeBirthDate(t, browser, asked, birthDate)
      await expectRefused(t, answer, 'record_unavailable', 503)
      t.behind.record = 'up'
      expect(handleOf(await typeBirthDate(t, browser, asked, birthDate))).toMatch(/^hdl_/)
    })
  })

  describe('when the OpenID provider', () => {
    it('is away: the page says so, and the same launch can be opened again', async () => {
      await t.restart()
      const browser = new UserAgent()
      const link = await linkOf(t, { system: 'gp-clinic' })
      t.behind.provider = 'down'
      await expectRefused(t, await browser.visit(link), 'sign_on_unavailable', 503)
      t.behind.provider = 'up'
      const page = await browser.visit(link)
      expect(handleOf(await signIn(t, browser, page, { person: 'gp' }))).toMatch(/^hdl_/)
    })

    it('goes away while its user is on the way there: the sign-in says so', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic' })
      const callback = await callbackOf(t, browser, page, { person: 'gp' })
      t.behind.provider = 'down'
      await expectRefused(t, await browser.visit(callback), 'sign_on_unavailable', 503)
      t.behind.provider = 'up'
      expect(handleOf(await signIn(t, browser, page, { person: 'gp' }))).toMatch(/^hdl_/)
    })

    it('is away at a logout: nothing is ended on a word that nobody could check', async () => {
      await t.restart()
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      t.behind.provider = 'down'
      const url = new URL('/sign-in/backchannel-logout', t.issuer)
      const answer = await new UserAgent().visit(url, { form: { logout_token: 'a.b.c' } })
      expect([400, 503]).toContain(answer.status)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  it('lets launches that need no sign-in through while the provider is away', async () => {
    t.behind.provider = 'down'
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    expect(await readsPatient(t, tokens)).toBe(200)
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
