/** The console in a real browser: signed in as an operator and as a privacy officer, by mouse and by keyboard. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Page } from 'playwright-core'
import { launchTo, readsPatient } from '../app-by-hand.js'
import { begin, poll } from '../console/commanding.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { open, PEGGY, SENSITIVE } from '../launching.js'
import { UserAgent } from '../user-agent.js'
import { violations } from './accessibility.js'
import { type Browser, openChromium, openSite, type Site } from './chromium.js'
import { seeing } from './console-seeing.js'
import { shoot } from './demonstration.js'

jest.setTimeout(180_000)

let t: TestGateway
let browser: Browser
let elsewhere: Site
beforeAll(async () => {
  t = await openTestGateway({ store: 'embedded' })
  elsewhere = await openSite('127.0.0.1')
  browser = await openChromium()
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await elsewhere?.close()
  await t?.close()
})

/** A window, and what the browser complained of. */
async function openWindow() {
  await browser.context.clearCookies()
  const page = await browser.context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy|error/i.test(message.text())) complaints.push(message.text())
  })
  return { page, complaints }
}

const heading = (page: Page, name: string) =>
  page.getByRole('heading', { name, exact: true }).waitFor()

async function signIn(page: Page, name: string): Promise<void> {
  await page.goto(`${t.issuer}/console`)
  await heading(page, 'Sign in to the access console')
  await t.clock.catchUp()
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel(name).check()
  await page.getByLabel('Authenticator app').check()
  await page.getByRole('button', { name: 'Continue' }).click()
  await heading(page, 'Console')
}

/** What a page must be in any case. */
async function look(page: Page, name: string): Promise<void> {
  await fits(page, name)
  expect({ name, found: await violations(page) }).toEqual({ name, found: [] })
}

/** Nothing but tables scrolls to the side. */
async function fits(page: Page, name: string): Promise<void> {
  await shoot(page, `console-${name}`)
  const wide = await page.evaluate(
    `document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
      [...document.body.querySelectorAll('*')]
        .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .filter((each) => !each.parentElement.closest('.console-scroll'))
        .map((each) => each.tagName + '.' + each.className)`,
  )
  expect({ name, wide }).toEqual({ name, wide: [] })
}

const menu = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name, exact: true }).click()

describe('whoever is signed in', () => {
  it('lets a command in by keyboard, having seen what asks', async () => {
    const { page, complaints } = await openWindow()
    await signIn(page, 'Kwame Boateng')
    const device = await begin(t)
    await page.goto(device.verification_uri)
    await look(page, 'device')
    await page.getByLabel('Code').fill('nothing')
    await page.keyboard.press('Enter')
    await heading(page, 'Nothing was done')
    await look(page, 'device-none')
    await page.getByLabel('Code').fill(device.user_code)
    await page.keyboard.press('Enter')
    await heading(page, 'Let this command act for you?')
    await look(page, 'device-confirm')
    await page.getByRole('button', { name: 'Yes, let it act for me' }).press('Enter')
    await heading(page, 'Let in')
    expect((await poll(t, device)).json.token_type).toBe('Bearer')
    expect(complaints).toEqual([])
    await page.close()
  })
})

describe('an operator', () => {
  it('signs in, walks the pages, ends a launch, and signs out', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    const { page, complaints } = await openWindow()
    await page.goto(`${t.issuer}/console`)
    await look(page, 'sign-in')
    await signIn(page, 'Kwame Boateng')
    await look(page, 'home')
    for (const name of [
      'Launches',
      'Sign-ons',
      'Charts',
      'Apps and systems',
      'Keys',
      'Trail',
      'Patient',
      'Decisions',
    ]) {
      await menu(page, name)
      await look(page, name.toLowerCase().replaceAll(' ', '-'))
    }
    await menu(page, 'Launches')
    await page.getByRole('link', { name: /^lch_/ }).first().click()
    await heading(page, 'One launch')
    await look(page, 'launch')
    await page.getByRole('link', { name: 'End this launch' }).click()
    await page.getByRole('button', { name: 'End the launch' }).click()
    await heading(page, 'Nothing was done')
    await look(page, 'confirm')
    await page.getByLabel('Why?').fill('A laptop was stolen')
    await page.getByRole('button', { name: 'End the launch' }).click()
    await heading(page, 'Launches')
    expect(await readsPatient(t, tokens)).toBe(401)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await heading(page, 'You are signed out of the console')
    await page.goto(`${t.issuer}/console/keys`)
    await heading(page, 'Sign in to the access console')
    expect(complaints.filter((text) => !/403/.test(text))).toEqual([])
    await page.close()
  })

  it('reaches everything by keyboard, on a screen of 320 pixels too', async () => {
    const { page } = await openWindow()
    await signIn(page, 'Kwame Boateng')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe(
      'Skip to main content',
    )
    await page.setViewportSize({ width: 320, height: 640 })
    for (const path of [
      '',
      '/launches',
      '/charts',
      '/registrations',
      '/keys',
      '/trail',
      '/trail/patient',
      '/decisions',
    ]) {
      await page.goto(`${t.issuer}/console${path}`)
      await fits(page, `narrow${path.replaceAll('/', '-')}`)
    }
    await page.goto(`${t.issuer}/console/keys`)
    const reached = new Set<string>()
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab')
      reached.add(
        await page.evaluate(
          '(document.activeElement.textContent || document.activeElement.getAttribute("aria-label") || "").trim()',
        ),
      )
    }
    for (const name of ['Sign out', 'Home', 'Trail', 'Rotate the keys'])
      expect([...reached]).toContain(name)
    expect([...reached].some((text) => text.startsWith('Keys'))).toBe(true)
    await page.close()
  })
})

const LINES_OF_DATES = `[...document.querySelectorAll('td bdi')]
  .filter((one) => /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(one.textContent))
  .map((one) => one.getClientRects().length)`

describe('a privacy officer', () => {
  it('sees who has looked at a patient, keeps it as a file, verifies the trail, and learns why it was denied', async () => {
    await launchTo(t, { system: 'gp-push' })
    const denial = await open(t, new UserAgent(), {
      system: 'gp-push',
      user: 'receptionist',
      patient: SENSITIVE,
    })
    const reference = /data-reference="(ref_[\w-]+)"/.exec(denial.text)?.[1] ?? ''
    const { page, complaints } = await openWindow()
    await signIn(page, 'Miriam Goldberg')
    await menu(page, 'Patient')
    await page.getByLabel('Patient').fill(PEGGY)
    await page.getByRole('button', { name: 'Show' }).click()
    await page
      .getByRole('table', { name: 'Who looked, the latest first' })
      .getByText('Dr Amara Okafor')
      .waitFor()
    expect(page.url()).not.toContain(PEGGY)
    // No date is broken over two lines.
    expect([...new Set(await page.evaluate<number[]>(LINES_OF_DATES))]).toEqual([1])
    await look(page, 'looks')
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save as CSV' }).click()
    expect((await download).suggestedFilename()).toMatch(/^looks-.*\.csv$/)

    await menu(page, 'Trail')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('table', { name: 'Entries, the newest first' }).waitFor()
    await look(page, 'found')
    await page.getByRole('link', { name: 'Is the trail whole?' }).click()
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page.getByText('Last checkpoint').waitFor()
    await look(page, 'verified')

    await menu(page, 'Decisions')
    await page.getByLabel('Reference or launch').fill(reference)
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByRole('heading', { name: /^Denied: the launch/ }).waitFor()
    await look(page, 'denied')
    await page.goto(`${t.issuer}/console/keys`)
    await heading(page, 'Not allowed')
    await look(page, 'not-allowed')
    expect(complaints.filter((text) => !/403/.test(text))).toEqual([])
    await page.close()
  })
})

describe('another site', () => {
  it('makes no browser send the console’s cookie, neither by a link, a form nor a frame', async () => {
    const { page } = await openWindow()
    await signIn(page, 'Miriam Goldberg')
    elsewhere.serve((_req, res) => {
      res.setHeader('content-type', 'text/html')
      res.end(`<a href="${t.issuer}/console/trail">go</a>
        <form method="post" action="${t.issuer}/console/trail"><button>post</button></form>
        <iframe src="${t.issuer}/console"></iframe>`)
    })
    const framed = page.waitForEvent('console', (message) => /frame-ancestors/.test(message.text()))
    await page.goto(elsewhere.origin)
    await framed
    await page.getByRole('button', { name: 'post' }).click()
    await heading(page, 'This did not work')
    await page.goto(elsewhere.origin)
    await page.getByRole('link', { name: 'go' }).click()
    await heading(page, 'Sign in to the access console')
    await page.getByRole('link', { name: 'go on' }).click()
    await heading(page, 'Trail')
    await page.close()
  })
})

seeing(() => ({ t, browser }))
