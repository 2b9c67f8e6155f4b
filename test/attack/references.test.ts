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
  { resourceType: 'CarePlan',         id: 'plan',      ...subject(me), supportingInfo: [to('Condition/old')], meta: { versionId: '1' } },
]

let world: World
let server: Server
let fails = false
const written: string[] = []
const behind: RequestListener = (req, res) => {
  text(req).then((body) => {
    const give = (status: number, said: object, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'content-type': 'application/fhir+json', ...headers })
      res.end(JSON.stringify(said))
    }
    const [type, id] = (req.url ?? '').split('/').slice(-2)
    const held = HELD.find((each) => each.resourceType === type && each.id === id)
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
      return give(req.method === 'POST' ? 201 : 200, stands(said, held ? 'plan' : 'new'), {
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
  server = await new Promise((resolve) => {
    const listening = world.app.listen(0, '127.0.0.1', () => resolve(listening))
  })
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

  it('is known of types that are not on offer by whom they name', async () => {
    const none = await create({ supportingInfo: [to('DiagnosticReport/nothing')] })
    expect(none.status).toBe(422)
    const theirs = await create({ supportingInfo: [to('DiagnosticReport/theirs')] })
    expect(alike(theirs)).toBe(alike(none))
    for (const id of ['DiagnosticReport/mine', 'Location/ward'])
      expect((await create({ supportingInfo: [to(id)] })).status).toBe(201)
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

  it('is not believed where the record does not answer, and nothing is written', async () => {
    fails = true
    expect((await create({ addresses: [to('Condition/mine')] })).status).toBe(503)
    expect(written).toEqual([])
  })
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
  ])('is none: %j', async (reference) => {
    expect((await create({ addresses: [to(reference)] })).status).toBe(400)
    expect(written).toEqual([])
  })

  it.each(['#inside', 'https://elsewhere.example/fhir/Condition/1', 'urn:oid:2.16'])(
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
    expect((await create({ addresses: many(51) })).status).toBe(413)
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
