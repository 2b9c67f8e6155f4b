/** A session that ends while something is edited says what became of it: the text itself is gone by then. */
import { describe, expect, it } from '@jest/globals'
import type { Frame, Page } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openTimed, passUntil, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import type { Scenario } from './scenario.js'

const MINUTE = 60_000
const NOT_SAVED = 'Your changes to “What matters to me” were not saved.'
const UNKNOWN = 'It is not known whether your changes to “What matters to me” were saved.'

async function typing(handle: string, changes: Partial<Scenario> = {}) {
  const scenario = newScenario(changes)
  const { page, frame } = await openTimed(stage, handle, scenario)
  await frame.getByRole('button', { name: 'Edit What matters to me' }).click()
  await frame.getByLabel('About me').fill('Two paragraphs.')
  return { scenario, page, frame }
}

const save = (frame: Frame) => frame.getByRole('button', { name: 'Save', exact: true }).click()

/** Time passes until the page shows. */
async function wait(page: Page, frame: Frame, shows: string): Promise<string> {
  await passUntil(page, frame.locator(`[data-page=${shows}]`))
  return seen(frame.locator('main'))
}

describe('a session that ends while a section is edited', () => {
  it('says that the changes were not saved when their save is refused because it has ended', async () => {
    const { scenario, page, frame } = await typing('lost-save')
    scenario.ended = true
    await save(frame)
    await frame.waitForSelector('[data-page=ended]')
    const text = await seen(frame.locator('main'))
    expect(text).toContain(NOT_SAVED)
    expect(text).not.toContain('Two paragraphs')
    await shoot(page, 'lost-save')
    expect(await violations(frame)).toEqual([])
  })

  it('says so when nobody uses it until its end', async () => {
    const { page, frame } = await typing('lost-idle')
    expect(await wait(page, frame, 'idle')).toContain(NOT_SAVED)
  })

  it('says so when it has reached its longest time', async () => {
    const { page, frame } = await typing('lost-longest', { endsInSeconds: 300 })
    expect(await wait(page, frame, 'longest')).toContain(NOT_SAVED)
  })

  it('says so when the gateway refuses to renew it', async () => {
    const { scenario, page, frame } = await typing('lost-renewal')
    scenario.ended = true
    expect(await wait(page, frame, 'ended')).toContain(NOT_SAVED)
  })

  it('says that it is not known when a save was under way', async () => {
    const failing = new Map([['save', 'hang']] as const)
    const { page, frame } = await typing('lost-flight', { endsInSeconds: 300, failing })
    await save(frame)
    await frame.getByText('Saving…').waitFor()
    for (let i = 0; i < 4; i++) await page.clock.runFor(MINUTE)
    const warning = await seen(frame.getByRole('alertdialog'))
    expect(warning).toContain(UNKNOWN)
    expect(warning).not.toContain('unsaved')
    await shoot(page, 'lost-flight-warning')
    const text = await wait(page, frame, 'longest')
    expect(text).toContain(`${UNKNOWN} Check the section when you open the care plan again.`)
    expect(text).not.toContain('not saved')
    await shoot(page, 'lost-flight')
    expect(await violations(frame)).toEqual([])
  })

  it('says that it is not known when an earlier save was never answered', async () => {
    const failing = new Map([['save-answer', 503]] as const)
    const { scenario, frame } = await typing('lost-unknown', { failing })
    await save(frame)
    await frame.getByRole('alert').waitFor()
    scenario.ended = true
    await save(frame)
    await frame.waitForSelector('[data-page=ended]')
    expect(await seen(frame.locator('main'))).toContain(UNKNOWN)
  })

  it('says nothing of changes when there were none', async () => {
    const { page, frame } = await openTimed(stage, 'lost-nothing', newScenario())
    expect(await wait(page, frame, 'idle')).not.toMatch(/[Yy]our changes/)
  })
})
