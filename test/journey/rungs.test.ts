import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App, call, launchTo, readsPatient, sectionsOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { open, openFramed, PEGGY, patientOf, signIn, typeBirthDate } from '../launching.js'
import {
  entriesOf,
  expectNoPatient,
  expectRefused,
  expectWholeTrail,
  stagesOf,
} from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const APP_STAGES = [
  'session_opened',
  'authorization_asked',
  'decision_made',
  'grant_opened',
  'token_issued',
  'access_allowed',
]
const PEGGYS = patientOf(PEGGY)

describe.each(STORES)('a launch on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  it.each([
    ['gp-push', 'pushed', 2],
    ['gp-post', 'signed', 1],
    ['gp-smart', 'redeemed', 2],
  ])(
    'from %s opens the plan of the patient in the chart, and every stage is in the trail',
    async (system, rung, assurance) => {
      const { tokens } = await launchTo(t, { system })
      expect(tokens).toMatchObject({ patient: PEGGYS.fhirId, ehrId: PEGGYS.ehrId })
      const answer = await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)
      expect(JSON.parse(answer.text).name[0].family).toBe('Ashworth')

      const entries = await entriesOf(t, { launch: tokens.__launch })
      const before = ['launch_verified', 'decision_made', 'signed_on']
      expect(entries.map(({ what }) => what)).toEqual([...before, ...APP_STAGES])
      expect(entries.every(({ outcome }) => outcome === 'success')).toBe(true)
      expect(entries[0]).toMatchObject({ system, app: 'care-plan', detail: { rung } })
      expect(entries[1]).toMatchObject({
        detail: { action: 'launch', assurance, rung },
        policy: { version: 1, effect: 'allow', policies: ['clinicians-open-the-plan'] },
      })
    },
  )

  describe('sealed', () => {
    const order = { system: 'gp-sealed', user: 'gp' }
    const birthDatePage = async (browser: UserAgent): Promise<Answer> => {
      const page = await open(t, browser, order)
      expect(wordsOf(page.text)).toMatch(/^Shared care plan Sign in to open the care plan/)
      expectNoPatient(page)
      return signIn(t, browser, page, { person: 'gp' })
    }

    it('opens the plan once its user has signed on and typed the date of birth', async () => {
      const browser = new UserAgent()
      const page = await birthDatePage(browser)
      expect(wordsOf(page.text)).toContain('What is the patient’s date of birth?')
      expectNoPatient(page)
      const app = new App(t, browser)
      const tokens = await app.tokens(await typeBirthDate(t, browser, page, PEGGYS.birthDate))
      expect(await readsPatient(t, tokens)).toBe(200)
      expect(await sectionsOf(t, tokens)).toHaveLength(14)
      expect(await stagesOf(t, tokens.__launch)).toEqual([
        ...['launch_verified', 'sign_on_asked', 'signed_on', 'decision_made'],
        ...['patient_confirmed', 'decision_made', ...APP_STAGES, 'access_allowed'],
      ])
    })

    it('lets a date of birth be typed wrongly twice', async () => {
      const browser = new UserAgent()
      let page = await birthDatePage(browser)
      for (const wrong of ['1938-03-15', '1938-13-45']) {
        page = await typeBirthDate(t, browser, page, wrong)
        expect(page.status).toBe(422)
        expect(wordsOf(page.text)).toContain('The date of birth does not match')
        expectNoPatient(page)
      }
      const landed = await typeBirthDate(t, browser, page, PEGGYS.birthDate)
      expect(landed.status).toBe(303)
    })

    it('is refused after three wrong dates of birth, and then for the right one too', async () => {
      const browser = new UserAgent()
      const first = await birthDatePage(browser)
      const second = await typeBirthDate(t, browser, first, '1938-03-15')
      const third = await typeBirthDate(t, browser, second, '1938-03-16')
      const refused = await typeBirthDate(t, browser, third, '1938-03-17')
      const { launch = '' } = await expectRefused(t, refused, 'birth_date_exhausted', 403)
      for (const page of [first, second, third]) {
        const answer = await typeBirthDate(t, browser, page, PEGGYS.birthDate)
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expectNoPatient(answer)
      }
      expect(await stagesOf(t, launch)).not.toContain('session_opened')
    })

    it('says of a number that the record does not know no more than of a wrong date', async () => {
      const browser = new UserAgent()
      const unknown = { claims: () => ({ patient: { nhs_number: '9990999996' } }) }
      const asked = await open(t, browser, { ...order, ...unknown })
      const page = await signIn(t, browser, asked, { person: 'gp' })
      const known = await birthDatePage(new UserAgent())
      const words = (answer: Answer) => wordsOf(answer.text)
      expect(words(page)).toBe(words(known))
      const answer = await typeBirthDate(t, browser, page, PEGGYS.birthDate)
      expect(answer.status).toBe(422)
      expect(words(answer)).toContain('The date of birth does not match')
    })

    it('opens in a frame, with the sign-in in a window of its own', async () => {
      const browser = new UserAgent()
      const page = await openFramed(t, browser, order)
      expect(page.headers['content-security-policy']).toContain(
        `frame-ancestors ${t.origins.desktop}`,
      )
      const asked = await signIn(t, browser, page, { person: 'gp' })
      expect(wordsOf(asked.text)).toContain('What is the patient’s date of birth?')
      expect(asked.headers['content-security-policy']).toContain(
        `frame-ancestors ${t.origins.desktop}`,
      )
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
