/** Too much from one place, and guesses without end: they end, and nobody else notices. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { LimitName } from '../../src/core/rates.js'
import { App, call, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import {
  handleOf,
  linkOf,
  NO_PLAN,
  open,
  PEGGY,
  patientOf,
  push,
  signIn,
  tokenOf,
  typeBirthDate,
} from '../launching.js'
import {
  entriesOf,
  expectRefused,
  expectWholeTrail,
  referenceOf,
  stagesOf,
} from '../trail-reading.js'
import { type Answer, type Sent, send, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const MINUTE = 60
const HOUR = 3600
const CONFIGURATION = '/fhir/.well-known/smart-configuration'
const BAD = `${'x'.repeat(40)}`

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const at = (path: string) => new URL(path, t.issuer)
  /** The gateway with these limits, in windows that nobody has counted in. */
  async function under(
    rates: Partial<Record<LimitName, number | 'off'>>,
    trust_proxy: readonly string[] = [],
  ) {
    const { limits } = t.config
    const change = { limits: { ...limits, rates: { ...limits.rates, ...rates } } }
    await t.restart({ ...change, trust_proxy: [...trust_proxy] })
    await t.clock.advance(HOUR - (Math.floor(t.clock() / 1000) % HOUR))
    return change
  }
  const left = (seconds: number) => seconds - (Math.floor(t.clock() / 1000) % seconds)
  const retryAfter = ({ headers }: Answer) => Number(headers['retry-after'])
  const figure = async (name: string) =>
    new RegExp(`${name} (\\d+)`).exec(await t.running.metrics.text())?.[1]
  const refusalsOf = async (answer: Answer) => entriesOf(t, { reference: referenceOf(answer) })

  describe('typing birth dates on a launch that is only a hint', () => {
    it('ends for that patient after so many, for the right one too, and says what to do', async () => {
      await t.restart({
        limits: { ...t.config.limits, rates: { ...t.config.limits.rates, patients: 2 } },
      })
      const browser = new UserAgent()
      const order = { system: 'gp-sealed', claims: () => ({ patient: { nhs_number: PEGGY } }) }
      let page = await open(t, browser, order)
      page = await signIn(t, browser, page, { person: 'gp' })
      for (let tries = 0; tries < 2; tries++) {
        expect(page.status).toBe(tries === 0 ? 200 : 422)
        page = await typeBirthDate(t, browser, page, `1901-01-0${tries + 1}`)
      }
      const right = await typeBirthDate(t, browser, page, patientOf(PEGGY).birthDate)
      await expectRefused(t, right, 'rate_limited', 429)
      expect(retryAfter(right)).toBe(left(HOUR))
      expect(wordsOf(right.text)).toContain('This does not mean that the patient has no care plan.')
    })
  })

  describe('more requests than one address may send', () => {
    it('get 429 and the time to wait, to the second, and an app may read both', async () => {
      await under({ flood: 3 })
      const ask = () => send(at(CONFIGURATION), { headers: { origin: 'https://app.example' } })
      for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(200)
      const answer = await ask()
      await expectRefused(t, answer, 'rate_limited', 429)
      expect(retryAfter(answer)).toBe(MINUTE)
      expect(JSON.parse(answer.text)).toEqual({
        error: 'temporarily_unavailable',
        error_description:
          'Too much was asked from here, or too much that did not work. Try again in 60 seconds.',
        reference: referenceOf(answer),
      })
      expect(answer.headers['access-control-allow-origin']).toBe('*')
      expect(answer.headers['access-control-expose-headers']).toContain('retry-after')

      await t.clock.advance(MINUTE - 1)
      expect(retryAfter(await ask())).toBe(1)
      await t.clock.advance(1)
      expect((await ask()).status).toBe(200)
    })

    it('see a page where a page is shown, and an OperationOutcome where FHIR is spoken', async () => {
      await under({ flood: 1 })
      await send(at(CONFIGURATION))
      const page = await new UserAgent().visit(at('/launch/lnk_x'))
      expect(page.status).toBe(429)
      expect(page.headers['content-type']).toMatch(/html/)
      expect(wordsOf(page.text)).toContain('Try again in 60 seconds.')
      expect(wordsOf(page.text)).toContain('This does not mean that the patient has no care plan.')
      const fhir = await send(at('/fhir/Patient/x'))
      expect(fhir.headers['content-type']).toMatch(/fhir\+json/)
      expect(JSON.parse(fhir.text)).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code: 'throttled' }],
      })
      for (const path of ['/nothing', '/oauth/jwks', '/openehr/v1/x'])
        expect((await send(at(path))).status).toBe(429)
    })

    it('make one entry together, which each of their references leads to, and a figure for each', async () => {
      await under({ flood: 1 })
      await send(at(CONFIGURATION))
      const answers = await Promise.all(Array.from({ length: 20 }, () => send(at(CONFIGURATION))))
      expect(new Set(answers.map(referenceOf)).size).toBe(1)
      const entries = await refusalsOf(answers[19] as Answer)
      expect(entries.map(({ refusal, detail }) => ({ refusal, why: detail?.why }))).toEqual([
        { refusal: 'rate_limited', why: 'flood of 127.0.0.1' },
      ])
      expect(await figure('launch_gateway_limited_total\\{limit="flood"\\}')).toBe('20')
    })

    it('are counted by the sender’s address, whatever it says in forwarded headers', async () => {
      await under({ flood: 2 })
      const ask = (value: string) =>
        send(at(CONFIGURATION), {
          headers: { 'x-forwarded-for': value, 'x-real-ip': value, forwarded: `for=${value}` },
        })
      const statuses = []
      for (const value of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '::1', BAD])
        statuses.push((await ask(value)).status)
      expect(statuses).toEqual([200, 200, 429, 429, 429])
    })

    it('are counted by what a trusted proxy says, never by what was said to the proxy', async () => {
      await under({ flood: 1 }, ['127.0.0.1'])
      const ask = async (value: string) =>
        (await send(at(CONFIGURATION), { headers: { 'x-forwarded-for': value } })).status
      expect(await ask('192.0.2.1')).toBe(200)
      expect(await ask('192.0.2.1')).toBe(429)
      expect(await ask('192.0.2.9, 192.0.2.1')).toBe(429)
      expect(await ask('192.0.2.2')).toBe(200)
      // Half of an IPv6 address is one household's, or one attacker's.
      expect(await ask('2001:db8:1:2::1')).toBe(200)
      expect(await ask('2001:db8:1:2:ffff::2')).toBe(429)
      expect(await ask('2001:db8:1:3::1')).toBe(200)
      expect(await ask('::ffff:192.0.2.2')).toBe(429)
    })

    it('leave health alone, so that a flood takes no node out of the balancer', async () => {
      await under({ flood: 1 })
      for (let i = 0; i < 3; i++) await send(at(CONFIGURATION))
      expect((await send(at('/livez'))).status).toBe(200)
      expect((await send(at('/readyz'))).status).toBe(200)
    })
  })

  describe('an app in a loop', () => {
    it('is stopped for its own user; the user beside it, behind the same address, reads on', async () => {
      await under({ calls: 5 })
      const [looping, other] = [
        (await launchTo(t, { system: 'gp-push', user: 'gp' })).tokens,
        (await launchTo(t, { system: 'gp-push', user: 'practice-nurse' })).tokens,
      ]
      for (let i = 0; i < 5; i++) expect(await readsPatient(t, looping)).toBe(200)
      const answer = await call(t, looping.access_token, `/fhir/Patient/${looping.patient}`)
      const entry = await expectRefused(t, answer, 'rate_limited', 429)
      expect(entry.detail?.why).toMatch(/^calls of \["gp-push","A83001","[^"]+"\]$/)
      expect(await readsPatient(t, other)).toBe(200)
      await t.clock.advance(retryAfter(answer))
      expect(await readsPatient(t, looping)).toBe(200)
    })

    it('gains nothing by bundles: each entry is a call, and what is too much is not begun', async () => {
      await under({ calls: 5 })
      const { tokens } = await launchTo(t, { system: 'gp-push', user: 'gp' })
      const batch = (entries: number) => {
        const one = { request: { method: 'GET', url: `Patient/${tokens.patient}` } }
        const bundle = { resourceType: 'Bundle', type: 'batch', entry: Array(entries).fill(one) }
        return call(t, tokens.access_token, '/fhir', {
          ...{ method: 'POST', body: JSON.stringify(bundle) },
          headers: { 'content-type': 'application/fhir+json' },
        })
      }
      const over = await batch(6)
      await expectRefused(t, over, 'rate_limited', 429)
      expect(await stagesOf(t, tokens.__launch)).not.toContain('access_allowed')
      await t.clock.advance(retryAfter(over))
      expect((await batch(5)).status).toBe(200)
      expect((await batch(1)).status).toBe(429)
    })

    it('that proves who it is, is stopped at the token endpoint, and other apps are not', async () => {
      await under({ apps: 2 })
      const order = { system: 'gp-push', app: 'key-app' }
      const { app, tokens } = await launchTo(t, order)
      const again = await app.refresh(tokens)
      expect(again.status).toBe(200)
      const third = await app.refresh(JSON.parse(again.text))
      const entry = await expectRefused(t, third, 'rate_limited', 429)
      expect(entry.detail?.why).toBe('apps of key-app')
      await launchTo(t, { system: 'gp-push' })
    })

    it('of launches is stopped for its user, and no other user of the same system', async () => {
      await under({ launches: 2 })
      for (let i = 0; i < 2; i++) expect((await push(t, { system: 'gp-push' })).status).toBe(201)
      const answer = await push(t, { system: 'gp-push' })
      await expectRefused(t, answer, 'rate_limited', 429)
      expect((await push(t, { system: 'gp-push', user: 'practice-nurse' })).status).toBe(201)
    })
  })

  /** Three guesses are refused as ever, the fourth by the limit. */
  async function guess(limit: LimitName, tries: () => Promise<Answer>, status: number) {
    for (let i = 0; i < 3; i++) expect((await tries()).status).toBe(status)
    const over = await tries()
    const entry = await expectRefused(t, over, 'rate_limited', 429)
    expect(entry.detail?.why).toMatch(new RegExp(`^${limit} of `))
    expect(retryAfter(over)).toBe(left(MINUTE))
    const more = await tries()
    expect(more.status).toBe(429)
    expect(referenceOf(more)).toBe(referenceOf(over))
    expect(await refusalsOf(more)).toHaveLength(1)
  }

  describe('guessing', () => {
    it('access tokens ends, while right ones from the same address work on', async () => {
      await under({ tokens: 3 })
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      const signature = tokens.access_token.split('.')[2] ?? ''
      const forged = () => tokens.access_token.replace(signature, [...signature].reverse().join(''))
      await guess('tokens', () => call(t, forged(), '/fhir/Patient/x'), 401)
      expect(await readsPatient(t, tokens)).toBe(200)
      await t.clock.advance(MINUTE)
      expect((await call(t, forged(), '/fhir/Patient/x')).status).toBe(401)
    })

    it('links ends, while the right one opens', async () => {
      await under({ secrets: 3 })
      const link = await linkOf(t, { system: 'gp-push' })
      const wrong = () =>
        new UserAgent().visit(new URL(`${link.href.slice(0, -32)}${'x'.repeat(32)}`))
      await guess('secrets', wrong, 400)
      expect(handleOf(await new UserAgent().visit(link))).toMatch(/^hdl_/)
    })

    it('handles ends, while the right one gives a code', async () => {
      await under({ secrets: 3 })
      const app = new App(t, new UserAgent())
      const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
      await guess('secrets', () => app.authorize(`${handle.slice(0, -32)}${'x'.repeat(32)}`), 400)
      expect(await app.code(handle)).toMatch(/^cod_/)
    })

    it('codes and verifiers ends, while the right ones give tokens', async () => {
      await under({ secrets: 3 })
      const app = new App(t, new UserAgent())
      const code = await app.code(handleOf(await open(t, app.browser, { system: 'gp-push' })))
      await guess('secrets', () => app.redeem(`${code.slice(0, -32)}${'x'.repeat(32)}`), 400)
      // Whose code it is, is known by now: counted on that user and not on the address.
      await guess('secrets', () => app.redeem(code, { code_verifier: 'x'.repeat(43) }), 400)
      expect((await app.redeem(code)).status).toBe(200)
    })

    it('refresh tokens ends, while the right one works', async () => {
      await under({ secrets: 3 })
      const { app, tokens } = await launchTo(t, { system: 'gp-push' })
      await guess('secrets', () => app.refresh({ refresh_token: BAD }, { client_id: app.id }), 400)
      expect((await app.refresh(tokens)).status).toBe(200)
    })

    it('a launch’s refresh token by its name counts on who guesses, not on whose launch it is', async () => {
      await under({ secrets: 3 })
      const { app, tokens } = await launchTo(t, { system: 'gp-push' })
      const begins = tokens.refresh_token?.slice(0, -32)
      const made = { refresh_token: `${begins}${'x'.repeat(32)}` }
      const entry = await expectRefused(t, await app.refresh(made), 'refresh_invalid', 400)
      expect([entry.user, entry.patient]).toEqual([undefined, undefined])
      await app.refresh(made)
      await app.refresh({ refresh_token: BAD }, { client_id: app.id })
      expect((await app.refresh(made)).status).toBe(429)
      expect((await app.refresh(tokens)).status).toBe(200)
    })

    it('at how an app proves itself ends, while its right proof is taken', async () => {
      await under({ clients: 3 })
      const app = new App(t, new UserAgent(), 'key-app')
      const order = { system: 'gp-push', app: 'key-app' }
      const code = await app.code(handleOf(await open(t, app.browser, order)))
      await guess('clients', () => app.redeem(code, { client_assertion: BAD }), 401)
      expect((await app.redeem(code)).status).toBe(200)
    })

    it('launches of one system leaves another system’s at the same address, and its own right ones', async () => {
      await under({ proofs: 3 })
      const key = t.systems['gp-clinic']?.key
      const launch = (launch_token: string) =>
        new UserAgent().visit(at('/launch'), { form: { launch_token } })
      const forged = async (system: string) =>
        launch(await tokenOf(t, { system, ...(key && { key }) }))
      await guess('proofs', () => forged('gp-post'), 400)
      await expectRefused(t, await forged('gp-ward'), 'signature_invalid', 400)
      expect(handleOf(await launch(await tokenOf(t, { system: 'gp-post' })))).toMatch(/^hdl_/)
    })

    it('a patient’s birth date by launches ends, for the right one too, and for that patient alone', async () => {
      await under({ patients: 3 })
      const wrong = (day: number) => ({
        system: 'gp-push',
        claims: () => ({ patient: { nhs_number: PEGGY, birth_date: `1901-01-0${day}` } }),
      })
      for (let day = 1; day <= 3; day++)
        await expectRefused(t, await push(t, wrong(day)), 'patient_mismatch', 404)
      const right = await push(t, { system: 'gp-push' })
      const entry = await expectRefused(t, right, 'rate_limited', 429)
      expect(entry.detail?.why).toBe('patients')
      expect(retryAfter(right)).toBe(left(HOUR))
      // The patient in another system, another patient in this one: both open.
      expect(handleOf(await open(t, new UserAgent(), { system: 'gp-post' }))).toMatch(/^hdl_/)
      expect((await push(t, { system: 'gp-push', patient: NO_PLAN })).status).toBe(201)
      await t.clock.advance(HOUR)
      expect((await push(t, { system: 'gp-push' })).status).toBe(201)
    })

    it('is counted by all nodes together', async () => {
      const change = await under({ tokens: 3 })
      const { port } = await t.secondNode(change)
      const wrong = (more: Sent = {}) => call(t, BAD, '/fhir/Patient/x', more)
      const statuses = []
      for (let i = 0; i < 5; i++) statuses.push((await wrong(i % 2 ? { port } : {})).status)
      expect(statuses).toEqual([401, 401, 401, 429, 429])
    })

    it('paths and parameters ends, so that nobody can fill the trail', async () => {
      await under({ strays: 3 })
      await guess('strays', () => send(at('/oauth/token'), { form: { x: '1' } }), 400)
      expect((await send(at('/admin'))).status).toBe(429)
      await launchTo(t, { system: 'gp-push' })
    })
  })

  describe('what honest people meet every day', () => {
    it('the console’s forms without a session ends too', async () => {
      await under({ strays: 2 })
      const strays: readonly (readonly [string, Sent])[] = [
        ['/console/drafts', { form: { token: 'x' } }],
        ['/console/sign-in', { form: { to: '/console' }, headers: { 'sec-fetch-site': 'none' } }],
      ]
      for (const [path, sent] of strays) {
        await t.clock.advance(left(MINUTE))
        const told: number[] = []
        for (let i = 0; i < 4; i++) told.push((await send(at(path), sent)).status)
        expect(told).toEqual([403, 403, 429, 429])
      }
    })

    it('is never taken for a guess: expired tokens, spent codes, what a role may not see', async () => {
      await under({ tokens: 1, secrets: 1, strays: 1, clients: 1, proofs: 1 })
      const { app, tokens } = await launchTo(t, { system: 'gp-push' })
      const denied = () => call(t, tokens.access_token, '/fhir/Binary?patient=x')
      const first = (await denied()).status
      for (let i = 0; i < 5; i++) expect((await denied()).status).toBe(first)
      await t.clock.advance(400)
      const late = (token: Tokens) => readsPatient(t, token)
      for (let i = 0; i < 5; i++) expect(await late(tokens)).toBe(401)
      expect((await app.refresh(tokens)).status).toBe(200)
    })
  })

  describe('when the store cannot count', () => {
    it('refusals stay refusals, what is right goes on, and the operators are told', async () => {
      await under({ tokens: 2 })
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      const { store: real } = t.running
      const { count } = real
      real.count = async () => {
        throw new Error('the store failed')
      }
      const statuses = []
      for (let i = 0; i < 3; i++) statuses.push((await call(t, BAD, '/fhir/Patient/x')).status)
      const reads = await readsPatient(t, tokens)
      real.count = count
      // This node counts alone.
      expect(statuses).toEqual([401, 401, 429])
      expect(reads).toBe(200)
      expect(await figure('launch_gateway_limits_uncounted_total')).toBe('3')
    })
  })

  it('a limit that is off limits nothing', async () => {
    await under({ tokens: 'off', flood: 'off' })
    for (let i = 0; i < 5; i++) expect((await call(t, BAD, '/fhir/Patient/x')).status).toBe(401)
  })

  it('leaves a whole trail', () => expectWholeTrail(t))
})
