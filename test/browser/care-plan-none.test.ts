/** "No plan" is a clinical statement: these are the ways in which it must not come about. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import {
  newScenario,
  openPlan,
  openStage,
  type Stage,
  seen,
  shoot,
  violations,
} from './care-plan-stage.js'
import { scopeFor, stored } from './scenario.js'

jest.setTimeout(30_000)

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterAll(() => stage?.close())

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
    expect(await violations(page)).toEqual([])
    await frame.getByRole('button', { name: 'Add Personal and professional contacts' }).waitFor()
    await page.close()
  })

  it('is "no plan" for the same role when the record left nothing out', async () => {
    const scenario = newScenario({ index: 'none', scope: contactsOnly, sections: new Map() })
    const { page, frame } = await openPlan(stage, 'nothing', scenario, 'none')
    expect(await seen(frame.locator('main'))).toContain(NO_PLAN)
    await page.close()
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
    expect(await violations(page)).toEqual([])
    await page.close()
  })
})
