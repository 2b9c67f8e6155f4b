/** Callers that never come to an end: they are shown the door, and nobody waits for them. The store has no part in it: there is none. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import express from 'express'
import { createHttpServer } from '../../src/http/server.js'
import { OUR_PAIR } from '../access/certificate-scene.js'
import { hangUp, listen } from '../gateway-surroundings.js'

jest.setTimeout(60_000)

/** What each of them sends at first, and what a little of at a time, over which listener. */
const CALLERS = [
  { what: 'headers', tls: false, first: 'GET / HTTP/1.1\r\nHost: x\r\n', more: 'X-A: b\r\n' },
  {
    what: 'a body',
    tls: false,
    first: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n',
    more: 'a',
  },
  { what: 'a handshake', tls: true, first: '\x16\x03\x01', more: '' },
]
type Caller = (typeof CALLERS)[number]

let ports: { readonly plain: number; readonly tls: number }
const servers: Server[] = []
beforeAll(async () => {
  const app = express()
  app.use(express.text({ type: () => true }), (_req, res) => void res.send('well'))
  servers.push(createHttpServer(app), createHttpServer(app, OUR_PAIR))
  const [plain = 0, tls = 0] = await Promise.all(servers.map((server) => listen(server)))
  ports = { plain, tls }
})
afterAll(() => Promise.all(servers.map(hangUp)))

/** How many seconds the connection lasts, and what was said on it. */
const outlasted = ({ tls, first, more }: Caller) =>
  new Promise<{ readonly seconds: number; readonly said: string }>((resolve) => {
    const began = Date.now()
    const socket = connect(tls ? ports.tls : ports.plain, '127.0.0.1')
    let said = ''
    socket.write(first, 'latin1')
    const drip = setInterval(() => more !== '' && socket.write(more), 500)
    socket.on('data', (bytes) => {
      said += bytes
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(drip)
      resolve({ seconds: (Date.now() - began) / 1000, said })
    })
  })

it('slow headers, a slow body and a slow handshake end in time, and others are served meanwhile', async () => {
  const slow = Promise.all(CALLERS.map(outlasted))
  for (let i = 0; i < 3; i++)
    expect(await (await fetch(`http://127.0.0.1:${ports.plain}/`)).text()).toBe('well')
  const all = await slow
  for (const each of all.slice(0, 2)) expect(each.said).toMatch(/^HTTP\/1\.1 408 /)
  // Of themselves after ten seconds, or fifteen. Node's own times are half a minute and minutes.
  for (const { seconds } of all) expect(seconds).toBeLessThan(28)
})

it('who never takes an answer does not hold it for ever', async () => {
  const app = express()
  app.get('/', (_req, res) => void res.send('x'.repeat(32 * 1024 * 1024)))
  const server = createHttpServer(app)
  servers.push(server)
  // Longer than any call takes; Node's own is none.
  expect(server.timeout).toBeGreaterThan(300_000)
  expect(server.timeout).toBeLessThanOrEqual(400_000)
  server.timeout = 1_000
  const [caller, [held]] = await Promise.all([
    listen(server).then((at) => {
      const socket = connect(at, '127.0.0.1').pause()
      socket.on('error', () => undefined)
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      return socket
    }),
    once(server, 'connection') as Promise<[Socket]>,
  ])
  await once(held, 'close')
  expect(held.bytesWritten).toBeGreaterThan(0)
  caller.destroy()
})
