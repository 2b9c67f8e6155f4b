/**
 * The gateway in front of two servers that answer as EHRbase and the JPA server of HAPI FHIR do (modelled-openehr.ts,
 * modelled-fhir.ts), by configuration alone: set up as docs/integrating.md says it. Neither is the server itself.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals'
import { compositionOf } from '../../src/demo/composition.js'
import { App, call, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import { DECEASED, handleOf, NO_PLAN, open, PEGGY, patientOf, SENSITIVE } from '../launching.js'
import { modelledFhir } from '../modelled-fhir.js'
import type { Json } from '../modelled-fhir-store.js'
import { modelledOpenEhr } from '../modelled-openehr.js'
import type { Version } from '../modelled-openehr-store.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, type Sent, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const OPENEHR = '/ehrbase/rest/openehr/v1'
const FHIR = '/fhir'
const CREDENTIAL = 'of-both-servers'
const NUMBER = 'https://fhir.nhs.uk/Id/nhs-number'
const SCOPE =
  'launch openid fhirUser patient/Patient.rs patient/Condition.cruds patient/Observation.rs ' +
  'patient/MedicationRequest.rs patient/Medication.r ' +
  'patient/composition-care-plan::*.cruds patient/aql-care-plan::sections.rs'
/** But for the listing of a plan nothing is written to FHIR by the policies that are shipped, and nothing is deleted. */
const NO_DELETE = 'forbid (principal, action == Action::"delete", resource);'
const POLICY = `
@id("gps-keep-problems-and-clear-contacts")
@layer("central")
@reason("GPs with the right to write health records may keep problems, and clear contacts.")
permit (principal in Role::"gp", action in [Action::"create", Action::"update", Action::"delete"], resource)
when {
    (resource == FhirType::"Condition" || resource == Section::"contacts") &&
    principal.activities.contains("B0380")
};
`

const fhirServer = createServer((req, res) => fhir.listener(req, res))
const openehrServer = createServer((req, res) => openehr.listener(req, res))
let origins = { fhir: '', openehr: '' }
const fhir = modelledFhir(FHIR, () => origins.fhir, CREDENTIAL)
const openehr = modelledOpenEhr(OPENEHR, CREDENTIAL)
let t: TestGateway
let folder = ''
let tokens: Tokens
/** Everything that could tell of the servers, their tables or their versions. */
const INSIDES =
  /HFJ_RESOURCE|Unknown search|HAPI-\d|comp_data|is not known \(|_getpages|Precondition Failed|supplied/

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelled-'))
  const policies = join(folder, 'policies')
  await cp('config/policies', policies, { recursive: true })
  await writeFile(join(policies, 'writing-more.cedar'), POLICY)
  const writing = join(policies, 'writing.cedar')
  const text = await readFile(writing, 'utf8')
  const narrower = NO_DELETE.replace('resource)', 'resource == Section::"legal")')
  await writeFile(writing, text.replace(NO_DELETE, narrower))
  const [fhirPort, openehrPort] = [await listen(fhirServer), await listen(openehrServer)]
  origins = { fhir: `http://127.0.0.1:${fhirPort}`, openehr: `http://127.0.0.1:${openehrPort}` }
  t = await openTestGateway({
    store: 'embedded',
    change: ({ upstreams, secrets, paths, apps }) => ({
      upstreams: {
        ...upstreams,
        fhir: { ...upstreams.fhir, base: origins.fhir + FHIR },
        openehr: { ...upstreams.openehr, base: origins.openehr + OPENEHR, if_match: 'bare' },
      },
      secrets: { ...secrets, fhirCredential: CREDENTIAL, openehrCredential: CREDENTIAL },
      paths: { ...paths, policies },
      apps: apps.map((app) => (app.id === 'v1-app' ? { ...app, scopes: SCOPE.split(' ') } : app)),
    }),
  })
}, 60_000)
afterAll(async () => {
  await t?.close()
  await Promise.all([fhirServer, openehrServer].map(hangUp))
  await rm(folder, { recursive: true, force: true })
})

async function launched(patient = PEGGY): Promise<Tokens> {
  const browser = new UserAgent()
  const app = new App(t, browser, 'v1-app')
  const landed = await open(t, browser, { system: 'gp-push', app: 'v1-app', patient })
  return tokensOf(await app.redeem(await app.code(handleOf(landed), { scope: SCOPE })))
}
const get = (path: string, more: Sent = {}): Promise<Answer> =>
  call(t, tokens.access_token, path, more)
const send = (method: string, path: string, body?: object, headers: object = {}) =>
  get(path, {
    ...{ method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
    headers: {
      'content-type': path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json',
      'launch-context': String(tokens.__context),
      ...headers,
    },
  })
const read = (answer: Answer, status = 200) => {
  expect([answer.status, answer.status === status ? '' : answer.text]).toEqual([status, ''])
  for (const origin of Object.values(origins))
    expect(`${answer.text} ${JSON.stringify(answer.headers)}`).not.toContain(origin)
  return answer.text === '' ? undefined : JSON.parse(answer.text)
}
const refused = async (answer: Answer, code: string, status: number) => {
  await expectRefused(t, answer, code as 'record_absent', status)
  expect(answer.text).not.toMatch(INSIDES)
}

/** Sets the openEHR server up by the calls of the walk. */
async function walk(): Promise<void> {
  const ask = async (method: string, path: string, type: string, body: string) => {
    const headers = { authorization: `Bearer ${CREDENTIAL}`, 'content-type': type }
    const answer = await fetch(origins.openehr + OPENEHR + path, { method, headers, body })
    expect(answer.ok).toBe(true)
  }
  const page = await readFile('docs/integrating.md', 'utf8')
  const blockOf = (name: string) => page.split(`<<'${name}'\n`)[1]?.split(`\n${name}\n`)[0] ?? ''
  for (const { template } of t.config.plan) {
    const xml = `<template><template_id><value>${template}</value></template_id></template>`
    await ask('POST', '/definition/template/adl1.4', 'application/xml', xml)
  }
  const query = '/definition/query/care-plan::sections/1.0.0'
  await ask('PUT', query, 'text/plain', blockOf('AQL'))
  for (const nhsNumber of [PEGGY, SENSITIVE]) {
    const status = blockOf('EHR').replace('9990000018', nhsNumber)
    await ask('POST', '/ehr', 'application/json', status)
  }
}

const patients = new Map<string, string>()
function numbered(nhsNumber: string): void {
  const { birthDate, family } = patientOf(nhsNumber)
  const identifier = [{ system: NUMBER, value: nhsNumber }]
  const patient = { resourceType: 'Patient', birthDate, name: [{ family }], identifier }
  patients.set(nhsNumber, fhir.resources.create('Patient', patient).id)
}
beforeAll(async () => {
  await walk()
  for (const nhsNumber of [PEGGY, SENSITIVE, NO_PLAN]) numbered(nhsNumber)
  tokens = await launched()
})

function ehrOf(nhsNumber: string): string {
  const [found] = [...openehr.store.ehrs].find(([, status]) =>
    JSON.stringify(status).includes(nhsNumber),
  ) ?? ['']
  return found
}
function sectionOf(id: string, words: string): Json {
  const section = t.config.plan.find((each) => each.id === id)
  if (!section) throw new Error(id)
  const now = new Date(t.clock()).toISOString()
  return { ...compositionOf(section, {}, '', now), name: { _type: 'DV_TEXT', value: words } }
}
const ehr = () => `/openehr/v1/ehr/${tokens.ehrId}`
const REPRESENTED = { prefer: 'return=representation' }
const tagOf = ({ headers }: Answer) => String(headers.etag)
const bare = (tag: string) => tag.replaceAll('"', '')
/** A section that stands already. */
const stands = (id: string, words: string, nhsNumber = PEGGY) => {
  const { made } = openehr.store.commit(ehrOf(nhsNumber), [
    { type: '249', data: sectionOf(id, words) },
  ])
  return made[0] as Version
}
/** Somebody else changes it. */
const changed = (preceding: string, id: string) => {
  const data = sectionOf(id, 'Quicker.')
  return openehr.store.commit(ehrOf(PEGGY), [{ type: '251', preceding, data }]).made[0] as Version
}

describe('an openEHR server that answers as EHRbase does', () => {
  beforeEach(() => void openehr.store.versions.splice(0))
  afterEach(() => {
    Object.assign(openehr.store.ways, { quotesKept: true, named: false, broken: false })
    openehr.store.ways.limit = undefined
  })

  it('has the EHR found by its subject, and says itself where there is none', async () => {
    expect(tokens.ehrId).toBe(ehrOf(PEGGY))
    expect(openehr.asked).toContain(
      `GET /ehr?subject_id=${PEGGY}&subject_namespace=${encodeURIComponent(NUMBER)}`,
    )
    expect((await launched(NO_PLAN)).ehrId).toBeUndefined()
    expect(openehr.asked).toContain('GET /definition/query/care-plan::sections')
    expect(read(await get(ehr()))).toMatchObject({ ehr_id: { value: tokens.ehrId } })
    expect(read(await get(`${ehr()}/ehr_status`)).subject.external_ref.id.value).toBe(PEGGY)
  })

  it('takes what is begun, changed under its version and cleared, and refuses a stale version', async () => {
    const made = await send('POST', `${ehr()}/composition`, sectionOf('contacts', 'First words.'), {
      prefer: 'respond-async, return=representation',
    })
    const uid = bare(tagOf(made))
    const body = read(made, 201)
    expect(body).toMatchObject({ name: { value: 'First words.' }, uid: { value: uid } })
    const [object = ''] = uid.split('::')
    const path = `${ehr()}/composition/${object}`
    expect(tagOf(await get(path))).toBe(`"${uid}"`)

    const next = sectionOf('contacts', 'Second words.')
    const second = await send('PUT', path, next, { 'if-match': `"${uid}"`, ...REPRESENTED })
    expect(read(second)).toMatchObject({ name: { value: 'Second words.' } })
    expect(openehr.asked).toContain(`PUT ${path.replace('/openehr/v1', '')} ${uid}`)
    // A second update from the same version, which the gateway's own look would have caught, is caught by the server too.
    await refused(await send('PUT', path, next, { 'if-match': `"${uid}"` }), 'version_stale', 412)
    await refused(await send('DELETE', `${ehr()}/composition/${uid}`), 'version_outdated', 409)

    const last = bare(tagOf(second))
    const versioned = `${ehr()}/versioned_composition/${object}`
    expect(read(await get(versioned)).time_created._type).toBe('DV_DATE_TIME')
    const history = read(await get(`${versioned}/revision_history`))
    expect(history._type).toBe('REVISION_HISTORY')
    const uids = history.items.map(
      (item: { version_id: { value: string } }) => item.version_id.value,
    )
    expect(uids).toEqual([uid, last])
    expect(read(await get(`${versioned}/version/${uid}`)).data.name.value).toBe('First words.')

    read(await send('DELETE', `${ehr()}/composition/${last}`), 204)
    await refused(await get(path), 'record_absent', 404)
  })

  it('finds compositions and their histories under any EHR, and so is not believed', async () => {
    const { uid, object } = stands('contacts', 'Theirs.', SENSITIVE)
    for (const path of [
      `composition/${object}`,
      `composition/${uid}`,
      `versioned_composition/${object}`,
    ])
      await refused(await get(`${ehr()}/${path}`), 'record_other_patient', 404)
    const mine = sectionOf('contacts', 'Mine.')
    const put = await send('PUT', `${ehr()}/composition/${object}`, mine, {
      'if-match': `"${uid}"`,
    })
    await refused(put, 'record_other_patient', 404)
  })

  it('takes If-Match with quotes as well, in releases that take them off', async () => {
    openehr.store.ways.quotesKept = false
    const { uid } = stands('what-matters', 'Mine.')
    const { upstreams } = t.config
    const path = `${ehr()}/composition/${uid.split('::')[0]}`
    const put = (version: string) =>
      send('PUT', path, sectionOf('what-matters', `After ${version}.`), { 'if-match': version })
    const second = await put(`"${uid}"`)
    read(second, 204)
    await t.restart({
      upstreams: { ...upstreams, openehr: { ...upstreams.openehr, if_match: 'quoted' } },
    })
    read(await put(tagOf(second)), 204)
    expect(openehr.asked).toContain(`PUT ${path.replace('/openehr/v1', '')} ${tagOf(second)}`)
    await t.restart()
  })

  it('refuses what became stale after the gateway looked', async () => {
    const { uid } = stands('communication', 'Mine.')
    const path = `${ehr()}/composition/${uid.split('::')[0]}`
    openehr.before('PUT', () => changed(uid, 'communication'))
    const mine = sectionOf('communication', 'Late.')
    await refused(await send('PUT', path, mine, { 'if-match': `"${uid}"` }), 'version_stale', 412)
    expect(read(await get(path)).name.value).toBe('Quicker.')
  })

  it('of a deletion names the last version in some releases, and refuses it in all', async () => {
    for (const named of [true, false]) {
      openehr.store.ways.named = named
      const { uid } = stands('contacts', 'To go.')
      let last = ''
      openehr.before('DELETE', () => {
        last = changed(uid, 'contacts').uid
      })
      const answer = await send('DELETE', `${ehr()}/composition/${uid}`)
      await refused(answer, 'version_outdated', 409)
      expect(answer.headers.etag).toBe(named ? `"${last}"` : undefined)
      read(await send('DELETE', `${ehr()}/composition/${last}`), 204)
    }
  })

  const coded = (code_string: string) => ({
    ...{ _type: 'DV_CODED_TEXT', value: code_string },
    defining_code: { terminology_id: { value: 'openehr' }, code_string },
  })
  const changeOf = (type: string, preceding?: string, data?: Json) => ({
    ...{ _type: 'ORIGINAL_VERSION', commit_audit: { change_type: coded(type) } },
    ...(preceding ? { preceding_version_uid: { value: preceding } } : {}),
    lifecycle_state: coded(type === '523' ? '523' : '532'),
    ...(data ? { data } : {}),
  })
  const contributed = (...versions: object[]) =>
    send(
      'POST',
      `${ehr()}/contribution`,
      { _type: 'CONTRIBUTION', versions, audit: {} },
      REPRESENTED,
    )

  it('takes a contribution whole or not at all', async () => {
    const contacts = stands('contacts', 'As they were.')
    const made = await contributed(
      changeOf('251', contacts.uid, sectionOf('contacts', 'As they are.')),
      changeOf('249', undefined, sectionOf('personal', 'Begun.')),
    )
    const { uid, versions } = read(made, 201)
    expect(versions).toHaveLength(2)
    expect(tagOf(made)).toBe(`"${uid.value}"`)
    expect(read(await get(`${ehr()}/contribution/${uid.value}`)).versions).toEqual(versions)
    // Its audits are believed as they are sent: with the person's name.
    const version = openehr.store.versions.at(-1)
    expect(JSON.stringify(version?.audit.committer)).toContain('555254239101')

    const personal = version?.uid ?? ''
    const { length } = openehr.store.versions
    openehr.before('POST /ehr', () => changed(personal, 'personal'))
    const late = await contributed(
      changeOf('249', undefined, sectionOf('daily-support', 'Never.')),
      changeOf('251', personal, sectionOf('personal', 'Late.')),
    )
    await refused(late, 'version_stale', 412)
    expect(openehr.store.versions).toHaveLength(length + 1)
  })

  it('says that there is no directory, and gives one', async () => {
    await refused(await get(`${ehr()}/directory`), 'record_absent', 404)
    const uid = '0c1d4b2e-6a1f-4d6c-9b53-7d1f0e2a9b10::records.example.org::1'
    const mine = stands('contacts', 'Mine.')
    const theirs = stands('contacts', 'Theirs.', SENSITIVE)
    const items = [mine, theirs].map((one) => ({
      ...{ id: { _type: 'HIER_OBJECT_ID', value: one.object }, namespace: 'local' },
      type: 'VERSIONED_COMPOSITION',
    }))
    const folder = { _type: 'FOLDER', uid: { value: uid }, name: { value: 'root' }, items }
    openehr.store.folders.set(ehrOf(PEGGY), { ...folder, archetype_node_id: null, folders: null })
    const { items: shown } = read(await get(`${ehr()}/directory`))
    expect(shown.map(({ id }: { id: { value: string } }) => id.value)).toEqual([mine.object])
  })

  it('runs the query of the walk, of which a limit that nobody asked for is seen', async () => {
    const { plan } = t.config
    for (const { id } of plan) stands(id, 'Mine.')
    stands('contacts', 'Theirs.', SENSITIVE)
    const run = () => get('/openehr/v1/query/care-plan::sections')
    const { name, rows } = read(await run())
    expect(name).toBe('care-plan::sections')
    expect(rows.map(([template]: [string]) => template)).toEqual(plan.map((each) => each.template))
    expect(JSON.stringify(rows)).not.toContain('Theirs.')
    openehr.store.ways.limit = plan.length + 1
    expect(read(await run()).rows).toHaveLength(plan.length)
    openehr.store.ways.limit = plan.length
    await refused(await run(), 'upstream_invalid', 502)
  })

  it('lists the plan’s templates, and gives each as a web template', async () => {
    openehr.store.templates.add('somebody.else.v1')
    const listed = read(await get('/openehr/v1/definition/template/adl1.4'))
    const names = listed.map(({ template_id }: { template_id: string }) => template_id)
    expect(names).toContain('care-plan::contacts.v1')
    expect(names).not.toContain('somebody.else.v1')
    const one = await get('/openehr/v1/definition/template/adl1.4/care-plan::contacts.v1')
    expect(read(one).templateId).toBe('care-plan::contacts.v1')
    openehr.store.templates.delete('care-plan::legal.v1')
    const gone = await get('/openehr/v1/definition/template/adl1.4/care-plan::legal.v1')
    await refused(gone, 'record_absent', 404)
  })

  it('refuses a template that it does not have, and nothing was saved', async () => {
    const { length } = openehr.store.versions
    const made = await send('POST', `${ehr()}/composition`, sectionOf('legal', 'Mine.'))
    await refused(made, 'record_refused', 422)
    expect(openehr.store.versions).toHaveLength(length)
  })

  it('that fails leaves nobody believing that there is no plan, or that something was saved', async () => {
    openehr.store.ways.broken = true
    await refused(await get(ehr()), 'record_unavailable', 503)
    openehr.store.ways.broken = false
    openehr.before('POST /ehr', () => {
      openehr.store.ways.broken = true
    })
    const made = await send('POST', `${ehr()}/composition`, sectionOf('symptoms', 'Mine.'))
    await refused(made, 'write_unknown', 503)
  })
})

describe('a FHIR server that answers as HAPI does', () => {
  const me = () => patients.get(PEGGY) ?? ''
  const problem = (code: string, more: Json = {}, patient = me()): Json => ({
    ...{ resourceType: 'Condition', subject: { reference: `Patient/${patient}` } },
    ...{ code: { coding: [{ system: 'http://snomed.info/sct', code }] }, ...more },
  })
  const keep = (resource: Json) => fhir.resources.create(String(resource.resourceType), resource)
  const versionsOf = (id: string) => fhir.resources.allOf('Condition', id).length
  const idsIn = (answer: Answer): string[] =>
    read(answer).entry.map(({ resource }: { resource: Json }) => resource.id)

  it('has a patient found who was not there a moment ago', async () => {
    await expect(launched(DECEASED)).rejects.toThrow('could not be matched')
    numbered(DECEASED)
    expect((await launched(DECEASED)).patient).toBe(patients.get(DECEASED))
    expect(fhir.asked).toContain('POST /Patient/_search handling=strict no-cache')
  })

  it('gives all there is, page by page, by its own words and by offset, without a word of either', async () => {
    const about = { subject: { reference: `Patient/${me()}` }, status: 'final' }
    const all = Array.from(
      { length: 230 },
      () => keep({ resourceType: 'Observation', ...about }).id,
    )
    expect(idsIn(await get('/fhir/Observation?'))).toEqual(all)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const more = { method: 'POST', headers: form }
    expect(idsIn(await get('/fhir/Observation/_search', { ...more, body: '' }))).toEqual(all)
    const found: string[] = []
    for (let path = 'Observation?_count=90'; path; ) {
      const answer = await get(`/fhir/${path}`)
      found.push(...idsIn(answer))
      expect(answer.text).not.toMatch(INSIDES)
      const { link } = JSON.parse(answer.text) as { link: { relation: string; url: string }[] }
      path = link.find(({ relation }) => relation === 'next')?.url.split('/fhir/')[1] ?? ''
    }
    expect(found).toEqual(all)
  })

  it('brings along what is included on each page, though it counts that to the total', async () => {
    const medicine = keep({ resourceType: 'Medication', code: { text: 'Morphine' } }).id
    const asked = Array.from({ length: 130 }, () =>
      keep({
        ...{ resourceType: 'MedicationRequest', subject: { reference: `Patient/${me()}` } },
        medicationReference: { reference: `Medication/${medicine}` },
      }),
    ).map(({ id }) => id)
    const path = '/fhir/MedicationRequest?_include=MedicationRequest:medication&_count=80&_offset='
    expect(idsIn(await get(`${path}0`))).toEqual([...asked.slice(0, 80), medicine])
    expect(idsIn(await get(`${path}80`))).toEqual([...asked.slice(80), medicine])
  })

  it('takes a write under its version, one that changes nothing, and refuses a stale one', async () => {
    const made = await send('POST', '/fhir/Condition', problem('195967001'))
    const { id } = read(made, 201)
    expect(made.headers.location).toBe(`${t.issuer}/fhir/Condition/${id}/_history/1`)
    // It names the record's own place.
    expect(made.headers).not.toHaveProperty('content-location')
    const put = (more: Json, version: number) =>
      send('PUT', `/fhir/Condition/${id}`, problem('195967001', { id, ...more }), {
        'if-match': `W/"${version}"`,
      })
    expect(tagOf(await put({}, 1))).toBe('W/"1"')
    const note = [{ text: 'Worse.' }]
    expect(read(await put({ note }, 1))).toMatchObject({ note, meta: { versionId: '2' } })
    fhir.before('PUT', () => fhir.resources.update('Condition', id, problem('1'), undefined))
    await refused(await put({ note: [{ text: 'Late.' }] }, 2), 'version_stale', 412)
    expect(versionsOf(id)).toBe(3)
  })

  it('deletes what nothing refers to, and gives it no more', async () => {
    const { id } = keep(problem('195967001'))
    const { id: cause } = keep(problem('84114007'))
    keep(
      problem('13645005', { extension: [{ valueReference: { reference: `Condition/${cause}` } }] }),
    )
    read(await send('DELETE', `/fhir/Condition/${id}`), 204)
    await refused(await get(`/fhir/Condition/${id}`), 'record_absent', 404)
    await refused(await get(`/fhir/Condition/${id}/_history/2`), 'record_absent', 404)
    await refused(await send('DELETE', `/fhir/Condition/${cause}`), 'record_refused', 422)
    read(await get(`/fhir/Condition/${cause}`))
  })

  it('creates by a condition, once', async () => {
    const once = { 'if-none-exist': 'code=73211009' }
    const { id } = read(await send('POST', '/fhir/Condition', problem('73211009'), once), 201)
    expect(read(await send('POST', '/fhir/Condition', problem('73211009'), once)).id).toBe(id)
    keep(problem('38341003', {}, patients.get(SENSITIVE)))
    const other = { 'if-none-exist': 'code=38341003' }
    read(await send('POST', '/fhir/Condition', problem('38341003'), other), 201)
  })

  it('does a transaction whole or not at all', async () => {
    const { id } = keep(problem('40930008'))
    const urn = 'urn:uuid:5f0c2a1e-7d43-4b8e-9a16-3c5d8e2f7a01'
    const entries = (words: string, version: number) => [
      {
        fullUrl: urn,
        resource: problem('709044004'),
        request: { method: 'POST', url: 'Condition' },
      },
      {
        resource: problem('40930008', {
          ...{ id, note: [{ text: words }] },
          extension: [{ url: 'http://example.org/due', valueReference: { reference: urn } }],
        }),
        request: { method: 'PUT', url: `Condition/${id}`, ifMatch: `W/"${version}"` },
      },
    ]
    const sent = (words: string, version: number) =>
      send('POST', '/fhir', {
        ...{ resourceType: 'Bundle', type: 'transaction', entry: entries(words, version) },
      })
    const { entry } = read(await sent('Mine.', 1))
    const [{ response, resource }, changed] = entry
    expect(response).toMatchObject({ status: '201', etag: 'W/"1"' })
    expect(changed.resource.extension[0].valueReference.reference).toBe(`Condition/${resource.id}`)

    const { length } = fhir.resources.current()
    fhir.before('POST', () => fhir.resources.update('Condition', id, problem('1'), undefined))
    await refused(await sent('Late.', 2), 'version_stale', 412)
    expect([fhir.resources.current().length, versionsOf(id)]).toEqual([length, 3])
  })

  it('knows no other patient’s, in whatever words', async () => {
    const { id } = keep(problem('363346000', {}, patients.get(SENSITIVE)))
    for (const path of [`Condition/${id}`, 'Condition/none', `Condition/${id}/_history/1`])
      await refused(
        await get(`/fhir/${path}`),
        path.includes('none') ? 'record_absent' : 'record_other_patient',
        404,
      )
  })

  it('that does not know a parameter finds nothing without it, and is not quoted', async () => {
    await refused(await get('/fhir/Condition?recorded-date=ge2020'), 'upstream_invalid', 502)
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
