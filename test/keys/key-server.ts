/** Where somebody publishes keys: a real https server, whose answers are counted and chosen by the test. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { type Outbound, type OutboundParts, openOutbound } from '../../src/keys/outbound.js'
import { selfSigned } from './certificate.js'

export const HOST = 'keys.example'

export interface KeyServer {
  /** The address of the key set. */
  readonly address: string
  readonly port: number
  readonly ca: string
  /** What was asked, in order. */
  readonly asked: IncomingMessage[]
  /** How many were answered at once, at most. */
  readonly together: () => number
  answer: RequestListener
  close(): Promise<void>
}

export const json =
  (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  (_req: IncomingMessage, res: ServerResponse) =>
    void res
      .writeHead(200, { 'content-type': 'application/json', ...headers })
      .end(typeof body === 'string' ? body : JSON.stringify(body))

export async function openKeyServer(): Promise<KeyServer> {
  const { cert, key } = selfSigned(HOST, 'other.example')
  let [running, most] = [0, 0]
  const server = createServer({ cert, key }, (req, res) => {
    running += 1
    most = Math.max(most, running)
    res.once('close', () => {
      running -= 1
    })
    held.asked.push(req)
    held.answer(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const held: KeyServer = {
    ...{ address: `https://${HOST}:${port}/jwks`, port, ca: cert, asked: [] },
    together: () => most,
    answer: json({ keys: [] }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return held
}

/** Every name leads to these addresses. */
export const leadingTo =
  (...addresses: readonly string[]): LookupFunction =>
  (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

/** As the gateway calls out, with the test's server on a network that the configuration allows. */
export const callingTo = (server: KeyServer, change: Partial<OutboundParts> = {}): Outbound =>
  openOutbound({
    ...{ clock: () => 0, allow: ['127.0.0.1'], allowHttp: false, ca: server.ca },
    ...{ lookup: leadingTo('127.0.0.1'), timeoutMs: 5_000 },
    ...change,
  })
