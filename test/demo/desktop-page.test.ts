import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import { violations } from '../browser/accessibility.js'
import { addressOf, PATIENCE, STARTED } from '../browser/chromium.js'
import { openScene } from './desktop-scene.js'

jest.setTimeout(120_000)

let pages: string
let scene: Awaited<ReturnType<typeof openScene>>
let browser: Browser

async function bundle(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'desktop-page-'))
  await build({
    entryPoints: ['public/desktop/desktop.ts'],
    outfile: join(directory, 'desktop.js'),
    ...{ bundle: true, format: 'esm', target: 'es2022', logLevel: 'error' },
  })
  for (const file of ['index.html', 'desktop.css', 'systems.css'])
    await copyFile(`public/desktop/${file}`, join(directory, file))
  return directory
}

beforeAll(async () => {
  pages = await bundle()
  scene = await openScene(pages)
  browser = await chromium.launch(STARTED)
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await scene?.close()
  await rm(pages, { recursive: true, force: true })
})

async function open(address = '', width = 1280): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 900 } })
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  await page.goto(`${scene.desktop}/${address}`)
  await page.waitForSelector('body[data-system]')
  return page
}

const keep = (page: Page, name: string) =>
  process.env.PICTURES === undefined
    ? undefined
    : page.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: true })

describe('the page of the GP desktop', () => {
  for (const system of ['gp-push', 'gp-post', 'gp-smart', 'gp-sealed']) {
    it(`can be read and used by everyone in ${system}, with a chart open and a list of patients`, async () => {
      const page = await open(`#system=${system}&user=gp`)
      expect(await violations(page)).toEqual([])
      await keep(page, `${system}-list`)
      await page.getByRole('button', { name: /^ASHWORTH, Margaret Ellen/ }).click()
      await page.waitForSelector('#chart [role=tab]')
      expect(await violations(page)).toEqual([])
      await keep(page, `${system}-chart`)
      await page.context().close()
    })
  }

  for (const system of ['gp-push', 'gp-post']) {
    it(`opens the plan of the open patient inside the chart, and the inspector tells how, in ${system}`, async () => {
      const page = await open(`#system=${system}&user=practice-nurse`)
      await page.getByLabel(/Name, NHS number/).fill('999 000 0018')
      await page.getByText('1 patient', { exact: true }).waitFor()
      await page.getByRole('button', { name: /^ASHWORTH/ }).click()
      await page.getByRole('button', { name: 'Open care plan' }).click()
      const plan = page.frameLocator('iframe[title="Care plan of ASHWORTH, Margaret Ellen (Mrs)"]')
      await plan.getByText('Plan of patient p-1').waitFor()
      await page.getByText('Complete: the plan is on the screen.').waitFor()
      expect(await page.locator('.stage--done').count()).toBe(9)
      for (const summary of await page.locator('#stages > li > div > details > summary').all())
        await summary.click()
      expect(await violations(page)).toEqual([])
      await keep(page, `${system}-plan`)
      expect(addressOf(page)).not.toContain('999000')
      await page.context().close()
    })
  }

  it('finds any of two hundred patients by keyboard alone, page by page, on a narrow screen too', async () => {
    const page = await open('#system=gp-push&user=gp')
    await page.getByText('1 to 20 of 212 patients').waitFor()
    await page.getByRole('rowgroup').filter({ hasText: 'To begin with' }).waitFor()
    await page.getByLabel(/Name, NHS number/).focus()
    await page.keyboard.press('PageDown')
    await page.getByText('Page 2 of 11').waitFor()
    const focused = () => page.evaluate('document.activeElement.closest("tr")?.rowIndex')
    expect(await focused()).toBe(2)
    await page.keyboard.press('End')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    expect(await focused()).toBe(20)
    await page.keyboard.press('PageUp')
    await page.getByText('Page 1 of 11').waitFor()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.type('kowal 1949')
    await page.getByText('1 patient', { exact: true }).waitFor()
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.locator('button:focus', { hasText: /^KOWALCZYK/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^KOWALCZYK, Stanisław Jan/ }).waitFor()
    await page.getByRole('button', { name: 'Switch patient' }).click()
    await page.getByLabel(/Name, NHS number/).fill('nobody at all')
    await page.getByText('No patient is found.').waitFor()
    await page.getByLabel(/Name, NHS number/).fill('')
    await page.getByText('1 to 20 of 212 patients').waitFor()
    await page.setViewportSize({ width: 400, height: 900 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400)
    expect(await violations(page)).toEqual([])
    await keep(page, 'finder-narrow')
    expect(addressOf(page)).not.toContain('1949')
    await page.context().close()
  })

  it('leaves no plan on the screen when the user goes on to another patient', async () => {
    const page = await open('#system=gp-push&user=gp&chart=40101')
    await page.getByRole('button', { name: 'Open care plan' }).click()
    await page.frameLocator('iframe').getByText('Plan of patient p-1').waitFor()
    await page.getByRole('button', { name: 'Switch patient' }).click()
    expect(await page.locator('iframe').count()).toBe(0)
    expect(page.frames()).toHaveLength(1)
    await page.context().close()
  })

  it('opens nothing when the answer to a launch comes after the user has gone on', async () => {
    const page = await open('#system=gp-push&user=gp&chart=40101')
    let answer = () => {}
    let isAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve
    })
    await page.route('**/api/launch', async (route) => {
      await new Promise<void>((resolve) => {
        answer = resolve
        isAsked()
      })
      await route.continue()
    })
    await page.getByRole('button', { name: 'Open care plan' }).click()
    await asked
    await page.getByRole('button', { name: 'Switch patient' }).click()
    await page.getByRole('button', { name: /^FRASER/ }).click()
    const answered = page.waitForResponse('**/api/launch')
    answer()
    await answered
    await page.getByRole('tab', { name: 'Care plan' }).click()
    expect(await page.locator('iframe').count()).toBe(0)
    await page.context().close()
  })

  it('shows a refused launch with its code, its reference and that it must be so', async () => {
    const page = await open('#system=gp-push&user=gp&chart=40101')
    await page.getByText('Try a fault').click()
    await page.locator('[data-fault=expired]').click()
    await page.getByRole('alert').waitFor()
    await page.getByText('launch_expired (as it must be)').waitFor()
    expect(await page.locator('.stage--refused').count()).toBe(1)
    expect(await page.locator('.stage--unreached').count()).toBe(7)
    expect(await violations(page)).toEqual([])
    await keep(page, 'refused')
    await page.context().close()
  })

  it('works by keyboard alone and at a width of 800 pixels', async () => {
    const page = await open('#system=gp-post&user=gp&chart=40101', 800)
    await page.getByRole('tab', { name: 'Summary' }).focus()
    await page.keyboard.press('ArrowDown')
    expect(await page.locator('#panel-problems').isVisible()).toBe(true)
    await page.keyboard.press('End')
    expect(await page.locator('#panel-plan').isVisible()).toBe(true)
    await page.getByRole('button', { name: 'Open care plan' }).focus()
    await page.keyboard.press('Enter')
    await page.frameLocator('iframe').getByText('Plan of patient p-1').waitFor()
    await page.getByText('Complete: the plan is on the screen.').waitFor()
    const width = await page.evaluate('document.documentElement.scrollWidth')
    expect(width).toBe(800)
    expect(await violations(page)).toEqual([])
    await keep(page, 'narrow')
    await page.context().close()
  })
})
