/**
 * Of Redis alone: it is cut off, at rest and in the middle of a commit, and nothing that was kept is lost, given twice or
 * read in part, nor is anything said to be kept that is not. LMDB's cuts are in test/store/.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { RELEASED_WITHIN } from '../../src/core/outcome.js'
import { endOf } from '../../src/core/records.js'
import { buildAssertion } from '../../src/demo/desktop-launches.js'
import type { Commit, Store } from '../../src/store/store.js'
import { App, call, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, type TestGateway } from '../gateway.js'
import { handleOf, launchOf, type Order, open, push, tokenOf } from '../launching.js'
import type { RedisServer } from '../redis-server.js'
import { expectNoPatient, expectWholeTrail } from '../trail-reading.js'
import { type Answer, send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const TEMPLATE = 'care-plan::what-matters.v1'
const OTHER_TEMPLATE = 'care-plan::contacts.v1'
/** Longer than one change of a person's list of unsaved work may be under way. */
const LIST_HELD = 11

let t: TestGateway
beforeAll(async () => {
  t = await openTestGateway({ store: 'redis' })
  await keepAll()
}, 60_000)
afterAll(() => t?.close())
afterEach(() => back())

const redis = (): RedisServer => {
  if (!t.redis) throw new Error('no Redis')
  return t.redis
}

/** As operators are told to set it: what it has acknowledged outlives it (docs/operating.md). */
const keepAll = () => redis().say('CONFIG', 'SET', 'appendfsync', 'always')

const works = (what: Promise<unknown>): Promise<boolean> =>
  what.then(
    () => true,
    () => false,
  )

/** Running, answering, and known to be: whatever became of it before. */
async function back(): Promise<void> {
  redis().thaw()
  if (!(await works(redis().say('PING')))) await redis().start()
  await keepAll()
  for (let tries = 0; tries < 200 && !(await works(t.running.store.ping())); tries++)
    await pause(50)
  await t.clock.advance(0)
}

type Commits = Store['commit']
const kill = () => redis().halt('SIGKILL')

const SILENT = 'stops answering, and goes on later'

/** Where a commit is cut off. Claims are confirmed first, then entries, then records (store/redis-writing.ts). */
const CUTS: Readonly<Record<string, (commit: Commits, work: Commit) => Promise<boolean>>> = {
  'is killed before anything is written': async (commit, work) => {
    await kill()
    return commit(work)
  },
  'is killed after the claims': async (commit, { claims = [], ...rest }) => {
    await commit({ claims })
    await kill()
    return commit(rest)
  },
  'is killed after the entries': async (commit, { claims = [], entries, ...rest }) => {
    await commit({ claims, ...(entries ? { entries } : {}) })
    await kill()
    return commit(rest)
  },
  'is killed before it says that all is written': async (commit, work) => {
    await commit(work)
    await kill()
    return commit(work)
  },
  // It has the records on its wire, and writes them when nobody waits for it any more.
  [SILENT]: async (commit, { claims = [], entries, ...rest }) => {
    await commit({ claims, ...(entries ? { entries } : {}) })
    redis().freeze()
    return commit(rest)
  },
}

/** The next commit that writes a record of this kind is cut off, once. */
function cutNext(kind: string, how: string): void {
  const { store } = t.running
  const { commit } = store
  store.commit = async (work) => {
    if (!work.puts?.some((put) => put.kind === kind)) return commit(work)
    store.commit = commit
    const cut = CUTS[how]
    if (!cut) throw new Error(`no such cut: ${how}`)
    return cut(commit, work)
  }
}

/** Redis is killed as a record of this kind is read the next time. */
function killAtRead(kind: string): void {
  const { store } = t.running
  const { get, getAll } = store
  const cut =
    (method: typeof get | typeof getAll, isMeant: (asked: never) => boolean) =>
    async (...asked: never[]) => {
      if (isMeant(asked[0] as never)) {
        Object.assign(store, { get, getAll })
        await kill()
      }
      return (method as (...asked: never[]) => unknown)(...asked)
    }
  Object.assign(store, {
    get: cut(get, (asked: string) => asked === kind),
    getAll: cut(getAll, (keys: readonly { readonly kind: string }[]) =>
      keys.some((key) => key.kind === kind),
    ),
  })
}

/** Of something of ours: said in so many words, with a reference, and without a word of what it was about. */
function expectFailed(answer: Answer): void {
  expect(answer.status).toBeGreaterThanOrEqual(500)
  expect(answer.text).toMatch(/ref_[\w-]{20}/)
  expect(`${answer.text} ${JSON.stringify(answer.headers)}`).not.toMatch(
    /\b(hdl|cod|rft|lnk|pnd)_|\beyJ[\w-]+\.|beehives|Penicillin/,
  )
  expectNoPatient(answer)
}

const PENICILLIN = {
  ...{ resourceType: 'AllergyIntolerance', id: 'a1', code: { text: 'Penicillin' } },
  patient: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' } },
}
const withData: Order = {
  system: 'gp-push',
  claims: () => ({
    data: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: PENICILLIN }] },
  }),
}
const SCOPE =
  'launch openid patient/Patient.r patient/AllergyIntolerance.r patient/composition-care-plan::*.crus patient/aql-care-plan::sections.rs'

async function tokensIn(browser: UserAgent, landed: Answer): Promise<Tokens> {
  const app = new App(t, browser)
  const answer = await app.redeem(await app.code(handleOf(landed), { scope: SCOPE }))
  return JSON.parse(answer.text)
}
const launched = async (order: Order = withData) => {
  const browser = new UserAgent()
  return tokensIn(browser, await open(t, browser, order))
}
const broughtIn = (tokens: Tokens): Promise<Answer> => {
  const [context] = tokens.fhirContext as readonly { readonly reference: string }[]
  return call(t, tokens.access_token, `/fhir/${context?.reference}`)
}

/** In the launch's own context. */
const within = (tokens: Tokens, more: Readonly<Record<string, string>> = {}) => ({
  ...{ 'content-type': 'application/json', 'launch-context': String(tokens.__context) },
  ...more,
})
const unsavedAt = ({ ehrId }: Tokens, template = '') =>
  `/openehr/v1/ehr/${ehrId}/unsaved${template === '' ? '' : `/${template}`}`
const keep = (tokens: Tokens, note: string, template = TEMPLATE): Promise<Answer> =>
  call(t, tokens.access_token, unsavedAt(tokens, template), {
    ...{ method: 'PUT', headers: within(tokens) },
    body: JSON.stringify({ values: { note }, typed: '2026-11-23T11:59:58Z' }),
  })
const kept = (tokens: Tokens, template = TEMPLATE): Promise<Answer> =>
  call(t, tokens.access_token, unsavedAt(tokens, template))
const discard = (tokens: Tokens, template: string): Promise<Answer> =>
  call(t, tokens.access_token, unsavedAt(tokens, template), {
    ...{ method: 'DELETE', headers: within(tokens) },
  })
const noteIn = ({ status, text }: Answer) =>
  status === 404 ? 'none' : JSON.parse(text).values?.note

/** Replaces a section by itself. */
async function save(tokens: Tokens): Promise<void> {
  const { access_token, ehrId } = tokens
  const path = `/openehr/v1/query/care-plan::sections?ehr_id=${ehrId}`
  const { rows } = JSON.parse((await call(t, access_token, path)).text)
  const [, uid, composition] = rows[0]
  const at = `/openehr/v1/ehr/${ehrId}/composition/${uid.split('::')[0]}`
  const headers = within(tokens, { 'if-match': `"${uid}"` })
  const sent = { method: 'PUT', headers, body: JSON.stringify(composition) }
  expect((await call(t, access_token, at, sent)).status).toBeLessThan(300)
}
async function endNow({ __launch }: Tokens): Promise<void> {
  const [id, at] = [endOf('launch', __launch), t.clock()]
  const puts = [{ kind: 'ended' as const, id, value: { at }, until: at + 86_400_000 }]
  await t.running.store.commit({ puts })
}
async function outcomeOf({ __launch }: Tokens, key: string): Promise<Answer> {
  const assertion = await buildAssertion(launchOf(t, { system: 'gp-push' }))
  const headers = { authorization: `Bearer ${assertion}`, 'idempotency-key': key }
  return send(new URL(`/launch/${__launch}/outcome`, t.issuer), { headers })
}

describe('while Redis is away', () => {
  it('a launch gets a page with a reference, and the next one works when Redis is back', async () => {
    const { app, tokens } = await launchTo(t, { system: 'gp-push' })
    const form = { launch_token: await tokenOf(t, { system: 'gp-post' }) }
    const handle = handleOf(await open(t, app.browser, { system: 'gp-push' }))
    await kill()
    expectFailed(await new UserAgent().visit(new URL('/launch', t.issuer), { form }))
    expectFailed(await app.refresh(tokens))
    expectFailed(await call(t, tokens.access_token, `/fhir/Patient/${tokens.patient}`))
    const sentBack = await app.authorize(handle)
    expect(sentBack.location?.href).toContain(app.redirect)
    expect(sentBack.location?.searchParams.get('error')).toBe('temporarily_unavailable')
    expect(sentBack.location?.searchParams.get('error_description')).toMatch(/ref_[\w-]{20}/)
    expectNoPatient(sentBack)
    await back()
    expect(handleOf(await open(t, new UserAgent(), { system: 'gp-post' }))).toMatch(/^hdl_/)
    expect(await readsPatient(t, tokens)).toBe(200)
  })

  it.each<[string, () => unknown]>([
    ['gone', kill],
    ['silent', () => redis().freeze()],
  ])(
    '(%s) nothing of what it keeps is shown, in part or as none, and all of it is there afterwards',
    async (_, cut) => {
      const tokens = await launched()
      const over = await launched()
      await save(over)
      await endNow(over)
      await keep(tokens, 'beehives')
      const before = [await broughtIn(tokens), await kept(tokens)]
      expect(before.map(({ status }) => status)).toEqual([200, 200])
      expect(before.map(({ text }) => /Penicillin|beehives/.test(text))).toEqual([true, true])
      await cut()
      const [brought, one, all, told] = await Promise.all([
        broughtIn(tokens),
        kept(tokens),
        call(t, tokens.access_token, unsavedAt(tokens)),
        outcomeOf(over, 'asked-while-away'),
      ])
      for (const answer of [brought, one, all, told]) expectFailed(answer)
      // In the words of either base.
      const { resourceType, issue } = JSON.parse(brought.text)
      expect([resourceType, issue[0].code]).toEqual(['OperationOutcome', 'exception'])
      expect(JSON.parse(one.text)).toMatchObject({
        error: 'server_error',
        error_description: expect.stringContaining('Try again'),
      })
      await back()
      expect([await broughtIn(tokens), await kept(tokens)].map(({ text }) => text)).toEqual(
        before.map(({ text }) => text),
      )
      expect((await outcomeOf(over, 'asked-again')).status).toBe(200)
    },
  )
})

describe('when Redis is killed just as it is to read', () => {
  // biome-ignore format: a table
  it.each<[string, string, (tokens: Tokens) => Promise<Answer>]>([
    ['what a launch brought',    'handover', broughtIn],
    ['what was typed',           'unsaved',  (tokens) => kept(tokens)],
    ['which sections were',      'unsaved',  (tokens) => call(t, tokens.access_token, unsavedAt(tokens))],
    ['what a launch wrote',      'change',   (tokens) => outcomeOf(tokens, crypto.randomUUID())],
  ])('%s, it is not said to be nothing, and is all there afterwards', async (_, kind, ask) => {
    const tokens = await launched()
    await discard(tokens, TEMPLATE)
    await keep(tokens, 'beehives')
    if (kind === 'change') {
      await save(tokens)
      await endNow(tokens)
    }
    killAtRead(kind)
    expectFailed(await ask(tokens))
    await back()
    const again = await ask(tokens)
    expect(again.status).toBe(200)
    expect(again.text).toMatch(/Penicillin|beehives|what-matters|Provenance/)
  })
})

/** Whether all was written, though nobody heard of it; and whether the claims were taken. */
const allWritten = (how: string): boolean => how.endsWith('all is written') || how === SILENT
const claimed = (how: string): boolean => !how.endsWith('anything is written')

describe.each(Object.keys(CUTS))('when Redis %s', (how) => {
  const all = allWritten(how)

  it('an outcome that may have left is there for the same request, and for no other', async () => {
    const tokens = await launched()
    await save(tokens)
    await endNow(tokens)
    cutNext('released', how)
    expectFailed(await outcomeOf(tokens, 'the-first'))
    await back()
    const again = await outcomeOf(tokens, 'the-first')
    // Whoever had the claim may still be at it, as far as anybody knows.
    expect(again.status).toBe(claimed(how) && !all ? 409 : 200)
    await t.clock.advance(2 * RELEASED_WITHIN)
    const later = await outcomeOf(tokens, 'the-first')
    expect(later.status).toBe(200)
    if (again.status === 200) expect(later.text).toBe(again.text)
    const told = JSON.parse(later.text).entry as { resource: { resourceType: string } }[]
    expect(told.filter(({ resource }) => resource.resourceType === 'Provenance')).toHaveLength(1)
    expect((await outcomeOf(tokens, 'the-second')).status).toBe(409)
  })

  it('what was typed is refused, stands whole as it was or as it was to be, and is kept when it is tried again', async () => {
    const tokens = await launched()
    const note = how
    await discard(tokens, TEMPLATE)
    expect((await keep(tokens, 'first')).status).toBe(200)
    cutNext('unsaved', how)
    expectFailed(await keep(tokens, `${note} beehives`))
    await back()
    expect(noteIn(await kept(tokens))).toBe(all ? `${note} beehives` : 'first')
    expect((await keep(tokens, note)).status).toBe(200)
    expect(noteIn(await kept(tokens))).toBe(note)
  })
})

/** Waiting for a server that is silent takes its time: once for each kind of commit. */
describe.each(Object.keys(CUTS).filter((how) => how !== SILENT))('when Redis %s', (how) => {
  it('what is typed first into a section is refused, and is in the list when it is tried again', async () => {
    const [tokens, note] = [await launched(), how]
    await discard(tokens, OTHER_TEMPLATE)
    // A claim, an entry, the list of what there is, and the words.
    cutNext('unsaved', how)
    expectFailed(await keep(tokens, `${note} beehives`, OTHER_TEMPLATE))
    await back()
    expect(noteIn(await kept(tokens, OTHER_TEMPLATE))).toBe(
      allWritten(how) ? `${note} beehives` : 'none',
    )
    await t.clock.advance(LIST_HELD)
    expect((await keep(tokens, note, OTHER_TEMPLATE)).status).toBe(200)
    const { unsaved } = JSON.parse(
      (await call(t, tokens.access_token, unsavedAt(tokens))).text,
    ) as { unsaved: { template: string }[] }
    expect(unsaved.map(({ template }) => template)).toContain(OTHER_TEMPLATE)
  })

  it('what a launch brings comes whole with the launch that opens, or with none', async () => {
    cutNext('link', how)
    expectFailed(await push(t, withData))
    await back()
    const link = new URL(JSON.parse((await push(t, withData)).text).launch_uri)
    const browser = new UserAgent()
    cutNext('session', how)
    expectFailed(await browser.visit(link))
    await back()
    const again = await browser.visit(link)
    // Opened once is opened: a link that may have been is not opened again, and the chart sends another.
    if (claimed(how)) expect([again.status, again.location]).toEqual([400, undefined])
    const tokens = claimed(how) ? await launched() : await tokensIn(browser, again)
    const brought = await broughtIn(tokens)
    expect(brought.status).toBe(200)
    expect(JSON.parse(brought.text).entry).toEqual([
      {
        resource: {
          ...PENICILLIN,
          patient: { reference: `Patient/${tokens.patient}` },
        },
      },
    ])
  })
})

it('leaves a trail that can be verified', () => expectWholeTrail(t))
