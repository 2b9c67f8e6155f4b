import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { violations } from './accessibility.js'
import { type Browser, openChromium } from './chromium.js'

jest.setTimeout(120_000)

let browser: Browser
beforeAll(async () => {
  browser = await openChromium()
}, 120_000)
afterAll(() => browser?.close())

const page = (body: string) =>
  `<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>${body}</main></html>`
/** An empty `alt` says that a picture is decoration. */
const GOOD = '<img src="data:," alt>'
const BAD = '<input type="text"><p style="color:#bbb;background:#fff">Too pale to read</p>'

it('a page that others cannot use is found out, and one that they can is not', async () => {
  const tab = await browser.context.newPage()
  await tab.setContent(page(GOOD))
  expect(await violations(tab)).toEqual([])
  await tab.setContent(page(BAD))
  const found = (await violations(tab)).map((words) => words.split(':')[0])
  expect(found).toEqual(expect.arrayContaining(['color-contrast', 'label']))
})

it('a fault inside a frame is found too', async () => {
  const tab = await browser.context.newPage()
  await tab.setContent(
    page(`<iframe title="Plan" srcdoc='${page(BAD).replaceAll("'", '&apos;')}'></iframe>`),
  )
  await tab.frameLocator('iframe').locator('input').waitFor()
  const found = (await violations(tab)).map((words) => words.split(':')[0])
  expect(found).toEqual(expect.arrayContaining(['color-contrast', 'label']))
})
