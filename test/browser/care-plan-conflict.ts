import { describe, expect, it } from '@jest/globals'
import type { Frame } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Scenario, saveByOther } from './scenario.js'

const CONTACTS = 'care-plan::contacts.v1'

/** The recorded values of a section by node id, as the record now holds them. */
function recorded(scenario: Scenario, template: string): Record<string, string> {
  const composition = scenario.sections.get(template)?.composition as {
    content: { data: { items: { archetype_node_id: string; value: { value: string } }[] } }[]
  }
  const items = composition.content[0]?.data.items ?? []
  return Object.fromEntries(items.map((item) => [item.archetype_node_id, item.value.value]))
}

const edit = (frame: Frame, title: string) =>
  frame.getByRole('button', { name: `Edit ${title}` }).click()
const save = (frame: Frame) => frame.getByRole('button', { name: 'Save', exact: true }).click()

describe('two people change one section', () => {
  async function conflict(handle: string, theirs: Record<string, string>) {
    const scenario = newScenario()
    const opened = await openPlan(stage, handle, scenario)
    const { frame } = opened
    await edit(frame, 'Personal and professional contacts')
    await frame.getByLabel('Lasting power of attorney').fill('Ruth and Peter')
    await frame.getByLabel('Professionals involved').fill('District nurses, 020 7946 0111')
    saveByOther(scenario, 'contacts', theirs, 'Tom Brightwell')
    await save(frame)
    return { ...opened, scenario }
  }
  const THEIRS = { 'next-of-kin': 'Ruth Ashworth, 07700 900999', attorney: 'Ruth only' }

  it('shows both versions side by side and asks for each field that both changed', async () => {
    const { page, frame, scenario } = await conflict('both', THEIRS)
    await frame.locator('.difference').first().waitFor()
    const text = await seen(frame.locator('form'))
    expect(text).toContain('Tom Brightwell saved a newer version')
    expect(text).toContain('nothing that you typed is lost')
    for (const words of ['Ruth only', 'Ruth and Peter', '07700 900999', '020 7946 0111']) {
      expect(text).toContain(words)
    }
    await shoot(page, 'conflict')
    expect(await violations(frame)).toEqual([])
    // On paper stands what is recorded: theirs.
    await page.emulateMedia({ media: 'print' })
    expect(await seen(frame.locator('#section-contacts'))).toContain('Ruth only')
    expect(await seen(frame.locator('main'))).not.toContain('Ruth and Peter')
    await page.emulateMedia({ media: null })

    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.getByRole('link', { name: 'Lasting power of attorney: choose' }).waitFor()
    expect(scenario.sections.get(CONTACTS)?.version).toBe(2)

    const attorney = frame.getByRole('region', { name: 'Lasting power of attorney' })
    await attorney.getByLabel('Write a combined version').check()
    await attorney.getByRole('textbox').fill('Ruth, and Peter for money')
    await shoot(page, 'conflict-combined')
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('.saved').waitFor()
    expect(recorded(scenario, CONTACTS)).toEqual({
      at0002: 'Ruth Ashworth, 07700 900999',
      at0003: 'Ruth, and Peter for money',
      at0004: 'District nurses, 020 7946 0111',
    })
  })

  it('marks the row that is not the same in both, such as another dose', async () => {
    const scenario = newScenario()
    const morphine = (dose: string) => ({ medicine: 'Morphine', symptom: 'pain', dose })
    const rows = (dose: string) =>
      JSON.stringify([morphine(dose), { medicine: 'Midazolam', dose: '2.5 mg' }])
    saveByOther(scenario, 'medication', { items: rows('2.5 mg') }, 'Tom Brightwell')
    const { page, frame } = await openPlan(stage, 'rows', scenario)
    await edit(frame, 'Medication and allergies')
    const first = frame.getByRole('group', { name: 'Anticipatory medicine 1' })
    await first.getByLabel('Dose and route').fill('10 mg')
    saveByOther(scenario, 'medication', { items: rows('5 mg') }, 'Tom Brightwell')
    await save(frame)
    const versions = frame.locator('.difference .version')
    await versions.first().waitFor()
    const marked = versions.locator('tbody tr', { has: frame.getByText('Differs') })
    expect(await marked.locator('td', { hasText: 'mg' }).allInnerTexts()).toEqual([
      'Dose and route: 5 mg',
      'Dose and route: 10 mg',
    ])
    await shoot(page, 'conflict-rows')
  })

  it('takes allergies that the other has recorded to the top at once, before anything is chosen', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'conflict-allergies', scenario)
    const top = frame.locator('.overview .allergies')
    expect(await seen(top)).toContain('none recorded in this plan')
    await frame.getByRole('button', { name: 'Add Medication and allergies' }).click()
    await frame.getByLabel('Where the administration chart is').fill('Kitchen')
    saveByOther(scenario, 'medication', { allergies: 'Penicillin' }, 'Tom Brightwell')
    await save(frame)
    await frame.locator('.difference').first().waitFor()
    expect(await seen(top)).toMatch(/Penicillin\s*\(20-Nov-2026\)/)
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('.saved').waitFor()
    expect(await seen(top)).toContain('Penicillin')
  })

  it('compares again when a third person saves while the choice is made', async () => {
    const { frame, scenario } = await conflict('third', THEIRS)
    const attorney = frame.getByRole('region', { name: 'Lasting power of attorney' })
    await attorney.getByLabel('Save my version').check()
    saveByOther(scenario, 'contacts', { ...THEIRS, attorney: 'Nobody' }, 'Priya Nair')
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('form').getByText('Priya Nair').waitFor()
    await frame
      .getByRole('region', { name: 'Lasting power of attorney' })
      .getByLabel('Save my version')
      .check()
    await frame.getByRole('button', { name: 'Save this version' }).click()
    await frame.locator('.saved').waitFor()
    expect(recorded(scenario, CONTACTS).at0003).toBe('Ruth and Peter')
  })

  it('finds its own save, when only the answer was lost on the way', async () => {
    const mine = { attorney: 'Ruth and Peter', professionals: 'District nurses, 020 7946 0111' }
    const { frame } = await conflict('own', {
      'next-of-kin': 'Ruth Ashworth (daughter), 07700 900123',
      ...mine,
    })
    await frame.locator('.saved').waitFor()
  })

  it('shows their version when the user lets theirs stand', async () => {
    const { frame } = await conflict('theirs', THEIRS)
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await frame.getByRole('button', { name: 'Discard changes' }).click()
    expect(await seen(frame.locator('#section-contacts'))).toContain('Ruth only')
  })
})

describe('the chart moves on while somebody types', () => {
  it('says so, keeps what was typed on the page, and goes on showing the plan', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'moved', scenario)
    await edit(frame, 'Personal and professional contacts')
    await frame.getByLabel('Lasting power of attorney').fill('Ruth and Peter')
    scenario.superseded = true
    await save(frame)
    const told = frame.locator('[data-page="superseded"]')
    await told.waitFor()
    const text = await seen(told)
    expect(text).toContain('Your changes to “Personal and professional contacts” were not saved.')
    expect(text).toContain('Another care plan has been opened since.')
    expect(text).toContain('Ruth and Peter')
    expect(text).toContain('ref_fakeMovedOn1')
    expect(await seen(frame.locator('body'))).toContain('ASHWORTH')
    await shoot(page, 'superseded')
    expect(await violations(frame)).toEqual([])

    await frame.getByRole('button', { name: 'Show this plan, to read' }).click()
    await frame.getByText('Nothing can be saved from this view any more').waitFor()
    expect(await frame.getByRole('button', { name: /^Edit / }).count()).toBe(0)
    await frame.getByRole('button', { name: 'Show what you typed' }).click()
    expect(await seen(told)).toContain('Ruth and Peter')
    expect(recorded(scenario, CONTACTS).at0003).toBe('Ruth Ashworth')
  })
})
