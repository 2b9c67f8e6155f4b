/** Whoever keeps the privacy officers' alerts is told of each use of emergency access. */
import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { openTestGateway, STORES, type TestGateway } from '../gateway.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import { formTo, handleOf, open, SENSITIVE } from '../launching.js'
import { entriesOf } from '../trail-reading.js'
import { UserAgent } from '../user-agent.js'

jest.setTimeout(60_000)

describe.each(STORES)('on the %s store', (store) => {
  let t: TestGateway
  let answer = 204
  const heard: { readonly type: string | undefined; readonly text: string }[] = []
  const server = createServer(async (req, res) => {
    let text = ''
    for await (const part of req) text += String(part)
    heard.push({ type: req.headers['content-type'], text })
    res.writeHead(answer).end()
  })
  beforeAll(async () => {
    const alert_uri = `http://127.0.0.1:${await listen(server)}/alerts`
    t = await openTestGateway({
      store,
      change: ({ emergency, outbound }) => ({
        emergency: { ...emergency, alert_uri },
        outbound: { ...outbound, allow: [...outbound.allow, '127.0.0.1'] },
      }),
    })
  }, 60_000)
  beforeEach(() => {
    heard.length = 0
    answer = 204
  })
  afterAll(async () => {
    await t?.close()
    await hangUp(server)
  })

  async function breakGlass() {
    const browser = new UserAgent()
    const page = await open(t, browser, {
      system: 'gp-push',
      user: 'district-nurse',
      patient: SENSITIVE,
    })
    const why = {
      reason: 'life-threatening',
      text: 'Found unconscious at home, nobody else is here.',
    }
    const form = { ...formTo(page, '/launch/emergency'), ...why }
    handleOf(await browser.visit(new URL('/launch/emergency', t.issuer), { form }))
    const waiting = await t.running.emergencies.open()
    const latest = waiting.at(-1)
    if (!latest) throw new Error('no emergency')
    return latest
  }
  const tries = async (launch: string) =>
    (await entriesOf(t, { what: 'emergency_alerted', launch })).map(({ outcome }) => outcome)

  it('once, with ids and nothing else', async () => {
    const { id, launch, at, until } = await breakGlass()
    await Promise.all([t.running.alerts.turn(), t.running.alerts.turn()])
    await t.clock.advance(30)
    await t.running.alerts.turn()
    expect(heard.map(({ type }) => type)).toEqual(['application/json'])
    const { signed, ...message } = JSON.parse(heard[0]?.text ?? '')
    expect(message).toEqual({
      ...{ event: 'emergency-access', issuer: t.issuer, emergency: id, launch },
      organization: 'RYX01',
      ...{ at: new Date(at).toISOString(), until: new Date(until).toISOString() },
    })
    const ours = createRemoteJWKSet(new URL('/oauth/jwks', t.issuer))
    const { alert_uri: audience = '' } = t.config.emergency
    const currentDate = new Date(t.clock())
    const about = { typ: 'emergency-alert+jwt', issuer: t.issuer, audience, currentDate }
    const { payload } = await jwtVerify(signed, ours, about)
    expect(payload).toMatchObject({ ...message, jti: id })
    expect(await tries(launch)).toEqual(['success'])
  })

  it('again while it does not answer well, by a node that starts meanwhile, and then no more', async () => {
    answer = 503
    const { launch } = await breakGlass()
    await t.running.alerts.turn()
    await t.running.alerts.turn()
    expect(heard).toHaveLength(1)
    await t.restart()
    for (const wait of [1, 10, 60]) {
      await t.clock.advance(wait)
      await t.running.alerts.turn()
    }
    answer = 200
    await t.clock.advance(300)
    await t.running.alerts.turn()
    expect(await tries(launch)).toEqual(['failure', 'failure', 'failure', 'failure', 'success'])
    await t.clock.advance(600)
    await t.running.alerts.turn()
    expect(heard).toHaveLength(5)
  })

  it('five times at most; the queue has it all the same', async () => {
    answer = 302
    const { id, launch } = await breakGlass()
    for (const wait of [0, 1, 10, 60, 300, 900, 900]) {
      await t.clock.advance(wait)
      await t.running.alerts.turn()
    }
    expect(await tries(launch)).toEqual(Array(5).fill('failure'))
    expect((await t.running.emergencies.open('RYX01')).map((one) => one.id)).toContain(id)
  })
})
