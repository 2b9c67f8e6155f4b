/** The pages by which somebody signs out, and sees what is open in their name: in a real browser, for everybody. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Config } from '../../src/config.js'
import { launchTo, readsPatient } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { linkOf } from '../launching.js'
import { openReceiver, type Receiver, toldAt } from '../logout-receiver.js'
import { violations } from './accessibility.js'
import { type Browser, openChromium } from './chromium.js'
import { shoot } from './demonstration.js'

jest.setTimeout(120_000)

let t: TestGateway
let browser: Browser
let plan: Receiver
/** Where the app’s own server answers everything: with nothing. */
let site: string
beforeAll(async () => {
  plan = await openReceiver()
  site = new URL(plan.address).origin
  const told = toldAt({ 'care-plan': plan }, `${site}/bye`)
  const change = (config: Config) => ({
    apps: (told(config).apps ?? []).map((app) => ({ ...app, launchUrls: [`${site}/launch`] })),
  })
  t = await openTestGateway({ store: 'embedded', change })
  browser = await openChromium()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await t?.close()
  await plan?.close()
})

/** A window, and what the browser complained of. */
async function openWindow() {
  const page = await browser.context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text())
  })
  return { page, complaints }
}

/** A launch in this window, up to its app. */
const openPlan = async (page: Page) => {
  await page.goto((await linkOf(t, { system: 'gp-push' })).href)
  await page.waitForURL((url) => url.origin === site)
}

async function signIn(page: Page, name: string): Promise<void> {
  await t.clock.catchUp()
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByLabel(name).check()
  await page.getByRole('button', { name: 'Continue' }).click()
}

const heading = (page: Page, text: string) => page.getByRole('heading', { name: text }).waitFor()

describe('signing out', () => {
  it('asks, signs out by a click, and goes on to the app’s own page', async () => {
    const { page, complaints } = await openWindow()
    await openPlan(page)
    const address = new URL('/oauth/logout', t.issuer)
    address.searchParams.set('client_id', 'care-plan')
    address.searchParams.set('post_logout_redirect_uri', `${site}/bye`)
    address.searchParams.set('state', 'kept')
    await page.goto(address.href)
    await heading(page, 'Do you want to sign out?')
    await shoot(page, 'sign-out')
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${site}/bye?state=kept`)

    await page.goto(`${t.issuer}/oauth/logout`)
    await heading(page, 'You are signed out')
    await shoot(page, 'signed-out')
    expect(await violations(page)).toEqual([])
    expect(complaints).toEqual([])
    await page.close()
  })

  it('says that it did not happen, and how it can, when the app asked wrongly', async () => {
    const { page } = await openWindow()
    await openPlan(page)
    await page.goto(`${t.issuer}/oauth/logout?client_id=care-plan&post_logout_redirect_uri=x`)
    await heading(page, 'You were not signed out')
    await shoot(page, 'sign-out-refused')
    expect(await violations(page)).toEqual([])
    await page.getByRole('link', { name: 'Sign out here' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await heading(page, 'You are signed out')
    await page.close()
  })
})

describe('what is open in one’s name', () => {
  it('is seen after a sign-in, and ended there, one by one or all', async () => {
    const elsewhere = [
      await launchTo(t, { system: 'gp-push' }),
      await launchTo(t, { system: 'gp-post' }),
    ]
    const { page, complaints } = await openWindow()
    await page.goto(`${t.issuer}/sign-in/sessions`)
    await heading(page, 'See what is open in your name')
    await shoot(page, 'sessions-sign-in')
    expect(await violations(page)).toEqual([])
    await signIn(page, 'Dr Amara Okafor')
    await heading(page, 'What is open in your name')
    await shoot(page, 'sessions')
    expect(await violations(page)).toEqual([])
    const ends = page.getByRole('button', { name: /^End this one/ })
    expect(await ends.count()).toBe(3)

    await ends.last().click()
    await page.waitForFunction("document.querySelectorAll('section').length === 2")
    await page.getByRole('button', { name: /^End everything/ }).click()
    await heading(page, 'See what is open in your name')
    for (const { tokens } of elsewhere) expect(await readsPatient(t, tokens)).toBe(401)
    expect(complaints).toEqual([])
    await page.close()
  })

  it('stands in nobody’s frame', async () => {
    const { page, complaints } = await openWindow()
    await page.goto(`${site}/`)
    for (const path of ['/sign-in/sessions', '/oauth/logout']) {
      const told = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()))
      await page.evaluate(
        `document.body.append(Object.assign(document.createElement('iframe'), { src: '${t.issuer}${path}' }))`,
      )
      await told
    }
    expect(complaints.length).toBeGreaterThan(1)
    await page.close()
  })
})
