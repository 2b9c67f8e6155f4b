import { describe, expect, it } from '@jest/globals'
import type { Page, Response } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openTimed, passUntil, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { beginning, type Scenario, scopeFor } from './scenario.js'

const MINUTE = 60_000

const renewals = ({ log }: Scenario) =>
  log.filter((line) => line.startsWith('token refresh_token')).length

/**
 * The user is there, and the page's time passes until a renewal is answered. Small steps: the page's minutes pass
 * faster than the network's, and a movement counts only from when the page has taken the answer before it. A look at the
 * record says that the user is there too: then it is the token's own end that is renewed.
 */
async function untilRenewed(page: Page): Promise<Response> {
  let renewed: Response | undefined
  const answer = page.waitForResponse('**/oauth/token').then((response) => {
    renewed = response
    return response
  })
  for (let step = 0; step < 120 && !renewed; step++) {
    await page.mouse.move(100 + step, 300)
    await page.clock.runFor(10_000)
  }
  return answer
}

describe('emergency access', () => {
  it('says so above the patient as long as the plan is on the screen, and leaves with it', async () => {
    const scope = scopeFor({ '*': 'r' })
    const scenario = newScenario({ emergency: true, endsInSeconds: 600, idleSeconds: 3600, scope })
    const { page, frame } = await openTimed(stage, 'emergency', scenario)
    const strip = frame.getByRole('region', { name: 'Emergency access' })
    expect(await seen(strip)).toMatch(
      /^Emergency access: read only, until \d\d:\d\d\. This access is recorded and will be reviewed\.$/,
    )
    expect(await frame.getByRole('button', { name: /^Edit / }).count()).toBe(0)
    expect(await seen(frame.locator('.readonly'))).toBe(
      'Emergency access is for reading only: nothing can be changed in this view.',
    )
    await frame.locator('footer').scrollIntoViewIfNeeded()
    // Still at the top of the frame, with all of the plan scrolled past.
    expect(
      await frame.evaluate("document.querySelector('.glass').getBoundingClientRect().top"),
    ).toBe(0)
    await shoot(page, 'emergency')
    expect(await violations(frame)).toEqual([])
    await page.clock.runFor(9 * MINUTE)
    expect(await strip.count()).toBe(1)
    await page.clock.runFor(2 * MINUTE)
    await frame.waitForSelector('[data-page=longest]')
    expect(await strip.count()).toBe(0)
  })

  it('is nothing that an ordinary launch says', async () => {
    const { frame } = await openTimed(stage, 'no-emergency', newScenario())
    expect(await frame.getByRole('region', { name: 'Emergency access' }).count()).toBe(0)
  })
})

describe('a session that nobody uses', () => {
  it('is warned of two minutes before its end, and extended by one key', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'extend', scenario)
    await page.clock.runFor(12 * MINUTE)
    expect(await frame.getByRole('alertdialog').count()).toBe(0)
    await page.clock.runFor(1.5 * MINUTE)
    const dialog = frame.getByRole('alertdialog')
    await dialog.waitFor()
    expect(await seen(dialog)).toMatch(/taken off the screen in 1 minute \d+ seconds/)
    await shoot(page, 'warning')
    expect(await violations(frame)).toEqual([])
    expect(renewals(scenario)).toBe(0)
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    expect(renewals(scenario)).toBe(1)
    await page.clock.runFor(12 * MINUTE)
    expect(await frame.locator('[data-page=plan]').count()).toBe(1)
  })

  it('takes everything off the screen at its end, and says why and what to do', async () => {
    const { page, frame } = await openTimed(stage, 'idle', newScenario())
    await page.clock.runFor(16 * MINUTE)
    await frame.waitForSelector('[data-page=idle]')
    const text = await seen(frame.locator('body'))
    expect(text).not.toMatch(/ASHWORTH|CPR|999 000|Okafor/)
    expect(text).toContain('Open the care plan again from the patient record.')
    await shoot(page, 'idle')
    expect(await violations(frame)).toEqual([])
  })

  it('ends at once on a computer that wakes after its end', async () => {
    const { page, frame } = await openTimed(stage, 'asleep', newScenario())
    await page.clock.fastForward(3 * 60 * MINUTE)
    await frame.waitForSelector('[data-page=idle]')
  })

  it('names the section whose changes would be lost', async () => {
    const { page, frame } = await openTimed(stage, 'unsaved', newScenario())
    await frame.getByRole('button', { name: 'Edit What matters to me' }).click()
    await frame.getByLabel('About me').fill('Changed')
    const dialog = frame.getByRole('alertdialog')
    await passUntil(page, dialog)
    expect(await seen(dialog)).toContain('You have unsaved changes to “What matters to me”.')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(await frame.getByLabel('About me').inputValue()).toBe('Changed')
  })
})

describe('a session in use', () => {
  it('is renewed while the user is active, without a warning', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'active', scenario)
    for (let step = 1; step <= 3; step++) expect((await untilRenewed(page)).status()).toBe(200)
    expect(await frame.getByRole('alertdialog').count()).toBe(0)
    expect(await frame.locator('[data-page=plan]').count()).toBe(1)
    // On a busy machine more: the page gives one up when so much of its own time has passed, and asks again.
    expect(renewals(scenario)).toBeGreaterThanOrEqual(3)
  })

  it('says that it cannot be extended when its longest time is near, and ends then', async () => {
    const { page, frame } = await openTimed(stage, 'longest', newScenario({ endsInSeconds: 600 }))
    await page.clock.runFor(8.5 * MINUTE)
    const dialog = frame.getByRole('alertdialog')
    await dialog.waitFor()
    expect(await seen(dialog)).toContain('Your session is about to end')
    await shoot(page, 'warning-longest')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    await page.clock.runFor(1.6 * MINUTE)
    await frame.waitForSelector('[data-page=longest]')
  })

  it('goes on after a renewal that met a broken network, and keeps its means to renew', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'broken', scenario)
    await page.clock.runFor(13.2 * MINUTE)
    const dialog = frame.getByRole('alertdialog')
    await dialog.waitFor()
    scenario.failing.set('token', 'drop')
    await page.keyboard.press('Enter')
    await passUntil(page, dialog.getByText('The service could not be reached.'), 1000)
    scenario.failing.clear()
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    expect(await frame.locator('[data-page=plan]').count()).toBe(1)
  })

  it('asks again with the same refresh token when the answer to a renewal was lost', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'lost', scenario)
    scenario.failing.set('token-answer', 'drop')
    await page.clock.runFor(1000)
    await page.mouse.move(100, 300)
    const lost = page.waitForEvent('requestfailed')
    await page.clock.runFor(228_000)
    await lost
    scenario.failing.clear()
    const renewed = page.waitForResponse('**/oauth/token')
    await page.clock.runFor(5000)
    expect((await renewed).status()).toBe(200)
    // The next renewal shows that it went on from the token of that answer.
    expect((await untilRenewed(page)).status()).toBe(200)
    expect(await frame.locator('[data-page=plan]').count()).toBe(1)
  })

  it('goes on trying, while the gateway still takes the token, after the user has answered the warning', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'trying', scenario)
    await page.clock.runFor(13.2 * MINUTE)
    const dialog = frame.getByRole('alertdialog')
    await dialog.waitFor()
    scenario.failing.set('token-answer', 'drop')
    await page.keyboard.press('Enter')
    await passUntil(page, dialog.getByText('The service could not be reached.'), 1000)
    await shoot(page, 'warning-unreachable')
    scenario.failing.clear()
    await page.clock.runFor(20_000)
    await dialog.waitFor({ state: 'detached' })
    expect(await frame.locator('[data-page=plan]').count()).toBe(1)
  })

  it('does not take a session for ended whose token ran out while the network was broken', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'ran-out', scenario)
    scenario.failing.set('token', 'drop')
    await page.clock.runFor(11 * MINUTE)
    const calls = scenario.log.filter((line) => line.startsWith('GET ')).length
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    const said = frame.getByText('changes could not be looked for')
    await passUntil(page, said, 1000)
    expect(scenario.log.filter((line) => line.startsWith('GET ')).length).toBe(calls)
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Check for changes' }).click()
    await said.waitFor({ state: 'detached' })
    await frame.waitForSelector('[data-page=plan]')
  })

  it('takes everything off the screen when the gateway refuses to renew it', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'refused-renewal', scenario)
    await page.clock.runFor(13.2 * MINUTE)
    await frame.getByRole('alertdialog').waitFor()
    scenario.ended = true
    await page.keyboard.press('Enter')
    await frame.waitForSelector('[data-page=ended]')
    expect(await seen(frame.locator('body'))).not.toMatch(/ASHWORTH|CPR/)
    expect(await frame.getByRole('alertdialog').count()).toBe(0)
  })

  it('takes everything off the screen when a renewal names another patient', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'other-patient', scenario)
    await page.clock.runFor(13.2 * MINUTE)
    await frame.getByRole('alertdialog').waitFor()
    scenario.patientId = 'pat-9'
    await page.keyboard.press('Enter')
    await frame.waitForSelector('[data-page=ended]')
  })

  it('shows less at once when a renewal grants less', async () => {
    const scenario = newScenario()
    const { page, frame } = await openTimed(stage, 'narrowed', scenario)
    await page.clock.runFor(13.2 * MINUTE)
    await frame.getByRole('alertdialog').waitFor()
    scenario.scope = scenario.scope.replace(
      /patient\/composition-care-plan::prognosis\.v1\.\w+ ?/,
      '',
    )
    await page.keyboard.press('Enter')
    await frame.getByText('Your role shows 14 of 15 sections').waitFor()
  })

  it('offers no new plan any more when a renewal takes the right to begin one', async () => {
    const scope = beginning(scopeFor({ '*': 'cru' }))
    const scenario = newScenario({ index: 'none', sections: new Map(), scope })
    const { page, frame } = await openTimed(stage, 'narrowed-begin', scenario, 'none')
    const begin = frame.getByRole('button', { name: 'Begin a care plan' })
    await begin.waitFor()
    await page.clock.runFor(13.2 * MINUTE)
    await frame.getByRole('alertdialog').waitFor()
    scenario.scope = scopeFor({ '*': 'cru' })
    await page.keyboard.press('Enter')
    await begin.waitFor({ state: 'detached' })
    await frame.locator('[data-page=none]').waitFor()
    expect(await begin.count()).toBe(0)
  })
})
