import { describe, expect, it } from '@jest/globals'
import { violations } from './accessibility.js'
import { EMERGENCY, frameOf, newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'

const OTHER = {
  patientId: 'pat-2',
  ehrId: 'ehr-2',
  patient: {
    resourceType: 'Patient',
    id: 'pat-2',
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000042' }],
    name: [{ family: 'Pemberton', given: ['Albert'], prefix: ['Mr'] }],
    gender: 'male',
    birthDate: '1931-01-19',
    deceasedDateTime: '2026-02-03T04:20:00+00:00',
  },
}

describe('launching in a frame of a browser that blocks third-party cookies', () => {
  it('opens the plan of the launch’s patient, with the user named', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'open', scenario)
    await frame.getByText('Signed in: Dr Amara Okafor').waitFor()
    expect(await seen(frame.locator('.patient'))).toMatch(
      /ASHWORTH, Margaret Ellen \(Mrs\)\s+Born 14-Mar-1938 \(\d+y\)\s+Gender Female\s+NHS No. 999 000 0018\s+Address 14 Canal Terrace/,
    )
    await shoot(page, 'plan')
    expect(await violations(frame)).toEqual([])
  })

  it('leaves no code, state, issuer or handle in the address, and nothing in any storage', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'clean', scenario)
    expect(frame.url()).toBe(`${stage.app.origin}/`)
    expect(await frame.evaluate('document.cookie')).toBe('')
    const kept = await stage.browser.context.cookies()
    expect(kept.filter(({ name }) => name.startsWith('care-plan'))).toEqual([])
    expect(scenario.cookies).toEqual([])
  })

  it('asks the gateway for the scopes of a care plan, as a public client with PKCE', async () => {
    const scenario = newScenario()
    await openPlan(stage, 'scopes', scenario)
    expect(scenario.log.slice(0, 2)).toEqual([
      'authorize launch openid fhirUser online_access patient/Patient.r patient/composition-care-plan::*.crus patient/aql-care-plan::sections.rs patient/CarePlan.crs patient/Condition.r patient/MedicationStatement.r patient/MedicationRequest.r patient/AllergyIntolerance.r',
      'token authorization_code care-plan',
    ])
  })

  it('keeps two patients apart that are opened side by side in one tab', async () => {
    stage.scenarios.set('left', newScenario())
    stage.scenarios.set('right', newScenario(OTHER))
    const page = await stage.open(['left', 'right'], '49%')
    const [left, right] = [await frameOf(page, 0), await frameOf(page, 1)]
    await Promise.all([left, right].map((one) => one.waitForSelector('[data-page=plan]')))
    expect(await seen(left.locator('.patient'))).toContain('999 000 0018')
    expect(await seen(right.locator('.patient'))).toContain('999 000 0042')
    expect(await seen(right.locator('.patient'))).toMatch(/Died 03-Feb-2026 \(95y\)/)
    await shoot(page, 'two-frames')
  })

  it('works as well in a tab of its own, where the session storage can be used', async () => {
    stage.scenarios.set('top', newScenario())
    const page = await stage.browser.context.newPage()
    const iss = `${stage.gateway.origin}/fhir`
    await page.goto(
      `${stage.app.origin}/launch.html?${new URLSearchParams({ iss, launch: 'top' })}`,
    )
    await page.waitForSelector('[data-page=plan]')
    expect(page.url()).toBe(`${stage.app.origin}/`)
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0)
    await page.close()
  })
})

describe('a launch that must not or cannot be completed', () => {
  it('says after a reload that the plan has to be opened again, and shows nothing of the patient', async () => {
    const { page, frame } = await openPlan(stage, 'reload', newScenario())
    await frame.evaluate('location.reload()')
    await frame.waitForSelector('[data-page=over]')
    const text = await seen(frame.locator('body'))
    expect(text).toContain('Open the care plan again from the patient record')
    expect(text).not.toContain('ASHWORTH')
    await shoot(page, 'reload')
    expect(await violations(frame)).toEqual([])
    await page.close()
  })

  it('refuses a launch from an issuer that is not in its settings, and asks it nothing', async () => {
    const query = `${new URLSearchParams({ iss: 'http://127.0.0.1:9/fhir', launch: 'x' })}`
    const asked: string[] = []
    stage.browser.context.on('request', (request) => asked.push(request.url()))
    const page = await stage.open(['x'], '100%', query)
    const frame = await frameOf(page)
    await frame.waitForSelector('[data-page=foreign]')
    expect(asked.filter((url) => url.startsWith('http://127.0.0.1:9/'))).toEqual([])
    await shoot(page, 'foreign')
  })

  it.each([
    ['without a launch', 'iss=x'],
    ['with the issuer named twice', 'iss=a&iss=b&launch=c'],
    ['with nothing at all', ''],
  ])('asks to be opened from the patient record when it is opened %s', async (_, query) => {
    const page = await stage.open(['x'], '100%', query)
    await (await frameOf(page)).waitForSelector('[data-page=not-launched]')
  })

  it('stops when the answer names another authorization server than the one that was asked (RFC 9207)', async () => {
    const scenario = newScenario({ answersAs: 'https://other.example' })
    await openPlan(stage, 'mixed', scenario, 'foreign')
    expect(scenario.log.filter((line) => line.startsWith('token'))).toEqual([])
  })

  it('shows the gateway’s reason when the user may not open the plan, and what to do instead', async () => {
    const denied = {
      error: 'access_denied',
      description: 'Your role does not allow opening this care plan. Reference: ref_fakeDenied0001',
    }
    const { page, frame } = await openPlan(stage, 'denied', newScenario({ denied }), 'denied')
    const text = await seen(frame.locator('main'))
    expect(text).toContain('You cannot open this care plan')
    expect(text).toMatch(/Your role does not allow opening this care plan\.\n/)
    expect(await seen(frame.locator('[data-reference]'))).toBe('ref_fakeDenied0001')
    expect(text).toContain(EMERGENCY)
    await shoot(page, 'denied')
    expect(await violations(frame)).toEqual([])
  })

  it('does not repeat words from an address that no launch of its own led to', async () => {
    const page = await stage.browser.context.newPage()
    await page.goto(
      `${stage.app.origin}/?error=x&error_description=Ring+0900&state=${'a'.repeat(32)}`,
    )
    await page.waitForSelector('[data-page=over]')
    expect(await seen(page.locator('body'))).not.toContain('0900')
    expect(page.url()).toBe(`${stage.app.origin}/`)
    await page.close()
  })

  it('says that it is not known whether there is a plan when the gateway is temporarily unavailable', async () => {
    const denied = { error: 'temporarily_unavailable', description: 'The record is away.' }
    const { frame } = await openPlan(stage, 'away', newScenario({ denied }), 'unreachable')
    expect(await seen(frame.locator('main'))).toContain('This does not mean that there is no plan.')
  })

  it('asks for a new launch when the code is refused', async () => {
    const scenario = newScenario({ failing: new Map([['token', 400]]) })
    await openPlan(stage, 'refused', scenario, 'over')
  })
})
