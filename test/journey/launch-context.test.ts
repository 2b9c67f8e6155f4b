/** What a launch brings beside its patient, and what an app's scopes make of it. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Client } from '../../src/core/client.js'
import { hashOf } from '../../src/core/ids.js'
import { readJson } from '../../src/core/json-text.js'
import { ASSERTION_TYPE, buildAssertion } from '../../src/demo/desktop-launches.js'
import { App, call, codeOf, readsPatient, type Tokens, tokensOf } from '../app-by-hand.js'
import { signInAt } from '../demo/sign-in.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, launchOf, type Order, open, push } from '../launching.js'
import { basic, row, SECRET } from '../standalone.js'
import {
  entriesOf,
  expectRefused,
  expectSentBack,
  expectWholeTrail,
  refusalEntry,
} from '../trail-reading.js'
import { send, UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const STYLES = 'https://desktop.example/styles/1.json'
const DETAILS = [{ type: 'smart_on_fhir' }]
const RICH = 'rich-app'
const REDIRECT = 'https://rich.example/back'
const SCOPES = [
  ...['launch/imagingstudy', 'launch/questionnaire'],
  ...['launch', 'launch/patient', 'launch/encounter', 'launch/episode', 'openid', 'fhirUser'],
  ...['user/*.cruds', 'patient/*.cruds', 'user/composition-care-plan::*.crus'],
]

const RICH_APP: Client = {
  ...{ id: RICH, name: 'Rich', profile: 'smart', type: 'public', pushed: false },
  ...{ assertionAlgorithms: [], grantTypes: ['authorization_code', 'refresh_token'] },
  ...{ redirectUris: [REDIRECT], launchUrls: ['https://rich.example/launch'], origins: [] },
  ...{ scopes: SCOPES, idTokenAlgorithm: 'RS256', detailTypes: ['smart_on_fhir'] },
  contexts: [
    { name: '__form', type: 'string', max: 12 },
    { name: '__draft', type: 'boolean', max: 10 },
    { name: '__page', type: 'number', max: 10 },
    { name: '__task', type: 'reference', max: 100 },
    { name: 'https://rich.example/filter', type: 'json', max: 40 },
  ],
}
/** A server that takes the app's tokens. */
const SERVER = row({
  ...{ id: 'server', type: 'secret', secret_hash: hashOf(SECRET), introspects: true },
  scopes: ['openid'],
})
const OWN = {
  ...{ __form: 'frailty', __draft: true, __page: 3, __task: 'Task/t1' },
  'https://rich.example/filter': { codes: ['a', 'b'] },
}

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  beforeAll(async () => {
    const change: Parameters<typeof openTestGateway>[0]['change'] = ({ apps, systems }) => ({
      apps: [...apps, RICH_APP, SERVER],
      systems: systems.map((row) => ({
        ...{ ...row, apps: [...row.apps, RICH] },
        ...(row.id === 'gp-push' ? { styleUrl: STYLES } : {}),
      })),
    })
    t = await openTestGateway({ store, change })
  }, 60_000)
  afterAll(() => t?.close())

  const order = (context?: object, more: object = {}): Order => ({
    ...{ system: 'gp-push', app: RICH },
    claims: () => ({ ...(context === undefined ? {} : { context }), ...more }),
  })
  const SCOPE = 'launch openid fhirUser patient/Patient.r'
  const launched = async (asked: Order, scope = SCOPE, more: Record<string, string> = {}) => {
    const browser = new UserAgent()
    const app = new App(t, browser, RICH)
    const handle = handleOf(await open(t, browser, asked))
    const answer = await app.authorize(handle, { redirect_uri: REDIRECT, scope, ...more })
    return { app, answer }
  }
  const tokensFor = async (asked: Order, scope = SCOPE, more: Record<string, string> = {}) => {
    const { app, answer } = await launched(asked, scope, more)
    return tokensOf(await app.redeem(codeOf(answer), { redirect_uri: REDIRECT }))
  }
  const read = async (tokens: Tokens, path: string) =>
    (await call(t, tokens.access_token, `/fhir/${path}`)).status

  describe('context of an app’s own kinds', () => {
    it('stands beside the token, each under its name (SMART, "Launch context")', async () => {
      const tokens = await tokensFor(order(OWN))
      expect(tokens).toMatchObject(OWN)
      expect(tokens).not.toHaveProperty('own')
      expect(tokens.__launch).toMatch(/^lch_/)
    })

    // biome-ignore format: a table
    it.each<[string, object, string]>([
      ['a kind that was not registered',  { __other: 1 },                            '__other'],
      ['a kind of another app’s URI',     { 'https://elsewhere.example/x': 1 },      'https://elsewhere.example/x'],
      ['a name of the gateway’s own',     { __launch: 'lch_x' },                     '__launch'],
      ['a standard name',                 { patient: 'somebody-else' },              'patient'],
      ['a token',                         { access_token: 'x' },                     'access_token'],
      ['text that is a number',           { __form: 1 },                             '__form'],
      ['text with a control character',   { __form: 'a\u0007b' },                    '__form'],
      ['text that is one too long',       { __form: 'a'.repeat(11) },                '__form'],
      ['a truth that is text',            { __draft: 'true' },                       '__draft'],
      ['a number that is none',           { __page: null },                          '__page'],
      ['a reference to a patient',        { __task: 'Patient/somebody-else' },       '__task'],
      ['a reference that is an address',  { __task: 'https://elsewhere.example/Task/1' }, '__task'],
      ['JSON that is too long',           { 'https://rich.example/filter': 'a'.repeat(39) }, 'https://rich.example/filter'],
    ])('with %s ends the launch, and the trail names it', async (_what, context, name) => {
      const entry = await expectRefused(t, await push(t, order(context)), 'context_refused', 400)
      expect(entry.detail?.why).toContain(name)
      const posted = await open(t, new UserAgent(), { ...order(context), system: 'gp-post' })
      await expectRefused(t, posted, 'context_refused', 400)
    })

    it('reaches the longest that was registered, and no app that registered none', async () => {
      expect(await tokensFor(order({ __form: 'a'.repeat(10) }))).toHaveProperty('__form')
      const other: Order = { ...order({ __form: 'a' }), app: 'care-plan' }
      await expectRefused(t, await push(t, other), 'context_refused', 400)
    })

    it('that is no object, or of too many or polluting members, is no launch', async () => {
      const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`__x${i}`, 1]))
      const bad = [
        'x',
        [],
        1,
        many,
        JSON.parse('{"__proto__":{"x":1}}'),
        { __form: 'a'.repeat(17_000) },
      ]
      for (const context of bad)
        await expectRefused(t, await push(t, order(context)), 'launch_malformed', 400)
    })

    it('is dropped where nothing vouches for it: on rung sealed', async () => {
      const browser = new UserAgent()
      const page = await open(t, browser, { ...order({ __other: 1 }), system: 'gp-sealed' })
      expect(page.status).toBe(200)
    })
  })

  describe('styles and episodes', () => {
    it('are given where the launch’s system has them, and announced', async () => {
      const tokens = await tokensFor(
        order(undefined, { episode: 'ep-1' }),
        `${SCOPE} launch/episode`,
      )
      expect(tokens).toMatchObject({ smart_style_url: STYLES, episodeId: 'ep-1' })
      expect(tokens.scope).toContain('launch/episode')
      const plain = await tokensFor({ system: 'gp-post', app: RICH }, `${SCOPE} launch/episode`)
      for (const name of ['smart_style_url', 'episodeId']) expect(plain).not.toHaveProperty(name)
      expect(plain.scope).not.toContain('launch/episode')
    })

    it('are announced only where the configuration has them', async () => {
      const at = new URL('/fhir/.well-known/smart-configuration', t.issuer)
      const capabilities = async () => JSON.parse((await send(at)).text).capabilities
      expect(await capabilities()).toEqual(
        expect.arrayContaining(['context-style', 'permission-user', 'context-openehr-episode']),
      )
      const systems = t.config.systems.map(({ styleUrl: _, ...row }) => row)
      await t.restart({ systems })
      expect(await capabilities()).not.toContain('context-style')
      const pages = { ...t.config.pages, style_url: 'https://gateway.example/styles/1.json' }
      await t.restart({ systems, pages })
      expect(await capabilities()).toContain('context-style')
      expect((await tokensFor(order())).smart_style_url).toBe(pages.style_url)
      await t.restart()
    })

    it('the scope launch/encounter is given back when the launch brought one', async () => {
      const scope = `${SCOPE} launch/encounter launch/patient`
      const tokens = await tokensFor(order(undefined, { encounter: 'enc-1' }), scope)
      expect(tokens.encounter).toBe('enc-1')
      expect(tokens.scope.split(' ')).toEqual(
        expect.arrayContaining(['launch/encounter', 'launch/patient']),
      )
      const { encounter: _, scope: without } = await tokensFor(
        order(undefined, { encounter: undefined }),
        scope,
      )
      expect(without.split(' ')).not.toContain('launch/encounter')
    })
  })

  it('a scope for what else is open is given back when the launch brought some of that type', async () => {
    const fhirContext = [
      { reference: 'ImagingStudy/1', role: 'https://roles.example/x' },
      { reference: 'DocumentReference/2' },
    ]
    const asked = 'launch/imagingstudy?role=https://roles.example/other launch/questionnaire'
    const tokens = await tokensFor(order(undefined, { fhirContext }), `${SCOPE} ${asked}`)
    expect(tokens.fhirContext).toEqual(fhirContext)
    expect(tokens.scope.split(' ').filter((word) => word.startsWith('launch/'))).toEqual([
      'launch/imagingstudy?role=https://roles.example/other',
    ])
    // No way to a launch of one's own, nor to anything without one.
    const alone = new App(t, new UserAgent(), RICH)
    const scope = 'openid launch/imagingstudy patient/ImagingStudy.rs'
    const answer = await alone.authorize('', { launch: undefined, redirect_uri: REDIRECT, scope })
    await expectSentBack(t, answer, 'launch_required', REDIRECT)
  })

  describe('data of the GP system that comes with the launch', () => {
    const whose = (value = '9990000018') => ({
      identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value },
    })
    const condition = { resourceType: 'Condition', id: 'c1' }
    const data = (value?: string) => ({
      ...{ resourceType: 'Bundle', type: 'collection' },
      entry: [
        {
          resource: { ...condition, onsetAge: { value: readJson('1.50') }, subject: whose(value) },
        },
        { resource: { resourceType: 'AllergyIntolerance', id: 'a1', patient: whose(value) } },
      ],
    })
    const READS = 'launch openid patient/Condition.r patient/AllergyIntolerance.r'
    const bundleOf = (tokens: Tokens): string =>
      (tokens.fhirContext as readonly { reference: string }[])[0]?.reference ?? ''
    const get = (tokens: Tokens, path: string) => call(t, tokens.access_token, `/fhir/${path}`)

    it.each(['gp-push', 'gp-post', 'gp-smart'])(
      'is read in this launch, as the record’s patient’s, by %s',
      async (system) => {
        const tokens = await tokensFor({ ...order(undefined, { data: data() }), system }, READS)
        expect(tokens.fhirContext).toEqual([
          { reference: bundleOf(tokens), type: 'Bundle', role: 'urn:launch-gateway:handed-over' },
        ])
        const answer = await get(tokens, bundleOf(tokens))
        expect(answer.status).toBe(200)
        expect(answer.text).toContain('{"value":1.50}')
        const { entry } = JSON.parse(answer.text)
        const subject = { reference: `Patient/${tokens.patient}` }
        expect(entry).toEqual([
          { resource: { ...condition, onsetAge: { value: 1.5 }, subject } },
          { resource: { resourceType: 'AllergyIntolerance', id: 'a1', patient: subject } },
        ])
        const entries = await entriesOf(t, { launch: String(tokens.__launch) })
        const last = entries.at(-1)
        expect(last).toMatchObject({
          what: 'access_allowed',
          detail: { interaction: 'handover', entries: 2 },
        })
      },
    )

    it('is read as far as scopes and policies go; of nothing there is nothing', async () => {
      const some = await tokensFor(
        order(undefined, { data: data() }),
        'launch openid patient/Condition.r',
      )
      expect(JSON.parse((await get(some, bundleOf(some))).text).entry).toHaveLength(1)
      const none = await tokensFor(order(undefined, { data: data() }), SCOPE)
      expect((await get(none, bundleOf(none))).status).toBe(404)
    })

    it('is nobody else’s, neither by its name nor without a token, and gone with the launch', async () => {
      const tokens = await tokensFor(order(undefined, { data: data() }), READS)
      const other = await tokensFor(order(undefined, { data: data() }), READS)
      expect(bundleOf(tokens)).not.toBe(bundleOf(other))
      expect((await get(other, bundleOf(tokens))).status).not.toBe(200)
      expect((await send(new URL(`/fhir/${bundleOf(tokens)}`, t.issuer))).status).toBe(401)
      const kept = await t.running.store.get('handover', tokens.__launch as never)
      expect(JSON.stringify(kept)).not.toMatch(/Condition|9990000018/)
      const client_assertion = await buildAssertion(launchOf(t, order()))
      const end = { client_assertion_type: ASSERTION_TYPE, client_assertion }
      const form = { ...end, launch: String(tokens.__launch) }
      expect((await send(new URL('/launch/end', t.issuer), { form })).status).toBe(204)
      expect(await t.running.store.get('handover', tokens.__launch as never)).toBeUndefined()
      expect((await get(tokens, bundleOf(tokens))).status).toBe(401)
    })

    it('of another patient stops the launch, and nothing of it is kept', async () => {
      const theirs = order(undefined, { data: data('9990000026') })
      const pushed = await push(t, theirs)
      await expectRefused(t, pushed, 'launch_data_other_patient', 400)
      const posted = await open(t, new UserAgent(), { ...theirs, system: 'gp-post' })
      await expectRefused(t, posted, 'launch_data_other_patient', 400)
      const redeemed = await open(t, new UserAgent(), { ...theirs, system: 'gp-smart' })
      await expectRefused(t, redeemed, 'launch_data_other_patient', 400)
    })

    it('that is malformed or too large stops it as well; on rung sealed none is taken', async () => {
      const huge = { ...data(), note: 'x'.repeat(262_144) }
      for (const bad of [{}, [], 'x', huge])
        await expectRefused(
          t,
          await push(t, order(undefined, { data: bad })),
          'launch_malformed',
          400,
        )
      const page = await open(t, new UserAgent(), {
        ...order(undefined, { data: data() }),
        system: 'gp-sealed',
      })
      expect(page.status).toBe(200)
    })
  })

  describe('user/ scopes', () => {
    it('come back as user/, and reach the patient in context and nobody else', async () => {
      const tokens = await tokensFor(
        order(),
        'launch openid fhirUser user/Patient.rs user/CarePlan.rs',
      )
      expect(tokens.scope).toBe('launch openid fhirUser user/Patient.rs user/CarePlan.rs')
      expect(await readsPatient(t, tokens)).toBe(200)
      expect(await read(tokens, 'CarePlan')).toBe(200)
      const other = (await tokensFor({ ...order(), patient: '9990000026' })).patient
      expect(await read(tokens, `Patient/${other}`)).toBe(404)
      expect(await read(tokens, `CarePlan?patient=${other}`)).toBe(404)
      expect(await read(tokens, 'Condition')).toBe(403)
    })

    it('reach sections of the plan by the same rule', async () => {
      const tokens = await tokensFor(order(), 'launch user/composition-care-plan::contacts.v1.r')
      expect(tokens.scope).toBe('launch user/composition-care-plan::contacts.v1.r')
    })

    it('are no way to a patient whom nobody chose', async () => {
      const app = new App(t, new UserAgent(), RICH)
      for (const scope of [
        'openid user/Patient.rs',
        'openid user/*.rs',
        'user/composition-care-plan::*.r',
      ]) {
        const answer = await app.authorize('', { launch: undefined, redirect_uri: REDIRECT, scope })
        await expectSentBack(t, answer, 'launch_required', REDIRECT)
        expect(answer.location?.searchParams.get('error_description')).toContain('launch/patient')
      }
    })

    it('without a patient open the user’s own Practitioner, and no other', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser, RICH)
      const change = {
        launch: undefined,
        redirect_uri: REDIRECT,
        scope: 'openid user/Practitioner.r',
      }
      const sent = await app.authorize('', change)
      await t.clock.catchUp()
      const away = await browser.visit(sent.location as URL)
      const back = await signInAt(away.location as URL, { person: 'gp' }, browser.jar)
      const landed = await browser.visit((await browser.visit(back)).location as URL)
      const tokens = tokensOf(await app.redeem(codeOf(landed), { redirect_uri: REDIRECT }))
      expect(tokens).not.toHaveProperty('patient')
      expect(tokens.scope).toBe('openid user/Practitioner.r')
      expect(await read(tokens, 'Practitioner/555254239101')).toBe(200)
      expect(await read(tokens, 'Practitioner/555254239107')).toBe(403)
      expect(await read(tokens, 'Patient/x')).toBe(403)
    })
  })

  describe('words of SMART v1', () => {
    // biome-ignore format: a table
    it.each([
      ['patient/Patient.read',                     'patient/Patient.read'],
      ['patient/Patient.*',                        'patient/Patient.read'],
      ['user/Patient.*',                           'user/Patient.read'],
      ['patient/Patient.rs',                       'patient/Patient.rs'],
      ['patient/Patient.cruds',                    'patient/Patient.rs'],
      ['patient/Patient.r patient/CarePlan.read',  'patient/Patient.r patient/CarePlan.read'],
      ['patient/Patient.r patient/CarePlan.sr',    'patient/Patient.r'],
      ['patient/Patient.r patient/CarePlan.reads', 'patient/Patient.r'],
      ['patient/Patient.r patient/CarePlan.',      'patient/Patient.r'],
      ['patient/Patient.r patient/careplan.r',     'patient/Patient.r'],
    ])('%s is answered as %s', async (asked, given) => {
      expect((await tokensFor(order(), `launch ${asked}`)).scope).toBe(`launch ${given}`)
    })
  })

  describe('a scope with a search query (SMART, "Finer-grained resource constraints")', () => {
    const conditions = async (tokens: Tokens) => {
      const { status, text } = await call(t, tokens.access_token, '/fhir/Condition')
      return status === 200 ? JSON.parse(text).entry.length : status
    }

    // biome-ignore format: a table
    it.each([
      ['patient/Condition.rs?clinical-status=active', 4],
      ['patient/Condition.rs?clinical-status=inactive', 0],
      ['user/Condition.rs?clinical-status=active,inactive&category=problem-list-item', 4],
    ])('%s is granted as it was asked, and held at the record', async (scope, found) => {
      const tokens = await tokensFor(order(), `launch ${scope}`)
      expect(tokens.scope).toBe(`launch ${scope}`)
      expect(await conditions(tokens)).toBe(found)
      expect(await read(tokens, 'Encounter')).toBe(403)
    })

    it('is left out where it cannot be enforced', async () => {
      const asked = 'launch patient/Patient.r patient/Condition.rs?onset-date=ge2020'
      const tokens = await tokensFor(order(), asked)
      expect(tokens.scope).toBe('launch patient/Patient.r')
      expect(await conditions(tokens)).toBe(403)
    })
  })

  it('a batch is judged entry by entry under a token of a launch, and writes nothing under the shipped policies', async () => {
    const tokens = await tokensFor(order(), 'launch patient/*.cruds')
    const entry = [
      { request: { method: 'GET', url: `Patient/${tokens.patient}` } },
      { request: { method: 'GET', url: 'Patient/somebody-else' } },
      { request: { method: 'DELETE', url: 'Condition/c1' } },
      { request: { method: 'GET', url: 'Condition' } },
    ]
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry })
    const headers = {
      'content-type': 'application/fhir+json',
      'launch-context': String(tokens.__context),
    }
    const answer = await call(t, tokens.access_token, '/fhir', { method: 'POST', headers, body })
    const said = JSON.parse(answer.text).entry as { response: { status: string } }[]
    expect(said.map(({ response }) => response.status)).toEqual(['200', '404', '403', '200'])
  })

  describe('authorization details (RFC 9396)', () => {
    const asking = (value: unknown) => ({
      authorization_details: typeof value === 'string' ? value : JSON.stringify(value),
    })
    it('say where the token is good, to an app that asks', async () => {
      const said = [
        { type: 'smart_on_fhir', locations: [`${t.issuer}/fhir`], fhirVersions: ['4.0'] },
      ]
      const given = await tokensFor(order(), SCOPE, asking(DETAILS))
      expect(given.authorization_details).toEqual(said)
      const told = await send(new URL('/oauth/introspect', t.issuer), {
        ...{ form: { token: given.access_token }, headers: basic('server', SECRET) },
      })
      expect(JSON.parse(told.text)).toMatchObject({ active: true, authorization_details: said })
      expect((await tokensFor(order(), SCOPE, asking(said))).authorization_details).toEqual(said)
      expect(await tokensFor(order())).not.toHaveProperty('authorization_details')
    })

    // biome-ignore format: a table
    it.each<[string, unknown]>([
      ['of another type',             [{ type: 'payment_initiation' }]],
      ['of another type among ours',  [...DETAILS, { type: 'x' }]],
      ['of another server',           [{ type: 'smart_on_fhir', locations: ['https://elsewhere.example/fhir'] }]],
      ['of another FHIR version',     [{ type: 'smart_on_fhir', fhirVersions: ['5.0'] }]],
      ['that name a patient',         [{ type: 'smart_on_fhir', patient: 'somebody-else' }]],
      ['that hold scopes',            [{ type: 'smart_on_fhir', scope: 'system/*.cruds' }]],
      ['that are none',               []],
      ['that are no list',            { type: 'smart_on_fhir' }],
      ['that are no JSON',            '[{'],
      ['longer than anybody needs',   `[${'{"type":"smart_on_fhir"},'.repeat(200)}{}]`],
    ])('%s are refused', async (_what, value) => {
      const { answer } = await launched(order(), SCOPE, asking(value))
      await expectSentBack(t, answer, 'details_invalid', REDIRECT)
      expect(answer.location?.searchParams.get('error')).toBe('invalid_authorization_details')
    })

    it('are refused to an app that is not registered for them', async () => {
      const browser = new UserAgent()
      const app = new App(t, browser)
      const handle = handleOf(await open(t, browser, { system: 'gp-push' }))
      const answer = await app.authorize(handle, asking(DETAILS))
      await expectSentBack(t, answer, 'details_invalid', app.redirect)
    })
  })

  it('an honest mistake at authorize is told by the name of its parameter', async () => {
    const { app } = await launched(order())
    // biome-ignore format: a table
    const mistakes: readonly [Record<string, string | undefined>, string][] = [
      [{ state: undefined },              'state'],
      [{ response_type: undefined },      'response_type'],
      [{ response_type: 'token' },        'response_type'],
      [{ aud: undefined },                'aud'],
      [{ code_challenge: undefined },     'code_challenge'],
      [{ code_challenge_method: 'plain' },'code_challenge_method'],
      [{ scope: undefined },              'scope'],
      [{ scope: 'openid' },               'launch'],
      [{ launch: undefined },             'launch'],
      [{ prompt: 'none login' },          'prompt'],
      [{ max_age: '-1' },                 'max_age'],
      [{ claims: '{' },                   'claims'],
      [{ dpop_jkt: 'x' },                 'dpop_jkt'],
      [{ id_token_hint: 'x' },            'id_token_hint'],
    ]
    for (const [change, name] of mistakes) {
      const answer = await app.authorize('hdl_x', {
        redirect_uri: REDIRECT,
        scope: SCOPE,
        ...change,
      })
      const said = answer.location?.searchParams.get('error_description') ?? answer.text
      expect([name, said]).toEqual([name, expect.stringContaining(name)])
      expect((await refusalEntry(t, answer)).app).toBe(RICH)
    }
  })

  it('leave a trail that can be verified', () => expectWholeTrail(t))
})
