import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { endOf } from '../../src/core/records.js'
import { ASSERTION_TYPE, buildAssertion } from '../../src/demo/desktop-launches.js'
import { App, call, launchTo, readsPatient } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, launchOf, linkOf, type Order, open, push, signIn } from '../launching.js'
import { expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({ store })
  }, 60_000)
  afterAll(() => t?.close())

  const assertionOf = (system: string): Promise<string> =>
    buildAssertion(launchOf(t, { system } as Order))
  const end = async (
    system: string,
    what: Readonly<Record<string, string>>,
    assertion?: string,
  ): Promise<Answer> => {
    const client_assertion = assertion ?? (await assertionOf(system))
    const form = { client_assertion_type: ASSERTION_TYPE, client_assertion, ...what }
    return send(new URL('/launch/end', t.issuer), { form })
  }
  const userOf = (id: string) => launchOf(t, { system: 'gp-push', user: id })
  const localId = (id: string): string => userOf(id).user.id

  describe('a launch system (session end on the workstation)', () => {
    it('ends whom it signed on, by its own name for them, and nobody else', async () => {
      const mine = await launchTo(t, { system: 'gp-push' })
      const also = await launchTo(t, { system: 'gp-push' })
      const other = await launchTo(t, { system: 'gp-push', user: 'practice-nurse' })
      const elsewhere = await launchTo(t, { system: 'gp-ward' })
      expect((await end('gp-push', { user: localId('gp') })).status).toBe(204)
      const all = [mine, also, other, elsewhere].map(({ tokens }) => readsPatient(t, tokens))
      expect(await Promise.all(all)).toEqual([401, 401, 200, 200])
      await t.clock.advance(1)
      const again = await launchTo(t, { system: 'gp-push' }, mine.browser)
      expect(await readsPatient(t, again.tokens)).toBe(200)
    })

    it('ends one launch, with the sign-on that its launches made', async () => {
      const { tokens, browser } = await launchTo(t, { system: 'gp-push' })
      const second = await launchTo(t, { system: 'gp-push' }, browser)
      const other = await launchTo(t, { system: 'gp-push' })
      expect((await end('gp-push', { launch: tokens.__launch })).status).toBe(204)
      const all = [{ tokens }, second, other].map((each) => readsPatient(t, each.tokens))
      expect(await Promise.all(all)).toEqual([401, 401, 200])
    })

    it('ends one launch alone, when its chart was closed and the user goes on', async () => {
      const { tokens, browser } = await launchTo(t, { system: 'gp-push' })
      const second = await launchTo(t, { system: 'gp-push' }, browser)
      const only = { launch: tokens.__launch, sign_on: 'keep' }
      expect((await end('gp-push', only)).status).toBe(204)
      const both = [tokens, second.tokens].map((each) => readsPatient(t, each))
      expect(await Promise.all(both)).toEqual([401, 200])
      const other = await end('gp-push', { ...only, sign_on: 'other' })
      await expectRefused(t, other, 'parameter_invalid', 400)
    })

    it('ends a read that waits for the record, at another node: what comes then is not given', async () => {
      const { port } = await t.secondNode()
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      const patient = `/fhir/Patient/${tokens.patient}`
      const slowly = async (meanwhile: () => Promise<unknown>): Promise<Answer> => {
        const waiting = new Promise<ServerResponse>((resolve) => {
          t.behind.record = (_req, res) => resolve(res)
        })
        const slow = call(t, tokens.access_token, patient, { port })
        const res = await waiting
        t.behind.record = 'up'
        await meanwhile()
        await t.clock.advance(1)
        res.writeHead(200, { 'content-type': 'application/fhir+json' })
        res.end(JSON.stringify({ resourceType: 'Patient', id: tokens.patient, gender: 'other' }))
        return slow
      }
      expect((await slowly(async () => undefined)).status).toBe(200)
      const answer = await slowly(() => end('gp-push', { launch: tokens.__launch }))
      expect(answer.text).not.toContain('gender')
      await expectRefused(t, answer, 'token_ended', 401)
    })

    it('ends its launch and not what the provider signed on', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { system: 'gp-clinic' })
      const app = new App(t, browser)
      const first = await app.tokens(await signIn(t, browser, page, { person: 'gp' }))
      const second = await launchTo(t, { system: 'gp-clinic' }, browser)
      await end('gp-clinic', { launch: first.__launch })
      await end('gp-clinic', { user: localId('gp') })
      expect([await readsPatient(t, first), await readsPatient(t, second.tokens)]).toEqual([
        401, 200,
      ])
    })

    it('ends a pushed launch before anybody has opened it', async () => {
      const pushed = JSON.parse((await push(t, { system: 'gp-push' })).text)
      expect((await end('gp-push', { launch: pushed.launch })).status).toBe(204)
      const browser = new UserAgent()
      const landed = await browser.visit(new URL(pushed.launch_uri))
      const answer = await new App(t, browser).authorize(handleOf(landed))
      await expectRefused(t, answer, 'handle_invalid', 400)
    })

    it('is told the same of another system’s launch, which goes on', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-ward' })
      expect((await end('gp-push', { launch: tokens.__launch })).status).toBe(204)
      expect((await end('gp-push', { user: 'nobody' })).status).toBe(204)
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('proves itself each time, and says what it means', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      const launch = { launch: tokens.__launch }
      const used = await assertionOf('gp-push')
      await end('gp-push', { user: 'nobody' }, used)
      await expectRefused(t, await end('gp-push', launch, used), 'launch_replayed', 400)
      await expectRefused(t, await end('gp-push', launch, 'x'), 'client_unproven', 401)
      const wrong = await buildAssertion({
        ...launchOf(t, { system: 'gp-push' }),
        system: {
          ...launchOf(t, { system: 'gp-push' }).system,
          key: launchOf(t, { system: 'gp-ward' }).system.key,
        },
      })
      await expectRefused(t, await end('gp-push', launch, wrong), 'client_unproven', 401)
      await expectRefused(t, await end('gp-push', {}), 'parameter_missing', 400)
      const both = { ...launch, user: localId('gp') }
      await expectRefused(t, await end('gp-push', both), 'parameter_missing', 400)
      await expectRefused(t, await end('gp-push', { launch: 'x' }), 'parameter_invalid', 400)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  // As `app end` and `system end` write it: test/cli/registrations.test.ts.
  describe.each([
    ['app', 'care-plan'],
    ['system', 'gp-push'],
  ] as const)('a marker that ends what an %s has open', (kind, id) => {
    const over = () =>
      t.running.store.commit({
        puts: [
          {
            ...{ kind: 'ended', id: endOf(kind, id), value: { at: t.clock() } },
            until: t.clock() + 86_400_000,
          },
        ],
      })
    const fresh = async () => {
      await t.clock.advance(1)
      return launchTo(t, { system: 'gp-push' })
    }

    it('ends reads, refreshes, codes and handles of before, and no new launch', async () => {
      const { app, tokens } = await fresh()
      const browser = new UserAgent()
      const other = new App(t, browser)
      const code = await other.code(handleOf(await open(t, browser, { system: 'gp-push' })))
      const handle = handleOf(await open(t, browser, { system: 'gp-push' }))
      const link = await linkOf(t, { system: 'gp-push' })
      await over()
      expect(await readsPatient(t, tokens)).toBe(401)
      await expectRefused(t, await app.refresh(tokens), 'refresh_ended', 400)
      await expectRefused(t, await other.redeem(code), 'code_invalid', 400)
      await expectRefused(t, await other.authorize(handle), 'session_ended', 403)
      const late = new UserAgent()
      const landed = handleOf(await late.visit(link))
      await expectRefused(t, await new App(t, late).authorize(landed), 'session_ended', 403)

      await t.clock.advance(1)
      const next = await launchTo(t, { system: 'gp-push' }, browser)
      expect(await readsPatient(t, next.tokens)).toBe(200)
      expect((await next.app.refresh(next.tokens)).status).toBe(200)
    })

    it('leaves what is another’s', async () => {
      const other = await launchTo(t, { system: 'gp-ward', app: 'key-app' })
      await over()
      expect(await readsPatient(t, other.tokens)).toBe(200)
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
