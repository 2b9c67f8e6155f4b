/** Emergency access ("break-glass"): from the page that denies to the app that reads, and to its review. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { EmergencyId } from '../../src/core/ids.js'
import { App, call, readsPatient, sectionsOf, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  formTo,
  handleOf,
  type Order,
  open,
  openFramed,
  PEGGY,
  SENSITIVE,
  signIn,
} from '../launching.js'
import {
  entriesOf,
  expectNoPatient,
  expectRefused,
  expectWholeTrail,
  stagesOf,
} from '../trail-reading.js'
import { type Answer, formsOf, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

/** She may read every plan, and no sensitive one: no sign-in of hers would help. */
const NURSE: Order = { system: 'gp-push', user: 'district-nurse', patient: SENSITIVE }
/** He would get in by a stronger sign-in. */
const PARAMEDIC: Order = { system: 'gp-push', user: 'paramedic', patient: SENSITIVE }
const WHY = { reason: 'cannot-consent', text: 'Found unconscious at home, nobody else is here.' }
const FINDING = {
  outcome: 'appropriate',
  text: 'The patient was unconscious, as the crew says.',
} as const
const OFFICER = { uid: '555254239999', name: 'Pat Officer' }

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const plead = (browser: UserAgent, page: Answer, change: Record<string, string> = {}) =>
    browser.visit(new URL('/launch/emergency', t.issuer), {
      form: { ...formTo(page, '/launch/emergency'), ...WHY, ...change },
    })

  /** From the denied launch to the app's tokens. */
  async function emergencyTo(order: Order = NURSE) {
    const browser = new UserAgent()
    const page = await open(t, browser, order)
    const app = new App(t, browser)
    const tokens = await app.tokens(await plead(browser, page))
    return { app, browser, page, tokens }
  }
  const idOf = (tokens: Tokens) => tokens.__emergency_id as EmergencyId

  it('a denied nurse is told why, offered emergency access, and reads what she may not change', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    expect(page.status).toBe(403)
    const words = wordsOf(page.text)
    expect(words).toContain('Your role does not allow opening this care plan.')
    expect(words).toContain('This record is marked sensitive.')
    expect(words).toContain('You can read the plan, not change it, for 60 minutes.')
    expectNoPatient(page)

    const app = new App(t, browser)
    const tokens = await app.tokens(await plead(browser, page))
    expect(tokens).toMatchObject({
      __emergency: true,
      __emergency_id: expect.stringMatching(/^emg_/),
      __emergency_ends: Math.floor(t.clock() / 1000) + 3600,
      __session_ends: Math.floor(t.clock() / 1000) + 3600,
      __obligations: ['mark-sensitive'],
    })
    expect(await readsPatient(t, tokens)).toBe(200)
    expect(await sectionsOf(t, tokens)).not.toEqual([])
    expect(tokens.scope).toMatch(/composition-care-plan::contacts\.v1\.rs/)
    expect(tokens.scope).not.toMatch(/\.[rs]*[cud][cruds]*(\s|$)/)
    const write = await call(
      t,
      tokens.access_token,
      `/openehr/v1/ehr/${tokens.ehrId}/composition`,
      {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      },
    )
    expect(write.status).toBeGreaterThanOrEqual(400)
    expect(write.status).toBeLessThan(404)
  })
  it('is on record before it opens: what was decided, the reason, and never the words', async () => {
    const { tokens } = await emergencyTo()
    const entries = await entriesOf(t, { launch: tokens.__launch })
    const decisions = entries.filter(({ what }) => what === 'decision_made')
    expect(
      decisions.map(({ policy, detail }) => [detail?.action, policy?.effect, detail?.emergency]),
    ).toEqual([
      ['launch', 'deny', undefined],
      ['launch', 'deny', undefined],
      ['break-glass', 'allow', undefined],
      ['launch', 'allow', WHY.reason],
      ['grant', 'allow', undefined],
    ])
    const stages = entries.map(({ what }) => what)
    expect(stages.indexOf('glass_broken')).toBeLessThan(stages.indexOf('session_opened'))
    expect(entries.find(({ what }) => what === 'glass_broken')).toMatchObject({
      user: { id: '555254239103', organization: 'RYX01' },
      patient: { fhirId: tokens.patient },
      detail: { emergency: idOf(tokens), reason: WHY.reason },
    })
    expect(JSON.stringify(entries)).not.toContain('unconscious')
    await readsPatient(t, tokens)
    const after = await entriesOf(t, { launch: tokens.__launch })
    const read = after.find(({ what }) => what === 'access_allowed')
    expect(read?.detail).toMatchObject({ emergency: idOf(tokens) })
  })

  it('ends with its time: tokens, refresh and session', async () => {
    const { app, browser, tokens } = await emergencyTo()
    await t.clock.advance(800)
    const second = tokensOf(await app.refresh(tokens))
    await t.clock.advance(800)
    const third = tokensOf(await app.refresh(second))
    await t.clock.advance(800)
    const fourth = tokensOf(await app.refresh(third))
    await t.clock.advance(800)
    const fifth = tokensOf(await app.refresh(fourth))
    await t.clock.advance(300)
    const last = tokensOf(await app.refresh(fifth))
    // 100 seconds are left of the hour.
    expect(last.expires_in).toBe(100)
    expect(await readsPatient(t, last)).toBe(200)
    await t.clock.advance(100)
    expect(await readsPatient(t, last)).toBe(401)
    await expectRefused(t, await app.refresh(last), 'refresh_invalid', 400)
    // Her own session goes on, and opens what it opened before: not this.
    const again = await open(t, browser, NURSE)
    expect(again.status).toBe(403)
    expect(handleOf(await open(t, browser, { ...NURSE, patient: PEGGY }))).toMatch(/^hdl_/)
  })

  it('gives an app no more for asking: no writing, no offline access', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    const app = new App(t, browser)
    const handle = handleOf(await plead(browser, page))
    const scope = `${'launch openid offline_access online_access'} patient/*.cruds patient/composition-care-plan::*.cruds`
    const tokens = tokensOf(await app.redeem(await app.code(handle, { scope })))
    expect(tokens.scope).not.toContain('offline_access')
    expect(tokens.scope.split(' ').filter((word) => /\.[a-z]*[cud][a-z]*$/.test(word))).toEqual([])
    const wide = await app.refresh(tokens, {
      scope: 'patient/composition-care-plan::contacts.v1.u',
    })
    await expectRefused(t, wide, 'scope_exceeded', 400)
  })

  it('is offered beside a stronger sign-in, and either works', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, PARAMEDIC)
    expect(formsOf(page.text).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['/sign-in/start', '/launch/emergency']),
    )
    const landed = await signIn(t, browser, page, { person: 'paramedic', assurance: 3 })
    const tokens = await new App(t, browser).tokens(landed)
    expect(tokens).not.toHaveProperty('__emergency')

    const { tokens: broken } = await emergencyTo(PARAMEDIC)
    expect(broken).toMatchObject({ __emergency: true })
  })

  it('asks again for what says too little, keeps what was typed, and shows markup as text', async () => {
    const browser = new UserAgent()
    let page = await open(t, browser, NURSE)
    for (const [change, field] of [
      [{ reason: '' }, 'emergency-reason'],
      [{ reason: '__proto__' }, 'emergency-reason'],
      [{ text: '' }, 'emergency-text'],
      [{ text: `too\u200bshort \n \u202e` }, 'emergency-text'],
      [{ text: 'x'.repeat(501) }, 'emergency-text'],
    ] as const) {
      page = await plead(browser, page, change)
      expect(page.status).toBe(422)
      expect(page.text).toContain(`href="#${field}"`)
    }
    page = await plead(browser, page, { reason: '', text: '<script>alert(1)</script> now' })
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; now')
    expect(page.text).not.toContain('<script>alert(1)')
    const tokens = await new App(t, browser).tokens(
      await plead(browser, page, { text: ' <b>Found\u202e  unconscious</b> ' }),
    )
    const kept = await t.running.emergencies.read(idOf(tokens))
    expect(kept?.text).toBe('<b>Found unconscious</b>')
  })

  it('ends as the denial that it was, when the user goes without', async () => {
    const browser = new UserAgent()
    const page = await open(t, browser, NURSE)
    const answer = await plead(browser, page, { answer: 'cancel' })
    await expectRefused(t, answer, 'launch_denied', 403)
    expect(wordsOf(answer.text)).toContain('This record is marked sensitive.')
    expect(answer.text).not.toContain('/launch/emergency')
    await expectRefused(t, await plead(browser, page), 'sign_on_state_invalid', 400)
  })

  it.each(['receptionist', 'call-handler', 'social-worker', 'practice-nurse', 'no-role'])(
    'is not offered to a %s',
    async (user) => {
      const page = await open(t, new UserAgent(), { ...NURSE, user })
      expect(page.text).not.toContain('/launch/emergency')
    },
  )

  describe('where only a browser’s word signs the user on', () => {
    it.each([
      ['in a window', 'visit'],
      ['in a frame', 'visitFramed'],
    ] as const)('she signs in for it first, %s', async (_, visit) => {
      const browser = new UserAgent()
      const order = { ...NURSE, system: 'gp-post' }
      const page = await (visit === 'visit' ? open : openFramed)(t, browser, order)
      expect(page.status).toBe(403)
      const url = new URL('/launch/emergency', t.issuer)
      const choice = { person: 'district-nurse', assurance: 2 } as const
      const asked = await signIn(t, browser, page, choice)
      const form = { ...formTo(asked, '/launch/emergency'), ...WHY }
      expect(handleOf(await browser[visit](url, { form }))).toMatch(/^hdl_/)
    })

    it('a reason alone opens nothing', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { ...NURSE, system: 'gp-post' })
      await expectRefused(t, await plead(browser, page), 'sign_on_state_invalid', 400)
    })

    it('a GP may sign in as strongly as the record asks, or as strongly as she can', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-post', user: 'gp', patient: SENSITIVE })
      const weaker = formsOf(page.text).find(({ fields }) => fields.emergency === '1')
      const { emergency, ...stronger } = weaker?.fields ?? {}
      const start = async (form: Record<string, string>) =>
        (await browser.visit(new URL('/sign-in/start', t.issuer), { form })).location?.searchParams
      expect((await start(stronger))?.get('acr_values')).toBe('AAL3_ANY')
      const asked = await start({ ...stronger, emergency: emergency ?? '' })
      expect(asked?.get('acr_values')).toBe('AAL2_OR_AAL3_ANY')
    })

    it('a page that offers no emergency leads to no weaker sign-in', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic', user: 'gp' })
      const form = { ...formTo(page, '/sign-in/start'), emergency: '1' }
      const answer = await browser.visit(new URL('/sign-in/start', t.issuer), { form })
      await expectRefused(t, answer, 'sign_on_state_invalid', 400)
    })
  })

  it('waits for somebody else to review it, and is closed once', async () => {
    const { emergencies } = t.running
    const { tokens } = await emergencyTo()
    const id = idOf(tokens)
    const open = await emergencies.open('RYX01')
    expect(open.map((one) => one.id)).toContain(id)
    expect(await emergencies.open('A83001')).toEqual([])
    expect(await t.running.metrics.text()).toMatch(
      new RegExp(
        `launch_gateway_emergencies_open ${open.length + (await emergencies.open('RRU01')).length}\n`,
      ),
    )
    const herself = { uid: '555254239103', name: 'Somebody else' }
    for (const person of [herself, { uid: '', name: 'Nobody' }])
      await expect(emergencies.close(id, person, FINDING)).rejects.toMatchObject({
        code: 'emergency_own',
      })
    const closing = await Promise.allSettled([
      emergencies.close(id, OFFICER, FINDING),
      emergencies.close(id, { ...OFFICER, uid: '555254239998' }, FINDING),
    ])
    expect(closing.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(emergencies.close(id, OFFICER, FINDING)).rejects.toMatchObject({
      code: 'emergency_closed',
    })
    expect((await emergencies.open('RYX01')).map((one) => one.id)).not.toContain(id)
    expect(await emergencies.read(id)).toMatchObject({
      text: WHY.text,
      closed: { finding: FINDING },
      patient: { fhirId: tokens.patient, nhsNumber: SENSITIVE },
    })
    expect(await stagesOf(t, tokens.__launch)).toContain('emergency_reviewed')
    // Seven years, and no longer.
    await t.clock.advance(2_557 * 86_400 - 60)
    expect(await emergencies.read(id)).toBeDefined()
    await t.clock.advance(61)
    expect(await emergencies.read(id)).toBeUndefined()
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
