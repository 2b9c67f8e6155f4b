import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App, call, claimsIn, codeOf, launchTo, sectionsOf, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, open } from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const NO_PROGNOSIS = `
@id("nobody-reads-prognosis")
@layer("central")
@reason("Prognosis is closed for the moment.")
forbid (principal, action in [Action::"read", Action::"search"], resource == Section::"prognosis");
`

const WRITING = `
@id("gps-write-observations")
@layer("central")
@reason("GPs write observations.")
permit (principal in Role::"gp", action in [Action::"create", Action::"update"], resource == FhirType::"Observation");
`

const PROGNOSIS_TEST = `tests:
  - { name: Nobody reads prognosis, roles: [gp], action: read, on: section/prognosis, expect: deny }
`

describe.each(STORES)('new rules on the %s store', (store) => {
  let t: TestGateway
  let folder: string
  beforeAll(async () => {
    t = await openTestGateway({ store })
    folder = await mkdtemp(join(tmpdir(), 'policies-'))
    // Their own tests speak of the old rules.
    const isTest = (path: string) => path.endsWith('tests')
    await cp(t.config.paths.policies, folder, { recursive: true, filter: (path) => !isTest(path) })
    await mkdir(join(folder, 'tests'))
    await writeFile(join(folder, 'tests/prognosis.yaml'), PROGNOSIS_TEST)
    await writeFile(join(folder, 'prognosis-closed.cedar'), NO_PROGNOSIS)
    await writeFile(join(folder, 'observations.cedar'), WRITING)
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('judge a token anew that was issued under the old ones, on every node', async () => {
    const { app, tokens } = await launchTo(t, { system: 'gp-push' })
    expect(claimsIn(tokens.access_token).policy_version).toBe(1)
    expect(await sectionsOf(t, tokens)).toContain('prognosis')

    // Another node starts with new policy files, and so publishes them.
    await t.secondNode({ paths: { ...t.config.paths, policies: folder } })
    await t.running.policies.refresh()
    expect(await sectionsOf(t, tokens)).not.toContain('prognosis')
    expect(await sectionsOf(t, tokens)).toHaveLength(13)

    const renewed = tokensOf(await app.refresh(tokens))
    expect(claimsIn(renewed.access_token).policy_version).toBe(2)
    expect(renewed.scope).toContain('prognosis.v1.cu ')
    const entries = await entriesOf(t, { launch: tokens.__launch })
    const versions = entries
      .filter(({ what }) => what === 'access_allowed')
      .map(({ policy }) => policy?.version)
    expect(versions).toEqual([1, 2, 2])
  })

  it('open a kind of data to be written, and close it at the next use of a token that was given under them', async () => {
    const app = new App(t, new UserAgent(), 'v1-app')
    const handle = handleOf(await open(t, app.browser, { system: 'gp-push', app: 'v1-app' }))
    const scope = 'launch patient/Observation.crus patient/Condition.cruds'
    const tokens = tokensOf(await app.redeem(codeOf(await app.authorize(handle, { scope }))))
    expect(tokens.scope).toBe('launch patient/Observation.crus patient/Condition.rs')

    const subject = { reference: `Patient/${tokens.patient}` }
    const body = JSON.stringify({ resourceType: 'Observation', status: 'final', subject })
    const headers = {
      'content-type': 'application/fhir+json',
      'launch-context': String(tokens.__context),
    }
    const create = () =>
      call(t, tokens.access_token, '/fhir/Observation', { method: 'POST', headers, body })
    expect((await create()).status).toBe(201)
    const [written] = await entriesOf(t, { launch: tokens.__launch, what: 'access_allowed' })
    expect(written).toMatchObject({
      policy: { policies: ['gps-write-observations'] },
      detail: { interaction: 'create', type: 'Observation' },
    })

    await rm(join(folder, 'observations.cedar'))
    await t.secondNode({ paths: { ...t.config.paths, policies: folder } })
    await t.running.policies.refresh()
    await expectRefused(t, await create(), 'policy_denied', 403)
  })

  it('reach roles as well: a role that is no longer given opens nothing, in no session', async () => {
    const { app, tokens } = await launchTo(t, { system: 'gp-push', user: 'practice-nurse' })
    expect(await sectionsOf(t, tokens)).not.toEqual([])
    const text = await readFile(t.config.paths.roles, 'utf8')
    // R0620, Staff Nurse, is the practice nurse’s job role.
    const roles = join(folder, 'roles.yaml')
    await writeFile(roles, text.replaceAll('R0620, ', ''))
    await t.secondNode({ paths: { ...t.config.paths, policies: folder, roles } })
    await t.running.policies.refresh()
    const read = await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)
    const entry = await expectRefused(t, read, 'policy_denied', 403)
    // What it hung on: codes and flags, for whoever asks why.
    expect(entry.policy).toEqual({ version: 4, effect: 'deny', policies: ['no-role-no-access'] })
    expect(entry.detail).toMatchObject({ asked: ['read fhir/Patient'], flags: [], rung: 'pushed' })
    await expectRefused(t, await app.refresh(tokens), 'refresh_ended', 400)
    const again = await open(t, app.browser, { system: 'gp-push', user: 'practice-nurse' })
    await expectRefused(t, again, 'launch_denied', 403)
    const { tokens: gp } = await launchTo(t, { system: 'gp-push' })
    expect(await sectionsOf(t, gp)).toHaveLength(13)
  })

  it('stop a node that has not heard of them for half a minute from opening anything', async () => {
    const { app, tokens } = await launchTo(t, { system: 'gp-push' })
    // The clock goes on, and nothing is heard.
    const { refresh } = t.running.policies
    t.running.policies.refresh = async () => undefined
    await t.clock.advance(31)
    const answer = await open(t, new UserAgent(), { system: 'gp-post' })
    await expectRefused(t, answer, 'policy_stale', 503)
    await expectRefused(t, await app.refresh(tokens), 'policy_stale', 503)
    // Reading goes on: an emergency needs the plan. Writing does not.
    const path = `/fhir/Patient/${tokens.patient}`
    expect((await call(t, tokens.access_token, path)).status).toBe(200)
    t.running.policies.refresh = refresh
    await t.clock.advance(0)
    expect((await call(t, tokens.access_token, path)).status).toBe(200)
    const reads = (await entriesOf(t, { launch: tokens.__launch })).filter(
      ({ what }) => what === 'access_allowed',
    )
    expect(reads.map(({ detail }) => detail?.stale)).toEqual([true, undefined])
    expect((await new App(t, app.browser).refresh(tokens)).status).toBe(200)
  })

  it('leave a trail that can be verified', () => expectWholeTrail(t))
})
