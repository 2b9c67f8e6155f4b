/** Express on node:http without its dearest step, and with bounds on time. */

import { constants } from 'node:crypto'
import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { Express } from 'express'

/**
 * Express 5 swaps the prototypes of every request and response, which costs it five sixths of its time.
 * Messages that are born with the app's prototypes make the swap a no-op; so mount Routers, never sub-apps.
 *
 * Node's own two are functions, not classes: called on what `new` made of ours. By `Reflect.construct` they
 * would cost twice what the swap does.
 */
function bornFor(app: Express) {
  function Request(this: IncomingMessage, ...args: ConstructorParameters<typeof IncomingMessage>) {
    ;(IncomingMessage as unknown as Called).apply(this, args)
  }
  Request.prototype = app.request
  function Response(this: ServerResponse, ...args: ConstructorParameters<typeof ServerResponse>) {
    ;(ServerResponse as unknown as Called).apply(this, args)
  }
  Response.prototype = app.response
  // By whom a function inherits from V8 tells how many members to expect. Not told, it keeps each message as a
  // dictionary, which every look at one is slower for.
  Object.setPrototypeOf(Request, IncomingMessage)
  Object.setPrototypeOf(Response, ServerResponse)
  return {
    IncomingMessage: Request as unknown as typeof IncomingMessage,
    ServerResponse: Response as unknown as typeof ServerResponse,
  }
}

type Called = (this: object, ...args: unknown[]) => void

const TIMES = {
  /** The whole request must have arrived by then. */
  requestTimeout: 15_000,
  headersTimeout: 10_000,
  /** How often both are looked at: by Node's own 30 seconds, ten would be forty. */
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 32_768,
}

/**
 * For how long nothing at all may happen on a connection: longer than any call takes, a check of a large draft among
 * them (policy/walks.ts). Node's own is for ever, and of who asks and never reads each answer would stay in memory as
 * long as they like.
 */
const IDLE_MS = 360_000

/**
 * For TLS 1.2 only what RFC 9325 §4.2 recommends, which FAPI 2.0 §5.2.2 makes a rule; for TLS 1.3, which is
 * taken before it, its own three. Node's own list goes on to suites without forward secrecy.
 */
const CIPHERS = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
].join(':')

export interface TlsSettings extends Pick<ServerOptions, 'cert' | 'key'> {
  /** Asks every caller for a certificate, and says of each whether one of these authorities stands behind it. */
  readonly clients?: { readonly ca?: Buffer | undefined }
}

/**
 * Whoever has no certificate, or one that nobody vouches for, is let in all the same: self-signed ones are
 * held against registrations, by access/certificate.ts, and most requests need none.
 */
const asking = ({ ca }: NonNullable<TlsSettings['clients']>) => ({
  requestCert: true,
  rejectUnauthorized: false,
  // Without a list of ours, Node would take the web's authorities: anybody has a certificate of theirs.
  ca: ca ?? [],
  // What the chain was found to be is found once: a second handshake could bring another certificate.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
})

/** @param listener what sits before the app, if anything does; it must end by calling the app itself */
export function createHttpServer(
  app: Express,
  tls?: TlsSettings,
  listener: RequestListener = app,
): Server {
  const options = { ...TIMES, ...bornFor(app) }
  if (!tls) return idling(createServer(options as never, listener as never))
  const { clients, ...pair } = tls
  const more = clients ? asking(clients) : {}
  // Node's own is two minutes.
  const handshakeTimeout = TIMES.headersTimeout
  const strength = { minVersion: 'TLSv1.2', ciphers: CIPHERS } as const
  return idling(
    createTlsServer(
      { ...options, ...pair, ...more, ...strength, handshakeTimeout },
      listener as never,
    ),
  )
}

function idling<T extends Server>(server: T): T {
  server.timeout = IDLE_MS
  return server
}
