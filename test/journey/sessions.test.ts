import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { App, claimsIn, launchTo, readsPatient, type Tokens, tokensOf } from '../app-by-hand.js'
import { signOutAt } from '../demo/sign-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, open, signIn } from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const IDLE = 900
const LONGEST = 43_200
const TOKEN = 300

describe.each(STORES)('a session on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const begin = async (browser = new UserAgent()) => launchTo(t, { system: 'gp-push' }, browser)
  const renewed = async (app: App, tokens: Tokens): Promise<Tokens> =>
    tokensOf(await app.refresh(tokens))

  // First of all: what the provider says is dated by the machine's own time.
  describe('that its provider ended', () => {
    it('is over at once: session, tokens, refresh', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic' })
      const landed = await signIn(t, browser, page, { person: 'gp' })
      const app = new App(t, browser)
      const tokens = await app.tokens(landed)
      const other = await begin()
      expect(await readsPatient(t, tokens)).toBe(200)

      // As when the smartcard is taken out: the provider tells the gateway from server to server.
      await signOutAt(new URL(`${t.origins.hospital}/oidc/sign-out`), browser.jar)
      expect(await readsPatient(t, tokens)).toBe(401)
      await expectRefused(t, await app.refresh(tokens), 'refresh_ended', 400)
      const next = await open(t, browser, { system: 'gp-clinic' })
      expect(next.text).toContain('/sign-in/start')
      expect(await readsPatient(t, other.tokens)).toBe(200)
    })
  })

  describe('that nobody uses', () => {
    it('lives until the last second of its idle time', async () => {
      const { app, tokens } = await begin()
      await t.clock.advance(IDLE - 0.001)
      expect((await app.refresh(tokens)).status).toBe(200)
    })

    it('is over at its idle time: no refresh, no read, no new launch without sign-on', async () => {
      const { app, browser, tokens } = await begin()
      await t.clock.advance(IDLE)
      await expectRefused(t, await app.refresh(tokens), 'refresh_ended', 400)
      expect(await readsPatient(t, tokens)).toBe(401)
      const again = await launchTo(t, { system: 'gp-push' }, browser)
      const stages = (await entriesOf(t, { launch: again.tokens.__launch })).map(({ what }) => what)
      expect(stages).toContain('signed_on')
    })

    it('leaves the launch’s handle worthless', async () => {
      const browser = new UserAgent()
      const long = await openTestGateway({
        store,
        change: ({ lifetimes }) => ({ lifetimes: { ...lifetimes, handle: 300, session_idle: 60 } }),
      })
      const app = new App(long, browser)
      const handle = handleOf(await open(long, browser, { system: 'gp-push' }))
      await long.clock.advance(60)
      await expectRefused(long, await app.authorize(handle), 'session_ended', 403)
      await long.close()
    })
  })

  describe('that is used', () => {
    it('goes on with every read and refresh', async () => {
      const { app, tokens } = await begin()
      let latest = tokens
      for (let minutes = 0; minutes < 20; minutes += 4) {
        await t.clock.advance(240)
        expect(await readsPatient(t, latest)).toBe(200)
        latest = await renewed(app, latest)
      }
    })

    it('is refused a token from the second at which it expires', async () => {
      const { tokens } = await begin()
      await t.clock.advance(TOKEN - 1)
      expect(await readsPatient(t, tokens)).toBe(200)
      await t.clock.advance(1)
      expect(await readsPatient(t, tokens)).toBe(401)
    })

    it('ends after twelve hours however busy it was', async () => {
      const { app, tokens } = await begin()
      const began = t.clock()
      let latest = tokens
      expect(tokens.__session_ends).toBe(Math.floor(began / 1000) + LONGEST)
      for (let seconds = 0; seconds + 840 < LONGEST; seconds += 840) {
        await t.clock.advance(840)
        latest = await renewed(app, latest)
      }
      await t.clock.advance((began + LONGEST * 1000 - t.clock()) / 1000 - 0.001)
      latest = await renewed(app, latest)
      expect(await readsPatient(t, latest)).toBe(200)
      await t.clock.advance(0.001)
      expect(await readsPatient(t, latest)).toBe(401)
      await expectRefused(t, await app.refresh(latest), 'refresh_invalid', 400)
    })
  })

  describe('refreshed', () => {
    it('gives a new token pair for the same launch, and the old pair’s access token lives out its time', async () => {
      const { app, tokens } = await begin()
      const next = await renewed(app, tokens)
      expect(next.refresh_token).not.toBe(tokens.refresh_token)
      expect(next).toMatchObject({
        patient: tokens.patient,
        scope: tokens.scope,
        __launch: tokens.__launch,
      })
      expect(claimsIn(next.access_token).jti).not.toBe(claimsIn(tokens.access_token).jti)
      expect([await readsPatient(t, tokens), await readsPatient(t, next)]).toEqual([200, 200])
    })

    it('ends with everything when a refresh token is used again a minute later', async () => {
      const { app, tokens } = await begin()
      const next = await renewed(app, tokens)
      await t.clock.advance(60)
      const { launch } = await expectRefused(t, await app.refresh(tokens), 'refresh_spent', 400)
      expect(launch).toBe(tokens.__launch)
      expect(await readsPatient(t, next)).toBe(401)
      await expectRefused(t, await app.refresh(next), 'refresh_ended', 400)
      const entries = await entriesOf(t, { launch: tokens.__launch })
      expect(entries.map(({ what }) => what)).toContain('grant_ended')
    })

    it('ends nothing for a refresh token that somebody made up for it', async () => {
      const { app, tokens } = await begin()
      const family = tokens.refresh_token?.slice(0, -32) ?? ''
      const made = [`${family}${'A'.repeat(32)}`, `${tokens.refresh_token}x`, 'rft_', '']
      for (const refresh_token of made) {
        await expectRefused(t, await app.refresh({ refresh_token }), 'refresh_invalid', 400)
      }
      expect(await readsPatient(t, await renewed(app, tokens))).toBe(200)
    })

    it('gives fifty who ask at once with one token the same successor, of one family', async () => {
      const { app, tokens } = await begin()
      const answers = await Promise.all(Array.from({ length: 50 }, () => app.refresh(tokens)))
      const given = answers.filter(({ status }) => status === 200).map(tokensOf)
      expect(given.length).toBeGreaterThan(0)
      expect(new Set(given.map(({ refresh_token }) => refresh_token)).size).toBe(1)
      // Who came while it was not durable yet is told to ask again, and has lost nothing.
      const others = answers.filter(({ status }) => status !== 200)
      expect(others.every(({ status }) => status === 503)).toBe(true)
      expect(await readsPatient(t, await renewed(app, given[0] as Tokens))).toBe(200)
    })

    it('answers once more when its answer was lost, until a minute has passed or the next was used', async () => {
      const { app, tokens } = await begin()
      const next = await renewed(app, tokens)
      await t.clock.advance(59)
      const again = await renewed(app, tokens)
      expect(again.refresh_token).toBe(next.refresh_token)
      const third = await renewed(app, next)
      expect(third.refresh_token).not.toBe(next.refresh_token)
      await expectRefused(t, await app.refresh(tokens), 'refresh_spent', 400)
      expect(await readsPatient(t, third)).toBe(401)
    })

    it('is not set back by one that came late and waited for the record', async () => {
      const { app, tokens } = await begin()
      const next = await renewed(app, tokens)
      const waiting = new Promise<Socket>((resolve) => {
        t.behind.record = ({ socket }) => resolve(socket)
      })
      const late = app.refresh(tokens)
      const socket = await waiting
      t.behind.record = 'up'
      const third = await renewed(app, next)
      socket.destroy()
      expect((await late).status).toBe(200)
      const fourth = await renewed(app, third)
      expect(await readsPatient(t, fourth)).toBe(200)
    })

    it.each([
      ['once is answered as late', 1],
      ['twice has nothing to say', 2],
    ])(
      'is not set back by a call that waited past its rotation and was overtaken: %s',
      async (_what, times) => {
        const { app, tokens } = await begin()
        const waiting = new Promise<Socket>((resolve) => {
          t.behind.record = ({ socket }) => resolve(socket)
        })
        const slow = app.refresh(tokens)
        const socket = await waiting
        t.behind.record = 'up'
        const next = await renewed(app, tokens)
        const latest = times === 1 ? next : await renewed(app, next)
        await t.clock.advance(11)
        socket.destroy()
        const answer = await slow
        if (times === 1) expect(tokensOf(answer).refresh_token).toBe(next.refresh_token)
        else await expectRefused(t, answer, 'refresh_under_way', 503)
        expect(await readsPatient(t, await renewed(app, latest))).toBe(200)
      },
    )

    it('gives fewer scopes for once, and never more than were granted', async () => {
      const { app, tokens } = await begin()
      const scope = 'launch patient/Patient.r'
      const fewer = tokensOf(await app.refresh(tokens, { scope }))
      expect(fewer.scope).toBe(scope)
      expect(fewer).not.toHaveProperty('id_token')
      const all = await renewed(app, fewer)
      expect(all.scope).toBe(tokens.scope)
      const letters = 'launch patient/CarePlan.r'
      expect(tokens.scope.split(' ')).toContain('patient/CarePlan.crs')
      const less = tokensOf(await app.refresh(all, { scope: letters }))
      expect(less.scope).toBe(letters)
      const without = tokensOf(await app.refresh(less, { scope: '' }))
      expect(without.scope).toBe(tokens.scope)
      for (const other of ['patient/Encounter.rs', 'patient/CarePlan.crus', 'patient/*.r', 'x/y']) {
        const more = await app.refresh(without, { scope: `${scope} ${other}` })
        await expectRefused(t, more, 'scope_exceeded', 400)
      }
      await expectRefused(t, await app.refresh(without, { scope: 'x/y' }), 'scope_exceeded', 400)
      expect((await app.refresh(without)).status).toBe(200)
    })

    it('gives a token without any data to whoever asks for no more', async () => {
      const { app, tokens } = await begin()
      const only = tokensOf(await app.refresh(tokens, { scope: 'openid fhirUser' }))
      expect(only.scope).toBe('openid fhirUser')
      expect((await renewed(app, only)).scope).toBe(tokens.scope)
    })

    it('is another client’s business in no case', async () => {
      const { app, tokens } = await begin()
      const v1 = new App(t, app.browser, 'v1-app')
      await expectRefused(t, await v1.refresh(tokens), 'refresh_invalid', 400)
      const key = new App(t, app.browser, 'key-app')
      await expectRefused(t, await key.refresh(tokens), 'refresh_invalid', 400)
      expect((await app.refresh(tokens, { client_id: undefined })).status).toBe(200)
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
