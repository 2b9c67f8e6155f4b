/** What a record holds in a form that this app cannot tell: shown as that, never as a guess, and never changed. */
import { describe, expect, it } from '@jest/globals'
import type { Frame } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Json, type Scenario, saveByOther, stored } from './scenario.js'

const CPR = 'care-plan::resuscitation.v1'

interface Content {
  data: { items: Json[] }
}
const contentOf = (scenario: Scenario, template: string) =>
  scenario.sections.get(template)?.composition.content as Content[]

/** Puts a CLUSTER into a section as the record holds it. */
function putCluster(scenario: Scenario, template: string, archetype: string, text: string): void {
  const value = { _type: 'DV_TEXT', value: text }
  const items = [{ _type: 'ELEMENT', archetype_node_id: 'at0002', value }]
  contentOf(scenario, template)[0]?.data.items.push({
    _type: 'CLUSTER',
    archetype_node_id: archetype,
    items,
  })
}

const first = (frame: Frame) => frame.locator('article').first()
const save = (frame: Frame) => frame.getByRole('button', { name: 'Save', exact: true }).click()

describe('a CPR decision', () => {
  it('keeps its look and its words beside a node of another archetype with the same code', async () => {
    const scenario = newScenario()
    putCluster(scenario, CPR, 'openEHR-EHR-CLUSTER.location.v1', 'Ward 4')
    const { frame } = await openPlan(stage, 'nested', scenario)
    expect(await seen(frame.locator('.resus--stop .resus__decision'))).toBe(
      'Do not attempt CPR (DNACPR)',
    )
    expect(await seen(first(frame))).toContain('1 recorded value of this section cannot be shown')
    await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    await frame.getByLabel('Attempt CPR', { exact: true }).check()
    await frame.getByLabel('Decided by').fill('Dr Amara Okafor')
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(JSON.stringify(contentOf(scenario, CPR))).toContain('Ward 4')
  })

  it('is not called "not found" where only an older of two entries holds one', async () => {
    const scenario = newScenario()
    const newer = stored('resuscitation', { capacity: 'Yes' }, 'Ruth', '2026-05-05T10:00:00Z')
    scenario.sections.set(`${CPR}#2`, newer)
    const { frame } = await openPlan(stage, 'older-entry', scenario)
    const text = await seen(first(frame))
    expect(text).toContain('The CPR decision cannot be shown here')
    expect(text).toContain('The record holds more than one entry for this section')
    expect(text).not.toContain('No CPR decision was found')
  })

  it('that the record holds twice is shown as neither, and offered to nobody to change', async () => {
    const scenario = newScenario()
    putCluster(scenario, CPR, 'at0010', 'Attempt CPR')
    const { page, frame } = await openPlan(stage, 'twice', scenario)
    const text = await seen(first(frame))
    expect(text).toContain('The CPR decision cannot be shown here')
    expect(text).not.toMatch(/No CPR decision was found|Attempt CPR|Do not attempt/)
    expect(await frame.locator('.resus--none').count()).toBe(1)
    await shoot(page, 'unclear')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    const form = frame.locator('form')
    expect(await form.getByRole('radio', { name: /CPR/ }).count()).toBe(0)
    expect(await seen(form)).toContain('Cannot be shown here, and cannot be changed here')
    await shoot(page, 'unclear-edit')
    expect(await violations(frame)).toEqual([])
    await frame.getByLabel('Decided by').fill('Dr Okafor')
    await save(frame)
    await frame.locator('.saved').waitFor()
    const kept = JSON.stringify(contentOf(scenario, CPR))
    for (const words of ['Do not attempt CPR', 'Attempt CPR', 'Dr Okafor']) {
      expect(kept).toContain(words)
    }
  })

  it('whose date the record holds twice is not called undated', async () => {
    const scenario = newScenario()
    const items = contentOf(scenario, CPR)[0]?.data.items ?? []
    const value = { _type: 'DV_DATE', value: '2020-01-01' }
    items.push({ _type: 'ELEMENT', archetype_node_id: 'at0005', value })
    const { frame } = await openPlan(stage, 'two-dates', scenario)
    const text = await seen(first(frame))
    expect(text).toContain('Date of decision cannot be shown here')
    expect(text).not.toMatch(/not recorded|2020/)
  })

  it('that cannot be read is not called "not found"', async () => {
    const scenario = newScenario()
    const items = contentOf(scenario, CPR)[0]?.data.items ?? []
    Object.assign(items[0] as Json, { archetype_node_id: 'at0077' })
    const { frame } = await openPlan(stage, 'unread-decision', scenario)
    expect(await seen(first(frame))).not.toContain('No CPR decision was found')
    expect(await seen(first(frame))).toContain('check the full record')
  })
})

describe('a conflict with a version that this app cannot tell', () => {
  it('keeps their value, and shows what was typed against it', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'unclear-conflict', scenario)
    await frame.getByRole('button', { name: 'Edit Personal and professional contacts' }).click()
    await frame.getByLabel('Next of kin').fill('Peter Ashworth')
    await frame.getByLabel('Lasting power of attorney').fill('Ruth and Peter')
    const theirs = { 'next-of-kin': 'Ruth Ashworth', attorney: 'Ruth only' }
    saveByOther(scenario, 'contacts', theirs, 'Tom Brightwell')
    putCluster(scenario, 'care-plan::contacts.v1', 'at0010', 'Dr Lee')
    await save(frame)
    const kin = frame.getByRole('region', { name: 'Next of kin' })
    await kin.waitFor()
    expect(await seen(kin)).toContain('Their version cannot be shown here')
    expect(await seen(kin)).toContain('Peter Ashworth')
    expect(await kin.getByRole('radio').count()).toBe(0)
    await shoot(page, 'unclear-conflict')
    expect(await violations(frame)).toEqual([])
    const attorney = frame.getByRole('region', { name: 'Lasting power of attorney' })
    await attorney.getByLabel('Write a combined version').check()
    // What can only be copied is kept too: with words that no pause before this has let be kept already.
    const both = 'Ruth and Peter, who are both named'
    const draft = page.waitForResponse((answer) =>
      String(answer.request().postData()).includes(both),
    )
    await attorney.getByRole('textbox').fill(both)
    await frame.evaluate("window.dispatchEvent(new Event('blur'))")
    await draft
    expect(scenario.unsaved.get('care-plan::contacts.v1')?.body.values).toMatchObject({
      ...{ 'next-of-kin': 'Peter Ashworth', attorney: both },
    })
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('.saved').waitFor()
    const kept = JSON.stringify(contentOf(scenario, 'care-plan::contacts.v1'))
    for (const words of ['Ruth Ashworth', 'Dr Lee', 'Ruth and Peter']) expect(kept).toContain(words)
  })
})

describe('a record that cannot hold, or does not keep, what was typed', () => {
  it.each<[string, (content: Content[]) => unknown[]]>([
    ['has no entry', () => []],
    [
      'holds an observation',
      ([one]) => [
        {
          ...one,
          _type: 'OBSERVATION',
          archetype_node_id: 'openEHR-EHR-OBSERVATION.cpr.v1',
          data: { _type: 'HISTORY', archetype_node_id: 'at0001', events: [] },
        },
      ],
    ],
  ])('is not sent a change that would vanish, and the user is told: %s', async (what, change) => {
    const scenario = newScenario()
    const composition = scenario.sections.get(CPR)?.composition as { content: unknown[] }
    composition.content = change(contentOf(scenario, CPR))
    const { page, frame } = await openPlan(stage, what.replaceAll(' ', '-'), scenario)
    await frame.getByRole('button', { name: 'Edit Resuscitation (CPR)' }).click()
    await frame.getByLabel('Do not attempt CPR (DNACPR)').check()
    await frame.getByLabel('Reason for the decision').fill('Frailty')
    await save(frame)
    const alert = frame.getByRole('alert')
    await alert.waitFor()
    expect(await seen(alert)).toContain('This was not saved')
    expect(await seen(alert)).toContain('Decision, Reason for the decision')
    expect(await seen(alert)).toContain('in the full record')
    expect(await frame.getByLabel('Reason for the decision').inputValue()).toBe('Frailty')
    expect(scenario.log.filter((line) => line.startsWith('PUT'))).toEqual([])
    await shoot(page, 'unfit')
    expect(await violations(frame)).toEqual([])
  })

  it('is not called up to date when it answers with something else than was saved', async () => {
    const scenario = newScenario({ keeps: (text) => text.replaceAll('Peter', '') })
    const { page, frame } = await openPlan(stage, 'altered', scenario)
    await frame.getByRole('button', { name: 'Edit Personal and professional contacts' }).click()
    await frame.getByLabel('Lasting power of attorney').fill('Ruth and Peter')
    await save(frame)
    const attorney = frame.getByRole('region', { name: 'Lasting power of attorney' })
    await attorney.waitFor()
    const text = await seen(frame.locator('form'))
    expect(text).toContain('The record took your change, but does not hold it as you typed it.')
    expect(text).not.toMatch(/somebody else|has not been saved/)
    expect(await seen(attorney)).toMatch(/In the record\s+Ruth and\s+Your version\s+Ruth and Peter/)
    await shoot(page, 'altered')
    expect(await violations(frame)).toEqual([])
    expect(await frame.locator('.saved').count()).toBe(0)

    // A record that has come right takes it the second time, over the version that it made.
    scenario.keeps = undefined
    await attorney.getByLabel('Save my version').check()
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('#section-contacts'))).toContain('Ruth and Peter')
  })
})
