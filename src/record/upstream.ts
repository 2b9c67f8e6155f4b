/** One server of the record behind us, over undici: bounded, never followed elsewhere, JSON or nothing. */
import { Pool } from 'undici'
import { readJson as readText } from '../core/json-text.js'
import { Refusal } from '../core/refusal.js'
import type { Clock } from '../core/values.js'
import { createBreaker } from './breaker.js'
import { fetchedCredential, givenCredential, type TokenSource } from './credential.js'
import { exchange, type WholeAnswer } from './exchange.js'

/** Certificates in PEM: whom we believe there instead of the public authorities, and who we are. */
export interface Certificates {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface UpstreamSettings {
  /** Where it answers. */
  readonly base: string
  /** Sent as `Authorization: Bearer`, as it stands or as fetched. To this server's origin and no other. */
  readonly credential?: string | Omit<TokenSource, 'clock' | 'timeoutMs'>
  /** For its connections, and those to where its tokens come from. */
  readonly certificates?: Certificates
  /** From sending to the last byte, in milliseconds. */
  readonly timeoutMs?: number
}

export interface UpstreamParts {
  readonly limits: Limits
  readonly clock: Clock
  /** Hears when the server is left alone for a while, and when it is well again. */
  readonly told?: (name: string, resting: boolean) => void
}

export interface Limits {
  /** The largest answer, in bytes. */
  readonly bytes: number
  /** Connections to one server. */
  readonly connections: number
}

/** A call that has been judged: `path` begins with `/`, is relative to the base, and is not decoded again. */
export interface UpstreamCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Without `?`, encoded; empty for none. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** A POST that only reads: it may be sent again when its connection was lost. */
  readonly reads?: boolean
}

/** An answer that its caller may interpret: 2xx, or one of {@link MEANT}. */
export interface UpstreamAnswer {
  readonly status: number
  /** Only those of {@link HEADERS_BACK}, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON as core/json-text.ts reads it; `undefined` when there was none. */
  readonly body: unknown
  /** How long its text was. */
  readonly bytes: number
}

export interface Upstream {
  /** Without a trailing slash. */
  readonly base: string
  /** @throws Refusal record_unavailable, upstream_invalid */
  call(call: UpstreamCall): Promise<UpstreamAnswer>
  close(): Promise<void>
}

/** What a caller may send on; everything else of a client's headers stays with us. */
const HEADERS_ON = new Set([
  ...['accept', 'cache-control', 'content-type', 'if-match', 'if-none-exist', 'prefer'],
  ...['openehr-audit-details', 'openehr-audit_details.change_type'],
  'openehr-audit_details.committer',
])
const HEADERS_BACK = ['content-type', 'etag', 'last-modified', 'location'] as const

/** Statuses below 500 that say something of the call itself. All others say that the record is not well. */
const MEANT = new Set([400, 404, 405, 406, 409, 410, 412, 415, 422])
const BUSY = new Set([408, 425, 429])

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i
const LOST_CONNECTION = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : String(name)
}

function headersOn({ headers = {} }: UpstreamCall, token: string | undefined) {
  const sent: Record<string, string> = { accept: 'application/json' }
  if (token !== undefined) sent.authorization = `Bearer ${token}`
  for (const [name, value] of Object.entries(headers)) if (HEADERS_ON.has(name)) sent[name] = value
  return sent
}

function headersBack({ headers }: WholeAnswer): Record<string, string> {
  const back: Record<string, string> = {}
  for (const name of HEADERS_BACK) {
    const value = headers[name]
    if (typeof value === 'string') back[name] = value
  }
  return back
}

function readJson(name: string, { status, headers, text, exact }: WholeAnswer): unknown {
  // JSON is UTF-8 (RFC 8259 §8.1): what was another alphabet's would be read, and written back, as question marks.
  const isJson =
    exact &&
    JSON_TYPE.test(String(headers['content-type'] ?? '')) &&
    [undefined, 'identity'].includes(headers['content-encoding'] as string | undefined)
  if (text === '') return undefined
  try {
    if (isJson) return readText(text)
  } catch {
    throw new Refusal('upstream_invalid', `${name}: not JSON`)
  }
  // A page in place of an error's body is common and harmless; in place of data it is neither.
  if (status < 300) throw new Refusal('upstream_invalid', `${name}: not a JSON type`)
  return undefined
}

type Connections = UpstreamSettings & { readonly timeoutMs: number }

/** Connections are kept. */
function connect(origin: string, { certificates = {}, timeoutMs }: Connections, limits: Limits) {
  return new Pool(origin, {
    connections: limits.connections,
    maxResponseSize: limits.bytes,
    connect: { timeout: timeoutMs, ...certificates },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
}

/** A server of tokens says little. */
const TOKEN_LIMITS: Limits = { bytes: 256 * 1024, connections: 4 }

function credentialOf(settings: Connections, clock: Clock) {
  const { credential, timeoutMs } = settings
  if (credential === undefined) return undefined
  if (typeof credential === 'string')
    return { ...givenCredential(credential), close: () => Promise.resolve() }
  const pool = connect(new URL(credential.tokenEndpoint).origin, settings, TOKEN_LIMITS)
  return {
    ...fetchedCredential({ ...credential, clock, timeoutMs }, pool),
    close: () => pool.close(),
  }
}

/** Sends calls with our credential. */
function openConnections(base: string, settings: Connections, { limits, clock }: UpstreamParts) {
  const { origin, pathname } = new URL(base)
  const root = pathname === '/' ? '' : pathname
  const pool = connect(origin, settings, limits)
  const credential = credentialOf(settings, clock)

  function sendWith(call: UpstreamCall, token: string | undefined): Promise<WholeAnswer> {
    const { method, body = null } = call
    const query = call.query === undefined || call.query === '' ? '' : `?${call.query}`
    const path = `${root}${call.path}${query}`
    const headers = headersOn(call, token)
    return exchange(pool, { method, path, headers, body }, settings.timeoutMs)
  }
  /** What a server would not believe it has not done: a call may be sent again, a write as well. */
  async function send(call: UpstreamCall): Promise<WholeAnswer> {
    if (!credential) return sendWith(call, undefined)
    const token = await credential.current()
    const answer = await sendWith(call, token)
    if (answer.status !== 401 || !credential.refused(token)) return answer
    return sendWith(call, await credential.current())
  }
  return {
    send,
    close: async () => {
      await Promise.all([pool.close(), credential?.close()])
    },
  }
}

/** What keeps a call from being answered at all. */
function unanswered(name: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const code = codeOf(error)
  const tooLarge = code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
  return new Refusal(tooLarge ? 'upstream_invalid' : 'record_unavailable', `${name}: ${code}`)
}

/** Statuses of a server, or of what stands in front of it, that cannot answer anybody now. */
const DOWN = new Set([502, 503, 504])

/** @param name for the trail: which of our upstreams this is */
export function openUpstream(
  name: string,
  settings: UpstreamSettings,
  parts: UpstreamParts,
): Upstream {
  const base = settings.base.replace(/\/$/, '')
  const { send, close } = openConnections(base, { timeoutMs: 5_000, ...settings }, parts)
  const breaker = createBreaker(parts.clock, (resting) => parts.told?.(name, resting))

  /** A kept connection may be closed just as we use it. What only reads may simply be asked again. */
  const onceMore = (call: UpstreamCall) => (error: unknown) => {
    const reads = call.reads ?? (call.method === 'GET' || call.path.endsWith('/_search'))
    if (reads && LOST_CONNECTION.has(codeOf(error))) return send(call)
    throw error
  }

  /** One error of the server's own is of one call, and may be anybody's; a server that is down is everybody's. */
  async function answerTo(call: UpstreamCall): Promise<WholeAnswer> {
    if (!breaker.mayTry())
      throw new Refusal('record_unavailable', `${name}: left alone for a while`)
    const before = breaker.answers()
    try {
      const answer = await send(call).catch(onceMore(call))
      if (DOWN.has(answer.status)) breaker.failed(before)
      else breaker.answered()
      return answer
    } catch (error) {
      const refusal = unanswered(name, error)
      if (refusal.code === 'record_unavailable') breaker.failed(before)
      else breaker.answered()
      throw refusal
    }
  }

  return {
    base,
    async call(call) {
      const answer = await answerTo(call)
      const { status } = answer
      if (status >= 500 || BUSY.has(status))
        throw new Refusal('record_unavailable', `${name}: status ${status}`)
      if (status >= 300 && !MEANT.has(status))
        throw new Refusal('upstream_invalid', `${name}: status ${status}`)
      const { bytes } = answer
      return { status, headers: headersBack(answer), body: readJson(name, answer), bytes }
    },
    close,
  }
}
