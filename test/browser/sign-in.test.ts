/** Signing on in a window of its own, not in a frame: every page leads on although forms may not lead anywhere. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Page } from 'playwright-core'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { linkOf, localOnly, type Order, sealOf } from '../launching.js'
import { type Browser, openChromium } from './chromium.js'

jest.setTimeout(120_000)

const APP = APP_ORIGINS['care-plan'] ?? ''

let t: TestGateway
let browser: Browser
beforeAll(async () => {
  t = await openTestGateway({ store: 'embedded' })
  browser = await openChromium()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await t?.close()
})

/** A window in which the app only stands still, and what the browser complained of. */
async function openWindow() {
  const page = await browser.context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text())
  })
  await page.route(`${APP}/**`, (route) => route.fulfill({ body: 'The app' }))
  return { page, complaints }
}

/** The provider dates a sign-in by the machine's clock. */
async function signInAs(page: Page, name: string): Promise<void> {
  await t.clock.catchUp()
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByLabel(name).check()
  await page.getByRole('button', { name: 'Continue' }).click()
}

const landed = (page: Page) => page.waitForURL((url) => url.origin === APP)

describe('a launch in a window of its own', () => {
  it('goes from our page to the provider and back to the app', async () => {
    const { page, complaints } = await openWindow()
    await page.goto((await linkOf(t, { system: 'gp-clinic' })).href)
    await signInAs(page, 'Dr Amara Okafor')
    await landed(page)
    expect(new URL(page.url()).searchParams.get('launch')).toMatch(/^hdl_/)
    expect(complaints).toEqual([])
    await page.close()
  })

  it('goes by the confirmation of the person, and by the date of birth, to the app', async () => {
    const local: Order = {
      system: 'gp-clinic',
      claims: (sent) => ({ sub: 'tom', ...localOnly(sent) }),
    }
    const confirmed = await openWindow()
    await confirmed.page.goto((await linkOf(t, local)).href)
    // Whoever is signed on here already is asked to sign in, or somebody else could say that they are Tom.
    await signInAs(confirmed.page, 'Dr Amara Okafor')
    await confirmed.page.getByRole('button', { name: 'No', exact: true }).click()
    await confirmed.page.getByText('You signed in as a different person').waitFor()
    await confirmed.page.goto((await linkOf(t, local)).href)
    await signInAs(confirmed.page, 'Dr Amara Okafor')
    await confirmed.page.getByRole('button', { name: 'Yes, both are me' }).click()
    await landed(confirmed.page)

    const dated = await openWindow()
    const sealed = await sealOf(t, { system: 'gp-sealed' })
    await dated.page.goto(`${t.issuer}/launch/sealed?system=gp-sealed&sealed=${sealed}`)
    await dated.page.getByLabel('Day').fill('14')
    await dated.page.getByLabel('Month').fill('3')
    await dated.page.getByLabel('Year').fill('1938')
    await dated.page.getByRole('button', { name: 'Open the care plan' }).click()
    await landed(dated.page)
    expect([...confirmed.complaints, ...dated.complaints]).toEqual([])
    await confirmed.page.close()
    await dated.page.close()
  })

  it('lets the form of a page lead nowhere else', async () => {
    const { page } = await openWindow()
    await page.route('https://elsewhere.example/**', (route) => route.fulfill({ body: 'taken' }))
    await page.goto((await linkOf(t, { system: 'gp-clinic', user: 'practice-nurse' })).href)
    await page.evaluate("document.querySelector('form').action = 'https://elsewhere.example/'")
    await Promise.all([
      page.waitForEvent('console', (message) => /form-action/.test(message.text())),
      page.evaluate("document.querySelector('form').submit()"),
    ])
    expect(new URL(page.url()).origin).toBe(t.issuer)
    await page.close()
  })
})
