import { afterEach, describe, expect, it } from '@jest/globals'
import type { BirthDate, NhsNumber } from '../../src/core/context.js'
import { openTenants, REGION, type Tenants } from '../../src/record/tenants.js'
import { close, date, listen } from '../proxy/world.js'

const NAMESPACE = 'https://fhir.nhs.uk/Id/nhs-number'
const PEGGY = '9990000018' as NhsNumber
const BORN = '1938-03-14'
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  told.length = 0
  for (const end of ends.splice(0)) await end()
})

const resource = (id: string, more: object = {}) => ({
  resourceType: 'Patient',
  ...{ id, birthDate: BORN, identifier: [{ system: NAMESPACE, value: PEGGY }] },
  ...more,
})
const ehr = {
  ehr_id: { value: '7d44b88c-4199-4bad-97dc-d78268e01398' },
  ehr_status: { subject: { external_ref: { id: { value: PEGGY }, namespace: NAMESPACE } } },
}

/** Of a patient who is known there, and has no EHR. */
const UNPLANNED = { unplanned: true }

const SENSITIVE = { meta: { security: [{ code: 'R' }] } }
const DEAD = { deceasedBoolean: true }

const COLUMNS = ['template', 'uid', 'composition', 'ehr'].map((name) => ({ name }))
const row = (template: string, ehrId = ehr.ehr_id.value) => {
  const uid = '8849182c-82ad-4088-a07f-48ead4180515::plan.example::1'
  const archetype_details = { template_id: { value: template } }
  const composition = { _type: 'COMPOSITION', uid: { value: uid }, archetype_details }
  return [template, uid, composition, ehrId]
}
const SECTION = 'care-plan::contacts'
const PLANNED = { columns: COLUMNS, rows: [row(SECTION)] }
const EMPTY = { columns: COLUMNS, rows: [] }

/**
 * A place's two servers, which know these patients, or are not well. What its query of the plan gives is the first of
 * `plans`, then the next: a number for its status alone, `hang` for nothing at all.
 */
async function place(...patients: readonly object[] | readonly ['ill']) {
  const asked: string[] = []
  const plans: unknown[] = [PLANNED]
  const answerTo = (url: string): readonly [number, unknown] => {
    const entry = patients.map((each) => ({ resource: each, search: { mode: 'match' } }))
    if (patients[0] === 'ill') return [503, {}]
    if (url.includes('definition'))
      return [200, [{ name: 'care-plan::sections', type: 'AQL', q: 'SELECT c' }]]
    if (url.startsWith('/openehr/query')) {
      const plan = plans.length > 1 ? plans.shift() : plans[0]
      return typeof plan === 'number' ? [plan, {}] : [200, plan]
    }
    const one = /^\/fhir\/Patient\/(\w+)$/.exec(url)?.[1]
    if (one !== undefined && one !== '_search')
      return [200, patients.find((each) => Object(each).id === one) ?? {}]
    if (!url.startsWith('/openehr/ehr'))
      return [200, { resourceType: 'Bundle', type: 'searchset', entry }]
    return patients.every((each) => Object.hasOwn(Object(each), 'unplanned'))
      ? [404, { message: 'no EHR of this subject', code: 404 }]
      : [200, ehr]
  }
  const { server, origin } = await listen((req, res) => {
    const url = req.url ?? ''
    asked.push(url)
    if (url.startsWith('/openehr/query') && plans[0] === 'hang') return
    const [status, body] = answerTo(url)
    res.writeHead(status, { 'content-type': 'application/json' })
    res.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  ends.push(() => close(server))
  return {
    asked,
    plans,
    settings: {
      clock: Date.now,
      fhir: { base: `${origin}/fhir` },
      openehr: {
        base: `${origin}/openehr`,
        // Only what never comes is given up soon: a busy machine may be late with all else.
        get timeoutMs() {
          return plans[0] === 'hang' ? 500 : 5_000
        },
        subjectNamespace: NAMESPACE,
        ifMatch: 'quoted' as const,
      },
    },
  }
}
type Place = Awaited<ReturnType<typeof place>>

/** One that knows the patient, with an EHR in which its query of the plan finds this. */
async function holding(patient: string | object, ...plans: readonly unknown[]) {
  const made = await place(typeof patient === 'string' ? resource(patient) : patient)
  made.plans.splice(0, 1, ...plans)
  return made
}

/** Whose plans were seen in several records, by the records. */
const told: (readonly string[])[] = []
/** The region's record, and those of two tenants: one by an organisation's code, one by its region. */
function opened(region: Place, north: Place, south: Place): Tenants {
  const tenants = openTenants(
    region.settings,
    [
      { name: 'north', organizations: ['A1'], regions: [], ...north.settings },
      { name: 'south', organizations: [], regions: ['coast'], ...south.settings },
    ],
    (code) => (code === 'B1' ? 'coast' : undefined),
    [SECTION],
    (records) => told.push(records),
  )
  ends.push(tenants.close)
  return tenants
}
const find = (tenants: Tenants, organization: string, born = BORN) =>
  tenants.findPatient(PEGGY, date(born) as BirthDate, organization)
const refusal = (code: string) => expect.objectContaining({ name: 'Refusal', code })

describe('records of tenants', () => {
  it.each([
    ['A1', 'n1', 'north'],
    ['B1', 's1', 'south'],
    ['C1', 'r1', undefined],
  ])('are chosen by the organisation that asks: %s', async (organization, fhirId, tenant) => {
    const places = [
      await place(resource('r1')),
      await place(resource('n1')),
      await place(resource('s1')),
    ] as const
    const found = await find(opened(...places), organization)
    expect(found).toMatchObject({ fhirId, nhsNumber: PEGGY })
    expect(found.tenant).toBe(tenant)
    // The others hear nothing of somebody whom the organisation's own record knows.
    expect(places.filter(({ asked }) => asked.length > 0)).toHaveLength(1)
  })

  it('are all asked before somebody is said not to be there', async () => {
    const tenants = opened(await place(), await place(resource('n1')), await place())
    expect(await find(tenants, 'C1')).toMatchObject({ fhirId: 'n1', tenant: 'north' })
    const none = opened(await place(), await place(), await place())
    await expect(find(none, 'A1')).rejects.toEqual(refusal('patient_unknown'))
  })

  it('say "cannot be asked", never "not there", while one of them is away', async () => {
    const tenants = opened(await place(), await place(), await place('ill'))
    await expect(find(tenants, 'A1')).rejects.toEqual(refusal('record_unavailable'))
    const known = opened(await place(), await place(resource('n1')), await place('ill'))
    await expect(find(known, 'C1')).rejects.toEqual(refusal('record_unavailable'))
    expect(await find(known, 'A1')).toMatchObject({ tenant: 'north' })
  })

  it('open nobody who is in two of them, nor by a wrong birth date', async () => {
    const [planned, empty] = [await place(resource('n1')), await holding('s1', EMPTY)]
    const two = opened(await place(), planned, await place(resource('s1')))
    await expect(find(two, 'C1')).rejects.toEqual(refusal('patient_in_several'))
    const neither = opened(await place(), await holding('n1', EMPTY), empty)
    await expect(find(neither, 'C1')).rejects.toEqual(refusal('patient_in_several'))
    // But where one alone has the plan, that is where it is.
    expect(await find(opened(await place(), planned, empty), 'C1')).toMatchObject({ fhirId: 'n1' })
    const unwell = opened(await place(), planned, await holding('s1', 503))
    await expect(find(unwell, 'C1')).rejects.toEqual(refusal('record_unavailable'))
    const other = opened(await place(), await place(resource('n1')), await place())
    await expect(find(other, 'C1', '1938-03-15')).rejects.toEqual(refusal('patient_mismatch'))
    await expect(find(other, 'A1', '1938-03-15')).rejects.toEqual(refusal('patient_mismatch'))
  })

  it('are all asked for a plan before somebody is said to have none', async () => {
    const here = await place(resource('n1', UNPLANNED))
    const elsewhere = opened(await place(resource('r1')), here, await place())
    expect(await find(elsewhere, 'A1')).toMatchObject({ fhirId: 'r1', ehrId: ehr.ehr_id.value })
    const bare = opened(await place(resource('r1', UNPLANNED)), here, await place())
    const found = await find(bare, 'A1')
    expect(found).toMatchObject({ fhirId: 'n1', tenant: 'north' })
    expect(found).not.toHaveProperty('ehrId')
    // As one that is away might have it.
    const away = opened(await place('ill'), here, await place())
    await expect(find(away, 'A1')).rejects.toEqual(refusal('record_unavailable'))
    const two = opened(await place(resource('r1')), here, await place(resource('s1')))
    await expect(find(two, 'A1')).rejects.toEqual(refusal('patient_in_several'))
    expect(told).toEqual([[REGION, 'south']])
    const doubtful = resource('r1', { birthDate: '1938-03-15' })
    const another = opened(await place(doubtful), here, await place())
    await expect(find(another, 'A1')).rejects.toEqual(refusal('patient_mismatch'))
  })

  it.each([
    ['nothing', EMPTY],
    ['something else than the plan', { columns: COLUMNS, rows: [row('blood-pressure')] }],
  ])('open the plan where it is, though the own EHR holds %s', async (_, plan) => {
    const own = await holding('n1', plan)
    const tenants = opened(await place(resource('r1')), own, await holding('s1', EMPTY))
    const found = await find(tenants, 'A1')
    expect(found).toMatchObject({ fhirId: 'r1', insteadOf: 'north' })
    expect(found.tenant).toBeUndefined()
    const other = opened(await holding('r1', EMPTY), await place(), await place(resource('s1')))
    expect(await find(other, 'C1')).toMatchObject({ tenant: 'south', insteadOf: REGION })
  })

  it('let an EHR without a plan count only when no record has one: first the own', async () => {
    const own = await holding('n1', EMPTY)
    const bare = opened(await place(resource('r1', UNPLANNED)), own, await holding('s1', EMPTY))
    const found = await find(bare, 'A1')
    expect(found).toMatchObject({ fhirId: 'n1', tenant: 'north', ehrId: ehr.ehr_id.value })
    expect(found).not.toHaveProperty('insteadOf')
    // Somebody without an EHR here is not sent to another's empty one.
    const none = await place(resource('n1', UNPLANNED))
    const empty = opened(await place(), none, await holding('s1', EMPTY))
    expect(await find(empty, 'A1')).toMatchObject({ fhirId: 'n1', tenant: 'north' })
  })

  it.each([
    ['down', 503, 'record_unavailable'],
    ['silent', 'hang', 'record_unavailable'],
    ['without the plan’s query', 404, 'upstream_invalid'],
    ['answering garbage', { rows: [] }, 'upstream_invalid'],
    ['answering with text', '{"columns": [', 'upstream_invalid'],
    [
      'answering for another EHR',
      { columns: COLUMNS, rows: [row(SECTION, 'e2')] },
      'upstream_invalid',
    ],
  ])('say "could not load", never "no plan", while another is %s', async (_, plan, code) => {
    const other = await holding('s1', plan)
    const tenants = opened(await place(), await holding('n1', EMPTY), other)
    await expect(find(tenants, 'A1')).rejects.toEqual(refusal(code))
    // Nor may the own be taken for empty where it does not answer, though a plan lies elsewhere.
    const own = opened(await place(resource('r1')), await holding('n1', plan), await place())
    await expect(find(own, 'A1')).rejects.toEqual(refusal(code))
  })

  it('ask nobody else about a plan that is in the own record', async () => {
    const others = [await holding('r1', PLANNED), await place('ill')] as const
    const tenants = opened(others[0], await place(resource('n1')), others[1])
    const found = await find(tenants, 'A1')
    expect(found).toMatchObject({ tenant: 'north' })
    expect(found).not.toHaveProperty('knownIn')
    expect(others.map(({ asked }) => asked.length)).toEqual([0, 0])
  })

  it('open the own plan where it was begun while the others were asked, and say so', async () => {
    const own = await holding('n1', EMPTY, PLANNED)
    const tenants = opened(await place(resource('r1')), own, await place())
    const found = await find(tenants, 'A1')
    expect(found).toMatchObject({ tenant: 'north', alsoIn: [REGION] })
    expect(told).toEqual([['north', REGION]])
    expect(found).not.toHaveProperty('insteadOf')
  })

  it('do not stand in for one that knows the number twice', async () => {
    const twice = await place(resource('r1'), resource('r2'))
    const tenants = opened(twice, await place(resource('n1')), await place())
    await expect(find(tenants, 'C1')).rejects.toEqual(refusal('patient_unknown'))
  })

  it('answer for their own patients, and for nobody once they are not configured', async () => {
    const tenants = opened(await place(), await place(), await place())
    expect(tenants.of('north')).not.toBe(tenants.of(undefined))
    expect(() => tenants.of('east')).toThrow(refusal('record_unavailable'))
  })
})

describe('what several records say of one person', () => {
  const own = { fhirId: 'n1', tenant: 'north' }
  const other = { fhirId: 's1', tenant: 'south' }
  const main = { fhirId: 'r1' }

  it('holds whoever said it: the own, where the plan lies elsewhere', async () => {
    const here = await place(resource('n1', { ...UNPLANNED, ...SENSITIVE }))
    const more = await holding(resource('s1', DEAD), EMPTY)
    const found = await find(opened(await place(resource('r1')), here, more), 'A1')
    expect(found).toMatchObject({ ...main, insteadOf: 'north', sensitive: true, deceased: true })
    expect(found.knownIn).toEqual([own, other])
  })

  it('holds whoever said it: another, where the own counts', async () => {
    const here = await holding('n1', EMPTY)
    const more = await place(resource('s1', { ...UNPLANNED, ...DEAD }))
    const found = await find(opened(await place(), here, more), 'A1')
    expect(found).toMatchObject({ ...own, sensitive: false, deceased: true, knownIn: [other] })
    const begun = await holding('n1', EMPTY, PLANNED)
    const secret = await place(resource('r1', SENSITIVE))
    const both = await find(opened(secret, begun, await place()), 'A1')
    expect(both).toMatchObject({ ...own, alsoIn: [REGION], sensitive: true, knownIn: [main] })
  })

  it('holds whoever said it: one without a plan, where the own does not know them', async () => {
    const empty = await holding(resource('s1', SENSITIVE), EMPTY)
    const tenants = opened(await place(), await place(resource('n1')), empty)
    const found = await find(tenants, 'C1')
    expect(found).toMatchObject({ ...own, sensitive: true, deceased: false, knownIn: [other] })
  })

  const neither = { sensitive: false, deceased: false }
  /** As the three say it when they are asked again. */
  const said = async (north: Place, south: Place, last = neither) =>
    opened(await place(resource('r1')), north, south).patientFlags([main, own, other], last)

  it('holds when they are asked again, and no longer than one of them says it', async () => {
    const [north, south] = [await place(resource('n1')), await place(resource('s1'))]
    const last = { sensitive: true, deceased: true }
    expect(await said(north, south, last)).toEqual(neither)
    const secret = await place(resource('n1', SENSITIVE))
    expect(await said(secret, south)).toEqual({ sensitive: true, deceased: false })
    const both = await said(secret, await place(resource('s1', DEAD)))
    expect(both).toEqual({ sensitive: true, deceased: true })
  })

  it('holds as it was while one of them cannot be asked, with what others say beside it', async () => {
    const [ill, dead] = [await place('ill'), await place(resource('s1', DEAD))]
    expect(await said(ill, dead)).toEqual({ sensitive: false, deceased: true })
    const last = { sensitive: true, deceased: false }
    expect(await said(ill, dead, last)).toEqual({ sensitive: true, deceased: true })
    expect(await said(ill, await place(resource('s1')), last)).toEqual(last)
  })

  it('is for a new launch to find where one of them has it under another id, or not any more', async () => {
    const [well, gone] = [await place(resource('n1')), await place(resource('s2'))]
    const replaced = await place(resource('s1', { active: false }))
    await expect(said(well, replaced)).rejects.toEqual(refusal('patient_unknown'))
    await expect(said(well, gone)).rejects.toEqual(refusal('upstream_invalid'))
    await expect(said(await place('ill'), gone)).rejects.toEqual(refusal('upstream_invalid'))
  })

  it('is not to be had of a record that is not configured any more, nor without it', async () => {
    const north = await place(resource('n1'))
    const tenants = opened(await place(resource('r1')), north, await place())
    const east = { fhirId: 'e1', tenant: 'east' }
    const asked = tenants.patientFlags([main, own, east], neither)
    await expect(asked).rejects.toEqual(refusal('record_unavailable'))
    expect(north.asked).toEqual([])
  })
})
