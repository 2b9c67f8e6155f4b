import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import {
  accessOf,
  FORM,
  IN_CONTEXT,
  ISSUER,
  isWrite,
  NOW,
  openWorld,
  PEGGY,
  patient,
  type World,
} from './world.js'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.end())

const BASE = '/openehr/v1'
const EHR = `${BASE}/ehr/${PEGGY.ehrId}`
const QUERY = `${BASE}/query/care-plan::sections`
const get = (path: string) => request(world.app).get(path)

type Row = [string, string, Record<string, unknown>]
const rowsOf = async (): Promise<Row[]> =>
  (await get(`${QUERY}?ehr_id=${PEGGY.ehrId}`).expect(200)).body.rows
const sectionOf = async (section: string) => {
  const row = (await rowsOf()).find(([template]) => template === `care-plan::${section}.v1`)
  if (row === undefined) throw new Error(`no ${section}`)
  world.upstream.length = 0
  world.entries.length = 0
  return { uid: row[1], object: row[1].split('::')[0] ?? '', composition: row[2] }
}
const put = (object: string, version: string | undefined, body: object) => {
  const call = request(world.app).put(`${EHR}/composition/${object}`).set(IN_CONTEXT)
  if (version !== undefined) call.set('If-Match', `"${version}"`)
  return call.set('Prefer', 'return=representation').send(body)
}

describe('/openehr/v1, the plan by its stored query', () => {
  it('gives a role that may read everything every section, in the columns that were agreed', async () => {
    const { body } = await get(`${QUERY}?ehr_id=${PEGGY.ehrId}`).expect(200)
    expect(body.columns.map(({ name }: { name: string }) => name)).toEqual([
      'template',
      'uid',
      'composition',
    ])
    const own = FORM.filter(({ pathway }) => pathway === 'universal')
    expect(body.rows.map(([template]: Row) => template)).toEqual(own.map((each) => each.template))
    expect(JSON.stringify(body)).not.toContain(world.origin)
  })

  it('leaves out the sections that the policies of today hide, and says so in the trail', async () => {
    world.allowed = ({ resource }) => ['contacts', 'communication'].includes(resource.id)
    const rows = await rowsOf()
    expect(rows.map(([template]) => template)).toEqual([
      'care-plan::contacts.v1',
      'care-plan::communication.v1',
    ])
    expect(world.entries[0]?.detail).toMatchObject({
      interaction: 'query',
      released: ['care-plan::contacts.v1', 'care-plan::communication.v1'],
    })
    expect(world.entries[0]?.detail?.withheld).toContain('care-plan::resuscitation.v1')
  })

  it('says that something was left out, and not what: nothing shown is not "none"', async () => {
    world.allowed = ({ resource }) => resource.id !== 'resuscitation'
    const some = await get(QUERY).expect(200)
    expect(some.body.__withheld).toBe(true)
    expect(some.text).not.toContain('resuscitation')

    world.allowed = () => false
    const none = await get(QUERY).expect(200)
    expect(none.body).toMatchObject({ rows: [], __withheld: true })

    world.allowed = () => true
    expect((await get(QUERY).expect(200)).body).not.toHaveProperty('__withheld')
    // An EHR without a plan: there is nothing, and nothing is held back.
    const david = patient('9990000085')
    world.access = accessOf({ of: david })
    world.allowed = () => false
    const empty = await get(QUERY).expect(200)
    expect(empty.body.rows).toEqual([])
    expect(empty.body).not.toHaveProperty('__withheld')
  })

  it('leaves out the sections that the token’s scopes do not name', async () => {
    world.access = accessOf({
      scope:
        'patient/aql-care-plan::sections.rs patient/composition-care-plan::contacts.v1.r patient/composition-care-plan::medication.v1.u',
    })
    expect((await rowsOf()).map(([template]) => template)).toEqual(['care-plan::contacts.v1'])
  })

  it('needs the scope of the query itself', async () => {
    world.access = accessOf({ scope: 'patient/composition-care-plan::*.crus' })
    expect((await get(QUERY)).status).toBe(403)
    expect(world.upstream).toEqual([])
  })

  it('binds the query to the EHR of the token when none is named', async () => {
    await get(QUERY).expect(200)
    expect(world.upstream).toMatchObject([
      {
        method: 'POST',
        url: '/record/openehr/v1/query/care-plan::sections',
        body: JSON.stringify({ query_parameters: { ehr_id: PEGGY.ehrId } }),
      },
    ])
  })

  it('accepts the EHR id in capitals and the query’s name percent-encoded, and forwards its own', async () => {
    await get(`${BASE}/query/care-plan%3A%3Asections?ehr_id=${PEGGY.ehrId.toUpperCase()}`).expect(
      200,
    )
    expect(JSON.parse(world.upstream[0]?.body ?? '')).toEqual({
      query_parameters: { ehr_id: PEGGY.ehrId },
    })
  })

  it('answers as absent to a token without an EHR', async () => {
    world.access = accessOf({ of: patient('9990000026') })
    expect((await get(QUERY)).status).toBe(404)
  })
})

describe('/openehr/v1, one composition', () => {
  it('is read by object id and by version, with its version as ETag', async () => {
    const { uid, object, composition } = await sectionOf('resuscitation')
    for (const id of [uid, object]) {
      const answer = await get(`${EHR}/composition/${id}`).expect(200)
      expect(answer.body).toEqual(composition)
      expect(answer.headers.etag).toBe(`"${uid}"`)
      expect(answer.headers.location).toBe(`${ISSUER}${EHR}/composition/${uid}`)
      expect(answer.headers['cache-control']).toBe('no-store')
    }
    expect(world.entries[0]).toMatchObject({
      what: 'access_allowed',
      policy: { version: 7, policies: ['allow-by-test'] },
      detail: { interaction: 'composition_read', template: 'care-plan::resuscitation.v1', uid },
    })
  })

  it('is answered as absent when the role may not see its section', async () => {
    const { uid, object } = await sectionOf('prognosis')
    world.allowed = ({ resource }) => resource.id !== 'prognosis'
    const hidden = await get(`${EHR}/composition/${uid}`)
    const absent = await get(`${EHR}/composition/${uid.replace(/^.{8}/, '00000000')}`)
    expect([hidden.status, absent.status]).toEqual([404, 404])
    expect({ ...hidden.body, reference: '' }).toEqual({ ...absent.body, reference: '' })
    const history = await get(`${EHR}/versioned_composition/${object}/revision_history`)
    expect(history.status).toBe(404)
  })

  it('shows who changed it when, to those who may read it', async () => {
    const { object, uid } = await sectionOf('resuscitation')
    const { body } = await get(`${EHR}/versioned_composition/${object}/revision_history`).expect(
      200,
    )
    expect(body.items.at(-1).version_id.value).toBe(uid)
    expect(body.items.at(-1).audits[0].committer.name).toContain('Helen Marsh')
  })
})

describe('/openehr/v1, the context of a write', () => {
  const written = () => world.upstream.filter(isWrite)
  const putFrom = async (headers: Record<string, string>) => {
    const { uid, object, composition } = await sectionOf('what-matters')
    const call = request(world.app).put(`${EHR}/composition/${object}`)
    return call.set({ 'If-Match': `"${uid}"`, ...headers }).send(composition)
  }

  it('is said by the page that writes, and is the token’s own', async () => {
    const none = await putFrom({})
    expect([none.status, none.body.error]).toEqual([400, 'invalid_request'])
    for (const other of ['ctx_other', 'lch_test', '', 'ctx_test, ctx_test']) {
      const { status, body } = await putFrom({ 'Launch-Context': other })
      expect([status, body.error]).toEqual([409, 'context_other'])
    }
    expect(written()).toEqual([])
    expect((await putFrom(IN_CONTEXT)).status).toBe(204)
  })

  it('is over once the chart has gone on to another patient; reading goes on', async () => {
    world.chart = { launch: 'lch_zzz', patient: PEGGY.nhsNumber, from: 'lch_test' }
    expect((await putFrom(IN_CONTEXT)).status).toBe(204)
    world.chart = { launch: 'lch_zzz', patient: 'another', from: 'lch_zzz' }
    const { status, body } = await putFrom(IN_CONTEXT)
    expect([status, body.error]).toEqual([409, 'context_superseded'])
    expect(body.error_description).toContain('nothing more can be saved')
    expect(written()).toEqual([])
    expect(world.entries.at(-1)).toMatchObject({ refusal: 'context_superseded' })
    await get(QUERY).expect(200)
  })
})

describe('/openehr/v1, writing a section', () => {
  it('keeps a new version, committed by the person of the token', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    const answer = await put(object, uid, composition)
      .set('openehr-audit-details', 'committer.name="Somebody Else"')
      .expect(200)
    expect(answer.headers.etag).toBe(`"${object}::record.northbank.example::2"`)
    expect(answer.body.uid.value).toBe(`${object}::record.northbank.example::2`)
    const write = world.upstream.find(({ method }) => method === 'PUT')
    expect(write?.headers['openehr-audit-details']).toBe(
      'change_type.code_string="251",committer.name="Dr Stanislawa  Stasia  Okafor",' +
        'committer.external_ref.id="555254239101",' +
        'committer.external_ref.namespace="https://fhir.nhs.uk/Id/sds-user-id",' +
        'committer.external_ref.type="PERSON"',
    )
    expect(write?.headers['if-match']).toBe(`"${uid}"`)
    expect(world.entries).toEqual([
      expect.objectContaining({
        what: 'access_allowed',
        detail: { interaction: 'composition_update', template: 'care-plan::what-matters.v1', uid },
      }),
    ])
  })

  it('is signed with the person of the token and the time of the gateway, whatever the client says', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    const forged = {
      ...composition,
      composer: { _type: 'PARTY_IDENTIFIED', name: 'Dr Helen Marsh' },
      context: {
        ...(composition.context as object),
        start_time: { _type: 'DV_DATE_TIME', value: '2019-01-01T00:00:00Z' },
      },
    }
    const { body } = await put(object, uid, forged).expect(200)
    expect(body.composer).toMatchObject({
      name: 'Dr Stanisława "Stasia" Okafor',
      external_ref: { id: { value: '555254239101' } },
    })
    expect(body.context.start_time.value).toBe(new Date(NOW).toISOString())
    expect(body.context.setting).toEqual((composition.context as { setting: object }).setting)
  })

  it('answers without a body unless one is preferred', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    const answer = await request(world.app)
      .put(`${EHR}/composition/${object}`)
      .set(IN_CONTEXT)
      .set('If-Match', `"${uid}"`)
      .send(composition)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers.etag).toContain('::2')
  })

  it('requires the version that was read', async () => {
    const { object, composition, uid } = await sectionOf('what-matters')
    expect((await put(object, undefined, composition)).status).toBe(400)
    const any = request(world.app)
      .put(`${EHR}/composition/${object}`)
      .set({ ...IN_CONTEXT, 'If-Match': '*' })
    expect((await any.send(composition)).status).toBe(400)
    const other = (await sectionOf('contacts')).uid
    expect((await put(object, other, composition)).status).toBe(400)
    expect((await put(object, `${uid}0`, composition)).status).toBe(412)
  })

  it('refuses a write over a version that somebody else made since, and names that version', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    await put(object, uid, composition).expect(200)
    const stale = await put(object, uid, composition)
    expect(stale.status).toBe(412)
    expect(stale.headers.etag).toBe(`"${object}::record.northbank.example::2"`)
    expect(world.entries.at(-1)).toMatchObject({ what: 'access_refused', refusal: 'version_stale' })
  })

  it('lets exactly one of several writers of the same version win', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => put(object, uid, composition)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412])
  })

  it('refuses a section that the role may only read', async () => {
    const { uid, object, composition } = await sectionOf('resuscitation')
    world.allowed = ({ action, resource }) => action === 'read' || resource.id !== 'resuscitation'
    expect((await put(object, uid, composition)).status).toBe(403)
    expect(world.upstream).toEqual([])
    expect(world.entries).toEqual([expect.objectContaining({ refusal: 'policy_denied' })])
  })

  it('writes nothing while the rules in force are not known, and goes on reading', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    world.policy.state.mayIssue = false
    expect((await put(object, uid, composition)).status).toBe(503)
    await get(`${EHR}/composition/${uid}`).expect(200)
  })

  it('writes nothing when the trail cannot be written', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    world.trailFails = true
    expect((await put(object, uid, composition)).status).toBe(500)
    expect(world.upstream.filter(({ method }) => method === 'PUT')).toEqual([])
  })

  it('creates a section that was not there, once', async () => {
    const {
      composition: { uid: _uid, ...composition },
    } = await sectionOf('what-matters')
    const david = patient('9990000085')
    world.access = accessOf({ of: david })
    const post = () =>
      request(world.app)
        .post(`${BASE}/ehr/${david.ehrId}/composition`)
        .set(IN_CONTEXT)
        .set('Prefer', 'return=representation')
        .send(composition)
    const created = await post()
    expect(created.status).toBe(201)
    expect(created.headers.location).toBe(
      `${ISSUER}${BASE}/ehr/${david.ehrId}/composition/${created.body.uid.value}`,
    )
    expect((await post()).status).toBe(412)
  })

  it('passes on that the record did not accept a composition', async () => {
    const { uid, object, composition } = await sectionOf('what-matters')
    const answer = await put(object, uid, { ...composition, content: [] })
    expect(answer.status).toBe(422)
    expect(world.entries.map(({ what }) => what)).toEqual(['access_allowed', 'access_refused'])
  })
})

describe('/openehr/v1, a value that says that it came from the GP record', () => {
  const PROBLEM = { resourceType: 'Condition', id: 'p1', code: { text: 'Heart failure' } }
  const from = { system: 'gp-push', name: 'Fernleigh', organization: 'A83001', at: NOW }
  const brought = { from, resources: [PROBLEM] }
  const claim = { originating_system_item_ids: [{ id: 'Condition/p1' }] }
  const launch = { feeder_system_audit: { version_id: 'lch_of-the-app' } }
  const element = (value: string, feeder_audit: unknown = { ...claim, ...launch }) => ({
    ...{ _type: 'ELEMENT', name: { _type: 'DV_TEXT', value: 'Main diagnoses' } },
    ...{ archetype_node_id: 'at0002', value: { _type: 'DV_TEXT', value }, feeder_audit },
  })
  type Body = { content: { data: { items: Record<string, unknown>[] } }[] }
  const withItems = (composition: object, ...items: readonly object[]) => {
    const body = structuredClone(composition) as Body
    body.content[0]?.data.items.splice(0, 0, ...(items as Record<string, unknown>[]))
    return body
  }
  const itemOf = (body: Body) => body.content[0]?.data.items[0]
  const written = () => world.upstream.filter(isWrite)

  it('is kept where this launch brought it, in the gateway’s own words, and counted in the trail', async () => {
    world.handover = brought
    const { uid, object, composition } = await sectionOf('prognosis')
    const answer = await put(object, uid, withItems(composition, element('Heart failure')))
    expect(answer.status).toBe(200)
    expect(itemOf(answer.body)?.feeder_audit).toMatchObject({
      originating_system_item_ids: [{ issuer: 'Fernleigh', assigner: 'A83001' }],
      originating_system_audit: {
        system_id: 'gp-push',
        time: { value: new Date(NOW).toISOString() },
      },
      feeder_system_audit: { system_id: 'gateway.example', version_id: 'lch_test' },
    })
    expect(world.entries.at(-1)?.detail).toMatchObject({ adopted: 1 })

    // Somebody else, whose launch brought nothing, saves the section again: it stays.
    world.handover = undefined
    const { uid: next, composition: now } = await sectionOf('prognosis')
    const again = await put(object, next, withItems(now))
    expect(again.status).toBe(200)
    expect(itemOf(again.body)).toEqual(itemOf(answer.body))
    expect(world.entries.at(-1)?.detail).not.toHaveProperty('adopted')

    // Its value changed, it says nothing of the GP record any more.
    const { uid: last, composition: then } = await sectionOf('prognosis')
    const forged = structuredClone(then) as unknown as Body
    Object.assign(itemOf(forged) ?? {}, { value: { _type: 'DV_TEXT', value: 'No illness' } })
    const refused = await put(object, last, forged)
    expect([refused.status, refused.body.error]).toEqual([422, 'invalid_request'])
  })

  it.each([
    ['brought nothing', undefined],
    ['brought another', { from, resources: [{ ...PROBLEM, id: 'p2' }] }],
    ['said something else', { from, resources: [{ ...PROBLEM, code: { text: 'Asthma' } }] }],
  ])('is refused where the launch %s, and nothing is written', async (_, handover) => {
    world.handover = handover
    const { uid, object, composition } = await sectionOf('prognosis')
    const answer = await put(object, uid, withItems(composition, element('Heart failure')))
    expect(answer.status).toBe(422)
    expect(answer.body.error_description).toContain('did not come with this launch')
    expect(written()).toEqual([])
    expect(world.entries.at(-1)).toMatchObject({ refusal: 'provenance_unproven' })
  })

  it('is refused where scope or policies do not let the caller read the item', async () => {
    world.handover = brought
    const { uid, object, composition } = await sectionOf('prognosis')
    const body = withItems(composition, element('Heart failure'))
    world.allowed = ({ resource }) => resource.id !== 'Condition'
    expect((await put(object, uid, body)).status).toBe(422)
    world.allowed = () => true
    world.access = accessOf({ scope: 'patient/composition-care-plan::*.crus' })
    expect((await put(object, uid, body)).status).toBe(422)
    expect(written()).toEqual([])
  })

  describe('of an earlier launch, whose changes its user goes on with', () => {
    const TEMPLATE = 'care-plan::prognosis.v1'
    const UNSAVED = `${EHR}/unsaved/${TEMPLATE}`
    const ADDED = { field: 'diagnoses', item: 'Condition/p1', text: 'Heart failure' }
    const typed = { values: { diagnoses: ADDED.text }, typed: '2026-11-23T11:59:58Z' }
    const keep = (adopted: readonly object[] = [ADDED], headers: object = IN_CONTEXT) =>
      request(world.app)
        .put(UNSAVED)
        .set(headers as Record<string, string>)
        .send({ ...typed, adopted })
    const LATER = { 'launch-context': 'ctx_later' }
    /** The same person's later launch, which brought nothing. */
    const relaunched = (more: object = {}) => {
      const access = accessOf()
      const grant = { ...access.grant, launch: 'lch_later', signOn: 'sgn_later', ...more }
      world.access = { ...access, grant: grant as typeof access.grant }
      world.handover = undefined
    }
    const audit = (version_id = 'lch_test', id = ADDED.item) => ({
      originating_system_item_ids: [{ id }],
      feeder_system_audit: { version_id },
    })
    const save = async (item: object) => {
      const { uid, object, composition } = await sectionOf('prognosis')
      const call = request(world.app).put(`${EHR}/composition/${object}`).set(LATER)
      const headers = { 'If-Match': `"${uid}"`, Prefer: 'return=representation' }
      return call.set(headers).send(withItems(composition, item))
    }
    beforeEach(async () => {
      world.handover = brought
      await keep().expect(200)
      relaunched()
    })

    it('is kept with the launch that brought it, which the gateway saw', async () => {
      const { body } = await get(UNSAVED).expect(200)
      expect(body.witnessed).toMatchObject([{ ...ADDED, launch: 'lch_test', from }])
      const answer = await save(element(ADDED.text, audit()))
      expect(answer.status).toBe(200)
      expect(itemOf(answer.body)?.feeder_audit).toMatchObject({
        originating_system_audit: { system_id: 'gp-push' },
        feeder_system_audit: { system_id: 'gateway.example', version_id: 'lch_test' },
      })
    })

    it('stays known while it is kept again, for as long as it is among what was taken over', async () => {
      const { headers } = await get(UNSAVED)
      const again = { ...LATER, 'If-Match': headers.etag }
      await keep([ADDED], again).expect(200)
      expect((await get(UNSAVED)).body.witnessed).toMatchObject([{ launch: 'lch_test' }])
      await keep([], LATER).expect(200)
      await keep([ADDED], LATER).expect(200)
      expect((await get(UNSAVED)).body).not.toHaveProperty('witnessed')
      expect((await save(element(ADDED.text, audit()))).status).toBe(422)
    })

    // biome-ignore format: a table
    it.each<[string, object]>([
      ['other words',              element('No illness', audit())],
      ['another item',             element(ADDED.text, audit('lch_test', 'Condition/p2'))],
      ['another launch',           element(ADDED.text, audit('lch_other'))],
      ['the launch that it is in', element(ADDED.text, audit('lch_later'))],
      ['another field',            { ...element(ADDED.text, audit()), archetype_node_id: 'at0004' }],
      ['that it is not known',     { ...element(ADDED.text, audit()), null_flavour: { value: 'unknown' } }],
    ])('is refused where it says %s', async (_, item) => {
      expect((await save(item)).status).toBe(422)
      expect(written()).toEqual([])
      expect(world.entries.at(-1)).toMatchObject({ refusal: 'provenance_unproven' })
    })

    it.each([
      ['a colleague', { person: '555254239107' }],
      ['another app', { client: 'other-app' }],
    ])('is nothing to %s', async (_, grant) => {
      relaunched(grant)
      expect((await save(element(ADDED.text, audit()))).status).toBe(422)
    })

    it('is nothing once it was discarded, nor to a role that may not read such data now', async () => {
      world.allowed = ({ resource }) => resource.id !== 'Condition'
      expect((await get(UNSAVED)).body).not.toHaveProperty('witnessed')
      expect((await save(element(ADDED.text, audit()))).status).toBe(422)
      world.allowed = () => true
      await request(world.app).delete(UNSAVED).set(LATER).expect(204)
      expect((await save(element(ADDED.text, audit()))).status).toBe(422)
      expect(written()).toEqual([])
    })

    it('is never seen where its launch did not bring it, or not in these words', async () => {
      await request(world.app).delete(UNSAVED).set(LATER).expect(204)
      world.access = accessOf()
      world.handover = brought
      const forged = [
        { ...ADDED, text: 'No illness' },
        { ...ADDED, item: 'Condition/p2' },
        { ...ADDED, field: 'aware' },
      ]
      await keep([...forged, ADDED]).expect(200)
      expect((await get(UNSAVED)).body.witnessed).toMatchObject([ADDED])
    })
  })

  it('is judged in a contribution too, and in a section that is begun', async () => {
    const { uid, composition } = await sectionOf('prognosis')
    const { uid: _uid, ...fresh } = withItems(composition, element('Heart failure')) as Body & {
      uid?: unknown
    }
    const type = (code: string) => ({ change_type: { defining_code: { code_string: code } } })
    const contribute = () =>
      request(world.app)
        .post(`${EHR}/contribution`)
        .set(IN_CONTEXT)
        .send({
          versions: [
            { commit_audit: type('251'), preceding_version_uid: { value: uid }, data: fresh },
          ],
          audit: {},
        })
    const begin = () => {
      const david = patient('9990000085')
      world.access = accessOf({ of: david })
      const path = `${BASE}/ehr/${david.ehrId}/composition`
      return request(world.app).post(path).set(IN_CONTEXT).send(fresh)
    }
    expect((await contribute()).status).toBe(422)
    expect((await begin()).status).toBe(422)
    expect(written()).toEqual([])
    world.handover = brought
    world.access = accessOf()
    expect((await contribute()).status).toBe(201)
    expect(written().at(-1)?.body).toContain('"version_id":"lch_test"')
    expect((await begin()).status).toBe(201)
  })
})
