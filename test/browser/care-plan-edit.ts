import { describe, expect, it } from '@jest/globals'
import type { Frame } from 'playwright-core'
import { violations } from './accessibility.js'
import { newScenario, openPlan, seen, shoot } from './care-plan-stage.js'
import { stage } from './care-plan-suite.js'
import { type Scenario, saveByOther, scopeFor } from './scenario.js'

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
const writes = ({ log }: Scenario) => log.filter((line) => /^(PUT|POST) /.test(line))

describe('editing a section', () => {
  it('saves what was changed, leaves the rest as it was, and says so', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'save', scenario)
    await frame.getByText('Signed in: Dr Amara Okafor').waitFor()
    await edit(frame, 'Personal and professional contacts')
    // It opens once it is known whether there are unsaved changes.
    await frame.locator('form').waitFor()
    expect(await frame.evaluate('document.activeElement.textContent')).toBe(
      'Edit: Personal and professional contacts',
    )
    await frame.getByLabel('Lasting power of attorney').fill('Ruth Ashworth and Peter Ashworth')
    await shoot(page, 'edit')
    expect(await violations(frame)).toEqual([])
    await save(frame)
    await frame.locator('.saved').waitFor()
    const text = await seen(frame.locator('#section-contacts'))
    expect(text).toContain('Saved. Personal and professional contacts is up to date')
    expect(text).toContain('Ruth Ashworth and Peter Ashworth')
    expect(text).toMatch(/Last changed \d\d-\w{3}-\d{4} at \d\d:\d\d by Dr Amara Okafor/)
    await shoot(page, 'saved')
    expect(await violations(frame)).toEqual([])
    expect(writes(scenario)).toEqual(['PUT /openehr/v1/ehr/ehr-1/composition/obj-contacts'])
    expect(recorded(scenario, CONTACTS)).toEqual({
      at0002: 'Ruth Ashworth (daughter), 07700 900123',
      at0003: 'Ruth Ashworth and Peter Ashworth',
    })
  })

  it('changes a choice and a date, and takes out what was emptied', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'choice', scenario)
    await edit(frame, 'Resuscitation (CPR)')
    await frame.getByLabel('Attempt CPR', { exact: true }).check()
    const review = frame.getByRole('group', { name: 'Review date' })
    await review.getByLabel('Day').fill('5')
    await review.getByLabel('Month').fill('11')
    await review.getByLabel('Year').fill('2028')
    await frame.getByLabel('Reason for the decision').fill('')
    await shoot(page, 'edit-cpr')
    expect(await violations(frame)).toEqual([])
    await save(frame)
    // It would stand under the day and the name of the decision before it.
    const dialog = frame.getByRole('dialog')
    expect(await seen(dialog)).toMatch(/“Attempt CPR”.* 12-Mar-2026 by Dr Helen Marsh/)
    expect(await violations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(writes(scenario)).toEqual([])
    await frame.getByLabel('Decided by').fill('Dr Amara Okafor')
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('.resus__decision'))).toBe('Attempt CPR')
    expect(recorded(scenario, 'care-plan::resuscitation.v1')).toMatchObject({
      at0002: 'Attempt CPR',
      at0006: '2028-11-05',
    })
    expect(recorded(scenario, 'care-plan::resuscitation.v1')).not.toHaveProperty('at0003')
  })

  it('begins a section that has no entry yet', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'add', scenario)
    await frame.getByRole('button', { name: 'Add Thinking ahead' }).click()
    await frame.getByLabel('Preferred place of care').fill('At home')
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(writes(scenario)).toEqual(['POST /openehr/v1/ehr/ehr-1/composition'])
    expect(recorded(scenario, 'care-plan::thinking-ahead.v1')).toEqual({ at0002: 'At home' })
    expect(await frame.getByRole('button', { name: 'Edit Thinking ahead' }).count()).toBe(1)
  })

  it('takes rows, several choices, a number with its unit and a yes, by keyboard too', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'rows', scenario)
    await edit(frame, 'Personal and professional contacts')
    const form = frame.locator('form')
    await form.getByRole('button', { name: 'Add to Contact' }).click()
    // The first field of the new row has the focus.
    await page.keyboard.type('Ruth Ashworth')
    await form.getByLabel('Relationship').selectOption({ label: 'Son or daughter' })
    await form.getByLabel('Holds a key').check()
    await form.getByRole('button', { name: 'Add to Contact' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type('Somebody else')
    await form.getByRole('group', { name: 'Contact 2' }).getByLabel('Telephone').fill('1')
    await shoot(page, 'edit-rows')
    expect(await violations(frame)).toEqual([])
    await form.getByRole('button', { name: 'Remove Contact 2' }).click()
    expect(await form.getByRole('group', { name: 'Contact 2' }).count()).toBe(0)
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(await seen(frame.locator('#section-contacts'))).toMatch(
      /Name\s+Relationship\s+Role\s+Ruth Ashworth\s+Son or daughter\s+Holds a key/,
    )

    await frame.getByRole('button', { name: 'Add Function, disability' }).click()
    await form.getByLabel('Performance status (AKPS)').fill('140')
    await save(frame)
    await frame.locator('.nhsuk-error-summary').waitFor()
    expect(await seen(frame.locator('.nhsuk-error-summary'))).toContain('between 0 and 100')
    expect(await violations(frame)).toEqual([])
    await form.getByLabel('Performance status (AKPS)').fill('40')
    await form.getByLabel('Hearing').check()
    await form.getByLabel('Sight').check()
    await save(frame)
    await frame.locator('#section-functional-status .saved').waitFor()
    const text = await seen(frame.locator('#section-functional-status'))
    expect(text).toMatch(/Performance status \(AKPS\)\s+40%/)
    expect(text).toMatch(/Hearing\s+Sight/)
  })

  it('leads to what is missing in a row, and saves nothing until it stands there', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'row-missing', scenario)
    await edit(frame, 'Personal and professional contacts')
    await frame.getByRole('button', { name: 'Add to Contact' }).click()
    await frame.getByRole('group', { name: 'Contact 1' }).getByLabel('Telephone').fill('1')
    await save(frame)
    const problem = 'Contact 1: Name: this must be filled in'
    await frame.getByRole('link', { name: problem }).click()
    await page.keyboard.type('Ruth')
    expect(writes(scenario)).toEqual([])
    await save(frame)
    await frame.locator('.saved').waitFor()
    expect(writes(scenario)).toHaveLength(1)
  })

  it('does not begin a second entry beside one that somebody else has begun meanwhile', async () => {
    const scenario = newScenario()
    const { frame } = await openPlan(stage, 'twin', scenario)
    await frame.getByRole('button', { name: 'Add Thinking ahead' }).click()
    await frame.getByLabel('Preferred place of care').fill('At home')
    saveByOther(scenario, 'thinking-ahead', { 'place-of-care': 'Hospice' }, 'Tom Brightwell')
    await save(frame)
    await frame.locator('.difference').waitFor()
    expect(writes(scenario)).toEqual([])
  })

  it('offers no button to a role that may only read', async () => {
    const scenario = newScenario({ scope: scopeFor({ '*': 'r' }) })
    const { frame } = await openPlan(stage, 'reader', scenario)
    expect(await frame.getByRole('button', { name: /^(Edit|Add)/ }).count()).toBe(0)
    await frame.getByText('Your role may read this plan, not change it.').waitFor()
  })
})

describe('what the GP record sent with the launch', () => {
  const subject = { reference: 'Patient/pat-1' }
  const medicine = (id: string, text: string, status = 'active') => ({
    resource: {
      ...{ resourceType: 'MedicationRequest', id, status, subject },
      medicationCodeableConcept: { text },
    },
  })
  const gpRecord = {
    ...{
      resourceType: 'Bundle',
      id: 'lch-fake',
      type: 'collection',
      timestamp: '2026-11-26T08:31:00Z',
    },
    meta: { tag: [{ system: 'urn:launch-gateway:launch-system', display: 'Fernleigh' }] },
    entry: [medicine('m1', 'Morphine 10 mg'), medicine('m2', 'Senna', 'stopped')],
  }
  const add = (frame: Frame, title: string) =>
    frame.getByRole('button', { name: `Add ${title}` }).click()

  it('says that it could not be loaded, works without it, and offers it when asked again', async () => {
    const scenario = newScenario({ gpRecord, failing: new Map([['Bundle', 500]]) })
    const { page, frame } = await openPlan(stage, 'gp-away', scenario)
    await add(frame, 'Medication and allergies')
    await frame.getByText('could not be loaded. The form works without them.').waitFor()
    await shoot(page, 'gp-record-away')
    expect(await violations(frame)).toEqual([])
    scenario.failing.set('Bundle', 404)
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.getByText('are not available to you any more, or not to your role').waitFor()
    scenario.failing.clear()
    await frame.getByRole('button', { name: 'Try again' }).click()
    await frame.getByText('Not offered: 1 item that the GP record marks as over.').waitFor()
    // One item, two fields that take it: added to one, it is there for the other.
    await add(frame, 'Morphine 10 mg to Anticipatory medicine')
    const row = frame.getByRole('group', { name: 'Anticipatory medicine 1' })
    expect(await row.getByLabel('Medicine').inputValue()).toBe('Morphine 10 mg')
    expect(await seen(frame.locator('.offers').nth(1))).toContain(
      'Already in “Anticipatory medicine”',
    )
    await row.getByRole('button', { name: 'Remove' }).click()
    expect(await seen(frame.locator('.offers').nth(1))).not.toContain('Already')
    const home = frame.getByLabel('Medicines in the home').first()
    await home.fill('x'.repeat(9_990))
    await add(frame, 'Morphine 10 mg to Medicines in the home')
    await frame.locator('.offer').getByText('has no room for this.').waitFor()
    await home.fill('')
    await add(frame, 'Morphine 10 mg to Medicines in the home')
    await frame.getByLabel('Allergies and adverse reactions').first().fill('Nuts')
    await shoot(page, 'gp-record')
    expect(await violations(frame)).toEqual([])
    await save(frame)
    await frame.locator('.saved').waitFor()
    // Allergies stand near the top, as they are now.
    expect(await seen(frame.locator('.overview .allergies'))).toMatch(
      /^Allergies and adverse reactions: Nuts\s*\(\d\d-[A-Z][a-z]{2}-\d{4}\)$/,
    )
    expect(await seen(frame.locator('#section-medication .source'))).toBe(
      'From the GP record, Fernleigh, sent 26-Nov-2026',
    )
    await edit(frame, 'Medication and allergies')
    await frame.getByText('Already in the plan.').waitFor()
  })

  it('fills a decision with exactly the option that its code is, and says so beside the decision', async () => {
    const code = (of: string, text: string) => ({
      ...{ text, coding: [{ system: 'http://snomed.info/sct', code: of }] },
    })
    const problem = (id: string, concept: object) => ({
      resource: { ...{ resourceType: 'Condition', id, subject }, code: concept },
    })
    const entry = [
      problem('p1', code('450476008', 'Not for attempted cardiopulmonary resuscitation')),
      problem('p2', code('13645005', 'Attempt CPR')),
    ]
    const scenario = newScenario({ gpRecord: { ...gpRecord, entry } })
    scenario.sections.delete('care-plan::resuscitation.v1')
    const { page, frame } = await openPlan(stage, 'gp-decision', scenario)
    await add(frame, 'Resuscitation (CPR)')
    const offer = frame.locator('.offer')
    await offer.waitFor()
    expect(await seen(offer)).toContain(
      'in the GP record: Not for attempted cardiopulmonary resuscitation · SNOMED CT 450476008',
    )
    await add(frame, 'Do not attempt CPR (DNACPR) to Decision')
    expect(await frame.getByLabel('Do not attempt CPR (DNACPR)').isChecked()).toBe(true)
    await frame.getByRole('button', { name: 'Undo adding Do not attempt CPR' }).click()
    expect(await frame.getByLabel('Not recorded').first().isChecked()).toBe(true)
    await add(frame, 'Do not attempt CPR (DNACPR) to Decision')
    await shoot(page, 'gp-decision')
    expect(await violations(frame)).toEqual([])
    await save(frame)
    await frame.locator('.saved').waitFor()
    const section = frame.locator('#section-resuscitation')
    expect(await seen(section)).toContain('Do not attempt CPR (DNACPR)')
    expect(await seen(section.locator('.source'))).toBe(
      'From the GP record, Fernleigh, sent 26-Nov-2026',
    )
    await shoot(page, 'gp-decision-saved')
  })

  it('is nowhere in a section that takes nothing over, and its faults are said, not shown', async () => {
    const scenario = newScenario({ gpRecord: { resourceType: 'Bundle', entry: 7 } })
    const { frame } = await openPlan(stage, 'gp-fault', scenario)
    await edit(frame, 'What matters to me')
    expect(await frame.getByText('GP record').count()).toBe(0)
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await add(frame, 'Diagnoses and prognosis')
    await frame.getByText('could not be understood. The form works without them.').waitFor()
    await frame.getByLabel('Main diagnoses').fill('Frailty')
    await save(frame)
    await frame.locator('.saved').waitFor()
  })
})

describe('what was typed is not lost', () => {
  it('leads to a date that does not exist by an error summary, and saves nothing', async () => {
    const scenario = newScenario()
    const { page, frame } = await openPlan(stage, 'invalid', scenario)
    await edit(frame, 'Resuscitation (CPR)')
    const review = frame.getByRole('group', { name: 'Review date' })
    await review.getByLabel('Day').fill('31')
    await review.getByLabel('Month').fill('2')
    await save(frame)
    const link = frame.getByRole('link', { name: 'Review date must be a real date' })
    await link.waitFor()
    await shoot(page, 'invalid')
    expect(await violations(frame)).toEqual([])
    await link.click()
    expect(await frame.evaluate('document.activeElement.value')).toBe('31')
    expect(writes(scenario)).toEqual([])
  })

  it.each<[string, number | 'drop', string]>([
    ['fails', 422, 'the record could not take it'],
    ['is refused', 403, 'your role does not allow this change'],
    ['is never answered', 'drop', 'It is not known whether this was saved'],
  ])(
    'keeps the text when the save %s, says why, and saves it when asked again',
    async (how, failing, why) => {
      const scenario = newScenario({ failing: new Map([['save', failing]]) })
      const { page, frame } = await openPlan(stage, `save-${how}`, scenario)
      await edit(frame, 'What matters to me')
      await frame.getByLabel('What matters most').fill('The garden, and the bees.')
      await save(frame)
      await frame.getByText(why).waitFor()
      await shoot(page, 'save-failed')
      expect(await frame.getByLabel('What matters most').inputValue()).toBe(
        'The garden, and the bees.',
      )
      scenario.failing.clear()
      await save(frame)
      await frame.locator('.saved').waitFor()
      expect(recorded(scenario, 'care-plan::what-matters.v1').at0003).toBe(
        'The garden, and the bees.',
      )
    },
  )

  it('asks before changes are discarded, and keeps them on the safe answer', async () => {
    const { page, frame } = await openPlan(stage, 'cancel', newScenario())
    await edit(frame, 'What matters to me')
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await frame.getByRole('button', { name: 'Edit What matters to me' }).click()
    await frame.getByLabel('About me').fill('Changed')
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await frame.getByRole('dialog').waitFor()
    await shoot(page, 'discard')
    expect(await violations(frame)).toEqual([])
    await page.keyboard.press('Escape')
    expect(await frame.getByLabel('About me').inputValue()).toBe('Changed')
    await frame.getByRole('button', { name: 'Cancel' }).click()
    await frame.getByRole('button', { name: 'Discard changes' }).click()
    expect(await seen(frame.locator('#section-what-matters'))).toContain('I kept bees')
    expect(await frame.evaluate('document.activeElement.textContent')).toBe(
      'Edit What matters to me',
    )
  })
})
