import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  confirmPerson,
  handleOf,
  localOnly,
  NO_PLAN,
  type Order,
  open,
  openFramed,
  PEGGY,
  patientOf,
  signIn,
  typeBirthDate,
} from '../launching.js'
import {
  entriesOf,
  expectNoPatient,
  expectRefused,
  expectWholeTrail,
  stagesOf,
} from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const asksToSignIn = (answer: Answer): boolean => answer.text.includes('/sign-in/start')

describe.each(STORES)('one browser on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const tokensIn = async (browser: UserAgent, order: Order): Promise<Tokens> =>
    (await launchTo(t, order, browser)).tokens
  /** Who is signed on at the provider, in this browser. */
  const signedOn = async (
    person: string,
    order: Order,
  ): Promise<{ browser: UserAgent; answer: Answer }> => {
    const browser = new UserAgent()
    const page = await open(t, browser, order)
    return { browser, answer: await signIn(t, browser, page, { person, assurance: 2 }) }
  }

  describe('with launches of one user', () => {
    it.each(['gp-push', 'gp-post', 'gp-smart'])(
      'from %s makes one sign-on for all of them',
      async (system) => {
        const browser = new UserAgent()
        const first = await tokensIn(browser, { system })
        const second = await tokensIn(browser, { system, patient: NO_PLAN })
        expect(await stagesOf(t, first.__launch)).toContain('signed_on')
        expect(await stagesOf(t, second.__launch)).not.toContain('signed_on')
        // Each app goes on with its own patient.
        expect([first.patient, second.patient]).toEqual([
          patientOf(PEGGY).fhirId,
          patientOf(NO_PLAN).fhirId,
        ])
        expect([await readsPatient(t, first), await readsPatient(t, second)]).toEqual([200, 200])
      },
    )

    it('asks for one sign-in at the provider, not for a second', async () => {
      const { browser, answer } = await signedOn('gp', { system: 'gp-clinic' })
      expect(handleOf(answer)).toMatch(/^hdl_/)
      expect(handleOf(await open(t, browser, { system: 'gp-clinic' }))).toMatch(/^hdl_/)
      // What the provider proved is worth more than what a launch of the same person says.
      const later = await tokensIn(browser, { system: 'gp-push' })
      const [, decision] = await entriesOf(t, { launch: later.__launch })
      expect(decision).toMatchObject({ what: 'decision_made', detail: { assurance: 2 } })
      expect(await stagesOf(t, later.__launch)).not.toContain('signed_on')
    })

    it('asks for none in the frame either, once the frame has shown who signed in', async () => {
      const browser = new UserAgent()
      const page = await openFramed(t, browser, { system: 'gp-clinic' })
      expect(handleOf(await signIn(t, browser, page, { person: 'gp' }))).toMatch(/^hdl_/)
      const again = await openFramed(t, browser, { system: 'gp-clinic' })
      expect(handleOf(again)).toMatch(/^hdl_/)
    })

    it('takes the user’s rights from the latest launch: rights that were taken away do not live on', async () => {
      const browser = new UserAgent()
      const before = await tokensIn(browser, { system: 'gp-push' })
      const without = {
        claims: ({ practitioner }) => ({
          practitioner: { ...practitioner, activity_codes: ['B0360'] },
        }),
      } satisfies Partial<Order>
      const after = await tokensIn(browser, { system: 'gp-push', ...without })
      expect(before.scope).toContain('resuscitation.v1.cru')
      expect(after.scope).toContain('resuscitation.v1.r')
      expect(after.scope).not.toContain('resuscitation.v1.cru')
    })
  })

  describe('with a launch of another user', () => {
    it.each(['gp-push', 'gp-post', 'gp-clinic'])(
      'from %s ends the first user’s session and tokens',
      async (system) => {
        const browser = new UserAgent()
        const first = await tokensIn(browser, { system: 'gp-push', user: 'gp' })
        expect(await readsPatient(t, first)).toBe(200)
        await open(t, browser, { system, user: 'practice-nurse' })
        expect(await readsPatient(t, first)).toBe(401)
        const refreshed = await new App(t, browser).refresh(first)
        expect(refreshed.status).toBe(400)
        const ended = await entriesOf(t, { user: '555254239101' })
        expect(ended.at(-2)).toMatchObject({ what: 'session_ended' })
      },
    )

    it('from gp-sealed ends it only once the other has signed in: a seal is anybody’s', async () => {
      const browser = new UserAgent()
      const first = await tokensIn(browser, { system: 'gp-push', user: 'gp' })
      const page = await open(t, browser, { system: 'gp-sealed', user: 'practice-nurse' })
      expect(await readsPatient(t, first)).toBe(200)
      await signIn(t, browser, page, { person: 'practice-nurse' })
      expect(await readsPatient(t, first)).toBe(401)
    })

    it('ends it even when the other user is refused', async () => {
      const browser = new UserAgent()
      const first = await tokensIn(browser, { system: 'gp-push', user: 'gp' })
      const refused = await open(t, browser, { system: 'gp-push', user: 'no-role' })
      expect(refused.status).toBe(403)
      expect(await readsPatient(t, first)).toBe(401)
    })

    it('asks the other user to sign in, whoever was signed in before', async () => {
      const { browser } = await signedOn('gp', { system: 'gp-clinic' })
      const page = await open(t, browser, { system: 'gp-clinic', user: 'practice-nurse' })
      expect(asksToSignIn(page)).toBe(true)
    })

    it('ends it although the first user came while the other was still signing in', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic', user: 'practice-nurse' })
      const first = await tokensIn(browser, { system: 'gp-push', user: 'gp' })
      const landed = await signIn(t, browser, page, { person: 'practice-nurse' })
      expect(handleOf(landed)).toMatch(/^hdl_/)
      expect(await readsPatient(t, first)).toBe(401)
    })

    it('leaves another browser alone', async () => {
      const elsewhere = await tokensIn(new UserAgent(), { system: 'gp-push', user: 'gp' })
      const browser = new UserAgent()
      await tokensIn(browser, { system: 'gp-push', user: 'gp' })
      await tokensIn(browser, { system: 'gp-push', user: 'practice-nurse' })
      expect(await readsPatient(t, elsewhere)).toBe(200)
    })
  })

  describe('with a launch that names a local user only', () => {
    const local = (sub: string): Order => ({
      system: 'gp-clinic',
      claims: (sent) => ({ sub, ...localOnly(sent) }),
    })

    it('asks once whether both are the same person, and remembers the answer', async () => {
      const { browser, answer: page } = await signedOn('gp', local('amara'))
      expect(wordsOf(page.text)).toContain('Is this you in Clinic?')
      expect(wordsOf(page.text)).toContain('You signed in as Dr Amara Okafor')
      expectNoPatient(page)
      const tokens = await new App(t, browser).tokens(await confirmPerson(t, browser, page, 'yes'))
      expect(await readsPatient(t, tokens)).toBe(200)
      expect(await stagesOf(t, tokens.__launch)).toContain('person_linked')
      expect(handleOf(await open(t, browser, local('amara')))).toMatch(/^hdl_/)
      // Elsewhere too: but only after signing in there.
      const { answer } = await signedOn('gp', local('amara'))
      expect(handleOf(answer)).toMatch(/^hdl_/)
    })

    it('opens nothing when the user says no, and lets the right user sign in then', async () => {
      const { browser, answer: page } = await signedOn('gp', local('stranger'))
      const answer = await confirmPerson(t, browser, page, 'no')
      await expectRefused(t, answer, 'person_mismatch', 403)
      expect(asksToSignIn(await open(t, browser, local('stranger')))).toBe(true)
    })

    it('refuses somebody else than who was confirmed', async () => {
      const { browser, answer: page } = await signedOn('gp', local('amara-2'))
      expect((await confirmPerson(t, browser, page, 'yes')).status).toBe(303)
      const { answer } = await signedOn('practice-nurse', local('amara-2'))
      await expectRefused(t, answer, 'person_mismatch', 403)
    })

    it('signs the local user on where the system’s launches sign on, under its own name', async () => {
      const order: Order = {
        system: 'gp-ward',
        claims: (sent) => ({ sub: 'Bj\u00f6rk \u0141', ...localOnly(sent) }),
      }
      const { tokens } = await launchTo(t, order)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  describe('of a launch whose system leaves the sign-on to the provider', () => {
    it('refuses somebody else than the launch named', async () => {
      const { answer } = await signedOn('practice-nurse', { system: 'gp-clinic', user: 'gp' })
      await expectRefused(t, answer, 'person_mismatch', 403)
    })

    it('tells a user who cancels what to do', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic' })
      const answer = await signIn(t, browser, page, { person: 'gp', cancel: true })
      await expectRefused(t, answer, 'sign_on_cancelled', 403)
    })

    it('refuses a person who has no role at the provider', async () => {
      const { answer } = await signedOn('no-role', { system: 'gp-clinic', user: 'no-role' })
      await expectRefused(t, answer, 'role_absent', 403)
    })

    it('takes the role that was chosen at sign-in, not the first', async () => {
      const browser = new UserAgent()
      const order = { system: 'gp-sealed', user: 'hospice-consultant' }
      const page = await open(t, browser, order)
      const choice = { person: 'hospice-consultant', role: '555254240114' }
      const asked = await signIn(t, browser, page, choice)
      // The second role is of a hospital that our directory does not hold: it gives no role here.
      await expectRefused(t, asked, 'launch_denied', 403)
      const other = new UserAgent()
      const fine = await signIn(t, other, await open(t, other, order), {
        ...{ person: 'hospice-consultant', role: '555254240104' },
      })
      const landed = await typeBirthDate(t, other, fine, patientOf(PEGGY).birthDate)
      expect(handleOf(landed)).toMatch(/^hdl_/)
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
