/** A plan is begun where the record was read and has none: listed first, then its first section, and nothing before that. */
import { describe, expect, it } from '@jest/globals'
import type { Frame } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { beginning, type Scenario, saveByOther, scopeFor } from './scenario.js'

const AUTHOR = beginning(scopeFor({ '*': 'cru' }))
const LISTING = 'POST /fhir/CarePlan'
const SECTION = 'POST /openehr/v1/ehr/ehr-1/composition'
const MATTERS = 'care-plan::what-matters.v1'
const TITLE = 'What matters to me'
const WORDS = 'The garden, and the bees.'

const newPatient = (changes: Partial<Scenario> = {}) =>
  newScenario({ index: 'none', sections: new Map(), scope: AUTHOR, ...changes })
const beginButton = (frame: Frame) => frame.getByRole('button', { name: 'Begin a care plan' })
const writes = ({ log }: Scenario) => log.filter((line) => /^(PUT|POST|DELETE) /.test(line))
const save = (frame: Frame) => frame.getByRole('button', { name: 'Save', exact: true }).click()
const saved = (frame: Frame) => frame.locator('.saved').waitFor()
const cautions = (frame: Frame) => frame.locator('.caution').allInnerTexts()

/** The first section of a plan that is begun, typed and not saved. */
async function typing(handle: string, changes: Partial<Scenario> = {}) {
  const scenario = newPatient(changes)
  const opened = await openPlan(stage, handle, scenario, 'none')
  const { frame } = opened
  await beginButton(frame).click()
  await frame.getByRole('button', { name: `Add ${TITLE}` }).click()
  await frame.getByLabel('What matters most').fill(WORDS)
  return { scenario, ...opened }
}

describe('a patient without a plan', () => {
  it('can be given one: nothing is recorded before the first save, which lists the plan and then the section', async () => {
    const scenario = newPatient()
    const { page, frame } = await openPlan(stage, 'begin', scenario, 'none')
    const none = await seen(frame.locator('main'))
    // First the right patient, then elsewhere, and only then a new one.
    expect(none).toMatch(/Check that the name[\s\S]*recorded elsewhere[\s\S]*Begin a care plan/)
    await shoot(page, 'begin-none')
    expect(await violations(frame)).toEqual([])

    await beginButton(frame).click()
    await frame.locator('.begun').waitFor()
    expect(await frame.evaluate('document.activeElement.textContent')).toBe('Care plan')
    expect(await seen(frame.locator('.begun'))).toMatch(
      /^The record held no shared care plan for this patient when it was read on \d\d-\w{3}-\d{4} at \d\d:\d\d\. Nothing is recorded until you save the first section\.$/,
    )
    expect(await cautions(frame)).toEqual([])
    // There is nothing to print; who prints it all the same is told by the sheet what it is worth.
    expect(await frame.getByRole('button', { name: 'Print' }).count()).toBe(0)
    await page.emulateMedia({ media: 'print' })
    const sheet = await seen(frame.locator('body'))
    expect(sheet).toMatch(/held no shared care plan[\s\S]*Valid at the time of printing/)
    await page.emulateMedia({ media: null })
    await shoot(page, 'begun')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await frame.locator('.begun').waitFor()
    expect(writes(scenario)).toEqual([])

    await frame.getByRole('button', { name: `Add ${TITLE}` }).click()
    await frame.getByLabel('What matters most').fill(WORDS)
    await shoot(page, 'begun-form')
    await save(frame)
    await saved(frame)
    expect(writes(scenario)).toEqual([LISTING, SECTION])
    expect(scenario.listings).toEqual([
      {
        resourceType: 'CarePlan',
        ...{ status: 'active', intent: 'plan', title: 'Shared care plan' },
        category: [
          {
            coding: [
              {
                ...{ system: 'http://snomed.info/sct', code: '2181441000000107' },
                display: 'Personalised Care and Support Plan',
              },
            ],
          },
        ],
        description: 'Held as openEHR compositions: one for each section.',
        subject: { reference: 'Patient/pat-1' },
        created: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      },
    ])
    expect(await frame.locator('.begun').count()).toBe(0)
    expect(await cautions(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Print' }).waitFor()
    await shoot(page, 'begun-saved')
    expect(await violations(frame)).toEqual([])

    // The second section is a section like any other.
    await frame.getByRole('button', { name: 'Add Thinking ahead' }).click()
    await frame.getByLabel('Preferred place of care').fill('At home')
    await save(frame)
    await frame.locator('#section-thinking-ahead .saved').waitFor()
    expect(writes(scenario)).toEqual([LISTING, SECTION, SECTION])
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await frame.getByText(WORDS).waitFor()
    expect(await cautions(frame)).toEqual([])
  })

  it.each<[string, Partial<Scenario>, string]>([
    // All other ways are in care-plan-sections.test.ts.
    ['under emergency access', { emergency: true }, 'none'],
    ['where the sections could not be read', { failing: new Map([['sections', 500]]) }, 'failed'],
  ])('is offered no new one %s', async (how, changes, shows) => {
    const handle = `begin-not-${how.replaceAll(' ', '-')}`
    const { frame } = await openPlan(stage, handle, newPatient(changes), shows)
    expect(await beginButton(frame).count()).toBe(0)
    expect(await seen(frame.locator('main'))).not.toContain('If this patient needs a plan')
  })

  it('and without a health record can be given none here, and who might is told why', async () => {
    const scenario = newPatient({ ehrId: undefined })
    const { page, frame } = await openPlan(stage, 'begin-no-ehr', scenario, 'none')
    expect(await beginButton(frame).count()).toBe(0)
    expect(await seen(frame.locator('main'))).toContain('A plan cannot be begun here yet')
    await shoot(page, 'begin-no-record')
    expect(await violations(frame)).toEqual([])
  })
})

describe('a new plan that could not be listed', () => {
  it('leaves what was typed, sends no section, and is listed once when asked again', async () => {
    const failing = new Map([['listing', 503]] as const)
    const { scenario, page, frame } = await typing('begin-not-listed', { failing })
    await save(frame)
    await frame
      .getByText('the plan must be listed in the record before this section is saved')
      .waitFor()
    expect(await frame.getByLabel('What matters most').inputValue()).toBe(WORDS)
    expect(writes(scenario)).toEqual([LISTING])
    await frame.locator('.begun').waitFor()
    await shoot(page, 'begin-not-listed')
    expect(await violations(frame)).toEqual([])
    scenario.failing.clear()
    await save(frame)
    await saved(frame)
    expect(scenario.listings).toHaveLength(1)
    expect(writes(scenario)).toEqual([LISTING, LISTING, SECTION])
  })

  it('because the chart has moved on is said so, and what was typed is found again', async () => {
    const { scenario, page, frame } = await typing('begin-moved-on')
    scenario.superseded = true
    // A draft is refused first: it is said before anybody tries to save.
    await frame.getByText('Nothing can be saved from this view any more').waitFor()
    expect(await frame.getByLabel('What matters most').inputValue()).toBe(WORDS)
    await save(frame)
    await frame.locator('[data-page=superseded]').waitFor()
    expect(writes(scenario)).toEqual([])
    await frame.getByRole('button', { name: 'Show this plan, to read' }).click()
    await frame.locator('.begun').waitFor()
    const text = await seen(frame.locator('main'))
    expect(text).toMatch(
      /Nothing can be saved from this view any more[\s\S]*open this patient’s care/,
    )
    expect(text).toContain('Nothing was recorded from this view.')
    expect(text).not.toContain('until you save')
    expect(await frame.getByRole('button', { name: /^(Add|Edit) / }).count()).toBe(0)
    await shoot(page, 'begun-left')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Show what you typed' }).click()
    expect(await seen(frame.locator('[data-page=superseded]'))).toContain(WORDS)
  })

  it('is looked for in the record by whoever gives up', async () => {
    const { frame } = await typing('begin-left', { failing: new Map([['listing-answer', 504]]) })
    await save(frame)
    await frame.getByText('that did not succeed').waitFor()
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await frame.getByRole('button', { name: 'Discard changes' }).click()
    await frame.getByText('no sections of it were found').waitFor()
    expect(await frame.locator('.begun').count()).toBe(0)
  })
})

describe('a first section that failed after its plan was listed', () => {
  it('is said, with the plan that is there by now, and is saved into that one when asked again', async () => {
    const { scenario, page, frame } = await typing('begin-section', {
      failing: new Map([['save', 422]]),
    })
    await save(frame)
    await frame.getByText('The new plan itself is listed in the record by now').waitFor()
    expect(await frame.getByLabel('What matters most').inputValue()).toBe(WORDS)
    expect(await cautions(frame)).toEqual([
      expect.stringContaining('no sections of it were found.'),
    ])
    await shoot(page, 'begin-section-failed')
    expect(await violations(frame)).toEqual([])
    scenario.failing.clear()
    await save(frame)
    await saved(frame)
    expect(scenario.listings).toHaveLength(1)
    expect(writes(scenario)).toEqual([LISTING, SECTION, SECTION])
    expect(await cautions(frame)).toEqual([])
  })
})

describe('a plan that is begun and not saved, while somebody else begins it', () => {
  const opened = async (handle: string) => {
    const scenario = newPatient()
    const { page, frame } = await openPlan(stage, handle, scenario, 'none')
    await beginButton(frame).click()
    saveByOther(scenario, 'resuscitation', { decision: 'do-not-attempt' }, 'Dr Helen Marsh')
    scenario.index = 'active'
    return { scenario, page, frame }
  }
  const look = (frame: Frame) => frame.getByRole('button', { name: 'Check for changes' }).click()

  it('is theirs as soon as somebody looks, and never called none where nobody answers', async () => {
    const { scenario, page, frame } = await opened('begin-meanwhile')
    scenario.failing.set('sections', 503)
    await look(frame)
    await frame.getByText('changes could not be looked for').waitFor()
    const text = await seen(frame.locator('main'))
    expect(text).toMatch(/held no shared care plan for this patient when it was read on \d\d-/)
    expect(text).not.toMatch(/has no (shared )?care plan|No shared care plan/)
    await shoot(page, 'begun-unchecked')
    scenario.failing.clear()
    await look(frame)
    await frame.getByText('Do not attempt CPR').first().waitFor()
    expect(await frame.locator('.begun').count()).toBe(0)
    expect(await cautions(frame)).toEqual([])
  })
})

describe('two clinicians who begin the plan of one patient', () => {
  it('have one plan, and the second is shown what the first has written of it', async () => {
    const { scenario, page, frame } = await typing('begin-overtaken', { overtaken: true })
    saveByOther(scenario, 'resuscitation', { decision: 'do-not-attempt' }, 'Dr Helen Marsh')
    await save(frame)
    await saved(frame)
    expect(scenario.listings).toHaveLength(0)
    expect(scenario.sections.has(MATTERS)).toBe(true)
    // Said above the plan, and where the one who saves it looks.
    expect(await cautions(frame)).toEqual([
      expect.stringContaining('somebody else has begun this plan too'),
    ])
    expect(await seen(frame.locator('.saved'))).toContain('Somebody else has begun this plan too')
    expect(await seen(frame.locator('.resus__decision'))).toContain('Do not attempt CPR')
    expect(await seen(frame.locator('.overview'))).toMatch(/Resuscitation \(CPR\)\s+20-Nov-2026/)
    await shoot(page, 'begin-overtaken')
  })
})

describe('what was typed into a plan that was never begun', () => {
  const kept = { at: '2026-11-25T16:20:00Z', body: { values: { matters: WORDS }, adopted: [] } }
  const unsaved = () =>
    new Map([[MATTERS, { body: kept.body, kept: kept.at, by: 'ctx_fakeearlier' }]])

  it('is offered where there is still no plan, and gone on with in a new one', async () => {
    const scenario = newPatient({ unsaved: unsaved() })
    const { page, frame } = await openPlan(stage, 'begin-draft', scenario, 'none')
    const offer = frame.getByRole('region', { name: 'Unsaved changes' })
    await offer.getByText(`You have unsaved changes to “${TITLE}”`).waitFor()
    await shoot(page, 'begin-draft')
    expect(await violations(frame)).toEqual([])
    await offer.getByRole('button', { name: 'Continue' }).click()
    expect(await frame.getByLabel('What matters most').inputValue()).toBe(WORDS)
    await frame.locator('.begun').waitFor()
    await save(frame)
    await saved(frame)
    expect(writes(scenario)).toEqual([LISTING, SECTION])
  })
})
