/**
 * Attacks on the record through the proxies. One rule for all of them: whatever is sent and whatever the
 * record answers, nothing of another patient leaves. The store has no part in it: there is none.
 */
import type { RequestListener, Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FHIR_TYPES } from '../../src/core/fhir.js'
import { PATIENTS } from '../../src/demo/patients.js'
import { front, type RawAnswer, raw } from '../proxy/raw.js'
import {
  accessOf,
  close,
  FORM,
  IN_CONTEXT,
  isWrite,
  OTHERS,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from '../proxy/world.js'

/** Words that stand in other patients' data and nowhere in Peggy's. */
const SECRETS = [
  ...PATIENTS.filter(({ nhsNumber }) => !['9990000018', '9990000050'].includes(nhsNumber)).map(
    ({ family }) => family,
  ),
  'prostate',
  'Holroyd',
]
const leaks = ({ text }: RawAnswer, sent = ''): readonly string[] =>
  [...SECRETS, ...OTHERS].filter((word) => text.includes(word) && !sent.includes(word))

/** A searchset's `self` link repeats what was asked: the client's own words. */
const withoutEcho = (answer: RawAnswer): RawAnswer =>
  answer.status === 200
    ? { ...answer, text: JSON.stringify({ ...JSON.parse(answer.text), link: [] }) }
    : answer

const withoutReference = ({ status, text }: RawAnswer) => ({
  status,
  text: text.replaceAll(/ref_[\w-]+/g, ''),
})

let world: World
let server: Server
beforeAll(async () => {
  world = await openWorld()
  server = await front(world)
})
afterAll(async () => {
  await close(server)
  await world.end()
})
beforeEach(() => {
  world.access = accessOf()
  world.allowed = () => true
  world.upstream.length = 0
  world.entries.length = 0
})

const me = PEGGY.fhirId
const other = WINSTON.fhirId
const mine = `/openehr/v1/ehr/${PEGGY.ehrId}`
const theirs = `/openehr/v1/ehr/${WINSTON.ehrId}`

async function winstonsSections(): Promise<readonly (readonly [string, string])[]> {
  world.access = accessOf({ of: WINSTON })
  const answer = await raw(server, 'GET', '/openehr/v1/query/care-plan::sections')
  world.access = accessOf()
  world.upstream.length = 0
  world.entries.length = 0
  return JSON.parse(answer.text).rows
}

describe('asking for another patient', () => {
  it.each([
    `/fhir/Patient/${other}`,
    `/fhir/Patient?_id=${other}`,
    `/fhir/CarePlan?patient=${other}`,
    `/fhir/CarePlan?patient=Patient/${other}`,
    `/fhir/CarePlan?patient=Patient%2F${other}`,
    `/fhir/CarePlan/${other}-plan`,
    `/fhir/Condition/${other}-condition-1`,
    `/fhir/Encounter/${other}-encounter-1`,
    `${theirs}/composition/5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01`,
    `/openehr/v1/query/care-plan::sections?ehr_id=${WINSTON.ehrId}`,
  ])('answers %s as absent', async (path) => {
    const answer = await raw(server, 'GET', path)
    expect(answer.status).toBe(404)
    expect(leaks(answer, path)).toEqual([])
    expect(world.entries).toEqual([expect.objectContaining({ what: 'access_refused' })])
  })

  it('gives the same answer, word for word, for another’s and for what does not exist', async () => {
    const [[, uid] = []] = await winstonsSections()
    const pairs = [
      [`/fhir/Patient/${other}`, '/fhir/Patient/nobody'],
      [`/fhir/CarePlan/${other}-plan`, '/fhir/CarePlan/nothing'],
      [`/fhir/CarePlan?patient=${other}`, '/fhir/CarePlan?patient=nobody'],
      [`${theirs}/composition/${uid}`, `${mine}/composition/${uid}`],
    ] as const
    for (const [a, b] of pairs)
      expect(withoutReference(await raw(server, 'GET', a))).toEqual(
        withoutReference(await raw(server, 'GET', b)),
      )
  })

  it('does not answer another’s composition within the patient’s own EHR', async () => {
    for (const [, uid] of await winstonsSections())
      expect((await raw(server, 'GET', `${mine}/composition/${uid}`)).status).toBe(404)
  })
})

describe('asking in other words', () => {
  it.each([
    ['an encoded slash', `/fhir/Patient/${me}%2f..%2f${other}`],
    ['an encoded slash in capitals', `/fhir/Patient%2F${other}`],
    ['encoded dots', `/fhir/Patient/${me}/%2e%2e/${other}`],
    ['plain dots', `/fhir/Patient/${me}/../${other}`],
    ['a double encoding', `/fhir/Patient/${me}%252f..%252f${other}`],
    ['a backslash', `/fhir/Patient/${me}\\..\\${other}`],
    ['an encoded backslash', `/fhir/Patient/${me}%5c..%5c${other}`],
    ['a matrix parameter', `/fhir/Patient/${me};id=${other}`],
    ['an encoded semicolon', `/fhir/Patient/${me}%3bid=${other}`],
    ['a double slash', `/fhir//Patient/${other}`],
    ['a trailing slash', `/fhir/Patient/${other}/`],
    ['an encoded end of string', `/fhir/Patient/${me}%00${other}`],
    ['an encoded line break', `/fhir/Patient/${me}%0d%0aHost:%20evil`],
    ['broken percent-encoding', `/fhir/Patient/${me}%zz`],
    ['an overlong UTF-8 slash', `/fhir/Patient/${me}%c0%af${other}`],
    ['an encoded question mark', `/fhir/CarePlan%3fpatient=${other}`],
    ['an encoded fragment', `/fhir/CarePlan%23?patient=${other}`],
    ['another case of the base', `/FHIR/Patient/${other}`],
    ['a repeated parameter', `/fhir/CarePlan?patient=${me}&patient=${other}`],
    ['a repeated parameter, one encoded', `/fhir/CarePlan?patient=${me}&%70atient=${other}`],
    ['a list of patients', `/fhir/CarePlan?patient=${me},${other}`],
    ['a second name for it', `/fhir/CarePlan?patient=${me}&subject=Patient/${other}`],
    ['a modifier', `/fhir/CarePlan?patient:Patient=${other}`],
    ['a modifier of negation', `/fhir/CarePlan?patient:not=${me}`],
    ['a missing modifier', '/fhir/CarePlan?patient:missing=false'],
    ['a chain', '/fhir/CarePlan?patient.identifier=x'],
    ['a chain through a type', '/fhir/CarePlan?subject:Patient.name=Campbell'],
    ['an identifier search', '/fhir/Patient?identifier=9990000069'],
    ['a name search', '/fhir/Patient?name=Campbell'],
    ['_include', `/fhir/CarePlan?patient=${me}&_include=CarePlan:subject`],
    ['_include:iterate', `/fhir/CarePlan?patient=${me}&_include:iterate=*`],
    ['_revinclude', `/fhir/Patient?_id=${me}&_revinclude=CarePlan:subject`],
    ['_revinclude:recurse', `/fhir/Patient?_id=${me}&_revinclude:recurse=*`],
    ['_has', '/fhir/Patient?_has:CarePlan:patient:status=active'],
    ['_filter', `/fhir/CarePlan?_filter=patient%20eq%20${other}`],
    ['_query', '/fhir/CarePlan?_query=everything'],
    ['_elements, which could hide whose it is', `/fhir/CarePlan?_elements=title`],
    ['_summary', '/fhir/CarePlan?_summary=text'],
    ['_contained', '/fhir/CarePlan?_contained=both'],
    ['_getpages', '/fhir?_getpages=0f0f'],
    ['another format', '/fhir/CarePlan?_format=xml'],
    ['an operation', `/fhir/Patient/${me}/$everything`],
    ['an operation on the type', '/fhir/Patient/$match'],
    ['a compartment', `/fhir/Patient/${other}/CarePlan`],
    ['a history of a type', '/fhir/Patient/_history'],
    ['a history of everything', '/fhir/_history'],
    ['a history at a time', `/fhir/Patient/${me}/_history?_at=2020`],
    ['a search of the whole system', '/fhir?_type=Patient'],
    ['a type that is not offered', '/fhir/Binary'],
    ['a member that every object has', '/fhir/constructor'],
    ['a search of the directory', '/fhir/Practitioner'],
    ['the EHR root', `/openehr/v1/ehr?subject_id=9990000069`],
    ['an EHR', theirs],
    ['a contribution', `${mine}/contribution/x`],
    ['ad-hoc AQL', '/openehr/v1/query/aql?q=SELECT%20e%20FROM%20EHR%20e'],
    ['another stored query', '/openehr/v1/query/org.openehr::everything'],
    ['a stored query’s version', '/openehr/v1/query/care-plan::sections/1.0.0'],
    ['a query with parameters of its own', '/openehr/v1/query/care-plan::sections?q=SELECT'],
    [
      'a query of two EHRs',
      `/openehr/v1/query/care-plan::sections?ehr_id=${PEGGY.ehrId}&ehr_id=${WINSTON.ehrId}`,
    ],
    [
      'a list of EHRs',
      `/openehr/v1/query/care-plan::sections?ehr_id=${PEGGY.ehrId},${WINSTON.ehrId}`,
    ],
    ['the administration', `/openehr/v1/admin/ehr/${PEGGY.ehrId}`],
    ['the definitions', '/openehr/v1/definition/template/adl2'],
    ['an encoded way out of the EHR', `${mine}%2f..%2f${WINSTON.ehrId}/composition/x`],
    ['dots out of the EHR', `${mine}/../${WINSTON.ehrId}/versioned_composition/x`],
    [
      'a version at a time',
      `${mine}/composition/5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01?version_at_time=x`,
    ],
  ])('refuses %s before the record hears of it', async (_, path) => {
    const answer = await raw(server, 'GET', path)
    expect([400, 403, 404]).toContain(answer.status)
    expect(leaks(answer, path)).toEqual([])
    expect(world.upstream).toEqual([])
  })

  it.each([
    'x-http-method-override',
    'x-http-method',
    'x-method-override',
    'x_http_method_override',
  ])('refuses a method changed by %s', async (name) => {
    for (const path of [`/fhir/Patient/${me}`, '/openehr/v1/query/care-plan::sections'])
      expect((await raw(server, 'GET', path, { [name]: 'DELETE' })).status).toBe(403)
    expect(world.upstream).toEqual([])
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'TRACE', 'PROPFIND', 'QUERY'])(
    'refuses %s where only reading is offered',
    async (method) => {
      for (const path of [
        `/fhir/Patient/${me}`,
        '/fhir/CarePlan',
        '/fhir/CarePlan/_search',
        '/fhir',
        '/openehr/v1/query/care-plan::sections',
        '/openehr/v1/query/aql',
      ])
        expect([400, 403, 404, 405]).toContain((await raw(server, method, path)).status)
      expect(world.upstream).toEqual([])
    },
  )

  it('refuses to delete a composition', async () => {
    const path = `${mine}/composition/5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01::s::1`
    expect((await raw(server, 'DELETE', path)).status).toBe(403)
  })

  it('sends on no header that would name another EHR', async () => {
    const headers = { 'openehr-ehr-id': WINSTON.ehrId, 'openehr-ehr_id': WINSTON.ehrId }
    const answer = await raw(server, 'GET', '/openehr/v1/query/care-plan::sections', headers)
    expect(answer.status).toBe(200)
    expect(leaks(answer)).toEqual([])
    expect(Object.keys(world.upstream[0]?.headers ?? {})).not.toContain('openehr-ehr-id')
  })
})

describe('writing where one may not', () => {
  const send = (method: string, path: string, body: unknown, headers = {}) =>
    raw(
      server,
      method,
      path,
      { 'content-type': 'application/json', ...IN_CONTEXT, ...headers },
      typeof body === 'string' ? body : JSON.stringify(body),
    )
  const ownSections = async () => {
    const answer = await raw(server, 'GET', '/openehr/v1/query/care-plan::sections')
    world.upstream.length = 0
    world.entries.length = 0
    const rows: [string, string, Record<string, unknown>][] = JSON.parse(answer.text).rows
    return (id: string) => {
      const row = rows.find(([template]) => template === `care-plan::${id}.v1`)
      if (row === undefined) throw new Error(id)
      return { uid: row[1], object: row[1].split('::')[0] ?? '', composition: row[2] }
    }
  }
  const nothingWritten = () => expect(world.upstream.filter(isWrite)).toEqual([])

  it('refuses a composition for another EHR', async () => {
    const { composition, object, uid } = (await ownSections())('what-matters')
    expect((await send('POST', `${theirs}/composition`, composition)).status).toBe(404)
    const put = await send('PUT', `${theirs}/composition/${object}`, composition, {
      'if-match': `"${uid}"`,
    })
    expect(put.status).toBe(404)
    nothingWritten()
  })

  it('refuses to turn a section that the role may not write into one that it may', async () => {
    const section = await ownSections()
    const { object, uid } = section('resuscitation')
    const { composition } = section('what-matters')
    const { uid: _uid, ...body } = composition
    world.allowed = ({ action, resource }) => action === 'read' || resource.id === 'what-matters'
    const seen = await send('PUT', `${mine}/composition/${object}`, body, {
      'if-match': `"${uid}"`,
    })
    expect(seen.status).toBe(400)
    world.allowed = ({ resource }) => resource.id === 'what-matters'
    const hidden = await send('PUT', `${mine}/composition/${object}`, body, {
      'if-match': `"${uid}"`,
    })
    expect(hidden.status).toBe(404)
    nothingWritten()
  })

  it('judges a repeated member as it sends it on', async () => {
    const section = await ownSections()
    const { object, uid, composition } = section('what-matters')
    const { uid: _uid, ...body } = composition
    const twice = JSON.stringify(body).replace(
      '"archetype_details":',
      '"archetype_details":{"template_id":{"value":"care-plan::resuscitation.v1"}},"archetype_details":',
    )
    const answer = await send('PUT', `${mine}/composition/${object}`, twice, {
      'if-match': `"${uid}"`,
    })
    expect(answer.status).toBe(204)
    const after = (await ownSections())('what-matters').composition
    expect(after.archetype_details).toEqual(composition.archetype_details)
  })

  it('refuses a template that the plan does not have, or that only a pattern would allow', async () => {
    const { composition } = (await ownSections())('what-matters')
    for (const template of ['care-plan::secret.v1', 'care-plan::resuscitation.v2', '*', '']) {
      const { uid: _uid, ...body } = composition
      const changed = { ...body, archetype_details: { template_id: { value: template } } }
      expect((await send('POST', `${mine}/composition`, changed)).status).toBe(403)
    }
    nothingWritten()
  })

  it('refuses a uid that the client chose', async () => {
    const { composition } = (await ownSections())('what-matters')
    expect((await send('POST', `${mine}/composition`, composition)).status).toBe(400)
    nothingWritten()
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a string', '"COMPOSITION"'],
    ['nothing', ''],
    ['something else', '{"_type":"EHR_STATUS"}'],
    ['a very deep one', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    [
      'a composition with a very deep part',
      `{"_type":"COMPOSITION","archetype_details":{"template_id":{"value":"care-plan::contacts.v1"}},"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    ],
  ])('refuses a body that is %s', async (_, body) => {
    expect((await send('POST', `${mine}/composition`, body)).status).toBe(400)
    nothingWritten()
  })

  it('refuses a body over 1 MiB, a compressed one, and one that is not JSON by its type', async () => {
    const large = JSON.stringify({ _type: 'COMPOSITION', x: 'x'.repeat(1024 * 1024) })
    expect((await send('POST', `${mine}/composition`, large)).status).toBe(413)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await send('POST', `${mine}/composition`, 'a=b', form)).status).toBe(400)
    const gzip = { 'content-encoding': 'gzip' }
    expect((await send('POST', `${mine}/composition`, '{}', gzip)).status).toBe(400)
    nothingWritten()
  })

  it('keeps a name with quotes and line breaks inside the committer’s name', async () => {
    const { object, uid, composition } = (await ownSections())('contacts')
    const name = 'A",committer.external_ref.id="555\r\nX-Evil: 1\u2028'
    world.access = { ...accessOf(), user: { ...accessOf().user, name } }
    await send('PUT', `${mine}/composition/${object}`, composition, { 'if-match': `"${uid}"` })
    const sent = world.upstream.find(({ method }) => method === 'PUT')?.headers ?? {}
    expect(sent['openehr-audit-details']).toContain('committer.external_ref.id="555254239101"')
    expect(String(sent['openehr-audit-details']).split('external_ref.id="')).toHaveLength(2)
    expect(sent).not.toHaveProperty('x-evil')
  })
})

const silence: RequestListener = () => undefined

/** A record that has gone wrong: one listener for every call. */
async function behind<T>(
  listener: RequestListener,
  run: (bad: World, at: Server) => Promise<T>,
): Promise<T> {
  // Who waits for silence need not wait long; an answer on a busy machine gets the time it needs.
  const bad = await openWorld(listener, listener === silence ? 100 : 5_000)
  const at = await front(bad)
  try {
    return await run(bad, at)
  } finally {
    await close(at)
    await bad.end()
  }
}
const answering =
  (body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_req, res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

const plan = (subject: unknown, more: object = {}) => ({
  resourceType: 'CarePlan',
  id: 'c1',
  title: 'Campbell',
  subject,
  ...more,
})
const searchset = (entry: unknown, more: object = {}) => ({
  resourceType: 'Bundle',
  type: 'searchset',
  entry,
  ...more,
})
const uid = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01::sys::1'
const composition = (more: object = {}) => ({
  _type: 'COMPOSITION',
  uid: { value: uid },
  archetype_details: { template_id: { value: 'care-plan::contacts.v1' } },
  content: ['Campbell'],
  ...more,
})
const resultSet = (rows: unknown, names = ['template', 'uid', 'composition', 'ehr']) => ({
  q: 'x',
  columns: names.map((name) => ({ name })),
  rows,
})
const row = ['care-plan::contacts.v1', uid, composition(), PEGGY.ehrId]

/** One body for every call, beside rows that name the patient's composition where it is one that is asked for. */
const besideRows =
  (body: unknown, path: string, status = 200): RequestListener =>
  (req, res) => {
    const proof = path.includes('/composition/') && req.url?.includes('/query/')
    return answering(proof ? resultSet([row]) : body, proof ? 200 : status)(req, res)
  }

describe('a record that answers wrongly', () => {
  const careplans = '/fhir/CarePlan'
  const careplan = '/fhir/CarePlan/c1'
  const section = `${mine}/composition/${uid}`
  const query = '/openehr/v1/query/care-plan::sections'
  const reference = (value: string) => ({ reference: value })
  const entry = (resource: unknown) => ({ resource, search: { mode: 'match' } })

  it.each([
    ['another patient’s plan', careplan, plan(reference(`Patient/${other}`)), 404],
    ['a plan of nobody', careplan, plan(undefined), 404],
    ['a plan of a group', careplan, plan(reference('Group/g1')), 404],
    [
      'a plan by another server’s patient',
      careplan,
      plan(reference(`https://evil.example/Patient/${me}`)),
      404,
    ],
    ['a plan by a longer id', careplan, plan(reference(`Patient/${me}0`)), 404],
    ['a plan by a list of subjects', careplan, plan([reference(`Patient/${me}`)]), 404],
    ['another plan than asked', careplan, plan(reference(`Patient/${me}`), { id: 'c2' }), 502],
    [
      'another type',
      careplan,
      { ...plan(reference(`Patient/${me}`)), resourceType: 'Condition' },
      502,
    ],
    ['a Bundle in place of a plan', careplan, searchset([]), 502],
    [
      'another patient',
      `/fhir/Patient/${me}`,
      { resourceType: 'Patient', id: other, name: 'Campbell' },
      502,
    ],
    [
      'a search with one row of another’s',
      careplans,
      searchset([
        entry(plan(reference(`Patient/${me}`))),
        entry(plan(reference(`Patient/${other}`))),
      ]),
      502,
    ],
    [
      'a search with an included patient',
      careplans,
      searchset([entry({ resourceType: 'Patient', id: other, name: 'Campbell' })]),
      502,
    ],
    ['a search with an entry without resource', careplans, searchset([{ fullUrl: 'x' }]), 502],
    [
      'a search that is no searchset',
      careplans,
      {
        resourceType: 'Bundle',
        type: 'collection',
        entry: [entry(plan(reference(`Patient/${other}`)))],
      },
      502,
    ],
    [
      'a next page that cannot be followed',
      careplans,
      searchset([], { link: [{ relation: 'next', url: 'https://evil.example/x' }] }),
      502,
    ],
    [
      'a next page of another patient',
      careplans,
      searchset([], {
        link: [{ relation: 'next', url: `https://gateway.example/fhir/CarePlan?patient=${other}` }],
      }),
      502,
    ],
    [
      'a search of which a source did not answer',
      careplans,
      searchset([
        {
          resource: {
            resourceType: 'OperationOutcome',
            issue: [{ severity: 'error', code: 'timeout' }],
          },
          search: { mode: 'outcome' },
        },
      ]),
      502,
    ],
    ['a search whose entries are an object', careplans, searchset({ 0: 'Campbell' }), 502],
    ['a search that counts more than it gives', careplans, searchset([], { total: 1 }), 502],
    [
      'a next page without an address',
      careplans,
      searchset([], { link: [{ relation: 'next' }] }),
      502,
    ],
    ['a search whose links are an object', careplans, searchset([], { link: {} }), 502],
    ['a list', careplans, [], 502],
    ['null', careplans, 'null', 502],
    ['a number', careplans, '1', 502],
    [
      'a very deep one',
      careplans,
      JSON.stringify(searchset([entry(plan(reference(`Patient/${me}`), { x: 'deep' }))])).replace(
        '"deep"',
        `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
      ),
      502,
    ],
    ['another composition', section, composition({ uid: { value: uid.replace('5f', '6f') } }), 502],
    ['another version', section, composition({ uid: { value: uid.replace(/1$/, '2') } }), 502],
    ['no uid', section, composition({ uid: undefined }), 502],
    [
      'a composition of a template outside the plan',
      section,
      composition({ archetype_details: { template_id: { value: 'gp::consultation.v1' } } }),
      404,
    ],
    ['a folder', section, { _type: 'FOLDER' }, 502],
    ['rows of another EHR', query, resultSet([row, [...row.slice(0, 3), WINSTON.ehrId]]), 502],
    ['rows without an EHR', query, resultSet([row.slice(0, 3)]), 502],
    [
      'columns without the EHR',
      query,
      resultSet([row], ['template', 'uid', 'composition', 'x']),
      502,
    ],
    [
      'two columns of one name',
      query,
      resultSet([row], ['template', 'template', 'composition', 'ehr']),
      502,
    ],
    [
      'a row that calls its composition something else',
      query,
      resultSet([['care-plan::communication.v1', ...row.slice(1)]]),
      502,
    ],
    [
      'a row with another uid',
      query,
      resultSet([[row[0], uid.replace('5f', '6f'), ...row.slice(2)]]),
      502,
    ],
    [
      'a row without a composition',
      query,
      resultSet([['care-plan::contacts.v1', uid, null, PEGGY.ehrId]]),
      502,
    ],
    ['no rows at all', query, { q: 'x' }, 502],
  ])('is not believed: %s', async (_, path, body, status) => {
    await behind(besideRows(body, path), async (bad, at) => {
      const answer = await raw(at, 'GET', path)
      expect(answer.status).toBe(status)
      expect(answer.text).not.toContain('Campbell')
      expect(bad.entries.map(({ what }) => what)).toEqual(['access_refused'])
    })
  })

  it('gives what is right, so that the refusals above are about what is wrong', async () => {
    const right: readonly (readonly [string, unknown])[] = [
      [careplan, plan(reference(`Patient/${me}`))],
      [careplan, plan(reference(`Patient/${me}/_history/3`))],
      [careplans, searchset([entry(plan(reference(`Patient/${me}`)))])],
      [careplans, { resourceType: 'Bundle', type: 'searchset' }],
      [section, composition()],
      [query, resultSet([row])],
      [query, resultSet([])],
    ]
    for (const [path, body] of right)
      await behind(besideRows(body, path), async (_bad, at) => {
        expect((await raw(at, 'GET', path)).status).toBe(200)
      })
  })

  it.each([
    ['a redirect', answering('', 302, { location: 'http://127.0.0.1:1/' }), 502],
    ['eleven megabytes', answering(`{"x":"${'x'.repeat(11 * 1024 * 1024)}"}`), 502],
    ['a page', answering('<h1>Campbell</h1>', 200, { 'content-type': 'text/html' }), 502],
    ['half of an answer', answering('{"resourceType":"CarePlan"'), 502],
    ['an error with its stack', answering('{"stack":"at Campbell"}', 500), 503],
    ['a refusal of our credential', answering('{"message":"Campbell"}', 403), 502],
    ['a compressed answer', answering('Campbell', 200, { 'content-encoding': 'gzip' }), 502],
    ['an answer without content', answering('', 204), 404],
    ['“gone”', answering('{"message":"Campbell"}', 410), 404],
    ['a complaint about our call', answering('{"message":"Campbell"}', 400), 502],
    ['nothing at all', silence, 503],
    [
      'an end of the connection',
      (req: { socket: { destroy(): void } }) => req.socket.destroy(),
      503,
    ],
  ] as [string, RequestListener, number][])(
    'answers plainly when it gets %s',
    async (_, listener, status) => {
      await behind(listener, async (bad, at) => {
        for (const path of [careplan, section]) {
          const answer = await raw(at, 'GET', path)
          expect(answer.status).toBe(status)
          expect(answer.text).not.toContain('Campbell')
          expect(answer.text).not.toContain(bad.origin)
        }
      })
    },
  )

  it.each([204, 404, 410])(
    'never says of a list that there is none because the record answered %s',
    async (status) => {
      await behind(answering('', status), async (bad, at) => {
        for (const path of [careplans, query, '/openehr/v1/definition/template/adl1.4']) {
          const answer = await raw(at, 'GET', path)
          expect([path, answer.status]).toEqual([path, 502])
        }
        expect(bad.entries.map(({ what }) => what)).toEqual(Array(3).fill('access_refused'))
      })
    },
  )

  it('shows no address of the network behind, in whatever member it stands', async () => {
    const listener: RequestListener = (req, res) => {
      const base = `http://${req.headers.host}/record/fhir`
      const body = plan(reference(`${base}/Patient/${me}`), {
        instantiatesUri: [base, `${base}?x`],
        extension: [{ valueUri: `${base}/CarePlan/c1` }],
      })
      answering(body, 200, {
        location: `${base}/CarePlan/c1`,
        server: 'secret',
        'set-cookie': 'a=b',
      })(req, res)
    }
    await behind(listener, async (bad, at) => {
      const answer = await raw(at, 'GET', careplan)
      expect(answer.status).toBe(200)
      expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toContain(bad.origin)
      expect(answer.text).toContain(`https://gateway.example/fhir/Patient/${me}`)
      expect(answer.headers).not.toHaveProperty('set-cookie')
      expect(answer.headers).not.toHaveProperty('server')
    })
  })

  it('passes no header of the record that is not a plain validator', async () => {
    const headers = { etag: '"a" evil', 'last-modified': 'yesterday' }
    await behind(answering(plan(reference(`Patient/${me}`)), 200, headers), async (_bad, at) => {
      const answer = await raw(at, 'GET', careplan)
      expect(answer.headers).not.toHaveProperty('etag')
      expect(answer.headers).not.toHaveProperty('last-modified')
    })
  })

  it('says that a write was done, though what the record says of it is too deep to be told', async () => {
    const next = uid.replace(/1$/, '2')
    const deep = JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`)
    const listener: RequestListener = (req, res) =>
      req.method === 'GET' || req.url?.includes('/query/')
        ? besideRows(composition(), '/composition/')(req, res)
        : answering(composition({ uid: { value: next }, deep }))(req, res)
    await behind(listener, async (bad, at) => {
      const headers = { 'content-type': 'application/json', 'if-match': `"${uid}"`, ...IN_CONTEXT }
      const path = `${mine}/composition/${uid.split('::')[0]}`
      const prefer = { ...headers, prefer: 'return=representation' }
      const answer = await raw(at, 'PUT', path, prefer, JSON.stringify(composition()))
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(bad.entries.map(({ what }) => what)).toEqual(['access_allowed'])
    })
  })

  it('says that a write’s outcome is not known when the record is lost on the way, and never repeats it', async () => {
    const body = JSON.stringify(composition())
    const listener: RequestListener = (req, res) =>
      req.method === 'GET' || req.url?.includes('/query/')
        ? besideRows(composition(), '/composition/')(req, res)
        : req.socket.destroy()
    await behind(listener, async (bad, at) => {
      const headers = { 'content-type': 'application/json', 'if-match': `"${uid}"`, ...IN_CONTEXT }
      const path = `${mine}/composition/${uid.split('::')[0]}`
      const answer = await raw(at, 'PUT', path, headers, body)
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.text).error_description).toContain('It is not known whether')
      expect(bad.entries.map(({ what }) => what)).toEqual(['access_allowed', 'access_refused'])
      expect(bad.upstream.filter(({ method }) => method === 'PUT')).toHaveLength(1)
    })
  })
})

describe('any request at all', () => {
  const pieces = fc.constantFrom(
    'Patient',
    'CarePlan',
    'Condition',
    'Encounter',
    'metadata',
    'ehr',
    'query',
    'composition',
    'versioned_composition',
    'revision_history',
    'care-plan::sections',
    'aql',
    '_search',
    '_history',
    '$everything',
    '..',
    '%2e%2e',
    '%2f',
    '%252f',
    ';',
    '',
    me,
    other,
    `${other}-plan`,
    `${me}-plan`,
    PEGGY.ehrId,
    WINSTON.ehrId,
    uid,
    ...OTHERS,
  )
  const names = fc.constantFrom(
    'patient',
    'subject',
    '_id',
    'identifier',
    'ehr_id',
    'subject_id',
    '_include',
    '_revinclude',
    '_has:CarePlan:patient:_id',
    'patient:not',
    'patient.name',
    '_count',
    '_offset',
    'q',
    'status',
  )
  const values = fc.oneof(
    fc.constantFrom(me, other, `Patient/${other}`, `${me},${other}`, '*', '100', 'active'),
    fc.constantFrom(...OTHERS),
    fc.string({ maxLength: 8 }).map(encodeURIComponent),
  )
  const hiddenSections = fc.subarray(FORM.map(({ id }) => id))
  const types = fc.constantFrom(...Object.keys(FHIR_TYPES))
  const ids = fc.constantFrom(
    ...PATIENTS.flatMap(({ fhirId }) => [fhirId, `${fhirId}-plan`, `${fhirId}-condition-1`]),
  )
  const ehrs = fc.constantFrom(PEGGY.ehrId, WINSTON.ehrId, WINSTON.ehrId.toUpperCase())
  /** What the patient's own app asks first. Asked for in each run: by chance nothing like it would be. */
  const PLAN = {
    ...{ base: '/openehr/v1' as const, method: 'GET' as const, query: [], hidden: [] },
    path: ['query', 'care-plan::sections'],
  }
  const requests = (uids: readonly string[]) =>
    fc.record({
      base: fc.constantFrom('/fhir', '/openehr/v1', '/openehr', '/FHIR'),
      path: fc.oneof(
        fc.array(pieces, { maxLength: 5 }),
        fc.tuple(types),
        fc.tuple(types, ids),
        fc.tuple(fc.constant('ehr'), ehrs, fc.constant('composition'), fc.constantFrom(...uids)),
        fc.tuple(fc.constant('query'), fc.constant('care-plan::sections')),
      ),
      query: fc.array(fc.tuple(names, values), { maxLength: 3 }),
      method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
      hidden: hiddenSections,
    })

  it('gives nothing of another patient, whatever its path, query and method', async () => {
    const uids = (await winstonsSections()).flatMap(([, uid]) => [uid, uid.split('::')[0] ?? ''])
    const answered = new Set<number>()
    await fc.assert(
      fc.asyncProperty(requests(uids), async ({ base, path, query, method, hidden }) => {
        world.allowed = ({ resource }) => !hidden.includes(resource.id)
        const search = query.map(([name, value]) => `${name}=${value}`).join('&')
        const address = `${base}/${path.join('/')}${search === '' ? '' : `?${search}`}`
        const answer = await raw(server, method, address, {
          'content-type': 'application/json',
          'if-match': `"${uid}"`,
          ...IN_CONTEXT,
        })
        answered.add(answer.status)
        expect(answer.status).not.toBe(500)
        expect(leaks(withoutEcho(answer))).toEqual([])
      }),
      { numRuns: 1000, examples: [[PLAN]] },
    )
    // It was not only refused: some of what was asked was given.
    expect([...answered]).toEqual(expect.arrayContaining([200, 400, 403, 404]))
  }, 60_000)

  it('gives only sections that the role may see, whichever those are', async () => {
    await fc.assert(
      fc.asyncProperty(hiddenSections, async (hidden) => {
        world.allowed = ({ resource }) => !hidden.includes(resource.id)
        const answer = await raw(server, 'GET', '/openehr/v1/query/care-plan::sections')
        const templates = JSON.parse(answer.text).rows.map(([template]: [string]) => template)
        const own = FORM.filter(({ pathway }) => pathway === 'universal')
        expect(templates).toEqual(
          own.filter(({ id }) => !hidden.includes(id)).map(({ template }) => template),
        )
      }),
      { numRuns: 50 },
    )
  }, 60_000)
})
