/**
 * Attacks on FHIR: what is sent, and what a record may answer, to every interaction. One rule for all: nothing of
 * another patient leaves, and nothing that names one is written. The store has no part in it: there is none.
 */
import type { RequestListener, Server, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FHIR_TYPES, type FhirType, rowOf } from '../../src/core/fhir-types.js'
import { type RawAnswer, raw as sent } from '../proxy/raw.js'
import {
  accessOf,
  close,
  IN_CONTEXT,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from '../proxy/world.js'

type Json = Record<string, unknown>

/** Exactly as written, and from where the chart is. */
const raw = (
  server: Server,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<RawAnswer> => sent(server, method, path, { ...IN_CONTEXT, ...headers }, body)

const me = PEGGY.fhirId
const other = WINSTON.fhirId
/** Stands in all that is another patient's, and in nothing that is sent. */
const CANARY = 'canary-of-another'
const FHIR_JSON = { 'content-type': 'application/fhir+json' }
const PATCH_JSON = { 'content-type': 'application/json-patch+json' }
const VERSION = { 'if-match': 'W/"1"' }

/** `body` is what reached the record. */
let answers: (...told: [...Parameters<RequestListener>, body: string]) => unknown
let world: World
let server: Server
/** What was sent on to the record to be written. */
const written: string[] = []
const behind: RequestListener = (req, res) => {
  text(req).then((body) => {
    if (req.method !== 'GET' && !req.url?.includes('_search'))
      written.push(`${req.method} ${req.url} ${body}`)
    answers(req, res, body)
  })
}
const front = ({ app }: World): Promise<Server> =>
  new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
  })
beforeAll(async () => {
  world = await openWorld(behind)
  server = await front(world)
})
afterAll(async () => {
  await close(server)
  await world.end()
})
beforeEach(() => {
  world.access = accessOf({ scope: 'patient/*.cruds' })
  world.allowed = () => true
  world.upstream.length = 0
  world.entries.length = 0
  written.length = 0
})

const give = (
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) => {
  res.writeHead(status, { 'content-type': 'application/fhir+json', ...headers })
  res.end(typeof body === 'string' ? body : JSON.stringify(body))
}
const answering =
  (body: unknown, status = 200, headers: Record<string, string> = {}): RequestListener =>
  (_req, res) =>
    give(res, status, body, headers)

const about = (type: string, id: string, patient: string, more: Json = {}): Json => {
  const { whose } = rowOf(type as FhirType)
  const subject = { reference: `Patient/${patient}` }
  const own = whose === 'self' || whose === 'directory' ? {} : { [whose]: subject }
  const canary = patient === me ? {} : { note: [{ text: CANARY }] }
  return { resourceType: type, id, meta: { versionId: '1' }, ...own, ...canary, ...more }
}
const mine = about('Condition', 'c1', me)
const theirs = about('Condition', 'c1', other)
const searchset = (...resources: Json[]) => ({
  ...{ resourceType: 'Bundle', type: 'searchset', total: resources.length },
  entry: resources.map((resource) => ({ resource, search: { mode: 'match' } })),
})
const history = (...resources: Json[]) => ({
  ...{ resourceType: 'Bundle', type: 'history' },
  entry: resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: 'Condition/c1' },
  })),
})
const responded = (...entry: Json[]) => ({
  resourceType: 'Bundle',
  type: 'transaction-response',
  entry,
})
const done = (status: string, location: string, resource?: Json) => ({
  response: { status, location, etag: 'W/"2"' },
  ...(resource === undefined ? {} : { resource }),
})
const withoutMeta = ({ meta: _meta, ...rest }: Json): Json => rest
const transaction = JSON.stringify({
  ...{ resourceType: 'Bundle', type: 'transaction' },
  entry: [{ request: { method: 'POST', url: 'Condition' }, resource: withoutMeta(mine) }],
})

describe('asking in other words', () => {
  // biome-ignore format: a table
  it.each([
    ['plain dots',                      'GET',    `/fhir/Condition/c1/../../Patient/${other}`],
    ['encoded dots',                    'GET',    `/fhir/Condition/%2e%2e/Patient/${other}`],
    ['double encoding',                 'GET',    `/fhir/Condition/c1%252f_history`],
    ['a matrix parameter',              'GET',    `/fhir/Condition/c1/_history;patient=${other}`],
    ['a matrix parameter on _search',   'POST',   `/fhir/Condition/_search;x=1`],
    ['an encoded underscore twice',     'POST',   `/fhir/Condition/%255fsearch`],
    ['a compartment search by form',    'POST',   `/fhir/Patient/${other}/Condition/_search`],
    ['a system search by form',         'POST',   `/fhir/_search`],
    ['everything',                      'POST',   `/fhir/Patient/${me}/$everything`],
    ['everything, encoded',             'GET',    `/fhir/Patient/${me}/%24everything`],
    ['everything of everybody',         'GET',    `/fhir/Patient/$everything`],
    ['GraphQL',                         'POST',   `/fhir/$graphql`],
    ['GraphQL on one',                  'GET',    `/fhir/Patient/${me}/$graphql?query={id}`],
    ['an export',                       'GET',    `/fhir/$export`],
    ['a meta operation',                'POST',   `/fhir/Condition/c1/$meta-delete`],
    ['an expunge',                      'POST',   `/fhir/Condition/c1/$expunge`],
    ['a conversion',                    'POST',   `/fhir/$convert`],
    ['a history of all',                'GET',    `/fhir/_history`],
    ['a history of a type',             'GET',    `/fhir/Condition/_history`],
    ['a history of a patient’s own',    'GET',    `/fhir/Patient/${other}/_history`],
    ['a version of another patient',    'GET',    `/fhir/Patient/${other}/_history/1`],
    ['opaque pages',                    'GET',    `/fhir?_getpages=x&_getpagesoffset=0`],
    ['a deletion of all',               'DELETE', `/fhir/Condition`],
    ['a deletion of another’s',         'DELETE', `/fhir/Condition?patient=${other}&code=1`],
    ['a deletion by an include',        'DELETE', `/fhir/Condition?_include=*`],
    ['a write by condition on another', 'PUT',    `/fhir/Condition?patient=${other}&code=1`],
    ['a write of the patient',          'PUT',    `/fhir/Patient/${me}`],
    ['a write of a practitioner',       'PUT',    `/fhir/Practitioner/1`],
    ['a merge',                         'POST',   `/fhir/Patient/$merge`],
    ['a subscription',                  'POST',   `/fhir/Subscription`],
    ['a binary',                        'GET',    `/fhir/Binary/b1`],
    ['an audit event',                  'GET',    `/fhir/AuditEvent?patient=${me}`],
    ['letters that look alike',         'GET',    `/fhir/%D0%A1ondition/c1`],
    ['dots of full width',              'GET',    `/fhir/Condition/%EF%BC%8E%EF%BC%8E/Patient/${other}`],
    ['a slash of full width',           'GET',    `/fhir/Condition/c1%EF%BC%8F_history`],
    ['a NUL',                           'GET',    `/fhir/Condition/c1%00`],
    ['an id without end',               'GET',    `/fhir/Condition/${'1'.repeat(65)}`],
    ['a slash too many',                'GET',    `/fhir//Patient/${other}`],
    ['a slash at the end',              'GET',    `/fhir/Condition/c1/`],
    ['an address of another server',    'GET',    `http://evil.example/fhir/Patient/${other}`],
    ['a parameter twice, one encoded',  'GET',    `/fhir/Condition?patient=${me}&%70atient=${other}`],
    ['an include that goes on',         'GET',    `/fhir/Encounter?_include%3Aiterate=Encounter:subject`],
    ['an include of the patient',       'GET',    `/fhir/Encounter?_include=Encounter:service-provider:Patient`],
    ['an include in capitals',          'GET',    `/fhir/Encounter?_INCLUDE=Encounter:subject`],
    ['what includes it',                'GET',    `/fhir/Condition?_revinclude=Observation:focus`],
    ['what has it, encoded',            'GET',    `/fhir/Condition?%5fhas%3AObservation%3Apatient%3Acode=1`],
    ['an offset past all numbers',      'GET',    `/fhir/Condition?_offset=99999999999999999999`],
    ['a list of ids',                   'GET',    `/fhir/Condition?_id=c1,c2`],
    ['a condition of another’s',        'PUT',    `/fhir/Condition?_id=c1&patient=Patient/${other}`],
  ])('refuses %s before the record hears of it', async (_what, method, path) => {
    answers = answering(searchset(theirs))
    const body = method === 'PUT' ? JSON.stringify(withoutMeta(mine)) : undefined
    const answer = await raw(server, method, path, { ...FHIR_JSON, ...VERSION }, body)
    expect([400, 403, 404]).toContain(answer.status)
    expect(answer.text).not.toContain(CANARY)
    expect(world.upstream).toEqual([])
  })

  it.each([
    'x-http-method-override',
    'x-http-method',
    'x-method-override',
    'x_http_method_override',
  ])('refuses a method changed by %s, on every method', async (name) => {
    answers = answering(mine)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await raw(server, method, '/fhir/Condition/c1', { [name]: 'GET' })).status).toBe(403)
    expect(world.upstream).toEqual([])
  })

  it('sends on no header of a client but the version, rewritten by us', async () => {
    answers = (req, res) =>
      give(res, 200, { ...mine, meta: { versionId: req.method === 'PUT' ? '2' : '1' } })
    const smuggled = {
      ...{
        'x-patient': other,
        forwarded: `for=${other}`,
        'x-forwarded-host': 'evil',
        cookie: 'a=b',
        prefer: 'respond-async',
      },
      ...{
        'x-original-url': `/fhir/Patient/${other}`,
        'x-rewrite-url': '/x',
        'x-provenance': CANARY,
        'if-none-match': '*',
      },
    }
    const body = JSON.stringify(withoutMeta(mine))
    const answer = await raw(
      server,
      'PUT',
      '/fhir/Condition/c1',
      { ...FHIR_JSON, ...VERSION, ...smuggled },
      body,
    )
    expect(answer.status).toBe(200)
    for (const { headers } of world.upstream)
      for (const name of Object.keys(smuggled).filter((each) => each !== 'prefer'))
        expect(headers).not.toHaveProperty(name)
    expect(world.upstream.at(-1)?.headers).toMatchObject({
      'if-match': 'W/"1"',
      prefer: 'return=representation',
    })
  })
})

describe('a body that two readers could read differently', () => {
  // biome-ignore format: a table
  it.each([
    ['a member twice',              'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${other}"},"subject":{"reference":"Patient/${me}"}}`],
    ['a member twice, one escaped', 'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${me}"},"\\u0073ubject":{"reference":"Patient/${other}"}}`],
    ['a member twice, deep inside', 'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${me}","reference":"Patient/${me}"}}`],
    ['__proto__',                   'POST',  FHIR_JSON,  `{"resourceType":"Condition","__proto__":{"subject":{"reference":"Patient/${me}"}}}`],
    ['an operation’s path twice',   'PATCH', PATCH_JSON, '[{"op":"remove","path":"/note","path":"/subject"}]'],
    ['a number without end',        'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${me}"},"onsetAge":{"value":1e999}}`],
    ['half a character',            'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${me}"},"note":[{"text":"\\ud83d"}]}`],
    ['the other half',              'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${me}"},"note":[{"text":"\\uDE00\\ud83d"}]}`],
    ['half a character as a name',  'POST',  FHIR_JSON,  `{"resourceType":"Condition","subject":{"reference":"Patient/${me}"},"a\\uD800":1}`],
    ['half a character in a patch', 'PATCH', PATCH_JSON, '[{"op":"add","path":"/note","value":"\\udc00"}]'],
    ['two documents',               'POST',  FHIR_JSON,  '{"resourceType":"Condition"}{"resourceType":"Condition"}'],
    ['a comment',                   'POST',  FHIR_JSON,  '{"resourceType":"Condition"/*,*/}'],
    ['another type of body',        'POST',  { 'content-type': 'application/fhir+xml' }, '<Condition/>'],
    ['a form',                      'POST',  { 'content-type': 'application/x-www-form-urlencoded' }, 'resourceType=Condition'],
    ['no type of body',             'POST',  {}, '{"resourceType":"Condition"}'],
    ['a compressed body',           'POST',  { ...FHIR_JSON, 'content-encoding': 'gzip' }, '{}'],
    ['a list',                      'POST',  FHIR_JSON,  '[]'],
    ['null',                        'POST',  FHIR_JSON,  'null'],
    ['five thousand levels',        'POST',  FHIR_JSON,  `{"resourceType":"Condition","x":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ] as [string, string, Record<string, string>, string][])('is refused: %s', async (_what, method, headers, body) => {
    answers = answering(mine)
    const path = method === 'POST' ? '/fhir/Condition' : '/fhir/Condition/c1'
    expect((await raw(server, method, path, headers, body)).status).toBe(400)
    expect(written).toEqual([])
  })

  const told = JSON.stringify({ ...withoutMeta(mine), note: [{ text: 'Café' }] })
  const seven = told.replace(/[^\w,: ]/g, (letter) => {
    const code = Buffer.from(letter, 'utf16le').swap16().toString('base64').replace(/=+$/, '')
    return `+${code}-`
  })
  // biome-ignore format: a table
  it.each<[string, string, Buffer]>([
    ['letters of sixteen bits',               '; charset=utf-16le',       Buffer.from(told, 'utf16le')],
    ['letters of seven bits',                 '; charset=utf-7',          Buffer.from(seven)],
    ['another alphabet, that says so',        '; charset="iso-8859-1"',   Buffer.from(told, 'latin1')],
    ['another alphabet, that says it is not', '; charset=utf-8',          Buffer.from(told, 'latin1')],
    ['another alphabet, that says nothing',   '',                         Buffer.from(told, 'latin1')],
    ['two alphabets',                         '; charset=utf-8; charset=utf-7', Buffer.from(seven)],
    ['a letter that ends too early',          '',                         Buffer.from(told.replace('é', '\u00ff'), 'latin1')],
    ['half a pair',                           '',                         Buffer.from(told.replace('é', '\u00ed\u00a0\u0080'), 'latin1')],
  ])('is refused in %s', async (_what, charset, body) => {
    answers = (_req, res) => give(res, 201, mine, { location: 'Condition/c1/_history/1' })
    const type = { 'content-type': `application/fhir+json${charset}` }
    expect((await raw(server, 'POST', '/fhir/Condition', type, body)).status).toBe(400)
    expect(written).toEqual([])
    const fine = { 'content-type': 'application/fhir+json; charset=UTF-8' }
    expect((await raw(server, 'POST', '/fhir/Condition', fine, told)).status).toBe(201)
    expect(written[0]).toContain('Café')
  })

  it('is not refused for whole characters, nor for words that look like half of one', async () => {
    answers = (_req, res) => give(res, 201, mine, { location: 'Condition/c1/_history/1' })
    const body = JSON.stringify({ ...withoutMeta(mine), note: [{ text: '\\ud83d 😀 X' }] })
    const escaped = body.replace('X', '\\ud83d\\ude00')
    expect((await raw(server, 'POST', '/fhir/Condition', FHIR_JSON, escaped)).status).toBe(201)
    expect(JSON.parse(written[0]?.split(' ').slice(2).join(' ') ?? '').note).toEqual([
      { text: '\\ud83d 😀 😀' },
    ])
  })

  it('is refused when it is too large', async () => {
    const body = JSON.stringify({ ...mine, x: 'x'.repeat(1024 * 1024) })
    expect((await raw(server, 'POST', '/fhir/Condition', FHIR_JSON, body)).status).toBe(413)
  })
})

describe('a text that keeps its reader busy', () => {
  /** As long as a body may be: a linear reader is done with it in a moment, a quadratic one not in a test's time. */
  const LENGTH = 1_000_000
  // biome-ignore format: a table
  it.each([
    ['an address that goes on for ever, and is none', 'x://', 'Patient/a/', ' x'],
    ['an address in an address',                      '',     'Patient/a?', '\tx'],
    ['conditions',                                    'Ab?',  'a=b?',       ' x'],
    ['digits',                                        '1',    '1.0',        'x'],
    ['spaces',                                        '',     ' ',          '1'],
    ['quotes',                                        '',     '\\"',        ''],
  ])('is judged at once: %s', async (_, head, run, end) => {
    answers = (req, res) =>
      give(res, req.method === 'GET' ? 200 : 201, mine, { location: 'Condition/c1', etag: 'W/"1"' })
    const told = `${head}${run.repeat(LENGTH / (JSON.stringify(run).length - 2))}${end}`
    for (const name of ['valueUri', 'reference']) {
      const { status } = await write({ ...mine, extension: [{ url: 'x', [name]: told }] })
      expect([201, 400, 422]).toContain(status)
    }
  })
})

describe('what has no text of its own, where one is expected', () => {
  const odd = { toString: 1, valueOf: 1, toJSON: 1 }
  // biome-ignore format: a table
  it.each<[string, string, string, Json]>([
    ['for a label’s code',      'PUT',  '/Condition/c1', { ...mine, meta: { security: [{ code: odd }] } }],
    ['for a label’s system',    'PUT',  '/Condition/c1', { ...mine, meta: { security: [{ system: odd, code: 'N' }] } }],
    ['for a type deep inside',  'POST', '/Condition',    { ...withoutMeta(mine), note: [{ resourceType: odd }] }],
  ])('is a fault of nobody’s: %s', async (_where, method, path, resource) => {
    answers = (req, res) =>
      give(res, req.method === 'POST' ? 201 : 200, { ...mine, meta: { versionId: req.method === 'GET' ? '1' : '2' } }, { location: 'Condition/c1/_history/1' })
    const { status } = await raw(server, method, `/fhir${path}`, { ...FHIR_JSON, ...VERSION }, JSON.stringify(resource))
    expect([200, 201, 400, 422]).toContain(status)
  })

  it('is no label either: what a server leaves aside keeps none', async () => {
    const label = { system: 's', code: 'R' }
    answers = answering({ ...mine, meta: { versionId: '1', security: [label] } })
    for (const security of [['s|R'], [{ ...label, code: ['R'] }], ['"s","R"'], [[['s', 'R']]]]) {
      const changed = JSON.stringify({ ...mine, meta: { security } })
      const path = '/fhir/Condition/c1'
      const answer = await raw(server, 'PUT', path, { ...FHIR_JSON, ...VERSION }, changed)
      expect(answer.status).toBe(422)
      expect(world.entries.at(-1)?.refusal).toBe('label_missing')
    }
    expect(written).toEqual([])
  })
})

describe('a body of very many parts', () => {
  const filled = (head: string, part: string, tail: string) =>
    `${head}${Array.from({ length: Math.floor(1_000_000 / (part.length + 1)) }, () => part)}${tail}`
  const inside = (part: object) =>
    filled(
      JSON.stringify({ ...withoutMeta(mine), contained: [] }).slice(0, -2),
      JSON.stringify(part),
      ']}',
    )
  // biome-ignore format: a table
  it.each([
    ['resources inside it, of the patient', 'POST',  '/Condition',    FHIR_JSON,  inside({ resourceType: 'Flag', subject: { reference: `Patient/${me}` } }), 201],
    ['resources inside it, of nobody',      'POST',  '/Condition',    FHIR_JSON,  inside({ resourceType: 'Medication' }),                                    201],
    ['numbers',                             'POST',  '/Condition',    FHIR_JSON,  filled('{"resourceType":"Condition","note":[', '0', ']}'),                   413],
    ['operations of a patch',               'PATCH', '/Condition/c1', PATCH_JSON, filled('[', '{"op":"x"}', ']'),                                            413],
    ['entries of a bundle',                 'POST',  '/',             FHIR_JSON,  filled('{"resourceType":"Bundle","type":"batch","entry":[', '{}', ']}'),    413],
  ])('is judged at once: %s', async (_, method, path, headers, body, status) => {
    answers = (req, res) =>
      give(res, req.method === 'GET' ? 200 : 201, mine, { location: 'Condition/c1', etag: 'W/"1"' })
    expect((await raw(server, method, `/fhir${path}`, headers, body)).status).toBe(status)
  }, 20_000)
})

describe('a patch that keeps its reader busy', () => {
  it('tests a list in a time, and a room, that grow with its length, not with its square', async () => {
    const numbers = (first: number) => Array.from({ length: 15_000 }, (_, at) => first + at)
    answers = answering({ ...mine, note: numbers(1) })
    const patch = [{ op: 'test', path: '/note', value: numbers(100_001) }]
    const answer = await raw(
      server,
      'PATCH',
      '/fhir/Condition/c1',
      PATCH_JSON,
      JSON.stringify(patch),
    )
    expect(answer.status).toBe(422)
  }, 60_000)
})

describe('a patch that reaches beyond its resource', () => {
  // biome-ignore format: a table
  it.each([
    ['into what all objects share', '/toString/call'],
    ['into what they share, by a member', '/subject/hasOwnProperty/call'],
    ['into what all lists share', '/note/map/call'],
    ['into what all texts share', '/id/trim/call'],
    ['for a list without end', '/note/length'],
  ])('is refused, and all others are served as before: %s', async (_, path) => {
    const shared = [{}.toString, {}.hasOwnProperty, [].map, ''.trim]
    const standing = { ...mine, note: [{ text: 'a' }] }
    answers = answering(standing)
    const patch = (op: string) =>
      raw(server, 'PATCH', '/fhir/Condition/c1', PATCH_JSON, JSON.stringify([{ op, path, value: 4e9 }]))
    try {
      for (const op of ['add', 'replace']) expect((await patch(op)).status).toBe(422)
      for (const one of shared) expect(Object.hasOwn(one, 'call')).toBe(false)
      expect((await raw(server, 'GET', '/fhir/Condition/c1')).status).toBe(200)
      expect(written).toEqual([])
    } finally {
      for (const one of shared) Reflect.deleteProperty(one, 'call')
    }
  })
})

const write = (resource: Json) =>
  raw(server, 'POST', '/fhir/Condition', FHIR_JSON, JSON.stringify(withoutMeta(resource)))

describe('another patient in what is written', () => {
  const to = (reference: string) => ({ reference })
  // biome-ignore format: a table
  it.each([
    ['as its subject',                 { subject: to(`Patient/${other}`) }],
    ['as its subject, by a version',   { subject: to(`Patient/${other}/_history/1`) }],
    ['as its subject, behind a version', { subject: to(`Patient/${me}/_history/1/Patient/${other}`) }],
    ['as its subject, up from a version', { subject: to(`Patient/${me}/_history/../../Patient/${other}`) }],
    ['as its subject, beside a version', { subject: to(`Patient/${me}/_history/1?_id=${other}`) }],
    ['as its asserter, encoded',       { asserter: to(`Patient%2F${other}`) }],
    ['as its asserter, half encoded',  { asserter: to(`%50atient/${other}`) }],
    ['in an extension, by a canonical', { extension: [{ url: 'x', valueCanonical: `Patient/${other}|1` }] }],
    ['as its asserter, by a number’s other name', { asserter: { identifier: { system: 'urn:oid:2.16.840.1.113883.2.1.4.1', value: '9990000069' } } }],
    ['as its asserter, by a number’s other spelling', { asserter: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number/', value: '9990000069' } } }],
    ['by a number’s name with spaces around it', { identifier: [{ system: ' https://fhir.nhs.uk/Id/nhs-number\t', value: '9990000069' }] }],
    ['as its subject, elsewhere',      { subject: to(`https://evil.example/fhir/Patient/${me}`) }],
    ['as its subject, by a condition', { subject: to('Patient?identifier=9990000069') }],
    ['as its subject, by number',      { subject: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' } } }],
    ['beside its subject, by number',  { subject: { ...to(`Patient/${me}`), identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' } } }],
    ['as a list of subjects',          { subject: [to(`Patient/${me}`), to(`Patient/${other}`)] }],
    ['as its asserter',                { asserter: to(`Patient/${other}`) }],
    ['in evidence',                    { evidence: [{ detail: [to(`Patient/${other}`)] }] }],
    ['in an extension',                { extension: [{ url: 'x', valueReference: to(`Patient/${other}`) }] }],
    ['in an extension of a primitive', { _recordedDate: { extension: [{ url: 'x', valueUri: `Patient/${other}` }] } }],
    ['inside',                         { contained: [{ resourceType: 'Patient', id: 'p' }], asserter: to('#p') }],
    ['inside, as somebody’s',          { contained: [about('Observation', 'o', other)] }],
    ['in a note’s author',             { note: [{ authorReference: to(`Patient/${other}`) }] }],
    ['by number, as its own',          { identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' }] }],
    ['by number, in an extension',     { extension: [{ url: 'x', valueIdentifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069' } }] }],
    ['by number, inside',              { contained: [{ resourceType: 'Device', identifier: [{ system: 'urn:oid:2.16.840.1.113883.2.1.4.1', value: '9990000069' }] }] }],
    ['as who gave a relative’s number', { contained: [{ ...about('RelatedPerson', 'r', me), identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000069', assigner: to(`Patient/${other}`) }] }] }],
  ])('is refused: %s', async (_where, more) => {
    answers = answering(mine)
    expect((await write({ ...mine, ...more })).status).toBe(422)
    expect(world.upstream).toEqual([])
  })
})

it('a scope’s query is met by what stands where a server reads it, and nowhere else', async () => {
  answers = answering(mine, 201, { location: 'Observation/o1/_history/1' })
  const create = (type: string, more: Json) =>
    raw(
      server,
      'POST',
      `/fhir/${type}`,
      FHIR_JSON,
      JSON.stringify(withoutMeta(about(type, 'o1', me, more))),
    )
  const lab = { system: 's', code: 'laboratory' }
  world.access = accessOf({ scope: 'patient/Observation.crs?category=laboratory' })
  for (const category of [[lab], lab, [{ ...lab, coding: [] }], [{ ...lab, coding: lab }]])
    expect((await create('Observation', { category })).status).toBe(403)
  world.access = accessOf({ scope: 'patient/Encounter.crs?class=IMP' })
  expect((await create('Encounter', { class: { coding: [{ code: 'IMP' }] } })).status).toBe(403)
  expect(written).toEqual([])
  // A Coding and a CodeableConcept, as they are written.
  await create('Encounter', { class: { code: 'IMP' } })
  world.access = accessOf({ scope: 'patient/Observation.crs?category=laboratory' })
  await create('Observation', { category: [{ coding: [lab] }] })
  expect(written).toHaveLength(2)
})

it('a relative’s own NHS number is theirs to bear, and the patient’s own is nobody else’s', async () => {
  answers = (_req, res) => give(res, 201, mine, { location: 'Condition/c1/_history/1' })
  const numbered = (value: string) => [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value }]
  const relative = { ...about('RelatedPerson', 'r', me), identifier: numbered('9990000069') }
  for (const more of [
    { contained: [withoutMeta(relative)] },
    { identifier: numbered(PEGGY.nhsNumber) },
    { asserter: { identifier: numbered(PEGGY.nhsNumber)[0], type: 'Patient' } },
  ])
    expect((await write({ ...mine, ...more })).status).toBe(201)
})

describe('a record that answers wrongly', () => {
  const get = (path: string) => raw(server, 'GET', path)
  // biome-ignore format: a table
  it.each([
    ['a version of another patient',            '/fhir/Condition/c1/_history/1', theirs, 404],
    ['another version than asked',              '/fhir/Condition/c1/_history/2', mine, 502],
    ['a history with another patient in it',    '/fhir/Condition/c1/_history',   history(mine, theirs), 404],
    ['a history of another resource',           '/fhir/Condition/c1/_history',   history(about('Condition', 'c2', me)), 502],
    ['a history that is a search',              '/fhir/Condition/c1/_history',   searchset(mine), 502],
    ['a history without resources',             '/fhir/Condition/c1/_history',   { ...history(), entry: [{ fullUrl: CANARY, request: { method: 'PUT' } }] }, 502],
    ['a history of deletions alone',            '/fhir/Condition/c1/_history',   { ...history(), entry: [{ request: { method: 'DELETE' } }] }, 404],
    ['a history that goes on',                  '/fhir/Condition/c1/_history',   { ...history(mine), link: [{ relation: 'next', url: 'x' }] }, 502],
    ['another’s history that goes on',          '/fhir/Condition/c1/_history',   { ...history(theirs), link: [{ relation: 'next', url: 'x' }] }, 404],
    ['a history with less than its total',      '/fhir/Condition/c1/_history',   { ...history(mine), total: 2 }, 502],
    ['another patient inside',                  '/fhir/Condition/c1',            { ...mine, contained: [{ resourceType: 'Patient', id: 'p', name: CANARY }] }, 404],
    ['another’s observation inside',            '/fhir/Condition/c1',            { ...mine, contained: [about('Observation', 'o', other)] }, 404],
    ['another’s specimen inside',               '/fhir/Condition/c1',            { ...mine, contained: [{ resourceType: 'Specimen', id: 's', subject: { reference: `Patient/${other}` }, note: [{ text: CANARY }] }] }, 404],
    ['another’s device inside, by number',      '/fhir/Condition/c1',            { ...mine, contained: [{ resourceType: 'Device', id: 'd', patient: { type: 'Patient', identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: WINSTON.nhsNumber } }, note: CANARY }] }, 404],
    ['somebody else under the patient’s id',    `/fhir/Patient/${me}`,           { ...about('Patient', me, me), identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: WINSTON.nhsNumber }], name: [{ text: CANARY }] }, 404],
    ['somebody else under it, in a search',     '/fhir/Patient',                 searchset({ ...about('Patient', me, me), identifier: [{ system: 'urn:oid:2.16.840.1.113883.2.1.4.1', value: '999 000 0069' }], name: [{ text: CANARY }] }), 502],
    ['nothing, of another search',              '/fhir/Condition',               { ...searchset(), link: [{ relation: 'self', url: `https://gateway.example/fhir/AllergyIntolerance?patient=Patient/${me}` }] }, 502],
    ['nothing, of another patient',             '/fhir/Condition',               { ...searchset(), link: [{ relation: 'self', url: `http://elsewhere/fhir/Condition/_search?clinical-status=active&patient=Patient%2F${other}` }] }, 502],
    ['a bundle inside',                         '/fhir/Condition/c1',            { ...mine, contained: [searchset(theirs)] }, 404],
    ['somebody who did it in place of whose',   '/fhir/Observation/c1',          { ...about('Observation', 'c1', other), performer: [{ reference: `Patient/${me}` }] }, 404],
    ['an include that was not asked',           '/fhir/Condition',               { ...searchset(), entry: [{ resource: about('Practitioner', 'x', me), search: { mode: 'include' } }] }, 502],
    ['an include of another patient',           '/fhir/Encounter?_include=Encounter:service-provider', { ...searchset(), entry: [{ resource: { resourceType: 'Patient', id: other, name: CANARY }, search: { mode: 'include' } }] }, 502],
    ['one of another’s among matches',          '/fhir/Condition',               searchset(mine, theirs), 502],
    ['an include of no type',                   '/fhir/Encounter?_include=Encounter:service-provider', { ...searchset(), entry: [{ resource: { resourceType: { toString: 1 }, id: 'x' }, search: { mode: 'include' } }] }, 502],
    ['another type among matches',              '/fhir/Condition',               searchset(about('Observation', 'o', me)), 502],
    ['an outcome with an error',                '/fhir/Condition',               { ...searchset(), entry: [{ resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', diagnostics: CANARY }] }, search: { mode: 'outcome' } }] }, 502],
    ['a next page that leads back',             '/fhir/Condition?_offset=10',    { ...searchset(mine), link: [{ relation: 'next', url: `https://gateway.example/fhir/Condition?_offset=10` }] }, 502],
    ['a next page of its own making',           '/fhir/Condition',               { ...searchset(mine), link: [{ relation: 'next', url: 'https://evil.example/fhir?_getpages=x' }] }, 502],
  ] as [string, string, Json, number][])('is not believed: %s', async (_what, path, body, status) => {
    // What stands is in order where a version of it is asked for, so that it is the version that is judged.
    answers = (req, res) =>
      give(res, 200, req.url?.endsWith('/Condition/c1') && path.includes('_history') ? mine : body)
    const answer = await get(path)
    expect(answer.status).toBe(status)
    expect(answer.text).not.toContain(CANARY)
    expect(answer.text).not.toContain(other)
    expect(world.entries.map(({ what }) => what)).toEqual(['access_refused'])
  })

  it('spares no judgement and no entry for a validator: 304 is an answer to who may read', async () => {
    const asked = [{ 'if-none-match': '*' }, { 'if-none-match': 'W/"1"' }]
    for (const headers of asked) {
      world.entries.length = 0
      answers = answering(mine, 200, { etag: 'W/"1"' })
      const answer = await raw(server, 'GET', '/fhir/Condition/c1', headers)
      expect([answer.status, answer.text]).toEqual([304, ''])
      expect(world.entries.map(({ what }) => what)).toEqual(['access_allowed'])
      answers = answering(theirs, 200, { etag: 'W/"1"' })
      expect((await raw(server, 'GET', '/fhir/Condition/c1', headers)).status).toBe(404)
      world.trailFails = true
      answers = answering(mine, 200, { etag: 'W/"1"' })
      expect((await raw(server, 'GET', '/fhir/Condition/c1', headers)).status).toBe(500)
      world.trailFails = false
      world.access = accessOf({ scope: 'patient/Observation.r' })
      expect((await raw(server, 'GET', '/fhir/Condition/c1', headers)).status).toBe(403)
      world.access = accessOf({ scope: 'patient/*.cruds' })
    }
  })

  const whole = JSON.stringify(mine)
  const HEAD = 'content-type: application/fhir+json\r\n'
  const sized = `content-length: ${whole.length}\r\n\r\n${whole}`
  // biome-ignore format: a table
  it.each([
    ['a part for the whole',             `HTTP/1.1 206 Partial Content\r\n${HEAD}content-range: bytes 0-9/99\r\n${sized}`, 502],
    ['a length that is not reached',     `HTTP/1.1 200 OK\r\n${HEAD}content-length: ${whole.length + 1}\r\n\r\n${whole}`, 503],
    ['two lengths',                      `HTTP/1.1 200 OK\r\n${HEAD}content-length: 2\r\n${sized}`, 503],
    ['a piece of no size',               `HTTP/1.1 200 OK\r\n${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n${whole}\r\n0\r\n\r\n`, 503],
    ['letters of another alphabet',      Buffer.from(`HTTP/1.1 200 OK\r\n${HEAD}connection: close\r\n\r\n${whole.replace('{', '{"text":"\u00e9",')}`, 'latin1'), 502],
    ['headers without end',              `HTTP/1.1 200 OK\r\n${HEAD}x: ${'x'.repeat(100_000)}\r\n${sized}`, 503],
    ['another protocol',                 `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n${whole}`, 503],
    ['another type, after an early one', `HTTP/1.1 103 Early Hints\r\n${HEAD}\r\nHTTP/1.1 200 OK\r\ncontent-type: text/html\r\n${sized}`, 502],
    ['the answer, after many early ones', `${'HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n'.repeat(1_000)}HTTP/1.1 200 OK\r\n${HEAD}${sized}`, 200],
  ] as [string, string | Buffer, number][])('takes what comes over the wire for the answer, or for none: %s', async (_what, told, status) => {
    // A world of its own: a server that is down is left alone, whoever asks next.
    const alone = await openWorld((req) => req.socket.end(told))
    const at = await front(alone)
    alone.access = world.access
    const answer = await raw(at, 'GET', '/fhir/Condition/c1')
    expect(answer.status).toBe(status)
    if (status !== 200) expect(answer.text).not.toContain('resourceType":"Condition')
    await close(at)
    await alone.end()
  })

  // biome-ignore format: a table
  it.each<[string, (one: string, two: string) => [said: string, later: string]]>([
    ['too late',                             (one) => ['', one]],
    ['twice at once',                        (one, two) => [one + two, '']],
    ['with another behind it, as it says',   (one, two) => [one.replace(/content-length: \d+\r\n\r\n.*/s, 'content-length: 0\r\n\r\n') + two, '']],
    ['with another behind nothing at all',   (_one, two) => [`HTTP/1.1 204 No Content\r\n\r\n${two}`, '']],
    ['with half of another behind it',       (one, two) => [one + two.slice(0, 40), two.slice(40)]],
  ])('gives nobody the answer to somebody else’s call, when the record answers %s', async (_how, tell) => {
    const answer = (resource: Json) => {
      const whole = JSON.stringify(resource)
      return `HTTP/1.1 200 OK\r\n${HEAD}content-length: ${whole.length}\r\n\r\n${whole}`
    }
    const [said, later] = tell(answer(mine), answer({ ...mine, text: CANARY }))
    const waiting: (() => void)[] = []
    let calls = 0
    const alone = await openWorld((req, res) => {
      calls += 1
      if (calls > 1) return give(res, 200, mine)
      req.socket.on('error', () => undefined)
      if (said !== '') req.socket.write(said)
      waiting.push(() => void (later !== '' && req.socket.writable && req.socket.write(later)))
    }, 200)
    const at = await front(alone)
    alone.access = world.access
    await raw(at, 'GET', '/fhir/Condition/c1')
    const next = [1, 2, 3].map(() => raw(at, 'GET', '/fhir/Condition/c1'))
    for (const write of waiting) write()
    for (const { status, text: told } of await Promise.all(next)) {
      expect([status, told.includes(CANARY)]).toEqual([200, false])
    }
    await close(at)
    await alone.end()
  })

  it('reads a list of lists without end as nothing that a scope reaches', async () => {
    world.access = accessOf({ scope: 'patient/Observation.rs?category=laboratory' })
    const category = `${'['.repeat(50_000)}"laboratory"${']'.repeat(50_000)}`
    const whole = JSON.stringify(about('Observation', 'o1', me, { category: CANARY }))
    answers = answering(whole.replace(`"${CANARY}"`, category))
    expect((await get('/fhir/Observation/o1')).status).toBe(404)
  })

  it('brings nothing along that only a withheld resource names', async () => {
    const request = (id: string, drug: string, more: Json = {}) => ({
      ...about('MedicationRequest', id, me),
      medicationReference: { reference: drug },
      ...more,
    })
    const drug = (id: string, name: string) => ({
      resource: { resourceType: 'Medication', id, code: { text: name } },
      search: { mode: 'include' },
    })
    const label = { meta: { versionId: '1', security: [{ code: 'HIV' }] } }
    const { bases } = world.record
    const found = searchset(
      request('r1', `${bases.fhir}/Medication/m1/_history/1`),
      request('r2', 'Medication/m2', label),
      request('r3', 'Medication/m3'),
    )
    const brought = [drug('m1', 'aspirin'), drug('m2', CANARY), drug('m3', 'iron')]
    answers = answering({ ...found, entry: [...found.entry, ...brought] })
    world.allowed = ({ patient }) => !patient.sensitive
    const { text: said } = await get(
      '/fhir/MedicationRequest?_include=MedicationRequest:medication',
    )
    expect(said).not.toContain(CANARY)
    const ids = JSON.parse(said).entry.map(({ resource }: { resource: Json }) => resource.id)
    expect(ids).toEqual(['r1', 'r3', 'm1', 'm3'])
  })

  it('follows pages on which nothing may be shown so far and no further, and tells nothing of them', async () => {
    const label = { meta: { versionId: '1', security: [{ code: 'R' }] } }
    const next = (offset: number) => ({
      relation: 'next',
      url: `${world.record.bases.fhir}/Condition?patient=${me}&_offset=${offset}`,
    })
    const last = { offset: 0 }
    answers = (req, res) => {
      const asked = new URL(req.url ?? '', 'http://record').searchParams
      const offset = Number(asked.get('_offset') ?? 0)
      const found = searchset(about('Condition', `c${offset}`, me, label))
      give(res, 200, { ...found, link: offset < last.offset ? [next(offset + 1)] : [] })
    }
    world.allowed = ({ patient }) => !patient.sensitive
    last.offset = 2
    const { link, entry, total } = JSON.parse((await get('/fhir/Condition')).text)
    expect([link.length, entry, total]).toEqual([1, [], 0])
    const asked = world.upstream.map(({ url }) => new URL(url, 'http://record').searchParams)
    expect(asked.map((each) => [each.get('_offset'), each.get('_count')])).toEqual([
      [null, null],
      ['1', '100'],
      ['2', '100'],
    ])
    world.upstream.length = 0
    last.offset = Number.POSITIVE_INFINITY
    expect((await get('/fhir/Condition?_count=1')).status).toBe(502)
    expect(world.upstream).toHaveLength(50)
  })

  it('holds no more of a search’s pages than of one answer', async () => {
    const text = 'x'.repeat(4 * 1024 * 1024)
    answers = (req, res) => {
      const offset = Number(new URL(req.url ?? '', 'http://record').searchParams.get('_offset'))
      const url = `${world.record.bases.fhir}/Condition?patient=${me}&_offset=${offset + 1}`
      const link = offset < 2 ? [{ relation: 'next', url }] : []
      give(res, 200, { ...searchset(about('Condition', `c${offset}`, me, { text })), link })
    }
    world.allowed = ({ patient }) => !patient.sensitive
    expect((await get('/fhir/Condition')).status).toBe(502)
    expect(world.upstream).toHaveLength(3)
    expect(world.entries.at(-1)?.refusal).toBe('upstream_invalid')
  })

  it('lets no word of the record’s own for a page leave: the next page is the same search, further on', async () => {
    const link = (url: string) => [{ relation: 'next', url: `${world.record.bases.fhir}${url}` }]
    answers = answering({
      ...searchset(mine),
      total: 9,
      link: link(`?_getpages=${CANARY}&_getpagesoffset=20`),
    })
    const first = JSON.parse((await get('/fhir/Condition?clinical-status=active')).text)
    expect(first.link[1].url).toBe(
      `https://gateway.example/fhir/Condition?patient=Patient%2F${me}&clinical-status=active&_offset=1`,
    )
    expect(JSON.stringify(first)).not.toContain(CANARY)
    // A record that knows no offset would give the first page for ever.
    expect((await get('/fhir/Condition?clinical-status=active&_offset=1')).status).toBe(502)
    answers = answering({ ...searchset(mine), link: link('/Patient?_getpages=1') })
    expect((await get('/fhir/Condition')).status).toBe(502)
  })

  it('passes nothing on that stands beside what was judged', async () => {
    const link = [
      { relation: 'self', url: `https://gateway.example/fhir/Condition?code=${CANARY}` },
      { relation: 'next', url: `https://gateway.example/fhir/Condition?code=${CANARY}&_offset=1` },
      { relation: CANARY, url: 'https://gateway.example/fhir/Condition' },
    ]
    const entry = [
      {
        resource: mine,
        search: { mode: 'match', score: CANARY },
        fullUrl: CANARY,
        response: { location: CANARY },
      },
      {
        resource: {
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'information', diagnostics: CANARY }],
        },
        search: { mode: 'outcome' },
      },
    ]
    answers = answering(
      {
        ...searchset(mine),
        id: CANARY,
        meta: { tag: [{ code: CANARY }] },
        total: 77,
        link,
        entry,
        identifier: { value: CANARY },
        signature: CANARY,
      },
      200,
      { etag: `"${CANARY}"` },
    )
    const answer = await get('/fhir/Condition?clinical-status=active&_count=1')
    expect(answer.status).toBe(200)
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain(CANARY)
    const { total, link: links } = JSON.parse(answer.text)
    expect(total).toBeUndefined()
    const base = `https://gateway.example/fhir/Condition?patient=Patient%2F${me}&clinical-status=active&_count=1`
    expect(links).toEqual([
      { relation: 'self', url: base },
      { relation: 'next', url: `${base}&_offset=1` },
    ])
  })

  it('is not changed under another version than was judged, whichever of two it names', async () => {
    answers = answering(mine, 200, { etag: 'W/"2"' })
    const path = '/fhir/Condition/c1'
    expect((await get(path)).headers.etag).toBe('W/"1"')
    const put = JSON.stringify(mine)
    const patch = '[{"op":"add","path":"/note","value":[]}]'
    for (const version of ['W/"1"', 'W/"2"']) {
      const match = { 'if-match': version }
      const told = [
        await raw(server, 'PUT', path, { ...FHIR_JSON, ...match }, put),
        await raw(server, 'PATCH', path, { ...PATCH_JSON, ...match }, patch),
        await raw(server, 'DELETE', path, match),
      ]
      expect(told.map(({ status }) => status)).toEqual([502, 502, 502])
    }
    expect(written).toEqual([])
  })

  it('says that a write’s outcome is not known unless it is the plain yes of a new version of this patient', async () => {
    const sent = JSON.stringify(withoutMeta(mine))
    const changed = JSON.stringify({ ...withoutMeta(mine), note: [{ text: 'Worse.' }] })
    const two = { ...mine, meta: { versionId: '2' } }
    const deep = JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`)
    const rows: [string, string, string, Json | string, number, Record<string, string>, number][] =
      [
        ['POST', '/Condition', sent, mine, 201, {}, 201],
        ['POST', '/Condition', sent, theirs, 201, {}, 503],
        ['POST', '/Condition', sent, mine, 200, {}, 503],
        ['POST', '/Condition', sent, { ...mine, id: 'c1\r\nX-Evil: y' }, 201, {}, 503],
        [
          'POST',
          '/Condition',
          sent,
          { ...mine, meta: { versionId: '1"\r\nX-Evil: y' } },
          201,
          {},
          503,
        ],
        ['POST', '/Condition', sent, '', 201, {}, 503],
        ['POST', '/Condition', sent, '', 201, { location: `/Patient/${other}` }, 503],
        ['POST', '/Condition', sent, '<h1>x</h1>', 201, {}, 503],
        ['POST', '/Condition', sent, '', 302, { location: 'http://127.0.0.1:1/' }, 503],
        ['POST', '/Condition', sent, { stack: CANARY }, 500, {}, 503],
        ['POST', '/Condition', sent, { issue: CANARY }, 422, {}, 422],
        ['POST', '/Condition', sent, { issue: CANARY }, 400, {}, 422],
        ['PUT', '/Condition/c1', sent, two, 200, {}, 200],
        // Of what changes nothing a record need not make a version; of what does it must.
        ['PUT', '/Condition/c1', sent, mine, 200, {}, 200],
        ['PUT', '/Condition/c1', changed, mine, 200, {}, 503],
        // Done, if too deep to be told.
        ['PUT', '/Condition/c1', changed, { ...two, x: deep }, 200, {}, 200],
        ['PUT', '/Condition/c1', sent, two, 201, {}, 503],
        ['PUT', '/Condition/c1', sent, { ...theirs, meta: { versionId: '2' } }, 200, {}, 503],
        ['PUT', '/Condition/c1', sent, { ...two, id: 'c2' }, 200, {}, 503],
        ['PUT', '/Condition/c1', sent, { issue: CANARY }, 412, {}, 412],
        ['PUT', '/Condition/c1', sent, { issue: CANARY }, 409, {}, 412],
        ['PUT', '/Condition/c1', sent, { issue: CANARY }, 410, {}, 404],
        ['PATCH', '/Condition/c1', '[{"op":"add","path":"/x","value":1}]', theirs, 200, {}, 503],
        ['DELETE', '/Condition/c1', '', '', 204, {}, 204],
        ['DELETE', '/Condition/c1', '', '', 202, {}, 503],
        ['DELETE', '/Condition/c1', '', { issue: CANARY }, 409, {}, 422],
        ['DELETE', '/Condition/c1', '', { issue: CANARY }, 412, {}, 412],
        [
          'POST',
          '/',
          transaction,
          responded(done('201', 'Condition/c1/_history/2', two)),
          200,
          {},
          200,
        ],
        ['POST', '/', transaction, responded(done('201', 'Condition/c1/_history/2')), 200, {}, 200],
        [
          'POST',
          '/',
          transaction,
          responded(done('201', 'Condition/c1/_history/2', { ...theirs })),
          200,
          {},
          503,
        ],
        [
          'POST',
          '/',
          transaction,
          responded(done('200', 'Condition/c1/_history/2', two)),
          200,
          {},
          503,
        ],
        ['POST', '/', transaction, responded(done('201', `Patient/${other}`, two)), 200, {}, 503],
        ['POST', '/', transaction, responded(), 200, {}, 503],
        [
          'POST',
          '/',
          transaction,
          responded(done('201', 'Condition/c1', two), done('201', CANARY)),
          200,
          {},
          503,
        ],
        ['POST', '/', transaction, searchset(theirs), 200, {}, 503],
        ['POST', '/', transaction, { issue: CANARY }, 412, {}, 412],
      ]
    for (const [method, path, body, said, status, headers, expected] of rows) {
      answers = (req, res) =>
        req.method === 'GET' ? give(res, 200, mine) : give(res, status, said, headers)
      const types = method === 'PATCH' ? PATCH_JSON : FHIR_JSON
      written.length = 0
      const answer = await raw(server, method, `/fhir${path}`, { ...types, ...VERSION }, body)
      expect([method, path, said, answer.status]).toEqual([method, path, said, expected])
      expect(answer.text).not.toContain(CANARY)
      expect(answer.text).not.toContain(other)
      // Once, whatever came of it.
      expect(written).toHaveLength(1)
    }
  })

  it('says the same when it was lost on the way, and never sends a write again', async () => {
    answers = (req) => req.socket.destroy()
    expect((await write(mine)).text).toContain('It is not known whether')
    expect(written).toHaveLength(1)
    expect(world.entries.map(({ what }) => what)).toEqual(['access_allowed', 'access_refused'])
  })

  it('says the same when nothing was answered in time', async () => {
    answers = () => undefined
    // It must have been sent by then, on a busy machine too.
    const hasty = await openWorld(behind, 1_000)
    const at = await front(hasty)
    hasty.access = world.access
    const body = JSON.stringify(withoutMeta(mine))
    const answer = await raw(at, 'POST', '/fhir/Condition', FHIR_JSON, body)
    expect(answer.status).toBe(503)
    expect(answer.text).toContain('It is not known whether')
    expect(written).toHaveLength(1)
    await close(at)
    await hasty.end()
  })
})

describe('what a launch brought', () => {
  const from = { ...{ system: 'gp-push', name: 'GP', organization: 'A83001' }, at: 0 } as const
  const problem = (id: string, more: Json = {}): Json => ({
    ...{ resourceType: 'Condition', id, subject: { reference: 'Patient/x' }, ...more },
  })
  const label = { meta: { security: [{ code: 'HIV' }] }, note: [{ text: CANARY }] }
  const inside = { contained: [{ resourceType: 'Medication', id: 'm', ...label }] }
  const bring = (...resources: Json[]) => {
    world.handover = { from: from as never, resources }
    return raw(server, 'GET', '/fhir/Bundle/lch-test')
  }
  const idsIn = ({ text: told }: RawAnswer) =>
    JSON.parse(told).entry.map(({ resource }: { resource: Json }) => resource.id)

  it('keeps its labels: who may not see what is labelled is given the rest', async () => {
    const all = [problem('a', label), problem('b'), problem('c', inside)]
    expect(idsIn(await bring(...all))).toEqual(['a', 'b', 'c'])
    world.allowed = ({ patient }) => !patient.sensitive
    const answer = await bring(...all)
    expect(idsIn(answer)).toEqual(['b'])
    expect(answer.text).not.toContain(CANARY)
    expect((await bring(problem('a', label))).status).toBe(404)
    world.allowed = ({ patient }) => patient.sensitive
    expect((await bring(...all)).status).toBe(404)
  })
})

describe('a bundle that asks for too much', () => {
  const many = (type: string, method: string) =>
    JSON.stringify({
      ...{ resourceType: 'Bundle', type },
      entry: Array.from({ length: 4 }, () => ({ request: { method, url: 'Condition/c1' } })),
    })
  const post = (body: string) => raw(server, 'POST', '/fhir', FHIR_JSON, body)
  const statuses = ({ text: said }: RawAnswer) =>
    JSON.parse(said).entry.map(({ response }: { response: { status: string } }) => response.status)

  it('is asked for nothing by its address: no parameter is of it', async () => {
    answers = answering(mine)
    for (const query of [`patient=${other}`, '_method=DELETE', 'x'])
      expect(
        (await raw(server, 'POST', `/fhir?${query}`, FHIR_JSON, many('batch', 'GET'))).status,
      ).toBe(400)
    expect(world.upstream).toEqual([])
    expect((await post(many('batch', 'GET'))).status).toBe(200)
  })

  /** Two of them are more than one call may give. */
  const big = { text: 'x'.repeat(6 * 1024 * 1024) }

  it('is given no more than one call may give', async () => {
    answers = answering({ ...mine, ...big })
    expect(statuses(await post(many('batch', 'GET')))).toEqual(['200', '413', '413', '413'])
    expect(world.upstream).toHaveLength(2)
  })

  it('reads no more than one call may give, whatever comes of it', async () => {
    const data = Buffer.from('[{"op":"test","path":"/note","value":0}]').toString('base64')
    const patch = { resourceType: 'Binary', contentType: 'application/json-patch+json', data }
    const change = { request: { method: 'PATCH', url: 'Condition/c1' }, resource: patch }
    const entry = Array.from({ length: 4 }, () => change)
    answers = answering({ ...mine, ...big, note: [] })
    const batch = await post(JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry }))
    expect(statuses(batch)).toEqual(['422', '422', '413', '413'])
    expect(world.upstream).toHaveLength(2)
    world.upstream.length = 0
    const updates = ['c1', 'c2', 'c3', 'c4'].map((id) => ({
      request: { method: 'PUT', url: `Condition/${id}`, ifMatch: 'W/"1"' },
      resource: { ...withoutMeta(mine), id },
    }))
    answers = (req, res) => give(res, 200, { ...mine, ...big, id: req.url?.split('/').at(-1) })
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: updates })
    expect((await post(body)).status).toBe(413)
    expect([world.upstream.length, written]).toEqual([2, []])
  })

  it('tells by nothing that it has no room for how long another’s resource is', async () => {
    const own = { ...mine, text: 'x'.repeat(5 * 1024 * 1024) }
    const entry = ['c1', 'x', 'c2'].map((id) => ({
      request: { method: 'GET', url: `Condition/${id}` },
    }))
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry })
    const said = async (theirs: Json | undefined) => {
      answers = (req, res) => {
        const id = req.url?.split('/').at(-1) ?? ''
        if (id !== 'x') give(res, 200, { ...own, id, ...(id === 'c2' ? { text: '' } : {}) })
        else if (theirs === undefined) give(res, 404, {})
        else give(res, 200, { ...theirs, id })
      }
      return statuses(await post(body))
    }
    expect(await said(undefined)).toEqual(['200', '404', '200'])
    expect(await said({ ...about('Condition', 'x', other), ...big })).toEqual(['200', '404', '200'])
  })

  it('is told what it has written, if without what there is no room for', async () => {
    const [made, again] = ['n1', 'n2'].map((id) => ({ ...mine, ...big, id }))
    answers = (req, res) => {
      const [id, resource] = written.length === 1 ? ['n1', made] : ['n2', again]
      const location = `${world.record.bases.fhir}/Condition/${id}/_history/1`
      give(res, req.method === 'GET' ? 200 : 201, resource, { location, etag: 'W/"1"' })
    }
    const entry = { request: { method: 'POST', url: 'Condition' }, resource: withoutMeta(mine) }
    const answer = await post(
      JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [entry, entry] }),
    )
    expect(statuses(answer)).toEqual(['201', '201'])
    const [first, second] = JSON.parse(answer.text).entry
    expect([first.resource.id, second.resource]).toEqual(['n1', undefined])
    expect(second.response.location).toMatch(/\/Condition\/n2\/_history\/1$/)
  })

  it('is told what it has written, whatever fails after that; and nothing of a fault before it', async () => {
    answers = (req, res) => {
      if (req.method === 'GET') give(res, 200, mine)
      else {
        world.trailFails = true
        give(res, 201, { ...mine, id: 'n1' }, { location: 'Condition/n1', etag: 'W/"1"' })
      }
    }
    const read = { request: { method: 'GET', url: 'Condition/c1' } }
    const create = {
      ...{ request: { method: 'POST', url: 'Condition' }, resource: withoutMeta(mine) },
    }
    const batch = (...entry: Json[]) =>
      post(JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry }))
    expect(statuses(await batch(create, read, read))).toEqual(['201', '503', '503'])
    expect((await batch(read, create)).status).toBe(500)
    world.trailFails = false
    expect(written).toHaveLength(1)
  })

  it('holds no more of what it changes than one call may give', async () => {
    const operation = [{ op: 'add', path: '/note', value: [] }]
    const data = Buffer.from(JSON.stringify(operation)).toString('base64')
    const patch = { resourceType: 'Binary', contentType: 'application/json-patch+json', data }
    const entry = Array.from({ length: 13 }, (_, i) => ({
      ...{ request: { method: 'PATCH', url: `Condition/c${i}` }, resource: patch },
    }))
    const text = 'x'.repeat(900 * 1024)
    answers = (req, res) => give(res, 200, { ...mine, text, id: req.url?.split('/').at(-1) })
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
    expect((await post(body)).status).toBe(413)
    expect([world.upstream.length, written]).toEqual([12, []])
  })

  it('of which it cannot be read what was made, so much of it there is, is of unknown outcome', async () => {
    const entry = Array.from({ length: 3 }, () => ({
      ...{ request: { method: 'POST', url: 'Condition' }, resource: withoutMeta(mine) },
    }))
    answers = (req, res) => {
      const id = req.url?.split('/').at(-1)
      if (req.method === 'GET') give(res, 200, { ...mine, ...big, id })
      else give(res, 200, responded(...['a', 'b', 'c'].map((at) => done('201', `Condition/${at}`))))
    }
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
    expect((await post(body)).status).toBe(503)
    expect(world.entries.at(-1)?.refusal).toBe('write_unknown')
    expect(world.upstream).toHaveLength(3)
  })

  it('is given no more time than it may take, nor a record that is away', async () => {
    const before = world.now
    answers = (_req, res) => {
      world.now += 20_000
      give(res, 200, mine)
    }
    expect(statuses(await post(many('batch', 'GET')))).toEqual(['200', '200', '503', '503'])
    expect((await post(many('transaction', 'DELETE'))).status).toBe(503)
    world.now = before
    world.upstream.length = 0
    answers = answering({}, 500)
    expect(statuses(await post(many('batch', 'GET')))).toEqual(['503', '503', '503', '503'])
    expect(world.upstream).toHaveLength(1)
  })
})

describe('any request at all, to a record that answers anything', () => {
  const TYPES = Object.keys(FHIR_TYPES) as FhirType[]
  const types = fc.constantFrom(...TYPES)
  const ids = fc.constantFrom('c1', 'c2', me, other)
  const mostly = <T>(usual: T, odd: T) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(usual) },
      { weight: 1, arbitrary: fc.constant(odd) },
    )
  const somebody = mostly(me, other)

  /** With another’s mark in it wherever it is not about this patient. */
  const marked = (type: FhirType, id: string, patient: string, more: Json = {}): Json => {
    const { note: _note, ...plain } = about(type, id, patient)
    const { whose } = rowOf(type)
    const foreign = whose === 'self' ? id !== me : whose !== 'directory' && patient !== me
    return { ...plain, ...(foreign ? { text: CANARY } : {}), ...more }
  }
  /** How a record makes a resource: for whom, with what inside and which label. */
  const makings = fc.record({
    patient: somebody,
    version: fc.constantFrom('1', '2'),
    inside: fc.option(fc.tuple(types, somebody), { freq: 5, nil: undefined }),
    label: mostly('N', 'R'),
  })
  type Making = typeof makings extends fc.Arbitrary<infer T> ? T : never
  const made = (type: FhirType, id: string, { patient, version, inside, label }: Making): Json =>
    marked(type, id, patient, {
      status: 'active',
      meta: { versionId: version, security: [{ code: label }] },
      ...(inside === undefined ? {} : { contained: [marked(inside[0], 'i1', inside[1])] }),
    })

  const anything = fc.oneof(
    fc.tuple(types, ids, makings).map(([type, id, making]) => made(type, id, making)),
    fc.constantFrom<unknown>(
      '',
      'null',
      '[]',
      `"${CANARY}"`,
      `<h1>${CANARY}</h1>`,
      `{"x":"${CANARY}"`,
    ),
    fc
      .tuple(
        fc.constantFrom('searchset', 'history', 'transaction-response', 'collection'),
        fc.array(fc.tuple(types, ids, makings), { maxLength: 3 }),
      )
      .map(([type, all]) => ({
        ...{ resourceType: 'Bundle', type, id: CANARY },
        entry: all.map(([kind, id, making]) => ({
          resource: made(kind, id, making),
          fullUrl: CANARY,
        })),
      })),
  )
  const loose = fc.record({
    fits: fc.array(mostly(true, false), { minLength: 3, maxLength: 3 }),
    makings: fc.array(makings, { minLength: 1, maxLength: 3 }),
    body: anything,
    status: fc.constantFrom(200, 201, 204, 302, 400, 404, 412, 500),
    includes: fc.boolean(),
  })
  type Loose = typeof loose extends fc.Arbitrary<infer T> ? T : never

  const linked = [
    { relation: 'self', url: `https://gateway.example/fhir/Condition?code=${CANARY}` },
  ]
  const beside = {
    fullUrl: CANARY,
    response: { status: '200', lastModified: `2026-01-01 (${CANARY})` },
  }

  /** What a record might say to a call, but for whom it says it of. */
  function fitting(
    method: string,
    url: string,
    sent: string,
    { makings: all, includes }: Loose,
  ): [number, unknown] {
    const [path = '', query = ''] = url.replace('/record/fhir/', '').split('?')
    const [type, id = '', history, version] = path.split('/') as [
      FhirType,
      string?,
      string?,
      string?,
    ]
    const [first] = all as [Making, ...Making[]]
    if (path === 'metadata') return [200, { resourceType: 'CapabilityStatement', text: CANARY }]
    if (path === '') {
      const entry = (JSON.parse(sent).entry as { request: Json }[]).map(({ request }, at) => {
        const [kind = 'Condition', own] = String(request.url).split('/') as [FhirType, string?]
        const resource = made(kind, own ?? 'n1', {
          ...(all[at % all.length] ?? first),
          version: '2',
        })
        const status = request.method === 'DELETE' ? '204' : own === undefined ? '201' : '200'
        return { resource, response: { status, location: `${kind}/${own ?? 'n1'}`, etag: 'W/"2"' } }
      })
      return [200, { resourceType: 'Bundle', type: 'transaction-response', entry }]
    }
    if (id === '_search' || (method === 'GET' && id === '')) {
      const entry = all.map((making, at) => ({
        ...beside,
        resource: made(type, `c${at}`, making),
        search: { mode: 'match' },
      }))
      const more = {
        ...beside,
        resource: marked(includes ? 'Organization' : 'Patient', other, other),
        search: { mode: 'include' },
      }
      const asked = query.includes('_include') || sent.includes('_include') ? [more] : []
      return [
        200,
        {
          resourceType: 'Bundle',
          type: 'searchset',
          id: CANARY,
          link: linked,
          entry: [...entry, ...asked],
        },
      ]
    }
    if (history !== undefined && version === undefined) {
      const request = { method: 'PUT', url: CANARY }
      const entry = all.map((making) => ({ ...beside, request, resource: made(type, id, making) }))
      return [200, { resourceType: 'Bundle', type: 'history', id: CANARY, entry }]
    }
    if (method === 'DELETE') return [204, '']
    if (method === 'GET')
      return [200, made(type, id, { ...first, version: version === '2' ? '2' : '1' })]
    return [
      method === 'POST' ? 201 : 200,
      made(type, method === 'POST' ? 'n1' : id, { ...first, version: '2' }),
    ]
  }

  const names = fc.constantFrom(
    'patient',
    'subject',
    '_id',
    '_include',
    '_revinclude',
    '_has:Observation:patient:code',
    'patient.name',
    'patient:not',
    '_elements',
  )
  const values = fc.constantFrom(
    me,
    other,
    `Patient/${other}`,
    `${me},${other}`,
    '*',
    'Encounter:service-provider',
    '%2a',
    '..',
  )
  const fine = fc.constantFrom(
    '',
    '',
    `?patient=${me}`,
    '?status=active',
    '?_id=c1',
    '?_count=5',
    '?status=active&_sort=-date',
    `?patient=Patient/${me}&category=1`,
  )
  const queries = fc.oneof(
    { weight: 4, arbitrary: fine },
    { weight: 1, arbitrary: fc.tuple(names, values).map(([name, value]) => `?${name}=${value}`) },
  )
  const odd = fc.constantFrom(
    '..',
    '%2e%2e',
    '%2f',
    ';x=1',
    '$everything',
    '$graphql',
    '_search',
    '_history',
    '',
    'metadata',
  )
  const wild = fc.array(fc.oneof(types, ids, odd), { maxLength: 4 }).map((parts) => parts.join('/'))

  const sent = (type: FhirType, id: string | undefined, patient: string, more: Json): Json => {
    const { note: _note, meta: _meta, id: _id, ...plain } = about(type, 'x', patient)
    return { ...plain, status: 'active', ...(id === undefined ? {} : { id }), ...more }
  }
  const mores = fc.constantFrom<Json>(
    {},
    {},
    {},
    { performer: [{ reference: `Patient/${other}` }] },
    { contained: [{ resourceType: 'Patient', id: other }] },
  )
  const operation = fc.record({
    op: fc.constantFrom('add', 'replace'),
    path: fc.constantFrom(
      '/status',
      '/status',
      '/subject/reference',
      '/patient/reference',
      '/subject',
      '/focus',
      '/id',
    ),
    value: fc.constantFrom<unknown>(
      'active',
      'active',
      `Patient/${other}`,
      { reference: `Patient/${other}` },
      { reference: `Patient/${me}` },
    ),
  })
  const patches = fc.array(operation, { minLength: 1, maxLength: 2 })

  interface Asked {
    readonly method: string
    readonly path: string
    readonly headers?: Record<string, string>
    readonly body?: string
  }
  /** A call of each interaction, right in most of its parts. */
  const call = fc
    .record({
      type: types,
      id: ids,
      patient: somebody,
      query: queries,
      more: mores,
      patch: patches,
      version: mostly('W/"1"', 'W/"9"'),
      which: fc.nat(12),
      wild,
    })
    .map(({ type, id, patient, query, more, patch, version, which, wild: odder }): Asked => {
      const body = (own?: string) => JSON.stringify(sent(type, own, patient, more))
      const json = { ...FHIR_JSON, 'if-match': version }
      const condition = query === '' ? '?status=active' : query
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const calls: Asked[] = [
        { method: 'GET', path: `${type}/${id}` },
        { method: 'GET', path: `${type}/${id}/_history` },
        { method: 'GET', path: `${type}/${id}/_history/1` },
        { method: 'GET', path: `${type}${query}` },
        { method: 'GET', path: `Encounter?_include=Encounter:service-provider` },
        { method: 'POST', path: `${type}/_search`, headers: form, body: query.slice(1) },
        { method: 'POST', path: type, headers: json, body: body() },
        {
          method: 'POST',
          path: type,
          headers: { ...FHIR_JSON, 'if-none-exist': condition },
          body: body(),
        },
        { method: 'PUT', path: `${type}/${id}`, headers: json, body: body(id) },
        { method: 'PUT', path: `${type}${condition}`, headers: FHIR_JSON, body: body() },
        {
          method: 'PATCH',
          path: `${type}/${id}`,
          headers: { ...PATCH_JSON, 'if-match': version },
          body: JSON.stringify(patch),
        },
        { method: 'DELETE', path: which % 2 === 0 ? `${type}/${id}` : `${type}${condition}` },
        {
          method: id === me ? 'GET' : 'PUT',
          path: `${odder}${query}`,
          headers: json,
          body: body(id),
        },
      ]
      return calls[which] as Asked
    })
  const stepOf = ({ method, path, headers, body }: Asked): Json => ({
    request: {
      method,
      url: path,
      ...(headers?.['if-match'] === undefined ? {} : { ifMatch: headers['if-match'] }),
    },
    ...(body?.startsWith('{') ? { resource: JSON.parse(body) } : {}),
  })
  const bundled = fc
    .tuple(fc.constantFrom('batch', 'transaction'), fc.array(call, { minLength: 1, maxLength: 3 }))
    .map(([type, calls]): Asked => {
      const entry = calls.filter(({ method }) => type === 'batch' || method !== 'GET').map(stepOf)
      return {
        method: 'POST',
        path: '',
        headers: FHIR_JSON,
        body: JSON.stringify({ resourceType: 'Bundle', type, entry }),
      }
    })
  /** Right in all of its parts: of the others it is chance how many are, and may be next to none. */
  const right = types.map((type): Asked => {
    const body = JSON.stringify(sent(type, undefined, me, {}))
    return { method: 'POST', path: type, headers: FHIR_JSON, body }
  })
  const asked = fc.oneof(
    { weight: 6, arbitrary: call },
    { weight: 2, arbitrary: bundled },
    { weight: 1, arbitrary: right },
  )
  const scopes = fc.constantFrom(
    'patient/*.cruds',
    'patient/*.cruds',
    'patient/*.rs',
    'patient/*.cruds?status=active',
    'patient/Condition.cruds user/*.s',
  )

  it('leaves nothing of another patient in any answer, and writes nothing that names one', async () => {
    const seen = new Set<string>()
    let wrote = 0
    await fc.assert(
      fc.asyncProperty(
        asked,
        loose,
        scopes,
        fc.boolean(),
        async (one, record, scope, sensitive) => {
          let turn = 0
          answers = (req, res, body) => {
            const fits = record.fits[turn++ % record.fits.length]
            const [status, said] = fits
              ? fitting(req.method ?? '', req.url ?? '', body, record)
              : [record.status, record.body]
            const headers = {
              location: `/Condition/${other}`,
              'last-modified': `Mon, 01 Jan 2026 (${CANARY})`,
              'x-canary': CANARY,
            }
            give(res, status, status === 204 ? '' : said, headers)
          }
          written.length = 0
          world.upstream.length = 0
          world.access = accessOf({ scope })
          world.allowed = ({ patient }) => sensitive || !patient.sensitive
          const sending = one.method === 'GET' ? undefined : one.body
          const answer = await raw(server, one.method, `/fhir/${one.path}`, one.headers, sending)
          seen.add(`${one.method} ${answer.status}`)
          wrote += written.length > 0 && answer.status < 300 ? 1 : 0
          expect(answer.status).not.toBe(500)
          expect(answer.text + JSON.stringify(answer.headers)).not.toContain(CANARY)
          // What goes on names nobody else: no body, and no search.
          expect(written.filter((each) => each.includes(`Patient/${other}`))).toEqual([])
          for (const { url } of world.upstream) {
            const patient = new URLSearchParams(url.split('?')[1]).get('patient')
            expect([null, `Patient/${me}`]).toContain(patient)
          }
        },
      ),
      { numRuns: 800 },
    )
    // It was not only refused: some of what was asked was given, and some written.
    expect([...seen]).toEqual(expect.arrayContaining(['GET 200', 'GET 404', 'POST 200']))
    expect(wrote).toBeGreaterThan(5)
  }, 120_000)
})
