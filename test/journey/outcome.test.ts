/** What was written in a launch goes back to the system that made it: once, to nobody else, and never untold. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Access } from '../../src/core/access.js'
import type { LaunchId } from '../../src/core/ids.js'
import { MOST_ACTS, type Outcome, RELEASED_WITHIN, RETRY } from '../../src/core/outcome.js'
import { INCOMPLETE, UNCERTAIN } from '../../src/core/outcome-bundle.js'
import type { LaunchTokenClaims } from '../../src/demo/desktop-faults.js'
import { ASSERTION_TYPE, buildAssertion } from '../../src/demo/desktop-launches.js'
import { encryptionKey } from '../../src/keys/encryption.js'
import { namePuts } from '../../src/launch/named.js'
import { outcomePuts } from '../../src/launch/outcome.js'
import { createChanges } from '../../src/session/changes.js'
import { StoreFailure } from '../../src/store/failure.js'
import {
  App,
  CARE_PLAN_SCOPES,
  call,
  launchTo,
  readsPatient,
  type Tokens,
  tokensOf,
} from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, launchOf, NO_PLAN, type Order, open, push } from '../launching.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { type Answer, type Sent, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

type Resource = Readonly<Record<string, unknown>> & { readonly resourceType: string }
const MATTERS = 'care-plan::what-matters.v1'
const OTHER = '9990000085'

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    t = await openTestGateway({
      store,
      change: ({ systems, apps }) => ({
        apps: apps.map((app) => ({ ...app, scopes: [...app.scopes, 'offline_access'] })),
        systems: systems.map((system) =>
          system.id === 'gp-clinic' ? { ...system, outcome: 'changes', signOn: 'launch' } : system,
        ),
      }),
    })
  }, 60_000)
  afterAll(() => t?.close())
  afterEach(() => {
    t.behind.record = 'up'
  })

  const assertionOf = (id: string) => {
    const launch = launchOf(t, { system: id })
    const issuer = t.config.systems.find((system) => system.id === id)?.issuer ?? ''
    return buildAssertion({ ...launch, system: { ...launch.system, id: issuer } })
  }
  const fetchOutcome = async (
    system: string,
    launch: string,
    more: Sent & { readonly assertion?: string; readonly key?: string } = {},
  ): Promise<Answer> => {
    const { assertion = await assertionOf(system), key, headers, ...sent } = more
    return send(new URL(`/launch/${encodeURIComponent(launch)}/outcome`, t.issuer), {
      ...sent,
      headers: {
        authorization: `Bearer ${assertion}`,
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...headers,
      },
    })
  }
  const end = async (system: string, launch: string): Promise<void> => {
    const client_assertion = await assertionOf(system)
    const form = { client_assertion_type: ASSERTION_TYPE, client_assertion, launch }
    expect((await send(new URL('/launch/end', t.issuer), { form })).status).toBe(204)
  }

  /** The section as it stands, by the plan's own query. */
  const sectionOf = async ({ access_token, ehrId }: Tokens, template: string) => {
    const path = `/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`
    const { rows } = JSON.parse((await call(t, access_token, path)).text)
    const [, uid, composition] = rows.find(([name]: string[]) => name === template)
    return { uid: uid as string, composition }
  }
  const said = (composition: object, words: string) => {
    const text = JSON.parse(JSON.stringify(composition))
    text.content[0].data.items[0].value.value = words
    return text
  }
  const put = (tokens: Tokens, uid: string, body: object, more: Sent = {}): Promise<Answer> => {
    const path = `/openehr/v1/ehr/${tokens.ehrId}/composition/${uid.split('::')[0]}`
    const headers = {
      ...{ 'content-type': 'application/json', 'launch-context': String(tokens.__context) },
      ...{ 'if-match': `"${uid}"`, prefer: 'return=minimal' },
    }
    return call(t, tokens.access_token, path, {
      ...{ method: 'PUT', body: JSON.stringify(body), headers },
      ...more,
    })
  }
  /** Writes new words where the section's first value stands. Answers the version that they made. */
  const write = async (tokens: Tokens, words: string, template = MATTERS): Promise<string> => {
    const { uid, composition } = await sectionOf(tokens, template)
    const answer = await put(tokens, uid, said(composition, words))
    if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`)
    return String(answer.headers.etag).replaceAll('"', '')
  }
  const all = (answer: Answer, type: string): readonly Resource[] => {
    expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, ''])
    const bundle = JSON.parse(answer.text)
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'collection' })
    return bundle.entry
      .map(({ resource }: { resource: Resource }) => resource)
      .filter((one: Resource) => one.resourceType === type)
  }
  const launched = async (order: Partial<Order> = {}) =>
    (await launchTo(t, { system: 'gp-push', ...order })).tokens

  describe('the launch system', () => {
    it('gets what now stands, who wrote it, when and how, after the launch has ended', async () => {
      const tokens = await launched()
      const first = await write(tokens, 'The garden.')
      await t.clock.advance(5)
      const last = await write(tokens, 'The garden & <b>the birds</b>.')
      const also = await write(tokens, 'Mrs Ashworth', 'care-plan::contacts.v1')
      await end('gp-push', tokens.__launch)
      const answer = await fetchOutcome('gp-push', tokens.__launch)

      expect(answer.headers).toMatchObject({ 'content-type': /^application\/fhir\+json/ })
      expect(answer.headers['cache-control']).toMatch(/no-store/)
      const plan = all(answer, 'Composition')
      expect(plan.map(({ title }) => title)).toEqual([
        'What matters to me',
        'Personal and professional contacts',
      ])
      const [matters] = plan as [Resource]
      expect(matters).toMatchObject({
        identifier: { system: `${t.issuer}/openehr/v1/composition`, value: last },
        subject: { identifier: { value: '9990000018' } },
        author: [{ identifier: { value: '555254239101' }, display: 'Dr Amara Okafor' }],
      })
      const { div } = (matters.section as { text: { div: string } }[])[0]?.text ?? { div: '' }
      expect(div).toContain(
        '<dt>About me</dt><dd>The garden &amp; &lt;b&gt;the birds&lt;/b&gt;.</dd>',
      )
      const acts = all(answer, 'Provenance')
      expect(acts).toHaveLength(3)
      expect(acts[0]).toMatchObject({
        target: [{ type: 'Composition', identifier: { value: first } }],
        activity: { coding: [{ code: 'UPDATE' }] },
        agent: [{ onBehalfOf: { identifier: { value: 'A83001' }, display: 'Fernbank Surgery' } }],
        entity: [{ what: { identifier: { value: tokens.__launch } } }, { role: 'revision' }],
      })
      expect(acts[1]).toMatchObject({
        target: [{ reference: JSON.parse(answer.text).entry[2].fullUrl }],
        entity: [{}, { what: { identifier: { value: first } } }],
      })
      const [list] = all(answer, 'List') as [Resource]
      expect(list).toMatchObject({
        mode: 'changes',
        entry: [
          { flag: { text: 'Changed' }, item: { display: 'What matters to me' } },
          { item: { display: 'Personal and professional contacts' } },
        ],
      })
      expect(also).not.toBe(last)
      // Recorded, without a word of what was written, before it left.
      const [entry] = await entriesOf(t, { what: 'outcome_released', launch: tokens.__launch })
      expect(entry).toMatchObject({
        ...{ system: 'gp-push', app: 'care-plan', patient: { nhsNumber: '9990000018' } },
        user: { id: 'gp-push', organization: 'A83001' },
        detail: { changes: 3, told: 2, uncertain: 0, changed: [MATTERS, 'care-plan::contacts.v1'] },
      })
      expect(JSON.stringify(entry)).not.toContain('garden')
    })

    it('is told that nothing was changed', async () => {
      const tokens = await launched({ patient: NO_PLAN })
      await end('gp-push', tokens.__launch)
      const answer = await fetchOutcome('gp-push', tokens.__launch)
      const [list, ...others] = all(answer, 'List')
      expect(list).toMatchObject({ emptyReason: { text: 'Nothing was changed in this launch.' } })
      expect([others, all(answer, 'Provenance'), all(answer, 'Composition')]).toEqual([[], [], []])
    })

    it('gets what its own launch wrote, and not what somebody wrote after it', async () => {
      const mine = await launched()
      await write(mine, 'Mine.')
      const theirs = await launched({ system: 'gp-ward', user: 'practice-nurse' })
      await write(theirs, 'Theirs.')
      await end('gp-push', mine.__launch)
      const answer = await fetchOutcome('gp-push', mine.__launch)
      expect(answer.text).toContain('Mine.')
      expect(answer.text).not.toContain('Theirs.')
    })

    it('waits while the launch lives: for its end, for that of its session, or for the chart to move on', async () => {
      const ended = await launchTo(t, { system: 'gp-push' })
      const open = await fetchOutcome('gp-push', ended.tokens.__launch)
      await expectRefused(t, open, 'outcome_open', 409)
      expect(JSON.parse(open.text).error).toBe('launch_open')
      // Nothing was spent, and the launch goes on.
      await write(ended.tokens, 'Still open.')

      const idle = await launched()
      const late = await launched({ system: 'gp-ward' })
      const left = await launchTo(t, { system: 'gp-push' })
      await write(left.tokens, 'Before the switch.')
      await t.clock.advance(1)
      await launchTo(t, { system: 'gp-push', patient: OTHER }, left.browser)
      const moved = await fetchOutcome('gp-push', left.tokens.__launch)
      expect(moved.text).toContain('Before the switch.')
      // It can still be read there, as before; nothing more is saved, and the page is told why.
      expect(await readsPatient(t, left.tokens)).toBe(200)

      await expectRefused(t, await fetchOutcome('gp-push', idle.__launch), 'outcome_open', 409)
      await t.clock.advance(901)
      expect((await fetchOutcome('gp-push', idle.__launch)).status).toBe(200)
      expect((await fetchOutcome('gp-ward', late.__launch)).status).toBe(200)
    })

    it('gets nothing of an organisation that it does not speak for any more', async () => {
      const tokens = await launched()
      await end('gp-push', tokens.__launch)
      const { systems } = t.config
      const fewer = systems.map((one) =>
        one.id === 'gp-push' ? { ...one, organizations: ['Y00001'] } : one,
      )
      await t.restart({ systems: fewer })
      const answer = await fetchOutcome('gp-push', tokens.__launch)
      await t.restart({ systems })
      await expectRefused(t, answer, 'outcome_absent', 404)
      expect((await fetchOutcome('gp-push', tokens.__launch)).status).toBe(200)
    })

    it('names a launch by its token’s number where nobody told it ours, to end it and to fetch', async () => {
      let jti = ''
      const claims = (sent: LaunchTokenClaims) => {
        jti = String(sent.jti)
        return {}
      }
      const { tokens } = await launchTo(t, { system: 'gp-post', claims })
      await write(tokens, 'By number.')
      await expectRefused(t, await fetchOutcome('gp-post', jti), 'outcome_open', 409)
      await end('gp-post', jti)
      expect(await readsPatient(t, tokens)).toBe(401)
      await expectRefused(t, await fetchOutcome('gp-push', jti), 'outcome_absent', 404)
      expect((await fetchOutcome('gp-post', jti)).text).toContain('By number.')
    })

    it('names an inbound SMART launch by the hash of its handle', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-smart' })
      await write(tokens, 'By handle.')
      const [entry] = await entriesOf(t, { launch: tokens.__launch, what: 'launch_verified' })
      const name = String(entry?.detail?.handle)
      await end('gp-smart', name)
      expect((await fetchOutcome('gp-smart', name)).text).toContain('By handle.')
    })

    it('of which nobody has said that it may have texts is told of changes alone', async () => {
      const tokens = await launched({ system: 'gp-clinic' })
      await write(tokens, 'Not for the clinic.')
      await end('gp-clinic', tokens.__launch)
      const answer = await fetchOutcome('gp-clinic', tokens.__launch)
      expect(answer.text).not.toContain('Not for the clinic.')
      expect(all(answer, 'Provenance')).toHaveLength(1)
      const [list] = all(answer, 'List')
      expect(list).toMatchObject({ note: [{ text: /told of changes/ }], entry: [{}] })
    })
  })

  describe('once', () => {
    const over = async (words: string): Promise<string> => {
      const tokens = await launched()
      await write(tokens, words)
      await end('gp-push', tokens.__launch)
      return tokens.__launch
    }

    it('of many who ask at once one has it, and nobody after that', async () => {
      const launch = await over('Raced for.')
      const answers = await Promise.all([...Array(6)].map(() => fetchOutcome('gp-push', launch)))
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409])
      const again = await fetchOutcome('gp-push', launch, { key: 'a-key-of-today' })
      await expectRefused(t, again, 'outcome_released', 409)
      // Nothing of it is kept for a request that could not be told from others.
      expect(await t.running.store.get('change', `${launch}/0`)).toBeUndefined()
    })

    it('and again for the same request, to the letter, for five minutes and no longer', async () => {
      const launch = await over('Lost on its way.')
      const key = 'request-0001'
      const first = await fetchOutcome('gp-push', launch, { key })
      await t.clock.advance(RETRY - 1)
      expect((await fetchOutcome('gp-push', launch, { key })).text).toBe(first.text)
      for (const other of [undefined, 'request-0002']) {
        const refused = await fetchOutcome('gp-push', launch, other ? { key: other } : {})
        await expectRefused(t, refused, 'outcome_released', 409)
      }
      const entries = await entriesOf(t, { what: 'outcome_released', launch })
      expect(entries.map(({ detail }) => detail?.again)).toEqual([undefined, true])
      await t.clock.advance(1)
      await expectRefused(
        t,
        await fetchOutcome('gp-push', launch, { key }),
        'outcome_released',
        409,
      )
    })

    it('a launch whose outcome has left writes no more, even where the chart lets it', async () => {
      const { tokens, browser } = await launchTo(t, { system: 'gp-push' })
      const { uid, composition } = await sectionOf(tokens, MATTERS)
      await t.clock.advance(1)
      await launchTo(t, { system: 'gp-push', patient: OTHER }, browser)
      expect((await fetchOutcome('gp-push', tokens.__launch)).status).toBe(200)
      // As a write that had been let in before: the chart is where it was.
      await t.running.store.commit({
        drops: [{ kind: 'chart', id: `${await signOnOf(tokens)}/gp-push` }],
      })
      const answer = await put(tokens, uid, said(composition, 'Too late.'))
      await expectRefused(t, answer, 'context_closed', 409)
      expect(JSON.parse(answer.text).error).toBe('context_superseded')
      expect((await sectionOf(tokens, MATTERS)).uid).toBe(uid)
    })

    it('nor does an app that acts for a user who is away, however long it does', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser)
      const landed = await open(t, browser, { system: 'gp-push' })
      const scope = `${CARE_PLAN_SCOPES} offline_access`
      const first = tokensOf(await app.redeem(await app.code(handleOf(landed), { scope })))
      await t.clock.advance(901)
      expect((await fetchOutcome('gp-push', first.__launch)).status).toBe(200)
      const { session, outcome } = t.config.lifetimes
      await t.clock.advance(session + outcome)
      const tokens = { ...first, ...tokensOf(await app.refresh(first)) }
      const { uid, composition } = await sectionOf(tokens, MATTERS)
      const answer = await put(tokens, uid, said(composition, 'Long after.'))
      await expectRefused(t, answer, 'context_closed', 409)
    })
    const signOnOf = async ({ __launch }: Tokens) =>
      (await t.running.store.get('session', __launch as never))?.signOn

    it('is kept for a day past the longest that its sign-on could last, and then never was', async () => {
      const { session, outcome } = t.config.lifetimes
      const [one, other] = [await launched(), await launched()]
      await write(one, 'Kept for a while.')
      await t.clock.advance(session + outcome - 1)
      expect((await fetchOutcome('gp-push', one.__launch)).text).toContain('Kept for a while.')
      await t.clock.advance(1)
      await expectRefused(t, await fetchOutcome('gp-push', other.__launch), 'outcome_absent', 404)
    })
  })

  describe('a write', () => {
    const uncertain = (answer: Answer) =>
      all(answer, 'Provenance').filter(({ modifierExtension }) => modifierExtension !== undefined)

    it('of which nobody knows whether it was done is told so, beside what is known', async () => {
      const tokens = await launched()
      const known = await write(tokens, 'Known.')
      const { uid, composition } = await sectionOf(tokens, MATTERS)
      // It goes on, and then nothing comes back.
      const answer = await interrupted(() => put(tokens, uid, said(composition, 'Doubtful.')))
      await expectRefused(t, answer, 'write_unknown', 503)
      await end('gp-push', tokens.__launch)
      const told = await fetchOutcome('gp-push', tokens.__launch)
      expect(uncertain(told)).toHaveLength(1)
      expect(uncertain(told)[0]).toMatchObject({
        modifierExtension: [{ url: UNCERTAIN, valueBoolean: true }],
      })
      expect(told.text).toContain('Known.')
      expect(told.text).not.toContain('Doubtful.')
      expect(all(told, 'Composition')[0]).toMatchObject({ identifier: { value: known } })
      const [list] = all(told, 'List')
      expect(list).toMatchObject({ entry: [{ flag: { text: /^Changed\. Not known whether/ } }] })
    })
    /** The record is asked what stands, twice, and hangs up on what comes then. */
    const interrupted = async (act: () => Promise<Answer>): Promise<Answer> => {
      let asked = 0
      const get = () => {
        asked += 1
        return asked > 2 ? ('down' as const) : ('up' as const)
      }
      Object.defineProperty(t.behind, 'record', { configurable: true, get })
      const answer = await act()
      const up = { configurable: true, writable: true, value: 'up' }
      Object.defineProperty(t.behind, 'record', up)
      return answer
    }

    it('that a cut store half let go of is not told as nothing: it is told the next time', async () => {
      const tokens = await launched()
      await write(tokens, 'Cut off.')
      await end('gp-push', tokens.__launch)
      const { store: real } = t.running
      const own = real.commit
      // What else was asked for together is done; that it has left is not.
      real.commit = async (asked) => {
        const { puts = [], drops = [] } = asked
        if (!puts.some(({ kind }) => kind === 'released')) return own(asked)
        await own({ puts: puts.filter(({ kind }) => kind !== 'released'), drops })
        throw new StoreFailure('uncertain', 'cut')
      }
      const cut = await fetchOutcome('gp-push', tokens.__launch)
      real.commit = own
      expect(cut.status).toBeGreaterThanOrEqual(500)
      await t.clock.advance(2 * RELEASED_WITHIN)
      const told = await fetchOutcome('gp-push', tokens.__launch)
      expect(told.text).toContain('Cut off.')
    })

    it.each([
      ['the request could be repeated', (_: TestGateway) => RETRY, 'request-0001'],
      [
        'it is kept',
        ({ config: { lifetimes } }: TestGateway) => lifetimes.session + lifetimes.outcome,
        undefined,
      ],
    ])('is never told as nothing in the last moment in which %s', async (_, lasts, key) => {
      const tokens = await launched()
      await write(tokens, 'Just in time.')
      const opened = t.clock()
      await end('gp-push', tokens.__launch)
      if (key !== undefined) await fetchOutcome('gp-push', tokens.__launch, { key })
      await t.clock.advance(lasts(t) - 1)
      const kept = (...asked: readonly unknown[]) => asked.join().includes('change')
      first('getAll', kept, () => t.clock.advance(1))
      const answer = await fetchOutcome('gp-push', tokens.__launch, key ? { key } : {})
      expect(t.clock()).toBe(opened + lasts(t) * 1000)
      expect(answer.text).not.toContain('Nothing was changed')
      expect([404, 409]).toContain(answer.status)
    })

    /** Once, when the store is asked this, something else comes first. */
    const first = (
      method: 'get' | 'getAll' | 'count',
      meant: (...asked: readonly string[]) => boolean,
      comes: () => Promise<unknown>,
    ): void => {
      const { store: real } = t.running
      const own = real[method] as (...asked: never[]) => Promise<unknown>
      const wrapped = async (...asked: never[]) => {
        if (meant(...asked.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))))) {
          real[method] = own as never
          await comes()
        }
        return own(...asked)
      }
      real[method] = wrapped as never
    }

    it.each([
      ['is not kept yet: nothing was changed, and nothing is', 'count', 0],
      ['is kept: it is told as uncertain, and not done', 'get', 1],
    ] as const)(
      'that is under way when the outcome leaves, and %s',
      async (_what, method, told) => {
        const tokens = await launched()
        const { uid, composition } = await sectionOf(tokens, MATTERS)
        let outcome: Answer | undefined
        const mine = (...asked: readonly string[]) => asked.join().includes(tokens.__launch)
        first(
          method,
          (...asked) =>
            mine(...asked) && (method === 'count' || /ended,writing/.test(asked.join())),
          async () => {
            await end('gp-push', tokens.__launch)
            outcome = await fetchOutcome('gp-push', tokens.__launch)
          },
        )
        const answer = await put(tokens, uid, said(composition, 'Crossed.'))
        await expectRefused(t, answer, 'context_closed', 409)
        expect(all(outcome as Answer, 'Provenance')).toHaveLength(told)
        expect(uncertain(outcome as Answer)).toHaveLength(told)
        const reader = await launched()
        expect((await sectionOf(reader, MATTERS)).uid).toBe(uid)
      },
    )

    it('that is answered after the outcome has left stays as it was told, and is kept no longer', async () => {
      const tokens = await launched()
      const { uid, composition } = await sectionOf(tokens, MATTERS)
      const key = 'request-0001'
      let outcome: Answer | undefined
      const asks = (...asked: readonly string[]) => asked[0] === 'released'
      first('get', asks, async () => {
        await end('gp-push', tokens.__launch)
        outcome = await fetchOutcome('gp-push', tokens.__launch, { key })
      })
      expect((await put(tokens, uid, said(composition, 'Late.'))).status).toBe(204)
      expect(uncertain(outcome as Answer)).toHaveLength(1)
      expect((await fetchOutcome('gp-push', tokens.__launch, { key })).text).toBe(outcome?.text)
      await t.clock.advance(RETRY)
      expect(await t.running.store.get('change', `${tokens.__launch}/0`)).toBeUndefined()
    })

    it('that the record has refused is nothing that was changed', async () => {
      const tokens = await launched()
      const { uid, composition } = await sectionOf(tokens, MATTERS)
      await write(await launched({ system: 'gp-ward' }), 'In between.')
      const stale = await put(tokens, uid, said(composition, 'Stale.'))
      await expectRefused(t, stale, 'version_stale', 412)
      await end('gp-push', tokens.__launch)
      const told = await fetchOutcome('gp-push', tokens.__launch)
      expect(all(told, 'List')[0]).toMatchObject({ emptyReason: {} })
    })
  })

  describe('an attacker', () => {
    const over = async (): Promise<string> => {
      const tokens = await launched()
      await write(tokens, 'For one system alone.')
      await end('gp-push', tokens.__launch)
      return tokens.__launch
    }
    const bare = ({ status, text, headers }: Answer) => ({
      ...{ status, text: text.replace(/ref_[\w-]+/g, ''), type: headers['content-type'] },
    })

    it('is told the same of another system’s launch, of none, and of what is no id', async () => {
      const launch = await over()
      const never = `${launch.slice(0, -4)}0000`
      const names = [
        launch,
        never,
        'lch_',
        'x',
        '__proto__',
        'constructor',
        '../end',
        'a'.repeat(3000),
      ]
      const answers = []
      for (const name of names) answers.push(await fetchOutcome('gp-ward', name))
      for (const answer of answers) await expectRefused(t, answer, 'outcome_absent', 404)
      expect(new Set(answers.map((answer) => JSON.stringify(bare(answer)))).size).toBe(1)
      // And while it lives: nobody else learns that either.
      const { __launch } = await launched()
      expect(bare(await fetchOutcome('gp-ward', __launch))).toEqual(bare(answers[0] as Answer))
      expect((await fetchOutcome('gp-push', launch)).status).toBe(200)
    })

    it('gets nothing without an assertion of the system’s own, made for this one call', async () => {
      const launch = await over()
      const used = await assertionOf('gp-push')
      await expectRefused(
        t,
        await fetchOutcome('gp-push', 'lch_none', { assertion: used }),
        'outcome_absent',
        404,
      )
      const replayed = await fetchOutcome('gp-push', launch, { assertion: used })
      await expectRefused(t, replayed, 'assertion_replayed', 401)
      const own = launchOf(t, { system: 'gp-push' })
      const { key } = launchOf(t, { system: 'gp-ward' }).system
      const forged = await buildAssertion({ ...own, system: { ...own.system, key } })
      const elsewhere = await buildAssertion({ ...own, gateway: 'https://elsewhere.example' })
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      for (const assertion of [forged, elsewhere, tokens.access_token, 'x', 'x'.repeat(9000)]) {
        const answer = await fetchOutcome('gp-push', launch, { assertion })
        await expectRefused(t, answer, 'client_unproven', 401)
      }
      for (const authorization of ['', `Basic ${used}`, `Bearer ${used} ${used}`]) {
        const answer = await fetchOutcome('gp-push', launch, { headers: { authorization } })
        await expectRefused(t, answer, 'client_unproven', 401)
      }
      const query = `?client_assertion=${await assertionOf('gp-push')}`
      const url = new URL(`/launch/${launch}/outcome${query}`, t.issuer)
      await expectRefused(t, await send(url), 'client_unproven', 401)
    })

    it('spends nothing by HEAD, by another method, or by a key that is none', async () => {
      const launch = await over()
      const head = await fetchOutcome('gp-push', launch, { method: 'HEAD' })
      expect([head.status, head.text]).toEqual([404, ''])
      for (const method of ['POST', 'PUT', 'DELETE'])
        expect((await fetchOutcome('gp-push', launch, { method })).status).toBe(404)
      for (const key of ['short', 'with spaces in it', 'x'.repeat(201)]) {
        const answer = await fetchOutcome('gp-push', launch, { key })
        await expectRefused(t, answer, 'parameter_invalid', 400)
      }
      expect((await fetchOutcome('gp-push', launch)).status).toBe(200)
    })

    it('wins no second answer at another node', async () => {
      const launch = await over()
      const { port } = await t.secondNode()
      const both = await Promise.all([
        fetchOutcome('gp-push', launch, { key: 'one-of-two' }),
        fetchOutcome('gp-push', launch, { key: 'two-of-two', port }),
      ])
      expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    })

    it('takes no launch’s name for another by a seal, which anybody can make', () => {
      const launch = { id: 'lch_x', system: 'gp', jti: 'of-another' }
      const puts = (rung: string) => namePuts({ ...launch, rung } as never, 1).length
      expect(['signed', 'redeemed', 'pushed', 'sealed'].map(puts)).toEqual([1, 1, 0, 0])
    })

    it('keeps none of a sealed launch, whose system nobody knows', () => {
      const patient = { fhirId: 'p', nhsNumber: '9990000018', sensitive: false }
      const kinds = (rung: string, outcome = 'text') => {
        const arrival = { launch: { id: 'lch_x', system: 'gp', rung }, patient }
        const parts = { lifetimes: { outcome: 60 } }
        const puts = outcomePuts(parts as never, arrival as never, { outcome } as never, SIGN_ON)
        return puts.map(({ kind }) => kind)
      }
      const SIGN_ON = { id: 'sgn_x', until: 1 } as never
      for (const rung of ['pushed', 'signed', 'redeemed']) expect(kinds(rung)).toEqual(['outcome'])
      expect([kinds('sealed'), kinds('pushed', 'never')]).toEqual([[], []])
    })

    it('reads nothing of it in the store, and cannot lay one launch’s changes under another', async () => {
      const [one, other] = [await over(), await over()]
      const { store: kept } = t.running
      const change = await kept.get('change', `${one}/0`)
      expect(JSON.stringify(change)).not.toMatch(/For one system|what-matters|9990000018|Okafor/)
      if (!change) throw new Error('nothing was kept')
      const until = t.clock() + 1_000_000
      await kept.commit({ puts: [{ kind: 'change', id: `${other}/0`, value: change, until }] })
      const answer = await fetchOutcome('gp-push', other)
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain('For one system')
      expect((await fetchOutcome('gp-push', one)).status).toBe(200)
    })
  })

  it('needs no record to be told, and is asked in vain of a launch that nobody has opened', async () => {
    const tokens = await launched()
    await write(tokens, 'The record is down.')
    await end('gp-push', tokens.__launch)
    t.behind.record = 'down'
    const answer = await fetchOutcome('gp-push', tokens.__launch)
    expect(answer.text).toContain('The record is down.')
    t.behind.record = 'up'
    const { launch } = JSON.parse((await push(t, { system: 'gp-push' })).text)
    await expectRefused(t, await fetchOutcome('gp-push', launch), 'outcome_open', 409)
  })

  it('says that there was more, where more was written than is kept', async () => {
    const tokens = await launched()
    await write(tokens, 'The first.')
    const until = t.clock() + 86_400_000
    for (let i = 0; i < MOST_ACTS; i += 1)
      await t.running.store.count(`changes/${tokens.__launch}`, until)
    await write(tokens, 'One too many.')
    await end('gp-push', tokens.__launch)
    const answer = await fetchOutcome('gp-push', tokens.__launch)
    expect(all(answer, 'List')[0]).toMatchObject({ modifierExtension: [{ url: INCOMPLETE }] })
    expect(answer.text).not.toContain('One too many.')
  })

  it('says that there is text which is too long, where a launch has written so often that little is kept', async () => {
    const tokens = await launched()
    const until = t.clock() + 86_400_000
    // Nine thousand signs of what takes five each where it leaves.
    const lines = '& '.repeat(4_500)
    await write(tokens, lines)
    for (let i = 0; i < 10; i += 1) await t.running.store.count(`changes/${tokens.__launch}`, until)
    await write(tokens, lines, 'care-plan::symptoms.v1')
    await write(tokens, 'And a short one.', 'care-plan::daily-support.v1')
    await end('gp-push', tokens.__launch)
    const answer = await fetchOutcome('gp-push', tokens.__launch)
    const texts = JSON.stringify(all(answer, 'Composition'))
    expect([texts.split('&amp;').length - 1, texts.includes('And a short')]).toEqual([4_500, true])
    const [list] = all(answer, 'List')
    expect(list?.note).toEqual([{ text: expect.stringContaining('too long to be handed on') }])
    expect(list?.entry).toHaveLength(3)
  })

  it('says that there was more, where one write changes more than is kept of it', async () => {
    const tokens = await launched()
    const until = t.clock() + 86_400_000
    for (let i = 0; i < 10; i += 1) await t.running.store.count(`changes/${tokens.__launch}`, until)
    const launch = tokens.__launch as LaunchId
    const kept = await t.running.store.get('outcome', launch)
    const patient = kept?.patient.fhirId
    const access = {
      user: { roles: ['gp'], organization: { odsCode: kept?.organization }, sdsUserId: '1' },
      grant: { launch, subject: '1', context: { patient }, circumstances: { patient: {} } },
    } as unknown as Access
    const outcomes = createChanges({
      ...{ store: t.running.store, clock: t.clock, plan: t.config.plan },
      encryption: { current: encryptionKey(new Uint8Array(32)) },
      unsettled: (_launch, error) => {
        throw error
      },
    })
    const writings = Array.from({ length: 20 }, (_, i) => ({
      ...{ does: 'create' as const, what: { type: 'Flag', id: `f${i}` } },
    }))
    const act = await outcomes.begin(access, writings)
    await act.done(
      writings.map(({ what: { id } }) => ({ id, content: { resourceType: 'Flag', id } })),
    )
    const { changes, more } = await outcomes.read(launch, kept as Outcome)
    expect([changes.length, more]).toEqual([10, true])
    expect(changes.every(({ done }) => done?.held !== undefined)).toBe(true)
  })

  it('leaves a trail that can be verified', () => expectWholeTrail(t))
})
