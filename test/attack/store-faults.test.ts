/** When something behind the gateway fails, nothing leaves that was not made durable, and the page says so. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { RELEASED_WITHIN } from '../../src/core/outcome.js'
import { UNCERTAIN } from '../../src/core/outcome-bundle.js'
import { endOf } from '../../src/core/records.js'
import { buildAssertion } from '../../src/demo/desktop-launches.js'
import { StoreFailure } from '../../src/store/failure.js'
import type { Commit, Store } from '../../src/store/store.js'
import { App, call, launchTo, readsPatient, type Tokens, tokensOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, launchOf, linkOf, open, push, tokenOf } from '../launching.js'
import { asking, authorize, BACK, standaloneApps } from '../standalone.js'
import {
  entriesOf,
  expectNoPatient,
  expectRefused,
  expectSentBack,
  expectWholeTrail,
  stagesOf,
} from '../trail-reading.js'
import { type Answer, send, UserAgent, wordsOf } from '../user-agent.js'

jest.setTimeout(60_000)

/** Where a commit breaks off. */
const BREAKS: Readonly<
  Record<string, (commit: Store['commit'], work: Commit) => Promise<unknown>>
> = {
  'before anything was written': async () => undefined,
  'after its claims': (commit, { claims = [] }) => commit({ claims }),
  'after its entries': (commit, { claims = [], entries }) =>
    commit({ claims, ...(entries ? { entries } : {}) }),
  'after all of it, unacknowledged': (commit, work) => commit(work),
}
const nothingLeaks = (answer: Answer): void => {
  expect(`${answer.text} ${JSON.stringify(answer.headers)}`).not.toMatch(
    /\b(hdl|cod|rft|lnk|pnd)_|\beyJ[\w-]+\./,
  )
  expectNoPatient(answer)
}

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    const { apps } = await standaloneApps()
    t = await openTestGateway({ store, change: (config) => ({ apps: [...config.apps, ...apps] }) })
  }, 60_000)
  afterAll(() => t?.close())
  afterEach(() => {
    Object.assign(t.behind, { record: 'up', provider: 'up' })
  })

  /** The next commit that writes a record of this kind breaks off, once. */
  function breakNext(kind: string, how: string): void {
    const { store: real } = t.running
    const { commit } = real
    real.commit = async (work) => {
      if (!work.puts?.some((put) => put.kind === kind)) return commit(work)
      real.commit = commit
      await BREAKS[how]?.(commit, work)
      throw new Error('the store failed')
    }
  }
  const outcomeOf = async (launch: string): Promise<Answer> => {
    const assertion = await buildAssertion(launchOf(t, { system: 'gp-push' }))
    const headers = { authorization: `Bearer ${assertion}` }
    return send(new URL(`/launch/${launch}/outcome`, t.issuer), { headers })
  }
  const endNow = async ({ __launch }: Tokens): Promise<void> => {
    const [id, at] = [endOf('launch', __launch), t.clock()]
    const puts = [{ kind: 'ended' as const, id, value: { at }, until: at + 86_400_000 }]
    await t.running.store.commit({ puts })
  }
  /** Replaces a section by itself. */
  const save = async ({ access_token, ehrId, __context }: Tokens): Promise<Answer> => {
    const path = `/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`
    const { rows } = JSON.parse((await call(t, access_token, path)).text)
    const [, uid, composition] = rows[0]
    return call(t, access_token, `/openehr/v1/ehr/${ehrId}/composition/${uid.split('::')[0]}`, {
      ...{ method: 'PUT', body: JSON.stringify(composition) },
      headers: {
        ...{ 'content-type': 'application/json', 'if-match': `"${uid}"` },
        'launch-context': String(__context),
      },
    })
  }
  const expectFailed = async (answer: Answer): Promise<void> => {
    await expectRefused(t, answer, 'unexpected', 500)
    nothingLeaks(answer)
  }

  describe.each(Object.keys(BREAKS))('when the store fails %s', (how) => {
    it('no handle leaves', async () => {
      const token = await tokenOf(t, { system: 'gp-post' })
      const url = new URL('/launch', t.issuer)
      breakNext('session', how)
      const answer = await new UserAgent().visit(url, { form: { launch_token: token } })
      await expectFailed(answer)
      expect(wordsOf(answer.text)).toContain(
        'This does not mean that the patient has no care plan.',
      )
    })

    it('no link leaves', async () => {
      breakNext('link', how)
      await expectFailed(await push(t, { system: 'gp-push' }))
    })

    it('no code leaves, and the handle gives none afterwards unless it was never spent', async () => {
      const app = new App(t, new UserAgent())
      const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
      breakNext('grant', how)
      const answer = await app.authorize(handle)
      await expectSentBack(t, answer, 'unexpected', app.redirect)
      nothingLeaks(answer)
      const again = await app.authorize(handle)
      if (how === 'before anything was written')
        expect(again.location?.searchParams.has('code')).toBe(true)
      else await expectRefused(t, again, 'handle_spent', 400)
    })

    it('no token leaves, and the code gives none afterwards unless it was never spent', async () => {
      const app = new App(t, new UserAgent())
      const code = await app.code(handleOf(await open(t, app.browser, { system: 'gp-push' })))
      breakNext('grant', how)
      await expectFailed(await app.redeem(code))
      const again = await app.redeem(code)
      if (how === 'before anything was written')
        expect(await readsPatient(t, tokensOf(again))).toBe(200)
      else await expectRefused(t, again, 'code_spent', 400)
    })

    it('no outcome leaves, and it is there again unless one may have left', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      await endNow(tokens)
      breakNext('released', how)
      await expectFailed(await outcomeOf(tokens.__launch))
      const again = await outcomeOf(tokens.__launch)
      if (how === 'before anything was written') expect(again.status).toBe(200)
      else await expectRefused(t, again, 'outcome_released', 409)
      // A claim without what it was for holds nobody up for ever.
      await t.clock.advance(2 * RELEASED_WITHIN)
      const later = await outcomeOf(tokens.__launch)
      const mayHaveLeft = how === 'after all of it, unacknowledged'
      if (how.startsWith('after') && !mayHaveLeft) expect(later.status).toBe(200)
      else await expectRefused(t, later, 'outcome_released', 409)
    })

    it('nothing is written of which the launch system would not be told', async () => {
      const { tokens } = await launchTo(t, { system: 'gp-push' })
      breakNext('change', how)
      const answer = await save(tokens)
      await expectFailed(answer)
      await endNow(tokens)
      const { text } = await outcomeOf(tokens.__launch)
      expect(text.includes(UNCERTAIN)).toBe(how === 'after all of it, unacknowledged')
    })

    it('no refreshed token leaves', async () => {
      const { app, tokens } = await launchTo(t, { system: 'gp-push' })
      breakNext('grant', how)
      await expectFailed(await app.refresh(tokens))
    })
  })

  describe('when something of ours fails in the authorize endpoint (RFC 6749 §4.1.2.1)', () => {
    /** The next call of this method fails, once, where the arguments are these. */
    function failNext<K extends 'getAll' | 'commit'>(
      method: K,
      error: Error,
      meant: (work: Parameters<Store[K]>[0]) => boolean,
    ): void {
      const { store: real } = t.running
      const before = real[method]
      const failing = async (work: never) => {
        if (!meant(work)) return (before as (work: never) => Promise<unknown>)(work)
        real[method] = before
        throw error
      }
      real[method] = failing as unknown as Store[K]
    }
    const begin = async () => {
      const app = new App(t, new UserAgent())
      return { app, handle: handleOf(await open(t, app.browser, { system: 'gp-push' })) }
    }
    /** Told to the app, which learns nothing but its own state and what to tell support. */
    const expectTold = async (
      answer: Answer,
      error: string,
      { redirect, state }: { readonly redirect: string; readonly state: string },
    ): Promise<void> => {
      await expectSentBack(t, answer, 'unexpected', redirect)
      const { error_description: description, ...members } = Object.fromEntries(
        answer.location?.searchParams ?? [],
      )
      expect(members).toEqual({ error, state, iss: t.issuer })
      expect(description).toMatch(
        /^Something went wrong on our side\..* Reference: ref_[\w-]{20,}$/,
      )
      nothingLeaks(answer)
    }

    // biome-ignore format: a table
    it.each<[string, Error, string]>([
      ['a store that is away',            new StoreFailure('unavailable', 'away'),   'temporarily_unavailable'],
      ['a store with too much to do',     new StoreFailure('overloaded', 'waiting'), 'temporarily_unavailable'],
      ['a write whose fate is not known', new StoreFailure('uncertain', 'unknown'),  'server_error'],
      ['a bug',                           new TypeError('undefined is no function'), 'server_error'],
    ])('tells the app of %s, wherever it strikes after the redirect is proven', async (_what, fault, error) => {
      const { app, handle } = await begin()
      failNext('getAll', fault, (keys) => keys.some(({ kind }) => kind === 'session'))
      await expectTold(await app.authorize(handle), error, app)
      failNext('commit', fault, ({ puts = [] }) => puts.some(({ kind }) => kind === 'grant'))
      await expectTold(await app.authorize(handle), error, app)
      // Nothing was spent by it.
      expect(tokensOf(await app.redeem(await app.code(handle))).__launch).toMatch(/^lch_/)
    })

    it('tells an app that begins a launch itself', async () => {
      const { parameters, state } = asking(t, 'solo', 'launch/patient patient/Patient.r')
      const fault = new StoreFailure('unavailable', 'away')
      failNext('commit', fault, ({ puts = [] }) => puts.some(({ kind }) => kind === 'request'))
      const answer = await authorize(t, new UserAgent(), parameters)
      await expectTold(answer, 'temporarily_unavailable', { redirect: BACK, state })
    })

    it('tells an app whose user is on the way, once it is known again what was asked', async () => {
      const { parameters, state } = asking(t, 'solo', 'launch/patient patient/Patient.r')
      const fault = new StoreFailure('unavailable', 'away')
      failNext('commit', fault, ({ puts = [] }) => puts.some(({ kind }) => kind === 'pending'))
      const answer = await authorize(t, new UserAgent(), parameters)
      await expectTold(answer, 'temporarily_unavailable', { redirect: BACK, state })
    })

    it('tells an app that the policies in force are not known', async () => {
      const { app, handle } = await begin()
      const { policies } = t.running
      const { mayIssue } = policies
      policies.mayIssue = () => false
      const answer = await app.authorize(handle)
      policies.mayIssue = mayIssue
      await expectSentBack(t, answer, 'policy_stale', app.redirect)
      expect(answer.location?.searchParams.get('error')).toBe('temporarily_unavailable')
      expect(answer.location?.searchParams.get('state')).toBe(app.state)
    })

    it('stays with a page as long as no redirect is proven', async () => {
      const { app, handle } = await begin()
      const { store: real } = t.running
      const { get } = real
      real.get = async () => {
        throw new StoreFailure('unavailable', 'away')
      }
      // An app that was added by command: only the store could say where it is answered.
      const answer = await app.authorize(handle, { client_id: 'added' })
      real.get = get
      expect(answer.location).toBeUndefined()
      await expectFailed(answer)
    })
  })

  it('no data of the patient leaves when the trail takes no entry', async () => {
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    const { trail } = t.running
    const { commit } = trail
    trail.commit = async () => {
      throw new Error('the store failed')
    }
    const answer = await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`)
    trail.commit = commit
    expect(answer.status).toBe(500)
    nothingLeaks(answer)
  })

  it('ends a session that is to be ended although the trail fails', async () => {
    const { app, tokens } = await launchTo(t, { system: 'gp-push' })
    const next = tokensOf(await app.refresh(tokens))
    await t.clock.advance(60)
    const { trail } = t.running
    const { record } = trail
    trail.record = async () => {
      throw new Error('the store failed')
    }
    // The old refresh token once more: an alarm, and all of it ends.
    const answer = await app.refresh(tokens)
    trail.record = record
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(await readsPatient(t, next)).toBe(401)
  })

  it('goes on working, with a whole trail that has an entry for each failure', async () => {
    const link = await linkOf(t, { system: 'gp-push' })
    expect(handleOf(await new UserAgent().visit(link))).toMatch(/^hdl_/)
    const { tokens } = await launchTo(t, { system: 'gp-push' })
    expect(await stagesOf(t, tokens.__launch)).toContain('token_issued')
    const failures = await entriesOf(t, { limit: 100_000 })
    expect(
      failures.filter(({ refusal }) => refusal === 'unexpected').length,
    ).toBeGreaterThanOrEqual(20)
    await expectWholeTrail(t)
  })
})
