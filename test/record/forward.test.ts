import type { RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { openRecord } from '../../src/record/record.js'
import { close, listen } from '../proxy/world.js'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function opened(listener: RequestListener, path = '') {
  const { server, origin } = await listen(listener)
  const base = `${origin}${path}`
  const record = openRecord({
    clock: Date.now,
    fhir: { base, credential: 'secret-of-ours' },
    openehr: { base: `${origin}/openehr`, subjectNamespace: 'n', ifMatch: 'quoted' },
    limits: { bytes: 1_000 },
  })
  ends.push(() => close(server), record.close)
  return { record, origin }
}
const json = { 'content-type': 'application/json' }

describe('forwarding a call to the record', () => {
  it('sends our credential, an allow-list of headers, and the path under the base', async () => {
    const seen: { url: string | undefined; headers: object }[] = []
    const { record, origin } = await opened((req, res) => {
      seen.push({ url: req.url, headers: req.headers })
      res.writeHead(200, json).end('{}')
    }, '/base/')
    await record.forward({
      upstream: 'fhir',
      method: 'GET',
      path: '/Patient/1',
      query: 'a=b',
      headers: {
        prefer: 'return=minimal',
        cookie: 'a=b',
        authorization: 'Bearer theirs',
        host: 'x',
      },
    })
    expect(record.bases.fhir).toBe(`${origin}/base`)
    expect(seen).toEqual([
      {
        url: '/base/Patient/1?a=b',
        headers: {
          host: new URL(origin).host,
          connection: 'keep-alive',
          accept: 'application/json',
          authorization: 'Bearer secret-of-ours',
          prefer: 'return=minimal',
        },
      },
    ])
  })

  it('sends no credential to the other server', async () => {
    let authorization: string | undefined = 'unseen'
    const { record } = await opened((req, res) => {
      authorization = req.headers.authorization
      res.writeHead(200, json).end('{}')
    })
    await record.forward({ upstream: 'openehr', method: 'GET', path: '/ehr/1' })
    expect(authorization).toBeUndefined()
  })

  it('brings back status, JSON and an allow-list of headers', async () => {
    const { record } = await opened((_req, res) => {
      const more = { ETag: '"1"', Location: '/x', 'Set-Cookie': 'a=b', Server: 'secret' }
      res.writeHead(412, { ...json, ...more }).end('{"message":"stale"}')
    })
    expect(await record.forward({ upstream: 'fhir', method: 'GET', path: '/x' })).toEqual({
      status: 412,
      headers: { 'content-type': 'application/json', etag: '"1"', location: '/x' },
      body: { message: 'stale' },
      bytes: 19,
    })
  })

  it('accepts an answer up to its limit, by declared length or in pieces, and not a byte more', async () => {
    const text = (bytes: number) => JSON.stringify({ x: 'x'.repeat(bytes - 8) })
    for (const [bytes, pieces] of [
      [1_000, false],
      [1_001, false],
      [1_000, true],
      [1_001, true],
    ] as const) {
      const { record } = await opened((_req, res) => {
        res.writeHead(200, pieces ? json : { ...json, 'content-length': bytes })
        if (pieces) res.write(text(bytes).slice(0, 10))
        res.end(pieces ? text(bytes).slice(10) : text(bytes))
      })
      const answer = record.forward({ upstream: 'fhir', method: 'GET', path: '/x' })
      if (bytes === 1_000) expect((await answer).status).toBe(200)
      else await expect(answer).rejects.toMatchObject({ code: 'upstream_invalid' })
    }
  })

  it('repeats a lost read once, and a lost write never', async () => {
    const calls: string[] = []
    const { record } = await opened((req) => {
      calls.push(req.method ?? '')
      req.socket.destroy()
    })
    for (const method of ['GET', 'PUT', 'POST'] as const)
      await expect(
        record.forward({ upstream: 'fhir', method, path: '/x', body: '{}', headers: json }),
      ).rejects.toMatchObject({ code: 'record_unavailable' })
    expect(calls).toEqual(['GET', 'GET', 'PUT', 'POST'])
  })
})
