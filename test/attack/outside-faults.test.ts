/** When what stands behind the gateway is away or answers wrongly, the page says so and shows nothing of it. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import express from 'express'
import { PATIENTS } from '../../src/demo/patients.js'
import { readPlans } from '../../src/demo/plans.js'
import { createRecord } from '../../src/demo/record.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { FAILURES, REST_MS } from '../../src/record/breaker.js'
import { call, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { breakable, type Condition, coastAt, hangUp, listen } from '../gateway-surroundings.js'
import {
  callbackOf,
  handleOf,
  linkOf,
  NO_PLAN,
  open,
  PEGGY,
  patientOf,
  signIn,
  tokenOf,
  typeBirthDate,
} from '../launching.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())
  afterEach(() => {
    Object.assign(t.behind, { record: 'up', provider: 'up' })
  })

  describe('when the record', () => {
    it('is away: the page says that we do not know, and the launch can be tried again', async () => {
      const browser = new UserAgent()
      t.behind.record = 'down'
      const form = { launch_token: await tokenOf(t, { system: 'gp-post' }) }
      const url = new URL('/launch', t.issuer)
      const answer = await browser.visit(url, { form })
      await expectRefused(t, answer, 'record_unavailable', 503)
      const words = wordsOf(answer.text)
      expect(words).toContain('we do not know whether there is a plan')
      expect(words).toContain(t.config.pages.emergency_text.slice(0, 30))
      expect(words).not.toMatch(/no plan/i)
      t.behind.record = 'up'
      expect(handleOf(await browser.visit(url, { form }))).toMatch(/^hdl_/)
    })

    it('goes away after the launch: the app is told so, and never that there is nothing', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      t.behind.record = 'down'
      for (const path of [
        `/fhir/Patient/${tokens.patient}`,
        `/fhir/CarePlan?patient=${tokens.patient}`,
        `/openehr/v1/query/care-plan::sections?ehr_id=${tokens.ehrId}`,
      ]) {
        await expectRefused(t, await call(t, tokens.access_token, path), 'record_unavailable', 503)
      }
    })

    it.each<[string, string, string]>([
      ['answers with a page', 'text/html', '<h1>Margaret Ashworth</h1>'],
      ['answers with half an answer', 'application/fhir+json', '{"resourceType":"Bund'],
      ['answers with another kind', 'application/fhir+json', '{"resourceType":"Patient","id":"1"}'],
    ])('%s: it is refused, and nothing of the answer is shown', async (_what, type, body) => {
      t.behind.record = (_req, res) => res.writeHead(200, { 'content-type': type }).end(body)
      const answer = await open(t, new UserAgent(), { system: 'gp-post' })
      await expectRefused(t, answer, 'upstream_invalid', 502)
    })

    it('is away while a date of birth is typed: the user may try once more', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-sealed' })
      const asked = await signIn(t, browser, page, { person: 'gp' })
      const { birthDate } = patientOf(PEGGY)
      t.behind.record = 'down'
      const answer = await typeBirthDate(t, browser, asked, birthDate)
      await expectRefused(t, answer, 'record_unavailable', 503)
      t.behind.record = 'up'
      expect(handleOf(await typeBirthDate(t, browser, asked, birthDate))).toMatch(/^hdl_/)
    })
  })

  describe('when the OpenID provider', () => {
    it('is away: the page says so, and the same launch can be opened again', async () => {
      await t.restart()
      const browser = new UserAgent()
      const link = await linkOf(t, { system: 'gp-clinic' })
      t.behind.provider = 'down'
      await expectRefused(t, await browser.visit(link), 'sign_on_unavailable', 503)
      t.behind.provider = 'up'
      const page = await browser.visit(link)
      expect(handleOf(await signIn(t, browser, page, { person: 'gp' }))).toMatch(/^hdl_/)
    })

    it('goes away while its user is on the way there: the sign-in says so', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic' })
      const callback = await callbackOf(t, browser, page, { person: 'gp' })
      t.behind.provider = 'down'
      await expectRefused(t, await browser.visit(callback), 'sign_on_unavailable', 503)
      t.behind.provider = 'up'
      expect(handleOf(await signIn(t, browser, page, { person: 'gp' }))).toMatch(/^hdl_/)
    })

    it('is away at a logout: nothing is ended on a word that nobody could check', async () => {
      await t.restart()
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      t.behind.provider = 'down'
      const url = new URL('/sign-in/backchannel-logout', t.issuer)
      const answer = await new UserAgent().visit(url, { form: { logout_token: 'a.b.c' } })
      expect([400, 503]).toContain(answer.status)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  it('lets launches that need no sign-in through while the provider is away', async () => {
    t.behind.provider = 'down'
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    expect(await readsPatient(t, tokens)).toBe(200)
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})

describe('a server of the record that stops answering', () => {
  const CREDENTIAL = 'of the coast alone'
  const LONGEST_MS = 1_000
  /** A tenant's own record, whose FHIR side may be made to fail. */
  const coast = { record: 'up' as Condition, provider: 'up' as const, heard: 0 }
  const whole = express().use(
    '/record',
    createRecord({
      patients: PATIENTS.filter(({ nhsNumber }) => nhsNumber === PEGGY),
      // A launch opens the record in which the plan is.
      plans: readPlans(readFileSync('config/demo/plans.yaml', 'utf8')),
      form: openPlan('config/plan/sections.yaml').sections,
      ...{ credential: CREDENTIAL, clock: Date.now },
    }),
  )
  const failing = breakable(whole, coast)
  const server = createServer((req, res) => {
    if (!req.url?.startsWith('/record/fhir/')) return whole(req, res)
    coast.heard += 1
    return failing(req, res)
  })
  let t: TestGateway
  beforeAll(async () => {
    const origin = `http://127.0.0.1:${await listen(server)}`
    t = await openTestGateway({
      store: 'embedded',
      change: coastAt(origin, CREDENTIAL, { timeout_ms: LONGEST_MS }),
    })
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await hangUp(server)
  })
  afterEach(async () => {
    coast.record = 'up'
    await t.clock.advance(REST_MS / 1000)
    expect(await readsPatient(t, await onCoast())).toBe(200)
  })

  let tokens: Tokens | undefined
  /** Somebody whose organisation keeps that record. */
  const onCoast = async (): Promise<Tokens> => {
    tokens ??= (await launchTo(t, { system: 'gp-push', user: 'district-nurse' })).tokens
    return tokens
  }
  const times = <T>(count: number, act: () => Promise<T>): Promise<readonly T[]> =>
    Promise.all(Array.from({ length: count }, act))
  const ask = async (path?: string): Promise<Answer> => {
    const { access_token, patient } = await onCoast()
    return call(t, access_token, path ?? `/fhir/Patient/${patient}`)
  }
  const unanswered = async (answers: readonly Answer[]): Promise<void> => {
    for (const answer of answers) await expectRefused(t, answer, 'record_unavailable', 503)
  }
  const stop = async (how: Condition): Promise<void> => {
    await onCoast()
    coast.record = how
    await unanswered(await times(FAILURES, ask))
  }

  // biome-ignore format: a table
  it.each<[string, Condition]>([
    ['hangs up',             'down'],
    ['says that it cannot',  (_req, res) => res.writeHead(503).end()],
    ['speaks no HTTP',       (req) => req.socket.end('garbage\r\n\r\n')],
    ['says nothing at all',  () => undefined],
  ])('(%s) is left alone, by itself, and is well again when it answers', async (_, how) => {
    const { tokens: region } = await launchTo(t, { system: 'gp-push' })
    await onCoast()
    const before = coast.heard
    await stop(how)
    const each = (coast.heard - before) / FAILURES
    const heard = coast.heard
    await unanswered(await times(3, ask))
    expect(coast.heard).toBe(heard)

    // The region's server, and the tenant's other one, are none of its business.
    expect(await readsPatient(t, region)).toBe(200)
    const { access_token, ehrId } = await onCoast()
    const query = `/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`
    expect((await call(t, access_token, query)).status).toBe(200)

    // One is let through to see, then another, each alone.
    for (let looks = 1; looks <= 2; looks++) {
      await t.clock.advance(REST_MS / 1000)
      await unanswered(await times(3, ask))
      expect(coast.heard).toBe(heard + looks * each)
    }
    coast.record = 'up'
    await unanswered([await ask()])
    await t.clock.advance(REST_MS / 1000)
    expect((await ask()).status).toBe(200)
    expect((await times(3, ask)).map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it('says to nobody that there is no such patient, and no plan', async () => {
    await stop('down')
    const nobody = { nhs_number: '9990009996', birth_date: '1950-01-01' }
    for (const order of [
      // Its own user, somebody of the region whose plan could lie there, and somebody whom the region does not know.
      { system: 'gp-post', user: 'district-nurse' },
      { system: 'gp-post', patient: NO_PLAN },
      { system: 'gp-post', claims: () => ({ patient: nobody }) },
    ]) {
      const answer = await open(t, new UserAgent(), order)
      await expectRefused(t, answer, 'record_unavailable', 503)
      const words = wordsOf(answer.text)
      expect(words).toContain('we do not know whether there is a plan')
      expect(words).not.toMatch(
        /no (?:care )?plan\b(?<!does not mean that the patient has no care plan)/i,
      )
    }
  })

  // biome-ignore format: a table
  it.each<[string, Condition, number]>([
    ['nothing of that name',    (_req, res) => res.writeHead(404).end(), 404],
    ['that it is gone',         (_req, res) => res.writeHead(410).end(), 404],
    ['a call that it refuses',  (_req, res) => res.writeHead(400).end(), 502],
    ['a call that it forbids',  (_req, res) => res.writeHead(403).end(), 502],
    ['a fault on that call',    (_req, res) => res.writeHead(500).end(), 503],
    ['too many of its calls',   (_req, res) => res.writeHead(429).end(), 503],
    ['a page',                  (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<p>'), 502],
  ])('is not what one caller makes of it by %s: everybody else is answered', async (_, how, status) => {
    await onCoast()
    const before = coast.heard
    coast.record = how
    const answers = await times(FAILURES + 2, ask)
    expect(answers.map((answer) => answer.status)).toEqual(Array(FAILURES + 2).fill(status))
    expect(coast.heard - before).toBe(FAILURES + 2)
    coast.record = 'up'
    expect((await ask()).status).toBe(200)
  })

  it('is not asked for what is refused here, and its rest is not ended by it', async () => {
    await stop('down')
    const heard = coast.heard
    await t.clock.advance(REST_MS / 1000)
    const refused = await Promise.all([
      ask('/fhir/Patient/somebody-else'),
      ask('/fhir/CarePlan?_has:x=y'),
      call(t, 'no-token', '/fhir/Patient/1'),
    ])
    expect(refused.map(({ status }) => status)).toEqual([404, 400, 401])
    expect(coast.heard).toBe(heard)
  })
})
