import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import express from 'express'
import { PATIENTS } from '../../src/demo/patients.js'
import { createRecord } from '../../src/demo/record.js'
import { openPlan } from '../../src/policy/plan-files.js'
import { App, call, launchTo, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import { NO_PLAN, PEGGY } from '../launching.js'
import { entriesOf } from '../trail-reading.js'

jest.setTimeout(60_000)

const CREDENTIAL = 'of the coast alone'

/** Known on the coast, with an EHR there in which nothing was ever written. */
const UNWRITTEN = '9990000093'

/** The coast's own record: two people under the very ids that the region has for them, of whom Peggy has a plan. */
function coastRecord(): Server {
  const patients = PATIENTS.filter(({ nhsNumber }) => [PEGGY, UNWRITTEN].includes(nhsNumber))
  const contacts = {
    ...{ by: 'Coast Hospice', on: '2026-01-01' },
    values: { 'next-of-kin': 'Janet Ashworth, her daughter' },
  }
  const renamed = patients.map((patient) => ({ ...patient, given: 'Coast' }))
  const form = openPlan('config/plan/sections.yaml').sections
  const record = createRecord({
    patients: renamed,
    plans: [{ patient: PEGGY, sections: { contacts } }],
    form,
    credential: CREDENTIAL,
    clock: Date.now,
  })
  return createServer(express().use('/record', record))
}

describe.each(STORES)('two records behind one gateway, on the %s store', (store) => {
  let t: TestGateway
  const coast = coastRecord()
  beforeAll(async () => {
    const origin = `http://127.0.0.1:${await listen(coast)}`
    t = await openTestGateway({
      store,
      change: ({ upstreams, secrets }) => ({
        upstreams: {
          ...upstreams,
          tenants: [
            {
              ...{ name: 'coast', organizations: ['RYX01'], regions: [] },
              fhir: { ...upstreams.fhir, base: `${origin}/record/fhir` },
              openehr: { ...upstreams.openehr, base: `${origin}/record/openehr/v1` },
            },
          ],
        },
        secrets: {
          ...secrets,
          tenantCredentials: { coast: { fhir: CREDENTIAL, openehr: CREDENTIAL } },
        },
      }),
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
    expect(opened?.detail).not.toHaveProperty('tenant')
  })

  it('keeps to it over a refresh, and somebody of the region alone is found from the coast', async () => {
    const { tokens, browser } = await launch('district-nurse', PEGGY)
    const again = tokensOf(await new App(t, browser).refresh(tokens))
    expect(await nameOf({ ...tokens, ...again })).toBe('Coast')
    const visitor = await launch('district-nurse', NO_PLAN)
    expect(await nameOf(visitor.tokens)).not.toBe('Coast')
  })

  it('a record that is not configured any more is away, and the other’s is never read in its place', async () => {
    const { tokens } = await launch('district-nurse', PEGGY)
    const own = await launch('gp', PEGGY)
    await t.restart({ upstreams: { ...t.config.upstreams, tenants: [] } })
    const { status, text } = await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)
    expect([status, text.includes('Coast'), text.includes('Peggy')]).toEqual([503, false, false])
    expect(await nameOf(own.tokens)).not.toBe('Coast')
  })
})
