import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { PlanSection } from '../../src/core/plan.js'
import { compositionOf } from '../../src/demo/composition.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { App, call, launchTo, readsPatient, sectionsOf, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  DECEASED,
  handleOf,
  NO_PLAN,
  OTHER_BIRTH_DATE,
  open,
  PEGGY,
  patientOf,
  SENSITIVE,
  SUPERSEDED,
  signIn,
} from '../launching.js'
import {
  entriesOf,
  expectNoPatient,
  expectRefused,
  expectSentBack,
  expectWholeTrail,
  stagesOf,
} from '../trail-reading.js'
import { UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const SECTIONS = openPlan('config/plan/sections.yaml').sections
const ALL =
  'communication consent contacts daily-support functional-status legal medication personal prognosis resuscitation sickle-cell symptoms thinking-ahead treatment-escalation what-matters'
const URGENT =
  'communication contacts legal medication resuscitation sickle-cell treatment-escalation'
const NURSES =
  'communication consent contacts daily-support functional-status medication personal symptoms thinking-ahead what-matters'

/** Who sees which sections, which of them they may write, and whether they may begin a plan. */
// biome-ignore format: a table
const PEOPLE: readonly (readonly [user: string, sees: string, writes: string, begins: boolean])[] = [
  ['gp',                 ALL,                                   ALL,        true],
  ['practice-nurse',     ALL,                                   NURSES,     false],
  ['district-nurse',     ALL,                                   NURSES,     false],
  ['hospice-consultant', ALL,                                   ALL,        true],
  ['paramedic',          ALL,                                   '',         false],
  ['call-handler',       URGENT,                                '',         false],
  ['receptionist',       'communication contacts',              'contacts', false],
  ['social-worker',      ALL.replace('prognosis ', ''),         'communication contacts daily-support personal what-matters', false],
]
/** Who has an EHR, and no plan in it. */
const NEW = '9990000085'

/** Sections for which a scope with this letter was granted. */
const granted = (scope: string, letter: string): string =>
  [...scope.matchAll(/patient\/composition-care-plan::([\w-]+)\.v1\.([a-z]+)/g)]
    .filter(([, , letters = '']) => letters.includes(letter))
    .map(([, section = '']) => section)
    .sort()
    .join(' ')

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  it.each(PEOPLE)(
    'a %s sees and writes the sections that their role needs',
    async (user, sees, writes, begins) => {
      const { tokens } = await launchTo(t, { system: 'gp-push', user })
      expect(granted(tokens.scope, 'r')).toBe(sees)
      expect(granted(tokens.scope, 'u')).toBe(writes)
      expect(granted(tokens.scope, 'c')).toBe(writes)
      expect(tokens.scope.includes('patient/CarePlan.crs')).toBe(begins)
      // This patient is on no pathway.
      const found = sees.replace('sickle-cell ', '')
      expect((await sectionsOf(t, tokens)).join(' ')).toBe(found)
    },
  )

  it('tells a user without a role why, and who can help, and records which policy said so', async () => {
    const answer = await open(t, new UserAgent(), { system: 'gp-push', user: 'no-role' })
    const { launch = '' } = await expectRefused(t, answer, 'launch_denied', 403)
    const words = wordsOf(answer.text)
    expect(words).toContain('Your role does not allow opening this care plan.')
    expect(words).toContain('Ask your registration authority or your support desk')
    expect(words).toContain('This does not mean that the patient has no care plan.')
    const [, decision] = await entriesOf(t, { launch })
    expect(decision).toMatchObject({
      ...{ what: 'decision_made', outcome: 'refused' },
      policy: { effect: 'deny', policies: ['no-role-no-access'] },
    })
    expect(await stagesOf(t, launch)).not.toContain('signed_on')
  })

  it('tells the app, not the user’s screen, when a role allows nothing of what the app asks', async () => {
    const app = new App(t, new UserAgent())
    const handle = handleOf(await open(t, app.browser, { system: 'gp-push', user: 'receptionist' }))
    const scope = 'launch openid patient/composition-care-plan::prognosis.v1.r'
    const answer = await app.authorize(handle, { scope })
    await expectSentBack(t, answer, 'authorization_denied', app.redirect)
    expect(answer.location?.searchParams.get('error')).toBe('access_denied')
    expect(answer.location?.searchParams.get('state')).toBe(app.state)
  })

  describe('a sensitive record', () => {
    it('opens to a GP after a strong sign-in, and is marked', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-push', patient: SENSITIVE })
      expect(wordsOf(page.text)).toContain('This record needs a stronger sign-in')
      expectNoPatient(page)
      const landed = await signIn(t, browser, page, { person: 'gp', assurance: 3 })
      const tokens = await new App(t, browser).tokens(landed)
      expect(await readsPatient(t, tokens)).toBe(200)
      const entries = await entriesOf(t, { launch: tokens.__launch })
      const decisions = entries.filter(({ what }) => what === 'decision_made')
      expect(decisions.map(({ policy }) => policy?.effect)).toEqual(['deny', 'allow', 'allow'])
      expect(entries.find(({ what }) => what === 'session_opened')?.detail).toMatchObject({
        obligations: ['mark-sensitive'],
      })
    })

    it('needs no second sign-in in the same browser', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-push', patient: SENSITIVE })
      await signIn(t, browser, page, { person: 'gp', assurance: 3 })
      const again = await open(t, browser, { system: 'gp-push', patient: SENSITIVE })
      expect(handleOf(again)).toMatch(/^hdl_/)
    })

    it('never opens to a receptionist, and no sign-in is offered', async () => {
      const order = { system: 'gp-push', user: 'receptionist', patient: SENSITIVE }
      const answer = await open(t, new UserAgent(), order)
      await expectRefused(t, answer, 'launch_denied', 403)
      expect(answer.text).not.toContain('/sign-in/start')
    })

    it('stays closed when somebody else signs in', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-push', patient: SENSITIVE })
      const answer = await signIn(t, browser, page, {
        person: 'hospice-consultant',
        role: '555254240104',
      })
      await expectRefused(t, answer, 'person_mismatch', 403)
    })
  })

  it('shows the plan of somebody who died, and lets nobody write it', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push', patient: DECEASED })
    expect(granted(tokens.scope, 'r')).toBe(ALL)
    expect(granted(tokens.scope, 'u')).toBe('')
    expect((await sectionsOf(t, tokens)).length).toBeGreaterThan(0)
  })

  it('follows a superseded NHS number to the record that replaced it', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-post', patient: SUPERSEDED })
    expect(tokens.patient).toBe(patientOf(PEGGY).fhirId)
    const [verified] = await entriesOf(t, { launch: tokens.__launch })
    expect(verified).toMatchObject({ patient: { nhsNumber: PEGGY }, detail: { superseded: true } })
    // The chart shows the older one: the app is told to say so, and only then.
    expect(tokens).toMatchObject({ __nhs_number_replaced: true })
    const { tokens: others } = await launchTo(t, { system: 'gp-post', patient: PEGGY })
    expect(others).not.toHaveProperty('__nhs_number_replaced')
  })

  it('opens for a patient without a plan, and says so only after the record was asked', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push', patient: NO_PLAN })
    expect(tokens).not.toHaveProperty('ehrId')
    const plans = await call(t, tokens.access_token, `/fhir/CarePlan?patient=${tokens.patient}`)
    expect(JSON.parse(plans.text)).toMatchObject({ resourceType: 'Bundle', total: 0 })
  })

  describe('a plan is begun', () => {
    const listing = (of: string | undefined) => ({
      resourceType: 'CarePlan',
      ...{ status: 'active', intent: 'plan', title: 'Shared care plan' },
      subject: { reference: `Patient/${of}` },
    })
    const write = (tokens: Tokens, path: string, body: unknown, more: object = {}) => {
      const type = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json'
      const headers = { 'content-type': type, 'launch-context': String(tokens.__context), ...more }
      const sent = { method: 'POST', body: JSON.stringify(body), headers }
      return call(t, tokens.access_token, path, sent)
    }
    const list = (tokens: Tokens, of = tokens.patient, whose = tokens.patient) =>
      write(tokens, '/fhir/CarePlan', listing(of), {
        'if-none-exist': `patient=${whose}&status=active`,
      })
    const plansOf = async (tokens: Tokens) => {
      const path = `/fhir/CarePlan?patient=${tokens.patient}`
      return JSON.parse((await call(t, tokens.access_token, path)).text).entry.map(
        ({ resource }: { resource: { status: string } }) => resource.status,
      )
    }

    it('by nobody whose role begins none, of no other patient, and not by a condition on one', async () => {
      const other = patientOf(PEGGY).fhirId
      for (const user of ['receptionist', 'paramedic', 'practice-nurse', 'social-worker']) {
        const { tokens } = await launchTo(t, { system: 'gp-push', user, patient: NEW })
        await expectRefused(t, await list(tokens), 'scope_insufficient', 403)
      }
      const { tokens } = await launchTo(t, { system: 'gp-push', patient: NEW })
      await expectRefused(t, await list(tokens, other), 'resource_refused', 422)
      await expectRefused(t, await list(tokens, tokens.patient, other), 'record_other_patient', 404)
      const performer = [{ reference: `Patient/${other}` }]
      const named = { ...listing(tokens.patient), activity: [{ detail: { performer } }] }
      await expectRefused(t, await write(tokens, '/fhir/CarePlan', named), 'resource_refused', 422)
      // With a plan nothing else comes in: no problem inside it, which nobody may write, and no other patient's.
      const inside = (whose: string | undefined) => {
        const contained = [
          { resourceType: 'Condition', id: 'c', subject: { reference: `Patient/${whose}` } },
        ]
        return write(tokens, '/fhir/CarePlan', { ...listing(tokens.patient), contained })
      }
      await expectRefused(t, await inside(tokens.patient), 'scope_insufficient', 403)
      await expectRefused(t, await inside(other), 'resource_refused', 422)
      expect(await plansOf(tokens)).toEqual([])
      const { tokens: dead } = await launchTo(t, { system: 'gp-push', patient: DECEASED })
      expect((await list(dead)).status).toBe(403)
    })

    it('by two GPs at once as one, and a paramedic reads what was saved in it', async () => {
      const gps = await Promise.all(
        [1, 2].map(async () => (await launchTo(t, { system: 'gp-push', patient: NEW })).tokens),
      )
      const [first, second] = gps as [Tokens, Tokens]
      const answers = await Promise.all([list(first), list(second), list(first), list(second)])
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 201)).toHaveLength(1)
      expect(statuses.every((status) => [200, 201, 412].includes(status))).toBe(true)
      // Whoever asks again finds it.
      expect((await list(second)).status).toBe(200)
      expect(await plansOf(first)).toEqual(['active'])

      const form = SECTIONS.find(({ id }) => id === 'symptoms') as PlanSection
      const values = { problems: 'Breathlessness at night.' }
      const body = compositionOf(form, values, 'Dr Amara Okafor', new Date(t.clock()).toISOString())
      const path = `/openehr/v1/ehr/${first.ehrId}/composition`
      const saved = await Promise.all([write(first, path, body), write(second, path, body)])
      expect(saved.map(({ status }) => status).toSorted()).toEqual([201, 412])

      const { tokens } = await launchTo(t, { system: 'gp-push', user: 'paramedic', patient: NEW })
      expect(await plansOf(tokens)).toEqual(['active'])
      expect(await sectionsOf(t, tokens)).toEqual(['symptoms'])
      const written = await Promise.all(
        gps.map(({ __launch }) => entriesOf(t, { launch: __launch })),
      )
      const lists = written
        .flat()
        .filter(({ what, detail }) => what === 'access_allowed' && detail?.type === 'CarePlan')
        .filter(({ detail }) => detail?.interaction === 'create')
      expect(lists.length).toBeGreaterThanOrEqual(1)
      expect(lists[0]).toMatchObject({
        policy: { policies: expect.arrayContaining(['authors-begin-plans']) },
      })
    })
  })

  it('refuses a patient whose date of birth the GP system holds otherwise', async () => {
    const answer = await open(t, new UserAgent(), { system: 'gp-post', patient: OTHER_BIRTH_DATE })
    await expectRefused(t, answer, 'patient_mismatch', 404)
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
