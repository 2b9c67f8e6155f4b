/**
 * Rules that come into force while a call is answered: the record is slow, or a call asks for much. What was judged by
 * the rules before does not leave, nor is it written, and no entry says that one version allowed what two did.
 * The store has no part in it: that every node hears of them is shown in journey/policy-change.test.ts.
 */
import type { OutgoingHttpHeaders, RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import request from 'supertest'
import { endOf } from '../../src/core/records.js'
import { publication } from '../../src/policy/publishing.js'
import { hashOfFiles } from '../../src/policy/source.js'
import { App, call, claimsIn, codeOf, launchTo, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { handleOf, open } from '../launching.js'
import { openWorld, PEGGY } from '../proxy/world.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const rule = (id: string, effect: 'permit' | 'forbid', what: string): string => `
@id("${id}")
@layer("central")
@reason("For a test.")
${effect} (principal in Role::"gp", ${what});
`
const OPEN = rule(
  'observations',
  'permit',
  'action in [Action::"create", Action::"read", Action::"search"], resource == FhirType::"Observation"',
)
const closed = (action: string, on: string): string =>
  rule('closed', 'forbid', `action == Action::"${action}", resource == ${on}`)

let t: TestGateway
/** Of the care-plan app, and of one that writes FHIR. */
let tokens: Tokens
let writing: Tokens
let version = 1

/** Puts rules in force beside the configuration's, and lets the gateway hear of them a second later. */
async function publish(rules: string, after = 1): Promise<void> {
  const { store, policies } = t.running
  version += 1
  const files = {
    ...policies.files(),
    'policies/of-the-test.cedar': `${OPEN}${rules}\n// ${version}`,
  }
  const previous = await store.get('policy', 'current')
  const now = t.clock()
  const made = {
    files,
    hash: hashOfFiles(files),
    previous,
    origin: { origin: 'seed' },
    now,
  } as const
  await store.commit({ puts: publication(made).puts })
  await t.clock.advance(after)
}

beforeAll(async () => {
  t = await openTestGateway({ store: 'embedded' })
  await publish('')
  tokens = (await launchTo(t, { system: 'gp-push' })).tokens
  const app = new App(t, new UserAgent(), 'v1-app')
  const handle = handleOf(await open(t, app.browser, { system: 'gp-push', app: 'v1-app' }))
  const scope = 'launch patient/Observation.crus'
  writing = tokensOf(await app.redeem(codeOf(await app.authorize(handle, { scope }))))
}, 60_000)
afterAll(() => t?.close())

/** What reached the record since the last look. */
let reached: string[] = []
/** Something happens while the record takes its time over the call of this number. */
function atCall(number: number, happens: () => Promise<unknown>): void {
  let calls = 0
  reached = []
  const slow: RequestListener = async (req, res) => {
    const { method = '', url = '' } = req
    const body = await text(req)
    reached.push(`${method} ${url}`)
    calls += 1
    if (calls === number) await happens()
    t.behind.record = 'up'
    const { host: _, 'content-length': __, connection: ___, ...headers } = req.headers
    const answer = await send(new URL(url, t.origins.hospital), {
      ...{ method, headers: headers as Record<string, string> },
      ...(body === '' ? {} : { body }),
    })
    t.behind.record = slow
    res.writeHead(answer.status, answer.headers as OutgoingHttpHeaders).end(answer.text)
  }
  t.behind.record = slow
}
beforeEach(async () => {
  t.behind.record = 'up'
  await publish('')
})

const get = (path: string): Promise<Answer> => call(t, tokens.access_token, path)
const write = (
  { access_token, __context }: Tokens,
  method: string,
  path: string,
  body: unknown,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const type = path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json'
  const headers = { 'content-type': type, 'launch-context': String(__context), ...more }
  return call(t, access_token, path, { method, headers, body: JSON.stringify(body) })
}
const ASKED = 'code=http://loinc.org|0-0'
const observation = () => ({
  ...{ resourceType: 'Observation', status: 'final', code: { text: 'Weight' } },
  subject: { reference: `Patient/${writing.patient}` },
})
/** Whether the record has been asked to change anything. */
const written = () => reached.filter((one) => !/^GET|\/query\/|_search/.test(one))
const allowed = async () =>
  (await entriesOf(t, { launch: tokens.__launch, what: 'access_allowed' })).length
const sections = () => `/openehr/v1/query/care-plan::sections?ehr_id=${tokens.ehrId}`

describe('rules that come into force while the record takes its time', () => {
  it.each([
    ['a search', () => '/fhir/CarePlan', closed('search', 'FhirType::"CarePlan"')],
    ['a resource', () => `/fhir/Patient/${tokens.patient}`, closed('read', 'FhirType::"Patient"')],
    ['the plan', sections, closed('search', 'Section::"prognosis"')],
  ])('%s is not given by the rules before', async (_, path, closing) => {
    expect((await get(path())).status).toBe(200)
    atCall(1, () => publish(closing))
    const before = await allowed()
    await expectRefused(t, await get(path()), 'policy_changed', 503)
    expect(await allowed()).toBe(before)
  })

  it('a composition is not replaced by them', async () => {
    const [, uid, composition] = JSON.parse((await get(sections())).text).rows[0]
    const path = `/openehr/v1/ehr/${tokens.ehrId}/composition/${uid.split('::')[0]}`
    atCall(1, () => publish(closed('update', 'Section::"resuscitation"')))
    const answer = await write(tokens, 'PUT', path, composition, { 'if-match': `"${uid}"` })
    await expectRefused(t, answer, 'policy_changed', 503)
    expect(written()).toEqual([])
  })

  it('nothing is created by them, alone or in a transaction', async () => {
    const request = { method: 'POST', url: 'Observation' }
    const transaction = {
      ...{ resourceType: 'Bundle', type: 'transaction' },
      entry: [
        { request, resource: observation() },
        { request: { ...request, ifNoneExist: ASKED }, resource: observation() },
      ],
    }
    const answers: readonly (() => Promise<Answer>)[] = [
      () => write(writing, 'POST', '/fhir/Observation', observation(), { 'if-none-exist': ASKED }),
      () => write(writing, 'POST', '/fhir', transaction),
    ]
    for (const answer of answers) {
      await publish('')
      atCall(1, () => publish(closed('create', 'FhirType::"Observation"')))
      await expectRefused(t, await answer(), 'policy_changed', 503)
      expect(written()).toEqual([])
    }
  })

  it('a batch gives nothing that was read by them', async () => {
    const one = { request: { method: 'GET', url: 'Observation' } }
    const batch = { resourceType: 'Bundle', type: 'batch', entry: [one, one, one] }
    atCall(2, () => publish(closed('search', 'FhirType::"Observation"')))
    const { status, text: said } = await write(writing, 'POST', '/fhir', batch)
    expect(status).toBe(200)
    const { entry } = JSON.parse(said) as { entry: { response: { status: string } }[] }
    expect(entry.map(({ response }) => response.status)).toEqual(['503', '503', '503'])
    expect(said).not.toContain('searchset')
  })
})

describe('a refresh over which the record takes its time', () => {
  it('is given by the rules that it was judged by, and says so', async () => {
    const { app, tokens: held } = await launchTo(t, { system: 'gp-push' })
    await publish('')
    atCall(1, () => publish(closed('update', 'Section::"prognosis"')))
    const renewed = tokensOf(await app.refresh(held))
    expect(renewed.scope).toContain('prognosis.v1.crs ')
    const now = t.running.policies.version()
    expect(claimsIn(renewed.access_token).policy_version).toBe(now)
    const issued = await entriesOf(t, { launch: held.__launch, what: 'token_issued' })
    expect(issued.at(-1)).toMatchObject({ policy: { version: now } })
  })

  it('gives nothing once its launch has ended', async () => {
    const { app, tokens: held } = await launchTo(t, { system: 'gp-push' })
    const [id, at] = [endOf('launch', held.__launch), t.clock()]
    const puts = [{ kind: 'ended' as const, id, value: { at }, until: at + 86_400_000 }]
    atCall(1, () => t.running.store.commit({ puts }))
    await expectRefused(t, await app.refresh(held), 'refresh_ended', 400)
    const issued = await entriesOf(t, { launch: held.__launch, what: 'token_issued' })
    expect(issued).toHaveLength(1)
  })
})

it('no entry says that one version allowed what two did, however quick the record is', async () => {
  const labelled = {
    ...{ resourceType: 'Condition', id: 'c1', subject: { reference: `Patient/${PEGGY.fhirId}` } },
    meta: {
      versionId: '1',
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    },
  }
  let happens = () => undefined as unknown
  const world = await openWorld((_req, res) => {
    happens()
    const entry = [{ resource: labelled, search: { mode: 'match' } }]
    res.writeHead(200, { 'content-type': 'application/fhir+json' })
    res.end(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', total: 1, entry }))
  })
  try {
    await request(world.app).get('/fhir/Condition').expect(200)
    world.entries.length = 0
    happens = () => {
      world.policy.state.version += 1
    }
    await request(world.app).get('/fhir/Condition').expect(503)
    expect(world.entries).toMatchObject([{ what: 'access_refused', refusal: 'policy_changed' }])
    // What the new ones keep back must not be missing without a word.
    world.entries.length = 0
    happens = () => {
      world.policy.state.version += 1
      world.allowed = ({ patient }) => !patient.sensitive
    }
    await request(world.app).get('/fhir/Condition').expect(503)
    expect(world.entries).toMatchObject([{ what: 'access_refused', refusal: 'policy_changed' }])
  } finally {
    await world.end()
  }
})

it('leaves a trail that can be verified', () => expectWholeTrail(t))
