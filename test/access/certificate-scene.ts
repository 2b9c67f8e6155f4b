/** A listener that says which certificate it takes its caller to hold, and callers of every kind. */

import type { Server } from 'node:http'
import { Agent, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import express from 'express'
import {
  createCertificates,
  type MutualTls,
  type PresentedCertificate,
  requireKey,
  requireName,
} from '../../src/access/certificate.js'
import { Refusal } from '../../src/core/refusal.js'
import { createHttpServer } from '../../src/http/server.js'
import { certificate, type Made, SERVER_AUTH } from '../certificates.js'
import { hangUp, listen } from '../gateway-surroundings.js'
import type { Answer } from '../user-agent.js'

/** The proxy that is trusted; every other caller comes from 127.0.0.1. */
export const PROXY = '127.0.0.2'

export const AUTHORITY = certificate({ subject: [{ O: 'Trust' }, { CN: 'ca' }], authority: true })
const OURS = certificate({
  by: AUTHORITY,
  subject: [{ CN: 'gateway' }],
  alternatives: [['ip', '7f000001']],
  purpose: SERVER_AUTH,
})

/** What a listener of ours shows. */
export const OUR_PAIR = { cert: OURS.pem, key: OURS.keyPem }

/** What a client may have registered. */
const REGISTERED = { tls_client_auth_san_dns: 'app.example' }

export interface Told {
  readonly thumbprint?: string
  readonly trusted?: boolean
  /** Why it would not be `app.example`; `''` where it would. */
  readonly notApp?: string
  readonly notKey?: string
  /** Why there is none. */
  readonly why?: string
}

const whyNot = (act: () => void): string => {
  try {
    act()
    return ''
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'client_unproven') throw error
    return error.detail
  }
}

export interface Caller {
  readonly with?: Pick<Made, 'pem' | 'keyPem'>
  readonly path?: string
  /** Its address. */
  readonly from?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly tls?: ConnectionOptions
}

const connectionOf = (caller: Caller, port: number): ConnectionOptions => ({
  ...{ host: '127.0.0.1', port, ca: AUTHORITY.pem },
  ...(caller.with ? { cert: caller.with.pem, key: caller.with.keyPem } : {}),
  ...(caller.from ? { localAddress: caller.from } : {}),
  ...caller.tls,
})

/** One request on a connection of its own. */
export const callAs = (caller: Caller, port: number, secure: boolean): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const options = {
      ...connectionOf(caller, port),
      agent: secure ? new TlsAgent({ maxCachedSessions: 0 }) : new Agent(),
      path: caller.path ?? '/',
      headers: { ...caller.headers },
    }
    const call = (secure ? tlsRequest : plainRequest)(options as never, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => {
        const { statusCode: status = 0, headers } = answer
        resolve({ status, headers, text: Buffer.concat(parts).toString(), location: undefined })
      })
    })
    call.on('error', reject)
    call.end()
  })

interface Scene {
  readonly port: number
  ask(caller?: Caller): Promise<Told>
  /** What a connection needs that is made by hand. */
  connection(caller: Caller): ConnectionOptions
  close(): Promise<void>
}

export interface Setting {
  readonly mtls?: Partial<MutualTls>
  readonly now: () => number
  /** Speaks TLS and asks for certificates; else plain, as behind a proxy. */
  readonly ours: boolean
  readonly keys?: readonly Record<string, unknown>[]
}

function application({ mtls, now, keys = [] }: Setting) {
  const app = express()
  app.set('trust proxy', [PROXY])
  const certificateOf = createCertificates({
    ...(mtls ? { mtls: { alias: 'https://mtls.example', ...mtls } } : {}),
    clock: now,
  })
  app.get('/', (req, res) => {
    let found: PresentedCertificate | undefined
    const why = whyNot(() => {
      found = certificateOf(req, 'client_unproven')
    })
    if (!found) return void res.json({ why })
    const { thumbprint, trusted } = found
    const notApp = whyNot(() => requireName(REGISTERED, found as never, 'client_unproven'))
    const notKey = whyNot(() => requireKey(keys, found as never, 'client_unproven'))
    res.json({ thumbprint, trusted, notApp, notKey })
  })
  return app
}

export async function openScene(setting: Setting): Promise<Scene> {
  const { ours, mtls } = setting
  const ca = mtls?.ca === undefined ? undefined : Buffer.from(mtls.ca)
  const tls = { ...OUR_PAIR, clients: { ca } }
  const server: Server = createHttpServer(application(setting), ours ? tls : undefined)
  const port = await listen(server)
  const ask = async (caller: Caller = {}): Promise<Told> =>
    JSON.parse((await callAs(caller, port, ours)).text)
  const connection = (caller: Caller) => connectionOf(caller, port)
  return { port, ask, connection, close: () => hangUp(server) }
}
