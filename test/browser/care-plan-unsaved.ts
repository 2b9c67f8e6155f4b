/** What was typed and not saved is kept, found again at the next launch, and never put over a newer version in silence. */
import { describe, expect, it } from '@jest/globals'
import type { Frame } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openTimed, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Scenario, saveByOther } from './scenario.js'

const MATTERS = 'care-plan::what-matters.v1'
const TITLE = 'What matters to me'
const WORDS = 'I kept bees, and my daughter has them now.'

const edit = (frame: Frame) => frame.getByRole('button', { name: `Edit ${TITLE}` }).click()
const save = (frame: Frame) => frame.getByRole('button', { name: 'Save', exact: true }).click()
const MOMENT = 2_500
/** The pause after the last key goes by. */
const pause = (frame: Frame) => frame.page().clock.runFor(MOMENT)
async function kept(frame: Frame): Promise<void> {
  await pause(frame)
  await frame.locator('.kept', { hasText: 'Draft kept' }).waitFor()
}
const offer = (frame: Frame) => frame.getByRole('region', { name: 'Unsaved changes' })
const put = ({ unsaved }: Scenario) =>
  unsaved.get(MATTERS)?.body as { values: Record<string, string> }

const gpRecord = (text: string) => ({
  ...{ resourceType: 'Bundle', id: 'lch-fake', type: 'collection' },
  timestamp: '2026-11-26T08:31:00Z',
  meta: { tag: [{ system: 'urn:launch-gateway:launch-system', display: 'Fernleigh' }] },
  entry: [
    {
      resource: {
        ...{ resourceType: 'MedicationRequest', id: 'm1', status: 'active' },
        subject: { reference: 'Patient/pat-1' },
        medicationCodeableConcept: { text },
      },
    },
  ],
})

/** Resolves when the gateway has kept something more. */
const nextPut = ({ unsaved }: Scenario): Promise<void> =>
  new Promise((resolve) => {
    const set = unsaved.set.bind(unsaved)
    unsaved.set = (template, one) => {
      resolve()
      return set(template, one)
    }
  })

async function typing(handle: string, changes: Partial<Scenario> = {}) {
  const scenario = newScenario(changes)
  const opened = await openTimed(stage, handle, scenario)
  await edit(opened.frame)
  await opened.frame.getByLabel('About me').fill(WORDS)
  return { scenario, ...opened }
}

/** The same person opens the same patient again: nothing of the first plan is there any more. */
async function relaunch(
  handle: string,
  { unsaved, sections }: Scenario,
  changes: Partial<Scenario> = {},
) {
  const scenario = newScenario({ unsaved, sections, ...changes })
  return { scenario, ...(await openTimed(stage, handle, scenario)) }
}

describe('what was typed and not saved', () => {
  it('is kept, found above the plan at the next launch, gone on with by keyboard, and saved', async () => {
    const first = await typing('unsaved-1')
    await kept(first.frame)
    expect(await seen(first.frame.locator('.kept'))).toMatch(/^Draft kept \d\d:\d\d$/)
    await shoot(first.page, 'unsaved-kept')
    expect(await violations(first.frame)).toEqual([])
    const { scenario, page, frame } = await relaunch('unsaved-2', first.scenario)
    await offer(frame).waitFor()
    expect(await seen(offer(frame))).toMatch(
      /You have unsaved changes to “What matters to me” from \d\d-\w{3}-\d{4} at \d\d:\d\d\./,
    )
    await shoot(page, 'unsaved-offered')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: `Continue with ${TITLE}` }).focus()
    await page.keyboard.press('Enter')
    await frame.locator('form').waitFor()
    expect(await frame.getByLabel('About me').inputValue()).toBe(WORDS)
    expect(await frame.evaluate('document.activeElement.textContent')).toBe(`Edit: ${TITLE}`)
    await shoot(page, 'unsaved-continued')
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('#section-what-matters'))).toContain(WORDS)
    await offer(frame).waitFor({ state: 'detached' })
    expect(scenario.unsaved.size).toBe(0)
  })

  it('is asked of before its section is edited, and discarded only by word', async () => {
    const first = await typing('unsaved-3')
    await kept(first.frame)
    const { scenario, page, frame } = await relaunch('unsaved-4', first.scenario)
    await edit(frame)
    const dialog = frame.getByRole('dialog')
    expect(await seen(dialog)).toContain(`You have unsaved changes to “${TITLE}” from`)
    await shoot(page, 'unsaved-asked')
    expect(await violations(frame)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(scenario.unsaved.size).toBe(1)
    await edit(frame)
    await dialog.getByRole('button', { name: 'Discard changes' }).click()
    await frame.locator('form').waitFor()
    expect(await frame.getByLabel('About me').inputValue()).toBe('I kept bees for forty years.')
    expect(scenario.unsaved.size).toBe(0)
  })

  it('stands beside a newer version, field by field, and goes over it only where that is chosen', async () => {
    const first = await typing('unsaved-5')
    await kept(first.frame)
    const theirs = { about: 'I kept bees. Ruth has them.', matters: 'To see the garden in May.' }
    saveByOther(first.scenario, 'what-matters', theirs, 'Sue Hartley')
    const { scenario, page, frame } = await relaunch('unsaved-6', first.scenario)
    await frame.getByRole('button', { name: `Continue with ${TITLE}` }).click()
    const both = frame.locator('.difference--both')
    expect(await seen(both)).toContain(theirs.about)
    expect(await seen(both)).toContain(WORDS)
    expect(await seen(frame.locator('.difference--theirs'))).toContain(theirs.matters)
    expect(await seen(frame.locator('form'))).toMatch(
      /Sue Hartley saved a newer version \(.+\) after you had begun your draft, which was last kept on \d\d-\w{3}-\d{4} at \d\d:\d\d\./,
    )
    expect(await seen(frame.locator('form'))).not.toContain('while you were editing')
    await shoot(page, 'unsaved-conflict')
    expect(await violations(frame)).toEqual([])
    await both.getByLabel('Save my version').check()
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('.saved').waitFor()
    const text = await seen(frame.locator('#section-what-matters'))
    expect([text.includes(WORDS), text.includes(theirs.matters)]).toEqual([true, true])
    await offer(frame).waitFor({ state: 'detached' })
    expect(scenario.unsaved.size).toBe(0)
  })

  it('is given back half typed as it was, and saved by no way before it is whole', async () => {
    const PLACE = 'Resuscitation (CPR)'
    const date = (frame: Frame, part: string) =>
      frame.getByRole('group', { name: 'Review date' }).getByLabel(part)
    const typed = (frame: Frame) =>
      Promise.all(['Day', 'Month', 'Year'].map((part) => date(frame, part).inputValue()))
    const first = newScenario()
    const opened = await openTimed(stage, 'unsaved-half-1', first)
    await opened.frame.getByRole('button', { name: `Edit ${PLACE}` }).click()
    await date(opened.frame, 'Month').fill('')
    await date(opened.frame, 'Day').fill('5')
    await kept(opened.frame)
    const again = await relaunch('unsaved-half-2', first)
    await again.frame.getByRole('button', { name: `Continue with ${PLACE}` }).click()
    expect(await typed(again.frame)).toEqual(['5', '', '2027'])
    await save(again.frame)
    await again.frame.getByRole('link', { name: 'Review date must be a real date' }).waitFor()
    saveByOther(first, 'resuscitation', { decision: 'attempt' }, 'Sue Hartley')
    const beside = await relaunch('unsaved-half-3', first)
    await beside.frame.getByRole('button', { name: `Continue with ${PLACE}` }).click()
    const row = beside.frame.getByRole('region', { name: 'Review date' })
    expect(await seen(row)).toContain('5 2027 (not a whole date)')
    expect(await row.getByLabel('Save my version').count()).toBe(0)
    await row.getByLabel('Finish my version').check()
    await shoot(beside.page, 'unsaved-half-typed')
    await beside.frame.getByRole('button', { name: 'Save this version' }).click()
    await beside.frame.getByRole('link', { name: 'Review date must be a real date' }).waitFor()
    expect(await typed(beside.frame)).toEqual(['5', '', '2027'])
  })

  it('has its items of the GP record with their source again, as far as the later launch brought them', async () => {
    const MEDICINE = 'Medication and allergies'
    const undo = { name: 'Undo adding Morphine 10 mg' }
    const first = newScenario({ gpRecord: gpRecord('Morphine 10 mg') })
    const opened = await openTimed(stage, 'unsaved-gp-1', first)
    await opened.frame.getByRole('button', { name: `Add ${MEDICINE}` }).click()
    await opened.frame.getByRole('button', { name: /Morphine 10 mg to Medicines in the/ }).click()
    await kept(opened.frame)
    const go = (frame: Frame) =>
      frame.getByRole('button', { name: `Continue with ${MEDICINE}` }).click()
    const came = /^.*1 item of your draft came from the GP record, sent by Fernleigh on 26-Nov-2026/
    const other = { gpRecord: gpRecord('Senna') }
    const without = await relaunch('unsaved-gp-2', first, other)
    await go(without.frame)
    await without.frame.getByText(came).waitFor()
    expect(await without.frame.getByRole('button', undo).count()).toBe(0)
    const { gpRecord: same } = first
    const again = await relaunch('unsaved-gp-3', first, { gpRecord: same })
    await go(again.frame)
    await again.frame.getByRole('button', undo).waitFor()
    await shoot(again.page, 'unsaved-gp')
    const last = await relaunch('unsaved-gp-4', first)
    await go(last.frame)
    await last.frame.getByText(came).waitFor()
    await shoot(last.page, 'unsaved-gp-later')
    await save(last.frame)
    await last.frame.locator('.saved').waitFor()
    const { composition } = first.sections.get('care-plan::medication.v1') ?? {}
    for (const told of ['MedicationRequest/m1', 'lch_fake'])
      expect(JSON.stringify(composition)).toContain(told)
  })

  it('is gone when it is cancelled, or taken back by hand', async () => {
    const { scenario, page, frame } = await typing('unsaved-7')
    await kept(frame)
    await frame.getByLabel('About me').fill('I kept bees for forty years.')
    await pause(frame)
    await frame.locator('.kept', { hasText: /^$/ }).waitFor({ state: 'attached' })
    expect(scenario.unsaved.size).toBe(0)
    await frame.getByLabel('About me').fill(WORDS)
    await kept(frame)
    await frame.getByRole('button', { name: 'Cancel' }).click()
    const gone = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    await frame.getByRole('dialog').getByRole('button', { name: 'Discard changes' }).click()
    await gone
    expect([scenario.unsaved.size, await offer(frame).count()]).toEqual([0, 0])
  })

  it('is kept with the last words when the page goes', async () => {
    const { scenario, page, frame } = await typing('unsaved-8')
    await kept(frame)
    await frame.getByLabel('About me').fill(`${WORDS} Twelve hives.`)
    const arrived = nextPut(scenario)
    await page.goto('about:blank')
    await arrived
    expect(put(scenario).values.about).toBe(`${WORDS} Twelve hives.`)
    await page.close()
  })

  it('is said not to be kept when it is not, and kept once it can be', async () => {
    const failing = new Map([['unsaved', 503]] as const)
    const scenario = newScenario({ failing })
    const { page, frame } = await openTimed(stage, 'unsaved-9', scenario)
    await frame.getByText('It could not be checked whether you have unsaved changes').waitFor()
    await edit(frame)
    await frame.getByLabel('About me').fill(WORDS)
    await pause(frame)
    const not =
      'Not kept: the service could not take it (The record is away). Your text is still on this page.'
    await frame.locator('.kept', { hasText: not }).waitFor()
    await shoot(page, 'unsaved-not-kept')
    expect(await violations(frame)).toEqual([])
    failing.clear()
    await page.clock.runFor(16_000)
    await kept(frame)
    expect(put(scenario).values.about).toBe(WORDS)
  })

  it('is not replaced by a page that has not seen it, however late that hears of it', async () => {
    const by = 'ctx_elsewhere'
    const body = { values: { about: WORDS } }
    const unsaved = new Map([[MATTERS, { body, kept: '2026-11-26T08:42:00Z', by }]])
    const scenario = newScenario({ unsaved, failing: new Map([['unsaved', 503]]) })
    const { page, frame } = await openTimed(stage, 'unsaved-10', scenario)
    await frame.getByText('It could not be checked whether').waitFor()
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/unsaved', async (route) => {
      await held
      await route.continue()
    })
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Check again' }).click()
    await edit(frame)
    await page.clock.runFor(2_000)
    await frame.getByLabel('About me').fill('Something else.')
    const heard = page.waitForResponse('**/unsaved')
    release()
    await heard
    await pause(frame)
    await frame.locator('.kept', { hasText: 'are kept, from another page' }).waitFor()
    expect(scenario.unsaved.get(MATTERS)).toMatchObject({ by, body })
    await page.close()
  })

  it('is told of when the session ends, and when the chart has moved on', async () => {
    const over = await typing('unsaved-11')
    await kept(over.frame)
    over.scenario.ended = true
    await save(over.frame)
    await over.frame.waitForSelector('[data-page=ended]')
    const line = /What you typed was kept at \d\d:\d\d\. It will be offered when you next open this/
    expect(await seen(over.frame.locator('main'))).toMatch(line)
    await shoot(over.page, 'unsaved-ended')
    const left = await typing('unsaved-12')
    await kept(left.frame)
    left.scenario.superseded = true
    await left.frame.getByLabel('About me').fill(`${WORDS} Twelve hives.`)
    await save(left.frame)
    await left.frame.waitForSelector('[data-page=superseded]')
    expect(await seen(left.frame.locator('.kept-line'))).toMatch(
      /^What you typed was kept at \d\d:\d\d, without your last changes\./,
    )
    await shoot(left.page, 'unsaved-superseded')
  })
})
