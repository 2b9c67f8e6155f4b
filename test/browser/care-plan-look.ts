import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Frame, Locator } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Scenario, scopeFor, stored } from './scenario.js'

/** Written as text, because it runs in the page, whose globals these tests do not have. */
const overflows = (frame: Frame) =>
  frame.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )

/** Whether anything lies over what has the focus. A radio button of the NHS styles is drawn by its label. */
const OBSCURED = `(() => {
  const focused = document.activeElement
  if (focused === document.body) return false
  const { left, top, width, height } = focused.getBoundingClientRect()
  return [0.1, 0.5, 0.9].some((part) => {
    const over = document.elementFromPoint(left + width / 2, top + height * part)
    return over !== null && !focused.parentElement.contains(over)
  })
})()`

/** Whether all of what has the focus is in sight. */
const IN_SIGHT = `(() => {
  const focused = document.activeElement
  const { left, top, width, height } = focused.getBoundingClientRect()
  return [0.1, 0.5, 0.9].every((part) =>
    focused.contains(document.elementFromPoint(left + width / 2, top + height * part)),
  )
})()`

/** Scrolls until the button ends this far above the frame's lower edge. */
const endsAbove = (button: Locator, distance: number) =>
  button.evaluate((one, px) => {
    const view = one.ownerDocument.defaultView as unknown as { innerHeight: number } & {
      scrollBy(x: number, y: number): void
    }
    view.scrollBy(0, one.getBoundingClientRect().bottom - view.innerHeight + px)
  }, distance)

const BAR = `(() => {
  const bar = document.querySelector('.resus__decision')
  const { borderTopStyle, color, backgroundColor } = getComputedStyle(bar)
  return [borderTopStyle, getComputedStyle(bar.querySelector('path')).fill, color, backgroundColor]
})()`

const styleOf = (selector: string, property: string): string =>
  `getComputedStyle(document.querySelector('${selector}')).${property}`

const PRINTED = `(() => {
  const look = (selector) => getComputedStyle(document.querySelector(selector))
  const section = [look('.section').display, look('.section__head').display]
  return [...section, look('.resus__decision').breakAfter, look('.resus__facts').breakInside]
})()`

const SMALL_TARGETS = `[...document.querySelectorAll('button, summary, input, textarea, a:not(.nhsuk-skip-link)')]
  .map((element) => [element.textContent || element.id, element.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24)).map(([name]) => name)`

/** What is broken over two lines although no space stands in it. */
const TORN = `(() => {
  const place = document.querySelector('#section-treatment-escalation .prose')
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT)
  const at = []
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (let i = 0; i < node.length; i++) at.push([node, i])
  const lineOf = ([node, i]) => {
    const one = document.createRange()
    one.setStart(node, i)
    one.setEnd(node, i + 1)
    return Math.round(one.getBoundingClientRect().bottom / 8)
  }
  return [...place.textContent.matchAll(/\\S+/g)]
    .filter(({ 0: word, index }) => lineOf(at[index]) !== lineOf(at[index + word.length - 1]))
    .map(([word]) => word)
})()`

const ATTORNEY = {
  ...{ name: 'Ruth Ashworth', relationship: 'child', phone: '07700 900123' },
  ...{ powers: 'health\nlife-sustaining', registered: '2022-05-16' },
}
const LEGAL = stored(
  'legal',
  {
    attorneys: JSON.stringify([ATTORNEY]),
    documents: JSON.stringify([
      { name: 'Will', place: 'https://documents.example.nhs.uk/wills/0123456789abcdef0123456789' },
    ]),
  },
  'Dr Helen Marsh',
  '2026-03-12T14:10:00Z',
)

describe('the care plan in the frames that hospitals have', () => {
  it.each([
    ['420 pixels wide', '420px', 'narrow'],
    ['320 pixels wide, as at 400 % zoom', '320px', 'narrowest'],
  ])('needs no sideways scrolling at %s', async (_, width, name) => {
    const scope = scopeFor({ resuscitation: 'cru', contacts: 'cru', legal: 'r' })
    const scenario = newScenario({ scope })
    scenario.sections.set('care-plan::legal.v1', LEGAL)
    const { page, frame } = await openPlan(stage, name, scenario, 'plan', width)
    expect(await overflows(frame)).toBe(0)
    await shoot(page, name)
    // Where a table of many columns is about to stand side by side, it has the room for it.
    for (const wider of ['520px', '560px', '800px', '844px', width]) {
      await page.evaluate(`document.querySelector('iframe').style.width = '${wider}'`)
      expect([wider, await overflows(frame)]).toEqual([wider, 0])
    }
    await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    expect(await overflows(frame)).toBe(0)
    await shoot(page, `${name}-edit`)
    expect(await violations(frame)).toEqual([])
  })

  it('never breaks a number from its sign, its point or its fraction: another dose would be read', async () => {
    const doses =
      'Give .5 mg, ≥10 mL, <5 mg, 1/2 tablets, 0·5 mg (2 mg), 50,000,000 units, 2 mg/kg/day, 1:10 mL. '
    const values = { recommendations: doses.repeat(3) }
    const scenario = newScenario({ scope: scopeFor({ 'treatment-escalation': 'r' }) })
    const one = stored('treatment-escalation', values, 'Dr Helen Marsh', '2026-03-12T14:10:00Z')
    scenario.sections.set('care-plan::treatment-escalation.v1', one)
    const { page, frame } = await openPlan(stage, 'doses', scenario)
    for (let width = 320; width < 560; width += 16) {
      await page.evaluate(`document.querySelector('iframe').style.width = '${width}px'`)
      expect([width, await frame.evaluate(TORN)]).toEqual([width, []])
    }
  })

  it('keeps name, birth date and NHS number in sight while the user scrolls', async () => {
    const { page, frame } = await openPlan(stage, 'scroll', newScenario(), 'plan', '420px')
    await frame.evaluate('window.scrollTo(0, document.body.scrollHeight)')
    const box = await frame.locator('.patient').boundingBox()
    expect(box?.y).toBe(0)
    expect(await seen(frame.locator('.patient'))).toContain('999 000 0018')
    await shoot(page, 'scrolled')
    // Where it would take more than half of the screen it keeps to who the patient is.
    await page.setViewportSize({ width: 500, height: 130 })
    await frame.locator('.tall-banner').waitFor()
    await frame.evaluate('window.scrollTo(0, document.body.scrollHeight)')
    expect((await frame.locator('.patient').boundingBox())?.y).toBe(0)
    expect(await seen(frame.locator('.patient'))).toContain('999 000 0018')
    expect(await frame.locator('.patient').innerText()).not.toContain('Gender')
    await shoot(page, 'scrolled-low')
    // Where even that would, it scrolls away: nothing could be read below it.
    await page.setViewportSize({ width: 500, height: 60 })
    await frame.locator('.banner-away').waitFor()
    await frame.evaluate('window.scrollTo(0, document.body.scrollHeight)')
    expect((await frame.locator('.patient').boundingBox())?.y).toBeLessThan(0)
    // And comes back whole.
    await page.setViewportSize({ width: 1100, height: 900 })
    await frame.locator(':root:not(.tall-banner):not(.banner-away)').waitFor()
    await page.close()
  })

  it('says beside the number that the chart may show an older one, where it does', async () => {
    const words = 'This NHS number has replaced an older one'
    const { frame } = await openPlan(stage, 'replaced', newScenario({ numberReplaced: true }))
    expect(await seen(frame.getByRole('region', { name: 'Patient' }))).toContain(words)
    expect(await violations(frame)).toEqual([])
    await shoot(frame.page(), 'number-replaced')
    const other = await openPlan(stage, 'not-replaced', newScenario())
    expect(await seen(other.frame.getByRole('region', { name: 'Patient' }))).not.toContain(words)
  })

  it('never hides what has the focus behind the patient banner, forwards or backwards (WCAG 2.4.11)', async () => {
    const { page, frame } = await openPlan(stage, 'focus', newScenario(), 'plan', '420px')
    await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    await page.setViewportSize({ width: 500, height: 420 })
    for (const key of ['Tab', 'Shift+Tab']) {
      for (let i = 0; i < 14; i++) {
        await page.keyboard.press(key)
        expect(await frame.evaluate(OBSCURED)).toBe(false)
      }
    }
    await page.close()
  })

  it('shows the whole of the link that skips to the plan, and the patient beside it', async () => {
    const { frame } = await openPlan(stage, 'skip', newScenario(), 'plan', '420px')
    await frame.evaluate('window.scrollTo(0, 600)')
    const skip = frame.locator('.nhsuk-skip-link')
    await skip.focus()
    expect(await frame.evaluate(IN_SIGHT)).toBe(true)
    const [link, banner] = [await skip.boundingBox(), await frame.locator('.patient').boundingBox()]
    expect((link?.y ?? 0) + (link?.height ?? 0)).toBeLessThanOrEqual(banner?.y ?? 0)
    await shoot(frame.page(), 'skip')
  })

  it('never hides what has the focus behind the words that nothing is kept, at 400 % zoom', async () => {
    const scenario = newScenario({ failing: new Map([['unsaved', 503]]) })
    const { page, frame } = await openPlan(stage, 'focus-kept', scenario, 'plan', '320px')
    await frame.getByRole('button', { name: 'Edit What matters to me' }).click()
    await frame.getByLabel('About me').fill('Bees')
    await frame.locator('.kept--not').waitFor()
    const save = frame.getByRole('button', { name: 'Save', exact: true })
    for (const height of [700, 256]) {
      await page.setViewportSize({ width: 500, height })
      for (let distance = 0; distance <= 100; distance += 20) {
        await frame.getByLabel('What matters most').focus()
        await endsAbove(save, distance)
        await page.keyboard.press('Tab')
        expect([height, distance, await frame.evaluate(IN_SIGHT)]).toEqual([height, distance, true])
      }
      await shoot(page, `focus-kept-${height}`)
    }
    await page.close()
  })

  it('makes no target smaller than 24 by 24 pixels (WCAG 2.5.8)', async () => {
    const scope = scopeFor({ resuscitation: 'cru', contacts: 'cru' })
    const { frame } = await openPlan(stage, 'targets', newScenario({ scope }))
    await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    expect(await frame.evaluate(SMALL_TARGETS)).toEqual([])
  })

  it('is edited by keyboard alone', async () => {
    const scenario = newScenario({ scope: scopeFor({ 'what-matters': 'ru' }) })
    const { page, frame } = await openPlan(stage, 'keyboard', scenario)
    await frame.getByRole('button', { name: 'Edit What matters to me' }).focus()
    await page.keyboard.press('Enter')
    // It opens once it is known whether there are unsaved changes.
    await frame.locator('form').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.type('By keyboard')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await frame.locator('.saved').waitFor()
    expect(await frame.evaluate('document.activeElement.className')).toBe('saved')
    expect(await seen(frame.locator('#section-what-matters'))).toContain('By keyboard')
  })

  it.each<[string, Partial<Scenario>]>([
    ['none', { index: 'none', ehrId: undefined }],
    ['mismatch', { index: 'foreign' }],
  ])('has no serious fault of accessibility on the page "%s"', async (name, changes) => {
    const { frame } = await openPlan(stage, `axe-${name}`, newScenario(changes), name)
    expect(await violations(frame)).toEqual([])
  })

  it('stays legible in forced colours', async () => {
    const { page, frame } = await openPlan(stage, 'forced', newScenario())
    await page.emulateMedia({ forcedColors: 'active', colorScheme: 'dark' })
    await shoot(page, 'forced-colours')
    const form = frame.getByRole('button', { name: 'Edit What matters to me' })
    await form.click()
    await frame.getByLabel('About me').fill('Bees')
    await frame.getByRole('button', { name: 'Cancel' }).click()
    const asked = frame.getByRole('dialog')
    await asked.waitFor()
    await shoot(page, 'forced-colours-dialog')
    // Nor does a question run into what it is asked about, which is as dark as it.
    expect(await frame.evaluate(styleOf('dialog', 'borderLeftStyle'))).toBe('solid')
    // Without colours of our own, the decision is a bar still, with its sign and its words in one colour.
    const [border, sign, words, ground] = await frame.evaluate<string[]>(BAR)
    expect(border).toBe('solid')
    expect(sign).toBe(words)
    expect(words).not.toBe(ground)
    await page.close()
  })
})

describe('the app’s own page', () => {
  async function openTop(handle: string) {
    stage.scenarios.set(handle, newScenario())
    const page = await stage.browser.context.newPage()
    const iss = `${stage.gateway.origin}/fhir`
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).origin))
    await page.goto(
      `${stage.app.origin}/launch.html?${new URLSearchParams({ iss, launch: handle })}`,
    )
    await page.waitForSelector('[data-page=plan]')
    await page.getByText('Signed in: Dr').waitFor()
    return { page, asked }
  }

  it('asks nobody but itself and the gateway for anything', async () => {
    const { page, asked } = await openTop('requests')
    expect([...new Set(asked)].sort()).toEqual([stage.app.origin, stage.gateway.origin].sort())
    await page.close()
  })

  it('prints with the patient at the top of every sheet, and without buttons', async () => {
    const { page } = await openTop('print')
    expect(await page.getByRole('button', { name: 'Print' }).isVisible()).toBe(true)
    await page.emulateMedia({ media: 'print' })
    expect(await page.getByRole('button').count()).toBe(0)
    expect(await seen(page.locator('.print-only'))).toMatch(
      /^Valid at the time of printing\. Printed on .* by Dr Amara Okafor, from the record as it stood/,
    )
    expect(await seen(page.locator('article').first())).toContain('Do not attempt CPR')
    // What makes Chromium repeat it: a header group that may not be broken.
    const repeated = (id: string) =>
      `(({ display, breakInside }) => display + ' ' + breakInside)(getComputedStyle(document.getElementById('${id}')))`
    expect(await page.evaluate(repeated('banner'))).toBe('table-header-group avoid')
    expect(await page.evaluate(repeated('support'))).toBe('table-footer-group avoid')
    // A section that goes on overleaf says there again which it is; who decided stands with the decision.
    expect(await page.evaluate(PRINTED)).toEqual(['table', 'table-header-group', 'avoid', 'avoid'])
    expect(await seen(page.locator('.allergies'))).toContain('none recorded in this plan')
    // How long ago it was is true for as long as it is on a screen.
    expect(await seen(page.locator('.resus__facts'))).toMatch(/^Decided 12-Mar-2026\s+Decided by/)
    // What is said to screen readers has no place after the last sheet: it can begin an empty one.
    expect(await page.evaluate(styleOf('#status', 'display'))).toBe('none')
    const pdf = await page.pdf({ format: 'A5', printBackground: true })
    if (process.env.SHOTS) writeFileSync(join(process.env.SHOTS, 'print.pdf'), pdf)
    await page.close()
  })

  it('prints what is recorded of a section that is being changed, never what is typed and not saved', async () => {
    const { page } = await openTop('print-changing')
    const cpr = page.locator('#section-resuscitation')
    await page.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    await page.getByLabel('Attempt CPR', { exact: true }).check()
    expect(await cpr.isVisible()).toBe(false)
    await page.emulateMedia({ media: 'print' })
    expect(await page.locator('form').isVisible()).toBe(false)
    expect(await seen(cpr)).toContain('Do not attempt CPR')
    expect(await seen(cpr)).toContain('was being changed when this was printed')
    expect(await seen(page.locator('main'))).not.toMatch(/\bAttempt CPR/)
    await page.emulateMedia({ media: null })
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    const asked = page.getByRole('dialog')
    await asked.waitFor()
    await page.emulateMedia({ media: 'print' })
    expect(await asked.isVisible()).toBe(false)
    await page.emulateMedia({ media: null })
    await page.getByRole('button', { name: 'Save as it is' }).click()
    await page.locator('.saved').waitFor()
    await page.emulateMedia({ media: 'print' })
    expect(await seen(cpr)).not.toContain('was being changed')
    await page.close()
  })
})
