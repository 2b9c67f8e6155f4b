/** "No plan" is a clinical statement: these are the ways in which it must not come about. */
import { describe, expect, it } from '@jest/globals'
import { violations } from './accessibility.js'
import { newScenario, openPlan, openTimed, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { scopeFor, stored } from './scenario.js'

const NO_PLAN = 'No shared care plan was found'
/** As a receptionist sees it. */
const contactsOnly = scopeFor({ contacts: 'cru' })

describe('a plan of which the role may see nothing', () => {
  const cprOnly = () =>
    new Map([
      [
        'care-plan::resuscitation.v1',
        stored('resuscitation', { decision: 'do-not-attempt' }, 'Dr Marsh', '2026-03-12T14:10:00Z'),
      ],
    ])

  it('is not "no plan" when no active plan is listed, and is said to be there', async () => {
    const scenario = newScenario({ index: 'none', scope: contactsOnly, sections: cprOnly() })
    const { page, frame } = await openPlan(stage, 'hidden', scenario)
    const text = await seen(frame.locator('main'))
    expect(text).not.toContain(NO_PLAN)
    expect(text).toContain('sections of a care plan that your role may not see')
    expect(text).toContain('This does not mean that there is none.')
    await shoot(page, 'hidden')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Add Personal and professional contacts' }).waitFor()
  })

  it('is "no plan" for the same role when the record left nothing out', async () => {
    const scenario = newScenario({ index: 'none', scope: contactsOnly, sections: new Map() })
    const { frame } = await openPlan(stage, 'nothing', scenario, 'none')
    expect(await seen(frame.locator('main'))).toContain(NO_PLAN)
  })
})

describe('a plan that is listed, but not as active', () => {
  it.each(['draft', 'on-hold'])('is shown as one that is not active: %s', async (status) => {
    const scenario = newScenario({ index: status, sections: new Map() })
    const { page, frame } = await openPlan(stage, `listed-${status}`, scenario)
    const text = await seen(frame.locator('main'))
    expect(text).toContain('not as active')
    expect(text).not.toContain(NO_PLAN)
    await shoot(page, 'not-active')
    expect(await violations(frame)).toEqual([])
  })
})

describe('sections that were never asked for', () => {
  const unasked = (scope: string) => scope.replace('patient/aql-care-plan::sections.rs ', '')

  it('are not shown as empty: no CPR decision was looked for', async () => {
    const scenario = newScenario({ scope: unasked(scopeFor({ '*': 'cru' })) })
    const { page, frame } = await openPlan(stage, 'unasked', scenario, 'failed')
    const text = await seen(frame.locator('main'))
    expect(text).toContain('This app was not allowed to ask for the sections of the plan.')
    expect(text).toContain('This does not mean that there is no plan.')
    expect(text).not.toContain('CPR')
    // Asking again would not change the right to ask.
    expect(await frame.getByRole('button', { name: 'Try again' }).count()).toBe(0)
    await shoot(page, 'unasked')
    expect(await violations(frame)).toEqual([])
  })

  it('leave a role that sees none of them with the fact that there is a plan', async () => {
    const scenario = newScenario({ scope: unasked(`${scopeFor({})} `) })
    const { page, frame } = await openPlan(stage, 'unasked-none', scenario)
    expect(await frame.locator('article').count()).toBe(0)
    expect(await seen(frame.locator('main'))).toContain('none of its sections were read')
    await shoot(page, 'unasked-none')
  })

  it('are named as such when the record has sections that this app does not know', async () => {
    const scenario = newScenario({ scope: scopeFor({ '*': 'r' }) })
    const next = stored('resuscitation', { decision: 'attempt' }, 'Eve', '2026-03-12T14:10:00Z')
    scenario.sections.set('care-plan::next-year.v1', next)
    scenario.scope += ' patient/composition-care-plan::next-year.v1.r'
    const { frame } = await openPlan(stage, 'unknown-section', scenario)
    expect(await seen(frame.locator('.caution'))).toContain(
      '1 section that this app cannot show: check the full record',
    )
  })
})

describe('a patient who had no health record when the care plan was opened', () => {
  it('is not said to have no plan now: only opening the care plan again would ask for one', async () => {
    const failing = new Map([['CarePlan', 503]] as const)
    const scenario = newScenario({ index: 'none', ehrId: undefined, failing })
    const { page, frame } = await openTimed(stage, 'no-record', scenario, 'failed')
    const opened = await frame.evaluate<number>('new Date().getMinutes()')
    await page.clock.runFor(5 * 60_000)
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.waitForSelector('[data-page=none]')
    const text = await seen(frame.locator('main'))
    expect(text).toContain(NO_PLAN)
    const [, minute] = /searched when this view was opened, on \S+ at \d\d:(\d\d)/.exec(text) ?? []
    // It was opened before it was asked what time it is.
    expect((opened - Number(minute) + 60) % 60).toBeLessThanOrEqual(1)
    expect(text).toContain('To check again, open the care plan again from the patient record.')
    expect(await frame.getByRole('button').count()).toBe(0)
    await shoot(page, 'none-no-record')
    expect(await violations(frame)).toEqual([])
  })

  it('is not said to have no plan when one is listed, and there is nothing to try again', async () => {
    const { page, frame } = await openPlan(
      stage,
      'listed-no-record',
      newScenario({ ehrId: undefined }),
      'failed',
    )
    const text = await seen(frame.locator('main'))
    expect(text).toContain('Open the care plan again from the patient record.')
    expect(await frame.getByRole('button').count()).toBe(0)
    await shoot(page, 'listed-no-record')
  })
})
