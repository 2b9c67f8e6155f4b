import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import express from 'express'
import type { Json } from '../../src/core/json.js'
import type { LaunchTokenClaims } from '../../src/demo/desktop-faults.js'
import { PATIENTS } from '../../src/demo/patients.js'
import { createRecord } from '../../src/demo/record.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { App, call, launchTo, type Tokens, tokensOf } from '../app-by-hand.js'
import { get, post, signedIn } from '../console/signing-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { coastAt, hangUp, listen } from '../gateway-surroundings.js'
import { handleOf, NO_PLAN, open, PEGGY, patientOf } from '../launching.js'
import { entriesOf, expectRefused } from '../trail-reading.js'
import { UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const CREDENTIAL = 'of the coast alone'

/** Known on the coast, with an EHR there in which nothing was ever written. */
const UNWRITTEN = '9990000093'

/** Somebody of the coast, who has there the id that the region's record gave to somebody else. */
const [ON_COAST, IN_REGION] = ['9990000107', '9990000115']
const SAME = patientOf(IN_REGION).fhirId

/** The coast's own record: two people under the very ids that the region has for them, of whom Peggy has a plan. */
function coastRecord(): Server {
  const patients = PATIENTS.filter(({ nhsNumber }) =>
    [PEGGY, UNWRITTEN, ON_COAST].includes(nhsNumber),
  )
  const contacts = {
    ...{ by: 'Coast Hospice', on: '2026-01-01' },
    values: { 'next-of-kin': 'Janet Ashworth, her daughter' },
  }
  const renamed = patients.map((patient) => ({
    ...{ ...patient, given: 'Coast' },
    ...(patient.nhsNumber === ON_COAST ? { fhirId: SAME } : {}),
  }))
  const form = openPlan('config/plan/sections.yaml').sections
  const record = createRecord({
    patients: renamed,
    plans: [PEGGY, ON_COAST].map((patient) => ({ patient, sections: { contacts } })),
    form,
    credential: CREDENTIAL,
    clock: Date.now,
  })
  return createServer(express().use('/record', record))
}

describe.each(STORES)('two records behind one gateway, on the %s store', (store) => {
  let t: TestGateway
  let origin: string
  const coast = coastRecord()
  beforeAll(async () => {
    origin = `http://127.0.0.1:${await listen(coast)}`
    t = await openTestGateway({
      store,
      change: coastAt(origin, CREDENTIAL),
    })
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await hangUp(coast)
  })

  const nameOf = async ({ access_token, patient }: Tokens): Promise<string> => {
    const { status, text } = await call(t, access_token, `/fhir/Patient/${patient}`)
    expect(status).toBe(200)
    return JSON.parse(text).name[0].given[0]
  }
  const sections = async ({ access_token, ehrId }: Tokens): Promise<number> => {
    const query = `/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`
    const { status, text } = await call(t, access_token, query)
    expect(status).toBe(200)
    return JSON.parse(text).rows.length
  }
  const launch = (user: string, patient: string) =>
    launchTo(t, { system: 'gp-push', user, patient })

  it('each launch reads the record of its own organisation, though both have the same ids', async () => {
    const [inRegion, onCoast] = [await launch('gp', PEGGY), await launch('district-nurse', PEGGY)]
    expect(inRegion.tokens.patient).toBe(onCoast.tokens.patient)
    expect(await nameOf(inRegion.tokens)).not.toBe('Coast')
    expect(await nameOf(onCoast.tokens)).toBe('Coast')
    expect(await sections(inRegion.tokens)).toBeGreaterThan(1)
    expect(await sections(onCoast.tokens)).toBe(1)
    const [opened] = await entriesOf(t, { launch: onCoast.tokens.__launch, what: 'session_opened' })
    expect(opened?.detail).toMatchObject({ tenant: 'coast' })
    // No token and no answer tells where a record lies.
    expect(JSON.stringify(onCoast.tokens)).not.toContain('coast')
  })

  it('opens the plan that the region has, where the own record knows the patient and holds nothing', async () => {
    const { tokens, browser } = await launch('district-nurse', UNWRITTEN)
    expect(await nameOf(tokens)).not.toBe('Coast')
    expect(await sections(tokens)).toBeGreaterThan(0)
    const again = tokensOf(await new App(t, browser).refresh(tokens))
    expect(await nameOf({ ...tokens, ...again })).not.toBe('Coast')
    const [opened] = await entriesOf(t, { launch: tokens.__launch, what: 'session_opened' })
    expect(opened?.detail).toMatchObject({ instead_of: 'coast' })
    expect(JSON.stringify(tokens)).not.toContain('coast')
    expect(opened?.detail).not.toHaveProperty('tenant')
  })

  describe('what the own record says of somebody whose plan lies elsewhere', () => {
    const { fhirId } = patientOf(UNWRITTEN)
    /** As the coast's own people say it there. */
    async function say(more: object) {
      const url = `${origin}/record/fhir/Patient/${fhirId}`
      const headers = { authorization: `Bearer ${CREDENTIAL}` }
      const { meta: _, ...patient } = (await (await fetch(url, { headers })).json()) as Json
      const { status } = await fetch(url, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/fhir+json' },
        body: JSON.stringify({ ...patient, ...more }),
      })
      expect(status).toBe(200)
    }
    const mark = (code: string) => say({ meta: { security: [{ code }] } })
    afterAll(() => mark('U'))

    it('holds at the launch and at a refresh, and no token says where it was said', async () => {
      const before = await launch('district-nurse', UNWRITTEN)
      const again = tokensOf(await new App(t, before.browser).refresh(before.tokens))
      expect(again).not.toHaveProperty('__obligations')

      await mark('R')
      const refused = await new App(t, before.browser).refresh(again)
      expect([refused.status, JSON.parse(refused.text).error]).toEqual([400, 'invalid_grant'])
      const order = { system: 'gp-push', user: 'district-nurse', patient: UNWRITTEN }
      const page = await open(t, new UserAgent(), order)
      expect(page.status).toBe(403)
      expect(wordsOf(page.text)).toContain('This record is marked sensitive.')
    })

    it('holds at the exchange of a code as well, where a launch was under way for long', async () => {
      const order = { system: 'gp-push', user: 'district-nurse', patient: UNWRITTEN }
      const redeemed = async (between: () => Promise<void>, more: object = {}) => {
        const app = new App(t, new UserAgent())
        const page = await open(t, app.browser, { ...order, ...more })
        await t.clock.advance(40)
        const code = await app.code(handleOf(page))
        await between()
        await t.clock.advance(40)
        return app.redeem(code)
      }
      await mark('U')
      expect((await redeemed(async () => undefined)).status).toBe(200)
      const refused = await redeemed(() => mark('R'))
      await expectRefused(t, refused, 'code_invalid', 400)
      await mark('U')
      const claims = (said: LaunchTokenClaims) => ({
        practitioner: { ...said.practitioner, activity_codes: ['B0360', 'B0380', 'B1611'] },
      })
      const tokens = tokensOf(await redeemed(() => mark('R'), { claims }))
      expect(tokens.__obligations).toEqual(['mark-sensitive'])
      await mark('U')
    })

    it('obliges who may open it, also where the other record’s Patient says nothing of it', async () => {
      await mark('R')
      const claims = (said: LaunchTokenClaims) => ({
        practitioner: { ...said.practitioner, activity_codes: ['B0360', 'B0380', 'B1611'] },
      })
      const order = { system: 'gp-push', user: 'district-nurse', patient: UNWRITTEN, claims }
      const { tokens, browser } = await launchTo(t, order)
      expect(tokens.__obligations).toEqual(['mark-sensitive'])
      expect(await nameOf(tokens)).not.toBe('Coast')
      const again = tokensOf(await new App(t, browser).refresh(tokens))
      expect(again.__obligations).toEqual(['mark-sensitive'])
      expect(JSON.stringify([tokens, again])).not.toMatch(/coast|knownIn/)

      await mark('U')
      const unmarked = tokensOf(await new App(t, browser).refresh(again))
      expect(unmarked).not.toHaveProperty('__obligations')
    })

    it('ends the grant where the own record has replaced them: a new launch finds who stands', async () => {
      const { tokens, browser } = await launch('district-nurse', UNWRITTEN)
      await say({ active: false })
      const refused = await new App(t, browser).refresh(tokens)
      expect([refused.status, JSON.parse(refused.text).error]).toEqual([400, 'invalid_grant'])
      await say({ active: true })
    })
  })

  it('keeps to it over a refresh, and somebody of the region alone is found from the coast', async () => {
    const { tokens, browser } = await launch('district-nurse', PEGGY)
    const again = tokensOf(await new App(t, browser).refresh(tokens))
    expect(await nameOf({ ...tokens, ...again })).toBe('Coast')
    const visitor = await launch('district-nurse', NO_PLAN)
    expect(await nameOf(visitor.tokens)).not.toBe('Coast')
  })

  describe('who looked at somebody, whose id another record gave to somebody else,', () => {
    const looks = async (patient: string) => {
      const path = '/console/trail/patient'
      const officer = await signedIn(t, 'privacy-officer')
      const page = await get(t, officer, path)
      const { text, status } = await post(t, officer, { page, action: path }, { patient })
      return { status, words: wordsOf(text) }
    }
    const [GP, NURSE] = [/555254239101 .*read or wrote/, /555254239103 .*read or wrote/]

    it('is told of each alone, by number and by id; an id alone is not guessed at', async () => {
      const inRegion = await launch('gp', IN_REGION)
      const onCoast = await launch('district-nurse', ON_COAST)
      expect([inRegion.tokens.patient, onCoast.tokens.patient]).toEqual([SAME, SAME])
      await sections(inRegion.tokens)
      await sections(onCoast.tokens)
      for (const asked of [IN_REGION, `/${SAME}`]) {
        const { words } = await looks(asked)
        expect([GP.test(words), NURSE.test(words)]).toEqual([true, false])
      }
      for (const asked of [ON_COAST, `coast/${SAME}`]) {
        const { words } = await looks(asked)
        expect([GP.test(words), NURSE.test(words)]).toEqual([false, true])
      }
      const alone = await looks(SAME)
      expect(alone.status).toBe(400)
      expect(alone.words).toContain(`coast/${SAME}`)
      expect([GP.test(alone.words), NURSE.test(alone.words)]).toEqual([false, false])
    })

    it('is in every entry that names them so', async () => {
      const { tokens } = await launch('district-nurse', ON_COAST)
      await sections(tokens)
      const refused = await call(t, tokens.access_token, '/fhir/Patient/somebody-else')
      expect(refused.status).toBe(404)
      const entries = await entriesOf(t, { launch: tokens.__launch })
      const named = entries.filter(({ patient }) => patient?.fhirId !== undefined)
      expect(new Set(named.map(({ what }) => what))).toEqual(
        new Set([
          ...[
            'launch_verified',
            'signed_on',
            'decision_made',
            'session_opened',
            'authorization_asked',
          ],
          ...['grant_opened', 'token_issued', 'access_allowed', 'access_refused'],
        ]),
      )
      expect(new Set(named.map(({ patient }) => patient?.tenant))).toEqual(new Set(['coast']))
    })
  })

  it('a record that is not configured any more is away, and the other’s is never read in its place', async () => {
    const { tokens } = await launch('district-nurse', PEGGY)
    const own = await launch('gp', PEGGY)
    const elsewhere = await launch('district-nurse', UNWRITTEN)
    await t.restart({ upstreams: { ...t.config.upstreams, tenants: [] } })
    const { status, text } = await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)
    expect([status, text.includes('Coast'), text.includes('Peggy')]).toEqual([503, false, false])
    expect(await nameOf(own.tokens)).not.toBe('Coast')
    // What the own record would say of them now is not known.
    const { status: renewed } = await new App(t, elsewhere.browser).refresh(elsewhere.tokens)
    expect(renewed).toBe(503)
  })
})
