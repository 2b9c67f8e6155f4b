/** What others change while a plan is on the screen: read anew after a sign of the user, told, and nothing lost by it. */
import { describe, expect, it } from '@jest/globals'
import type { Frame, Page } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, openTimed, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { beginning, type Scenario, saveByOther, scopeFor, stored } from './scenario.js'

const MINUTE = 60_000
const CPR = 'care-plan::resuscitation.v1'
const said = (frame: Frame) => frame.locator('#status').textContent()
const looks = ({ log }: Scenario) => log.filter((line) => line.includes('/query/')).length
const strip = (frame: Frame) => frame.locator('.turned')
const turned = (scenario: Scenario) =>
  saveByOther(scenario, 'resuscitation', { decision: 'attempt' }, 'Dr Tom Brightwell')

/** Some minutes go by with nobody there, and then the mouse is moved. */
async function comesBack(page: Page, minutes = 3.5): Promise<void> {
  await page.clock.runFor(minutes * MINUTE)
  await page.mouse.move(120, 320)
}

describe('a decision that a colleague changes while the plan is open', () => {
  it('is shown and said to who is there, and takes neither focus nor place', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'turned', scenario)
    turned(scenario)
    const before = looks(scenario)
    const link = frame.getByRole('button', { name: 'Edit What matters to me' })
    await link.focus()
    // Nobody is there: nothing asks, for every call would keep the session open.
    await page.clock.runFor(10 * MINUTE)
    expect(looks(scenario)).toBe(before)
    expect(await seen(frame.locator('.plan__when'))).toMatch(/\((9|10) minutes ago\)$/)
    const top = () => link.evaluate((one) => Math.round(one.getBoundingClientRect().top))
    const [place, old] = [await top(), await seen(frame.locator('.resus__decision').first())]
    expect(old).toContain('Do not attempt CPR')

    await page.mouse.move(120, 320)
    await strip(frame).waitFor()
    expect(looks(scenario)).toBe(before + 1)
    expect(await seen(strip(frame))).toMatch(
      /The CPR decision has changed\. Now: Attempt CPR\.\s+Before: Do not attempt CPR \(DNACPR\)\. Read at \d\d:\d\d\.\s+Show it/,
    )
    expect(await said(frame)).toContain('The CPR decision has changed. Now: Attempt CPR.')
    expect(await seen(frame.locator('.resus__decision').first())).toContain('Attempt CPR')
    expect(await frame.evaluate('document.activeElement.textContent')).toBe(
      'Edit What matters to me',
    )
    // What is read stays where it is, but for the strip above it.
    expect(Math.abs((await top()) - place)).toBeLessThan(2)
    await shoot(page, 'turned')
    expect(await violations(frame)).toEqual([])

    await strip(frame).getByRole('button', { name: 'Show it' }).click()
    expect(await frame.evaluate('document.activeElement.textContent')).toContain('Resuscitation')
    expect(await strip(frame).count()).toBe(0)
    const news = frame.getByRole('region', { name: 'Changed by others' })
    expect(await seen(news)).toMatch(
      /Changed since this plan was read at \d\d:\d\d:\s+Resuscitation \(CPR\): changed 20-Nov-2026 at 09:30 by Dr Tom Brightwell\. Now: Attempt CPR\./,
    )
    await news.scrollIntoViewIfNeeded()
    await shoot(page, 'news')
    await page.emulateMedia({ media: 'print' })
    const sheet = await seen(frame.locator('.page'))
    await page.emulateMedia({ media: null })
    expect(sheet).not.toMatch(/decision has changed|this plan was read|minutes ago/)
    await news.getByRole('button', { name: 'I have seen this' }).click()
    await news.waitFor({ state: 'detached' })
    expect(await frame.evaluate('document.activeElement.textContent')).toBe('Care plan')
  })

  it('is shown to who types: what is typed stays, and the caret', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'turned-typing', scenario)
    await frame.getByRole('button', { name: 'Edit What matters to me' }).click()
    const about = frame.getByLabel('About me')
    await about.fill('Changed')
    turned(scenario)
    saveByOther(scenario, 'what-matters', { about: 'Theirs' }, 'Dr Tom Brightwell')
    // Just below the patient, where the strip will stand.
    await about.evaluate((one) => one.scrollIntoView())
    const edges = () =>
      frame.evaluate<number[]>(`[
        document.activeElement.getBoundingClientRect().top,
        document.getElementById('banner').getBoundingClientRect().bottom,
      ]`)
    const [before = 0, banner = 0] = await edges()
    expect(before - banner).toBeLessThan(30)
    await page.clock.runFor(3.5 * MINUTE)
    await about.press('End')
    await strip(frame).waitFor()
    const [top = 0, bottom = 0] = await edges()
    expect(bottom).toBeGreaterThan(before)
    expect(top).toBeGreaterThanOrEqual(bottom)
    expect(await about.inputValue()).toBe('Changed')
    expect(await about.evaluate((one) => one.matches(':focus'))).toBe(true)
    expect(await seen(frame.locator('.news'))).toMatch(/What matters to me: changed/)
    await shoot(page, 'turned-typing')
    expect(await violations(frame)).toEqual([])
    // Who lets it be sees what the record holds by now.
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await frame.getByRole('button', { name: 'Discard changes' }).click()
    await frame.locator('#section-what-matters').getByText('Theirs').waitFor()
  })

  it('is what somebody begins from who changes it a minute later', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'turned-edit', scenario)
    turned(scenario)
    await page.clock.runFor(1.5 * MINUTE)
    await frame.getByRole('button', { name: 'Edit Resuscitation' }).click()
    expect(await frame.getByRole('radio', { name: 'Attempt CPR', exact: true }).isChecked()).toBe(
      true,
    )
    await frame.getByLabel('Reason').fill('She is well')
    await frame.getByRole('button', { name: 'Save', exact: true }).click()
    await frame.locator('.saved').waitFor()
  })
})

describe('who looks for changes', () => {
  it('is told that there are none, and else which', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'asked', scenario)
    const look = () => frame.getByRole('button', { name: 'Check for changes' }).click()
    await look()
    await frame.getByText(/^No change was found since \d\d:\d\d\.$/).waitFor()
    turned(scenario)
    await look()
    await strip(frame).waitFor()
    expect(await frame.getByText('No change was found').count()).toBe(0)
  })
})

describe('a page that is read anew', () => {
  it('says that it could not be, keeps the plan, and goes on with the next sign', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'silent', scenario)
    scenario.failing.set('sections', 503)
    await comesBack(page)
    await frame.getByText('changes could not be looked for').waitFor()
    expect(await seen(frame.locator('.resus__decision').first())).toContain('Do not attempt CPR')
    scenario.failing.clear()
    await comesBack(page, 1.1)
    await frame.getByText('changes could not be looked for').waitFor({ state: 'detached' })
    scenario.failing.set('sections', 403)
    await comesBack(page)
    await frame.waitForSelector('[data-page=failed]')
    expect(await seen(frame.locator('main'))).not.toContain('Do not attempt CPR')
  })

  it('that said there is no plan shows the one that there is by now', async () => {
    const scenario = newScenario({ index: 'none', sections: new Map() })
    const { page, frame } = await openTimed(stage, 'none-anew', scenario, 'none')
    const again = frame.getByRole('button', { name: 'Check again' })
    await again.focus()
    const read = await seen(frame.locator('.none__read'))
    await comesBack(page)
    await frame.getByText(read).waitFor({ state: 'detached' })
    expect(await again.evaluate((one) => one.matches(':focus'))).toBe(true)
    scenario.sections.set(
      CPR,
      stored('resuscitation', { decision: 'attempt' }, 'Dr Marsh', '2026-11-20T10:00:00Z'),
    )
    scenario.index = 'active'
    await comesBack(page)
    await frame.getByText('Attempt CPR').first().waitFor()
  })

  it('leaves a warning unanswered that nobody has answered', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'warned', scenario)
    const before = looks(scenario)
    await page.clock.runFor(13.5 * MINUTE)
    await frame.getByRole('alertdialog').waitFor()
    await page.mouse.move(120, 320)
    await page.clock.runFor(1000)
    expect(looks(scenario)).toBe(before)
  })
})

describe('a plan that has sections and is not listed', () => {
  const ended = (scope = beginning(scopeFor({ '*': 'cru' }))) =>
    newScenario({ index: 'completed', scope })
  async function change(frame: Frame) {
    await frame.getByRole('button', { name: 'Edit What matters to me' }).click()
    await frame.getByLabel('About me').fill('Changed')
    await frame.getByRole('button', { name: 'Save', exact: true }).click()
  }

  it('is listed again before what is saved in it, if its user says so', async () => {
    const scenario = ended()
    const { page, frame } = await openPlan(stage, 'unlisted', scenario)
    expect(await seen(frame.locator('.plan__notices'))).toMatch(
      /lists no active plan[\s\S]*you are asked whether the plan is to be listed as active again/,
    )
    await change(frame)
    const dialog = frame.getByRole('dialog')
    await dialog.getByText('List this plan as active again?').waitFor()
    await shoot(page, 'list-again')
    expect(await violations(frame)).toEqual([])
    await dialog.getByRole('button', { name: 'Go back' }).click()
    expect(scenario.listings).toEqual([])
    expect(await frame.getByLabel('About me').inputValue()).toBe('Changed')
    await frame.getByRole('button', { name: 'Save', exact: true }).click()
    await dialog.getByRole('button', { name: 'List the plan and save' }).click()
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('.saved'))).toContain('The plan is listed as active again')
    expect(scenario.listings).toHaveLength(1)
    expect(await frame.locator('.caution').count()).toBe(0)
  })

  it('stays as it is where its user wants that, who is asked once', async () => {
    const scenario = ended()
    const { frame } = await openPlan(stage, 'unlisted-not', scenario)
    await change(frame)
    await frame.getByRole('button', { name: 'Save without listing it' }).click()
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('.saved'))).not.toContain('listed')
    await frame.getByRole('button', { name: 'Edit Personal and' }).click()
    await frame.getByLabel('Lasting power of attorney').first().fill('Ruth and Peter')
    await frame.getByRole('button', { name: 'Save', exact: true }).click()
    await frame.locator('#section-contacts .saved').waitFor()
    expect(scenario.listings).toEqual([])
  })

  it('says to who may not list it who may', async () => {
    const { frame } = await openPlan(stage, 'unlisted-nurse', ended(scopeFor({ '*': 'cru' })))
    expect(await seen(frame.locator('.plan__notices'))).toContain(
      'ask a clinician who may begin care plans',
    )
  })
})
