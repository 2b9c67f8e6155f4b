/**
 * Calls to addresses that somebody registered with us: bounded in time, size and number, followed nowhere,
 * and only to where {@link Reach} permits, which is looked at when the connection is made.
 */
import { lookup as lookupName } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import type { Clock, EpochMs } from '../core/values.js'
import { isLoopbackHost, openReach, type Reach } from './reach.js'

export interface JsonAnswer {
  readonly body: unknown
  /** When it was asked for: what it says of its age counts from here. */
  readonly askedAt: EpochMs
  readonly cacheControl?: string
  /** RFC 9111 §5.1: how old it was when it came, in seconds. */
  readonly age?: string
}

export interface Outbound {
  /** JSON by GET. Callers that ask for one address together share one call. @throws OutboundFailure */
  get(address: string): Promise<JsonAnswer>
  /** A form by POST. Answers the status, whatever it is; the answer's body is not read. @throws OutboundFailure */
  post(address: string, form: Readonly<Record<string, string>>): Promise<number>
  /** JSON by POST; as {@link post}. @throws OutboundFailure */
  tell(address: string, message: object): Promise<number>
  close(): Promise<void>
}

export interface OutboundParts {
  readonly clock: Clock
  /** Hosts, addresses and ranges that may be called although they are not public. */
  readonly allow: readonly string[]
  /** Plain http to loopback addresses: the demonstration only. */
  readonly allowHttp: boolean
  /** From asking to the last byte, waiting for one's turn included. */
  readonly timeoutMs?: number
  /** How names become addresses. */
  readonly lookup?: LookupFunction
  /** Certificates of the authorities that are trusted, instead of the machine's own. */
  readonly ca?: string
}

/** Why a call was not made, or not answered as it must be. For the trail. */
export class OutboundFailure extends Error {
  override readonly name = 'OutboundFailure'
}

const TIMEOUT_MS = 5_000
const MOST_BYTES = 256 * 1024
const MOST_AT_ONCE = 20

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

const textOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value

/** Lets so many run together; others wait for their turn, in order. */
function inTurn(most: number) {
  let running = 0
  const waiting: (() => void)[] = []
  return async <T>(act: () => Promise<T>): Promise<T> => {
    if (running >= most) await new Promise<void>((go) => waiting.push(go))
    else running += 1
    try {
      return await act()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}

/**
 * A name that has one address where we may not go is not called at all. The connection is made to the
 * addresses that were looked at and no others: a name cannot change its mind in between.
 */
const guarded =
  (lookup: LookupFunction, reach: Reach): LookupFunction =>
  (host, options, done) =>
    lookup(host, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : []
      const refused = addresses.find(({ address }) => !reach.permits(address, host))
      const [first] = addresses
      if (error) done(error, [])
      else if (!first) done(new OutboundFailure('has no address'), [])
      else if (refused) done(new OutboundFailure(`leads to ${refused.address}, refused`), [])
      else if (options.all) done(null, addresses)
      else done(null, first.address, first.family)
    })

/** @throws OutboundFailure for an address that may not be called, before its name is looked up */
function callable(address: string, reach: Reach, allowHttp: boolean): URL {
  if (!URL.canParse(address)) throw new OutboundFailure('not an address')
  const url = new URL(address)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const demonstration = allowHttp && url.protocol === 'http:' && isLoopbackHost(host)
  if (url.protocol !== 'https:' && !demonstration) throw new OutboundFailure('not https')
  if (url.username !== '' || url.password !== '') throw new OutboundFailure('holds credentials')
  // A host that is an address is never looked up.
  if (isIP(host) !== 0 && !reach.permits(host, host)) throw new OutboundFailure('refused')
  return url
}

async function readJson({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<unknown> {
  if (statusCode !== 200) throw new OutboundFailure(`status ${statusCode}`)
  if (!JSON_TYPE.test(textOf(headers['content-type']) ?? '')) {
    throw new OutboundFailure('not a JSON type')
  }
  if (![undefined, 'identity'].includes(textOf(headers['content-encoding']))) {
    throw new OutboundFailure('encoded')
  }
  const text = await body.text()
  try {
    return JSON.parse(text)
  } catch {
    throw new OutboundFailure('not JSON')
  }
}

/** What went wrong, without anything that the other side wrote. */
function reasonOf(error: unknown): string {
  if (error instanceof OutboundFailure) return error.message
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  return typeof code === 'string' ? code : String(name)
}

type Call = Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body'>

const GET: Call = { method: 'GET', headers: { accept: 'application/json' } }

/** Makes a call and gives its answer to `read`, all within the time. */
function openCalls(parts: OutboundParts) {
  const { allow, allowHttp, timeoutMs = TIMEOUT_MS, lookup = lookupName, ca } = parts
  const reach = openReach(allow, allowHttp)
  const turn = inTurn(MOST_AT_ONCE)
  const agent = new Agent({
    connect: { lookup: guarded(lookup, reach), timeout: timeoutMs, ...(ca ? { ca } : {}) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: MOST_BYTES,
  })
  async function call<T>(
    address: string,
    what: Call,
    read: (answer: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    const { origin, pathname, search } = callable(address, reach, allowHttp)
    const signal = AbortSignal.timeout(timeoutMs)
    return turn(async () => {
      signal.throwIfAborted()
      const path = `${pathname}${search}`
      const answer = await agent.request({ ...what, origin, path, signal })
      try {
        return await read(answer)
      } finally {
        // What was not read is not waited for.
        answer.body.on('error', () => undefined).destroy()
      }
    })
  }
  return { call, close: () => agent.close() }
}

export function openOutbound(parts: OutboundParts): Outbound {
  const { call, close } = openCalls(parts)
  const asked = new Map<string, Promise<JsonAnswer>>()
  const failing = (address: string) => (error: unknown) => {
    const place = URL.canParse(address) ? new URL(address).host : 'no address'
    throw new OutboundFailure(`${place}: ${reasonOf(error)}`, { cause: error })
  }

  async function ask(address: string): Promise<JsonAnswer> {
    const askedAt = parts.clock()
    return call(address, GET, async (answer) => {
      const cacheControl = textOf(answer.headers['cache-control'])
      const age = textOf(answer.headers.age)
      return {
        ...{ body: await readJson(answer), askedAt },
        ...(cacheControl === undefined ? {} : { cacheControl }),
        ...(age === undefined ? {} : { age }),
      }
    })
  }

  const send = (address: string, type: string, body: string): Promise<number> => {
    const what: Call = { method: 'POST', headers: { 'content-type': type }, body }
    return call(address, what, async ({ statusCode }) => statusCode).catch(failing(address))
  }

  return {
    get(address) {
      const shared = asked.get(address)
      if (shared) return shared
      const answer = ask(address)
        .catch(failing(address))
        .finally(() => asked.delete(address))
      asked.set(address, answer)
      return answer
    },
    post: (address, form) =>
      send(address, 'application/x-www-form-urlencoded', new URLSearchParams(form).toString()),
    tell: (address, message) => send(address, 'application/json', JSON.stringify(message)),
    close,
  }
}
