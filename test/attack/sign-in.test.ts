/** Signing on: another browser, another window, another person, another time. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App } from '../app-by-hand.js'
import { signInAt } from '../demo/sign-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  callbackOf,
  confirmPerson,
  formTo,
  handleOf,
  localOnly,
  type Order,
  open,
  openFramed,
  PEGGY,
  patientOf,
  signIn,
  typeBirthDate,
} from '../launching.js'
import { expectNoPatient, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const ORDER: Order = { system: 'gp-clinic', user: 'gp' }
const LOCAL: Order = {
  ...ORDER,
  claims: (sent) => ({ sub: `local-${randomUUID()}`, ...localOnly(sent) }),
}

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const at = (path: string) => new URL(path, t.issuer)
  const goOn = (browser: UserAgent, form: Record<string, string>): Promise<Answer> =>
    browser.visit(at('/launch/continue'), { form })
  const signedOn = async (order = ORDER) => {
    const browser = new UserAgent()
    const page = await open(t, browser, order)
    return { browser, page, answer: await signIn(t, browser, page, { person: 'gp' }) }
  }

  describe('the way back from the provider', () => {
    it('works once', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, ORDER)
      const callback = await callbackOf(t, browser, page, { person: 'gp' })
      expect(handleOf(await browser.visit(callback))).toMatch(/^hdl_/)
      await expectRefused(t, await browser.visit(callback), 'sign_on_state_invalid', 400)
    })

    it('works in no other browser, and is not used up by one', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, ORDER)
      const callback = await callbackOf(t, browser, page, { person: 'gp' })
      await expectRefused(t, await new UserAgent().visit(callback), 'sign_on_state_invalid', 400)
      expect(handleOf(await browser.visit(callback))).toMatch(/^hdl_/)
    })

    it('works for ten minutes, and not for a state that nobody gave', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, ORDER)
      const callback = await callbackOf(t, browser, page, { person: 'gp' })
      for (const state of ['', 'sta_x', '__proto__', 'x'.repeat(5000)]) {
        const other = new URL(callback)
        other.searchParams.set('state', state)
        await expectRefused(t, await browser.visit(other), 'sign_on_state_invalid', 400)
      }
      await t.clock.advance(600)
      await expectRefused(t, await browser.visit(callback), 'sign_on_state_invalid', 400)
    })

    it('shows inside the chart even when an answer to its page comes too late', async () => {
      const browser = new UserAgent()
      const page = await openFramed(t, browser, { system: 'gp-sealed' })
      const dated = await signIn(t, browser, page, { person: 'gp' })
      const form = { ...formTo(dated, '/launch/continue', 'birth-date'), day: '14', month: '3' }
      await t.clock.advance(601)
      const late = await browser.visitFramed(new URL('/launch/continue', t.issuer), { form })
      await expectRefused(t, late, 'sign_on_state_invalid', 400)
      expect(late.headers['content-security-policy']).toContain(
        `frame-ancestors ${t.origins.desktop}`,
      )
    })

    it.each(['code', 'iss'])('is refused with another %s', async (name) => {
      const browser = new UserAgent()
      const page = await open(t, browser, ORDER)
      const callback = await callbackOf(t, browser, page, { person: 'gp' })
      callback.searchParams.set(name, 'https://elsewhere.example')
      await expectRefused(t, await browser.visit(callback), 'sign_on_failed', 403)
    })

    it.each(['constructor', '__proto__', 'toString', 'x'.repeat(900), '<script>'])(
      'with an error that nobody knows is a failed sign-on: %s',
      async (error) => {
        const browser = new UserAgent()
        const page = await open(t, browser, ORDER)
        const callback = await callbackOf(t, browser, page, { person: 'gp', cancel: true })
        callback.searchParams.set('error', error)
        await expectRefused(t, await browser.visit(callback), 'sign_on_failed', 403)
      },
    )

    it('of one launch does not sign anybody on in another', async () => {
      const browser = new UserAgent()
      const one = await open(t, browser, ORDER)
      const other = await open(t, browser, { ...ORDER, user: 'practice-nurse' })
      await browser.visit(await callbackOf(t, browser, one, { person: 'gp' }))
      const forged = { ...formTo(other, '/launch/continue', 'signed-on'), proof: 'prf_x' }
      await expectRefused(t, await goOn(browser, forged), 'sign_on_state_invalid', 400)
    })
  })

  describe('a framed launch', () => {
    const framed = async () => {
      const browser = new UserAgent()
      const page = await openFramed(t, browser, ORDER)
      const window = await browser.visit(await callbackOf(t, browser, page, { person: 'gp' }))
      const proof = /data-proof="([^"]*)"/.exec(window.text)?.[1] ?? ''
      const form: Record<string, string> = formTo(page, '/launch/continue', 'signed-on')
      return { browser, window, form: { ...form, pending: form.pending ?? '', proof } }
    }
    const goOnFramed = (browser: UserAgent, form: Record<string, string>) =>
      browser.visitFramed(at('/launch/continue'), { form })

    it('goes on with the proof of its own sign-in window alone', async () => {
      const { browser, window, form } = await framed()
      expectNoPatient(window)
      expect(window.headers['content-security-policy']).toContain("frame-ancestors 'none'")
      const other = await framed()
      for (const proof of ['', 'prf_x', other.form.proof, form.pending]) {
        const answer = await goOnFramed(browser, { ...form, proof })
        await expectRefused(t, answer, 'sign_on_state_invalid', 400)
      }
      expect(handleOf(await goOnFramed(browser, form))).toMatch(/^hdl_/)
      await expectRefused(t, await goOnFramed(browser, form), 'sign_on_state_invalid', 400)
    })

    it('goes on in its own frame alone: not in the window, not in another browser', async () => {
      const { browser, form } = await framed()
      await expectRefused(t, await goOn(browser, form), 'handle_other_browser', 400)
      await expectRefused(t, await goOnFramed(new UserAgent(), form), 'handle_other_browser', 400)
      expect(handleOf(await goOnFramed(browser, form))).toMatch(/^hdl_/)
    })

    it('that says of itself that it is not framed lands nowhere but in its own browser', async () => {
      const browser = new UserAgent()
      const page = await openFramed(t, browser, ORDER)
      const form = { ...formTo(page, '/sign-in/start'), framed: '0' }
      const started = await browser.visit(at('/sign-in/start'), { form })
      const back = await signInAt(started.location as URL, { person: 'gp' }, browser.jar)
      await expectRefused(t, await browser.visit(back), 'handle_other_browser', 400)
    })
  })

  describe('somebody who is sent to sign in for another’s launch', () => {
    /** The victim’s browser is made to walk the attacker’s journey, as a forged form can make it. */
    const walk = async (victim: UserAgent, pending: string): Promise<Answer> => {
      await t.clock.catchUp()
      const form = { pending, framed: '1' }
      const started = await victim.visit(at('/sign-in/start'), { form })
      if (!started.location) return started
      return victim.visit(
        await signInAt(
          started.location,
          { person: 'hospice-consultant', role: '555254240104' },
          victim.jar,
        ),
      )
    }

    it('lends it no name when it waits for a confirmation', async () => {
      const attacker = await signedOn(LOCAL)
      const pending = formTo(attacker.answer, '/launch/continue', 'person').pending ?? ''
      await expectRefused(t, await walk(new UserAgent(), pending), 'sign_on_state_invalid', 400)
      const landed = await confirmPerson(t, attacker.browser, attacker.answer, 'yes')
      const tokens = await new App(t, attacker.browser).tokens(landed)
      expect(tokens.scope).toContain('resuscitation.v1.cru')
    })

    it('lends it no name when the journey began before it waited', async () => {
      const attacker = new UserAgent()
      const page = await open(t, attacker, LOCAL)
      const form = { ...formTo(page, '/sign-in/start'), framed: '1' }
      const victim = new UserAgent()
      await t.clock.catchUp()
      const started = await victim.visit(at('/sign-in/start'), { form })
      const back = await signInAt(
        started.location as URL,
        { person: 'hospice-consultant', role: '555254240104' },
        victim.jar,
      )
      const asked = await signIn(t, attacker, page, { person: 'gp' })
      await victim.visit(back)
      const landed = await confirmPerson(t, attacker, asked, 'yes')
      expect(landed.status).toBe(303)
      const tokens = await new App(t, attacker).tokens(landed)
      const claims = JSON.parse(
        Buffer.from(tokens.id_token?.split('.')[1] ?? '', 'base64url').toString(),
      )
      expect(claims.sub).not.toBe('555254239104')
    })

    it('lends it no name when it waits for a date of birth', async () => {
      const attacker = await signedOn({ ...ORDER, system: 'gp-sealed' })
      const pending = formTo(attacker.answer, '/launch/continue', 'birth-date').pending ?? ''
      await expectRefused(t, await walk(new UserAgent(), pending), 'sign_on_state_invalid', 400)
      const { birthDate } = patientOf(PEGGY)
      const landed = await typeBirthDate(t, attacker.browser, attacker.answer, birthDate)
      expect(handleOf(landed)).toMatch(/^hdl_/)
    })
  })

  describe('a waiting launch', () => {
    it('takes no answer that it did not ask for', async () => {
      const { browser, answer } = await signedOn(LOCAL)
      const pending = formTo(answer, '/launch/continue', 'person').pending ?? ''
      const wrong: readonly [string, string, number][] = [
        ['birth-date', 'sign_on_state_invalid', 400],
        ['signed-on', 'sign_on_state_invalid', 400],
        ['constructor', 'parameter_invalid', 400],
        ['__proto__', 'parameter_invalid', 400],
        ['toString', 'parameter_invalid', 400],
        ['', 'parameter_invalid', 400],
      ]
      for (const [step, code, status] of wrong) {
        const form = { pending, step, answer: 'yes', day: '14', month: '3', year: '1938' }
        await expectRefused(t, await goOn(browser, form), code as never, status)
      }
    })

    it('takes none from a browser that has only its secret', async () => {
      const { answer } = await signedOn(LOCAL)
      const form = { ...formTo(answer, '/launch/continue', 'person'), answer: 'yes' }
      await expectRefused(t, await goOn(new UserAgent(), form), 'handle_other_browser', 400)
    })

    it('opens once, of ten answers at once', async () => {
      const { browser, answer } = await signedOn(LOCAL)
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => confirmPerson(t, browser, answer, 'yes')),
      )
      expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    })

    it('gives three tries for a date of birth, of thirty at once', async () => {
      const { browser, answer } = await signedOn({ ...ORDER, system: 'gp-sealed' })
      const days = Array.from(
        { length: 28 },
        (_, day) => `1938-04-${String(day + 1).padStart(2, '0')}`,
      )
      const answers = await Promise.all(days.map((day) => typeBirthDate(t, browser, answer, day)))
      expect(answers.filter(({ status }) => status === 422).length).toBeLessThanOrEqual(3)
      for (const each of answers) expectNoPatient(each)
    })
  })

  it('goes on working, with a whole trail', async () => {
    const { answer } = await signedOn()
    expect(handleOf(answer)).toMatch(/^hdl_/)
    await expectWholeTrail(t)
  })
})
