import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import request from 'supertest'
import { FHIR_TYPES, type FhirType, searchOf } from '../../src/core/fhir-types.js'
import { readNhsNumber } from '../../src/core/nhs-number.js'
import { checkComposition } from '../../src/demo/composition.js'
import { PATIENTS } from '../../src/demo/patients.js'
import { checkPlans, type DemoPlan, readPlans } from '../../src/demo/plans.js'
import { createRecord } from '../../src/demo/record.js'
import { SEARCHES } from '../../src/demo/record-fhir-search.js'
import { openPlan } from '../../src/policy/plan-files.js'

const form = openPlan('config/plan/sections.yaml').sections
const plans = readPlans(readFileSync('config/demo/plans.yaml', 'utf8'))
const people = [
  { name: 'Dr Amara Okafor', uid: '555254239101', ods: 'A83001', org: 'Fernbank Surgery' },
]
const START = Date.parse('2026-11-23T12:00:00Z')
const directory = mkdtempSync(join(tmpdir(), 'record-'))
afterAll(() => rmSync(directory, { recursive: true }))

const open = (dataDir?: string, now = START) => {
  const app = express()
  const parts = { patients: PATIENTS, plans, form, people, credential: 'key', clock: () => now }
  app.use('/record', createRecord({ ...parts, ...(dataDir === undefined ? {} : { dataDir }) }))
  return app
}
const app = open()
const get = (path: string, on = app) =>
  request(on).get(`/record${path}`).set('Authorization', 'Bearer key')

const peggy = PATIENTS.find((patient) => patient.nhsNumber === '9990000018')
const ehrId = peggy?.ehrId ?? ''
const sectionsOf = async (on = app) =>
  (await get(`/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`, on)).body.rows as [
    string,
    string,
    Record<string, unknown>,
    string,
  ][]
const resuscitation = async (on = app) => {
  const row = (await sectionsOf(on)).find(([template]) => template.includes('resuscitation'))
  if (row === undefined) throw new Error('no resuscitation section')
  const [, uid, composition] = row
  return { uid, object: uid.split('::')[0] ?? '', composition }
}

describe('the demonstration patients', () => {
  it('have NHS numbers of the never-issued 999 range with right check digits, each its own', () => {
    for (const { nhsNumber } of PATIENTS) {
      expect(nhsNumber).toMatch(/^999/)
      expect(readNhsNumber(nhsNumber)).toBe(nhsNumber)
    }
    expect(new Set(PATIENTS.map((patient) => patient.nhsNumber)).size).toBe(PATIENTS.length)
    expect(new Set(PATIENTS.map((patient) => patient.fhirId)).size).toBe(PATIENTS.length)
  })

  it('have a plan in the record exactly where they are said to have one', () => {
    const withPlan = PATIENTS.filter((patient) => patient.plan).map((each) => each.nhsNumber)
    expect(plans.map((plan) => plan.patient).toSorted()).toEqual(withPlan.toSorted())
  })

  it('have plans that fit the form, and a plan that does not is found out', () => {
    expect(() => checkPlans(plans, form, PATIENTS)).not.toThrow()
    const on = { by: 'Dr Test', on: -1 }
    const plan = (sections: DemoPlan['sections']) => [{ patient: '9990000018', sections }]
    expect(() => checkPlans(plan({ other: { ...on, values: {} } }), form, PATIENTS)).toThrow(
      'section other',
    )
    const values = { colour: 'red' }
    expect(() => checkPlans(plan({ personal: { ...on, values } }), form, PATIENTS)).toThrow(
      'field colour',
    )
    const stray = plan({}).map((each) => ({ ...each, patient: '9990000026' }))
    expect(() => checkPlans(stray, form, PATIENTS)).toThrow('without an EHR')
  })

  it('include one for whom resuscitation is to be attempted', () => {
    const decisions = plans.map((plan) => plan.sections.resuscitation?.values.decision)
    expect(decisions).toContain('attempt')
    expect(decisions).toContain('do-not-attempt')
  })
})

describe('the demonstration record', () => {
  it('answers nobody without its credential', async () => {
    for (const path of ['/fhir/metadata', '/fhir/Patient', `/openehr/v1/ehr/${ehrId}`]) {
      expect((await request(app).get(`/record${path}`)).status).toBe(401)
      const wrong = request(app).get(`/record${path}`).set('Authorization', 'Bearer other')
      expect((await wrong).status).toBe(401)
    }
  })

  it('finds a patient by NHS number, by address or by form', async () => {
    const identifier = 'https://fhir.nhs.uk/Id/nhs-number|9990000018'
    const byGet = await get(`/fhir/Patient?identifier=${encodeURIComponent(identifier)}`)
    const byForm = await request(app)
      .post('/record/fhir/Patient/_search')
      .set('Authorization', 'Bearer key')
      .type('form')
      .send({ identifier })
    expect(byGet.body.entry[0].resource).toMatchObject({ id: peggy?.fhirId, active: true })
    expect(byForm.body.entry).toHaveLength(1)
    expect(JSON.stringify(byForm.body.link ?? '')).not.toContain('9990000018')
  })

  it('marks the sensitive, the dead and the superseded as PDS does', async () => {
    const of = async (nhsNumber: string) => {
      const { fhirId } = PATIENTS.find((each) => each.nhsNumber === nhsNumber) ?? { fhirId: '' }
      return (await get(`/fhir/Patient/${fhirId}`)).body
    }
    const sensitive = await of('9990000034')
    expect(sensitive.meta.security[0].code).toBe('R')
    expect(sensitive).not.toHaveProperty('address')
    expect(sensitive).not.toHaveProperty('telecom')
    expect(await of('9990000042')).toHaveProperty('deceasedDateTime')
    expect(await of('9990000050')).toMatchObject({
      active: false,
      link: [{ type: 'replaced-by', other: { reference: `Patient/${peggy?.fhirId}` } }],
    })
  })

  it('has an active CarePlan for each patient with a plan and for no other', async () => {
    for (const patient of PATIENTS) {
      const found = await get(`/fhir/CarePlan?patient=${patient.fhirId}&status=active`)
      expect(found.body.total).toBe(patient.plan ? 1 : 0)
    }
  })

  it('knows every type and every parameter that the gateway lets through', () => {
    const how = ['_sort', '_count', '_offset', '_include']
    const missing = (Object.keys(FHIR_TYPES) as FhirType[]).flatMap((type) =>
      searchOf(type)
        .filter((name) => !how.includes(name) && SEARCHES[type]?.[name] === undefined)
        .map((name) => `${type} by ${name}`),
    )
    expect(missing).toEqual([])
  })

  it('sorts and brings along what is named', async () => {
    const about = `patient=${peggy?.fhirId}`
    const found = await get(`/fhir/Encounter?${about}&_include=Encounter:service-provider`)
    const modes = found.body.entry.map(({ search }: { search: { mode: string } }) => search.mode)
    expect(modes).toEqual(['match', 'include'])
    const dates = async (sort: string) =>
      (await get(`/fhir/Condition?${about}&_sort=${sort}`)).body.entry.map(
        ({ resource }: { resource: { onsetDateTime: string } }) => resource.onsetDateTime,
      )
    expect(await dates('-onset-date')).toEqual((await dates('onset-date')).toReversed())
    expect(await dates('onset-date')).toEqual((await dates('onset-date')).toSorted())
  })

  it('pages a search and refuses parameters that it does not know', async () => {
    const first = await get(`/fhir/Condition?patient=${peggy?.fhirId}&_count=3`)
    expect(first.body.entry).toHaveLength(3)
    const next = first.body.link.find((link: { relation: string }) => link.relation === 'next')
    const { pathname, search } = new URL(next.url)
    const second = await get(`${pathname.replace('/record', '')}${search}`)
    expect(second.body.entry).toHaveLength(1)
    expect((await get('/fhir/Patient?name=Ashworth')).status).toBe(400)
  })

  it('finds an EHR by subject, and none for a patient who has none', async () => {
    const namespace = encodeURIComponent('https://fhir.nhs.uk/Id/nhs-number')
    const of = (number: string) =>
      get(`/openehr/v1/ehr?subject_id=${number}&subject_namespace=${namespace}`)
    expect((await of('9990000018')).body.ehr_id.value).toBe(ehrId)
    expect((await of('9990000026')).status).toBe(404)
    expect((await of('9990000050')).status).toBe(404)
  })

  it('gives every section of a plan in the form that configuration describes', async () => {
    const rows = await sectionsOf()
    expect(rows.map(([template]) => template)).toEqual(
      form.filter(({ pathway }) => pathway === 'universal').map(({ template }) => template),
    )
    for (const [template, uid, composition] of rows) {
      expect(checkComposition(composition, form)).toEqual({ template })
      expect(composition).toMatchObject({ uid: { value: uid } })
    }
  })

  it('keeps a new version, who wrote it, and the one before it', async () => {
    const on = open()
    const { uid, object, composition } = await resuscitation(on)
    const put = await request(on)
      .put(`/record/openehr/v1/ehr/${ehrId}/composition/${object}`)
      .set('Authorization', 'Bearer key')
      .set('If-Match', `"${uid}"`)
      .set('Prefer', 'return=representation')
      .set('openehr-audit-details', 'committer.name="Dr \\"Test\\" Person"')
      .send({ ...composition, composer: { _type: 'PARTY_IDENTIFIED', name: 'Dr Test' } })
    expect(put.status).toBe(200)
    expect(put.headers.etag).toBe(`"${object}::record.northbank.example::3"`)
    const history = await get(
      `/openehr/v1/ehr/${ehrId}/versioned_composition/${object}/revision_history`,
      on,
    )
    expect(
      history.body.items.map((item: { audits: { committer: { name: string } }[] }) =>
        item.audits.map((audit) => audit.committer.name),
      ),
    ).toEqual([
      ['Dr Amara Okafor, GP'],
      ['Dr Helen Marsh, Consultant in palliative medicine'],
      ['Dr "Test" Person'],
    ])
    const first = await get(`/openehr/v1/ehr/${ehrId}/composition/${uid}`, on)
    expect(first.body.composer.name).toContain('Helen Marsh')
  })

  it('refuses a write without If-Match, and a stale one with the current version beside it', async () => {
    const { uid, object, composition } = await resuscitation()
    const put = () =>
      request(app)
        .put(`/record/openehr/v1/ehr/${ehrId}/composition/${object}`)
        .set('Authorization', 'Bearer key')
    expect((await put().send(composition)).status).toBe(400)
    const stale = await put().set('If-Match', uid.replace(/::2$/, '::9')).send(composition)
    expect(stale.status).toBe(412)
    expect(stale.headers.etag).toBe(`"${uid}"`)
  })

  it('refuses a composition that is not of the form, or a second one of a section', async () => {
    const post = (body: object) =>
      request(app)
        .post(`/record/openehr/v1/ehr/${ehrId}/composition`)
        .set('Authorization', 'Bearer key')
        .send(body)
    const { composition } = await resuscitation()
    expect((await post(composition)).status).toBe(409)
    expect((await post({ _type: 'COMPOSITION' })).status).toBe(422)
    expect((await post([])).status).toBe(422)
  })
})

describe('the demonstration record on disk', () => {
  it('survives a restart, and a last line that was cut short', async () => {
    const first = open(directory)
    const { uid, object, composition } = await resuscitation(first)
    await request(first)
      .put(`/record/openehr/v1/ehr/${ehrId}/composition/${object}`)
      .set('Authorization', 'Bearer key')
      .set('If-Match', `"${uid}"`)
      .send(composition)
      .expect(204)
    await appendFile(join(directory, 'record.jsonl'), '{"ehrId":"cut sho')
    const again = await resuscitation(open(directory))
    expect(again.uid).toBe(uid.replace(/::2$/, '::3'))
    expect(await resuscitation(open(directory))).toEqual(again)
  })

  it('keeps contributions and deletions, and what was there before them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'record-'))
    const first = open(folder)
    const rows = await sectionsOf(first)
    const version = ([, uid, composition]: (typeof rows)[number], code: string) => ({
      preceding_version_uid: { value: uid },
      commit_audit: {
        change_type: { defining_code: { code_string: code } },
        committer: { name: 'Dr Test' },
      },
      ...(code === '523' ? {} : { data: composition }),
    })
    const contribute = (versions: object[], on = first) =>
      request(on)
        .post(`/record/openehr/v1/ehr/${ehrId}/contribution`)
        .set({ Authorization: 'Bearer key', Prefer: 'return=representation' })
        .send({ versions })
    const [one, two] = rows
    if (one === undefined || two === undefined) throw new Error('no rows')
    const stale = { ...version(two, '251'), preceding_version_uid: { value: `${two[1]}9` } }
    // All or nothing.
    await contribute([version(one, '251'), stale]).expect(412)
    expect(await sectionsOf(first)).toEqual(rows)
    const { body } = await contribute([version(one, '251'), version(two, '523')]).expect(201)

    const again = open(folder)
    const uids = (await sectionsOf(again)).map(([, uid]) => uid)
    expect(uids).toHaveLength(rows.length - 1)
    const next = Number(/\d+$/.exec(one[1])?.[0]) + 1
    expect(uids).toContain(one[1].replace(/\d+$/, String(next)))
    const kept = await get(`/openehr/v1/ehr/${ehrId}/contribution/${body.uid.value}`, again)
    expect(kept.body).toEqual(body)
    const object = two[1].split('::')[0] ?? ''
    await get(`/openehr/v1/ehr/${ehrId}/composition/${object}`, again).expect(204)
    const at = `/openehr/v1/ehr/${ehrId}/versioned_composition/${object}/version`
    const deleted = (await get(at, again).expect(200)).body
    expect([deleted.lifecycle_state.value, 'data' in deleted]).toEqual(['deleted', false])
    expect((await get(`${at}/${two[1]}`, again)).body.data).toEqual(two[2])
    rmSync(folder, { recursive: true })
  })
})

/** A FHIR call that writes, as the gateway makes it. */
const send = (
  on: express.Express,
  method: 'post' | 'put' | 'delete',
  path: string,
  body?: object,
) =>
  request(on)
    [method](`/record/fhir${path}`)
    .set({ Authorization: 'Bearer key', 'Content-Type': 'application/fhir+json' })
    .send(body === undefined ? undefined : JSON.stringify(body))

describe('the demonstration record’s FHIR side on disk', () => {
  const DAY = 86_400_000
  const condition = `/Condition/${peggy?.fhirId}-condition-1`
  const flag = { resourceType: 'Flag', status: 'active', subject: { reference: 'Patient/p' } }
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'record-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('survives a restart: what was changed, made and deleted, with histories, tags and times', async () => {
    const first = open(folder)
    const { body: was, headers } = await get(`/fhir${condition}`, first)
    const put = await send(first, 'put', condition, { ...was, note: [{ text: 'Worse' }] })
      .set('If-Match', headers.etag ?? '')
      .expect(200)
    const made = await send(first, 'post', '/Flag', flag).expect(201)
    const allergy = `/AllergyIntolerance/${peggy?.fhirId}-allergy-1`
    await send(first, 'delete', allergy).expect(204)
    const histories = async (on: express.Express) =>
      Promise.all(
        [condition, `/Flag/${made.body.id}`, allergy].map(async (path) =>
          (await get(`/fhir${path}/_history`, on)).body.entry.map(
            // Each of the test's calls has a server of its own.
            ({ fullUrl: _url, ...entry }: Record<string, unknown>) => entry,
          ),
        ),
      )
    const before = await histories(first)
    expect(before.map((entries) => entries.length)).toEqual([2, 1, 2])

    const again = open(folder, START + 40 * DAY)
    expect(await histories(again)).toEqual(before)
    const read = await get(`/fhir${condition}`, again)
    expect([read.headers.etag, read.headers['last-modified'], read.body]).toEqual([
      put.headers.etag,
      put.headers['last-modified'],
      put.body,
    ])
    expect((await get(`/fhir${condition}/_history/1`, again)).body).toEqual(was)
    await get(`/fhir${allergy}`, again).expect(404)
    const stale = { ...was, note: [{ text: 'Too late' }] }
    await send(again, 'put', condition, stale).set('If-Match', 'W/"1"').expect(412)
    await send(again, 'put', condition, stale).set('If-Match', 'W/"2"').expect(200)
    expect((await get(`/fhir${condition}`, open(folder))).headers.etag).toBe('W/"3"')
  })

  it('tells what it was filled with in days from its first start, however often it is started', async () => {
    const look = async (on: express.Express) => [
      (await get(`/fhir/CarePlan?patient=${peggy?.fhirId}`, on)).body.entry[0].resource,
      (await sectionsOf(on)).map(([, , composition]) => composition),
    ]
    expect(await look(open(folder, START + 40 * DAY))).not.toEqual(await look(open()))
    expect(await look(open(folder, START + 80 * DAY))).toEqual(
      await look(open(folder, START + 40 * DAY)),
    )
  })

  it('keeps a transaction whole, or nothing of it', async () => {
    const transaction = (on: express.Express, last: object) =>
      send(on, 'post', '/', {
        ...{ resourceType: 'Bundle', type: 'transaction' },
        entry: [
          { fullUrl: 'urn:uuid:1', resource: flag, request: { method: 'POST', url: 'Flag' } },
          { request: { method: 'DELETE', url: condition.slice(1) } },
          { request: last },
        ],
      })
    const flags = async (on: express.Express) => (await get('/fhir/Flag', on)).body.total
    const first = open(folder)
    await transaction(first, { method: 'DELETE', url: 'Flag/none' }).expect(404)
    for (const on of [first, open(folder)]) {
      expect(await flags(on)).toBe(0)
      await get(`/fhir${condition}`, on).expect(200)
    }
    const allergy = `AllergyIntolerance/${peggy?.fhirId}-allergy-1`
    await transaction(first, { method: 'DELETE', url: allergy }).expect(200)
    const file = join(folder, 'record.jsonl')
    const whole = readFileSync(file)
    for (const on of [first, open(folder)]) {
      expect(await flags(on)).toBe(1)
      await get(`/fhir${condition}`, on).expect(404)
    }
    // The power fails in the middle of it.
    writeFileSync(file, whole.subarray(0, whole.length - 9))
    const cut = open(folder)
    expect(await flags(cut)).toBe(0)
    await get(`/fhir${condition}`, cut).expect(200)
  })

  it('says that it failed, and changes nothing, when the disk takes no more', async () => {
    const on = open(folder)
    const [{ body: was }, { uid, object, composition }] = [
      await get(`/fhir${condition}`, on),
      await resuscitation(on),
    ]
    const file = join(folder, 'record.jsonl')
    rmSync(file)
    mkdirSync(file)
    await send(on, 'put', condition, { ...was, note: [{ text: 'Worse' }] }).expect(500)
    const entry = [{ request: { method: 'DELETE', url: condition.slice(1) } }]
    await send(on, 'post', '/', { resourceType: 'Bundle', type: 'transaction', entry }).expect(500)
    expect((await get(`/fhir${condition}`, on)).body).toEqual(was)
    await request(on)
      .put(`/record/openehr/v1/ehr/${ehrId}/composition/${object}`)
      .set({ Authorization: 'Bearer key', 'If-Match': `"${uid}"` })
      .send(composition)
      .expect(500)
    expect(await resuscitation(on)).toEqual({ uid, object, composition })
    const broken = request(on).put(`/record/fhir${condition}`).set('Authorization', 'Bearer key')
    await broken.type('application/fhir+json').send('{').expect(400)
  })

  it('reads what an earlier release kept: a composition’s version on each line', async () => {
    const { object, composition } = await resuscitation()
    const { uid: _uid, ...rest } = composition
    const version = (number: number) => ({
      ...{ ehrId, objectId: object, number, composition: rest },
      template: 'care-plan::resuscitation.v1',
      ...{ committer: `Author ${number}`, at: '2026-01-02T03:04:05.000Z' },
    })
    const lines = [1, 2, 3, 4].map((number) => `${JSON.stringify(version(number))}\n`)
    writeFileSync(join(folder, 'record.jsonl'), lines.join(''))
    expect((await resuscitation(open(folder))).uid).toMatch(/::4$/)
    expect(await sectionsOf(open(folder))).toHaveLength((await sectionsOf()).length)
  })
})

describe('the demonstration’s stored query', () => {
  it('is defined where the gateway looks for it, and no other is', async () => {
    const { body } = await get('/openehr/v1/definition/query/care-plan::sections').expect(200)
    expect(body).toEqual([expect.objectContaining({ name: 'care-plan::sections', type: 'AQL' })])
    await get('/openehr/v1/definition/query/care-plan::other').expect(404)
  })
})
