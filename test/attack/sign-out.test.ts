/** Sign-outs that nobody asked for, addresses that nobody registered, and apps that do not answer as they should. */
import { createHmac } from 'node:crypto'
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
import { importJWK, SignJWT } from 'jose'
import type { SignOnId } from '../../src/core/ids.js'
import { newNotice } from '../../src/core/notice.js'
import { personOf, type SignOn } from '../../src/core/session.js'
import { openOutbound } from '../../src/keys/outbound.js'
import { createNotices } from '../../src/oauth/notices.js'
import { createSessions } from '../../src/session/sessions.js'
import { claimsIn, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { APP_ORIGINS } from '../gateway-registrations.js'
import { newKey } from '../gateway-surroundings.js'
import { formTo } from '../launching.js'
import { logOut, openReceiver, type Receiver, toldAt } from '../logout-receiver.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

const BYE = `${APP_ORIGINS['care-plan']}/bye`
/** A host of the gateway's own network, which somebody registered as an app's server. */
const inside = { address: 'https://10.20.0.1/logout' }
const CONFIRM = '/oauth/logout/confirm'

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let plan: Receiver
  beforeAll(async () => {
    plan = await openReceiver()
    t = await openTestGateway({
      store,
      change: toldAt({ 'care-plan': plan, 'v1-app': inside }, BYE),
    })
  }, 60_000)
  afterAll(async () => {
    await t?.close()
    await plan?.close()
  })
  beforeEach(async () => {
    plan.answer = 200
    plan.heard.length = 0
    await forget()
  })
  /** What earlier tests left to be told. */
  const forget = async () => {
    const left = (await t.running.store.list('notice')).map(({ id }) => ({
      ...{ kind: 'notice' as const, id },
    }))
    for (let from = 0; from < left.length; from += 1000)
      await t.running.store.commit({ drops: left.slice(from, from + 1000) })
  }

  const at = (path: string) => new URL(path, t.issuer)
  const session = (user = 'gp', browser = new UserAgent()) =>
    launchTo(t, { system: 'gp-push', user }, browser)
  const hintOf = ({ id_token = '' }: Tokens) => ({ id_token_hint: id_token })

  describe('an end that is told by a clock behind that of the sign-on', () => {
    const BEHIND = -20
    afterEach(() => t.clock.advance(1 - BEHIND))
    const sessions = () => {
      const { store, trail } = t.running
      const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
      const { lifetimes } = t.config
      return createSessions({ store, trail, clock: t.clock, random, lifetimes })
    }

    it.each<[string, (signOn: SignOn) => Promise<void>]>([
      ['a sign-on', (signOn) => sessions().end(signOn, 'by the test')],
      [
        'a person',
        ({ user, issuer }) => sessions().endPerson(personOf(user, issuer), 'by the test'),
      ],
      [
        'whom a system signed on',
        ({ user, issuer }) => sessions().endLaunched(issuer, user.localId),
      ],
    ])('holds for %s', async (_, end) => {
      const { tokens } = await session()
      const grant = await t.running.store.get('grant', tokens.__launch)
      const signOn = await sessions().get(grant?.signOn as SignOnId)
      await t.clock.advance(BEHIND)
      await end(signOn as SignOn)
      expect(await readsPatient(t, tokens)).toBe(401)
    })
  })

  describe('an id_token_hint', () => {
    /** Hints that are not ours, made of one that is. */
    const FORGED: readonly [string, (hint: string, tokens: Tokens) => string | Promise<string>][] =
      [
        [
          'with another subject',
          (hint) => {
            const [head, , signature] = hint.split('.')
            return `${head}.${base64url({ ...claimsIn(hint), sub: 'somebody' })}.${signature}`
          },
        ],
        ['without a signature', (hint) => `${base64url({ alg: 'none' })}.${hint.split('.')[1]}.`],
        [
          'signed with our public key as a secret',
          (hint) => {
            const key = t.running.keys.jwks.keys.find(({ alg }) => alg === 'RS256')
            const input = `${base64url({ alg: 'HS256', typ: 'JWT', kid: key?.kid })}.${hint.split('.')[1]}`
            const mac = createHmac('sha256', JSON.stringify(key)).update(input)
            return `${input}.${mac.digest('base64url')}`
          },
        ],
        [
          'signed by somebody else',
          async (hint) => {
            const key = await importJWK(await newKey('ES256', 'mine'), 'ES256')
            const header = { alg: 'ES256', typ: 'JWT', kid: 'mine' }
            return new SignJWT(claimsIn(hint)).setProtectedHeader(header).sign(key)
          },
        ],
        ['that is an access token', (_hint, { access_token }) => access_token],
        ['that is no token', () => 'x'],
        ['that is longer than any', (hint) => `${hint}${'x'.repeat(20_000)}`],
      ]

    it.each(FORGED)('%s ends nothing', async (_what, forge) => {
      const { browser, tokens } = await session()
      const form = { id_token_hint: await forge(tokens.id_token ?? '', tokens) }
      const answer = await browser.visit(at('/oauth/logout'), { form })
      await expectRefused(t, answer, 'parameter_invalid', 400)
      expect(wordsOf(answer.text)).toContain('You were not signed out')
      expect(answer.text).toContain('href="/oauth/logout"')
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('of another user ends neither: the user is asked, and only this browser signed out', async () => {
      const [mine, other] = [await session(), await session('practice-nurse')]
      const page = await logOut(t, mine.browser, hintOf(other.tokens))
      expect(wordsOf(page.text)).toContain('Do you want to sign out?')
      expect([await readsPatient(t, mine.tokens), await readsPatient(t, other.tokens)]).toEqual([
        200, 200,
      ])
      await mine.browser.visit(at(CONFIRM), { form: formTo(page, CONFIRM) })
      expect([await readsPatient(t, mine.tokens), await readsPatient(t, other.tokens)]).toEqual([
        401, 200,
      ])
    })

    it('shown in a browser where nobody is signed on ends nothing', async () => {
      const { tokens } = await session()
      await logOut(t, new UserAgent(), hintOf(tokens))
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('beside another app’s id is refused', async () => {
      const { browser, tokens } = await session()
      const answer = await logOut(t, browser, { ...hintOf(tokens), client_id: 'v1-app' })
      await expectRefused(t, answer, 'parameter_invalid', 400)
      expect(await readsPatient(t, tokens)).toBe(200)
    })
  })

  describe('an address for after the sign-out', () => {
    // biome-ignore format: a table
    it.each([
      ['of another site',              'https://elsewhere.example/'],
      ['of another path',              `${BYE}/more`],
      ['with a query',                 `${BYE}?x=1`],
      ['with a fragment',              `${BYE}#x`],
      ['with a dot segment',           `${APP_ORIGINS['care-plan']}/x/../bye`],
      ['in other case',                BYE.toUpperCase()],
      ['with a user',                  BYE.replace('http://', 'http://app.localhost:9999@elsewhere.example/')],
      ['of a script',                  'javascript:alert(1)'],
      ['without a scheme',             BYE.replace('http:', '')],
      ['with a line break',            `${BYE}\r\nSet-Cookie: x=1`],
      ['that is the redirect instead', `${APP_ORIGINS['care-plan']}/`],
    ])('%s is refused, and nobody is signed out by it', async (_what, to) => {
      const { browser, tokens } = await session()
      const sent = { ...hintOf(tokens), post_logout_redirect_uri: to }
      const answer = await logOut(t, browser, sent)
      const { detail } = await expectRefused(t, answer, 'redirect_unregistered', 400)
      expect(detail?.registered).toEqual([BYE])
      expect(answer.location).toBeUndefined()
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('of an app that is not registered is no address', async () => {
      const sent = { client_id: 'nobody', post_logout_redirect_uri: BYE }
      await expectRefused(t, await logOut(t, new UserAgent(), sent), 'client_unknown', 400)
    })
  })

  describe('the page that asks', () => {
    const asked = async () => {
      const { browser, tokens } = await session()
      return { browser, tokens, page: await logOut(t, browser, {}) }
    }
    const post = (browser: UserAgent, form: Readonly<Record<string, string>>): Promise<Answer> =>
      browser.visit(at(CONFIRM), { form })

    it('cannot be answered by another page, which knows no secret', async () => {
      const { browser, tokens } = await asked()
      for (const form of [{}, { form: '' }, { form: `frm_${'A'.repeat(32)}` }]) {
        await expectRefused(t, await post(browser, form as never), 'form_invalid', 400)
      }
      expect(await readsPatient(t, tokens)).toBe(200)
    })

    it('is answered in its own browser only, once, and for what it asked', async () => {
      const { browser, tokens, page } = await asked()
      const other = await asked()
      const answer = formTo(page, CONFIRM)
      await expectRefused(t, await post(other.browser, answer), 'form_invalid', 400)
      const sessions = await browser.visit(at('/sign-in/sessions'))
      const theirs = formTo(sessions, '/sign-in/sessions/start')
      await expectRefused(t, await post(browser, theirs), 'form_invalid', 400)
      expect(await readsPatient(t, other.tokens)).toBe(200)

      expect((await post(browser, answer)).status).toBe(200)
      expect(await readsPatient(t, tokens)).toBe(401)
      await expectRefused(t, await post(browser, answer), 'form_invalid', 400)
    })

    it('is no longer answered after ten minutes', async () => {
      const { browser, page } = await asked()
      await t.clock.advance(600)
      await expectRefused(t, await post(browser, formTo(page, CONFIRM)), 'form_invalid', 400)
    })

    it('is framed by nobody', async () => {
      const { page } = await asked()
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    })
  })

  it('an address that is looked at ahead of the user, or as a picture, ends nothing', async () => {
    const { browser, tokens } = await session()
    const url = at('/oauth/logout')
    url.search = new URLSearchParams(hintOf(tokens)).toString()
    await browser.visit(url, { headers: { 'sec-purpose': 'prefetch' } })
    await browser.visit(url, {
      headers: { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' },
    })
    await browser.visit(url, { method: 'HEAD' })
    expect(await readsPatient(t, tokens)).toBe(200)
  })

  describe('an app that is to be told', () => {
    const left = async () => (await t.running.store.list('notice')).length
    const signOut = async () => {
      const { browser, tokens } = await session()
      await logOut(t, browser, hintOf(tokens))
      return claimsIn(tokens.id_token).sid
    }
    const outcomes = async (sid: unknown) =>
      (await entriesOf(t, { from: t.clock() - 30_000 }))
        .filter(({ what, signOn }) => what === 'app_notified' && signOn === sid)
        .map(({ outcome, detail }) => [outcome, detail?.why])
    /** The notices of a node of its own, whose calls are as they are made here. */
    const notices = (outbound: { post(): Promise<number> } & object, dropped = () => {}) => {
      const { store, trail, keys, registry } = t.running
      const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
      const own = { store, trail, clock: t.clock, random }
      const sessions = createSessions({ ...own, lifetimes: t.config.lifetimes })
      const about = { ...own, keys, registry, sessions, issuer: t.issuer, dropped }
      return createNotices({ ...about, outbound })
    }

    it('is followed nowhere', async () => {
      plan.answer = 302
      const sid = await signOut()
      await t.running.notices.turn()
      expect(plan.heard).toHaveLength(1)
      expect(await outcomes(sid)).toEqual([['failure', 'status 302']])
    })

    it('is told by one node, whenever two look at once', async () => {
      const { gateway } = await t.secondNode()
      const sid = await signOut()
      const nodes = [t.running, gateway, t.running, gateway, t.running, gateway]
      await Promise.all(nodes.map((node) => node.notices.turn()))
      expect([plan.heard.length, await left()]).toEqual([1, 0])
      expect(await outcomes(sid)).toEqual([['success', undefined]])
    })

    it('is told by another node when the first dies while it tells', async () => {
      const sid = await signOut()
      const dying = notices({ post: () => new Promise(() => {}) })
      void dying.turn()
      while ((await t.running.store.list('notice'))[0]?.value.tries === 0)
        await new Promise(setImmediate)
      await t.running.notices.turn()
      await t.clock.advance(15)
      await t.running.notices.turn()
      expect(plan.heard).toEqual([])
      await t.clock.advance(1)
      await t.running.notices.turn()
      expect([plan.heard.length, await left()]).toEqual([1, 0])
      expect(await outcomes(sid)).toEqual([['success', undefined]])
    })

    it('that never answers is given up for now, and keeps nobody else waiting', async () => {
      plan.answer = 'hang'
      const outbound = openOutbound({ clock: t.clock, allow: [], allowHttp: true, timeoutMs: 200 })
      const sid = await signOut()
      await notices(outbound as never).turn()
      await outbound.close()
      expect(await outcomes(sid)).toEqual([['failure', expect.stringMatching(/Timeout|abort/i)]])
      expect(await left()).toBe(1)
    })

    it('at a private address is not called', async () => {
      const { browser, tokens } = await launchTo(t, { system: 'gp-push', app: 'v1-app' })
      await logOut(t, browser, hintOf(tokens))
      await t.running.notices.turn()
      expect(await outcomes(claimsIn(tokens.id_token).sid)).toEqual([
        ['failure', '10.20.0.1: refused'],
      ])
    })

    it('is given up, the oldest first, when too many are to be told', async () => {
      const until = t.clock() + 3_600_000
      const puts = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => ({
          ...{ kind: 'notice' as const, id: `ntc_many-${from + i}`, until },
          value: {
            ...newNotice(`sgn_many-${from + i}`, t.clock() - 10_000 + from + i),
            due: until,
          },
        }))
      await t.running.store.commit({ puts: puts(0, 1000) })
      await t.running.store.commit({ puts: puts(1000, 2000) })
      await t.running.store.commit({ puts: puts(2000, 2003) })
      let dropped = 0
      await notices({ post: async () => 200 }, () => {
        dropped += 1
      }).turn()
      const ids = (await t.running.store.list('notice')).map(({ id }) => id)
      expect([dropped, ids.length]).toEqual([3, 2000])
      expect(['ntc_many-0', 'ntc_many-1', 'ntc_many-2'].filter((id) => ids.includes(id))).toEqual(
        [],
      )
    })
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
