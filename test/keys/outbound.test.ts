import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Outbound, OutboundFailure, type OutboundParts } from '../../src/keys/outbound.js'
import { callingTo, HOST, json, type KeyServer, leadingTo, openKeyServer } from './key-server.js'

let server: KeyServer
let opened: Outbound[]

beforeEach(async () => {
  server = await openKeyServer()
  opened = []
})
afterEach(async () => {
  await server.close()
  for (const outbound of opened) await outbound.close()
})

const calling = (change: Partial<OutboundParts> = {}): Outbound => {
  const outbound = callingTo(server, change)
  opened.push(outbound)
  return outbound
}

async function failure(address: string, change: Partial<OutboundParts> = {}): Promise<string> {
  const answer = await calling(change)
    .get(address)
    .catch((error: unknown) => error)
  expect(answer).toBeInstanceOf(OutboundFailure)
  return (answer as OutboundFailure).message
}

const at = (host: string) => `https://${host}:${server.port}/jwks`

describe('an answer that is fetched', () => {
  it('is JSON, asked for by a plain GET that says so and gives nothing of ours away', async () => {
    server.answer = json({ keys: [1] }, { 'cache-control': 'max-age=60', age: '5' })
    await expect(calling({ clock: () => 17 }).get(server.address)).resolves.toEqual({
      ...{ body: { keys: [1] }, askedAt: 17, cacheControl: 'max-age=60', age: '5' },
    })
    const [{ method, url, headers } = {}] = server.asked
    expect({ method, url, accept: headers?.accept }).toEqual({
      ...{ method: 'GET', url: '/jwks', accept: 'application/json' },
    })
    expect(Object.keys(headers ?? {}).sort()).toEqual(['accept', 'connection', 'host'])
  })

  it('may be of any JSON type', async () => {
    for (const type of ['application/jwk-set+json', 'Application/JSON; charset=utf-8']) {
      server.answer = json({}, { 'content-type': type })
      await expect(calling().get(server.address)).resolves.toMatchObject({ body: {} })
    }
  })

  it('is fetched once for all who ask at the same time, and again for who asks later', async () => {
    const outbound = calling()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => outbound.get(server.address)),
    )
    expect(new Set(answers).size).toBe(1)
    expect(server.asked).toHaveLength(1)
    await outbound.get(server.address)
    expect(server.asked).toHaveLength(2)
  })

  it('is one of twenty at the same time, and of as many as there are in the end', async () => {
    const outbound = calling()
    const waiting: (() => void)[] = []
    let full: () => void = () => undefined
    const twenty = new Promise<void>((resolve) => {
      full = resolve
    })
    server.answer = (req, res) => {
      waiting.push(() => json({})(req, res))
      if (waiting.length === 20) full()
    }
    const all = Array.from({ length: 50 }, (_, n) => outbound.get(`${server.address}?${n}`))
    await twenty
    server.answer = json({})
    for (const answer of waiting) answer()
    await Promise.all(all)
    expect(server.asked).toHaveLength(50)
    expect(server.together()).toBe(20)
  })

  it.each<[string, Parameters<typeof json>[1], string]>([
    ['of no type', { 'content-type': '' }, 'not a JSON type'],
    ['of a page’s type', { 'content-type': 'text/html' }, 'not a JSON type'],
    ['of a type that begins like JSON', { 'content-type': 'application/jsonp' }, 'not a JSON type'],
    ['packed', { 'content-encoding': 'gzip' }, 'encoded'],
  ])('is refused %s', async (_what, headers, why) => {
    server.answer = json({}, headers)
    expect(await failure(server.address)).toBe(`${HOST}:${server.port}: ${why}`)
  })

  it('is refused when it is no JSON, without a word of it', async () => {
    server.answer = json('{"keys":[9990000018')
    expect(await failure(server.address)).toBe(`${HOST}:${server.port}: not JSON`)
  })

  it.each([201, 204, 206, 304, 400, 404, 500])('is refused with status %d', async (status) => {
    server.answer = (_req, res) =>
      void res.writeHead(status, { 'content-type': 'application/json' }).end()
    expect(await failure(server.address)).toContain(`status ${status}`)
  })

  it.each([301, 302, 303, 307, 308])('is never followed elsewhere (%d)', async (status) => {
    server.answer = (req, res) => {
      if (req.url === '/elsewhere') json({ keys: [] })(req, res)
      else res.writeHead(status, { location: '/elsewhere' }).end()
    }
    expect(await failure(server.address)).toContain(`status ${status}`)
    expect(server.asked).toHaveLength(1)
  })

  it('may have 256 KiB, and not a byte more', async () => {
    const largest = 256 * 1024
    const fill = (size: number) => `"${'a'.repeat(size - 2)}"`
    server.answer = json(fill(largest))
    await expect(calling().get(server.address)).resolves.toBeDefined()
    server.answer = json(fill(largest + 1))
    expect(await failure(server.address)).toContain('UND_ERR_RES_EXCEEDED_MAX_SIZE')
  })

  it('is cut off where it never says how long it will be', async () => {
    server.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      const more = () => {
        while (!res.destroyed && res.write('a'.repeat(64 * 1024)));
      }
      res.on('drain', more)
      more()
    }
    expect(await failure(server.address)).toContain('UND_ERR_RES_EXCEEDED_MAX_SIZE')
  })
})

describe('a server that is slow', () => {
  const soon = { timeoutMs: 200 }

  it('before it answers is not waited for', async () => {
    server.answer = () => undefined
    expect(await failure(server.address, soon)).toContain('TimeoutError')
  })

  it('within its answer is not waited for, however regularly it sends a byte', async () => {
    server.answer = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      const timer = setInterval(() => res.write(' '), 20)
      res.once('close', () => clearInterval(timer))
    }
    expect(await failure(server.address, soon)).toContain('TimeoutError')
  })

  it('to be looked up is not waited for', async () => {
    expect(await failure(server.address, { ...soon, lookup: () => undefined })).toMatch(
      /Timeout|TIMEOUT/,
    )
  })

  it('does not keep others waiting for longer than it may take itself', async () => {
    server.answer = (req, res) => {
      if (req.url === '/jwks') json({})(req, res)
    }
    // In the end one is answered within this, on a busy machine as well.
    const outbound = calling({ timeoutMs: 2_000 })
    const slow = Array.from({ length: 20 }, (_, n) => outbound.get(`${server.address}?${n}`))
    const [late, ...theirs] = await Promise.allSettled([outbound.get(server.address), ...slow])
    for (const each of theirs) expect(each).toMatchObject({ reason: expect.any(OutboundFailure) })
    // Its time is up in the moment in which it may have its turn: either is an end.
    if (late?.status === 'rejected') expect(late.reason).toBeInstanceOf(OutboundFailure)
    else expect(late?.value).toBeDefined()
    await expect(outbound.get(server.address)).resolves.toBeDefined()
  })
})

describe('an address that leads where nobody may go', () => {
  const CLOSED = { allow: [] }

  it.each([
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['fd00::1'],
    ['64:ff9b::7f00:1'],
    ['fe80::1%lo'],
    ['0.0.0.0'],
  ])('by a name that is %s is not called', async (address) => {
    const why = await failure(server.address, { ...CLOSED, lookup: leadingTo(address) })
    expect(why).toBe(`${HOST}:${server.port}: leads to ${address}, refused`)
    expect(server.asked).toHaveLength(0)
  })

  it('by one of several addresses of its name is not called at any of them', async () => {
    for (const lookup of [leadingTo('8.8.8.8', '127.0.0.1'), leadingTo('127.0.0.1', '8.8.8.8')]) {
      expect(await failure(server.address, { ...CLOSED, lookup })).toContain('leads to 127.0.0.1')
    }
  })

  it('by a name that is another address when asked again is never called there (rebinding)', async () => {
    // The one look that decides is the one that the connection is made by.
    const addresses = ['127.0.0.1', '10.0.0.1']
    let looks = 0
    const outbound = calling({
      lookup: (host, options, done) =>
        leadingTo(addresses[looks++] ?? '10.0.0.1')(host, options, done),
    })
    server.answer = json({}, { connection: 'close' })
    await expect(outbound.get(server.address)).resolves.toBeDefined()
    expect(looks).toBe(1)
    await expect(outbound.get(server.address)).rejects.toThrow('leads to 10.0.0.1')
    expect(server.asked).toHaveLength(1)
  })

  it('by a name that has no address, or none that can be found, is a failure like others', async () => {
    expect(await failure(server.address, { lookup: leadingTo() })).toContain('has no address')
    const lookup: OutboundParts['lookup'] = (_host, _options, done) =>
      done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), [])
    expect(await failure(server.address, { lookup })).toContain('ENOTFOUND')
  })

  it.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
    '１２７.0.0.1',
    '10.1.2.3',
    '0xa9fea9fe',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:a00:1]',
    '[fe80::1]',
    '[fd00::1]',
    '[64:ff9b::127.0.0.1]',
  ])('written as %s is not called', async (host) => {
    expect(await failure(at(host), { ...CLOSED, lookup: leadingTo('8.8.8.8') })).toContain(
      'refused',
    )
    expect(server.asked).toHaveLength(0)
  })

  it.each([
    ['http://keys.example/jwks', 'not https'],
    ['http://127.0.0.1/jwks', 'not https'],
    ['file:///etc/passwd', 'not https'],
    ['data:application/json,{}', 'not https'],
    ['https://user@keys.example/jwks', 'holds credentials'],
    ['https://:secret@keys.example/jwks', 'holds credentials'],
    ['keys.example/jwks', 'not an address'],
    ['//keys.example/jwks', 'not an address'],
    ['', 'not an address'],
  ])('such as %s is refused as it stands', async (address, why) => {
    const said = await failure(address)
    expect(said).toContain(why)
    expect(said).not.toContain('secret')
  })

  it('is not believed for another host’s certificate', async () => {
    expect(await failure(at('third.example'))).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await failure(server.address, { ca: '' })).toMatch(/SELF_SIGNED|DEPTH_ZERO/)
  })

  it('is called where the configuration names its host or its network', async () => {
    for (const allow of [['127.0.0.0/8'], ['127.0.0.1']]) {
      await expect(calling({ allow }).get(server.address)).resolves.toBeDefined()
    }
    // A name opens private networks, and never this machine.
    expect(await failure(server.address, { allow: [HOST] })).toContain('leads to 127.0.0.1')
  })
})

describe('plain http', () => {
  it('is for loopback in the demonstration, and for nothing else', async () => {
    const plain = createServer(json({ keys: [] }))
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const { port } = plain.address() as AddressInfo
    const open = { allow: [], allowHttp: true }
    const here = `http://127.0.0.1:${port}/`
    await expect(calling(open).get(here)).resolves.toMatchObject({ body: { keys: [] } })
    await expect(calling(open).get(`http://localhost:${port}/`)).resolves.toBeDefined()
    expect(await failure(here)).toContain('not https')
    expect(await failure(`http://${HOST}:${port}/`, open)).toContain('not https')
    expect(await failure(`http://127.0.0.2:${port}/`, open)).toContain('not https')
    const far = { ...open, lookup: leadingTo('10.0.0.1') }
    expect(await failure(`http://localhost:${port}/`, far)).toContain('leads to 10.0.0.1')
    await new Promise((resolve) => plain.close(resolve))
  })
})

describe('a form that is sent', () => {
  it('arrives as one, and its answer is a status, whatever else it is', async () => {
    let [type, body]: [string | undefined, string] = ['', '']
    server.answer = async (req, res) => {
      type = req.headers['content-type']
      for await (const piece of req) body += piece
      res.writeHead(204).end()
    }
    await expect(calling().post(server.address, { logout_token: 'a b&c' })).resolves.toBe(204)
    expect({ type, body, method: server.asked[0]?.method }).toEqual({
      ...{
        type: 'application/x-www-form-urlencoded',
        body: 'logout_token=a+b%26c',
        method: 'POST',
      },
    })
    for (const status of [200, 302, 400, 500]) {
      server.answer = (_req, res) =>
        void res.writeHead(status, { location: '/x' }).end('a'.repeat(300_000))
      await expect(calling().post(server.address, {})).resolves.toBe(status)
    }
  })

  it('is sent each time it is asked for', async () => {
    const outbound = calling()
    await Promise.all([1, 2, 3].map(() => outbound.post(server.address, {})))
    expect(server.asked).toHaveLength(3)
  })

  it('goes only where a call may go', async () => {
    for (const address of ['http://keys.example/', 'https://10.0.0.1/', 'https://[::1]/']) {
      await expect(calling({ allow: [] }).post(address, {})).rejects.toBeInstanceOf(OutboundFailure)
    }
  })
})
