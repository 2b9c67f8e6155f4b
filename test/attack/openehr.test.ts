/**
 * Attacks on openEHR through the gateway. One rule for all of them: whatever is sent and whatever the record answers,
 * nothing of another patient leaves, and nothing of a section that the role may not see. The store has no part in it:
 * there is none (test/journey/superseded.test.ts has what the store decides of a write).
 */
import type { RequestListener, Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { front, type RawAnswer, raw } from '../proxy/raw.js'
import {
  accessOf,
  close,
  FORM,
  IN_CONTEXT,
  isWrite,
  MEDICINES,
  OTHERS,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from '../proxy/world.js'
import {
  type HonestRecord,
  honestRecord,
  OTHER,
  OWN,
  PIECES,
  uidOf,
  wordOf,
} from './honest-record.js'

const SCOPE = `patient/composition-care-plan::*.cruds patient/aql-care-plan::sections.rs patient/aql-${MEDICINES.name}.s patient/aql-aql.s`
const BASE = '/openehr/v1'
const MINE = `${BASE}/ehr/${PEGGY.ehrId}`
const THEIRS = `${BASE}/ehr/${WINSTON.ehrId}`
const OBJECT = PIECES.find(({ owner }) => owner === OWN)?.object ?? ''
const THEIR_OBJECT = PIECES.find(({ owner }) => owner === OTHER)?.object ?? ''

let record: HonestRecord
let world: World
let server: Server
beforeAll(async () => {
  record = honestRecord()
  world = await openWorld(record.listener)
  server = await front(world)
})
afterAll(async () => {
  await close(server)
  await world.end()
})
beforeEach(() => {
  record.choices = []
  world.access = accessOf({ scope: SCOPE })
  world.allowed = () => true
  world.upstream.length = 0
  world.entries.length = 0
})

/** Words of another patient, or of what the role may not see, that an answer holds. */
const leaks = ({ text, headers }: RawAnswer, hidden: readonly string[] = []): readonly string[] => {
  const whole = `${text} ${JSON.stringify(headers)}`
  const secret = PIECES.filter(({ section }) => hidden.includes(section)).map(wordOf)
  const objects = PIECES.flatMap(({ owner, object }) => (owner === OTHER ? [object] : []))
  return [OTHER.word, ...OTHERS, ...objects, ...secret].filter((word) => whole.includes(word))
}
const JSON_TYPE = { 'content-type': 'application/json' }
const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  raw(
    server,
    method,
    path,
    { ...JSON_TYPE, ...IN_CONTEXT, ...headers },
    body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  )

describe('asking in other words', () => {
  it.each([
    ['an encoded slash', `${MINE}%2f..%2f${WINSTON.ehrId}`],
    ['encoded dots', `${MINE}/%2e%2e/${WINSTON.ehrId}`],
    ['plain dots', `${MINE}/../${WINSTON.ehrId}/ehr_status`],
    ['a double encoding', `${MINE}%252f..%252f${WINSTON.ehrId}/directory`],
    ['a matrix parameter', `${MINE};ehr_id=${WINSTON.ehrId}/directory`],
    ['an encoded semicolon', `${MINE}%3behr_id=${WINSTON.ehrId}`],
    ['a double slash', `${BASE}//ehr/${WINSTON.ehrId}`],
    ['an end of string', `${MINE}%00${WINSTON.ehrId}`],
    ['a line break', `${MINE}%0d%0aX:%20y`],
    ['the EHR root', `${BASE}/ehr?subject_id=${WINSTON.nhsNumber}&subject_namespace=x`],
    ['its own number', `${BASE}/ehr?subject_id=${PEGGY.nhsNumber}&subject_namespace=x`],
    ['a wildcard for an EHR', `${BASE}/ehr/*/ehr_status`],
    ['versions of a status', `${MINE}/versioned_ehr_status/version`],
    ['item tags', `${MINE}/tags`],
    ['a folder by its path', `${MINE}/directory?path=episodes`],
    ['another EHR beside the path', `${MINE}/composition/${OBJECT}?ehr_id=${WINSTON.ehrId}`],
    [
      'a time with something behind it',
      `${MINE}/ehr_status?version_at_time=2026-01-01T00:00:00Z'%20OR`,
    ],
    ['a time twice', `${MINE}/ehr_status?version_at_time=2026-01-01T00:00:00Z&version_at_time=x`],
    ['all templates of the server', `${BASE}/definition/template/adl2`],
    ['a template by a path', `${BASE}/definition/template/adl1.4/..%2f..%2fquery`],
    ['stored queries’ definitions', `${BASE}/definition/query/care-plan::sections`],
    ['people', `${BASE}/demographic/person/x`],
    ['the administration', `${BASE}/admin/ehr/${PEGGY.ehrId}`],
    ['the administration of templates', `${BASE}/admin/template/all`],
    ['the server’s status', `${BASE}/../../status`],
    ['another query', `${BASE}/query/org.openehr::everything`],
    ['a version of a query that is not registered', `${BASE}/query/${MEDICINES.name}/9.9.9`],
  ])('refuses %s before the record hears of it', async (_, path) => {
    const answer = await send('GET', path)
    expect([400, 403, 404]).toContain(answer.status)
    expect(leaks(answer).filter((word) => !path.includes(word))).toEqual([])
    expect(world.upstream).toEqual([])
  })

  it.each([
    'x-http-method-override',
    'x-http-method',
    'x-method-override',
    'x_http_method_override',
  ])('refuses a method changed by %s', async (name) => {
    const answer = await send('POST', `${MINE}/contribution`, {}, { [name]: 'DELETE' })
    expect(answer.status).toBe(403)
    expect(world.upstream).toEqual([])
  })

  it.each([
    ['POST', `${BASE}/ehr`],
    ['PUT', MINE],
    ['DELETE', MINE],
    ['PUT', `${MINE}/ehr_status`],
    ['PUT', `${MINE}/directory`],
    ['DELETE', `${MINE}/composition/${OBJECT}`],
    ['POST', `${MINE}/versioned_composition/${OBJECT}`],
    ['POST', `${BASE}/definition/template/adl1.4`],
    ['PUT', `${BASE}/definition/query/care-plan::sections`],
    ['DELETE', `${BASE}/admin/ehr/${PEGGY.ehrId}`],
    ['PUT', `${BASE}/query/aql`],
    ['PATCH', `${MINE}/composition/${OBJECT}`],
    ['QUERY', `${BASE}/query/care-plan::sections`],
  ])('refuses %s %s, which nobody is offered', async (method, path) => {
    expect([400, 403, 404, 405]).toContain((await send(method, path, {})).status)
    expect(world.upstream).toEqual([])
  })

  it('passes no header of the client’s on, whatever it says', async () => {
    const headers = {
      'openehr-audit-details': 'committer.name="Dr Helen Marsh"',
      'openEHR-AUDIT_DETAILS.committer': 'name="Dr Helen Marsh"',
      'openehr-version': 'lifecycle_state.code_string="523"',
      'openehr-ehr-id': WINSTON.ehrId,
      'openehr-item-tag': 'key="x"',
      'x-forwarded-for': '1.2.3.4',
      cookie: 'a=b',
    }
    const body = {
      archetype_details: { template_id: { value: FORM[0]?.template } },
      _type: 'COMPOSITION',
    }
    await send('PUT', `${MINE}/composition/${OBJECT}`, body, {
      ...headers,
      'if-match': `"${OBJECT}::sys::1"`,
    })
    const write = world.upstream.find(isWrite)
    expect(write?.method).toBe('PUT')
    const sent = JSON.stringify(world.upstream.map((each) => each.headers))
    expect(sent).not.toMatch(/Helen Marsh|\b523\b|1\.2\.3\.4|item-tag|a=b/)
    expect(sent).not.toContain(WINSTON.ehrId)
    expect(write?.headers['openehr-audit_details.committer']).toContain('Okafor')
  })

  it('keeps nothing unsaved under a name that is none of the plan’s, nor for another patient', async () => {
    const typed = { values: { note: 'x' }, typed: '2026-11-23T11:59:58Z' }
    for (const [path, headers = {}] of [
      [`${THEIRS}/unsaved/${FORM[0]?.template}`],
      [`${MINE}/unsaved/..%2f..%2f${WINSTON.ehrId}`],
      [`${MINE}/unsaved/care-plan::*`],
      [`${MINE}/unsaved/care-plan%3a%3a%2a.v1`],
      [`${MINE}/unsaved/__proto__`],
      [`${MINE}/unsaved/${FORM[0]?.template}/`],
      [`${MINE}/unsaved/${FORM[0]?.template}?ehr_id=${WINSTON.ehrId}`],
      [`${MINE}/unsaved`],
      [`${MINE}/unsaved/${FORM[0]?.template}`, { 'launch-context': 'ctx_other' }],
      [`${MINE}/unsaved/${FORM[0]?.template}`, { 'x-http-method-override': 'DELETE' }],
    ] as const) {
      expect([400, 403, 404, 409]).toContain((await send('PUT', path, typed, headers)).status)
      expect([400, 403, 404, 409]).toContain(
        (await send('DELETE', path, undefined, headers)).status,
      )
    }
    for (const body of [
      '{"values":{"__proto__":{"x":1}},"typed":"2026-11-23T11:59:58Z"}',
      `{"values":{},"typed":"2026-11-23T11:59:58Z","base":"${THEIR_OBJECT}"}`,
      `{"values":{},"typed":"${'9'.repeat(70_000)}"}`,
    ])
      expect([400, 413]).toContain(
        (await send('PUT', `${MINE}/unsaved/${FORM[0]?.template}`, body)).status,
      )
    const plain = { 'content-type': 'text/plain' }
    const sent = await send('PUT', `${MINE}/unsaved/${FORM[0]?.template}`, typed, plain)
    expect(sent.status).toBe(400)
    expect([...world.kept]).toEqual([])
    expect(world.upstream).toEqual([])
  })

  it('refuses a header that names another template than the body', async () => {
    const template = 'care-plan::contacts.v1'
    const body = { archetype_details: { template_id: { value: template } }, _type: 'COMPOSITION' }
    for (const name of ['openehr-template-id', 'openEHR-TEMPLATE_ID'])
      expect(
        (await send('POST', `${MINE}/composition`, body, { [name]: 'care-plan::prognosis.v1' }))
          .status,
      ).toBe(400)
    const simplified = {
      'content-type': 'application/openehr.wt.flat+json',
      'openehr-template-id': template,
    }
    expect((await send('POST', `${MINE}/composition`, body, simplified)).status).toBe(400)
    expect(world.upstream.filter(isWrite)).toEqual([])
  })
})

describe('another patient’s ids, wherever one can stand', () => {
  const type = { change_type: { defining_code: { code_string: '251' } } }
  const body = {
    ...{ _type: 'COMPOSITION', uid: { value: `${THEIR_OBJECT}::sys::1` } },
    archetype_details: { template_id: { value: FORM[0]?.template } },
  }
  const version = {
    ...{ commit_audit: type, data: body },
    preceding_version_uid: { value: `${THEIR_OBJECT}::sys::1` },
  }
  const del = { change_type: { defining_code: { code_string: '523' } } }
  it.each([
    ['GET', THEIRS, undefined],
    ['GET', `${THEIRS}/ehr_status`, undefined],
    ['GET', `${BASE}/ehr/${WINSTON.ehrId.toUpperCase()}/directory`, undefined],
    ['GET', `${THEIRS}/composition/${OBJECT}`, undefined],
    ['GET', `${MINE}/composition/${THEIR_OBJECT}`, undefined],
    ['GET', `${MINE}/composition/${THEIR_OBJECT}::sys::1`, undefined],
    ['GET', `${MINE}/composition/${THEIR_OBJECT}?version_at_time=2026-01-01T00:00:00Z`, undefined],
    ['GET', `${MINE}/versioned_composition/${THEIR_OBJECT}`, undefined],
    ['GET', `${MINE}/versioned_composition/${THEIR_OBJECT}/version`, undefined],
    [
      'GET',
      `${MINE}/versioned_composition/${THEIR_OBJECT}/version/${THEIR_OBJECT}::sys::1`,
      undefined,
    ],
    ['GET', `${MINE}/versioned_composition/${THEIR_OBJECT}/revision_history`, undefined],
    ['PUT', `${MINE}/composition/${THEIR_OBJECT}`, body],
    ['PUT', `${MINE}/composition/${OBJECT}`, body],
    ['DELETE', `${MINE}/composition/${THEIR_OBJECT}::sys::1`, undefined],
    ['POST', `${MINE}/composition`, body],
    ['POST', `${THEIRS}/composition`, { ...body, uid: undefined }],
    ['POST', `${THEIRS}/contribution`, { versions: [version], audit: {} }],
    ['POST', `${MINE}/contribution`, { versions: [version], audit: {} }],
    [
      'POST',
      `${MINE}/contribution`,
      { versions: [{ ...version, commit_audit: del, data: null }], audit: {} },
    ],
    [
      'POST',
      `${MINE}/contribution`,
      {
        versions: [{ ...version, preceding_version_uid: { value: `${OBJECT}::sys::1` } }],
        audit: {},
      },
    ],
    ['POST', `${BASE}/query/care-plan::sections`, { query_parameters: { ehr_id: WINSTON.ehrId } }],
    ['POST', `${BASE}/query/care-plan::sections`, { ehr_id: WINSTON.ehrId }],
    ['GET', `${BASE}/query/${MEDICINES.name}?ehr_id=${WINSTON.ehrId}`, undefined],
    [
      'POST',
      `${BASE}/query/aql`,
      { q: `SELECT c FROM EHR e[ehr_id/value='${WINSTON.ehrId}'] CONTAINS COMPOSITION c` },
    ],
    [
      'POST',
      `${BASE}/query/aql`,
      {
        q: 'SELECT c FROM EHR e[ehr_id/value=$x] CONTAINS COMPOSITION c',
        query_parameters: { x: WINSTON.ehrId },
      },
    ],
    [
      'POST',
      `${BASE}/query/aql`,
      {
        q: 'SELECT c FROM EHR e[ehr_id/value=$ehr_id] CONTAINS COMPOSITION c',
        query_parameters: { ehr_id: WINSTON.ehrId },
      },
    ],
  ])('%s %s is no way to them', async (method, path, sent) => {
    // A server that holds itself to nothing, and answers what was asked.
    const answer = await send(method, path, sent, {
      'if-match': `"${path.split('/').at(-1)}::sys::1"`,
    })
    expect([400, 403, 404]).toContain(answer.status)
    expect(leaks(answer)).toEqual([])
    expect(world.upstream.filter(isWrite)).toEqual([])
    expect(JSON.stringify(world.upstream)).not.toContain(WINSTON.ehrId)
  })
})

describe('another patient in what is written', () => {
  const number = { value: WINSTON.nhsNumber, scheme: 'x' }
  const party = (namespace: string, id: object = number) => ({
    _type: 'PARTY_IDENTIFIED',
    external_ref: { _type: 'PARTY_REF', id, namespace, type: 'PERSON' },
  })
  const link = (value: string) => ({ links: [{ target: { _type: 'DV_EHR_URI', value } }] })
  // biome-ignore format: a table
  it.each([
    ['as an entry’s subject',           { content: [{ _type: 'EVALUATION', subject: party('https://fhir.nhs.uk/Id/nhs-number') }] }],
    ['by a number’s name with spaces',  { content: [{ subject: party(' https://fhir.nhs.uk/Id/nhs-number ') }] }],
    ['by a number’s other name',        { content: [{ subject: party('urn:oid:2.16.840.1.113883.2.1.4.1') }] }],
    ['by a scheme',                     { context: { participations: [{ performer: party('local', { ...number, scheme: 'https://fhir.nhs.uk/Id/nhs-number' }) }] } }],
    ['by an identifier',                { content: [{ provider: { _type: 'PARTY_IDENTIFIED', identifiers: [{ issuer: 'x', type: 'https://fhir.nhs.uk/Id/nhs-number', id: WINSTON.nhsNumber }] } }] }],
    ['by an identifier’s issuer',       { context: { participations: [{ performer: { identifiers: [{ id: 'x' }, { issuer: 'urn:oid:2.16.840.1.113883.2.1.4.1', id: WINSTON.nhsNumber }] } }] } }],
    ['by a link to their EHR',          link(`ehr://${WINSTON.ehrId}/compositions/${THEIR_OBJECT}`)],
    ['by a link through a system',      { content: [link(`EHR://sys/${WINSTON.ehrId}`)] }],
    ['by a link before their own',      link(`ehr://${WINSTON.ehrId}/${PEGGY.ehrId}/compositions`)],
    ['by a link within the system',     link(`ehr:/${WINSTON.ehrId}/compositions/${THEIR_OBJECT}`)],
    ['by a link without a slash',       { content: [link(` EHR:${WINSTON.ehrId.toUpperCase()}`)] }],
    ['by a link beside their own',      link(`ehr://${WINSTON.ehrId}/x?${PEGGY.ehrId}`)],
    ['by an address of ours',           link(`https://gateway.example/openehr/v1/ehr/${WINSTON.ehrId}/composition/${THEIR_OBJECT}`)],
    ['by an address behind their own',  link(`/openehr/v1/ehr/${PEGGY.ehrId}/../../ehr/${WINSTON.ehrId.toUpperCase()}`)],
  ])('is refused: %s', async (_where, more) => {
    const composition = {
      ...{ _type: 'COMPOSITION', ...more },
      archetype_details: { template_id: { value: 'care-plan::contacts.v1' } },
    }
    const audit = { change_type: { defining_code: { code_string: '249' } } }
    const versions = [{ commit_audit: audit, data: composition }]
    for (const [path, body] of [
      ['composition', composition],
      ['contribution', { versions, audit: {} }],
    ] as const)
      expect([path, (await send('POST', `${MINE}/${path}`, body)).status]).toEqual([path, 422])
    const put = await send('PUT', `${MINE}/composition/${OBJECT}`, composition, {
      'if-match': `"${OBJECT}::sys::1"`,
    })
    expect(put.status).toBe(422)
    expect(world.upstream.filter(isWrite)).toEqual([])
  })

  it('is not the patient’s own number, nor a relative’s, nor a link within the EHR', async () => {
    const own = party('https://fhir.nhs.uk/Id/nhs-number', { value: PEGGY.nhsNumber })
    const known = (_type: string, id: string) => ({
      ...{ _type, identifiers: [{ _type: 'DV_IDENTIFIER', id, type: own.external_ref.namespace }] },
    })
    for (const more of [
      { content: [{ subject: own }] },
      { content: [{ provider: known('PARTY_IDENTIFIED', PEGGY.nhsNumber) }] },
      { content: [{ subject: known('PARTY_RELATED', WINSTON.nhsNumber) }] },
      link(`ehr://sys/${PEGGY.ehrId}/x`),
      link(`ehr:/${PEGGY.ehrId}/compositions/${OBJECT}`),
      link(`ehr:compositions/${OBJECT}`),
      link(`https://gateway.example/openehr/v1/ehr/${PEGGY.ehrId}/composition/${OBJECT}`),
      { content: [{ value: `see /ehr/${WINSTON.ehrId} in words` }] },
    ]) {
      const body = {
        ...{ _type: 'COMPOSITION', ...more },
        archetype_details: { template_id: { value: 'care-plan::contacts.v1' } },
      }
      expect((await send('POST', `${MINE}/composition`, body)).status).not.toBe(422)
    }
  })
})

describe('bodies that two readers could read differently', () => {
  it('judges the last of repeated members, and sends on that one alone', async () => {
    const open = 'care-plan::contacts.v1'
    const closed = 'care-plan::resuscitation.v1'
    world.allowed = ({ resource }) => resource.id !== 'resuscitation'
    const details = (id: string) => `"archetype_details":{"template_id":{"value":"${id}"}}`
    const post = (first: string, last: string) =>
      send(
        'POST',
        `${MINE}/composition`,
        `{"_type":"COMPOSITION",${details(first)},${details(last)}}`,
      )
    expect((await post(open, closed)).status).toBe(403)
    expect(world.upstream.filter(isWrite)).toEqual([])
    const version = (first: string, last: string) =>
      `{"versions":[{"commit_audit":{"change_type":{"defining_code":{"code_string":"${first}","code_string":"${last}"}}},"data":{"_type":"COMPOSITION",${details(closed)},${details(open)}}}],"audit":{}}`
    record.choices = [4]
    await send('POST', `${MINE}/contribution`, version('523', '249'))
    for (const { body } of world.upstream.filter(isWrite))
      expect(body).not.toMatch(/resuscitation|"523"/)
    expect((await send('POST', `${MINE}/contribution`, version('249', '523'))).status).toBe(400)
  })

  it.each([
    ['a number without end, which would go on as null', '1e999'],
    ['a number that would go on as nought', '1e-999'],
  ])('refuses %s', async (_, magnitude) => {
    const composition = `{"_type":"COMPOSITION","archetype_details":{"template_id":{"value":"care-plan::contacts.v1"}},"content":[{"magnitude":${magnitude}}]}`
    const version = `{"versions":[{"commit_audit":{"change_type":{"defining_code":{"code_string":"249"}}},"data":${composition}}],"audit":{}}`
    expect((await send('POST', `${MINE}/composition`, composition)).status).toBe(400)
    expect((await send('POST', `${MINE}/contribution`, version)).status).toBe(400)
    expect(world.upstream.filter(isWrite)).toEqual([])
  })

  it.each([
    ['a prototype', '{"__proto__":{"q":"SELECT"},"query_parameters":{}}'],
    ['a member of every object', '{"query_parameters":{"constructor":"x"}}'],
    ['a list for a query', '[]'],
    ['another member', '{"q":"SELECT c FROM EHR e CONTAINS COMPOSITION c","ehr_id":"x"}'],
    ['a number for a query', '{"q":1}'],
    [
      'a parameter of parts',
      '{"q":"SELECT c FROM EHR e CONTAINS COMPOSITION c","query_parameters":{"a":["x"]}}',
    ],
    [
      'a parameter with a strange name',
      '{"q":"SELECT c FROM EHR e CONTAINS COMPOSITION c","query_parameters":{"a b":"x"}}',
    ],
  ])('refuses %s', async (_, body) => {
    for (const path of ['aql', 'care-plan::sections'])
      if (!(path !== 'aql' && body.includes('prototype')))
        expect([400, 403, 404]).toContain(
          (await send('POST', `${BASE}/query/${path}`, body)).status,
        )
    expect(world.upstream).toEqual([])
  })
})

describe('queries that apps write', () => {
  const ask = (q: string) => send('POST', `${BASE}/query/aql`, { q })
  const ALL = 'SELECT c, c/uid/value AS uid FROM EHR e CONTAINS COMPOSITION c'

  it('give the rows of this EHR and of sections that may be seen, as they were asked for', async () => {
    record.choices = [0]
    const answer = await ask(ALL)
    expect(answer.status).toBe(200)
    const { rows, columns, ...more } = JSON.parse(answer.text)
    expect(rows).toHaveLength(FORM.length)
    expect(columns.map(({ name }: { name: string }) => name)).toEqual(['#0', 'uid'])
    expect(more).toEqual({})
    expect(world.entries).toMatchObject([{ detail: { interaction: 'ad_hoc_query' } }])
    expect(world.upstream[0]?.body).toContain(`EHR e[ehr_id/value='${PEGGY.ehrId}']`)
  })

  it('cannot ask about hidden sections: their rows never match, and a server that gives them is not believed', async () => {
    record.choices = [0]
    world.allowed = ({ resource }) => resource.id !== 'prognosis'
    const answer = await ask(ALL)
    expect(answer.status).toBe(502)
    expect(leaks(answer, ['prognosis'])).toEqual([])
    expect(world.upstream[0]?.body).not.toContain('prognosis')
  })

  it('are given no row whose template is no text, or a list with one in it', async () => {
    const columns = ['#0', 'gw_ehr', 'gw_template_0'].map((name) => ({ name }))
    for (const template of [{ toString: 1 }, [FORM[0]?.template], null, 1]) {
      const odd = await openWorld((_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json' })
        res.end(JSON.stringify({ columns, rows: [['x', PEGGY.ehrId, template]] }))
      })
      odd.access = accessOf({ scope: SCOPE })
      const at = await front(odd)
      const body = JSON.stringify({ q: 'SELECT c/a FROM EHR e CONTAINS COMPOSITION c' })
      const answer = await raw(at, 'POST', `${BASE}/query/aql`, JSON_TYPE, body)
      expect([template, answer.status]).toEqual([template, 502])
      await close(at)
      await odd.end()
    }
  })

  it('say that something is hidden by what the role may see, never by what a condition found', async () => {
    record.choices = [4]
    world.allowed = ({ resource }) => resource.id !== 'prognosis'
    for (const q of [ALL, `${ALL} WHERE c/content/x = 'weeks'`])
      expect(JSON.parse((await ask(q)).text)).toMatchObject({ rows: [], __withheld: true })
  })

  it('need a scope of their own, and to be allowed at all', async () => {
    world.access = accessOf({ scope: SCOPE.replace('patient/aql-aql.s', '') })
    expect((await ask(ALL)).status).toBe(403)
    world.allowed = () => false
    world.access = accessOf({ scope: SCOPE })
    expect((await ask(ALL)).status).toBe(404)
    expect(world.upstream).toEqual([])
  })
})

describe('a record that is not well', () => {
  const giving =
    (status: number, body: string, headers: Record<string, string> = {}): RequestListener =>
    (_req, res) => {
      res.writeHead(status, { 'content-type': 'application/json', ...headers })
      res.end(body)
    }
  const READS = [
    ...[MINE, `${MINE}/ehr_status`, `${MINE}/directory`, `${MINE}/composition/${OBJECT}`],
    ...[`${MINE}/versioned_composition/${OBJECT}/version`, `${MINE}/contribution/${OBJECT}`],
    ...[`${BASE}/definition/template/adl1.4`, `${BASE}/query/${MEDICINES.name}`],
  ]
  it.each([
    ['redirects', giving(302, '', { location: 'http://127.0.0.1:1/' }), 502],
    ['garbage', giving(200, '{"canary-other'), 502],
    ['a page', giving(200, '<p>canary-other', { 'content-type': 'text/html' }), 502],
    ['eleven megabytes', giving(200, `{"x":"${'x'.repeat(11 * 1024 * 1024)}"}`), 502],
    ['its stack', giving(500, '{"stack":"canary-other"}'), 503],
    ['a refusal of our credential', giving(403, '{"message":"canary-other"}'), 502],
    ['nothing', () => undefined, 503],
    ['an end', (req: { socket: { destroy(): void } }) => req.socket.destroy(), 503],
  ] as [string, RequestListener, number][])(
    'answers plainly when it gives %s',
    async (name, listener, status) => {
      const bad = await openWorld(listener, name === 'nothing' ? 100 : 5_000)
      bad.access = accessOf({ scope: SCOPE })
      const at = await front(bad)
      for (const path of READS) {
        const answer = await raw(at, 'GET', path)
        expect([path, answer.status]).toEqual([path, status])
        expect(leaks(answer)).toEqual([])
        expect(answer.text).not.toContain(bad.origin)
      }
      await close(at)
      await bad.end()
    },
  )
})

it('no more is read beside each other for one answer than one of the record’s may hold', async () => {
  const half = `{"x":"${'x'.repeat(6 * 1024 * 1024)}"}`
  const at = await openWorld((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(half)
  })
  at.access = accessOf({ scope: SCOPE })
  const server = await front(at)
  for (const path of [`composition/${OBJECT}`, 'directory']) {
    expect((await raw(server, 'GET', `${MINE}/${path}`)).status).toBe(502)
    expect(at.entries.at(-1)?.detail?.why).toMatch(/more than can be judged at once/)
  }
  await close(server)
  await at.end()
})

describe('any request, to a record that holds itself to nothing', () => {
  const uids = PIECES.flatMap((piece) => [piece.object, uidOf(piece), uidOf(piece, 2)])
  const uid = fc.constantFrom(...uids, OBJECT, OBJECT, `${OBJECT}::sys::1`)
  const ehr = fc.constantFrom(OWN.ehr, OWN.ehr, OWN.ehr, OTHER.ehr, OTHER.ehr.toUpperCase())
  const path = fc
    .tuple(
      ehr,
      uid,
      fc.constantFrom(
        ...['', '/ehr_status', '/directory', '/composition', '/contribution', '/composition/U'],
        ...['/composition/U', '/versioned_composition/U', '/versioned_composition/U/version'],
        ...['/versioned_composition/U/version/U', '/versioned_composition/U/revision_history'],
        ...['/contribution/U', '/directory/U', '/ehr_status/U'],
      ),
    )
    .map(([one, id, rest]) => `/ehr/${one}${rest.replaceAll('U', id)}`)
  const other = fc.constantFrom(
    ...['/query/care-plan::sections', `/query/${MEDICINES.name}`, '/query/aql'],
    ...[
      '/definition/template/adl1.4',
      ...FORM.map(({ template }) => `/definition/template/adl1.4/${template}`),
    ],
  )
  const composition = fc
    .tuple(fc.constantFrom(...FORM), fc.option(uid))
    .map(([{ template }, id]) => ({
      ...{ _type: 'COMPOSITION', archetype_details: { template_id: { value: template } } },
      ...(id === null ? {} : { uid: { value: id } }),
    }))
  const change = fc
    .tuple(fc.constantFrom('249', '251', '251', '523'), fc.option(uid), fc.option(composition))
    .map(([code, id, data]) => ({
      commit_audit: { change_type: { defining_code: { code_string: code } } },
      ...(id === null ? {} : { preceding_version_uid: { value: id } }),
      ...(data === null || code === '523' ? {} : { data }),
    }))
  const aql = fc.constantFrom(
    ...[
      'SELECT c FROM EHR e CONTAINS COMPOSITION c',
      'SELECT c/a, c FROM EHR e CONTAINS COMPOSITION c',
    ],
    'SELECT a, b FROM EHR e CONTAINS (COMPOSITION a AND COMPOSITION b)',
    `SELECT c FROM EHR e[ehr_id/value='${OTHER.ehr}'] CONTAINS COMPOSITION c`,
  )
  const body = fc.oneof(
    composition,
    fc.array(change, { minLength: 1, maxLength: 3 }).map((versions) => ({ versions, audit: {} })),
    aql.map((q) => ({ q })),
    ehr.map((ehr_id) => ({ query_parameters: { ehr_id } })),
    fc.constant({}),
  )
  const asked = fc.record({
    method: fc.constantFrom('GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'),
    path: fc.oneof({ weight: 3, arbitrary: path }, { weight: 1, arbitrary: other }),
    body,
  })
  const written = fc.record({
    method: fc.constant('POST'),
    path: fc.constant('/query/aql'),
    body: aql.map((q) => ({ q })),
  })
  const requests = fc.record({
    call: fc.oneof({ weight: 5, arbitrary: asked }, { weight: 1, arbitrary: written }),
    prefer: fc.constantFrom('return=representation', 'return=minimal'),
    version: uid,
    hidden: fc.subarray(FORM.map(({ id }) => id)),
    choices: fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }),
  })

  it('gives nothing of another patient, and nothing of a section that the role may not see', async () => {
    const given = new Map<number, number>()
    await fc.assert(
      fc.asyncProperty(requests, async ({ hidden, choices, call, ...sent }) => {
        world.allowed = ({ resource }) => !hidden.includes(resource.id)
        record.choices = choices
        const answer = await send(
          call.method,
          `${BASE}${call.path}`,
          call.method === 'GET' ? undefined : call.body,
          { prefer: sent.prefer, 'if-match': `"${sent.version}"` },
        )
        given.set(answer.status, (given.get(answer.status) ?? 0) + 1)
        expect(answer.status).not.toBe(500)
        // What the client itself named may come back to it.
        expect(leaks(answer, hidden).filter((word) => !call.path.includes(word))).toEqual([])
      }),
      { numRuns: 1_500 },
    )
    // It was not only refused: some of what was asked was given.
    for (const status of [200, 400, 403, 404, 502]) expect([...given.keys()]).toContain(status)
    expect(given.get(200)).toBeGreaterThan(30)
  }, 120_000)
})

describe('a forged source', () => {
  const claim = {
    _type: 'FEEDER_AUDIT',
    originating_system_item_ids: [{ _type: 'DV_IDENTIFIER', id: 'Condition/p1', issuer: 'GP' }],
    originating_system_audit: { _type: 'FEEDER_AUDIT_DETAILS', system_id: 'gp-push' },
    feeder_system_audit: { system_id: 'gateway.example', version_id: 'lch_test' },
  }
  const element = (more: object = { feeder_audit: claim }) => ({
    ...{ _type: 'ELEMENT', archetype_node_id: 'at0002' },
    ...{ value: { _type: 'DV_TEXT', value: 'Nothing wrong' }, ...more },
  })
  const composition = (more: object, item: object = element({})) => ({
    _type: 'COMPOSITION',
    archetype_details: { template_id: { value: 'care-plan::prognosis.v1' } },
    content: [{ _type: 'EVALUATION', data: { _type: 'ITEM_TREE', items: [item] } }],
    ...more,
  })
  const forged = composition({}, element())

  // biome-ignore format: a table
  it.each<[string, object]>([
    ['of a value',                   forged],
    ['of the whole composition',     composition({ feeder_audit: claim })],
    ['of no launch',                 composition({ feeder_audit: { originating_system_audit: { system_id: 'EMIS' } } })],
    ['as a text',                    composition({ feeder_audit: 'gp-push' })],
    ['in a list of lists',           composition({ content: [[[element()]]] })],
    ['beside the content',           composition({ context: { other_context: { items: [element()] } } })],
    ['of a value without a type',    composition({}, { ...element(), _type: undefined })],
  ])('%s is refused, created or changed, alone or with others', async (_, body) => {
    const own = PIECES.find(({ owner, section }) => owner === OWN && section === 'prognosis')
    const version = own === undefined ? '' : uidOf(own)
    const change = { change_type: { defining_code: { code_string: '251' } } }
    const versions = [{ commit_audit: change, preceding_version_uid: { value: version }, data: body }]
    record.choices = [0]
    const answers = [
      await send('POST', `${MINE}/composition`, body),
      await send('PUT', `${MINE}/composition/${own?.object}`, body, { 'if-match': `"${version}"` }),
      await send('POST', `${MINE}/contribution`, { versions, audit: {} }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 422])
    expect(world.upstream.filter(isWrite)).toEqual([])
    expect(world.entries.map(({ refusal }) => refusal)).toEqual(Array(3).fill('provenance_unproven'))
  })
})
