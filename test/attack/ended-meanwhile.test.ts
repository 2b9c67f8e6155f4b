/**
 * What ends while a call is answered: the record is slow, or a call asks for much, and the session behind it is ended
 * meanwhile. Nothing that was read leaves from then on, and nothing more is written. The store has no part in it: that it
 * is told on every node is shown in journey/sessions.test.ts.
 */
import { once } from 'node:events'
import {
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import request, { type Response } from 'supertest'
import { handoverId } from '../../src/core/handover.js'
import {
  accessOf,
  close,
  IN_CONTEXT,
  isWrite,
  listen,
  NOW,
  openWorld,
  PEGGY,
  type World,
} from '../proxy/world.js'

type Json = Record<string, unknown>
const me = PEGGY.fhirId
const CANARY = 'canary-of-the-ended'

/** The session is ended while the trail takes its time over an entry, which is durable all the same. */
async function endedAsRecorded(call: () => Promise<Response>): Promise<Response> {
  const { push } = world.entries
  world.entries.push = (...entries) => {
    if (entries.some(({ what }) => what === 'access_allowed')) {
      world.now += 4_000
      world.over = 'ended'
    }
    return push.apply(world.entries, entries)
  }
  try {
    return await call()
  } finally {
    world.entries.push = push
  }
}

/** Of one record: the demonstration's, to which something happens at one of its answers. */
let world: World
/** Which call of the record something happens at, counted from 1; and what. */
let at = { call: 0, happens: () => undefined as unknown }
/** How FHIR is answered; openEHR is the demonstration's own. */
let answers: RequestListener
let calls = 0

const behind =
  (own: () => World): RequestListener =>
  (req, res) => {
    calls += 1
    if (calls === at.call) at.happens()
    if (req.url?.startsWith('/record/fhir')) answers(req, res)
    else own().hospital(req, res)
  }
beforeAll(async () => {
  world = await openWorld(behind(() => world))
})
afterAll(() => world.end())
beforeEach(() => {
  world.access = accessOf({ scope: `patient/*.cruds ${accessOf().grant.scopes.join(' ')}` })
  world.allowed = () => true
  world.over = undefined
  world.stillAsked = 0
  world.chart = undefined
  world.upstream.length = 0
  world.entries.length = 0
  calls = 0
  at = { call: 0, happens: () => undefined }
})

/** The session is ended while the record takes its time over this call. */
const endsAt = (call: number, seconds = 4) => {
  at = {
    call,
    happens: () => {
      world.now += seconds * 1000
      world.over = 'ended'
    },
  }
}
const give = (res: ServerResponse, status: number, body: unknown, headers: Json = {}) => {
  res.writeHead(status, { 'content-type': 'application/fhir+json', ...headers } as never)
  res.end(JSON.stringify(body))
}
const condition = (id = 'c1', more: Json = {}): Json => ({
  ...{ resourceType: 'Condition', id, meta: { versionId: '1' }, note: [{ text: CANARY }] },
  ...{ subject: { reference: `Patient/${me}` }, ...more },
})
const searchset = (...found: Json[]) => ({
  ...{ resourceType: 'Bundle', type: 'searchset', total: found.length },
  entry: found.map((resource) => ({ resource, search: { mode: 'match' } })),
})
const released = () => world.entries.filter(({ what }) => what === 'access_allowed').length
const expectOver = (answer: Response) => {
  expect(answer.status).toBe(401)
  expect(answer.text).not.toContain(CANARY)
  expect(answer.headers['www-authenticate']).toMatch(/error="invalid_token"/)
  expect(world.entries.at(-1)).toMatchObject({ what: 'access_refused', refusal: 'token_ended' })
}
const get = (path: string) => request(world.app).get(path)
const send = (method: 'post' | 'put' | 'delete', path: string, body?: unknown, more = {}) => {
  const type = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json'
  const call = request(world.app)
    [method](path)
    .set({ ...IN_CONTEXT, 'content-type': type, ...more })
  return body === undefined ? call : call.send(JSON.stringify(body))
}

describe('a read of FHIR over whose answer the record takes its time', () => {
  it.each([
    ['a resource', '/Condition/c1', condition()],
    ['a version', '/Condition/c1/_history/1', condition()],
    [
      'a history',
      '/Condition/c1/_history',
      {
        ...{ resourceType: 'Bundle', type: 'history' },
        entry: [{ resource: condition(), request: { method: 'PUT', url: 'Condition/c1' } }],
      },
    ],
    ['a search', '/Condition', searchset(condition())],
  ])('gives nothing of %s once its session has ended', async (_what, path, body) => {
    answers = (_req, res) => give(res, 200, body)
    expect((await get(`/fhir${path}`).expect(200)).text).toContain(CANARY)
    calls = 0
    world.entries.length = 0
    endsAt(1)
    expectOver(await get(`/fhir${path}`))
    expect(released()).toBe(0)
  })

  it.each([
    ['is not there', 404, {}, 404],
    ['is another patient’s', 200, condition('c1', { subject: { reference: 'Patient/x' } }), 404],
    ['cannot be read', 200, [], 502],
    ['is not answered for', 500, {}, 503],
  ])('does not even say that it %s', async (_what, status, body, told) => {
    answers = (_req, res) => give(res, status, body)
    expect((await get('/fhir/Condition/c1')).status).toBe(told)
    calls = 0
    endsAt(1)
    expectOver(await get('/fhir/Condition/c1'))
  })

  it('gives nothing either where it is the trail that took its time', async () => {
    answers = (_req, res) => give(res, 200, condition())
    expectOver(await endedAsRecorded(async () => await get('/fhir/Condition/c1')))
  })

  it('goes on to no further page of a search', async () => {
    const next = `${world.record.bases.fhir}/Condition?patient=${me}&_offset=1`
    answers = (_req, res) =>
      give(res, 200, { ...searchset(condition()), link: [{ relation: 'next', url: next }] })
    world.allowed = ({ patient }) => !patient.sensitive
    endsAt(1)
    expectOver(await get('/fhir/Condition'))
    expect(world.upstream).toHaveLength(1)
  })

  it('is given as of when it was asked where the record is quick, and asks nobody twice', async () => {
    answers = (_req, res) => give(res, 200, condition())
    endsAt(1, 0)
    await get('/fhir/Condition/c1').expect(200)
    expect(world.stillAsked).toBe(0)
  })

  it('gives nothing while nobody can say whether it still stands', async () => {
    answers = (_req, res) => give(res, 200, condition())
    endsAt(1)
    world.over = undefined
    at.happens = () => {
      world.now += 4_000
      world.over = 'unknown'
    }
    const { status, text: said } = await get('/fhir/Condition/c1')
    expect([status, said.includes(CANARY)]).toEqual([500, false])
    expect(released()).toBe(0)
  })
})

describe('a bundle during which its session ends', () => {
  const entry = (method: string, url: string, resource?: Json) => ({
    request: { method, url },
    ...(resource === undefined ? {} : { resource }),
  })
  const bundle = (type: string, ...entries: Json[]) =>
    send('post', '/fhir', { resourceType: 'Bundle', type, entry: entries })
  const statuses = (answer: Response) =>
    answer.body.entry.map(({ response }: { response: Json }) => response.status)
  const { id: _id, meta: _meta, ...fresh } = condition()
  const resources: RequestListener = (req, res) => {
    if (req.method === 'GET') give(res, 200, condition())
    else
      text(req).then((body) => {
        const made = { ...condition('new'), ...JSON.parse(body || '{}') }
        give(res, req.method === 'DELETE' ? 204 : 201, made, {
          location: `${world.record.bases.fhir}/Condition/new/_history/1`,
          etag: 'W/"1"',
        })
      })
  }

  it('gives nothing more of what its entries read, nor what they had read, and says what was written', async () => {
    answers = resources
    endsAt(3)
    const answer = await bundle(
      'batch',
      entry('POST', 'Condition', fresh),
      ...Array.from({ length: 4 }, () => entry('GET', 'Condition/c1')),
    )
    expect(statuses(answer)).toEqual(['201', '401', '401', '401', '401'])
    expect(answer.text).not.toContain(CANARY)
    expect(answer.body.entry[0].response.location).toMatch(/Condition\/new\/_history\/1$/)
    expect(world.upstream).toHaveLength(3)
    const refused = world.entries.filter(({ refusal }) => refusal === 'token_ended')
    expect(refused.map(({ detail }) => detail?.entry)).toEqual([2, 3, 4, 1])
  })

  it('gives nothing of it when the last entry is what took so long', async () => {
    answers = resources
    endsAt(2, 0)
    // The trail takes its time, after each of two looks that were early enough.
    const push = world.entries.push.bind(world.entries)
    world.entries.push = (...entries) => {
      world.now += 60
      return push(...entries)
    }
    const answer = await bundle(
      'batch',
      ...Array.from({ length: 2 }, () => entry('GET', 'Condition/c1')),
    )
    world.entries.push = push
    expect(statuses(answer)).toEqual(['401', '401'])
    expect(answer.text).not.toContain(CANARY)
  })

  it('writes nothing of a transaction', async () => {
    answers = resources
    endsAt(1)
    const answer = await bundle(
      'transaction',
      entry('DELETE', 'Condition/c1'),
      entry('POST', 'Condition', fresh),
    )
    expectOver(answer)
    expect(world.upstream.filter(isWrite)).toEqual([])
    expect(released()).toBe(0)
  })
})

describe('a write of FHIR during which its session ends', () => {
  const { meta: _, ...sent } = condition()
  const update = () => send('put', '/fhir/Condition/c1', sent, { 'if-match': 'W/"1"' })
  beforeEach(() => {
    answers = (req, res) => {
      if (req.method === 'GET') give(res, 200, condition())
      else
        text(req).then(() =>
          give(res, 200, condition('c1', { meta: { versionId: '2' } }), { etag: 'W/"2"' }),
        )
    }
  })

  it('does not go on to the record', async () => {
    endsAt(1)
    expectOver(await update())
    expect(world.upstream.filter(isWrite)).toEqual([])
  })

  it('does not go on either where it is the trail that took its time, and its launch is not told of it', async () => {
    world.told.length = 0
    expectOver(await endedAsRecorded(async () => await update()))
    expect(world.upstream.filter(isWrite)).toEqual([])
    expect(world.told).toMatchObject([{ came: 'undone' }])
  })

  it('does not go on either when the chart has left its context meanwhile', async () => {
    at = {
      call: 1,
      happens: () => {
        world.chart = { launch: 'lch_later', patient: 'another', nhsNumber: 'another' } as never
      },
    }
    const answer = await update()
    expect([answer.status, world.entries.at(-1)?.refusal]).toEqual([409, 'context_superseded'])
    expect(world.upstream.filter(isWrite)).toEqual([])
  })

  it('is told as done once it has gone on, without what stands', async () => {
    endsAt(2)
    const { status, headers, text: said } = await update()
    expect([status, headers.etag, said]).toEqual([200, 'W/"2"', ''])
    world.over = undefined
    expect((await update()).text).toContain(CANARY)
  })
})

describe('what the gateway keeps by itself, during a call of which the session ends', () => {
  const at = `/openehr/v1/ehr/${PEGGY.ehrId}/unsaved/care-plan::what-matters.v1`
  const typed = { values: { note: CANARY }, typed: '2026-11-23T11:59:58Z' }

  it('is not given: what the launch brought', async () => {
    const from = { system: 'gp-push', name: 'Fernleigh', organization: 'A83001', at: NOW }
    world.handover = { from, resources: [condition()] }
    const path = `/fhir/Bundle/${handoverId('lch_test')}`
    expect((await get(path).expect(200)).text).toContain(CANARY)
    expectOver(await endedAsRecorded(async () => await get(path)))
    world.handover = undefined
  })

  it('is not given: what was typed in another launch', async () => {
    await send('put', at, typed).expect(200)
    world.access = { ...world.access, grant: { ...world.access.grant, launch: 'lch_later' } }
    expect((await get(at).expect(200)).text).toContain(CANARY)
    expectOver(await endedAsRecorded(async () => await get(at)))
  })

  it('is not written: what was on its way, however slowly it comes', async () => {
    const { server, origin } = await listen(world.app)
    const before = world.access
    const letIn = new Promise<void>((resolve) => {
      Object.defineProperty(world, 'access', {
        ...{ configurable: true, enumerable: true },
        get() {
          resolve()
          return before
        },
      })
    })
    const sent = JSON.stringify({ ...typed, values: { note: 'too late' } })
    const headers = { ...IN_CONTEXT, 'content-type': 'application/json', connection: 'close' }
    const call = httpRequest(`${origin}${at}`, {
      ...{ method: 'PUT', headers: { ...headers, 'content-length': sent.length } },
    })
    const answered = once(call, 'response')
    call.write(sent.slice(0, 10))
    await letIn
    Object.defineProperty(world, 'access', { value: before, writable: true, configurable: true })
    await turn()
    world.now += 4_000
    world.over = 'ended'
    call.end(sent.slice(10))
    const [answer] = (await answered) as [IncomingMessage]
    expect(answer.statusCode).toBe(401)
    world.over = undefined
    expect((await get(at)).text).not.toContain('too late')
    await close(server)
  })
})

describe('openEHR, during a call of which the session ends', () => {
  const EHR = `/openehr/v1/ehr/${PEGGY.ehrId}`
  const PLAN = '/openehr/v1/query/care-plan::sections'
  let uid = ''
  let template = ''
  let composition: Json = {}
  beforeAll(async () => {
    world.access = accessOf()
    const { body } = await get(PLAN).expect(200)
    ;[template, uid, composition] = body.rows[0]
  })
  const object = () => uid.split('::')[0] ?? ''

  it.each([
    ['the plan', () => PLAN],
    ['the EHR', () => EHR],
    ['its status', () => `${EHR}/ehr_status`],
    ['a composition', () => `${EHR}/composition/${object()}`],
    ['a versioned composition', () => `${EHR}/versioned_composition/${object()}`],
    ['a history', () => `${EHR}/versioned_composition/${object()}/revision_history`],
    ['a version', () => `${EHR}/versioned_composition/${object()}/version`],
    ['the templates', () => '/openehr/v1/definition/template/adl1.4'],
    ['a template', () => `/openehr/v1/definition/template/adl1.4/${template}`],
  ])('%s is not given', async (_what, path) => {
    await get(path()).expect(200)
    calls = 0
    world.entries.length = 0
    endsAt(1)
    expectOver(await get(path()))
    expect(released()).toBe(0)
  })

  it('it is not even said that something is not there', async () => {
    const nothing = `${EHR}/composition/${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`
    expect((await get(nothing)).status).toBe(404)
    calls = 0
    endsAt(1)
    expectOver(await get(nothing))
  })

  const update = () =>
    send('put', `${EHR}/composition/${object()}`, composition, {
      'if-match': `"${uid}"`,
      prefer: 'return=representation',
    })
  const contribution = () => ({
    _type: 'CONTRIBUTION',
    audit: {},
    versions: [
      {
        _type: 'ORIGINAL_VERSION',
        preceding_version_uid: { value: uid },
        commit_audit: { change_type: { defining_code: { code_string: '251' } } },
        data: composition,
      },
    ],
  })
  const contribute = () =>
    send('post', `${EHR}/contribution`, contribution(), { prefer: 'return=representation' })

  it('a write does not go on, alone or in a contribution', async () => {
    for (const write of [update, contribute]) {
      world.over = undefined
      calls = 0
      endsAt(1)
      expectOver(await write())
    }
    expect(world.upstream.filter(isWrite)).toEqual([])
  })

  it('a write that has gone on is told as done, without what stands', async () => {
    // Two calls before it: what stands, and whose it is.
    endsAt(3)
    const answer = await update()
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers.etag).not.toBe(`"${uid}"`)
  })
})
