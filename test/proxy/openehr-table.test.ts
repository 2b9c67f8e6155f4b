/** What the table offers beside single compositions: the EHR, versions, deletions, contributions, the directory, templates. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { releaseVersioned } from '../../src/core/version.js'
import { give, looseRecord, section } from './loose-record.js'
import {
  accessOf,
  FORM,
  IN_CONTEXT,
  ISSUER,
  isWrite,
  MEDICINES,
  openWorld,
  PEGGY,
  patient,
  WINSTON,
  type World,
} from './world.js'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.end())

const BASE = '/openehr/v1'
const EHR = `${BASE}/ehr/${PEGGY.ehrId}`
const ALL = 'patient/composition-care-plan::*.cruds patient/aql-care-plan::sections.rs'
const get = (path: string) => request(world.app).get(path)
type Composition = Record<string, unknown>
type Row = [string, string, Composition]

const sectionOf = async (id: string) => {
  const { body } = await get(`${BASE}/query/care-plan::sections`).expect(200)
  const row = (body.rows as Row[]).find(([template]) => template === `care-plan::${id}.v1`)
  if (row === undefined) throw new Error(`no ${id}`)
  world.upstream.length = 0
  world.entries.length = 0
  const { uid: _uid, ...fresh } = row[2]
  return { template: row[0], uid: row[1], object: row[1].split('::')[0] ?? '', fresh }
}
const hide = (...ids: string[]) => {
  world.allowed = ({ resource }) => !ids.includes(resource.id)
}
const refusalOf = () => world.entries.at(-1)?.refusal
const next = (uid: string, by = 1) => uid.replace(/\d+$/, (number) => String(Number(number) + by))
const put = async (id: string) => {
  const { uid, object, fresh } = await sectionOf(id)
  const call = request(world.app).put(`${EHR}/composition/${object}`).set(IN_CONTEXT)
  await call.set('If-Match', `"${uid}"`).send(fresh).expect(204)
}

describe('the EHR', () => {
  it('says that it is there and whose, and nothing of what is in it', async () => {
    const { body, headers } = await get(EHR).expect(200)
    expect(Object.keys(body)).toEqual([
      ...['_type', 'system_id', 'ehr_id', 'time_created', 'ehr_status'],
    ])
    expect(headers.etag).toBe(`"${PEGGY.ehrId}"`)
    const status = await get(`${EHR}/ehr_status`).expect(200)
    expect(status.body).toEqual(body.ehr_status)
    expect(status.body.subject.external_ref.id.value).toBe(PEGGY.nhsNumber)
    const uid = status.body.uid.value
    await get(`${EHR}/ehr_status/${uid}`).expect(200)
    expect((await get(`${EHR}/ehr_status/${next(uid)}`)).status).toBe(404)
    expect(world.entries.map(({ detail }) => detail?.interaction)).toContain('ehr_read')
  })

  it('is not there for who may read none of its sections, nor by anybody’s number', async () => {
    expect((await get(`${BASE}/ehr?subject_id=${PEGGY.nhsNumber}`)).status).toBe(403)
    hide(...FORM.map(({ id }) => id))
    expect((await get(EHR)).status).toBe(404)
    expect((await get(`${EHR}/ehr_status`)).status).toBe(404)
  })

  it.each([
    ['another patient’s', { id: { value: WINSTON.nhsNumber } }],
    ['one under another namespace', { namespace: 'local' }],
  ])('is not believed when it is %s', async (_, change) => {
    const external_ref = {
      ...{ id: { value: PEGGY.nhsNumber }, type: 'PERSON' },
      ...{ namespace: 'https://fhir.nhs.uk/Id/nhs-number', ...change },
    }
    const ehr_status = { is_queryable: true, is_modifiable: true, subject: { external_ref } }
    const at = { value: '2024-01-08T09:00:00Z' }
    const bad = await openWorld((req, res) =>
      give(
        res,
        200,
        req.url?.endsWith('/ehr_status')
          ? ehr_status
          : { ehr_id: { value: PEGGY.ehrId }, system_id: at, time_created: at, ehr_status },
      ),
    )
    for (const path of [EHR, `${EHR}/ehr_status`])
      expect((await request(bad.app).get(path)).status).toBe(502)
    await bad.end()
  })
})

describe('versions of a section', () => {
  it('are read by their uid and at a time, each with who made it', async () => {
    await put('what-matters')
    const { uid, object } = await sectionOf('what-matters')
    const versions = `${EHR}/versioned_composition/${object}`
    const object_ = (await get(versions).expect(200)).body
    expect(object_).toMatchObject({
      ...{ _type: 'VERSIONED_COMPOSITION', uid: { value: object } },
      owner_id: { id: { value: PEGGY.ehrId } },
    })
    const last = await get(`${versions}/version`).expect(200)
    expect(last.body).toMatchObject({
      ...{ uid: { value: uid }, preceding_version_uid: { value: next(uid, -1) } },
      commit_audit: { committer: { name: 'Dr Stanislawa  Stasia  Okafor' } },
      data: { uid: { value: uid } },
    })
    expect(last.headers.etag).toBe(`"${uid}"`)
    const first = await get(`${versions}/version/${next(uid, -1)}`).expect(200)
    const then = await get(`${versions}/version?version_at_time=2026-11-22T00:00:00Z`).expect(200)
    expect(then.body).toEqual(first.body)
    const same = await get(`${EHR}/composition/${object}?version_at_time=2026-11-22T00:00:00Z`)
    expect(same.body.uid.value).toBe(next(uid, -1))
    expect((await get(`${versions}/version?version_at_time=2001-01-01T00:00:00Z`)).status).toBe(404)
  })

  it('are not there for a role that may not read the section', async () => {
    const { uid, object } = await sectionOf('prognosis')
    hide('prognosis')
    for (const path of ['', '/version', `/version/${uid}`, '/revision_history'])
      expect((await get(`${EHR}/versioned_composition/${object}${path}`)).status).toBe(404)
  })

  it('are judged by the template that the version itself names', async () => {
    const [ours, other] = ['contacts', 'prognosis'].map((id) => `care-plan::${id}.v1`)
    const OBJECT = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
    const record = looseRecord(section(PEGGY.ehrId, 'contacts', OBJECT))
    const old = (template: string | undefined) => ({
      uid: { value: `${OBJECT}::sys::1` },
      data: { _type: 'COMPOSITION', archetype_details: { template_id: { value: template } } },
    })
    let told: object = old(other)
    const bad = await openWorld((req, res) =>
      req.url?.includes('/version') && req.method === 'GET'
        ? give(res, 200, told)
        : record.listener(req, res),
    )
    bad.allowed = ({ resource }) => resource.id !== 'prognosis'
    const ask = () =>
      request(bad.app).get(`${EHR}/versioned_composition/${OBJECT}/version/${OBJECT}::sys::1`)
    expect((await ask()).status).toBe(404)
    told = old(ours)
    expect((await ask()).status).toBe(200)
    told = { uid: { value: `${OBJECT}::sys::1` }, item: old(ours) }
    expect((await ask()).status).toBe(200)
    for (const wrong of [
      { ...old(ours), uid: { value: `${OBJECT}::sys::2` } },
      { ...old(ours), data: { ...old(ours).data, uid: { value: `6${OBJECT.slice(1)}::sys::1` } } },
      { ...old(ours), data: { _type: 'FOLDER' } },
      { ...old(other), item: old(ours) },
      { uid: { value: `${OBJECT}::sys::1` }, item: { ...old(ours), item: old(other) } },
      { uid: 1 },
    ]) {
      told = wrong
      expect((await ask()).status).toBe(502)
    }
    await bad.end()
  })
})

describe('an object', () => {
  it('is not believed when it says that it is another EHR’s, or another than was asked for', () => {
    const [object, other] = ['5f0c2a1e', '6f0c2a1e'].map(
      (id) => `${id}-7d43-4b8e-9a16-3c5d8e2f7a01`,
    )
    const of = (ehr: string, uid = object) => ({
      ...{ uid: { value: uid }, owner_id: { id: { value: ehr } }, time_created: { value: 'x' } },
    })
    const released = (body: object) => () => releaseVersioned(body, object ?? '', PEGGY.ehrId)
    expect(released(of(PEGGY.ehrId))()).toMatchObject({ uid: { value: object } })
    for (const wrong of [of(WINSTON.ehrId), of(PEGGY.ehrId, other)])
      expect(released(wrong)).toThrow(expect.objectContaining({ code: 'upstream_invalid' }))
  })
})

describe('deleting a section', () => {
  const del = (uid: string) =>
    request(world.app).delete(`${EHR}/composition/${uid}`).set(IN_CONTEXT)

  it('needs d in the scope and in today’s policies, then makes a version that says so', async () => {
    const { uid, object, template } = await sectionOf('what-matters')
    expect((await del(uid)).status).toBe(403)
    world.access = accessOf({ scope: ALL })
    world.allowed = ({ action }) => action !== 'delete'
    expect((await del(uid)).status).toBe(403)
    expect(world.upstream.filter(isWrite)).toEqual([])

    world.allowed = () => true
    const deleted = await del(uid)
    expect(world.told.at(-1)).toMatchObject({
      writings: [{ does: 'delete', what: { template }, previous: uid }],
      came: [{ version: next(uid) }],
    })
    expect([deleted.status, deleted.text, deleted.headers.etag]).toEqual([
      204,
      '',
      `"${next(uid)}"`,
    ])
    expect(world.upstream.find(isWrite)?.headers['openehr-audit-details']).toContain(
      'change_type.code_string="523"',
    )
    const detail = { interaction: 'composition_delete', template, uid }
    expect(world.entries.at(-1)).toMatchObject({ what: 'access_allowed', detail })
    expect((await get(`${EHR}/composition/${object}`)).status).toBe(404)
    expect((await del(uid)).status).toBe(404)
  })

  it('names the version that was read, and no other than the last', async () => {
    world.access = accessOf({ scope: ALL })
    await put('what-matters')
    const { uid } = await sectionOf('what-matters')
    const stale = await del(next(uid, -1))
    expect([stale.status, stale.headers.etag]).toEqual([409, `"${uid}"`])
    hide('what-matters')
    expect((await del(uid)).status).toBe(404)
    expect(world.upstream.filter(isWrite)).toEqual([])
  })

  it('of which the record does not say what became is of unknown outcome', async () => {
    const OBJECT = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
    const record = looseRecord(section(PEGGY.ehrId, 'contacts', OBJECT))
    const bad = await openWorld((req, res) =>
      req.method === 'DELETE' ? res.destroy() : record.listener(req, res),
    )
    bad.access = accessOf({ scope: ALL })
    const call = request(bad.app).delete(`${EHR}/composition/${OBJECT}::sys::1`).set(IN_CONTEXT)
    expect((await call).body.error_description).toContain('It is not known whether')
    await bad.end()
  })
})

describe('a contribution', () => {
  const type = (code: string) => ({
    change_type: { value: 'x', defining_code: { code_string: code } },
  })
  const forged = { committer: { _type: 'PARTY_IDENTIFIED', name: 'Dr Helen Marsh' } }
  const change = (code: string, data?: object, previous?: string) => ({
    _type: 'ORIGINAL_VERSION',
    commit_audit: { ...type(code), ...forged, system_id: 'elsewhere' },
    ...(previous === undefined ? {} : { preceding_version_uid: { value: previous } }),
    ...(data === undefined ? {} : { data }),
  })
  const contribute = (versions: readonly object[], more: object = {}) =>
    request(world.app)
      .post(`${EHR}/contribution`)
      .set({ ...IN_CONTEXT, Prefer: 'return=representation' })
      .send({ versions, audit: { ...type('249'), ...forged }, ...more })
  const nothingWritten = () => expect(world.upstream.filter(isWrite)).toEqual([])

  it('changes several sections at once, signed throughout with the token’s person', async () => {
    const [one, two] = [await sectionOf('what-matters'), await sectionOf('contacts')]
    const made = await contribute([
      change('251', one.fresh, one.uid),
      change('250', two.fresh, two.uid),
    ])
    expect(made.status).toBe(201)
    const versions = made.body.versions.map(({ id }: { id: { value: string } }) => id.value)
    expect(versions).toEqual([next(one.uid), next(two.uid)])
    expect(world.told.at(-1)).toMatchObject({
      writings: [
        { does: 'update', what: { template: 'care-plan::what-matters.v1' }, previous: one.uid },
        { does: 'update', what: { template: 'care-plan::contacts.v1' }, previous: two.uid },
      ],
      came: [
        { version: next(one.uid), content: {} },
        { version: next(two.uid), content: {} },
      ],
    })
    expect(made.headers.location).toBe(`${ISSUER}${EHR}/contribution/${made.body.uid.value}`)
    const sent = JSON.parse(world.upstream.find(isWrite)?.body ?? '')
    expect(JSON.stringify(sent)).not.toMatch(/Helen Marsh|elsewhere/)
    for (const audit of [
      sent.audit,
      ...sent.versions.map((each: Composition) => each.commit_audit),
    ])
      expect(audit).toMatchObject({
        committer: { external_ref: { id: { value: '555254239101' } } },
        system_id: 'record.northbank.example',
      })
    expect(sent.versions[0].data.composer.name).toContain('Okafor')
    expect(world.entries).toMatchObject([
      {
        what: 'access_allowed',
        detail: {
          interaction: 'contribution_create',
          changes: [`u ${one.template}`, `u ${two.template}`],
          uids: [one.uid, two.uid],
        },
      },
    ])
    const again = await get(`${EHR}/contribution/${made.body.uid.value}`).expect(200)
    expect(again.body.versions).toHaveLength(2)
    expect(again.body.versions).toEqual(expect.arrayContaining(made.body.versions))
    hide('contacts')
    const some = await get(`${EHR}/contribution/${made.body.uid.value}`).expect(200)
    expect(some.body.versions).toHaveLength(1)
    hide('contacts', 'what-matters')
    expect((await get(`${EHR}/contribution/${made.body.uid.value}`)).status).toBe(404)
  })

  it('says in the writer’s words for all of it nothing of a section that is not shown', async () => {
    const OBJECT = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
    const hidden = `6${OBJECT.slice(1)}`
    const record = looseRecord(
      section(PEGGY.ehrId, 'contacts', OBJECT),
      section(PEGGY.ehrId, 'prognosis', hidden),
    )
    const words = { description: { value: 'days, not weeks' } }
    const given = {
      uid: { value: OBJECT },
      versions: [OBJECT, hidden].map((object) => ({ id: { value: `${object}::sys::1` } })),
      audit: { ...type('251'), ...forged, ...words },
    }
    const other = await openWorld((req, res) =>
      req.url?.includes('/contribution/') ? give(res, 200, given) : record.listener(req, res),
    )
    const ask = () => request(other.app).get(`${EHR}/contribution/${OBJECT}`).expect(200)
    expect((await ask()).body.audit).toMatchObject(words)
    other.allowed = ({ resource }) => resource.id !== 'prognosis'
    expect((await ask()).body.audit).toEqual({ ...type('251'), ...forged })
    await other.end()
  })

  it('creates and deletes where scope and policies have the letters', async () => {
    const david = patient('9990000085')
    const { fresh } = await sectionOf('what-matters')
    world.access = accessOf({ of: david, scope: ALL })
    const add = () =>
      request(world.app)
        .post(`${BASE}/ehr/${david.ehrId}/contribution`)
        .set(IN_CONTEXT)
        .send({ versions: [change('249', fresh)], audit: {} })
    expect((await add()).status).toBe(201)
    expect((await add()).status).toBe(412)
    const { body } = await get(`${BASE}/query/care-plan::sections`).expect(200)
    const [, uid] = body.rows[0] as Row
    world.allowed = ({ action }) => action !== 'delete'
    const del = () =>
      request(world.app)
        .post(`${BASE}/ehr/${david.ehrId}/contribution`)
        .set(IN_CONTEXT)
        .send({ versions: [change('523', undefined, uid)], audit: {} })
    expect((await del()).status).toBe(403)
    world.allowed = () => true
    expect((await del()).status).toBe(201)
    expect((await get(`${BASE}/query/care-plan::sections`)).body.rows).toEqual([])
  })

  it('is refused whole when one of its versions is', async () => {
    const one = await sectionOf('what-matters')
    const two = await sectionOf('contacts')
    const good = change('251', one.fresh, one.uid)
    world.allowed = ({ action, resource }) => action === 'read' || resource.id !== 'contacts'
    expect((await contribute([good, change('251', two.fresh, two.uid)])).status).toBe(403)
    expect(refusalOf()).toBe('policy_denied')
    hide('contacts')
    expect((await contribute([good, change('251', two.fresh, two.uid)])).status).toBe(404)
    world.allowed = () => true
    const theirs = one.uid.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    for (const [versions, status] of [
      [[good, change('251', two.fresh, theirs)], 404],
      [[good, change('251', one.fresh, two.uid)], 400],
      [[good, change('251', two.fresh, next(two.uid))], 412],
      [[good, change('249', two.fresh)], 412],
      [[good, good], 400],
      [[good, change('251', two.fresh)], 400],
      [[good, change('249', two.fresh, two.uid)], 400],
      [[good, change('249', { ...two.fresh, uid: { value: two.uid } })], 400],
      [[good, change('523', two.fresh, two.uid)], 400],
      [[good, change('253', two.fresh, two.uid)], 400],
      [[good, change('666', two.fresh, two.uid)], 400],
      [[good, change('251', { _type: 'EHR_STATUS' }, two.uid)], 400],
      [[good, change('249', { _type: 'FOLDER' })], 400],
      [[], 400],
      [Array(21).fill(good), 400],
    ] as const)
      expect([(await contribute(versions)).status, versions.length]).toEqual([
        status,
        versions.length,
      ])
    expect((await contribute([good], { uid: { value: one.object } })).status).toBe(400)
    nothingWritten()
  })

  it('is believed only when the record shows what was sent, and all of it', async () => {
    const OBJECT = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
    const UID = '7f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a09'
    const record = looseRecord(section(PEGGY.ehrId, 'contacts', OBJECT))
    let told: readonly string[] = []
    let named = UID
    const bad = await openWorld((req, res) =>
      req.url?.endsWith('/contribution')
        ? give(res, 201, {
            uid: { value: named },
            versions: told.map((value) => ({ id: { value } })),
          })
        : record.listener(req, res),
    )
    const { body } = section(PEGGY.ehrId, 'contacts', OBJECT)
    const send = () =>
      request(bad.app)
        .post(`${EHR}/contribution`)
        .set(IN_CONTEXT)
        .send({ versions: [change('251', body, `${OBJECT}::sys::1`)], audit: {} })
    for (const wrong of [
      [],
      [`${OBJECT}::sys::1`],
      [`6${OBJECT.slice(1)}::sys::2`],
      [`${OBJECT}::sys::2`, `6${OBJECT.slice(1)}::sys::2`],
    ]) {
      told = wrong
      expect((await send()).body.error_description).toContain('It is not known whether')
    }
    told = [`${OBJECT}::sys::2`]
    for (const wrong of ['x"\r\nset-cookie: a=b', `${UID}/../x`, '']) {
      named = wrong
      expect((await send()).body.error_description).toContain('It is not known whether')
    }
    named = UID
    const done = await send()
    expect([done.status, done.headers.etag]).toEqual([201, `"${UID}"`])
    await bad.end()
  })
})

describe('the directory', () => {
  it('shows folders as far as they hold something that the role may read', async () => {
    const { body } = await get(`${EHR}/directory`).expect(200)
    const names = (folders: { name: { value: string } }[]) => folders.map(({ name }) => name.value)
    expect(names(body.folders)).toEqual(['What the person says', 'What clinicians recommend'])
    hide(...FORM.filter(({ author }) => author === 'clinician').map(({ id }) => id))
    const some = await get(`${EHR}/directory/${body.uid.value}`).expect(200)
    expect(names(some.body.folders)).toEqual(['What the person says'])
    hide(...FORM.map(({ id }) => id))
    expect((await get(`${EHR}/directory`)).status).toBe(404)
  })

  it('is not written: an app that sees part of it would remove the rest', async () => {
    for (const method of ['post', 'put', 'delete'] as const)
      expect((await request(world.app)[method](`${EHR}/directory`).set(IN_CONTEXT)).status).toBe(
        403,
      )
  })

  it('of another patient holds nothing that is this one’s, and so is not there', async () => {
    const record = looseRecord(
      section(PEGGY.ehrId, 'contacts', '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'),
    )
    const bad = await openWorld((req, res) =>
      req.url?.endsWith('/directory')
        ? give(res, 200, {
            ...{ _type: 'FOLDER', name: { value: 'Campbell' } },
            uid: { value: '6f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a02::sys::1' },
            items: [{ id: { value: '6f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a02' } }],
          })
        : record.listener(req, res),
    )
    const answer = await request(bad.app).get(`${EHR}/directory`)
    expect(answer.status).toBe(404)
    expect(answer.text).not.toContain('Campbell')
    await bad.end()
  })
})

describe('template definitions', () => {
  const PATH = `${BASE}/definition/template/adl1.4`
  it('are those of sections that the role may work with', async () => {
    world.access = accessOf({
      scope:
        'patient/composition-care-plan::contacts.v1.r patient/composition-care-plan::medication.v1.c',
    })
    const { body } = await get(PATH).expect(200)
    expect(body.map(({ template_id }: { template_id: string }) => template_id).toSorted()).toEqual([
      'care-plan::contacts.v1',
      'care-plan::medication.v1',
    ])
    await get(`${PATH}/care-plan::contacts.v1`).expect(200)
    expect((await get(`${PATH}/care-plan::prognosis.v1`)).status).toBe(404)
    hide('contacts')
    expect((await get(`${PATH}/care-plan::contacts.v1`)).status).toBe(404)
  })

  it('are not believed under another name', async () => {
    const bad = await openWorld((_req, res) => give(res, 200, { templateId: 'other' }))
    const answer = await request(bad.app).get(`${PATH}/care-plan::contacts.v1`)
    await bad.end()
    expect(answer.status).toBe(502)
  })
})

describe('a stored query of the configuration', () => {
  const QUERY = `${BASE}/query/${MEDICINES.name}`
  const scope = `patient/aql-${MEDICINES.name}.s patient/composition-care-plan::medication.v1.r`
  const rows = [
    ['care-plan::medication.v1', PEGGY.ehrId, 'Morphine', '2026-01-01'],
    ['care-plan::prognosis.v1', PEGGY.ehrId, 'Hidden', '2026-01-02'],
  ]
  const names = ['template', 'ehr', 'drug', 'since']
  const behind = async (
    told: readonly unknown[][],
    columns: readonly string[] = names,
    meta?: object,
  ) => {
    await world.end()
    world = await openWorld((_req, res) =>
      give(res, 200, {
        ...{ q: 'x', columns: columns.map((name) => ({ name })), rows: told },
        ...(meta === undefined ? {} : { meta }),
      }),
    )
    world.access = accessOf({ scope })
  }

  it('is run for the token’s EHR with its registered parameters, and its rows are judged', async () => {
    await behind(rows)
    const { body } = await get(`${QUERY}/1.2.0?since=2026-01-01&fetch=10`).expect(200)
    expect(body).toMatchObject({ rows: [['Morphine', '2026-01-01']], __withheld: true })
    expect(body.columns.map(({ name }: { name: string }) => name)).toEqual(['drug', 'since'])
    expect(world.upstream[0]?.url).toBe(`/record/openehr/v1/query/${MEDICINES.name}/1.2.0`)
    expect(JSON.parse(world.upstream[0]?.body ?? '')).toEqual({
      ...{ query_parameters: { since: '2026-01-01', ehr_id: PEGGY.ehrId }, fetch: 10 },
    })
    const post = request(world.app).post(QUERY)
    await post.send({ query_parameters: { drug: 'morphine' }, offset: 5 }).expect(200)
    expect(JSON.parse(world.upstream[1]?.body ?? '')).toEqual({
      ...{ query_parameters: { drug: 'morphine', ehr_id: PEGGY.ehrId }, offset: 5 },
    })
  })

  it('may have a limit in its own words', async () => {
    await behind(rows, names, { fetch: rows.length })
    expect((await get(QUERY).expect(200)).body.rows).toHaveLength(1)
  })

  it.each([
    ['a row of another EHR', [['care-plan::medication.v1', WINSTON.ehrId, 'x', 'y']], names],
    ['a row without an EHR', [['care-plan::medication.v1', null, 'x', 'y']], names],
    ['a row without a template', [[null, PEGGY.ehrId, 'x', 'y']], names],
    ['a longer row', [[...(rows[0] ?? []), 'z']], names],
    ['no column that proves', [['x', 'y', 'z']], names.slice(1)],
    [
      'a composition of another template',
      [
        [
          ...['care-plan::medication.v1', PEGGY.ehrId, 'x'],
          section(PEGGY.ehrId, 'prognosis', '').body,
        ],
      ],
      names,
    ],
  ])('gives nothing when it is answered with %s', async (_, told, columns) => {
    await behind(told, columns)
    expect((await get(QUERY)).status).toBe(502)
  })

  it('takes no other parameter, no other type, and no other EHR', async () => {
    await behind(rows)
    for (const [words, status] of [
      ['since=yesterday', 400],
      ["drug=a'%20OR%20'a'='a", 400],
      ['other=1', 400],
      ['q=SELECT', 400],
      [`ehr_id=${WINSTON.ehrId}`, 404],
      ['ehr_id=*', 400],
    ] as const)
      expect([words, (await get(`${QUERY}?${words}`)).status]).toEqual([words, status])
    for (const body of [
      { q: 'SELECT e FROM EHR e' },
      { query_parameters: { ehr_id: WINSTON.ehrId } },
      { query_parameters: { since: ['2026-01-01'] } },
      { query_parameters: { ehr_id: PEGGY.ehrId }, ehr_id: WINSTON.ehrId },
      [],
    ])
      expect([400, 404]).toContain((await request(world.app).post(QUERY).send(body)).status)
    expect((await get(`${QUERY}/1.2.1`)).status).toBe(403)
    expect(world.upstream).toEqual([])
  })
})

describe('a record that reads If-Match without quotes, as EHRbase 2 does', () => {
  it('is sent it so when it is configured so', async () => {
    const bare = await openWorld(undefined, 5_000, 'bare')
    bare.access = accessOf()
    const { body } = await request(bare.app).get(`${BASE}/query/care-plan::sections`).expect(200)
    const [, uid, composition] = body.rows[0] as Row
    await request(bare.app)
      .put(`${EHR}/composition/${uid.split('::')[0]}`)
      .set({ ...IN_CONTEXT, 'If-Match': `"${uid}"` })
      .send(composition)
    expect(bare.upstream.find(isWrite)?.headers['if-match']).toBe(uid)
    await bare.end()
  })
})
