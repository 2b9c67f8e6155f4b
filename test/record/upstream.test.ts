/** How the record's servers are reached: who we prove to be there, and what happens while one of them is down. */

import type { RequestListener, Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { generateKeyPair, jwtVerify, SignJWT } from 'jose'
import type { Refusal } from '../../src/core/refusal.js'
import { assertionsBy } from '../../src/identity/client-assertion.js'
import { createBreaker, FAILURES, REST_MS } from '../../src/record/breaker.js'
import { openUpstream, type UpstreamSettings } from '../../src/record/upstream.js'
import { certificate, SERVER_AUTH } from '../certificates.js'
import { close, listen } from '../proxy/world.js'

let now = 0
const clock = () => now
beforeEach(() => {
  now = Date.parse('2026-11-10T09:00:00Z')
})
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const LIMITS = { bytes: 100_000, connections: 8 }
const json = { 'content-type': 'application/json' }
const ok: RequestListener = (_req, res) => void res.writeHead(200, json).end('{}')

function opened(settings: UpstreamSettings, told?: (name: string, resting: boolean) => void) {
  const parts = { limits: LIMITS, clock, ...(told ? { told } : {}) }
  const upstream = openUpstream('fhir', { timeoutMs: 2_000, ...settings }, parts)
  ends.push(() => upstream.close())
  return upstream
}
async function serving(listener: RequestListener): Promise<string> {
  const { server, origin } = await listen(listener)
  ends.push(() => close(server))
  return origin
}
const read = { method: 'GET', path: '/Patient/1' } as const
const write = { method: 'PUT', path: '/Patient/1', body: '{}', headers: json } as const
const unavailable = expect.objectContaining({ name: 'Refusal', code: 'record_unavailable' })

const { privateKey, publicKey } = await generateKeyPair('ES256')

describe('a token that we fetch with our own key', () => {
  const authenticate = assertionsBy((typ, claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid: 'ours' }).sign(privateKey),
  )
  const body = async (req: AsyncIterable<Buffer>) => {
    let text = ''
    for await (const piece of req) text += piece
    return new URLSearchParams(text)
  }

  /** A server of tokens that proves who asks, and a record that believes its newest token only. */
  async function scene({
    lifetime = 300,
    believes = (token: string, newest: string) => token === newest,
  } = {}) {
    const asked: URLSearchParams[] = []
    const seen: { method: string | undefined; token: string | undefined }[] = []
    let tokens: RequestListener = async (req, res) => {
      const form = await body(req)
      asked.push(form)
      await jwtVerify(form.get('client_assertion') ?? '', publicKey, {
        issuer: 'launch-gateway',
        subject: 'launch-gateway',
        audience: endpoint,
      })
      const answer = {
        access_token: `t${asked.length}`,
        token_type: 'bearer',
        expires_in: lifetime,
      }
      res.writeHead(200, json).end(JSON.stringify(answer))
    }
    const endpoint = `${await serving((req, res) => tokens(req, res))}/token`
    const base = await serving((req, res) => {
      const token = req.headers.authorization?.replace(/^Bearer /, '')
      seen.push({ method: req.method, token })
      const known = believes(token ?? '', `t${asked.length}`)
      res.writeHead(known ? 200 : 401, json).end('{}')
    })
    const credential = {
      ...{ tokenEndpoint: endpoint, clientId: 'launch-gateway', scope: 'system/*.cruds' },
      ...{ authenticate, allowHttp: true },
    }
    const upstream = opened({ base, credential })
    return { upstream, asked, seen, answerWith: (other: RequestListener) => (tokens = other) }
  }

  it('is asked for by private_key_jwt, with its scope, and used until shortly before its end', async () => {
    const { upstream, asked, seen } = await scene()
    await upstream.call(read)
    now += 269_000
    await upstream.call(read)
    expect(asked).toHaveLength(1)
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      scope: 'system/*.cruds',
    })
    now += 2_000
    await upstream.call(read)
    expect(seen.map(({ token }) => token)).toEqual(['t1', 't1', 't2'])
  })

  it('is asked for once, however many wait for it', async () => {
    const { upstream, asked } = await scene()
    await Promise.all(Array.from({ length: 20 }, () => upstream.call(read)))
    expect(asked).toHaveLength(1)
  })

  it('is fetched anew when the record no longer believes it, and the call is sent once more, a write as well', async () => {
    const { upstream, asked, seen } = await scene({ believes: (token) => token !== 't1' })
    expect((await upstream.call(write)).status).toBe(200)
    expect(asked).toHaveLength(2)
    expect(seen).toEqual([
      { method: 'PUT', token: 't1' },
      { method: 'PUT', token: 't2' },
    ])
  })

  it('is not asked for without end when the record believes none', async () => {
    const { upstream, seen } = await scene({ believes: () => false })
    await expect(upstream.call(read)).rejects.toMatchObject({ code: 'upstream_invalid' })
    expect(seen).toHaveLength(2)
  })

  // biome-ignore format: a table
  it.each([
    ['is refused',            'invalid_client',                            (_, res) => void res.writeHead(400, json).end('{"error":"invalid_client"}')],
    ['is down',               'OAUTH_RESPONSE_IS_NOT_CONFORM, status 503', (_, res) => void res.writeHead(503).end()],
    ['leads elsewhere',       'OAUTH_RESPONSE_IS_NOT_CONFORM, status 302', (_, res) => void res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['answers with a page',   'OAUTH_RESPONSE_IS_NOT_JSON, status 200',    (_, res) => void res.writeHead(200, { 'content-type': 'text/html' }).end('<p>')],
    ['gives another kind',    'OAUTH_UNSUPPORTED_OPERATION',               (_, res) => void res.writeHead(200, json).end('{"access_token":"t","token_type":"mac"}')],
    ['hangs up',              'UND_ERR_SOCKET',                            (_, res) => void res.destroy()],
  ] as readonly (readonly [string, string, RequestListener])[])('when its server %s, the record is unavailable, the trail knows why (%s), and it hears nothing', async (_, why, listener) => {
    const { upstream, seen, answerWith } = await scene()
    answerWith(listener)
    const error = await upstream.call(read).catch((e: unknown) => e)
    expect(error).toEqual(unavailable)
    expect((error as Refusal).detail).toMatch(new RegExp(`^no token from 127\\.0\\.0\\.1:\\d+: ${why}$`))
    expect(seen).toEqual([])
  })

  it('says nothing of our secrets when it fails', async () => {
    const { upstream, answerWith } = await scene()
    answerWith((_, res) => void res.writeHead(400, json).end('{"error":"invalid_client"}'))
    const error = (await upstream.call(read).catch((e: unknown) => e)) as Error
    expect(error.message).toMatch(/no token from 127\.0\.0\.1:\d+: invalid_client$/)
  })
})

describe('a client certificate', () => {
  const authority = certificate({ subject: [{ CN: 'ca' }], authority: true })
  const server = certificate({
    by: authority,
    subject: [{ CN: 'record' }],
    alternatives: [['ip', '7f000001']],
    purpose: SERVER_AUTH,
  })
  const ours = certificate({ by: authority, subject: [{ CN: 'launch-gateway' }] })
  async function secure(): Promise<string> {
    const listening: Server = createTlsServer(
      {
        cert: server.pem,
        key: server.keyPem,
        ca: authority.pem,
        requestCert: true,
        rejectUnauthorized: true,
      },
      ok,
    ) as never
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    ends.push(() => close(listening))
    return `https://127.0.0.1:${(listening.address() as AddressInfo).port}`
  }

  it('proves who we are, and a private authority who they are', async () => {
    const base = await secure()
    const certificates = { ca: authority.pem, cert: ours.pem, key: ours.keyPem }
    expect((await opened({ base, certificates }).call(read)).status).toBe(200)
  })

  it('is needed where they ask for it, and theirs is believed of their authority only', async () => {
    const base = await secure()
    await expect(opened({ base, certificates: { ca: authority.pem } }).call(read)).rejects.toEqual(
      unavailable,
    )
    await expect(
      opened({ base, certificates: { cert: ours.pem, key: ours.keyPem } }).call(read),
    ).rejects.toEqual(unavailable)
  })
})

describe('a server that has stopped answering', () => {
  it('is left alone for a while, asked by one to see, and well again when it answers', async () => {
    let [down, calls] = [true, 0]
    const base = await serving((req, res) => {
      calls += 1
      if (down) res.writeHead(503).end()
      else ok(req, res)
    })
    const told: boolean[] = []
    const upstream = opened({ base }, (_, resting) => told.push(resting))
    const ask = () =>
      upstream.call(read).then(
        ({ status }) => status,
        (error: Error & { code?: string }) => error.code,
      )
    for (let i = 0; i < FAILURES + 5; i++) expect(await ask()).toBe('record_unavailable')
    expect({ calls, told }).toEqual({ calls: FAILURES, told: [true] })
    now += REST_MS
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array(3).fill('record_unavailable'))
    expect(calls).toBe(FAILURES + 1)
    down = false
    now += REST_MS
    expect(await ask()).toBe(200)
    expect(await ask()).toBe(200)
    expect(told).toEqual([true, false])
  })

  it('is not left alone for what it says of single calls, an error of its own among them', async () => {
    let calls = 0
    const base = await serving((_, res) => {
      calls += 1
      res.writeHead(calls % 2 === 0 ? 500 : 404, json).end('{}')
    })
    const upstream = opened({ base })
    for (let i = 0; i < 3 * FAILURES; i++) await upstream.call(read).catch(() => undefined)
    expect(calls).toBe(3 * FAILURES)
  })

  it('is not left alone while it answers others: what one caller asks may take too long', async () => {
    const base = await serving((req, res) => {
      if (req.url?.includes('/slow')) return
      ok(req, res)
    })
    const upstream = openUpstream(
      'fhir',
      { base, timeoutMs: 2_000 },
      { limits: { ...LIMITS, connections: FAILURES + 1 }, clock },
    )
    ends.push(() => upstream.close())
    const slow = Array.from({ length: FAILURES }, () =>
      upstream.call({ method: 'GET', path: '/slow' }).catch((error: Refusal) => error.code),
    )
    expect((await upstream.call(read)).status).toBe(200)
    expect(await Promise.all(slow)).toEqual(Array(FAILURES).fill('record_unavailable'))
    expect((await upstream.call(read)).status).toBe(200)
  })

  it('lets no more than one call through in each rest, whatever the order of answers', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('fail', 'wait', 'try'), { maxLength: 100 }), (steps) => {
        let time = 0
        const breaker = createBreaker(() => time)
        for (let i = 0; i < FAILURES; i++) breaker.failed()
        let last = Number.NEGATIVE_INFINITY
        for (const step of steps) {
          if (step === 'wait') time += REST_MS / 4
          if (step === 'fail') breaker.failed()
          if (step === 'try' && breaker.mayTry()) {
            expect(time - last).toBeGreaterThanOrEqual(REST_MS)
            last = time
          }
        }
      }),
    )
  })
})
