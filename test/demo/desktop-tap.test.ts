import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { generateKeyPair, SignJWT } from 'jose'
import { newLaunchId, newLaunchSecret, sha256 } from '../../src/core/ids.js'
import { cutSecrets } from '../../src/demo/desktop-cutting.js'
import { createTap } from '../../src/demo/desktop-tap.js'
import { close, type Listening, listen } from './desktop-pretend-gateway.js'

const NOW = Date.UTC(2026, 2, 1, 12)
let drawn = 0
const random = (bytes: number) => {
  drawn += 1
  return new Uint8Array(bytes).map((_, i) => (drawn * 31 + i * 7) % 256)
}
const launch = newLaunchId(NOW, random)
const secret = (kind: 'lnk' | 'pnd' | 'hdl' | 'cod' | 'rft', of = launch) =>
  newLaunchSecret(kind, of, random)
const { privateKey } = await generateKeyPair('ES256')
const jwt = (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey)

const opened: Listening[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map(close))
})

async function tapped(app: RequestListener) {
  const tap = createTap(() => NOW)
  const listening = await listen(() => tap.wrap(app))
  opened.push(listening)
  return { tap, origin: listening.origin }
}
const form = (fields: Record<string, string>) => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  redirect: 'manual' as const,
})

describe('the tap on the gateway’s traffic', () => {
  it('ties a launch token to its launch by what the gateway answers, and shows it without its signature', async () => {
    const app = express().use(express.urlencoded())
    app.post('/launch', (req, res) => {
      res.redirect(
        303,
        `http://app/launch.html?launch=${secret('hdl')}&got=${req.body.launch_token.length}`,
      )
    })
    const { tap, origin } = await tapped(app)
    const launch_token = await jwt({ jti: 'token-1', sub: 'gp' })
    const answer = await fetch(`${origin}/launch`, form({ launch_token }))
    expect(answer.headers.get('location')).toContain(`got=${launch_token.length}`)
    expect(tap.launchOf('jti:token-1')).toBe(launch)
    const [event] = tap.events(launch)
    expect(event).toMatchObject({ kind: 'launch', method: 'POST', path: '/launch', status: 303 })
    expect(event?.sent.launch_token).toMatchObject({ claims: { jti: 'token-1' } })
    const kept = JSON.stringify(tap.events(launch))
    expect(kept).not.toContain(launch_token.split('.')[2])
    expect(tap.events('jti:token-1')).toEqual(tap.events(launch))
  })

  it('ties an inbound SMART launch by its handle, which it does not keep', async () => {
    const { tap, origin } = await tapped((_req, res) => res.end())
    await fetch(`${origin}/launch/smart?iss=http%3A%2F%2Fehr&launch=the-handle-of-the-ehr`)
    const events = tap.events(`handle:${sha256('the-handle-of-the-ehr')}`)
    expect(events).toHaveLength(1)
    expect(JSON.stringify(events)).not.toContain('the-handle-of-the-ehr')
  })

  it('keeps no secret with which anybody could go on: link, handle, code, verifier, refresh token', async () => {
    const app = express().use(express.urlencoded())
    const refresh_token = secret('rft')
    const access_token = await jwt({ launch, scope: 'patient/Patient.r' })
    app.post('/oauth/token', (_req, res) => {
      res.json({ access_token, refresh_token, token_type: 'Bearer' })
    })
    app.use((_req, res) => void res.end())
    const { tap, origin } = await tapped(app)
    const secrets = [secret('lnk'), secret('hdl'), secret('cod'), refresh_token, 'v'.repeat(43)]
    const [link, handle, code = '', , code_verifier = ''] = secrets
    await fetch(`${origin}/launch/${link}`)
    await fetch(`${origin}/oauth/authorize?launch=${handle}&client_id=care-plan&state=s`)
    await fetch(`${origin}/oauth/token`, form({ code, code_verifier }))
    const events = tap.events(launch)
    expect(events.map(({ kind }) => kind)).toEqual(['launch', 'authorize', 'token'])
    expect(events[1]?.sent).toMatchObject({ client_id: 'care-plan', state: 's' })
    expect(events[2]?.answered.access_token).toMatchObject({ claims: { launch } })
    const kept = JSON.stringify(events)
    for (const one of [...secrets, access_token]) expect(kept).not.toContain(one)
  })

  it('keeps of the record’s calls only which and how they ended, nothing of what they answered', async () => {
    const { tap, origin } = await tapped((_req, res) => {
      res.setHeader('content-type', 'application/fhir+json').end('{"name":"CLINICAL"}')
    })
    const headers = { authorization: `Bearer ${await jwt({ launch })}` }
    await fetch(`${origin}/fhir/Patient/p-1?_elements=name`, { headers })
    await fetch(`${origin}/openehr/v1/ehr/e-1/composition`, {
      headers,
      method: 'POST',
      body: 'CLINICAL',
    })
    const events = tap.events(launch)
    expect(events.map(({ path, sent, answered }) => [path, sent, answered])).toEqual([
      ['/fhir/Patient/p-1', {}, {}],
      ['/openehr/v1/ehr/e-1/composition', {}, {}],
    ])
    expect(JSON.stringify(events)).not.toContain('CLINICAL')
  })

  it('shows the reference of a refusal’s page, and that the page may not be framed', async () => {
    const app = express().use(express.urlencoded())
    app.post('/launch', (_req, res) => {
      res.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
      res.status(400).send('<code data-reference="ref_abc">ref_abc</code>')
    })
    const { tap, origin } = await tapped(app)
    await fetch(`${origin}/launch`, form({ launch_token: await jwt({ jti: 'token-2' }) }))
    const [event] = tap.events('jti:token-2')
    expect(tap.events('reference:ref_abc')).toEqual([event])
    expect(event?.answered).toEqual({ reference: 'ref_abc', 'frame-ancestors': "'none'" })
  })

  it('lets every message through as it came, and forgets all but the last launches', async () => {
    const app = express().use(express.raw({ type: () => true, limit: '1mb' }))
    app.use((req, res) => void res.send(req.body))
    const { tap, origin } = await tapped(app)
    const body = Buffer.alloc(200_000, 'x')
    const answer = await fetch(`${origin}/launch`, { method: 'POST', body })
    expect((await answer.arrayBuffer()).byteLength).toBe(body.length)
    for (let i = 0; i < 120; i += 1) {
      await fetch(`${origin}/launch/smart?launch=handle-${i}`)
    }
    expect(tap.events(`handle:${sha256('handle-0')}`)).toHaveLength(0)
    expect(tap.events(`handle:${sha256('handle-119')}`)).toHaveLength(1)
  })

  it('cuts every secret out of a text, wherever it stands', () => {
    const text = `a=${secret('cod')}&b=${secret('hdl')}`
    expect(cutSecrets(text)).toBe(`a=cod_${launch.slice(4)}.…&b=hdl_${launch.slice(4)}.…`)
  })
})
