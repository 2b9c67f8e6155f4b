import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { ringPartsOf } from '../../src/foundations.js'
import { rotate } from '../../src/keys/ring.js'
import { claimsIn, launchTo, readsPatient, type Tokens } from '../app-by-hand.js'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { handleOf, open, signIn } from '../launching.js'
import { entriesOf, expectWholeTrail } from '../trail-reading.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

const DAY = 86_400
const IN_TIME = { atOnce: false, compromised: [] } as const

const kidOf = (jwt = ''): string =>
  JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid

describe.each(STORES)('our keys, rotated under way on the %s store', (store) => {
  let t: TestGateway
  let second: Awaited<ReturnType<TestGateway['secondNode']>>
  beforeAll(async () => {
    t = await openTestGateway({ store })
    second = await t.secondNode()
  }, 60_000)
  afterAll(() => t?.close())

  const begin = (browser = new UserAgent()) => launchTo(t, { system: 'gp-push' }, browser)
  const order = (how: Parameters<typeof rotate>[1]) => {
    const { store: kept, trail } = t.running
    const parts = { store: kept, commit: trail.commit, clock: t.clock }
    return rotate(ringPartsOf(t.config, parts), how, 'an operator')
  }
  const everybodyHears = async () => {
    for (const { keys, policies } of [t.running, second.gateway]) {
      await keys.refresh()
      await policies.refresh()
    }
  }
  const jwks = async (origin = t.issuer) => {
    const answer = await fetch(`${origin}/oauth/jwks`)
    const { keys } = (await answer.json()) as { keys: readonly { kid: string }[] }
    return { kids: keys.map(({ kid }) => kid), headers: answer.headers, keys }
  }
  const readsAtSecond = async (tokens: Tokens) => {
    const patient = `http://127.0.0.1:${second.port}/fhir/Patient/${tokens.patient}`
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    return (await fetch(patient, { headers })).status
  }

  it('are published with kid, use and algorithm, public members only, for five minutes (RFC 7517 §4)', async () => {
    const { keys, headers } = await jwks()
    expect(headers.get('cache-control')).toBe('public, max-age=300')
    expect(keys).toHaveLength(3)
    for (const key of keys) {
      expect(key).toMatchObject({
        kid: expect.any(String),
        use: expect.any(String),
        alg: expect.any(String),
      })
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(key).not.toHaveProperty(member)
    }
  })

  it('authenticate us at the provider with the key that is then in use, and not with that of our start (RFC 7523 §2.2)', async () => {
    // The provider has not asked for our keys yet: else it may refuse a key that is used at once, for minutes.
    await order({ atOnce: true, compromised: [] })
    await everybodyHears()
    const browser = new UserAgent()
    const page = await open(t, browser, { system: 'gp-clinic' })
    expect(handleOf(await signIn(t, browser, page, { person: 'gp' }))).toMatch(/^hdl_/)
  })

  it('change while sessions go on: each token is good at every node until it dies', async () => {
    await order(IN_TIME)
    await everybodyHears()
    const before = await begin()
    const old = kidOf(before.tokens.access_token)
    const { kids } = await jwks()
    expect(kids).toHaveLength(7)
    await t.clock.advance(DAY)
    await everybodyHears()
    const after = await begin()
    const young = kidOf(after.tokens.access_token)
    expect(young).not.toBe(old)
    // Published before it was used, and the old one is published still.
    expect(kids).toEqual(expect.arrayContaining([old, young]))
    const shown = await jwks(`http://127.0.0.1:${second.port}`)
    expect(shown.kids).toEqual(expect.arrayContaining([old, young]))
    expect(kidOf(after.tokens.id_token)).not.toBe(kidOf(before.tokens.id_token))
    expect(await readsPatient(t, after.tokens)).toBe(200)
    expect(await readsAtSecond(after.tokens)).toBe(200)
  })

  it('may be used at once: a node that has not heard of the new key asks for it', async () => {
    const before = await begin()
    await order({ atOnce: true, compromised: [] })
    await t.running.keys.refresh()
    const after = await begin()
    expect(kidOf(after.tokens.access_token)).not.toBe(kidOf(before.tokens.access_token))
    expect(await readsAtSecond(after.tokens)).toBe(200)
    expect(await readsAtSecond(before.tokens)).toBe(200)
    expect(await readsPatient(t, before.tokens)).toBe(200)
  })

  it('may be compromised: a token that was good a moment ago, and is remembered, is refused at every node', async () => {
    const { tokens, app } = await begin()
    expect([await readsPatient(t, tokens), await readsAtSecond(tokens)]).toEqual([200, 200])
    const stolen = kidOf(tokens.access_token)
    await order({ atOnce: true, compromised: [stolen] })
    await everybodyHears()
    expect([await readsPatient(t, tokens), await readsAtSecond(tokens)]).toEqual([401, 401])
    expect((await jwks()).kids).not.toContain(stolen)
    // Signed by nobody's key, the refresh token goes on: the session is as good as it was.
    const renewed = JSON.parse((await app.refresh(tokens)).text)
    expect(kidOf(renewed.access_token)).not.toBe(stolen)
    expect(await readsPatient(t, { ...tokens, ...renewed })).toBe(200)
    const [entry] = (await entriesOf(t, { from: 0 })).filter(
      ({ detail }) => Array.isArray(detail?.compromised) && detail.compromised.includes(stolen),
    )
    expect(entry).toMatchObject({ what: 'keys_rotated', detail: { by: 'an operator' } })
  })

  it('leave a trail that can be checked from its first checkpoint to its last', async () => {
    await expectWholeTrail(t)
    await order({ atOnce: true, compromised: 'all' })
    await everybodyHears()
    await begin()
    await expectWholeTrail(t)
    const checkpoints = (await entriesOf(t, { from: 0 })).filter(
      ({ what }) => what === 'checkpoint',
    )
    const kids = checkpoints.map(({ detail }) => kidOf(String(detail?.jws)))
    expect(new Set(kids).size).toBeGreaterThan(1)
  })

  it('are the same after a restart', async () => {
    const { jwks: before } = t.running.keys
    await t.restart()
    expect(t.running.keys.jwks).toEqual(before)
    expect(claimsIn((await begin()).tokens.access_token).iss).toBe(t.issuer)
  })
})
