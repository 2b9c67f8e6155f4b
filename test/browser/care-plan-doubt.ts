/** A save of which nobody knows whether it was done must never be called "not saved", or "saved". */
import { describe, expect, it } from '@jest/globals'
import type { Frame } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import type { Failable, Scenario } from './scenario.js'

const CPR = 'care-plan::resuscitation.v1'
const UNKNOWN = 'It is not known whether this was saved'

const save = (frame: Frame) => frame.getByRole('button', { name: 'Save', exact: true }).click()
const writes = ({ log }: Scenario) => log.filter((line) => /^(PUT|POST) \/openehr/.test(line))
const main = (frame: Frame) => seen(frame.locator('main'))

/** Changes DNACPR to "Attempt CPR", and meets a save that goes wrong. */
async function decide(handle: string, failing: readonly [Failable, number | 'drop'][]) {
  const scenario = newScenario()
  const { page, frame } = await openPlan(stage, handle, scenario)
  await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
  await frame.getByLabel('Attempt CPR', { exact: true }).check()
  await frame.getByLabel('Decided by').fill('Dr Amara Okafor')
  for (const [call, how] of failing) scenario.failing.set(call, how)
  await save(frame)
  await frame.getByRole('alert').waitFor()
  return { scenario, page, frame }
}

async function leave(frame: Frame): Promise<void> {
  await frame.getByRole('button', { name: 'Cancel' }).click()
  await frame.getByRole('button', { name: 'Read the section again' }).click()
}

describe('a save whose outcome is not known', () => {
  it.each<[string, Failable, number | 'drop']>([
    ['the gateway says that it does not know', 'save', 503],
    ['the gateway failed on the way', 'save-answer', 500],
    ['the gateway took too long', 'save', 408],
    ['the connection was lost', 'save', 'drop'],
  ])('is called so when %s, and saved once when asked again', async (what, call, how) => {
    const { scenario, frame } = await decide(`unknown-${how}-${call}`, [[call, how]])
    const text = await seen(frame.getByRole('alert'))
    expect([what, text]).toEqual([what, expect.stringContaining(UNKNOWN)])
    expect(text).not.toMatch(/not saved/)
    scenario.failing.clear()
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('.resus__decision'))).toBe('Attempt CPR')
    expect(scenario.sections.get(CPR)?.version).toBe(2)
  })

  it('is read again when the user leaves it: the decision on the screen is that of the record', async () => {
    const { scenario, page, frame } = await decide('unknown-leave', [['save-answer', 503]])
    await shoot(page, 'unknown')
    expect(await violations(frame)).toEqual([])
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Cancel' }).click()
    expect(await seen(frame.getByRole('dialog'))).toContain('It is not known whether')
    await shoot(page, 'unknown-leave')
    await frame.getByRole('button', { name: 'Read the section again' }).click()
    const notice = frame.locator('.doubt')
    await notice.waitFor()
    expect(await seen(notice)).toContain('This is what the record held')
    expect(await seen(frame.locator('.resus__decision'))).toBe('Attempt CPR')
    expect(await frame.evaluate('document.activeElement.className')).toContain('doubt')
    await shoot(page, 'unknown-read')
    expect(await violations(frame)).toEqual([])
  })

  it('leaves no old decision on the screen when the record cannot be read again', async () => {
    const { scenario, page, frame } = await decide('unknown-unread', [
      ['save-answer', 503],
      ['sections', 503],
    ])
    await leave(frame)
    await frame.waitForSelector('[data-page=failed]')
    expect(await main(frame)).toContain(
      'It is not known whether your changes to “Resuscitation (CPR)” were saved.',
    )
    expect(await main(frame)).not.toContain('Do not attempt')
    await shoot(page, 'unknown-unread')
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.locator('.doubt').waitFor()
    expect(await seen(frame.locator('.resus__decision'))).toBe('Attempt CPR')
  })

  it('stays unknown when a second attempt is refused', async () => {
    const { scenario, frame } = await decide('unknown-refused', [['save-answer', 503]])
    scenario.failing.clear()
    scenario.failing.set('save', 403)
    await save(frame)
    await frame.getByText('role does not allow').waitFor()
    expect(await seen(frame.getByRole('alert'))).toContain(UNKNOWN)
  })

  it('is found when the section was begun by it, and is not begun twice', async () => {
    const scenario = newScenario({ failing: new Map([['save-answer', 503]]) })
    const { frame } = await openPlan(stage, 'unknown-begun', scenario)
    await frame.getByRole('button', { name: 'Add Thinking ahead' }).click()
    await frame.getByLabel('Preferred place of care').fill('At home')
    await save(frame)
    await frame.getByText(UNKNOWN).waitFor()
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(writes(scenario)).toHaveLength(1)
  })
})

describe('a save that was refused', () => {
  it.each([
    [400, 'This was not saved: the record could not take it.'],
    [429, 'This was not saved: the record could not take it.'],
    [403, 'This was not saved: your role does not allow this change.'],
  ])(
    'is called "not saved" with status %i, and leaves the decision as it was',
    async (status, why) => {
      const { frame } = await decide(`known-${status}`, [['save', status]])
      expect(await seen(frame.getByRole('alert'))).toContain(why)
      await frame.getByRole('button', { name: 'Cancel' }).click()
      await frame.getByRole('button', { name: 'Discard changes' }).click()
      expect(await seen(frame.locator('.resus__decision'))).toContain('Do not attempt CPR')
    },
  )
})
