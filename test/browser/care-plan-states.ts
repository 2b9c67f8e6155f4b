import { describe, expect, it } from '@jest/globals'
import { violations } from './accessibility.js'
import { EMERGENCY, newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Scenario, scopeFor, stored } from './scenario.js'

const NO_PLAN = 'No shared care plan was found for this patient'

describe('saying whether there is a plan', () => {
  it.each<[string, Partial<Scenario>]>([
    ['the patient has no electronic health record', { ehrId: undefined }],
    ['the record was read and has no sections', { sections: new Map() }],
  ])('says that there is none when the search found none and %s', async (what, changes) => {
    const scenario = newScenario({ index: 'none', ...changes })
    const { page, frame } = await openPlan(
      stage,
      `none-${what}`.replaceAll(' ', '-'),
      scenario,
      'none',
    )
    const text = await seen(frame.locator('body'))
    expect(text).toContain(NO_PLAN)
    expect(text).toContain('999 000 0018')
    await shoot(page, 'none')
    await page.close()
  })

  it.each<[string, Partial<Scenario>]>([
    ['the search fails', { failing: new Map([['CarePlan', 503]]), ehrId: undefined }],
    [
      'the search is never answered',
      { failing: new Map([['CarePlan', 'drop']]), sections: new Map() },
    ],
    ['the sections fail', { failing: new Map([['sections', 500]]), index: 'none' }],
    ['the sections fail and the search found a plan', { failing: new Map([['sections', 500]]) }],
    ['the patient cannot be read', { failing: new Map([['Patient', 502]]), index: 'none' }],
    ['the search found a plan but the launch names no health record', { ehrId: undefined }],
  ])('never says so when %s', async (what, changes) => {
    const scenario = newScenario(changes)
    const { page, frame } = await openPlan(stage, what.replaceAll(' ', '-'), scenario, 'failed')
    const text = await seen(frame.locator('main'))
    expect(text).toContain('This does not mean that there is no plan.')
    expect(text).toContain(EMERGENCY)
    expect(text).not.toContain(NO_PLAN)
    expect(await seen(frame.locator('[data-reference]').first())).toMatch(/^(ref|lch)_fake/)
    await page.close()
  })

  it('tries again when asked, and then shows the plan', async () => {
    const scenario = newScenario({ failing: new Map([['sections', 500]]) })
    const { page, frame } = await openPlan(stage, 'again', scenario, 'failed')
    await shoot(page, 'failed')
    expect(await violations(page)).toEqual([])
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.waitForSelector('[data-page=plan]')
    await page.close()
  })

  it('warns when sections were found although no active plan is listed', async () => {
    const { page, frame } = await openPlan(stage, 'ended-plan', newScenario({ index: 'none' }))
    expect(await seen(frame.locator('.caution'))).toContain('no active plan')
    await page.close()
  })

  it('warns when it could not be checked whether the plan is active', async () => {
    const scenario = newScenario({ failing: new Map([['CarePlan', 503]]) })
    const { page, frame } = await openPlan(stage, 'unchecked', scenario)
    expect(await seen(frame.locator('.caution'))).toContain('could not be checked')
    await page.close()
  })
})

describe('keeping patients apart', () => {
  it.each<[string, Partial<Scenario>]>([
    [
      'the record answers with another patient',
      { patient: { resourceType: 'Patient', id: 'pat-9', name: [{ family: 'Wrong' }] } },
    ],
    ['the search answers with a plan of another patient', { index: 'foreign' }],
  ])('shows nothing when %s', async (what, changes) => {
    const scenario = newScenario(changes)
    const { page, frame } = await openPlan(stage, what.replaceAll(' ', '-'), scenario, 'mismatch')
    const text = await seen(frame.locator('body'))
    expect(text).not.toMatch(/Wrong|WRONG|ASHWORTH|CPR/)
    await shoot(page, 'mismatch')
    await page.close()
  })

  it('removes the plan from the screen when a later read is refused because the session ended', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'over-401', scenario)
    scenario.ended = true
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await frame.waitForSelector('[data-page=ended]')
    const text = await seen(frame.locator('body'))
    expect(text).not.toMatch(/ASHWORTH|CPR|999 000/)
    expect(text).toContain('Open the care plan again from the patient record.')
    expect(text).toContain('ref_fakeEnded01')
    await shoot(page, 'ended')
    expect(await violations(page)).toEqual([])
    await page.close()
  })
})

describe('what a role sees', () => {
  const scope = scopeFor({ contacts: 'r', communication: 'ru', 'what-matters': 'r' })

  it('shows the sections that were granted, names the others, and offers to edit only what may be edited', async () => {
    const scenario = newScenario({ scope })
    scenario.sections.set(
      'care-plan::communication.v1',
      stored('communication', { language: 'Polish' }, 'Ruth', '2026-01-05T10:00:00Z'),
    )
    const { page, frame } = await openPlan(stage, 'role', scenario)
    expect(await frame.locator('article').count()).toBe(3)
    expect(await seen(frame.locator('summary'))).toBe('Your role shows 3 of 15 sections')
    await frame.locator('summary').click()
    expect(await seen(frame.locator('.sight'))).toContain('Diagnoses and prognosis')
    expect(await frame.getByRole('button', { name: /^(Edit|Add)/ }).allTextContents()).toEqual([
      'Edit Communication and accessibility',
    ])
    await shoot(page, 'role')
    expect(await violations(page)).toEqual([])
    await page.close()
  })

  it('says that a CPR decision hidden from the role is not the same as none', async () => {
    const { page, frame } = await openPlan(stage, 'role-cpr', newScenario({ scope }))
    expect(await seen(frame.locator('.caution'))).toContain(
      'This does not mean that there is none.',
    )
    await page.close()
  })

  it('says that a plan exists when the role may see no section of it', async () => {
    const none = newScenario({ scope: scopeFor({}) })
    const { page, frame } = await openPlan(stage, 'role-none', none)
    expect(await seen(frame.locator('summary'))).toBe('Your role shows 0 of 15 sections')
    await page.close()
  })
})

describe('resuscitation', () => {
  const at = '2024-03-12T14:10:00Z'

  it('stands first, in words, with its date, its age, its author and an overdue review', async () => {
    const scenario = newScenario()
    const values = {
      decision: 'attempt',
      decided: '2024-03-12',
      review: '2025-03-12',
      'decided-by': 'Dr Marsh',
    }
    scenario.sections.set(
      'care-plan::resuscitation.v1',
      stored('resuscitation', values, 'Dr Marsh', at),
    )
    const { page, frame } = await openPlan(stage, 'cpr', scenario)
    const first = frame.locator('article').first()
    expect(await seen(first)).toMatch(
      /Attempt CPR\s+Decided 12-Mar-2024 \(2 years ago\)\s+Decided by Dr Marsh\s+Review date 12-Mar-2025\s+Review date has passed/,
    )
    await shoot(page, 'attempt')
    expect(await violations(page)).toEqual([])
    await page.close()
  })

  it('says plainly that no decision was found when there is none', async () => {
    const scenario = newScenario()
    scenario.sections.delete('care-plan::resuscitation.v1')
    const { page, frame } = await openPlan(stage, 'no-cpr', scenario)
    expect(await seen(frame.locator('article').first())).toContain('No CPR decision was found')
    await shoot(page, 'no-cpr')
    expect(await violations(page)).toEqual([])
    await page.close()
  })
})

describe('text from the record', () => {
  it('shows markup as text and takes the power from bidirectional controls', async () => {
    const scenario = newScenario({ userName: '<b>Eve</b>\u202e' })
    scenario.patient.name = [
      { family: '<img src=x onerror=alert(1)>\u202eevil', given: ['A\u2066b'], prefix: ['Mrs'] },
    ]
    scenario.sections.set(
      'care-plan::what-matters.v1',
      stored(
        'what-matters',
        { about: '<script>alert(1)</script>\u202e123' },
        'Eve\u202d',
        '2026-01-05T10:00:00Z',
      ),
    )
    const { page, frame } = await openPlan(stage, 'markup', scenario)
    await frame.getByText('Signed in: <b>Eve</b>').waitFor()
    const text = (await frame.locator('body').textContent()) ?? ''
    expect(text).toContain('<script>alert(1)</script>123')
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    expect(await frame.locator('.patient img, article script').count()).toBe(0)
    await page.close()
  })

  it('hides the address of a sensitive patient and says that the record is sensitive', async () => {
    const scenario = newScenario()
    scenario.patient.meta = {
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    }
    const { page, frame } = await openPlan(stage, 'sensitive', scenario)
    const text = await seen(frame.locator('.patient'))
    expect(text).toContain('Sensitive record')
    expect(text).not.toContain('Canal')
    await shoot(page, 'sensitive')
    expect(await violations(page)).toEqual([])
    await page.close()
  })
})
