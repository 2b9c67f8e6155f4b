/**
 * A FHIR server and an authorization server that others wrote behind the gateway, by configuration alone: from the launch
 * to reading, searching, writing and bundles of one patient, with tokens that the gateway fetches for the record.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Condition, Observation, Patient, Resource } from '@medplum/fhirtypes'
import { pino } from 'pino'
import { App, call, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import {
  handleOf,
  NO_PLAN,
  OTHER_BIRTH_DATE,
  open,
  PEGGY,
  patientOf,
  SENSITIVE,
  SUPERSEDED,
} from '../launching.js'
import { createOthersFhir } from '../others-fhir.js'
import { OTHER_KEY, openOthersTokens, RECORD_SCOPE, TOKEN_LIFE } from '../others-tokens.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, type Sent, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const BASE = '/fhir/R4'
const SNOMED = 'http://snomed.info/sct'
const SCOPE =
  'launch openid fhirUser patient/Patient.rs patient/Condition.cruds patient/Observation.cruds'
/** But for the listing of a plan nothing is written to FHIR by the policies that are shipped, and nothing is deleted. */
const NO_DELETE = 'forbid (principal, action == Action::"delete", resource);'
const POLICY = `
@id("gps-keep-problems-and-observations")
@layer("central")
@reason("GPs with the right to write health records may keep problems and observations.")
permit (principal in Role::"gp", action in [Action::"create", Action::"update", Action::"delete"], resource is FhirType)
when {
    resource in [FhirType::"Condition", FhirType::"Observation"] &&
    principal.activities.contains("B0380")
};
`
/** An observation for each of so many days: more than a page of most servers. */
const DAYS = 25

const fhir = createOthersFhir(BASE)
const lines: string[] = []
let record: RequestListener
/** Tokens with which the record was called, in order. */
const called: string[] = []
const server = createServer((req, res) => record(req, res))
let auth: Awaited<ReturnType<typeof openOthersTokens>>
let t: TestGateway
let folder = ''
let origin = ''

/** Medplum's server, which lets nobody in but with a token that the authorization server stands by. */
const guarded: RequestListener = async (req, res) => {
  const token = req.headers.authorization?.replace(/^Bearer /, '') ?? ''
  called.push(token)
  if (await auth.stands(token)) fhir.listener(req, res)
  else res.writeHead(401, { 'content-type': 'application/fhir+json' }).end('{}')
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'others-fhir-'))
  const policies = join(folder, 'policies')
  await cp('config/policies', policies, { recursive: true })
  await writeFile(join(policies, 'writing-fhir.cedar'), POLICY)
  const writing = join(policies, 'writing.cedar')
  const text = await readFile(writing, 'utf8')
  await writeFile(writing, text.replace(NO_DELETE, NO_DELETE.replace(');', ' is Section);')))
  auth = await openOthersTokens()
  origin = `http://127.0.0.1:${await listen(server)}`
  record = guarded
  t = await openTestGateway({
    store: 'embedded',
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    change: ({ upstreams, secrets: { fhirCredential: _, ...secrets }, paths }) => ({
      upstreams: { ...upstreams, fhir: { ...upstreams.fhir, ...reachedAs('launch-gateway') } },
      secrets,
      paths: { ...paths, policies },
    }),
  })
  await auth.register(`${t.issuer}/oauth/jwks`)
}, 60_000)
afterAll(async () => {
  await t?.close()
  await auth?.close()
  await hangUp(server)
  await rm(folder, { recursive: true, force: true })
})
afterEach(() => {
  record = guarded
  auth.condition = 'up'
})

/** All that is configured of it. */
function reachedAs(client: string) {
  const authenticate = { token_endpoint: auth.endpoint, client_id: client, scope: RECORD_SCOPE }
  return { base: origin + BASE, authenticate }
}

const numbered = (nhsNumber: string, more: Partial<Patient> = {}) => {
  const { birthDate, family } = patientOf(nhsNumber)
  return fhir.repository.createResource<Patient>({
    ...{ resourceType: 'Patient', birthDate, name: [{ family }] },
    identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }],
    ...more,
  })
}
const problemOf = (patient: string, code: string, more: Partial<Condition> = {}): Condition => ({
  ...{ resourceType: 'Condition', subject: { reference: `Patient/${patient}` } },
  clinicalStatus: { coding: [{ code: 'active' }] },
  code: { coding: [{ system: SNOMED, code }] },
  ...more,
})
const observedOn = (patient: string, day: number): Observation => ({
  ...{ resourceType: 'Observation', status: 'final', code: { coding: [{ code: 'pulse' }] } },
  subject: { reference: `Patient/${patient}` },
  effectiveDateTime: `2026-10-${String(day).padStart(2, '0')}`,
})

/** Kept by Medplum under ids of its own choice. */
interface Kept {
  readonly me: string
  readonly other: string
  readonly problem: string
  readonly theirs: string
}
let kept: Kept
beforeAll(async () => {
  const { id: me } = await numbered(PEGGY)
  const replaced = [{ type: 'replaced-by' as const, other: { reference: `Patient/${me}` } }]
  await numbered(SUPERSEDED, { active: false, link: replaced })
  await numbered(OTHER_BIRTH_DATE)
  const { id: other } = await numbered(SENSITIVE)
  const keep = async <T extends Resource>(resource: T) =>
    (await fhir.repository.createResource<T>(resource)).id
  const problem = await keep(problemOf(me, '84114007', { recordedDate: '2020-02-01' }))
  await keep(problemOf(me, '13645005', { recordedDate: '2024-02-01' }))
  const theirs = await keep(problemOf(other, '363346000'))
  for (let day = 1; day <= DAYS; day++) await keep(observedOn(me, day))
  await keep(observedOn(other, 1))
  kept = { me, other, problem, theirs }
})

async function launched(patient = PEGGY): Promise<Tokens> {
  const browser = new UserAgent()
  const app = new App(t, browser, 'v1-app')
  const landed = await open(t, browser, { system: 'gp-push', app: 'v1-app', patient })
  return tokensOf(await app.redeem(await app.code(handleOf(landed), { scope: SCOPE })))
}
let tokens: Tokens
const launchAnew = async () => {
  tokens = await launched()
}

const get = (path: string, more: Sent = {}): Promise<Answer> =>
  call(t, tokens.access_token, `/fhir/${path}`, more)
const send = (method: string, path: string, body?: object, headers: object = {}) =>
  get(path, {
    ...{ method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
    headers: {
      'content-type': 'application/fhir+json',
      'launch-context': String(tokens.__context),
      ...headers,
    },
  })
const read = (answer: Answer, status = 200) => {
  expect([answer.status, answer.status === status ? '' : answer.text]).toEqual([status, ''])
  // Nothing tells where the record stands.
  expect(`${answer.text} ${JSON.stringify(answer.headers)}`).not.toContain(origin)
  return answer.text === '' ? undefined : JSON.parse(answer.text)
}
const idsIn = (answer: Answer): readonly string[] =>
  (read(answer).entry ?? []).map(({ resource }: { resource: Resource }) => resource.id)
const outcomeOf = (answer: Answer) => {
  const { resourceType, issue } = JSON.parse(answer.text)
  return [answer.status, resourceType, issue[0].diagnostics.replace(/ref_[\w-]+/, 'ref_')]
}

describe('a launch', () => {
  it('finds its patient there by number and birth date, under whatever id the server gave', async () => {
    expect((await launched()).patient).toBe(kept.me)
    expect((await launched(SUPERSEDED)).patient).toBe(kept.me)
    for (const [patient, code] of [
      [OTHER_BIRTH_DATE, 'patient_mismatch'],
      [NO_PLAN, 'patient_unknown'],
    ] as const) {
      const order = { system: 'gp-post', app: 'v1-app', patient }
      await expectRefused(t, await open(t, new UserAgent(), order), code, 404)
    }
  })
})

describe('reading', () => {
  beforeAll(launchAnew)

  it('gives the patient, a resource, each of its versions and their history', async () => {
    expect(read(await get(`Patient/${kept.me}`))).toMatchObject({ birthDate: '1938-03-14' })
    const answer = await get(`Condition/${kept.problem}`)
    const { meta } = read(answer)
    expect(answer.headers.etag).toBe(`W/"${meta.versionId}"`)
    expect(answer.headers['last-modified']).toBeDefined()
    const version = await get(`Condition/${kept.problem}/_history/${meta.versionId}`)
    expect(read(version)).toEqual(JSON.parse(answer.text))
    expect(read(await get(`Condition/${kept.problem}/_history`))).toMatchObject({
      ...{ type: 'history', total: 1 },
      entry: [{ fullUrl: `${t.issuer}/fhir/Condition/${kept.problem}` }],
    })
  })

  // biome-ignore format: a table
  it.each<[string, string, number]>([
    ['all of a type',                'Condition?',                                     2],
    ['the patient, named',           'Condition?patient={me}',                         2],
    ['the patient, as a reference',  'Condition?patient=Patient/{me}',                 2],
    ['a code',                       'Condition?code=84114007',                        1],
    ['a code of a system',           `Condition?code=${SNOMED}|84114007`,              1],
    ['a code of another patient',    'Condition?code=363346000',                       0],
    ['a status',                     'Condition?clinical-status=active',               2],
    ['since a day',                  'Condition?recorded-date=ge2023-01-01',           1],
    ['themselves',                   'Patient?_id={me}',                               1],
    ['more than a page of it',       'Observation?status=final',                       DAYS],
    ['as many as there are',         `Observation?_count=${DAYS}`,                     DAYS],
    ['the rest',                     'Observation?_offset=20',                         5],
  ])('finds %s', async (_, path, count) => {
    const asked = path.replace('{me}', kept.me)
    const answer = await get(asked)
    expect(idsIn(answer)).toHaveLength(count)
    for (const { fullUrl } of read(answer).entry) expect(fullUrl).toMatch(`${t.issuer}/fhir/`)
    const [type = '', body] = asked.split('?')
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const byForm = await get(`${type}/_search`, { method: 'POST', body: body ?? '', headers: form })
    expect(idsIn(byForm)).toEqual(idsIn(answer))
  })

  it('finds in the order that was asked for', async () => {
    const days = read(await get('Observation?_sort=-date')).entry.map(
      ({ resource }: { resource: Observation }) => resource.effectiveDateTime?.slice(-2),
    )
    expect(days).toEqual([...days].sort().reverse())
  })

  it('gives pages of its own to whom something may be withheld, though the server names no next', async () => {
    const pages = ['Observation?_count=10', 'Observation?_count=10&_offset=10']
    for (const path of pages) {
      const answer = await get(path)
      expect(idsIn(answer)).toHaveLength(10)
      expect(read(answer).link.map(({ relation }: { relation: string }) => relation)).toEqual([
        'self',
        'next',
      ])
    }
    expect(idsIn(await get('Observation?_count=10&_offset=20'))).toHaveLength(5)
  })
})

describe('writing', () => {
  beforeAll(launchAnew)

  it('creates, changes under its version, refuses a stale one, patches and deletes', async () => {
    const created = await send('POST', 'Condition', problemOf(kept.me, '195967001'))
    const { id, meta } = read(created, 201)
    expect(created.headers.location).toBe(
      `${t.issuer}/fhir/Condition/${id}/_history/${meta.versionId}`,
    )
    const first = String(created.headers.etag)
    const worse = problemOf(kept.me, '195967001', { id, note: [{ text: 'Worse.' }] })
    const changed = await send('PUT', `Condition/${id}`, worse, { 'if-match': first })
    expect(read(changed)).toMatchObject({ id, note: [{ text: 'Worse.' }] })
    const second = String(changed.headers.etag)
    expect(second).not.toBe(first)

    const stale = await send('PUT', `Condition/${id}`, worse, { 'if-match': first })
    await expectRefused(t, stale, 'version_stale', 412)
    const blind = await send('PUT', `Condition/${id}`, worse)
    await expectRefused(t, blind, 'version_missing', 400)

    const patch = [{ op: 'replace', path: '/note/0/text', value: 'Better.' }]
    const json = { 'content-type': 'application/json-patch+json', 'if-match': second }
    const patched = await send('PATCH', `Condition/${id}`, patch, json)
    expect(read(patched).note).toEqual([{ text: 'Better.' }])
    expect(read(await get(`Condition/${id}/_history`)).total).toBe(3)
    read(await send('DELETE', `Condition/${id}`), 204)
    await expectRefused(t, await get(`Condition/${id}`), 'record_absent', 404)
  })

  it('creates and changes by a condition, once', async () => {
    const asthma = problemOf(kept.me, '195967001')
    const once = { 'if-none-exist': 'code=195967001' }
    const { id } = read(await send('POST', 'Condition', asthma, once), 201)
    expect(read(await send('POST', 'Condition', asthma, once)).id).toBe(id)
    const worse = { ...asthma, note: [{ text: 'Worse.' }] }
    expect(read(await send('PUT', 'Condition?code=195967001', worse))).toMatchObject({
      ...worse,
      id,
    })
    read(await send('DELETE', 'Condition?code=195967001'), 204)
    expect(idsIn(await get('Condition?code=195967001'))).toEqual([])
    // Somebody else's is no reason not to.
    const theirs = { 'if-none-exist': 'code=363346000' }
    read(await send('POST', 'Condition', problemOf(kept.me, '363346000'), theirs), 201)
  })

  it('of whoever was quicker at the server is told, whatever stood when it was judged', async () => {
    const { id, meta } = await fhir.repository.createResource(problemOf(kept.me, '38341003'))
    const theirs: RequestListener = async (req, res) => {
      if (req.method === 'PUT')
        await fhir.repository.updateResource(problemOf(kept.me, '1', { id }))
      return guarded(req, res)
    }
    record = theirs
    const mine = problemOf(kept.me, '38341003', { id, note: [{ text: 'Mine.' }] })
    const late = await send('PUT', `Condition/${id}`, mine, {
      'if-match': `W/"${meta?.versionId}"`,
    })
    await expectRefused(t, late, 'version_stale', 412)
    expect(await fhir.repository.readResource('Condition', id)).not.toHaveProperty('note')
  })

  it('carries out a batch entry by entry, and a transaction with references within it', async () => {
    const { entry } = read(
      await send('POST', '', {
        ...{ resourceType: 'Bundle', type: 'batch' },
        entry: [
          { request: { method: 'GET', url: `Condition/${kept.problem}` } },
          { request: { method: 'GET', url: `Condition/${kept.theirs}` } },
          { request: { method: 'GET', url: 'Condition?code=84114007' } },
          {
            resource: problemOf(kept.me, '49436004'),
            request: { method: 'POST', url: 'Condition' },
          },
        ],
      }),
    )
    const statuses = entry.map(({ response }: { response: { status: string } }) => response.status)
    expect(statuses).toEqual(['200', '404', '200', '201'])

    const urn = 'urn:uuid:5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
    const about: Observation = { ...observedOn(kept.me, 26), focus: [{ reference: urn }] }
    const done = read(
      await send('POST', '', {
        ...{ resourceType: 'Bundle', type: 'transaction' },
        entry: [
          {
            ...{ fullUrl: urn, resource: problemOf(kept.me, '709044004') },
            request: { method: 'POST', url: 'Condition' },
          },
          { resource: about, request: { method: 'POST', url: 'Observation' } },
        ],
      }),
    )
    const [problem, observation] = done.entry
    expect(problem.response).toMatchObject({ status: '201' })
    expect(observation.resource.focus).toEqual([{ reference: `Condition/${problem.resource.id}` }])
  })

  it('says of a transaction of which it did a part that it is not known what was saved', async () => {
    const { id, meta } = await fhir.repository.createResource(problemOf(kept.me, '40930008'))
    record = async (req, res) => {
      if (req.method === 'POST')
        await fhir.repository.updateResource(problemOf(kept.me, '1', { id }))
      return guarded(req, res)
    }
    const ifMatch = `W/"${meta?.versionId}"`
    const answer = await send('POST', '', {
      ...{ resourceType: 'Bundle', type: 'transaction' },
      entry: [
        {
          resource: problemOf(kept.me, '40930008', { id, note: [{ text: 'Mine.' }] }),
          request: { method: 'PUT', url: `Condition/${id}`, ifMatch },
        },
      ],
    })
    await expectRefused(t, answer, 'write_unknown', 503)
  })
})

describe('another patient’s data', () => {
  beforeAll(launchAnew)

  it('is answered as what is not there, by whichever way it is asked for', async () => {
    const absent = outcomeOf(await get('Condition/00000000-0000-4000-8000-000000000000'))
    const { meta } = await fhir.repository.readResource<Condition>('Condition', kept.theirs)
    for (const path of [
      `Condition/${kept.theirs}`,
      `Condition/${kept.theirs}/_history`,
      `Condition/${kept.theirs}/_history/${meta?.versionId}`,
      `Condition?patient=${kept.other}`,
      `Patient/${kept.other}`,
    ])
      expect(outcomeOf(await get(path))).toEqual(absent)
  })

  it('is neither written nor written to', async () => {
    const before = await fhir.repository.readHistory('Condition', kept.theirs)
    const ofMine = await fhir.repository.readHistory('Condition', kept.problem)
    const [{ resource: mine } = {}] = ofMine.entry ?? []
    const moved = problemOf(kept.other, '84114007', { id: kept.problem })
    const version = { 'if-match': `W/"${mine?.meta?.versionId}"` }
    const refused = [
      await send('POST', 'Condition', problemOf(kept.other, '1')),
      await send('PUT', `Condition/${kept.problem}`, moved, version),
      await send('PUT', `Condition/${kept.theirs}`, problemOf(kept.me, '1', { id: kept.theirs }), {
        'if-match': `W/"${before.entry?.[0]?.resource?.meta?.versionId}"`,
      }),
      await send('DELETE', `Condition/${kept.theirs}`),
    ]
    expect(refused.map(({ status }) => status)).toEqual([422, 422, 404, 404])
    for (const id of [kept.theirs, kept.problem])
      expect((await fhir.repository.readHistory('Condition', id)).entry).toHaveLength(1)
  })
})

describe('the server’s own words', () => {
  beforeAll(launchAnew)

  // biome-ignore format: a table
  it.each<[string, string, string, number]>([
    ['a value that it cannot read', 'Condition?recorded-date=2025-99-99',  'upstream_invalid', 502],
    ['what is not there',           'Condition/not-there',                 'record_absent',    404],
    ['a version that is not there', 'Condition/{problem}/_history/0',      'record_absent',    404],
  ])('of %s stay with it', async (_, path, code, status) => {
    const answer = await get(path.replace('{problem}', kept.problem))
    await expectRefused(t, answer, code as 'record_absent', status)
    expect(answer.text).not.toMatch(/Invalid format|Not found"|medplum|precondition/i)
  })
})

describe('the token for the record', () => {
  beforeAll(launchAnew)
  const asked = () => get(`Condition/${kept.problem}`)
  /** What the trail says of a refusal. */
  const whyOf = async (answer: Answer) =>
    (await expectRefused(t, answer, 'record_unavailable', 503)).detail?.why

  it('is fetched once, by our own key, for all calls until shortly before its end', async () => {
    const [{ length: given }, from] = [auth.given, called.length]
    await Promise.all([asked(), asked(), asked()])
    await t.clock.advance(TOKEN_LIFE)
    await launchAnew()
    await Promise.all([asked(), asked(), asked()])
    expect(auth.given).toHaveLength(given + 1)
    expect(new Set(called.slice(from)).size).toBe(2)
    expect(called.at(-1)).toBe(auth.given.at(-1))
  })

  it('is fetched anew, once, when the server no longer takes it: a write is done once', async () => {
    await auth.revoke()
    const { length: given } = auth.given
    const created = await send('POST', 'Condition', problemOf(kept.me, '73211009'))
    const { id } = read(created, 201)
    expect(auth.given).toHaveLength(given + 1)
    expect(idsIn(await get('Condition?code=73211009'))).toEqual([id])
  })

  it('that is never taken is not asked for without end', async () => {
    const [given, from] = [auth.given.length, called.length]
    record = (req, res) => {
      called.push(req.headers.authorization ?? '')
      res.writeHead(401).end()
    }
    await expectRefused(t, await asked(), 'upstream_invalid', 502)
    expect([auth.given.length - given, called.length - from]).toEqual([1, 2])
  })

  it('cannot be had while the authorization server is away: the record is not there, and hears nothing', async () => {
    await auth.revoke()
    await asked()
    await t.clock.advance(TOKEN_LIFE)
    await launchAnew()
    await auth.revoke()
    auth.condition = 'down'
    const from = called.length
    expect(await whyOf(await asked())).toMatch(
      /^no token from 127\.0\.0\.1:\d+: (?:UND_ERR_SOCKET|ECONNRESET)$/,
    )
    expect(called.length - from).toBeLessThanOrEqual(1)
    auth.condition = 'up'
    read(await asked())
  })

  it('is refused to a key that is not registered, and the trail says so', async () => {
    const { upstreams } = t.config
    await t.restart({
      upstreams: { ...upstreams, fhir: { ...upstreams.fhir, ...reachedAs(OTHER_KEY) } },
    })
    const from = called.length
    expect(await whyOf(await asked())).toContain('invalid_client')
    expect(called).toHaveLength(from)
    await t.restart()
    read(await asked())
  })

  it('is sent to the record’s own origin, and the assertion to the authorization server’s, wherever they point', async () => {
    const heard: string[] = []
    const elsewhere = createServer((req, res) => {
      heard.push(`${req.method} ${req.url} ${req.headers.authorization}`)
      res.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
    const location = `http://127.0.0.1:${await listen(elsewhere)}/`
    for (const status of [301, 302, 303, 307, 308]) {
      record = (_req, res) => res.writeHead(status, { location }).end()
      await expectRefused(t, await asked(), 'upstream_invalid', 502)
    }
    record = guarded
    await auth.revoke()
    auth.condition = (_req, res) => res.writeHead(307, { location }).end()
    await whyOf(await asked())
    await hangUp(elsewhere)
    expect(heard).toEqual([])
  })

  it('stands in no line of the log, no entry of the trail and no answer', async () => {
    const entries = JSON.stringify(await entriesOf(t, { limit: 100_000 }))
    expect(auth.given.length).toBeGreaterThan(3)
    for (const token of auth.given) {
      expect(entries).not.toContain(token)
      expect(lines.join('')).not.toContain(token)
    }
    expect(`${entries}${lines.join('')}`).not.toContain('client_assertion=')
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
