/**
 * A tap on the gateway's traffic, for the demonstration's launch inspector only: it stands in front of
 * the gateway's app, in the same process, and remembers the last launches. Secrets are cut before they
 * are kept, tokens are kept decoded and without their signatures, and nothing of what the record
 * answers is kept at all.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { decodeJwt } from 'jose'
import { type LaunchId, sha256 } from '../core/ids.js'
import type { Clock, EpochMs } from '../core/values.js'
import { cutSecrets, launchIn, shownAll, shownLocation } from './desktop-cutting.js'

const LAUNCHES_KEPT = 50
const EVENTS_KEPT = 60
const BYTES_KEPT = 64 * 1024
const NOWHERE = 'http://gateway.invalid'

export type TapKind = 'launch' | 'sign-on' | 'authorize' | 'token' | 'record'

/** One exchange with the gateway, fit to be shown. */
export interface TapEvent {
  readonly at: EpochMs
  readonly kind: TapKind
  readonly method: string
  /** Without query; secrets cut. */
  readonly path: string
  readonly status: number
  readonly sent: Readonly<Record<string, unknown>>
  readonly answered: Readonly<Record<string, unknown>>
}

export interface Tap {
  /** The same listener, listened to. Wrap what is handed to `http.createServer`. */
  wrap(app: RequestListener): RequestListener
  /** By launch id (`lch_…`), launch token (`jti:…`), inbound SMART handle (`handle:…`) or refusal (`reference:…`). Oldest first. */
  events(key: string): readonly TapEvent[]
  /** The launch that a token or handle became, once the traffic showed it. */
  launchOf(key: string): LaunchId | undefined
}

/** The address prefixes that are listened to, and whether the answer's body may be looked at. */
// biome-ignore format: a table
const LISTENED: readonly { readonly prefix: string; readonly kind: TapKind; readonly body: boolean }[] = [
  { prefix: '/launch',          kind: 'launch',    body: true },
  { prefix: '/sign-in/start',   kind: 'sign-on',   body: false },
  { prefix: '/oauth/authorize', kind: 'authorize', body: true },
  { prefix: '/oauth/token',     kind: 'token',     body: true },
  { prefix: '/fhir/',           kind: 'record',    body: false },
  { prefix: '/openehr/v1/',     kind: 'record',    body: false },
]

/** What an exchange was, before anything is cut. It lives only until {@link keysOf} and {@link eventOf} return. */
interface Exchange {
  readonly kind: TapKind
  readonly request: IncomingMessage
  readonly url: URL
  readonly fields: Readonly<Record<string, string>>
  readonly status: number
  readonly location: string
  readonly policy: string
  readonly body: string
}

const claimOf = (token: string | undefined, claim: string): string | undefined => {
  try {
    const value = token === undefined ? undefined : decodeJwt(token)[claim]
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

const bearerOf = ({ request }: Exchange): string | undefined =>
  /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]

/** Under which names an exchange is remembered; the launch's own name is among them when it shows. */
function keysOf(exchange: Exchange): { readonly launch?: LaunchId; readonly others: string[] } {
  const { kind, url, fields, location, body } = exchange
  if (kind === 'record') {
    const launch = claimOf(bearerOf(exchange), 'launch') as LaunchId | undefined
    return launch === undefined ? { others: [] } : { launch, others: [] }
  }
  const launch = launchIn([url.pathname, ...Object.values(fields), location, body])
  const jti = claimOf(fields.launch_token, 'jti')
  const reference = answerOf(exchange).reference
  const smart = url.pathname === '/launch/smart' ? fields.launch : undefined
  return {
    ...(launch === undefined ? {} : { launch }),
    others: [
      ...(jti === undefined ? [] : [`jti:${jti}`]),
      ...(typeof reference === 'string' ? [`reference:${reference}`] : []),
      ...(smart === undefined ? [] : [`handle:${sha256(smart)}`]),
    ],
  }
}

const json = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** What the answer said: the members of a JSON answer, or the reference on a page. */
function answerOf({ kind, location, policy, body }: Exchange): Record<string, unknown> {
  if (kind === 'record') return {}
  const ancestors = /frame-ancestors ([^;]+)/.exec(policy)?.[1]
  const reference = /data-reference[^>]*>\s*([\w-]{1,80})/.exec(body)?.[1]
  return {
    ...shownAll(json(body)),
    ...(location === '' ? {} : { location: shownLocation(location) }),
    ...(reference === undefined ? {} : { reference }),
    ...(reference === undefined || ancestors === undefined ? {} : { 'frame-ancestors': ancestors }),
  }
}

const eventOf = (exchange: Exchange, at: EpochMs): TapEvent => ({
  ...{ at, kind: exchange.kind, method: exchange.request.method ?? '', status: exchange.status },
  path: cutSecrets(exchange.url.pathname).slice(0, 300),
  sent: shownAll(exchange.fields),
  answered: answerOf(exchange),
})

/**
 * Hears what others read and write, without reading or writing itself: a listener of `data` would set
 * the stream flowing before the app is ready for it.
 */
function overhear(request: IncomingMessage, response: ServerResponse, answer: boolean) {
  const heard = { request: [] as Buffer[], response: [] as Buffer[], bytes: 0 }
  const keep = (into: Buffer[], chunk: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    const bytes = Buffer.from(chunk as string)
    heard.bytes += bytes.length
    if (heard.bytes <= BYTES_KEPT) into.push(bytes)
  }
  const emit = request.emit
  request.emit = function (this: IncomingMessage, name: string | symbol, ...args: unknown[]) {
    if (name === 'data') keep(heard.request, args[0])
    return emit.call(this, name, ...args)
  }
  if (answer) {
    const { write, end } = response
    response.write = function (this: ServerResponse, ...args: unknown[]) {
      keep(heard.response, args[0])
      return write.apply(this, args as Parameters<typeof write>)
    } as typeof write
    response.end = function (this: ServerResponse, ...args: unknown[]) {
      keep(heard.response, args[0])
      return end.apply(this, args as unknown as Parameters<typeof end>)
    } as typeof end
  }
  return heard
}

/** Query and form together; of a repeated parameter the last. */
function fieldsOf(url: URL, request: IncomingMessage, body: string): Record<string, string> {
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  return Object.fromEntries([...url.searchParams, ...(form ? new URLSearchParams(body) : [])])
}

/** Waits for an exchange to be over, and hands it on whole. */
function listen(
  request: IncomingMessage,
  response: ServerResponse,
  remember: (exchange: Exchange) => void,
): void {
  // What is no address here is for the app to refuse: nothing that is sent may end the demonstration.
  if (!URL.canParse(request.url ?? '', NOWHERE)) return
  const url = new URL(request.url ?? '', NOWHERE)
  const row = LISTENED.find(({ prefix }) => url.pathname.startsWith(prefix))
  // What a GP system does when it closes a plan, it tells of itself: see desktop-outcome.ts.
  if (!row || request.method === 'OPTIONS' || /\/(?:end|outcome)$/.test(url.pathname)) return
  const heard = overhear(request, response, row.body)
  const header = (name: string): string => String(response.getHeader(name) ?? '')
  response.once('finish', () => {
    const sent = Buffer.concat(heard.request).toString()
    const fields = row.kind === 'record' ? {} : fieldsOf(url, request, sent)
    const body = Buffer.concat(heard.response).toString()
    const { statusCode: status } = response
    const said = { status, body, location: header('location') }
    const policy = header('content-security-policy')
    remember({ kind: row.kind, request, url, fields, ...said, policy })
  })
}

const trim = (map: Map<string, unknown>, most: number): void => {
  for (const oldest of map.keys()) {
    if (map.size <= most) break
    map.delete(oldest)
  }
}

/** @param clock ours, so that events stand beside trail entries in time */
export function createTap(clock: Clock): Tap {
  const kept = new Map<string, TapEvent[]>()
  const launches = new Map<string, LaunchId>()
  const remember = (exchange: Exchange): void => {
    const { launch, others } = keysOf(exchange)
    const event = eventOf(exchange, clock())
    for (const key of launch === undefined ? others : [launch, ...others]) {
      const events = [...(kept.get(key) ?? []), event].slice(-EVENTS_KEPT)
      kept.delete(key)
      kept.set(key, events)
    }
    if (launch !== undefined) for (const key of others) launches.set(key, launch)
    trim(kept, LAUNCHES_KEPT * 2)
    trim(launches, LAUNCHES_KEPT)
  }
  return {
    wrap: (app) => (request, response) => {
      listen(request, response, remember)
      app(request, response)
    },
    events: (key) => kept.get(key) ?? [],
    launchOf: (key) => launches.get(key),
  }
}
