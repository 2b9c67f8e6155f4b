/**
 * Attacks by reference: an id does not say whose a resource is. What is written leads to nothing that its writer could not
 * read, and what is said of it tells nobody whether there is anything. The store has no part in it: there is none.
 */
import type { RequestListener, Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type RawAnswer, raw } from '../proxy/raw.js'
import {
  accessOf,
  close,
  IN_CONTEXT,
  ISSUER,
  listen,
  openWorld,
  PEGGY,
  WINSTON,
  type World,
} from '../proxy/world.js'

type Json = Record<string, unknown>

const me = PEGGY.fhirId
const other = WINSTON.fhirId
const BASE = `${ISSUER}/fhir`
const VERSION = { 'if-match': 'W/"1"' }
const PATCH = { 'content-type': 'application/json-patch+json' }

const subject = (id: string) => ({ subject: { reference: `Patient/${id}` } })
const plan = (more: Json = {}): Json => ({ resourceType: 'CarePlan', ...subject(me), ...more })
const to = (reference: string) => ({ reference })
const document = (url: string): Json => ({
  ...{ resourceType: 'DocumentReference', ...subject(me) },
  content: [{ attachment: { url } }],
})

/** What the record holds. */
// biome-ignore format: a table
const HELD: readonly Json[] = [
  { resourceType: 'Condition',        id: 'mine',      ...subject(me) },
  { resourceType: 'Condition',        id: 'theirs',    ...subject(other) },
  { resourceType: 'Condition',        id: 'old',       ...subject(other) },
  { resourceType: 'Condition',        id: 'sensitive', ...subject(me), meta: { security: [{ code: 'R' }] } },
  { resourceType: 'Condition',        id: 'holding',   ...subject(me), contained: [{ resourceType: 'Patient', id: 'x' }] },
  { resourceType: 'DiagnosticReport', id: 'mine',      ...subject(me) },
  { resourceType: 'DiagnosticReport', id: 'theirs',    ...subject(other) },
  { resourceType: 'Location',         id: 'ward' },
  { resourceType: 'CarePlan',         id: 'linked',    ...subject(me), extension: [{ url: 'x', valueUri: 'Condition/old' }], supportingInfo: [to('Condition/theirs/_history/3')], meta: { versionId: '1' } },
  { resourceType: 'CarePlan',         id: 'odd',       ...subject(me), supportingInfo: ['/Condition/7', 'Condition/abc_1', 'a:/Condition/7', ''].map(to), meta: { versionId: '1' } },
  { resourceType: 'CarePlan',         id: 'plan',      ...subject(me), supportingInfo: [to('Condition/old')], meta: { versionId: '1' } },
]

let world: World
let server: Server
let fails = false
/** What happens while the record looks something up. */
let meanwhile: () => unknown = () => undefined
const written: string[] = []
const behind: RequestListener = (req, res) => {
  text(req).then((body) => {
    const give = (status: number, said: object, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'content-type': 'application/fhir+json', ...headers })
      res.end(JSON.stringify(said))
    }
    const [type, id] = (req.url ?? '').split('/').slice(-2)
    const held = HELD.find((each) => each.resourceType === type && each.id === id)
    if (id === 'long') return give(200, { x: 'x'.repeat(11_000_000) })
    if (id === 'text') return res.end('<html></html>')
    if (id === 'moved') return give(302, {}, { location: '/' })
    const large = /^(large\d+|theirs-large)$/.exec(id ?? '')
    if (large)
      return give(200, {
        ...{ resourceType: 'Condition', id, note: [{ text: 'x'.repeat(1_000_000) }] },
        ...subject(id === 'theirs-large' ? other : me),
      })
    if (req.method === 'GET') meanwhile()
    if (req.method === 'GET' && fails && type !== 'CarePlan') return give(503, {})
    if (req.method === 'GET' && held) return give(200, held)
    if (req.method === 'GET') return give(404, { resourceType: 'OperationOutcome' })
    written.push(`${req.method} ${body}`)
    const said = JSON.parse(body) as Json
    const stands = (resource: Json, at: string) => ({
      ...resource,
      id: at,
      meta: { versionId: '2' },
    })
    if (said.resourceType !== 'Bundle')
      return give(req.method === 'POST' ? 201 : 200, stands(said, held ? String(id) : 'new'), {
        location: `${type}/new/_history/2`,
      })
    const entry = (said.entry as { resource: Json }[]).map(({ resource }) => ({
      resource: stands(resource, 'new'),
      response: { status: '201', location: 'CarePlan/new/_history/2', etag: 'W/"2"' },
    }))
    return give(200, { resourceType: 'Bundle', type: 'transaction-response', entry })
  })
}

beforeAll(async () => {
  world = await openWorld(behind)
  server = (await listen(world.app)).server
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
  fails = false
  meanwhile = () => undefined
  world.over = undefined
})

const send = (
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> =>
  raw(
    server,
    method,
    `/fhir/${path}`,
    { ...IN_CONTEXT, 'content-type': 'application/fhir+json', ...headers },
    JSON.stringify(body),
  )
const create = (more: Json) => send('POST', 'CarePlan', plan(more))
const alike = ({ status, text: said }: RawAnswer) => `${status} ${said.replace(/ref_[\w-]+/g, '')}`
const bundle = (type: string, resource: Json) => ({
  ...{ resourceType: 'Bundle', type },
  entry: [{ request: { method: 'POST', url: 'CarePlan' }, resource }],
})

/** Every way in which an id can come to stand in a reference. */
// biome-ignore format: a table
const WAYS: readonly (readonly [string, (reference: string) => Promise<RawAnswer>])[] = [
  ['as it is',                  (id) => create({ addresses: [to(id)] })],
  ['with a version',            (id) => create({ addresses: [to(`${id}/_history/1`)] })],
  ['by our address',            (id) => create({ addresses: [to(`${BASE}/${id}`)] })],
  ['by the record’s address',   (id) => create({ addresses: [to(`${world.record.bases.fhir}/${id}`)] })],
  ['between spaces',            (id) => create({ addresses: [to(` ${id}\n`)] })],
  ['beside one of their own',   (id) => create({ addresses: [to('Condition/mine'), to(id)] })],
  ['in an extension',           (id) => create({ extension: [{ url: 'x', valueReference: to(id) }] })],
  ['beside a member',           (id) => create({ _status: { extension: [{ url: 'x', valueReference: to(id) }] } })],
  ['inside what stands inside', (id) => create({ contained: [{ resourceType: 'Goal', id: 'g', ...subject(me), addresses: [to(id)] }] })],
  ['in a list in its place',    (id) => create({ addresses: [{ reference: [id] }] })],
  ['last in such a list',       (id) => create({ addresses: [{ reference: ['Condition/mine', [id]] }] })],
  ['as the address of a document', (id) => send('POST', 'DocumentReference', document(id))],
  ['as such an address in full', (id) => send('POST', 'DocumentReference', document(`${BASE}/${id}`))],
  ['as an address in an extension', (id) => create({ extension: [{ url: 'x', valueUri: id }] })],
  ['as a canonical',            (id) => create({ instantiatesCanonical: [id] })],
  ['as a canonical with a version', (id) => create({ instantiatesCanonical: [`${id}|1`] })],
  ['as a text by itself',       (id) => create({ title: id })],
  ['by an update',              (id) => send('PUT', 'CarePlan/plan', { ...plan(), id: 'plan', addresses: [to(id)] }, VERSION)],
  ['by a patch',                (id) => send('PATCH', 'CarePlan/plan', [{ op: 'add', path: '/addresses', value: [to(id)] }], PATCH)],
  ['by a patch, piece by piece', (id) => send('PATCH', 'CarePlan/plan', [{ op: 'add', path: '/title', value: id }, { op: 'add', path: '/addresses', value: [{}] }, { op: 'move', from: '/title', path: '/addresses/0/reference' }], PATCH)],
  ['in a transaction',          (id) => send('POST', '', bundle('transaction', plan({ addresses: [to(id)] })))],
]

describe('a reference to what is not the caller’s to read', () => {
  it.each(WAYS)('is refused as one to nothing, and nothing is written: %s', async (_, sent) => {
    const none = await sent('Condition/nothing')
    expect(none.status).toBe(422)
    expect(world.entries.at(-1)).toMatchObject({
      ...{ what: 'access_refused', refusal: 'reference_refused' },
    })
    for (const id of ['Condition/theirs', 'Condition/holding'])
      expect(alike(await sent(id))).toBe(alike(none))
    world.allowed = ({ patient }) => !patient.sensitive
    expect(alike(await sent('Condition/sensitive'))).toBe(alike(none))
    expect(written).toEqual([])
    expect((await sent('Condition/mine')).status).toBeLessThan(300)
    expect(written).toHaveLength(1)
  })

  it('is refused in a batch, entry by entry', async () => {
    const answer = await send(
      'POST',
      '',
      bundle('batch', plan({ addresses: [to('Condition/theirs')] })),
    )
    expect(JSON.parse(answer.text).entry[0].response.status).toMatch(/^422/)
    expect(written).toEqual([])
  })

  it('is one to what the token’s scopes do not reach', async () => {
    world.access = accessOf({ scope: 'patient/CarePlan.cruds' })
    expect((await create({ addresses: [to('Condition/mine')] })).status).toBe(422)
    expect(written).toEqual([])
  })

  it('is one to any of a type that is not on offer, and the record is not asked for it', async () => {
    const none = await create({ supportingInfo: [to('DiagnosticReport/nothing')] })
    expect(none.status).toBe(422)
    for (const id of [
      'DiagnosticReport/theirs',
      'DiagnosticReport/mine',
      'Binary/1',
      'AuditEvent/1',
    ])
      expect(alike(await create({ supportingInfo: [to(id)] }))).toBe(alike(none))
    expect(world.upstream).toEqual([])
    // Nobody's.
    expect((await create({ supportingInfo: [to('Location/ward')] })).status).toBe(201)
    expect((await create({ instantiatesUri: ['Questionnaire/1'] })).status).toBe(201)
  })

  it('is one to what the record cannot give, is too long, or is no JSON', async () => {
    const none = await create({ addresses: [to('Condition/nothing')] })
    for (const id of ['long', 'text', 'moved'])
      expect(alike(await create({ addresses: [to(`Condition/${id}`)] }))).toBe(alike(none))
    expect(written).toEqual([])
  })

  it('tells nothing by how much was read before it', async () => {
    const own = Array.from({ length: 10 }, (_, at) => to(`Condition/large${at}`))
    expect((await create({ addresses: own })).status).toBe(201)
    const ends = ['nothing', 'theirs', 'theirs-large'].map((id) => to(`Condition/${id}`))
    const [none, ...others] = await Promise.all(
      ends.map((end) => create({ addresses: [...own, end] })),
    )
    expect(none?.status).toBe(422)
    for (const each of others) expect(alike(each)).toBe(none && alike(none))
    expect((await create({ addresses: [...own, to('Condition/large10')] })).status).toBe(502)
  })

  it('stands in the trail with what it was', async () => {
    world.allowed = ({ patient }) => !patient.sensitive
    for (const [id, is] of [
      ['nothing', 'absent'],
      ['theirs', 'foreign'],
      ['sensitive', 'withheld'],
    ]) {
      await create({ addresses: [to(`Condition/${id}`)] })
      expect(JSON.stringify(world.entries.at(-1))).toContain(`Condition/${id} is ${is}`)
    }
  })

  it('may stay where it stood, when something else is changed', async () => {
    const stood = { ...plan({ supportingInfo: [to('Condition/old')] }), id: 'plan' }
    const changed = { ...stood, title: 'Changed' }
    expect((await send('PUT', 'CarePlan/plan', changed, VERSION)).status).toBe(200)
    expect(world.upstream.map(({ url }) => url)).not.toContain('/fhir/Condition/old')
    const more = { ...changed, addresses: [to('Condition/nothing')] }
    expect((await send('PUT', 'CarePlan/plan', more, VERSION)).status).toBe(422)
    expect(written).toHaveLength(1)
  })

  it('may stay as it stood although none would be written so today', async () => {
    const odd = ['/Condition/7', 'Condition/abc_1', 'a:/Condition/7', '']
    const stood = { ...plan({ supportingInfo: odd.map(to) }), id: 'odd' }
    expect(
      (await send('PUT', 'CarePlan/odd', { ...stood, title: 'Changed' }, VERSION)).status,
    ).toBe(200)
    const more = { ...stood, addresses: [to('/Condition/8')] }
    expect((await send('PUT', 'CarePlan/odd', more, VERSION)).status).toBe(400)
  })

  it('is not one that stood because an address stood, and is one in whatever spelling', async () => {
    const stood = {
      ...plan({ extension: [{ url: 'x', valueUri: 'Condition/old' }] }),
      id: 'linked',
    }
    const now = (more: Json) => send('PUT', 'CarePlan/linked', { ...stood, ...more }, VERSION)
    expect((await now({ supportingInfo: [to('Condition/old')] })).status).toBe(422)
    expect((await now({ supportingInfo: [to(`${BASE}/Condition/theirs`)] })).status).toBe(200)
  })

  it('is not believed where the record does not answer, and nothing is written', async () => {
    fails = true
    expect((await create({ addresses: [to('Condition/mine')] })).status).toBe(503)
    expect(written).toEqual([])
  })
})

it('is looked up for nobody whose session has ended since', async () => {
  meanwhile = () => {
    world.now += 4_000
    world.over = 'ended'
  }
  const addresses = ['mine', 'theirs'].map((id) => to(`Condition/${id}`))
  expect((await create({ addresses })).status).toBe(401)
  expect(world.upstream.map(({ url }) => url.split('/').at(-1))).toEqual(['mine'])
  expect(written).toEqual([])
})

describe('a reference that two readers could read differently', () => {
  it.each([
    '',
    '/Condition/mine',
    './Condition/mine',
    'Condition//mine',
    'Condition/mine/',
    'Condition/mine/../theirs',
    'condition/mine',
    'Condition',
    'Condition/mine#theirs',
    'Condition/mine|2',
    'Condition/..',
    'Condition/.',
    'AuditEvent/.',
    'Condition/mine/_history/..',
    'a:/Condition/theirs',
    'x:y/Condition/theirs',
    'URN:/Condition/theirs',
    'urn:/Condition/theirs',
    'urn:uuid:/Condition/theirs',
    'http:/Condition/theirs',
    'https:Condition/theirs',
    '#/Condition/theirs',
    'https://GATEWAY.example/fhir/Condition/theirs',
    'https://gateway.example:443/fhir/Condition/theirs',
    'https://gateway.example/other/Condition/theirs',
  ])('is none: %j', async (reference) => {
    expect((await create({ addresses: [to(reference)] })).status).toBe(400)
    expect(written).toEqual([])
  })

  it.each([
    '/Condition/theirs',
    './Condition/theirs',
    'Condition/theirs/',
    'Condition/theirs?_format=json',
    'Condition/theirs/$everything',
    'https://GATEWAY.example/fhir/Condition/theirs',
    'https://gateway.example.:443/fhir/Condition/theirs',
  ])('is none as an address either: %s', async (url) => {
    expect((await send('POST', 'DocumentReference', document(url))).status).toBe(400)
    expect((await create({ instantiatesCanonical: [url] })).status).toBe(400)
    expect(written).toEqual([])
  })

  it.each<[string, Json]>([
    ['a system of ours', { identifier: [{ system: `${BASE}/NamingSystem/mrn`, value: '7' }] }],
    [
      'a system of ours that is no resource',
      { identifier: [{ system: `${BASE}/ids`, value: '7' }] },
    ],
    ['a profile with its version', { meta: { profile: [`${BASE}/StructureDefinition/plan|1.0`] } }],
    ['a canonical with its version', { instantiatesCanonical: [`${BASE}/PlanDefinition/p|2`] }],
    ['what somebody says', { note: [{ text: `${BASE}/Condition/theirs was resolved` }] }],
    [
      'an extension',
      { extension: [{ url: 'https://fhir.hl7.org.uk/StructureDefinition/x', valueUri: 'urn:x' }] },
    ],
    [
      'a document elsewhere',
      { extension: [{ url: 'x', valueUrl: 'https://elsewhere.example/a/b.pdf?x=1#2' }] },
    ],
  ])('is not %s', async (_, more) => {
    expect((await create(more)).status).toBe(201)
  })

  it.each(['record', 'Record'])('is none by another spelling of its %s’s address', async (host) => {
    const { origin, port } = new URL(world.record.bases.fhir)
    const spelt = host === 'record' ? `${origin}/elsewhere` : `HTTP://127.0.0.1:${port}/record/fhir`
    expect((await create({ addresses: [to(`${spelt}/Condition/theirs`)] })).status).toBe(400)
    expect(written).toEqual([])
  })

  it.each(['#inside', '#', 'https://elsewhere.example/fhir/Condition/1', 'urn:oid:2.16'])(
    'is not one that leads out of the record, or inside the resource: %s',
    async (reference) => {
      expect((await create({ addresses: [to(reference)] })).status).toBe(201)
    },
  )
})

describe('very many references', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => to(`Condition/mine${at}`))

  it('are refused before the record is asked for any', async () => {
    expect((await create({ addresses: many(51) })).status).toBe(400)
    expect(world.upstream).toEqual([])
  })

  it('count once for each place, however often it stands there', async () => {
    const addresses = Array.from({ length: 500 }, () => to('Condition/mine'))
    expect((await create({ addresses })).status).toBe(201)
    expect(world.upstream.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })
})

it('nothing that is written leads to what is not the caller’s, wherever it stands', async () => {
  const leads = fc
    .constantFrom('mine', 'theirs', 'nothing', 'sensitive')
    .map((id) => to(`Condition/${id}`))
  const member = fc.constantFrom('addresses', 'valueReference', 'x', 'contained', '_note')
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leads,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(member, tie('tree'), { maxKeys: 3 }),
    ),
  }))
  let passed = 0
  await fc.assert(
    fc.asyncProperty(tree, async (extension) => {
      world.allowed = ({ patient }) => !patient.sensitive
      written.length = 0
      const { status } = await create({ extension: [{ url: 'x', extension }] })
      const bad = /Condition\/(?:theirs|nothing|sensitive)/.test(JSON.stringify(extension))
      expect([status, written.length]).toEqual(bad ? [422, 0] : [201, 1])
      passed += bad ? 0 : 1
    }),
    { numRuns: 200 },
  )
  expect(passed).toBeGreaterThan(10)
})
