/** Numbers as they were measured: 1.50 goes through as 1.50, either way, wherever a resource may stand. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { readJson } from '../../src/core/json-text.js'
import { accessOf, IN_CONTEXT, isWrite, openWorld, PEGGY, type World } from './world.js'

const NUMBERS = ['1.50', '-0', '0.0000001', '1e-7', '98.60', '12345678901234567890', '1.0', '2.5']
const LIST = `[${NUMBERS.join(',')}]`
const ME = PEGGY.fhirId
const UID = '5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
const TEMPLATE = 'care-plan::contacts.v1'

const observation = (more = '') =>
  `{"resourceType":"Observation","status":"final","code":{"text":"1.50 of it: 1.50, [1.50]"},"subject":{"reference":"Patient/${ME}"},"component":[{"valueSampledData":{"factor":${LIST}}}]${more}}`
const stored = (more = '') => observation(`,"id":"o1","meta":{"versionId":"1"}${more}`)
const composition = (numbers = LIST) =>
  `{"_type":"COMPOSITION","archetype_details":{"template_id":{"value":"${TEMPLATE}"}},"context":{"start_time":{"_type":"DV_DATE_TIME","value":"2026-11-20T09:30:00Z"}},"content":[{"magnitude":${numbers}}]}`
const withUid = (body: string, version: number) =>
  `{"uid":{"value":"${UID}::sys::${version}"},${body.slice(1)}`

const columns = (...names: readonly string[]) => JSON.stringify(names.map((name) => ({ name })))
const bundle = (...all: readonly string[]) =>
  `{"resourceType":"Bundle","type":"searchset","total":${all.length}.0,"entry":[${all
    .map((one) => `{"resource":${one},"search":{"mode":"match"}}`)
    .join(',')}]}`

/** A record that passes texts on and knows nothing of numbers. */
async function behind(req: IncomingMessage, res: ServerResponse) {
  const { method, url = '' } = req
  const sent = await textOf(req)
  const give = (status: number, body: string, headers = {}) =>
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  if (url.includes('/openehr/')) return openehr()
  if (url.endsWith('/_search') || url.includes('?')) return give(200, bundle(stored()))
  if (method === 'GET') return give(200, stored(), { etag: 'W/"1"' })
  if (url.endsWith('/fhir') || url.endsWith('/fhir/')) {
    const made = stored().replace('"1"', '"2"')
    const response =
      '{"status":"201 Created","location":"Observation/o1/_history/2","etag":"W/\\"2\\""}'
    return give(
      200,
      `{"resourceType":"Bundle","type":"transaction-response","entry":[{"resource":${made},"response":${response}}]}`,
    )
  }
  const id = sent.includes('"id"') ? '' : '"id":"o1",'
  return give(method === 'POST' ? 201 : 200, `{${id}${sent.slice(1)}`, { etag: 'W/"2"' })

  function openehr() {
    if (url.endsWith('/query/aql'))
      return give(200, `{"columns":${columns('a', '__ehr', '__t0')},"rows":[]}`)
    if (url.includes('medicines')) {
      const rows = NUMBERS.map((n) => `[${n},"${PEGGY.ehrId}","${TEMPLATE}",${n}]`)
      return give(
        200,
        `{"columns":${columns('drug', 'ehr', 'template', 'since')},"rows":[${rows}]}`,
      )
    }
    if (url.includes('/query/')) {
      const row = `["${TEMPLATE}","${UID}::sys::1",${withUid(composition(), 1)},"${PEGGY.ehrId}"]`
      return give(
        200,
        `{"columns":${columns('template', 'uid', 'composition', 'ehr')},"rows":[${row}]}`,
      )
    }
    if (method === 'GET') return give(200, withUid(composition(), 1))
    return give(200, withUid(sent, 2), { etag: `"${UID}::sys::2"` })
  }
}

let world: World
beforeAll(async () => {
  world = await openWorld((req, res) => void behind(req, res))
})
afterAll(() => world.end())
beforeEach(() => {
  world.access = accessOf({
    scope:
      'launch patient/*.cruds patient/composition-care-plan::*.crus patient/aql-care-plan::sections.rs patient/aql-org.northbank::medicines.rs patient/aql-aql.rs',
  })
  world.upstream.length = 0
  world.entries.length = 0
  world.told.length = 0
})

const sentOn = () => world.upstream.filter(isWrite).map(({ body }) => body)
const asked = (method: 'get' | 'post' | 'put' | 'patch', path: string, type?: string) => {
  const call = request(world.app)[method](path).set(IN_CONTEXT).buffer(true)
  // The text itself, not what a client makes of it.
  call.parse((res, done) => {
    let text = ''
    res.setEncoding('utf8')
    res.on('data', (part: string) => {
      text += part
    })
    res.on('end', () => done(null, text))
  })
  return type === undefined ? call : call.set('content-type', type)
}
const FHIR = 'application/fhir+json'

describe('a number of a FHIR resource', () => {
  it('leaves as it stands: read, found, of a version, in a batch', async () => {
    const batch = `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Observation/o1"}}]}`
    const answers = [
      await asked('get', '/fhir/Observation/o1'),
      await asked('get', '/fhir/Observation?code=x'),
      await asked('get', '/fhir/Observation/o1/_history/1'),
      await asked('post', '/fhir', FHIR).send(batch),
    ]
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([200, expect.stringContaining(`"factor":${LIST}`)])
      expect(body).toContain('"text":"1.50 of it: 1.50, [1.50]"')
      expect(body).not.toContain('u0000')
    }
  })

  it.each([
    ['created', 'post', '/fhir/Observation', FHIR, observation()],
    ['updated', 'put', '/fhir/Observation/o1', FHIR, observation(',"id":"o1"')],
    [
      'patched beside',
      'patch',
      '/fhir/Observation/o1',
      'application/json-patch+json',
      '[{"op":"replace","path":"/status","value":"amended"}]',
    ],
  ] as const)('goes on as it was sent: %s', async (_, method, path, type, sent) => {
    const answer = await asked(method, path, type).set('if-match', 'W/"1"').send(sent)
    expect([answer.status < 300, answer.body]).toEqual([true, expect.stringContaining(LIST)])
    expect(sentOn()).toEqual([expect.stringContaining(`"factor":${LIST}`)])
    // What the launch's outcome tells of it is the same.
    const [told] = world.told
    expect(JSON.stringify(told?.came)).toContain(JSON.stringify(readJson(LIST)))
  })

  it('goes on as a patch says it, which tests by what it is worth', async () => {
    const path = '/component/0/valueSampledData/factor'
    const patch = (...more: readonly string[]) => `[${more.join(',')}]`
    const replace = `{"op":"replace","path":"${path}/0","value":7.10}`
    const type = 'application/json-patch+json'
    const right = patch(
      ...[
        `{"op":"test","path":"${path}/0","value":1.5}`,
        `{"op":"test","path":"${path}/6","value":1}`,
      ],
      ...[`{"op":"test","path":"${path}/5","value":12345678901234567890}`, replace],
    )
    const done = await asked('patch', '/fhir/Observation/o1', type)
      .set('if-match', 'W/"1"')
      .send(right)
    expect(done.status).toBe(200)
    expect(sentOn()).toEqual([expect.stringContaining(`[7.10,${NUMBERS.slice(1).join(',')}]`)])
    for (const wrong of ['1.51', '"1.50"', '12345678901234567891']) {
      const at = wrong.length > 10 ? 5 : 0
      const sent = patch(`{"op":"test","path":"${path}/${at}","value":${wrong}}`, replace)
      const answer = await asked('patch', '/fhir/Observation/o1', type)
        .set('if-match', 'W/"1"')
        .send(sent)
      expect(answer.status).toBe(422)
    }
    expect(sentOn()).toHaveLength(1)
  })

  it('goes on as it was sent in a transaction, as an entry and as a patch in one', async () => {
    const entry = (resource: string, call: string) => `{"resource":${resource},"request":${call}}`
    const whole = (each: string) =>
      `{"resourceType":"Bundle","type":"transaction","entry":[${each}]}`
    const patch = Buffer.from('[{"op":"add","path":"/valueQuantity","value":{"value":36.60}}]')
    const binary = `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"${patch.toString('base64')}"}`
    const sent = [
      entry(observation(), '{"method":"POST","url":"Observation"}'),
      entry(binary, '{"method":"PATCH","url":"Observation/o1","ifMatch":"W/\\"1\\""}'),
    ]
    for (const each of sent) await asked('post', '/fhir', FHIR).send(whole(each))
    expect(sentOn()).toEqual([
      expect.stringContaining(`"factor":${LIST}`),
      expect.stringMatching(/"factor":\[1\.50,-0,.*"valueQuantity":\{"value":36\.60\}/),
    ])
  })

  it('is refused beside a member that stands twice, and where a text poses as one', async () => {
    const faults = [observation(',"value":1.50,"value":1.5'), observation(',"note":"\\u00001.50"')]
    for (const sent of faults)
      expect((await asked('post', '/fhir/Observation', FHIR).send(sent)).status).toBe(400)
    expect(sentOn()).toEqual([])
  })
})

describe('a number of openEHR', () => {
  const EHR = `/openehr/v1/ehr/${PEGGY.ehrId}`

  it('leaves as it stands: in a composition, in the plan, in another query’s rows', async () => {
    const answers = [
      await asked('get', `${EHR}/composition/${UID}`),
      await asked('get', `/openehr/v1/query/care-plan::sections?ehr_id=${PEGGY.ehrId}`),
    ]
    for (const { status, body } of answers)
      expect([status, body]).toEqual([200, expect.stringContaining(`{"magnitude":${LIST}}`)])
    const { body } = await asked(
      'get',
      '/openehr/v1/query/org.northbank::medicines?since=2026-01-01',
    )
    expect(body).toContain(`"rows":[${NUMBERS.map((n) => `[${n},${n}]`).join(',')}]`)
  })

  it('goes on as it was sent', async () => {
    const sent = composition('[36.60,12345678901234567890]')
    const answer = await asked('put', `${EHR}/composition/${UID}`, 'application/json')
      .set({ 'if-match': `"${UID}::sys::1"`, prefer: 'return=representation' })
      .send(sent)
    const kept = expect.stringContaining('{"magnitude":[36.60,12345678901234567890]}')
    expect([answer.status, answer.body]).toEqual([200, kept])
    expect(sentOn()).toEqual([kept])
  })

  it('is a number of a query that an app asks, or is refused', async () => {
    const q = `SELECT c/x AS a FROM EHR e CONTAINS COMPOSITION c WHERE c/y > $most`
    const ask = (most: string, more = '') =>
      asked('post', '/openehr/v1/query/aql', 'application/json').send(
        `{"q":"${q}","query_parameters":{"most":${most}}${more}}`,
      )
    await ask('1.50', ',"fetch":10.0')
    expect(world.upstream.at(-1)?.body).toContain('> 1.5')
    const count = world.upstream.length
    for (const answer of [await ask('12345678901234567890'), await ask('1', ',"fetch":1e999')])
      expect(answer.status).toBe(400)
    expect(world.upstream).toHaveLength(count)
  })
})
