import { afterEach, describe, expect, it } from '@jest/globals'
import type { BirthDate, NhsNumber } from '../../src/core/context.js'
import { openTenants, type Tenants } from '../../src/record/tenants.js'
import { close, date, listen } from '../proxy/world.js'

const NAMESPACE = 'https://fhir.nhs.uk/Id/nhs-number'
const PEGGY = '9990000018' as NhsNumber
const BORN = '1938-03-14'
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
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

/** A place's two servers, which know these patients, or are not well. */
async function place(...patients: readonly object[] | readonly ['ill']) {
  const asked: string[] = []
  const { server, origin } = await listen((req, res) => {
    asked.push(req.url ?? '')
    const ill = patients[0] === 'ill'
    const entry = patients.map((each) => ({ resource: each, search: { mode: 'match' } }))
    const isEhr = req.url?.startsWith('/openehr/ehr')
    const none = isEhr && patients.every((each) => Object.hasOwn(Object(each), 'unplanned'))
    res.writeHead(ill ? 503 : none ? 404 : 200, { 'content-type': 'application/json' })
    const absent = { message: 'no EHR of this subject', code: 404 }
    const body = isEhr
      ? none
        ? absent
        : ehr
      : { resourceType: 'Bundle', type: 'searchset', entry }
    res.end(
      JSON.stringify(
        req.url?.includes('definition')
          ? [{ name: 'care-plan::sections', type: 'AQL', q: 'SELECT c' }]
          : body,
      ),
    )
  })
  ends.push(() => close(server))
  return {
    asked,
    settings: {
      clock: Date.now,
      fhir: { base: `${origin}/fhir` },
      openehr: {
        base: `${origin}/openehr`,
        subjectNamespace: NAMESPACE,
        ifMatch: 'quoted' as const,
      },
    },
  }
}
type Place = Awaited<ReturnType<typeof place>>

/** The region's record, and those of two tenants: one by an organisation's code, one by its region. */
function opened(region: Place, north: Place, south: Place): Tenants {
  const tenants = openTenants(
    region.settings,
    [
      { name: 'north', organizations: ['A1'], regions: [], ...north.settings },
      { name: 'south', organizations: [], regions: ['coast'], ...south.settings },
    ],
    (code) => (code === 'B1' ? 'coast' : undefined),
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
    const two = opened(await place(), await place(resource('n1')), await place(resource('s1')))
    await expect(find(two, 'C1')).rejects.toEqual(refusal('patient_unknown'))
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
    await expect(find(two, 'A1')).rejects.toEqual(refusal('patient_unknown'))
    const doubtful = resource('r1', { birthDate: '1938-03-15' })
    const another = opened(await place(doubtful), here, await place())
    await expect(find(another, 'A1')).rejects.toEqual(refusal('patient_mismatch'))
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
