/** A change of the policies by command: the life of a draft over the API, from sign-in to rollback. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { launchTo, sectionsOf } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { entriesOf, expectRefused, expectWholeTrail } from '../trail-reading.js'
import { wordsOf } from '../user-agent.js'
import {
  begin,
  type Call,
  call,
  changed,
  commandOf,
  confirm,
  drafted,
  poll,
  type Said,
  typeCode,
  worked,
} from './commanding.js'
import { answersAsDocumented } from './documented.js'
import { signedIn } from './signing-in.js'

jest.setTimeout(120_000)

const AUTHOR = '555254239202'

describe.each(STORES)('the API of the console on the %s store', (store) => {
  let t: TestGateway
  let second: Awaited<ReturnType<TestGateway['secondNode']>>
  let author: Call
  let approver: Call
  let draft: Said
  beforeAll(async () => {
    t = await openTestGateway({ store })
    second = await t.secondNode()
    author = answersAsDocumented((await commandOf(t, 'author')).call)
    approver = answersAsDocumented((await commandOf(t, 'approver', 3)).call)
  }, 60_000)
  afterAll(() => t?.close())

  const live = async () => {
    await t.running.policies.refresh()
    await second.gateway.policies.refresh()
    return [t.running.policies.version(), second.gateway.policies.version()]
  }
  const seen = async (): Promise<readonly string[]> => {
    const { tokens } = await launchTo(t, { system: 'gp-push', user: 'call-handler' })
    return sectionsOf(t, tokens)
  }

  it('lets a command in by a member’s browser, which sees what asks and from where', async () => {
    const device = await begin(t)
    expect(device).toEqual({
      device_code: expect.stringMatching(/^dvc_[\w-]{32}$/),
      user_code: expect.stringMatching(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/),
      verification_uri: `${t.issuer}/console/device`,
      ...{ expires_in: 600, interval: 5 },
    })
    expect((await poll(t, device)).json.error).toBe('authorization_pending')
    expect((await poll(t, device)).json.error).toBe('slow_down')
    const browser = await signedIn(t, 'viewer')
    const page = await typeCode(t, browser, ` ${device.user_code.toLowerCase().replace('-', ' ')}`)
    expect(wordsOf(page.text)).toMatch(/launch-gateway on a test.*127\.0\.0\.1/)
    expect(wordsOf((await confirm(t, browser, device.user_code)).text)).toContain('Let in')
    await t.clock.advance(5)
    const { status, json } = await poll(t, device)
    expect({ status, ...json }).toEqual({
      ...{ status: 200, token_type: 'Bearer', expires_in: 900 },
      access_token: expect.stringMatching(/^cmd_[\w-]{32}$/),
    })
    const own = answersAsDocumented((line) => call(t, line, { bearer: json.access_token }))
    expect((await own('GET /session')).json).toMatchObject({
      ...{ member: { uid: '555254239201', assurance: 2 }, duties: ['viewer'] },
    })
    const [opened] = (await entriesOf(t, { what: 'console_opened' })).filter(
      ({ user, detail }) => user?.id === '555254239201' && detail?.by === 'command',
    )
    expect(opened?.detail).toMatchObject({ client: 'launch-gateway on a test', assurance: 2 })
  })

  it('opens a draft from files, and says in words and as text what it would change', async () => {
    draft = await drafted(author)
    expect(draft).toMatchObject({ stage: 'open', layer: 'central', base: { version: 1 } })
    expect(draft.authors).toEqual([{ uid: AUTHOR, name: 'Rohan Mehta' }])
    const one = `/drafts/${draft.id}`
    const { found } = (await worked(t, author, `GET ${one}/diff`)).json
    expect(found.words).toEqual([
      'Call handler gains read and search on Symptoms and how to help when the purpose is direct care',
    ])
    expect(found.text.map(({ file }: Said) => file)).toContain('policies/symptoms.cedar')
    expect((await worked(t, author, `GET ${one}/check`)).json.found).toEqual({
      ...{ sound: true, problems: [] },
    })
    expect((await worked(t, author, `GET ${one}/impact`)).json.found).toMatchObject({
      allowToDeny: { questions: 0 },
    })
    const listed = (await author('GET /drafts')).json.drafts
    expect(listed.map(({ id }: Said) => id)).toContain(draft.id)
    expect((await author(`GET ${one}`)).json.draft).toEqual(draft)
  })

  it('refuses to propose what its tests or invariants do not hold, and names all that is wrong', async () => {
    const red = await drafted(author, (files) => {
      const { 'policies/tests/sections.yaml': _, ...rest } = changed(files)
      return {
        ...rest,
        'policies/tests/sections.yaml': files['policies/tests/sections.yaml'] ?? '',
      }
    })
    const said = { hash: red.hash, reason: 'Callers wait.', ticket: 'CHG-2' }
    const refused = await author(`POST /drafts/${red.id}/propose`, said)
    await expectRefused(t, refused, 'draft_unfit', 422)
    expect(refused.json).toMatchObject({
      ...{ error: 'invalid_request', code: 'draft_unfit', reference: expect.any(String) },
      problems: expect.arrayContaining([
        expect.objectContaining({ file: 'policies/tests/sections.yaml' }),
      ]),
    })
    const { json } = await author('POST /check', { files: { 'roles.yaml': 'roles: nobody' } })
    expect(json.sound).toBe(false)
    const done = await author(`POST /drafts/${red.id}/abandon`, { reason: 'It was a try.' })
    expect(done.json.draft.stage).toBe('abandoned')
  })

  it('is approved by another person, put into force by its author, and live on two nodes', async () => {
    expect(await seen()).not.toContain('symptoms')
    const { hash } = draft
    const one = `/drafts/${draft.id}`
    const reason = 'Callers wait for help.'
    const proposed = await author(`POST ${one}/propose`, { hash, reason })
    expect(proposed.json.draft).toMatchObject({ stage: 'proposed', ticket: 'CHG-1' })
    const declined = await approver(`POST ${one}/decline`, { reason: 'Say why.' })
    expect(declined.json.draft).toMatchObject({ stage: 'open', declined: { reason: 'Say why.' } })
    await author(`POST ${one}/propose`, { hash, reason: 'Callers wait for help, 20 a day.' })
    const approved = await approver(`POST ${one}/approve`, { hash })
    expect(approved.json.draft.stage).toBe('approved')
    const published = await author(`POST ${one}/publish`, { hash })
    expect(published.json.draft).toMatchObject({ stage: 'published', publication: { version: 2 } })
    expect(await live()).toEqual([2, 2])
    expect(await seen()).toContain('symptoms')
    const [entry] = (await entriesOf(t, { what: 'policy_published' })).slice(-1)
    expect(entry).toMatchObject({
      ...{ user: { id: AUTHOR }, policy: { version: 2 } },
      detail: { approver: '555254239203', ticket: 'CHG-1' },
    })
  })

  it('tells what was in force when, what two versions do differently, and which nodes follow', async () => {
    const { versions } = (await author('GET /versions')).json
    expect(versions.map(({ version, origin }: Said) => [version, origin])).toEqual([
      [2, 'console'],
      [1, 'seed'],
    ])
    expect((await author('GET /versions/2')).json.version).toMatchObject({ ticket: 'CHG-1' })
    const { files } = (await author('GET /versions/2/files')).json
    expect(Object.keys(files)).toContain('policies/symptoms.cedar')
    const { found } = (await worked(t, author, 'GET /versions/1/diff?from=2')).json
    expect(found.words).toEqual([expect.stringMatching(/^Call handler loses/)])
    for (const gateway of [t.running, second.gateway]) await gateway.fleet.beat()
    const fleet = (await author('GET /fleet')).json
    expect(fleet).toMatchObject({ version: 2, nodes: [{ follows: true }, { follows: true }] })
  })

  it('explains a decision by its launch', async () => {
    await launchTo(t, { system: 'gp-push', user: 'gp' })
    const launch = (await entriesOf(t, { what: 'session_opened' })).at(-1)?.launch
    const { decisions } = (await author(`GET /decisions/${launch}`)).json
    expect(decisions[0]).toMatchObject({ effect: 'allow', version: 2 })
  })

  it('works out the matrix beside all that', async () => {
    const { found } = (await worked(t, author, 'GET /versions/2/matrix')).json
    const cell = found.cells.find(
      ({ role, action, resource }: Said) =>
        role === 'call-handler' && action === 'read' && resource.id === 'symptoms',
    )
    expect(cell).toMatchObject({ answer: 'conditional', nominal: 'allow' })
  })

  it('goes back as a new version, for who may approve and has seen what is in force', async () => {
    const say = { reason: 'Too much was seen.', inForce: 2 }
    await expectRefused(t, await author('POST /versions/1/rollback', say), 'console_denied', 403)
    const stale = await approver('POST /versions/1/rollback', { ...say, inForce: 1 })
    await expectRefused(t, stale, 'draft_outdated', 409)
    const { status, json } = await approver('POST /versions/1/rollback', say)
    expect({ status, json }).toEqual({ status: 201, json: { version: 3 } })
    expect(await live()).toEqual([3, 3])
    expect(await seen()).not.toContain('symptoms')
  })

  it('takes an emergency without approval, and has it reviewed by somebody else', async () => {
    const { id, hash } = await drafted(author)
    const say = { hash, reason: 'Lives depend on it.' }
    const done = await author(`POST /drafts/${id}/emergency`, say)
    expect(done.json.draft.publication).toMatchObject({ emergency: true, review: 'open' })
    const review = await approver(`POST /drafts/${id}/review`, { reason: 'It was one.' })
    expect(review.json.draft.publication.review).toMatchObject({ reason: 'It was one.' })
    await live()
    const { version } = done.json.draft.publication
    const back = { reason: 'The emergency is over.', inForce: version }
    expect((await approver(`POST /versions/1/rollback`, back)).status).toBe(201)
    await live()
  })

  it('signs a command out by itself, and leaves a whole trail', async () => {
    const own = (await commandOf(t, 'viewer')).call
    expect((await own('DELETE /session')).json).toEqual({ ended: true })
    await expectRefused(t, await own('GET /session'), 'command_signed_out', 401)
    await expectWholeTrail(t)
  })
})
