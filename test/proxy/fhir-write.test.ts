/** Versions, scopes' queries, labels, writes and bundles at /fhir, over the demonstration's record. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import type { Question } from '../../src/core/decision.js'
import {
  accessOf,
  CREDENTIAL,
  IN_CONTEXT,
  ISSUER,
  isWrite,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from './world.js'

const ALL = 'patient/*.cruds'
const BASE = `${ISSUER}/fhir`
const me = PEGGY.fhirId
const other = WINSTON.fhirId
const LOINC = 'http://loinc.org'
type Json = Record<string, unknown>

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.end())
beforeEach(() => {
  world.access = accessOf({ scope: ALL })
  world.allowed = () => true
  world.trailFails = false
  world.policy.state.mayIssue = true
  world.entries.length = 0
  world.upstream.length = 0
  world.told.length = 0
})

/** Whatever a test writes: each write that reached the record was kept for the launch's outcome before. */
afterEach(() => {
  const reached = world.upstream.filter(isWrite)
  for (const at of reached.keys())
    expect(world.told.filter(({ after }) => after <= at).length).toBeGreaterThan(at)
})

const get = (path: string) => request(world.app).get(`/fhir${path}`)
const send = (
  method: 'post' | 'put' | 'patch' | 'delete',
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) => {
  const type = method === 'patch' ? 'application/json-patch+json' : 'application/fhir+json'
  const call = request(world.app)
    [method](`/fhir${path}`)
    .set({ ...IN_CONTEXT, 'content-type': type, ...headers })
  return body === undefined ? call : call.send(JSON.stringify(body))
}

it('a write, alone or in a bundle, comes from where the chart is (launch-context)', async () => {
  const other = { 'launch-context': 'ctx_other' }
  const body = { resourceType: 'Condition', subject: { reference: 'Patient/x' } }
  expect((await send('post', '/Condition', body, other)).status).toBe(409)
  const entry = [{ resource: body, request: { method: 'POST', url: 'Condition' } }]
  const transaction = { resourceType: 'Bundle', type: 'transaction', entry }
  expect((await send('post', '/', transaction, other)).status).toBe(409)
  expect(world.upstream).toEqual([])
  expect(world.entries.map(({ what }) => what)).not.toContain('access_allowed')
})

/** Straight to the record, past the gateway. */
const put = async (resource: Json): Promise<string> => {
  const answer = await request(world.origin)
    .post(`/record/fhir/${resource.resourceType}`)
    .set({ authorization: `Bearer ${CREDENTIAL}`, 'content-type': 'application/fhir+json' })
    .send(JSON.stringify(resource))
  world.upstream.length = 0
  return answer.body.id
}
const observation = (code: string, more: object = {}, patient = me): Json => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: LOINC, code }] },
  subject: { reference: `Patient/${patient}` },
  ...more,
})
const labelled = (code: string) => ({ meta: { security: [{ code }] } })
const written = () =>
  world.upstream.filter(({ method, url }) => method !== 'GET' && !url.includes('_search'))
const withoutReference = (text: string) => text.replaceAll(/ref_[\w-]+/g, '')
const entries = (answer: { body: { entry: { resource: Json }[] } }) =>
  answer.body.entry.map(({ resource }) => resource.id)

describe('versions', () => {
  it('are read one by one and as a history, each judged', async () => {
    const id = await put(observation('versions'))
    const first = await get(`/Observation/${id}`).expect(200)
    const next = observation('versions', { id, status: 'amended' })
    await send('put', `/Observation/${id}`, next, { 'if-match': first.headers.etag ?? '' }).expect(
      200,
    )
    const old = await get(`/Observation/${id}/_history/1`).expect(200)
    expect(old.body.status).toBe('final')
    const { body } = await get(`/Observation/${id}/_history`).expect(200)
    expect(body.entry.map(({ resource }: { resource: Json }) => resource.status)).toEqual([
      'amended',
      'final',
    ])
    expect(body.total).toBe(2)
    expect(JSON.stringify(body)).not.toContain(world.origin)
    expect(world.entries.at(-1)).toMatchObject({
      detail: { interaction: 'history', id, entries: 2 },
    })
  })

  it('are all closed when one of them may not be seen, as if there were none', async () => {
    const id = await put(observation('closed'))
    const next = observation('closed', { id, ...labelled('R') })
    await send('put', `/Observation/${id}`, next, { 'if-match': 'W/"1"' }).expect(200)
    for (const path of ['', '/_history', '/_history/1', '/_history/2']) {
      world.allowed = () => true
      await get(`/Observation/${id}${path}`).expect(200)
      world.allowed = ({ patient }) => !patient.sensitive
      const closed = await get(`/Observation/${id}${path}`).expect(404)
      const none = await get(`/Observation/nothing${path}`).expect(404)
      expect(withoutReference(closed.text)).toBe(withoutReference(none.text))
    }
  })
})

describe('a search by form', () => {
  it('is the same search, and keeps its values out of addresses behind us as well', async () => {
    const id = await put(observation('form'))
    const answer = await request(world.app)
      .post('/fhir/Observation/_search')
      .type('form')
      .send({ code: 'form' })
      .expect(200)
    expect(entries(answer)).toEqual([id])
    expect(world.upstream).toMatchObject([
      { method: 'POST', url: '/record/fhir/Observation/_search' },
    ])
  })

  it.each([
    ['another patient in the form', 404, '', { patient: other }],
    ['another in the address', 404, `?patient=${other}`, {}],
    ['both', 400, `?patient=${me}`, { patient: other }],
    ['an include in the form', 400, '', { _include: 'Observation:subject' }],
  ])('refuses %s', async (_what, status, query, form) => {
    await request(world.app)
      .post(`/fhir/Observation/_search${query}`)
      .type('form')
      .send(form)
      .expect(status)
    expect(world.upstream).toEqual([])
  })
})

describe('a scope with a query', () => {
  const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category'
  const kind = (code: string) => ({ category: [{ coding: [{ system: LAB, code }] }] })
  let [lab, vital] = ['', '']
  beforeAll(async () => {
    lab = await put(observation('scoped', kind('laboratory')))
    vital = await put(observation('scoped', kind('vital-signs')))
  })
  beforeEach(() => {
    world.access = accessOf({ scope: `patient/Observation.cruds?category=${LAB}|laboratory` })
  })

  it('finds what meets it, and counts nothing else', async () => {
    const answer = await get('/Observation?code=scoped').expect(200)
    expect(entries(answer)).toEqual([lab])
    expect(answer.body.total).toBe(1)
    expect(entries(await get('/Observation?code=scoped&category=vital-signs'))).toEqual([])
  })

  it('adds up with others, each with its own letters', async () => {
    world.access = accessOf({
      scope: `patient/Observation.rs?category=${LAB}|laboratory patient/Observation.s?category=vital-signs`,
    })
    expect(entries(await get('/Observation?code=scoped'))).toEqual([lab, vital])
    expect((await get(`/Observation/${lab}`)).status).toBe(200)
    expect((await get(`/Observation/${vital}`)).status).toBe(404)
  })

  it('is held to a read, a version and a history: what does not meet it is not there', async () => {
    for (const path of ['', '/_history/1', '/_history']) {
      await get(`/Observation/${lab}${path}`).expect(200)
      const closed = await get(`/Observation/${vital}${path}`).expect(404)
      const none = await get(`/Observation/nothing${path}`).expect(404)
      expect(withoutReference(closed.text)).toBe(withoutReference(none.text))
    }
  })

  it('is held to a write, before and after', async () => {
    await send('post', '/Observation', observation('new', kind('vital-signs'))).expect(403)
    await send('post', '/Observation', observation('new', kind('laboratory'))).expect(201)
    const moved = observation('scoped', { id: lab, ...kind('vital-signs') })
    await send('put', `/Observation/${lab}`, moved, { 'if-match': 'W/"1"' }).expect(403)
    const taken = observation('scoped', { id: vital, ...kind('laboratory') })
    await send('put', `/Observation/${vital}`, taken, { 'if-match': 'W/"1"' }).expect(404)
    const replace = { op: 'replace', path: '/category/0/coding/0/code', value: 'vital-signs' }
    await send('patch', `/Observation/${lab}`, [replace]).expect(403)
    await send('delete', `/Observation/${vital}`).expect(404)
    expect(written()).toHaveLength(1)
  })
})

describe('a labelled resource', () => {
  let [open, kept] = ['', '']
  beforeAll(async () => {
    open = await put(observation('labels'))
    kept = await put(observation('labels', labelled('HIV')))
  })
  const closed = ({ patient }: Question) => !patient.sensitive

  it('is judged as a sensitive patient’s record is: kept back, it is not there', async () => {
    world.allowed = closed
    const answer = await get('/Observation?code=labels').expect(200)
    expect(entries(answer)).toEqual([open])
    expect(answer.body.total).toBe(1)
    const withheld = await get(`/Observation/${kept}`).expect(404)
    expect(withoutReference(withheld.text)).toBe(
      withoutReference((await get('/Observation/nothing').expect(404)).text),
    )
    world.allowed = () => true
    expect(entries(await get('/Observation?code=labels'))).toEqual([open, kept])
  })

  it('leaves a search that cannot be told from one without it', async () => {
    world.allowed = closed
    const { text } = await get('/Observation?code=labels').expect(200)
    const alone = await get(`/Observation?code=labels&_id=${open}`).expect(200)
    const parts = (body: string) => ({ ...JSON.parse(body), link: [] })
    expect(parts(text)).toEqual(parts(alone.text))
    expect(JSON.parse(text).meta.security[0].code).toBe('REDACTED')
    world.allowed = () => true
    expect((await get('/Observation?code=labels')).body).not.toHaveProperty('meta')
  })

  it('leaves pages that cannot be told from those without it', async () => {
    const label = labelled('R')
    const put5 = [label, {}, label, label, {}].map((more) => () => put(observation('paged', more)))
    const ids: string[] = []
    for (const one of put5) ids.push(await one())
    await put(observation('paged-apart', label))
    await put(observation('paged-apart', label))
    world.allowed = closed
    /** Every page of a search, as ids, by its own links. */
    const walk = async (query: string) => {
      const pages: (readonly unknown[])[] = []
      for (let path = `/Observation?${query}`; path !== ''; ) {
        const { body }: { body: { entry: { resource: Json }[]; link: Json[] } } =
          await get(path).expect(200)
        expect(body).not.toHaveProperty('total')
        pages.push(entries({ body }))
        const rest = body.link.filter(({ relation }) => relation !== 'self')
        expect(rest.every(({ relation }) => relation === 'next')).toBe(true)
        path = String(rest[0]?.url ?? '').slice(BASE.length)
      }
      return pages
    }
    expect(await walk('code=paged&_count=1')).toEqual([[ids[1]], [ids[4]]])
    expect(await walk('code=paged&_count=1&_offset=1')).toEqual([[ids[4]]])
    expect(await walk('code=paged&_count=2')).toEqual([[ids[1], ids[4]]])
    for (const code of ['paged-apart', 'nothing'])
      expect(await walk(`code=${code}&_count=1`)).toEqual([[]])
    world.allowed = () => true
    expect((await walk('code=paged&_count=2')).map(({ length }) => length)).toEqual([2, 2, 1])
    // Nor by what a scope's query does not reach, where the client asks in its place.
    world.access = accessOf({ scope: 'patient/Observation.rs?code=paged' })
    expect(await walk('code=paged-apart&_count=1')).toEqual([[]])
  })

  it('keeps its label through a write, and is written only by who may see it', async () => {
    const bare = observation('labels', { id: kept })
    const version = { 'if-match': 'W/"1"' }
    await send('put', `/Observation/${kept}`, bare, version).expect(422)
    await send('patch', `/Observation/${kept}`, [{ op: 'remove', path: '/meta/security' }]).expect(
      422,
    )
    world.allowed = closed
    await send('put', `/Observation/${kept}`, { ...bare, ...labelled('HIV') }, version).expect(404)
    await send(
      'put',
      `/Observation/${open}`,
      observation('labels', { id: open, ...labelled('R') }),
      version,
    ).expect(403)
    expect(written()).toEqual([])
  })
})

describe('a resource that holds another inside it', () => {
  const inside = (type: string, more: object = {}): Json => ({
    ...{ resourceType: type, id: 'in', subject: { reference: `Patient/${me}` } },
    ...more,
  })
  const holding = (contained: Json, more: object = {}) =>
    observation('inside', { contained: [contained], ...more })
  const closedFor =
    (type: string) =>
    ({ patient, resource }: Question) =>
      !(patient.sensitive && resource.id === type)

  it('is labelled as what stands inside it is, and the other way round, whichever of them is kept back', async () => {
    const label = labelled('R')
    const all = [
      await put(holding(inside('Condition', label))),
      await put(holding(inside('Condition'), label)),
      await put(holding({ resourceType: 'Device', id: 'in', ...label })),
    ]
    for (const [type, statuses] of [
      ['Observation', [404, 404, 404]],
      ['Condition', [404, 404, 200]],
      ['Goal', [200, 200, 200]],
    ] as const) {
      world.allowed = closedFor(type)
      const answers = all.map(async (id) => (await get(`/Observation/${id}`)).status)
      expect([type, await Promise.all(answers)]).toEqual([type, statuses])
    }
  })

  it('is written with labels of its own alone, and takes over those that a record had given inside', async () => {
    const label = labelled('R')
    const kept = await put(holding(inside('Condition', label)))
    const version = { 'if-match': 'W/"1"' }
    const write = (more: Json) =>
      send('put', `/Observation/${kept}`, { ...more, id: kept }, version)
    expect((await write(holding(inside('Condition')))).status).toBe(422)
    expect((await write(observation('inside'))).status).toBe(422)
    const patch = [{ op: 'remove', path: '/contained/0/meta' }]
    expect((await send('patch', `/Observation/${kept}`, patch)).status).toBe(422)
    for (const answer of [
      await write(holding(inside('Condition', label), label)),
      await send('post', '/Observation', holding(inside('Condition', label))),
      await send('post', '/Observation', holding({ resourceType: 'Device', ...label })),
    ]) {
      expect(answer.status).toBe(400)
      expect(answer.text).toContain('contained.meta.security')
    }
    expect(written()).toEqual([])
    await write(holding(inside('Condition'), label)).expect(200)
    expect(world.entries.map(({ refusal }) => refusal).filter(Boolean)).toEqual([
      ...Array(3).fill('label_missing'),
      ...Array(3).fill('parameter_invalid'),
    ])
  })
})

describe('a create', () => {
  it('gives id and version, in the trail before it goes on, with our addresses', async () => {
    const answer = await send(
      'post',
      '/Observation',
      observation('new', { id: 'mine', meta: { versionId: '7' } }),
    ).expect(201)
    const { id } = answer.body
    expect(id).not.toBe('mine')
    expect(answer.headers.location).toBe(`${BASE}/Observation/${id}/_history/1`)
    expect(answer.headers.etag).toBe('W/"1"')
    expect(world.entries).toMatchObject([
      { what: 'access_allowed', detail: { interaction: 'create', type: 'Observation' } },
    ])
    await get(`/Observation/${id}`).expect(200)
  })

  it('takes our own addresses in what is sent for the record’s', async () => {
    const sent = { ...observation('own'), subject: { reference: `${BASE}/Patient/${me}` } }
    const { body } = await send('post', '/Observation', sent).expect(201)
    expect(body.subject.reference).toBe(`${BASE}/Patient/${me}`)
  })

  it('shows what now stands only to who may read it, and wants it', async () => {
    const minimal = await send('post', '/Observation', observation('a'), {
      prefer: 'return=minimal',
    }).expect(201)
    expect(minimal.text).toBe('')
    world.access = accessOf({ scope: 'patient/Observation.c' })
    expect((await send('post', '/Observation', observation('a')).expect(201)).text).toBe('')
    world.access = accessOf({ scope: ALL })
    world.allowed = ({ action }) => action === 'create'
    expect((await send('post', '/Observation', observation('a')).expect(201)).text).toBe('')
  })

  it('with a condition gives what is there, or makes it', async () => {
    const first = await send('post', '/Observation', observation('once'), {
      'if-none-exist': 'code=once',
    }).expect(201)
    const again = await send('post', '/Observation', observation('once'), {
      'if-none-exist': 'code=once',
    }).expect(200)
    expect(again.body.id).toBe(first.body.id)
    expect(written().at(-1)?.headers['if-none-exist']).toBe(`patient=Patient%2F${me}&code=once`)
    await send('post', '/Observation', observation('once')).expect(201)
    await send('post', '/Observation', observation('once'), {
      'if-none-exist': 'code=once',
    }).expect(412)
    await put(observation('theirs', {}, other))
    await send('post', '/Observation', observation('theirs'), {
      'if-none-exist': 'code=theirs',
    }).expect(201)
  })

  it('with a condition that only what is withheld meets is not done, and shows nothing of it', async () => {
    await put(observation('secret', labelled('R')))
    world.allowed = ({ patient }) => !patient.sensitive
    const answer = await send('post', '/Observation', observation('secret'), {
      'if-none-exist': 'code=secret',
    }).expect(412)
    expect(answer.text).not.toContain('security')
  })

  it.each([
    ['a label', ALL, ({ patient }: Question) => !patient.sensitive, labelled('R')],
    ['a scope', 'patient/CarePlan.c patient/Observation.cs?status=amended', () => true, {}],
  ])(
    'leads nothing to what %s may withhold, be there any or not',
    async (what, scope, allowed, more) => {
      const code = `led-${what.split(' ')[1]}`
      world.access = accessOf({ scope })
      world.allowed = allowed
      const urn = 'urn:uuid:5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
      const [resource, ifNoneExist] = [observation(code, { status: 'amended' }), `code=${code}`]
      const led = {
        ...{ resourceType: 'CarePlan', subject: { reference: `Patient/${me}` } },
        supportingInfo: [{ reference: urn }],
      }
      const entry = [
        { fullUrl: urn, resource, request: { method: 'POST', url: 'Observation', ifNoneExist } },
        { resource: led, request: { method: 'POST', url: 'CarePlan' } },
      ]
      const bundle = { resourceType: 'Bundle', type: 'transaction', entry }
      const none = await send('post', '', bundle).expect(400)
      await put(observation(code, more))
      const one = await send('post', '', bundle).expect(400)
      expect(withoutReference(one.text)).toBe(withoutReference(none.text))
      expect(written()).toEqual([])
      // From whom nothing is withheld may.
      world.access = accessOf({ scope: ALL })
      world.allowed = () => true
      const fine = JSON.parse(JSON.stringify(bundle).replaceAll(code, `${code}-other`))
      await send('post', '', fine).expect(200)
    },
  )
})

describe('an update', () => {
  it('needs the version that was read, and is refused when another stands', async () => {
    const id = await put(observation('update'))
    const next = observation('update', { id, status: 'amended' })
    await send('put', `/Observation/${id}`, next).expect(400)
    await send('put', `/Observation/${id}`, next, { 'if-match': 'W/"9"' }).expect(412)
    const done = await send('put', `/Observation/${id}`, next, { 'if-match': 'W/"1"' }).expect(200)
    expect(done.headers.etag).toBe('W/"2"')
    expect(written()).toMatchObject([{ method: 'PUT', headers: { 'if-match': 'W/"1"' } }])
    await send('put', `/Observation/${id}`, next, { 'if-match': 'W/"1"' }).expect(412)
  })

  it('makes nothing that is not there, and answers another’s as what is not', async () => {
    const theirs = await put(observation('update', {}, other))
    const version = { 'if-match': 'W/"1"' }
    const a = await send(
      'put',
      `/Observation/${theirs}`,
      observation('update', { id: theirs }),
      version,
    ).expect(404)
    const b = await send(
      'put',
      '/Observation/nothing',
      observation('update', { id: 'nothing' }),
      version,
    ).expect(404)
    expect(withoutReference(a.text)).toBe(withoutReference(b.text))
    expect(written()).toEqual([])
  })

  it('by a condition changes the one that meets it, or makes it', async () => {
    const made = await send('put', '/Observation?code=upsert', observation('upsert')).expect(201)
    const changed = observation('upsert', { status: 'amended' })
    const done = await send('put', '/Observation?code=upsert', changed).expect(200)
    expect(done.body).toMatchObject({ id: made.body.id, status: 'amended' })
    await send('put', '/Observation?code=upsert', { ...changed, id: 'else' }).expect(400)
    world.access = accessOf({ scope: 'patient/Observation.us' })
    await send('put', '/Observation?code=unmade', observation('unmade')).expect(403)
    world.access = accessOf({ scope: 'patient/Observation.cu' })
    await send('put', '/Observation?code=upsert', changed).expect(403)
  })
})

describe('a patch', () => {
  it('goes on as the whole that it makes, under the version that was judged', async () => {
    const id = await put(observation('patch'))
    const answer = await send('patch', `/Observation/${id}`, [
      { op: 'replace', path: '/status', value: 'amended' },
    ]).expect(200)
    expect(answer.body).toMatchObject({ status: 'amended', code: { coding: [{ code: 'patch' }] } })
    expect(written()).toMatchObject([
      { method: 'PUT', url: `/record/fhir/Observation/${id}`, headers: { 'if-match': 'W/"1"' } },
    ])
  })

  it.each([
    [
      'the subject to another patient',
      [{ op: 'replace', path: '/subject/reference', value: `Patient/${other}` }],
      422,
    ],
    ['the subject away', [{ op: 'remove', path: '/subject' }], 422],
    [
      'another’s id into a member that nobody looks at',
      [{ op: 'add', path: '/focus', value: [{ reference: `Patient/${other}` }] }],
      422,
    ],
    [
      'the subject by a move',
      [
        { op: 'add', path: '/x', value: { reference: `Patient/${other}` } },
        { op: 'move', from: '/x', path: '/subject' },
      ],
      422,
    ],
    [
      'another’s data inside',
      [{ op: 'add', path: '/contained', value: [{ resourceType: 'Patient', id: other }] }],
      422,
    ],
    ['the id', [{ op: 'replace', path: '/id', value: other }], 422],
    ['a test that tells what stands', [{ op: 'test', path: '/status', value: 'amended' }], 422],
  ])('that moves %s is refused', async (_what, patch, status) => {
    const id = await put(observation('patch'))
    await send('patch', `/Observation/${id}`, patch).expect(status)
    expect(written()).toEqual([])
  })

  it('needs the right to read as well, for its tests would tell what stands', async () => {
    const id = await put(observation('patch'))
    const patch = [{ op: 'test', path: '/status', value: 'final' }]
    world.access = accessOf({ scope: 'patient/Observation.u' })
    await send('patch', `/Observation/${id}`, patch).expect(403)
    world.access = accessOf({ scope: ALL })
    world.allowed = ({ action }) => action === 'update'
    await send('patch', `/Observation/${id}`, patch).expect(403)
  })

  it('of FHIRPath or of XML is not taken', async () => {
    for (const type of ['application/fhir+json', 'application/xml-patch+xml', 'application/json'])
      await send('patch', '/Observation/x', [], { 'content-type': type }).expect(400)
  })
})

describe('a delete', () => {
  it('is done where it is allowed, of the one that meets a condition too', async () => {
    const id = await put(observation('delete'))
    await send('delete', `/Observation/${id}`).expect(204)
    await get(`/Observation/${id}`).expect(404)
    const one = await put(observation('delete-one'))
    await send('delete', '/Observation?code=delete-one').expect(204)
    await get(`/Observation/${one}`).expect(404)
    await send('delete', '/Observation?code=delete-one').expect(404)
    await Promise.all([put(observation('delete-two')), put(observation('delete-two'))])
    await send('delete', '/Observation?code=delete-two').expect(412)
  })
})

describe('who may write', () => {
  it('is for the policies to say, of what stands and of what is to stand', async () => {
    world.allowed = ({ action }) => action !== 'create'
    await send('post', '/Observation', observation('a')).expect(403)
    world.allowed = ({ action }) => action !== 'update'
    await send('put', '/Observation/x', observation('a', { id: 'x' }), {
      'if-match': 'W/"1"',
    }).expect(403)
    expect(world.upstream).toEqual([])
  })

  it('is nobody while the rules in force are not known, and nobody in an emergency', async () => {
    world.policy.state.mayIssue = false
    expect((await send('post', '/Observation', observation('a'))).status).toBe(503)
    world.policy.state.mayIssue = true
    const access = accessOf({ scope: ALL })
    world.access = {
      ...access,
      grant: { ...access.grant, emergency: { id: 'emg_1', until: 0 } as never },
    }
    for (const [method, path] of [
      ['post', '/Observation'],
      ['put', '/Observation/x'],
      ['patch', '/Observation/x'],
      ['delete', '/Observation/x'],
      ['delete', '/Observation?code=1'],
    ] as const)
      await send(method, path, method === 'patch' ? [] : observation('a'), {
        'if-match': 'W/"1"',
      }).expect(403)
    expect(world.upstream).toEqual([])
    await get('/Observation').expect(200)
  })

  it('writes nothing that the trail did not take', async () => {
    world.trailFails = true
    await send('post', '/Observation', observation('untold')).expect(500)
    expect(written()).toEqual([])
  })
})

const bundle = (type: string, ...entry: Json[]) => ({ resourceType: 'Bundle', type, entry })
const step = (method: string, url: string, more: object = {}, ask: object = {}): Json => ({
  request: { method, url, ...ask },
  ...more,
})
const statuses = (answer: { body: { entry: { response: { status: string } }[] } }) =>
  answer.body.entry.map(({ response }) => response.status)

describe('a batch', () => {
  it('is as many calls, each judged and each in the trail', async () => {
    const id = await put(observation('batch'))
    const answer = await send(
      'post',
      '/',
      bundle(
        'batch',
        step('GET', `Observation/${id}`),
        step('GET', `Patient/${other}`),
        step('GET', 'Patient/nobody'),
        step('GET', `Condition?patient=${other}`),
        step('GET', `Patient/${me}/$everything`),
        step('POST', ''),
        step('POST', 'Observation', { resource: observation('batch', {}, other) }),
        step('POST', 'Observation', { resource: observation('batch') }),
      ),
    ).expect(200)
    expect(answer.body.type).toBe('batch-response')
    expect(statuses(answer)).toEqual(['200', '404', '404', '404', '403', '400', '422', '201'])
    const [, theirs, nobody] = answer.body.entry
    expect(theirs).toEqual(nobody)
    expect(
      world.entries.map(({ what }) => what).filter((what) => what === 'access_refused'),
    ).toHaveLength(6)
    expect(world.entries[1]).toMatchObject({
      refusal: 'record_other_patient',
      detail: { entry: 1 },
    })
  })

  it('is posted to the base with and without its slash, and has a bound', async () => {
    await send('post', '', bundle('batch', step('GET', 'Observation'))).expect(200)
    await send(
      'post',
      '/',
      bundle('batch', ...Array.from({ length: 51 }, () => step('GET', 'Observation'))),
    ).expect(400)
    await send('post', '/', bundle('document', step('GET', 'Observation'))).expect(400)
  })
})

describe('a transaction', () => {
  const urn = 'urn:uuid:0b9a3a5e-1111-4222-8333-000000000001'

  it('does all of its writes, which may refer to each other', async () => {
    const id = await put(observation('step'))
    const patch = Buffer.from(
      JSON.stringify([{ op: 'replace', path: '/status', value: 'amended' }]),
    )
    const answer = await send(
      'post',
      '/',
      bundle(
        'transaction',
        step('POST', 'Condition', {
          fullUrl: urn,
          resource: {
            resourceType: 'Condition',
            code: { text: 'x' },
            subject: { reference: `Patient/${me}` },
          },
        }),
        step('POST', 'Observation', {
          resource: observation('refers', { focus: [{ reference: urn }] }),
        }),
        step('PATCH', `Observation/${id}`, {
          resource: {
            resourceType: 'Binary',
            contentType: 'application/json-patch+json',
            data: patch.toString('base64'),
          },
        }),
      ),
    ).expect(200)
    expect(statuses(answer)).toEqual(['201', '201', '200'])
    const [condition, refers, patched] = answer.body.entry
    expect(refers.resource.focus[0].reference).toBe(`Condition/${condition.resource.id}`)
    expect(patched.response.location).toBe(`${BASE}/Observation/${id}/_history/2`)
    const { resource } = condition
    expect(world.told.at(-1)).toMatchObject({
      writings: [
        { does: 'create', what: { type: 'Condition' } },
        { does: 'create', what: { type: 'Observation' } },
        { does: 'update', what: { type: 'Observation', id }, previous: '1' },
      ],
      came: [{ id: resource.id, version: '1', content: resource }, {}, { version: '2' }],
    })
    expect(JSON.stringify(answer.body)).not.toContain(world.origin)
    expect(world.entries.map(({ detail }) => detail?.interaction)).toEqual([
      'create',
      'create',
      'patch',
    ])
  })

  it('does none of them when one may not be done', async () => {
    const good = step('POST', 'Observation', { resource: observation('none') })
    for (const [bad, status] of [
      [step('POST', 'Observation', { resource: observation('none', {}, other) }), 422],
      [step('GET', `Observation/x`), 403],
      [
        step(
          'PUT',
          'Observation/x',
          { resource: observation('none', { id: 'x' }) },
          { ifMatch: 'W/"1"' },
        ),
        404,
      ],
      [
        step('POST', 'Observation', {
          resource: observation('none', { focus: [{ reference: urn }] }),
        }),
        400,
      ],
      [
        step('POST', 'Observation', {
          resource: { ...observation('none'), subject: { reference: urn } },
          fullUrl: urn,
        }),
        422,
      ],
      [step('POST', 'Patient', { resource: { resourceType: 'Patient' }, fullUrl: urn }), 403],
      [step('POST', '', { resource: bundle('transaction') }), 400],
    ] as const)
      await send('post', '/', bundle('transaction', good, bad)).expect(status)
    expect(written()).toEqual([])
    expect(entries(await get('/Observation?code=none'))).toEqual([])
  })

  it('is undone by the record when one was changed meanwhile, and changes nothing twice', async () => {
    const id = await put(observation('twice'))
    const change = step(
      'PUT',
      `Observation/${id}`,
      { resource: observation('twice', { id }) },
      { ifMatch: 'W/"1"' },
    )
    await send('post', '/', bundle('transaction', change, change)).expect(400)
    expect(written()).toEqual([])
  })

  it('refers to what a condition found', async () => {
    const id = await put(observation('found'))
    const answer = await send(
      'post',
      '/',
      bundle(
        'transaction',
        step(
          'POST',
          'Observation',
          { fullUrl: urn, resource: observation('found') },
          { ifNoneExist: 'code=found' },
        ),
        step('POST', 'Observation', {
          resource: observation('finder', { focus: [{ reference: urn }] }),
        }),
      ),
    ).expect(200)
    expect(statuses(answer)).toEqual(['200', '201'])
    expect(answer.body.entry[1].resource.focus[0].reference).toBe(`Observation/${id}`)
  })
})
