/** An app's own server, as far as it is told of sign-outs. */
import { createServer, type IncomingMessage } from 'node:http'
import { decodeJwt, type JWTPayload } from 'jose'
import type { Config } from '../src/config.js'
import type { TestGateway } from './gateway.js'
import { hangUp, listen } from './gateway-surroundings.js'
import type { Answer, UserAgent } from './user-agent.js'

export interface Receiver {
  readonly address: string
  /** What it was told, in order: the compact tokens. */
  readonly heard: string[]
  /** What it answers; `'hang'` never does. */
  answer: number | 'hang'
  /** The sign-ons of which it was told. */
  sids(): readonly unknown[]
  close(): Promise<void>
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of req) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

export const saidIn = (token: string | undefined): JWTPayload => decodeJwt(token ?? '')

/** The configuration with these apps' servers to tell, and an address for after a sign-out. */
export const toldAt =
  (receivers: Readonly<Record<string, Pick<Receiver, 'address'>>>, bye: string) =>
  ({ apps }: Config): Partial<Config> => ({
    apps: apps.map((app) => ({
      ...app,
      postLogoutRedirectUris: [bye],
      ...(receivers[app.id] ? { backchannelLogoutUri: receivers[app.id]?.address ?? '' } : {}),
    })),
  })

/** What leads to the page that asks, and what answers it. */
export const logOut = (
  t: TestGateway,
  browser: UserAgent,
  sent: Readonly<Record<string, string>>,
): Promise<Answer> => {
  const url = new URL('/oauth/logout', t.issuer)
  url.search = new URLSearchParams(sent).toString()
  return browser.visit(url)
}

export async function openReceiver(): Promise<Receiver> {
  const server = createServer(async (req, res) => {
    const form = new URLSearchParams(await bodyOf(req))
    receiver.heard.push(form.get('logout_token') ?? '')
    if (receiver.answer === 'hang') return
    const headers = receiver.answer === 302 ? { location: `${receiver.address}/elsewhere` } : {}
    res.writeHead(receiver.answer, headers).end()
  })
  const port = await listen(server)
  const receiver: Receiver = {
    address: `http://127.0.0.1:${port}/logout`,
    heard: [],
    answer: 200,
    sids: () => receiver.heard.map((token) => saidIn(token).sid),
    close: () => hangUp(server),
  }
  return receiver
}
