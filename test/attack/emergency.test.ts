/** Emergency access: the page in other hands, twice, too late, by somebody else, too often, and for more than it gives. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App, call, type Tokens } from '../app-by-hand.js'
import { type BackEnds, exchangeAs, introspected, openWithBackEnds } from '../back-ends.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  formTo,
  handleOf,
  type Order,
  open,
  openFramed,
  PEGGY,
  patientOf,
  SENSITIVE,
} from '../launching.js'
import {
  asking,
  authorize,
  BACK,
  choose,
  follow,
  named as namedAs,
  standaloneApps,
  throughProvider,
  token,
} from '../standalone.js'
import { entriesOf, expectRefused, expectSentBack, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const NURSE: Order = { system: 'gp-push', user: 'district-nurse', patient: SENSITIVE }
const WHY = { reason: 'life-threatening', text: 'Found unconscious at home, nobody else is here.' }
/** Fewer than the standard, so that a test meets it. */
const MOST = 8

describe.each(STORES)('on the %s store', (store) => {
  let ends: BackEnds
  let t: TestGateway
  beforeAll(async () => {
    ends = await openWithBackEnds(store, ({ limits }) => ({
      limits: { ...limits, rates: { ...limits.rates, emergencies: MOST } },
    }))
    t = ends.t
  }, 60_000)
  afterAll(() => t?.close())

  const address = () => new URL('/launch/emergency', t.issuer)
  const formOf = (page: Answer) => ({ ...formTo(page, '/launch/emergency'), ...WHY })
  const plead = (browser: UserAgent, page: Answer, change: Record<string, string> = {}) =>
    browser.visit(address(), { form: { ...formOf(page), ...change } })
  const waiting = () => t.running.emergencies.waiting()

  it('a page is good in its own browser, and in no other that knows its secret', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    const before = await waiting()
    const stranger = new UserAgent()
    await expectRefused(t, await plead(stranger, page), 'handle_other_browser', 400)
    // Nor with a cookie of its own, from a launch of its own.
    await open(t, stranger, NURSE)
    await expectRefused(t, await plead(stranger, page), 'handle_other_browser', 400)
    expect(await waiting()).toBe(before)
    expect(handleOf(await plead(browser, page))).toMatch(/^hdl_/)
  })

  it('a page is answered once, also by four answers at the same moment', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    const before = await waiting()
    const answers = await Promise.all(Array.from({ length: 4 }, () => plead(browser, page)))
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(await waiting()).toBe(before + 1)
    await expectRefused(t, await plead(browser, page), 'sign_on_state_invalid', 400)
  })

  it.each([
    ['made-up', { pending: 'pnd_x' }],
    ['absent', { pending: '' }],
    ['long', { pending: 'x'.repeat(5000) }],
  ])('a secret that is %s opens nothing', async (_, change) => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    await expectRefused(t, await plead(browser, page, change), 'sign_on_state_invalid', 400)
  })

  it('a page is good for ten minutes', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    await t.clock.advance(600)
    await expectRefused(t, await plead(browser, page), 'sign_on_state_invalid', 400)
  })

  it('a page that offered nothing of the kind is no way in', async () => {
    const browser = new UserAgent()
    for (const order of [{ system: 'gp-clinic' }, { system: 'gp-sealed' }]) {
      const page = await open(t, browser, { ...NURSE, ...order })
      const { pending = '' } = formTo(page, '/launch/continue')
      const form = { pending, system: order.system, ...WHY }
      const answer = await browser.visit(address(), { form })
      await expectRefused(t, answer, 'sign_on_state_invalid', 400)
    }
    // The other way round neither: the page that offers it is no sign-in page.
    const page = await open(t, browser, NURSE)
    const { pending = '' } = formTo(page, '/launch/emergency')
    for (const step of ['signed-on', 'birth-date', 'patient', 'person']) {
      const form = { pending, step, proof: 'prf_x', answer: 'yes' }
      const answer = await browser.visit(new URL('/launch/continue', t.issuer), { form })
      await expectRefused(t, answer, 'sign_on_state_invalid', 400)
    }
  })

  it('an address opens nothing, and holds nothing of the patient', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    const url = address()
    url.search = new URLSearchParams(formOf(page)).toString()
    expect((await browser.visit(url)).status).toBe(400)
    expect(handleOf(await plead(browser, page))).toMatch(/^hdl_/)
  })

  it('works in the chart’s frame, and only that chart may frame the page', async () => {
    const browser = new UserAgent()
    const page = await openFramed(t, browser, NURSE)
    expect(page.headers['content-security-policy']).toContain(
      `frame-ancestors ${t.origins.desktop}`,
    )
    const landed = await browser.visitFramed(address(), { form: formOf(page) })
    expect(handleOf(landed)).toMatch(/^hdl_/)
  })

  it('a back end gets no more of it by an exchange, and hears that it is one', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    const tokens: Tokens = await new App(t, browser).tokens(await plead(browser, page))
    const answer = await exchangeAs(ends, 'back-end', tokens.access_token)
    const exchanged = JSON.parse(answer.text)
    expect(exchanged).toMatchObject({ __emergency: true, __emergency_id: tokens.__emergency_id })
    const told = await introspected(ends, 'resource', exchanged.access_token)
    expect(told).toMatchObject({
      active: true,
      __emergency: true,
      __emergency_ends: tokens.__emergency_ends,
    })
    expect(String(told.scope)).not.toMatch(/\.[a-z]*[cud][a-z]*( |$)/)
    await t.clock.advance(3_600)
    expect(await introspected(ends, 'resource', exchanged.access_token)).toEqual({ active: false })
    const read = await call(t, exchanged.access_token, `/fhir/Patient/${tokens.patient}`)
    expect(read.status).toBe(401)
  })

  it('one person breaks so many glasses an hour, whatever they write, and others go on', async () => {
    const answers: Answer[] = []
    for (let i = 0; i <= MOST; i++) {
      const browser = new UserAgent()
      answers.push(await plead(browser, await open(t, browser, NURSE)))
    }
    const before = await waiting()
    const browser = new UserAgent()
    const answer = await plead(browser, await open(t, browser, NURSE))
    expect(answer.status).toBe(429)
    expect(answer.headers['retry-after']).toBeDefined()
    expect(await waiting()).toBe(before)
    expect(answers.some(({ status }) => status === 303)).toBe(true)
    const other = new UserAgent()
    const paramedic = await open(t, other, { ...NURSE, user: 'paramedic' })
    expect(handleOf(await plead(other, paramedic))).toMatch(/^hdl_/)
  })

  it('nothing that was refused broke a glass', async () => {
    const broken = await entriesOf(t, { what: 'glass_broken' })
    const open = await t.running.emergencies.open()
    expect(broken.map(({ detail }) => detail?.emergency).sort()).toEqual(
      open.map(({ id }) => id).sort(),
    )
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})

describe('an app’s own launch', () => {
  let t: TestGateway
  beforeAll(async () => {
    const { apps } = await standaloneApps()
    t = await openTestGateway({
      store: 'embedded',
      change: (config) => ({ apps: [...config.apps, ...apps] }),
    })
  }, 60_000)
  afterAll(() => t?.close())

  const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.r'
  const plead = async (browser: UserAgent, page: Answer, change: Record<string, string> = {}) => {
    const form = { ...formTo(page, '/launch/emergency'), ...WHY, ...change }
    return follow(t, browser, await browser.visit(new URL('/launch/emergency', t.issuer), { form }))
  }
  /** Signed in as this person, with the sensitive patient named. */
  const named = async (browser: UserAgent, person: string, patient = SENSITIVE) => {
    const { parameters, verifier } = asking(t, 'solo', SCOPE)
    const asked = await authorize(t, browser, parameters)
    const page = await throughProvider(t, browser, asked, person)
    return {
      verifier,
      page: await choose(t, browser, page, namedAs(patient, patientOf(patient).birthDate)),
    }
  }

  it('opens as an emergency too, and lives on without its user in no case', async () => {
    const browser = new UserAgent()
    const { page, verifier } = await named(browser, 'district-nurse')
    expect(page.status).toBe(403)
    const landed = await plead(browser, page)
    const given = await token(t, {
      ...{ grant_type: 'authorization_code', client_id: 'solo', redirect_uri: BACK },
      ...{ code: landed.location?.searchParams.get('code') ?? '', code_verifier: verifier },
    })
    const tokens = JSON.parse(given.text)
    expect(tokens).toMatchObject({ __emergency: true, patient: patientOf(SENSITIVE).fhirId })
    expect(tokens.scope).not.toContain('offline_access')
    expect(tokens).not.toHaveProperty('refresh_token')
  })

  it('tells the app of a cancel as of any denial', async () => {
    const browser = new UserAgent()
    const { page } = await named(browser, 'district-nurse')
    const answer = await plead(browser, page, { answer: 'cancel' })
    await expectSentBack(t, answer, 'launch_denied', BACK)
    expect(answer.location?.searchParams.get('error')).toBe('access_denied')
  })

  it('is nobody else’s, who signed in at the same browser while the page stood open', async () => {
    const browser = new UserAgent()
    const { page } = await named(browser, 'district-nurse')
    const paramedic = await named(browser, 'paramedic', PEGGY)
    expect(paramedic.page.location?.searchParams.get('code')).toMatch(/^cod_/)
    const answer = await plead(browser, page)
    // He is asked in his own name, and nothing was opened in hers or his.
    expect(answer.location).toBeUndefined()
    expect(formTo(answer, '/launch/emergency').pending).toMatch(/^pnd_/)
    const broken = await entriesOf(t, { what: 'glass_broken', user: '555254239105' })
    expect(broken).toEqual([])
  })
})
