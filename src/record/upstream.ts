/** One server of the record behind us, over undici: bounded, never followed elsewhere, JSON or nothing. */
import { Pool } from 'undici'
import { Refusal } from '../core/refusal.js'
import { exchange, type WholeAnswer } from './exchange.js'

export interface UpstreamSettings {
  /** Where it answers. */
  readonly base: string
  /** Sent as `Authorization: Bearer`. */
  readonly credential?: string
  /** From sending to the last byte, in milliseconds. */
  readonly timeoutMs?: number
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
  /** Parsed JSON; `undefined` when there was none. */
  readonly body: unknown
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
  ...['accept', 'content-type', 'if-match', 'prefer'],
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

const headersOn = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => HEADERS_ON.has(name)))

function headersBack({ headers }: WholeAnswer): Record<string, string> {
  const back: Record<string, string> = {}
  for (const name of HEADERS_BACK) {
    const value = headers[name]
    if (typeof value === 'string') back[name] = value
  }
  return back
}

function readJson(name: string, { status, headers, text }: WholeAnswer): unknown {
  const isJson =
    JSON_TYPE.test(String(headers['content-type'] ?? '')) &&
    [undefined, 'identity'].includes(headers['content-encoding'] as string | undefined)
  if (text === '') return undefined
  try {
    if (isJson) return JSON.parse(text)
  } catch {
    throw new Refusal('upstream_invalid', `${name}: not JSON`)
  }
  // A page in place of an error's body is common and harmless; in place of data it is neither.
  if (status < 300) throw new Refusal('upstream_invalid', `${name}: not a JSON type`)
  return undefined
}

/** Sends calls over kept connections. */
function openConnections(base: string, settings: UpstreamSettings, limits: Limits) {
  const { origin, pathname } = new URL(base)
  const root = pathname === '/' ? '' : pathname
  const { credential, timeoutMs = 5_000 } = settings
  const pool = new Pool(origin, {
    connections: limits.connections,
    maxResponseSize: limits.bytes,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  const standing: Readonly<Record<string, string>> = {
    accept: 'application/json',
    ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
  }
  return {
    send(call: UpstreamCall): Promise<WholeAnswer> {
      const { method, body = null } = call
      const query = call.query === undefined || call.query === '' ? '' : `?${call.query}`
      const path = `${root}${call.path}${query}`
      const headers = { ...standing, ...headersOn(call.headers ?? {}) }
      return exchange(pool, { method, path, headers, body }, timeoutMs)
    },
    close: () => pool.close(),
  }
}

/** What keeps a call from being answered at all. */
function unanswered(name: string, error: unknown): Refusal {
  const code = codeOf(error)
  const tooLarge = code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
  return new Refusal(tooLarge ? 'upstream_invalid' : 'record_unavailable', `${name}: ${code}`)
}

/** @param name for the trail: which of our upstreams this is */
export function openUpstream(name: string, settings: UpstreamSettings, limits: Limits): Upstream {
  const base = settings.base.replace(/\/$/, '')
  const { send, close } = openConnections(base, settings, limits)

  /** A kept connection may be closed just as we use it. What only reads may simply be asked again. */
  const onceMore = (call: UpstreamCall) => (error: unknown) => {
    const reads = call.reads ?? (call.method === 'GET' || call.path.endsWith('/_search'))
    if (reads && LOST_CONNECTION.has(codeOf(error))) return send(call)
    throw error
  }

  return {
    base,
    async call(call) {
      const answer = await send(call)
        .catch(onceMore(call))
        .catch((error: unknown) => {
          throw unanswered(name, error)
        })
      const { status } = answer
      if (status >= 500 || BUSY.has(status))
        throw new Refusal('record_unavailable', `${name}: status ${status}`)
      if (status >= 300 && !MEANT.has(status))
        throw new Refusal('upstream_invalid', `${name}: status ${status}`)
      return { status, headers: headersBack(answer), body: readJson(name, answer) }
    },
    close,
  }
}
