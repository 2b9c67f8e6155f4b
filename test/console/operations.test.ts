/** What operators and privacy officers do in the console: look at launches, end them, search and export the trail. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { LaunchId } from '../../src/core/ids.js'
import { launchTo, readsPatient } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { open, PEGGY, SENSITIVE } from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail, referenceOf } from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'
import { get, post, signedIn } from './signing-in.js'

jest.setTimeout(60_000)

const GP = '555254239101'
const OPERATOR = '555254239204'
const WHY = { reason: 'A laptop was stolen' }

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let operator: UserAgent
  let privacy: UserAgent
  beforeAll(async () => {
    t = await openTestGateway({ store })
    operator = await signedIn(t, 'operator')
    privacy = await signedIn(t, 'privacy-officer')
  }, 60_000)
  afterAll(() => t?.close())

  const lastLaunch = async (): Promise<LaunchId> => {
    const opened = await entriesOf(t, { what: 'session_opened' })
    return opened.at(-1)?.launch as LaunchId
  }
  /** A launch with an app that reads, and its id. */
  const launched = async (order = {}) => {
    // An end counts for what began in its own second as well.
    await t.clock.advance(1)
    const { tokens } = await launchTo(t, { system: 'gp-push', ...order })
    return { tokens, launch: await lastLaunch() }
  }
  const search = async (browser: UserAgent, path: string, fields: Record<string, string>) =>
    post(t, browser, { page: await get(t, browser, path), action: path }, fields)
  /** Through the page that asks, with a reason. */
  const end = async (browser: UserAgent, path: string, fields: Record<string, string> = WHY) =>
    post(t, browser, { page: await get(t, browser, path), action: path }, fields)
  const lastOf = async (what: 'console_viewed' | 'console_acted') =>
    (await entriesOf(t, { what })).at(-1)

  describe('a launch', () => {
    it('is listed with its state, and told stage by stage', async () => {
      const { launch } = await launched()
      const list = await get(t, operator, '/console/launches')
      expect(list.text).toContain(`href="/console/launches/${launch}"`)
      const page = wordsOf((await get(t, operator, `/console/launches/${launch}`)).text)
      expect(page).toMatch(/open Why was it decided so\?/)
      expect(page).toMatch(
        /Arrives and is proven success .*The policies are asked success .*Tokens are issued success/,
      )
      expect(await lastOf('console_viewed')).toMatchObject({
        launch,
        user: { id: OPERATOR, name: 'Kwame Boateng', roles: ['operator'] },
        detail: { page: '/console/launches/:launch', part: 'launches', layer: 'central' },
      })
    })

    it('is ended for a reason, at the next request, and the trail says by whom', async () => {
      const { tokens, launch } = await launched()
      const other = await launched({ patient: '9990000026' })
      expect(await readsPatient(t, tokens)).toBe(200)
      const path = `/console/launches/${launch}/end`
      const without = await end(operator, path, { reason: ' ' })
      expect(without.status).toBe(400)
      expect(wordsOf(without.text)).toContain('Nothing was done')
      expect(await readsPatient(t, tokens)).toBe(200)
      const done = await end(operator, path)
      expect(done).toMatchObject({ status: 303 })
      expect(done.location?.pathname).toBe('/console/launches')
      expect(await readsPatient(t, tokens)).toBe(401)
      expect(await readsPatient(t, other.tokens)).toBe(200)
      expect(await lastOf('console_acted')).toMatchObject({
        launch,
        user: { id: OPERATOR },
        detail: { reason: WHY.reason, act: 'console-operate' },
      })
      await expectRefused(t, await get(t, operator, path), 'not_found', 404)
    })

    it('is filtered by user, organisation, system and app', async () => {
      const { launch } = await launched()
      const ids = async (fields: Record<string, string>) =>
        (await search(operator, '/console/launches', fields)).text.includes(launch)
      expect(await ids({ user: GP })).toBe(true)
      expect(await ids({ organization: 'a83001', app: 'care-plan', system: 'gp-push' })).toBe(true)
      for (const other of [
        { user: '555254239102' },
        { organization: 'X' },
        { system: 'gp-post' },
        { app: 'x' },
      ])
        expect(await ids(other as Record<string, string>)).toBe(false)
    })
  })

  describe('a person', () => {
    it('has their sign-ons ended one by one, the latest on top', async () => {
      const { tokens } = await launched()
      const page = await search(operator, '/console/sign-ons', { user: GP })
      const path = /href="(\/console\/sign-ons\/sgn_[\w-]+\/end)"/.exec(page.text)?.[1] ?? ''
      expect((await end(operator, path)).status).toBe(303)
      expect(await readsPatient(t, tokens)).toBe(401)
    })

    it('has all of them ended at once, the console’s too', async () => {
      const { tokens } = await launched()
      const page = await search(operator, '/console/sign-ons', { user: GP })
      const asks = await post(t, operator, { page, action: '/console/sign-ons/confirm' })
      expect(wordsOf(asks.text)).toContain(`Everything that ${GP} signed on for`)
      const done = await post(t, operator, { page: asks, action: '/console/sign-ons/end' }, WHY)
      expect(done.status).toBe(303)
      expect(await readsPatient(t, tokens)).toBe(401)

      const viewer = await signedIn(t, 'viewer')
      const theirs = await search(operator, '/console/sign-ons', { user: '555254239201' })
      const confirm = await post(t, operator, { page: theirs, action: '/console/sign-ons/confirm' })
      await post(t, operator, { page: confirm, action: '/console/sign-ons/end' }, WHY)
      expect(wordsOf((await get(t, viewer, '/console')).text)).toContain('Sign in to the')
    })

    it('is looked for by form only: what stands in an address is not read', async () => {
      for (const path of [
        'sign-ons?user=',
        'launches?user=',
        'trail?patient=',
        'trail/patient?patient=',
      ]) {
        const answer = await get(t, operator, `/console/${path}${PEGGY}`)
        expect(answer.status).toBe(200)
        expect(answer.text).not.toContain(PEGGY)
      }
    })
  })

  describe('registrations and keys', () => {
    it('are shown without anything secret', async () => {
      const page = await get(t, operator, '/console/registrations')
      expect(wordsOf(page.text)).toMatch(/care-plan .*gp-push/)
      expect(page.text).not.toMatch(/secret_hash|"d":/)
      const keys = await get(t, operator, '/console/keys')
      expect(wordsOf(keys.text)).toMatch(/active ES256 signs/)
      expect(keys.text).not.toContain('"held"')
    })

    it('of an app or system are ended without taking them out', async () => {
      for (const path of ['/console/apps/care-plan/end', '/console/systems/gp-push/end']) {
        const { tokens } = await launched()
        expect(await readsPatient(t, tokens)).toBe(200)
        expect((await end(operator, path)).status).toBe(303)
        expect(await readsPatient(t, tokens)).toBe(401)
        expect(await readsPatient(t, (await launched()).tokens)).toBe(200)
      }
    })

    it('that were added are taken out, and those of the files are not', async () => {
      const row = { id: 'added-app', name: 'Added', type: 'public', profile: 'smart' }
      const value = { ...row, redirect_uris: ['https://added.example/'], scopes: ['openid'] }
      const until = Date.UTC(9999, 0)
      await t.running.store.commit({ puts: [{ kind: 'app', id: row.id, value, until }] })
      const listed = async () =>
        (await get(t, operator, '/console/registrations')).text.includes('added-app')
      expect(await listed()).toBe(true)
      expect((await end(operator, '/console/apps/added-app/remove')).status).toBe(303)
      expect(await listed()).toBe(false)
      expect(await lastOf('console_acted')).toMatchObject({ app: 'added-app', detail: WHY })
      for (const path of ['/console/apps/care-plan/remove', '/console/systems/gp-push/remove']) {
        const kept = await end(operator, path)
        expect(kept.status).toBe(400)
        expect(wordsOf(kept.text)).toMatch(/It stands in (apps|launch-systems)\.yaml/)
      }
    })

    it('of ours are rotated once, and a second time only when there is something to do', async () => {
      expect((await end(operator, '/console/keys/rotate')).status).toBe(303)
      expect(wordsOf((await get(t, operator, '/console/keys')).text)).toMatch(/next ES256/)
      const [entry] = (await entriesOf(t, { what: 'keys_rotated' })).slice(-1)
      expect(entry?.detail?.by).toBe(`${OPERATOR}: ${WHY.reason}`)
      const again = await end(operator, '/console/keys/rotate')
      expect(again.status).toBe(400)
      expect(wordsOf(again.text)).toContain('new keys are published already')
    })
  })

  describe('the trail', () => {
    it('is searched by patient, user, organisation, launch, reference and kind, page by page', async () => {
      const { launch } = await launched()
      const found = async (fields: Record<string, string>) =>
        wordsOf((await search(privacy, '/console/trail', fields)).text)
      expect(await found({ patient: PEGGY })).toContain(launch)
      expect(await found({ patient: '999 000 0018', what: 'session_opened' })).toContain(launch)
      expect(await found({ user: GP, organization: 'A83001', launch })).toContain(launch)
      expect(await found({ launch, what: 'launch_refused' })).toMatch(/More None Looked/)
      expect(await found({ patient: '9990000019' })).toContain('That is no NHS number')
      expect(await found({ from: '2026-13-45T00:00' })).toContain('give a day and a time')
      expect(await lastOf('console_viewed')).toMatchObject({ detail: { page: '/console/trail' } })
    })

    it('goes on to older entries and loses none between', async () => {
      const first = await search(privacy, '/console/trail', {})
      const shown = (page: Answer) =>
        (page.text.match(/<tr class="nhsuk-table__row">/g) ?? []).length
      expect(shown(first)).toBeGreaterThanOrEqual(80)
      const older = await post(t, privacy, { page: first, action: '/console/trail' }, {})
      expect(older.status).toBe(200)
    })

    it('remembers who looked for a patient: as a look at that patient', async () => {
      await search(privacy, '/console/trail/patient', { patient: SENSITIVE })
      expect(await lastOf('console_viewed')).toMatchObject({
        patient: { nhsNumber: SENSITIVE },
        user: { id: '555254239205' },
      })
      const again = await search(privacy, '/console/trail/patient', { patient: SENSITIVE })
      expect(wordsOf(again.text)).toMatch(/Miriam Goldberg .*looked in the console/)
    })

    it('tells who has looked at a patient, on a page and as files with no formula in them', async () => {
      const evil = '=HYPERLINK("https://evil.example")'
      await launched({
        claims: (sent: { practitioner?: object }) => ({
          practitioner: { ...sent.practitioner, name: evil },
        }),
      })
      const page = await search(privacy, '/console/trail/patient', { patient: PEGGY })
      expect(wordsOf(page.text)).toMatch(/555254239101 .*opened the plan/)
      const file = await search(privacy, '/console/trail/patient', {
        patient: PEGGY,
        format: 'csv',
      })
      expect(file.headers['content-type']).toBe('text/csv; charset=utf-8')
      expect(file.headers['content-disposition']).toMatch(
        /^attachment; filename=looks-\d{4}-\d\d-\d\d\.csv$/,
      )
      expect(file.text).toContain(GP)
      expect(file.text).not.toMatch(/(^|,)"=/m)
      const lines = await search(privacy, '/console/trail/patient', {
        patient: PEGGY,
        format: 'ndjson',
      })
      const rows = lines.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(rows).toContainEqual(expect.objectContaining({ user: GP, organization: 'A83001' }))
      expect(await lastOf('console_viewed')).toMatchObject({ detail: { exported: true } })
    })

    it('misses nobody who looked at a patient: by a launch in the console, or by another of their ids', async () => {
      const { tokens, launch } = await launched({ patient: '9990000026' })
      const looking = async (browser: UserAgent, patient: string) =>
        wordsOf((await search(browser, '/console/trail/patient', { patient })).text)
      const fhirId = tokens.patient ?? ''
      expect(await looking(privacy, '9990000026')).not.toContain('Kwame Boateng')
      await get(t, operator, `/console/launches/${launch}`)
      // A look by the NHS number is one at the patient of the FHIR id, and the other way round.
      for (const id of [fhirId, '9990000026']) {
        const words = await looking(privacy, id)
        expect(words).toMatch(/555254239204 Kwame Boateng .*looked in the console/)
        expect(words).toMatch(/555254239205 Miriam Goldberg .*looked in the console/)
      }
      const other = await signedIn(t, 'operator')
      await search(other, '/console/trail', { patient: fhirId })
      const file = await search(privacy, '/console/trail/patient', {
        ...{ patient: '9990000026', format: 'ndjson' },
      })
      const rows = file.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(rows.find(({ user }) => user === OPERATOR)?.times).toBe(2)
    })

    it('remembers a search by user as a look at every patient whose entries it showed', async () => {
      await launched({ patient: '9990000026' })
      await search(operator, '/console/trail', { user: GP, what: 'session_opened' })
      expect(await lastOf('console_viewed')).toMatchObject({
        detail: { patients: expect.arrayContaining([PEGGY, '9990000026']) },
      })
      const looks = await search(privacy, '/console/trail/patient', { patient: '9990000026' })
      expect(wordsOf(looks.text)).toMatch(/Kwame Boateng .*looked in the console/)
    })

    it('is verified in the background, with its result shown', async () => {
      const page = await get(t, privacy, '/console/trail/verification')
      const begun = await post(t, privacy, { page, action: '/console/trail/verification' })
      expect(begun.status).toBe(303)
      let words = ''
      for (let tries = 0; tries < 200 && !words.includes('Ended'); tries++)
        words = wordsOf((await get(t, privacy, '/console/trail/verification')).text)
      expect(words).toMatch(/The trail is whole .*Entries \d+ Writers 1/)
    })

    it('is counted hour by hour, with the same in a table', async () => {
      const page = await get(t, operator, '/console/charts')
      expect(page.text.match(/<rect /g)).toHaveLength(72)
      expect(wordsOf(page.text)).toMatch(/Hour Launches opened Refusals Median ms/)
      expect(wordsOf(page.text)).toMatch(/\d\d:00 [1-9]\d* /)
    })
  })

  describe('a decision', () => {
    it('is explained by the reference of the page on which it was denied', async () => {
      const denial = await open(t, new UserAgent(), {
        system: 'gp-push',
        user: 'receptionist',
        patient: SENSITIVE,
      })
      const viewer = await signedIn(t, 'author')
      const page = await search(viewer, '/console/decisions', { of: referenceOf(denial) })
      const words = wordsOf(page.text)
      expect(words).toMatch(
        /Denied: .*What was asked .*What was answered Answer deny Policy version 1/,
      )
      expect(page.text).toMatch(/<pre[^>]*><code>(@id|forbid|permit)/)
      // Whoever may not follow launches in the trail learns roles and place, and no name.
      expect(words).not.toContain('Sue Hartley')
      const named = await search(privacy, '/console/decisions', { of: referenceOf(denial) })
      expect(wordsOf(named.text)).toContain('Sue Hartley')
    })

    it('of a launch is explained by its id, and of nothing by anything else', async () => {
      const { launch } = await launched()
      const page = await get(t, privacy, `/console/decisions/${launch}`)
      expect(wordsOf(page.text)).toMatch(
        /Allowed: the launch, .*Allowed: access for the app, .*permit/,
      )
      const wrong = await search(privacy, '/console/decisions', { of: PEGGY })
      expect(wrong.status).toBe(400)
      const none = await search(privacy, '/console/decisions', { of: 'ref_AAAAAAAAAAAAAAAAAAAA' })
      expect(wordsOf(none.text)).toContain('No decision was found')
    })
  })

  it('shows names from outside as text, whatever they are', async () => {
    const evil = '<script>alert(1)</script><img src=x onerror=alert(1)>{{ 12345679 * 9 }}'
    const { launch } = await launched({
      claims: (sent: { practitioner?: object }) => ({
        practitioner: { ...sent.practitioner, name: evil },
      }),
    })
    for (const path of [
      '/console/launches',
      `/console/launches/${launch}`,
      `/console/launches/${launch}/end`,
      `/console/decisions/${launch}`,
    ]) {
      const { text } = await get(t, operator, path)
      expect(text).not.toMatch(/<script>|<img src/)
      expect(text).not.toContain('111111111')
    }
    const { text } = await search(privacy, '/console/trail/patient', { patient: PEGGY })
    expect(text).not.toMatch(/<script>|<img src/)
  })

  it('leaves a whole trail', () => expectWholeTrail(t))
})
