/** The matrix, trying out, a review of rights and of emergency access, at 1280 and 320 pixels: run by console.test.ts. */
import { describe, expect, it } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Emergency } from '../../src/core/emergency.js'
import { emergencyPuts } from '../../src/session/emergencies.js'
import { launchTo } from '../app-by-hand.js'
import type { TestGateway } from '../gateway.js'
import { open, SENSITIVE } from '../launching.js'
import { UserAgent } from '../user-agent.js'
import { violations } from './accessibility.js'
import type { Browser } from './chromium.js'
import { shoot } from './demonstration.js'

/** What these pages share with the other pages of the console: opened once for all. */
export interface ConsoleStage {
  readonly t: TestGateway
  readonly browser: Browser
}

const heading = (page: Page, name: string | RegExp) =>
  page.getByRole('heading', { name, exact: true }).waitFor({ timeout: 90_000 })

/** Nothing but tables scrolls to the side, and axe finds nothing, wide and narrow. */
async function look(page: Page, name: string): Promise<void> {
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: width === 320 ? 640 : 1000 })
    await shoot(page, `seeing-${name}-${width}`)
    const wide = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    )
    expect({ name, width, wide }).toEqual({ name, width, wide: 0 })
    expect({ name, found: await violations(page) }).toEqual({ name, found: [] })
  }
  await page.setViewportSize({ width: 1280, height: 1000 })
}

const menu = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name, exact: true }).click()

/** @param stage once it is open */
export function seeing(stage: () => ConsoleStage): void {
  async function signedIn(name: string): Promise<Page> {
    const { t, browser } = stage()
    await browser.context.clearCookies()
    const page = await browser.context.newPage()
    await page.goto(`${t.issuer}/console`)
    await heading(page, 'Sign in to the access console')
    await t.clock.catchUp()
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByLabel(name).check()
    await page.getByLabel('Authenticator app').check()
    await page.getByRole('button', { name: 'Continue' }).click()
    await heading(page, 'Console')
    return page
  }

  describe('an author', () => {
    it('reads the matrix while it grows, goes into a cell, and tries it out', async () => {
      const page = await signedIn('Rohan Mehta')
      await menu(page, 'Matrix')
      await page.getByRole('progressbar').waitFor()
      await shoot(page, 'seeing-waiting')
      await heading(page, 'Who may read')
      await look(page, 'matrix')
      await page.getByLabel('Role').selectOption({ label: 'Practice nurse' })
      await page.getByRole('button', { name: 'Show' }).click()
      await heading(page, 'Practice nurse: Sections of the plan')
      await look(page, 'matrix-role')
      // By keyboard: a cell is a link that says the whole of it.
      const cell = page.getByRole('link', { name: /Practice nurse, update, Resuscitation/ })
      await cell.focus()
      await page.keyboard.press('Enter')
      await heading(page, /Practice nurse, update, Resuscitation/)
      await look(page, 'cell')
      await page.getByRole('link', { name: /^Try it out/ }).click()
      await heading(page, 'Try out')
      await look(page, 'simulate')
      await page.getByLabel('Activities', { exact: true }).fill('B0380')
      await page.getByLabel('Organisation (ODS code)').fill('A83001')
      await page.getByRole('combobox', { name: 'App', exact: true }).selectOption('care-plan')
      await page.getByRole('button', { name: 'Try it out' }).click()
      await heading(page, /Denied/)
      await page.getByText('the role is GP').first().waitFor()
      for (const summary of await page.locator('summary').all()) await summary.click()
      await look(page, 'simulated')
      await page.close()
    })

    it('learns what would have had to be different for a launch that was denied', async () => {
      const { t } = stage()
      const order = { system: 'gp-push', user: 'receptionist', patient: SENSITIVE }
      const denial = await open(t, new UserAgent(), order)
      const reference = /data-reference="(ref_[\w-]+)"/.exec(denial.text)?.[1] ?? ''
      const page = await signedIn('Rohan Mehta')
      await page.goto(`${t.issuer}/console/decisions/${reference}`)
      await heading(page, 'What would have had to be different')
      await look(page, 'different')
      await page.close()
    })
  })

  describe('a privacy officer', () => {
    it('reviews rights, and closes a use of emergency access', async () => {
      const { t } = stage()
      await launchTo(t, { system: 'gp-push' })
      const one: Emergency = {
        ...{ id: `emg_${'a'.repeat(32)}` as never, launch: 'lch_x' as never },
        user: {
          ...{ uid: '555254239103', name: 'Siobhan Kelly', organization: 'NX301' },
          roles: ['community-nurse'],
        },
        ...{ patient: { fhirId: 'pat-1' }, system: 'gp-push', app: 'care-plan' },
        ...{ reason: 'cannot-consent', text: 'Found unconscious at home, nobody else is here.' },
        ...{ at: t.clock() - 50 * 3_600_000, until: t.clock() - 49 * 3_600_000 },
      }
      await t.running.store.commit({ puts: emergencyPuts(one) })
      const page = await signedIn('Miriam Goldberg')
      await look(page, 'home')
      await menu(page, 'Rights')
      await page.getByLabel('On', { exact: true }).waitFor({ timeout: 90_000 })
      await page.getByLabel('On', { exact: true }).selectOption('app/care-plan')
      await page.getByRole('combobox', { name: 'Who may' }).selectOption('launch')
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByRole('table', { name: 'Who did' }).getByText('555254239101').waitFor()
      await look(page, 'rights')
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Export “Who did” (CSV)' }).click()
      expect((await download).suggestedFilename()).toMatch(/^rights-did-.*\.csv$/)

      await menu(page, 'Emergencies')
      await page.getByText('2 days').waitFor()
      await look(page, 'emergencies')
      await page.getByRole('link', { name: /^Review\s+the case/ }).click()
      await heading(page, 'One use of emergency access')
      await look(page, 'emergency')
      await page.getByRole('button', { name: 'Close the case' }).click()
      await heading(page, 'The case was not closed')
      await look(page, 'emergency-not-closed')
      await page.getByLabel('Appropriate', { exact: true }).check()
      await page.getByLabel('In a sentence or two').fill('The crew’s notes say the same.')
      await page.getByRole('button', { name: 'Close the case' }).click()
      await heading(page, 'Emergency access to review')
      expect(await t.running.emergencies.waiting()).toBe(0)
      await page.close()
    })
  })
}
