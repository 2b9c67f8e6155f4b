import { describe, expect, it } from '@jest/globals'
import { addMonths, dayOf, showDay, writeDay } from '../../public/care-plan/dates.js'
import { violations } from './accessibility.js'
import {
  EMERGENCY,
  newScenario,
  openPlan,
  openTimed,
  passUntil,
  seen,
  shoot,
} from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Scenario, saveByOther, scopeFor, stored } from './scenario.js'

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
  })

  it('says after some seconds of nothing that this is no answer, and what to do who cannot wait', async () => {
    const failing = new Map([['sections', 'hang']] as const)
    const { page, frame } = await openPlan(stage, 'slow', newScenario({ failing }), 'loading')
    await frame.getByText('Loading the care plan…').waitFor()
    const body = frame.locator('body')
    expect(await seen(body)).not.toContain(EMERGENCY)
    // The time until then goes by.
    await frame.evaluate('for (const each of document.getAnimations()) each.finish()')
    expect(await seen(body)).toMatch(
      /This is taking longer than usual\. It does not mean that there is no plan\.\s+If you cannot wait/,
    )
    expect(await seen(body)).toContain(EMERGENCY)
    expect(await violations(frame)).toEqual([])
    await shoot(page, 'slow')
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
    const { frame } = await openPlan(stage, what.replaceAll(' ', '-'), scenario, 'failed')
    const text = await seen(frame.locator('main'))
    expect(text).toContain('This does not mean that there is no plan.')
    expect(text).toContain(EMERGENCY)
    expect(text).not.toContain(NO_PLAN)
    expect(await seen(frame.locator('[data-reference]').first())).toMatch(/^(ref|lch)_fake/)
  })

  it('tries again when asked, and then shows the plan', async () => {
    const scenario = newScenario({ failing: new Map([['sections', 500]]) })
    const { page, frame } = await openPlan(stage, 'again', scenario, 'failed')
    await shoot(page, 'failed')
    expect(await violations(frame)).toEqual([])
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.waitForSelector('[data-page=plan]')
  })

  it('warns when sections were found although no active plan is listed', async () => {
    const { frame } = await openPlan(stage, 'ended-plan', newScenario({ index: 'none' }))
    expect(await seen(frame.locator('.caution'))).toContain('no active plan')
  })

  it('warns when sections were left out although the role may see all', async () => {
    const scenario = newScenario()
    scenario.sections.set(
      'care-plan::later.v1',
      stored('contacts', { attorney: 'Ruth' }, 'Ruth', '2026-01-05T10:00:00Z'),
    )
    scenario.sections.delete('care-plan::resuscitation.v1')
    const { frame } = await openPlan(stage, 'left-out', scenario)
    // What was left out may be the decision.
    const first = await seen(frame.locator('article').first())
    expect(first).toContain('The CPR decision cannot be shown here')
    expect(first).not.toContain('This plan does not say')
    expect(await seen(frame.locator('main'))).not.toMatch(/No entry was found|no entry/)
    expect(await seen(frame.locator('.caution'))).toContain('sections that were not shown to you')
    expect(await seen(frame.locator('.allergies'))).toContain('none recorded in what is shown here')
  })

  it('warns when it could not be checked whether the plan is active', async () => {
    const scenario = newScenario({ failing: new Map([['CarePlan', 503]]) })
    const { frame } = await openPlan(stage, 'unchecked', scenario)
    expect(await seen(frame.locator('.caution'))).toContain('could not be checked')
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
  })

  it('keeps the plan on the screen when a later look for changes is not answered, and says so', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'look-again', scenario)
    const look = () => frame.getByRole('button', { name: 'Check for changes' }).click()
    for (const [call, how] of [
      ['sections', 'drop'],
      ['sections', 503],
      ['Patient', 'drop'],
    ] as const) {
      scenario.failing.set(call, how)
      await look()
      await frame.getByText('changes could not be looked for').waitFor()
      expect(await seen(frame.locator('main'))).toMatch(
        /did not answer\. This is the plan as it was read on \d\d-.*Do not attempt CPR/s,
      )
      expect(await violations(page)).toEqual([])
      scenario.failing.clear()
      await look()
      await frame.getByText('changes could not be looked for').waitFor({ state: 'detached' })
      // It is gone while the plan is read again already: what is set to fail next is for the read after that.
      await frame.waitForSelector('[data-page=plan]')
    }
    await shoot(page, 'look-again')
    // An answer is not silence: who may not read it any more does not go on reading it.
    scenario.failing.set('sections', 403)
    await look()
    await frame.waitForSelector('[data-page=failed]')
    expect(await seen(frame.locator('main'))).not.toContain('Do not attempt CPR')
    await page.close()
  })

  it('keeps it there while a look for changes takes long, to be read and not to be used', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'look-slow', scenario)
    scenario.failing.set('sections', 'hang')
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await frame.getByText('Checking for changes…').waitFor()
    const main = frame.locator('main')
    expect(await seen(main)).toContain('Do not attempt CPR')
    expect(await seen(main)).not.toContain('longer than usual')
    // Nothing can be done with it; who cannot see it reads it all the same.
    await frame.evaluate('document.querySelector(".section__acts button").focus()')
    expect(await frame.evaluate('document.activeElement.localName')).toBe('body')
    expect(await main.ariaSnapshot()).toContain('Do not attempt CPR')
    await frame.evaluate('for (const each of document.getAnimations()) each.finish()')
    expect(await seen(main)).toMatch(
      /longer than usual\. Below is the plan as it was read on \d\d-\w{3}-\d{4} at \d\d:\d\d: it may have changed since\./,
    )
    expect(await violations(frame)).toEqual([])
    await shoot(page, 'look-slow')
    scenario.failing.clear()
    await passUntil(page, frame.getByText('changes could not be looked for'), 5_000)
    expect(await frame.getByText('Checking for changes…').count()).toBe(0)
    await frame.getByRole('button', { name: 'Edit Resuscitation' }).click()
    await frame.locator('form').waitFor()
  })

  it('opens no form in it meanwhile that would go with it', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'look-edit', scenario)
    scenario.failing.set('sections', 'hang')
    await page.clock.runFor(120_000)
    // It waits for a quiet look first, for a second and a half.
    await frame.getByRole('button', { name: 'Edit Resuscitation' }).click()
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await frame.getByText('Checking for changes…').waitFor()
    await page.clock.runFor(2_000)
    expect(await frame.locator('form').count()).toBe(0)
    scenario.failing.clear()
    await passUntil(page, frame.getByText('changes could not be looked for'), 5_000)
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await frame.getByText('changes could not be looked for').waitFor({ state: 'detached' })
    await frame.getByRole('button', { name: 'Edit Resuscitation' }).click()
    await frame.locator('form').waitFor()
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
    expect(text).not.toContain('access token')
    await shoot(page, 'ended')
    expect(await violations(frame)).toEqual([])
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
    expect(await violations(frame)).toEqual([])
  })

  it('says that a CPR decision hidden from the role is not the same as none', async () => {
    const { frame } = await openPlan(stage, 'role-cpr', newScenario({ scope }))
    expect(await seen(frame.locator('.caution'))).toContain(
      'This does not mean that there is none.',
    )
  })

  it('says that a plan exists when the role may see no section of it', async () => {
    const none = newScenario({ scope: scopeFor({}) })
    const { frame } = await openPlan(stage, 'role-none', none)
    expect(await seen(frame.locator('summary'))).toBe('Your role shows 0 of 15 sections')
  })
})

describe('the history of a section', () => {
  it('says who changed what and when, field by field, newest first', async () => {
    const scenario = newScenario()
    const values = { 'next-of-kin': 'Ruth Ashworth (daughter), 07700 900999' }
    saveByOther(scenario, 'contacts', values, 'Tom Brightwell')
    const { page, frame } = await openPlan(stage, 'history', scenario)
    const contacts = frame.locator('#section-contacts')
    const toggle = contacts.getByRole('button', { name: 'History of Personal' })
    expect(await toggle.getAttribute('aria-expanded')).toBe('false')
    await toggle.click()
    await contacts.locator('.history__version').nth(1).waitFor()
    expect(await toggle.getAttribute('aria-expanded')).toBe('true')
    expect(await contacts.locator('.section__head + .history').count()).toBe(1)
    const [newest, first] = await contacts.locator('.history__version').allInnerTexts()
    expect(newest).toMatch(/^20-Nov-2026 at 09:30 by Tom Brightwell: 2 fields changed/)
    expect(newest).toMatch(/Next of kin\s+Before\s+.*900123\s+After\s+.*900999/)
    expect(newest).toMatch(/power of attorney\s+Before\s+Ruth Ashworth\s+After\s+Nothing recorded/)
    expect(first).toMatch(/^12-Mar-2026 at 14:10 by Dr Helen Marsh: begun/)
    await shoot(page, 'history')
    expect(await violations(frame)).toEqual([])
    await toggle.click()
    expect(await contacts.locator('.history__version').count()).toBe(0)
  })

  it('says that it could not be loaded, never that nothing was changed', async () => {
    const scenario = newScenario({ failing: new Map([['history', 503]]) })
    const { frame } = await openPlan(stage, 'no-history', scenario)
    await frame.getByRole('button', { name: 'History of Resuscitation' }).click()
    await frame.getByText('The history could not be loaded.').waitFor()
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.getByText('Dr Helen Marsh: begun').waitFor()
  })

  it('takes everything off the screen when the session turns out to be over', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'history-ended', scenario)
    scenario.ended = true
    await frame.getByRole('button', { name: 'History of Resuscitation' }).click()
    await frame.waitForSelector('[data-page=ended]')
    expect(await seen(frame.locator('body'))).not.toMatch(/ASHWORTH|CPR|999 000/)
  })
})

describe('what is to be reviewed', () => {
  it('is marked in the overview and on the section, also where nobody named a day', async () => {
    const old = stored('contacts', { 'next-of-kin': 'Ruth' }, 'Tom', '2023-01-05T10:00:00Z')
    const young = stored('what-matters', { about: 'Bees' }, 'Tom', new Date().toISOString())
    const sections = new Map([
      ['care-plan::contacts.v1', old],
      ['care-plan::what-matters.v1', young],
    ])
    const scenario = newScenario({ sections })
    const { page, frame } = await openPlan(stage, 'overdue', scenario)
    const overview = frame.getByRole('navigation', { name: 'Sections of this plan' })
    expect(await seen(overview)).toContain(
      'Past its review date: 1 section (Personal and professional contacts).',
    )
    expect(await seen(frame.locator('#section-contacts .review'))).toMatch(
      /^Review due by 05-Jan-2024\s+Review date has passed$/,
    )
    await overview.getByRole('link', { name: 'Personal and professional contacts' }).click()
    expect(await frame.evaluate('document.activeElement.textContent')).toBe(
      'Personal and professional contacts',
    )
    await shoot(page, 'overdue')
    expect(await violations(frame)).toEqual([])
  })
})

describe('a pathway', () => {
  it('stands with what was recorded where the person is on it, and after everything else where not', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'pathway-unused', scenario)
    const groups = frame.locator('.group > h2')
    expect((await groups.allInnerTexts()).at(-1)).toBe('Pathways without an entry')
    scenario.sections.set(
      'care-plan::sickle-cell.v1',
      stored(
        'sickle-cell',
        { type: 'ss', baseline: '78 g/L' },
        'Dr Okafor',
        '2026-10-05T10:00:00Z',
      ),
    )
    const used = await openPlan(stage, 'pathway-used', scenario)
    expect(await used.frame.locator('.group > h2').allInnerTexts()).toEqual([
      'Recorded by clinicians',
      'Sickle cell',
      'Recorded by the person and those close to them',
    ])
    expect(await seen(used.frame.locator('#section-sickle-cell'))).toMatch(/78 g\/L/)
    await shoot(used.page, 'pathway')
  })
})

describe('resuscitation', () => {
  const at = '2024-03-12T14:10:00Z'
  /** Half a year past its second anniversary, whenever the test runs. */
  const decided = writeDay(addMonths(dayOf(new Date()), -30))

  it('stands first, in words, with its date, its age, its author and an overdue review', async () => {
    const scenario = newScenario()
    const values = {
      decision: 'attempt',
      ...{ decided, review: '2025-03-12' },
      'decided-by': 'Dr Marsh',
    }
    scenario.sections.set(
      'care-plan::resuscitation.v1',
      stored('resuscitation', values, 'Dr Marsh', at),
    )
    const { page, frame } = await openPlan(stage, 'cpr', scenario)
    const first = frame.locator('article').first()
    expect((await seen(first)).replace(/\s+/g, ' ')).toContain(
      `Attempt CPR Decided ${showDay(decided)} (2 years ago) Decided by Dr Marsh Review date 12-Mar-2025 Review date has passed`,
    )
    await shoot(page, 'attempt')
    expect(await violations(frame)).toEqual([])
  })

  it('says plainly that no decision was found when there is none', async () => {
    const scenario = newScenario()
    scenario.sections.delete('care-plan::resuscitation.v1')
    const { page, frame } = await openPlan(stage, 'no-cpr', scenario)
    expect(await seen(frame.locator('article').first())).toContain('No CPR decision was found')
    await shoot(page, 'no-cpr')
    expect(await violations(frame)).toEqual([])
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
    const { frame } = await openPlan(stage, 'markup', scenario)
    await frame.getByText('Signed in: <b>Eve</b>').waitFor()
    const text = (await frame.locator('body').textContent()) ?? ''
    expect(text).toContain('<script>alert(1)</script>123')
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
    expect(await frame.locator('.patient img, article script').count()).toBe(0)
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
    expect(await violations(frame)).toEqual([])
  })
})
