import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Frame, Page } from 'playwright-core'
import { searchTrail } from '../../src/audit/search.js'
import { verifyTrail } from '../../src/audit/verify.js'
import type { SystemId } from '../../src/demo/desktop-systems.js'
import { violations } from './accessibility.js'
import { openChromium } from './chromium.js'
import { openChart, openPlan, openWard, shoot, textOf, type Ward } from './demonstration.js'

jest.setTimeout(180_000)

let ward: Ward
beforeAll(async () => {
  ward = await openWard()
}, 120_000)
afterAll(() => ward?.close())

const CPR = 'Do not attempt CPR (DNACPR)'
const PROGNOSIS = 'section-prognosis'
const CONTACTS = 'section-contacts'

describe('Open care plan, with third-party cookies blocked', () => {
  // biome-ignore format: a table
  it.each<[SystemId, string, string, { cpr: boolean; prognosis: boolean; edits: readonly string[]; never: readonly string[] }]>([
    ['gp-push',  'gp',                 'Dr Amara Okafor', { cpr: true,  prognosis: true,  edits: ['Resuscitation (CPR)'],  never: [] }],
    ['gp-post',  'practice-nurse',     'Tom Brightwell',  { cpr: true,  prognosis: true,  edits: ['Personal and professional contacts'], never: ['Resuscitation (CPR)'] }],
    ['gp-smart', 'district-nurse',     'Ngozi Adeyemi',   { cpr: true,  prognosis: true,  edits: ['Symptoms and how to help'], never: ['Resuscitation (CPR)'] }],
    ['gp-smart', 'hospice-consultant', 'Dr Helen Marsh',  { cpr: true,  prognosis: true,  edits: ['Resuscitation (CPR)'],  never: [] }],
    ['gp-push',  'paramedic',          'Jamie Cole',      { cpr: true,  prognosis: true,  edits: [],                       never: ['Resuscitation (CPR)', 'Personal and professional contacts'] }],
    ['gp-post',  'call-handler',       'Priya Nair',      { cpr: true,  prognosis: false, edits: [],                       never: ['Resuscitation (CPR)'] }],
    ['gp-smart', 'social-worker',      'Daniel Osei',     { cpr: true,  prognosis: false, edits: ['Personal and professional contacts'], never: ['Resuscitation (CPR)'] }],
    ['gp-post',  'receptionist',       'Sue Hartley',     { cpr: false, prognosis: false, edits: ['Personal and professional contacts'], never: ['Resuscitation (CPR)'] }],
  ])('%s shows %s (%s) the plan that the role allows', async (system, user, name, { cpr, prognosis, edits, never }) => {
    const page = await openChart(ward, system, user, 'ASHWORTH')
    const frame = await openPlan(page)
    await frame.getByText(`Signed in: ${name}`).waitFor()
    const text = await textOf(frame)
    expect(text).toContain('ASHWORTH, Margaret Ellen (Mrs)')
    expect(text).toContain('999 000 0018')
    expect(text.includes(CPR)).toBe(cpr)
    expect(await frame.locator(`#${PROGNOSIS}`).count()).toBe(prognosis ? 1 : 0)
    expect(await frame.locator(`#${CONTACTS}`).count()).toBe(1)
    for (const title of edits) expect(await frame.getByRole('button', { name: `Edit ${title}` }).count()).toBe(1)
    for (const title of never) expect(await frame.getByRole('button', { name: `Edit ${title}` }).count()).toBe(0)
    expect(frame.url()).toBe(`${ward.origins.app}/`)
    // The desktop around it is looked at below, and in its own suite.
    expect(await violations(frame)).toEqual([])
    await shoot(page, `plan-${system}-${user}`)
    await page.close()
  })

  it('shows a paramedic what a GP wrote, with who changed it and what it was, and a receptionist none of it', async () => {
    const written = 'Sit her up, open the window, and wait with her.'
    const gone = await openChart(ward, 'gp-push', 'gp', 'ASHWORTH')
    const first = await openPlan(gone)
    await first.getByRole('button', { name: 'Edit Symptoms and how to help' }).click()
    await first.getByLabel('What helps').fill(written)
    await first
      .getByText(/^Draft kept \d\d:\d\d$/)
      .first()
      .waitFor()
    await gone.close()
    // Whoever sits there next finds none of it; its author does, also from another system.
    const next = await openChart(ward, 'gp-push', 'district-nurse', 'ASHWORTH')
    const theirs = await openPlan(next)
    await theirs.getByText('Signed in: Ngozi Adeyemi').waitFor()
    expect(await theirs.getByRole('region', { name: 'Unsaved changes' }).count()).toBe(0)
    await next.close()
    const gp = await openChart(ward, 'gp-post', 'gp', 'ASHWORTH')
    const form = await openPlan(gp)
    await form.getByText('Signed in: Dr Amara Okafor').waitFor()
    await form.getByRole('button', { name: 'Continue with Symptoms and how to help' }).click()
    expect(await form.getByLabel('What helps').inputValue()).toBe(written)
    expect(await violations(gp)).toEqual([])
    await form.getByRole('button', { name: 'Save', exact: true }).click()
    await form.locator('.saved').waitFor()
    // The GP system closes it, and files what comes back in the chart: `GET /launch/{id}/outcome`.
    await gp.getByRole('button', { name: 'Close care plan' }).click()
    const filed = gp.locator('[data-outcome=changed]')
    await filed.getByText('Symptoms and how to help: changed').waitFor()
    expect(await filed.textContent()).toMatch(/Dr Amara Okafor/)
    expect(await filed.textContent()).toContain(written)
    await gp.getByText('Closed. The care plan was changed.').waitFor()
    expect(await violations(gp)).toEqual([])
    await shoot(gp, 'outcome')
    await gp.close()

    const crew = await openChart(ward, 'gp-push', 'paramedic', 'ASHWORTH')
    const plan = await openPlan(crew)
    expect(await textOf(plan)).toContain(written)
    const symptoms = plan.locator('#section-symptoms')
    await symptoms.getByRole('button', { name: 'History of Symptoms' }).click()
    await symptoms.locator('.history__version').nth(1).waitFor()
    const [newest] = await symptoms.locator('.history__version').allInnerTexts()
    expect(newest).toMatch(
      /by Dr Amara Okafor: 1 field changed\s+What helps\s+Before\s+Sit her upright/,
    )
    expect(await violations(crew)).toEqual([])
    await shoot(crew, 'history')
    await crew.close()

    const desk = await openChart(ward, 'gp-post', 'receptionist', 'ASHWORTH')
    expect(await textOf(await openPlan(desk))).not.toContain(written)
    await desk.close()
  })

  it('survives a conflict, a patient switch and a timeout, and loses nothing that was typed', async () => {
    const [theirs, mine] = ['Ring the heart failure nurse.', 'A fan, and the window open.']
    const helps = 'What helps'
    const edit = async (frame: Frame, text: string) => {
      await frame.getByRole('button', { name: 'Edit Symptoms and how to help' }).click()
      await frame.getByLabel(helps).fill(text)
    }
    const gp = await openChart(ward, 'gp-push', 'gp', 'ASHWORTH')
    const form = await openPlan(gp)
    await edit(form, mine)
    // At another computer: in one browser the next person's launch ends the last one's.
    const elsewhere = await openChromium()
    const nurse = await openChart(
      { ...ward, browser: elsewhere },
      'gp-smart',
      'district-nurse',
      'ASHWORTH',
    )
    const other = await openPlan(nurse)
    await edit(other, theirs)
    await other.getByRole('button', { name: 'Save', exact: true }).click()
    await other.locator('.saved').waitFor()
    await elsewhere.close()

    // Both versions side by side; each field that both changed is asked for.
    await form.getByRole('button', { name: 'Save', exact: true }).click()
    const difference = form.getByRole('region', { name: helps })
    await difference.getByText(theirs).waitFor()
    expect(await violations(gp)).toEqual([])
    await shoot(gp, 'journey-conflict')
    await difference.getByLabel('Write a combined version').check()
    await difference.getByRole('textbox').fill(`${theirs} ${mine}`)
    await form.getByRole('button', { name: 'Save this version' }).click()
    await form.locator('.saved').waitFor()

    // The chart moves on to another patient while the first plan is being changed.
    const later = 'Oramorph before she is washed.'
    await edit(form, later)
    const switched = await openChart(ward, 'gp-push', 'gp', 'KOWALCZYK')
    await openPlan(switched)
    await form.getByRole('button', { name: 'Save', exact: true }).click()
    await form.locator('[data-page=superseded]').waitFor()
    expect(await textOf(form)).toContain(later)
    expect(await violations(form)).toEqual([])
    await shoot(gp, 'journey-superseded')
    await switched.close()

    // Opened again, it offers what was typed; it was saved by nobody.
    await gp.reload()
    await gp.clock.install()
    const again = await openPlan(gp)
    const symptoms = again.locator('#section-symptoms')
    expect(await symptoms.innerText()).toContain(`${theirs} ${mine}`)
    await again.getByRole('button', { name: 'Edit Symptoms and how to help' }).click()
    await again.locator('dialog').getByRole('button', { name: 'Continue' }).click()
    expect(await again.getByLabel(helps).inputValue()).toBe(later)

    // Nobody is there: at the end of the session nothing of the patient stays on the screen.
    await gp.clock.runFor(16 * 60_000)
    await again.locator('[data-page=idle]').waitFor()
    expect(await textOf(again)).not.toMatch(/ASHWORTH|999 000|Okafor|Oramorph/)
    await shoot(gp, 'journey-idle')
    await gp.close()
  })

  it('takes an allergy of the GP record over by keyboard, says where it came from, and keeps saying it', async () => {
    const GP = 'From the GP record, Fernleigh at Fernbank Surgery'
    const allergy = 'Latex (Contact dermatitis)'
    const gp = await openChart(ward, 'gp-push', 'gp', 'KOWALCZYK')
    const form = await openPlan(gp)
    await form.getByText('Signed in: Dr Amara Okafor').waitFor()
    await form.getByRole('button', { name: 'Edit Medication and allergies' }).click()
    await form.getByRole('link', { name: '1 item for Allergies' }).focus()
    await gp.keyboard.press('Enter')
    await gp.keyboard.press('Tab')
    await gp.keyboard.press('Enter')
    const said = form.locator('#status')
    await said.getByText(`${allergy} added to Allergies and adverse reactions.`).waitFor()
    expect(await form.getByLabel('Allergies and adverse').first().inputValue()).toBe(
      `Latex (contact dermatitis). Use latex-free gloves.\n${allergy}`,
    )
    expect(await violations(gp)).toEqual([])
    await shoot(gp, 'adopting')
    // The button that added it takes it back, and adds it again.
    await gp.keyboard.press('Enter')
    await said.getByText(`${allergy} taken out of Allergies`).waitFor()
    await gp.keyboard.press('Enter')
    await form.getByRole('button', { name: 'Save', exact: true }).click()
    await form.locator('.saved').waitFor()
    await gp.close()

    // Somebody else changes the section, in a launch of another system.
    const nurse = await openChart(ward, 'gp-smart', 'district-nurse', 'KOWALCZYK')
    const other = await openPlan(nurse)
    await other.getByText('Signed in: Ngozi Adeyemi').waitFor()
    const section = other.locator('#section-medication')
    expect(await section.innerText()).toMatch(
      new RegExp(`${GP}, sent \\d\\d-\\w{3}-\\d{4}: Latex \\(C`),
    )
    await other.getByRole('button', { name: 'Edit Medication and allergies' }).click()
    await other.locator('.offer').getByText('Already in the plan.').waitFor()
    await other.getByLabel('Where they are kept').fill('Hall cupboard')
    await other.getByLabel('Allergies and adverse').first().fill(`Nuts.\n${allergy}`)
    await other.getByRole('button', { name: 'Save', exact: true }).click()
    await section.locator('.saved').waitFor()
    await section.getByRole('button', { name: 'History of' }).click()
    await section.locator('.history__version').nth(2).waitFor()
    const [newest, adopting] = await section.locator('.history__version').allInnerTexts()
    expect(newest).not.toContain(GP)
    expect(adopting).toContain(`${GP}, `)
    expect(await section.innerText()).toMatch(
      new RegExp(`${GP}, sent \\d\\d-\\w{3}-\\d{4}: Latex \\(C`),
    )
    expect(await violations(nurse)).toEqual([])
    await shoot(nurse, 'adopted')
    await nurse.close()
  })

  it('refuses a user without a role in plain words, with a reference that leads to the reason', async () => {
    const page = await openChart(ward, 'gp-post', 'no-role', 'ASHWORTH')
    const frame = await openPlan(page)
    const text = await textOf(frame)
    expect(text).toContain('The care plan was not opened')
    expect(text).toContain('This does not mean that the patient has no care plan.')
    expect(text).not.toMatch(/ASHWORTH|Margaret|0018/)
    const reference = (await frame.locator('code[data-reference]').textContent()) ?? ''
    const found = []
    for await (const entry of searchTrail(ward.demo.gateway.store, { reference })) found.push(entry)
    expect(found).toMatchObject([
      {
        what: 'launch_refused',
        refusal: 'launch_denied',
        policy: { policies: ['no-role-no-access'] },
      },
    ])
    expect(await violations(page)).toEqual([])
    await shoot(page, 'denied')
    await page.close()
  })

  it('says that there is no plan only after reading that there is none', async () => {
    const page = await openChart(ward, 'gp-push', 'gp', 'FRASER')
    const frame = await openPlan(page)
    expect(await textOf(frame)).toContain('No shared care plan was found')
    expect(await violations(frame)).toEqual([])
    await shoot(page, 'no-plan')
    await page.close()
  })

  it('lets a GP begin a plan, which the GP system files and a paramedic reads', async () => {
    const words = 'Breathless on the stairs, worse when he is anxious.'
    const gp = await openChart(ward, 'gp-push', 'gp', 'LLEWELLYN')
    const frame = await openPlan(gp)
    await frame.getByText('Signed in: Dr Amara Okafor').waitFor()
    await frame.getByRole('button', { name: 'Begin a care plan' }).click()
    await frame.getByRole('button', { name: 'Add Symptoms and how to help' }).click()
    await frame.getByLabel('Expected problems').fill(words)
    await frame.getByRole('button', { name: 'Save', exact: true }).click()
    await frame.locator('.saved').waitFor()
    expect(await frame.locator('.caution').count()).toBe(0)
    await shoot(gp, 'begun')
    await gp.getByRole('button', { name: 'Close care plan' }).click()
    const filed = gp.locator('[data-outcome=changed]')
    await filed.getByText('Symptoms and how to help: created').waitFor()
    await filed.getByText('Shared care plan: created').waitFor()
    expect(await filed.textContent()).toContain(words)
    await shoot(gp, 'begun-outcome')
    await gp.close()

    const crew = await openChart(ward, 'gp-push', 'paramedic', 'LLEWELLYN')
    const plan = await openPlan(crew)
    await plan.locator('[data-page=plan]').waitFor()
    expect(await textOf(plan)).toContain(words)
    expect(await plan.locator('.caution').count()).toBe(0)
    await crew.close()
  })

  it('opens nothing for a patient whom the GP system holds with another birth date', async () => {
    const page = await openChart(ward, 'gp-post', 'gp', 'CAMPBELL')
    const frame = await openPlan(page)
    const text = await textOf(frame)
    expect(text).toContain('The patient could not be matched')
    expect(text).not.toMatch(/Winston|Campbell/i)
    await page.close()
  })

  it('follows a superseded NHS number to the current record, and marks a death', async () => {
    const old = await openChart(ward, 'gp-post', 'gp', 'Ashworth-Holroyd')
    expect(await textOf(await openPlan(old))).toContain('999 000 0018')
    await old.close()
    const dead = await openChart(ward, 'gp-post', 'gp', 'PEMBERTON')
    const frame = await openPlan(dead)
    expect(await textOf(frame)).toMatch(/Died \d\d-\w{3}-\d{4}/)
    expect(await frame.getByRole('button', { name: /^Edit/ }).count()).toBe(0)
    await shoot(dead, 'deceased')
    await dead.close()
  })

  it('leaves a trail that is whole and tells every stage', async () => {
    const launches = new Map<string, Set<string>>()
    for await (const { launch, what } of ward.demo.gateway.store.trail()) {
      if (launch) launches.set(launch, (launches.get(launch) ?? new Set()).add(what))
    }
    const stages = [
      'launch_verified',
      'decision_made',
      'session_opened',
      'authorization_asked',
      'grant_opened',
      'token_issued',
      'access_allowed',
    ]
    const whole = [...launches.values()].filter((seen) => stages.every((stage) => seen.has(stage)))
    expect(whole.length).toBeGreaterThanOrEqual(11)
    expect((await verifyTrail(ward.demo.gateway.store)).problems).toEqual([])
  })
})

describe('signing on at the provider, from inside a frame', () => {
  it('opens a window of its own, then asks for the birth date, then shows the plan', async () => {
    const page = await openChart(ward, 'gp-sealed', 'district-nurse', 'ASHWORTH')
    const frame = await openPlan(page)
    expect(await textOf(frame)).toContain('Sign in to open the care plan')
    expect(await violations(page)).toEqual([])
    await shoot(page, 'sign-in')
    const [window] = await Promise.all([
      page.waitForEvent('popup'),
      frame.getByRole('button', { name: 'Sign in in a new window' }).click(),
    ])
    await signInAs(window, 'Ngozi Adeyemi')
    await frame.getByLabel('Day').waitFor()
    expect(await textOf(frame)).not.toMatch(/ASHWORTH|Margaret|999 000/i)
    expect(await violations(frame)).toEqual([])

    // A wrong date says so and shows nothing …
    await typeDate(frame, '14', '3', '1939')
    await frame.getByText('There is a problem').waitFor()
    expect(await textOf(frame)).not.toMatch(/ASHWORTH|Margaret/i)
    expect(await violations(frame)).toEqual([])
    await shoot(page, 'birth-date')

    // … the right one opens the plan.
    await typeDate(frame, '14', '3', '1938')
    await frame.getByText('Signed in: Ngozi Adeyemi').waitFor()
    expect(await textOf(frame)).toContain('ASHWORTH, Margaret Ellen (Mrs)')
    await page.close()
  })

  it('does not ask again in the same desktop, and stops at another person', async () => {
    const page = await openChart(ward, 'gp-sealed', 'district-nurse', 'ASHWORTH')
    const frame = await openPlan(page)
    expect(await textOf(frame)).toContain('What is the patient’s date of birth?')
    await page.close()

    const other = await openChart(ward, 'gp-sealed', 'paramedic', 'ASHWORTH')
    const asked = await openPlan(other)
    const [window] = await Promise.all([
      other.waitForEvent('popup'),
      asked.getByRole('button', { name: 'Sign in in a new window' }).click(),
    ])
    await signInAs(window, 'Sue Hartley')
    await asked.getByText('You signed in as a different person').waitFor()
    await other.close()
  })

  it('steps up for a sensitive record', async () => {
    const page = await openChart(ward, 'gp-push', 'gp', 'RAHMAN')
    const frame = await openPlan(page)
    expect(await textOf(frame)).toContain('This record needs a stronger sign-in')
    const [window] = await Promise.all([
      page.waitForEvent('popup'),
      frame.getByRole('button', { name: 'Sign in in a new window' }).click(),
    ])
    await signInAs(window, 'Dr Amara Okafor')
    await frame.getByText('Signed in: Dr Amara Okafor').waitFor()
    expect(await textOf(frame)).toContain('Sensitive record')
    expect(await violations(frame)).toEqual([])
    await shoot(page, 'sensitive')
    await page.close()
  })

  it('opens a sensitive record as an emergency for a paramedic who says why', async () => {
    const page = await openChart(ward, 'gp-push', 'paramedic', 'RAHMAN')
    const frame = await openPlan(page)
    await frame.getByText('I cannot sign in more strongly now').click()
    expect(await textOf(frame)).toContain('You can read the plan, not change it, for 60 minutes.')
    await frame.getByRole('button', { name: 'Open the plan as an emergency' }).click()
    await frame.getByRole('alert').getByText('Choose why you need to see this plan now.').waitFor()
    await frame.getByLabel('The person needs care now and cannot be asked').check()
    await frame.getByLabel('In your own words').fill('Found unconscious, nobody else is here.')
    await shoot(page, 'emergency-asked')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Open the plan as an emergency' }).click()
    await frame.getByRole('region', { name: 'Emergency access' }).waitFor()
    await frame.getByText('Signed in: Jamie Cole').waitFor()
    expect(await textOf(frame)).toMatch(/Emergency access: read only, until \d\d:\d\d/)
    expect(await textOf(frame)).toContain('Sensitive record')
    await shoot(page, 'emergency-opened')
    expect(await violations(frame)).toEqual([])
    await page.close()
  })

  it('asks a district nurse to sign in for it, where the system’s word is not enough', async () => {
    const page = await openChart(ward, 'gp-post', 'district-nurse', 'RAHMAN')
    const frame = await openPlan(page)
    await shoot(page, 'emergency-sign-in')
    expect(await violations(frame)).toEqual([])
    const [window] = await Promise.all([
      page.waitForEvent('popup'),
      frame.getByRole('button', { name: 'Sign in for emergency access' }).click(),
    ])
    await signInAs(window, 'Ngozi Adeyemi')
    await frame.getByRole('button', { name: 'Open the plan as an emergency' }).waitFor()
    await page.close()
  })

  it('offers a district nurse emergency access in the place of the plan', async () => {
    const page = await openChart(ward, 'gp-push', 'district-nurse', 'RAHMAN')
    const frame = await openPlan(page)
    expect(await textOf(frame)).toContain('Your role does not allow opening this care plan.')
    await shoot(page, 'emergency-page')
    expect(await violations(frame)).toEqual([])
    await frame.getByRole('button', { name: 'Do not open it' }).click()
    await frame.locator('[data-reference]').waitFor()
    expect(await frame.getByRole('button').count()).toBe(0)
    await page.close()
  })
})

async function typeDate(frame: Frame, day: string, month: string, year: string) {
  await frame.getByLabel('Day').fill(day)
  await frame.getByLabel('Month').fill(month)
  await frame.getByLabel('Year').fill(year)
  await frame.getByRole('button', { name: 'Open the care plan' }).click()
}

/** Chooses a person at the pretend provider; whoever is still signed in there gives way. */
async function signInAs(window: Page, name: string): Promise<void> {
  await window.getByLabel(name).check()
  await window.getByRole('button', { name: 'Continue' }).click()
}
