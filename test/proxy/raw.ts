/** Requests exactly as written: no client library tidies them. */
import { type IncomingHttpHeaders, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { World } from './world.js'

export interface RawAnswer {
  readonly status: number
  readonly text: string
  readonly headers: IncomingHttpHeaders
}

export const raw = (
  server: Server,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<RawAnswer> => rawTo((server.address() as AddressInfo).port, method, path, headers, body)

/** The same, to whoever listens at a port of this machine. */
export function rawTo(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ port, host: '127.0.0.1', method, path, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8')
        resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

export const front = (world: World): Promise<Server> =>
  new Promise((resolve) => {
    const server = world.app.listen(0, '127.0.0.1', () => resolve(server))
  })
