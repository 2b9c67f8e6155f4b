/**
 * How we prove to a server of the record who we are: a bearer token that its operator gave us, or one that we fetch
 * with our own key for a short while (SMART Backend Services). A client certificate is the connection's (upstream.ts).
 */
import {
  allowInsecureRequests,
  type ClientAuth,
  Configuration,
  clientCredentialsGrant,
  customFetch,
} from 'openid-client'
import type { Pool } from 'undici'
import { Refusal } from '../core/refusal.js'
import { after, type Clock, type EpochMs, type Seconds } from '../core/values.js'
import { exchange } from './exchange.js'

export interface Credential {
  /** What `Authorization: Bearer` carries now. @throws Refusal record_unavailable */
  current(): Promise<string>
  /** The server would not have this one: the next is fetched anew. False when there is no other to be had. */
  refused(token: string): boolean
}

export const givenCredential = (token: string): Credential => ({
  current: () => Promise.resolve(token),
  refused: () => false,
})

export interface TokenSource {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly scope?: string | undefined
  /** How we authenticate there: private_key_jwt (RFC 7523). */
  readonly authenticate: ClientAuth
  readonly clock: Clock
  readonly allowHttp: boolean
  /** From asking to the last byte, in milliseconds. */
  readonly timeoutMs: number
}

/** Not used in its last seconds: a call takes a while to arrive, and clocks differ. */
const MARGIN: Seconds = 30
/** Where the answer does not say (RFC 6749 §5.1 only recommends it). */
const SHORT: Seconds = 60
const LONGEST: Seconds = 3600

/** The library's `fetch`, over our own connections: bounded, never followed elsewhere. */
const fetchOver =
  (pool: Pool, timeoutMs: number) =>
  async (address: string, options: { method?: string; headers?: object; body?: unknown }) => {
    const { pathname, search } = new URL(address)
    const answer = await exchange(
      pool,
      {
        method: options.method as 'POST',
        path: `${pathname}${search}`,
        headers: options.headers as Record<string, string>,
        body: options.body === undefined ? null : String(options.body),
      },
      timeoutMs,
    )
    const type = String(answer.headers['content-type'] ?? '')
    const body = answer.text === '' ? null : answer.text
    return new Response(body, { status: answer.status, headers: { 'content-type': type } })
  }

/** Why, by the first of an error and its causes that says so: the library wraps what our own connections throw. */
function reasonOf(error: unknown, deeper = 3): string {
  const { code, error: said, name, cause } = (error ?? {}) as Record<string, unknown>
  const reason = said ?? code
  if (reason === undefined && cause !== undefined && deeper > 0) return reasonOf(cause, deeper - 1)
  const status = cause instanceof Response ? `, status ${cause.status}` : ''
  return `${String(reason ?? name).slice(0, 100)}${status}`
}

/**
 * @param pool connections to the token endpoint's origin
 * @see SMART App Launch 2.2, "Backend Services"; RFC 6749 §4.4
 */
export function fetchedCredential(source: TokenSource, pool: Pool): Credential {
  const { tokenEndpoint, clientId, scope, authenticate, clock, allowHttp, timeoutMs } = source
  const configuration = new Configuration(
    { issuer: tokenEndpoint, token_endpoint: tokenEndpoint },
    clientId,
    {},
    authenticate,
  )
  configuration[customFetch] = fetchOver(pool, timeoutMs) as never
  if (allowHttp) allowInsecureRequests(configuration)
  let held: { readonly token: string; readonly until: EpochMs } | undefined
  /** Many callers wait for one answer. */
  let asking: Promise<string> | undefined

  async function ask(): Promise<string> {
    try {
      const parameters = scope === undefined ? {} : { scope }
      const answer = await clientCredentialsGrant(configuration, parameters)
      const lifetime = Math.min(answer.expires_in ?? SHORT, LONGEST)
      held = { token: answer.access_token, until: after(clock(), Math.max(0, lifetime - MARGIN)) }
      return answer.access_token
    } catch (cause) {
      const why = `no token from ${new URL(tokenEndpoint).host}: ${reasonOf(cause)}`
      throw new Refusal('record_unavailable', why, { cause })
    } finally {
      asking = undefined
    }
  }

  return {
    async current() {
      if (held && clock() < held.until) return held.token
      asking ??= ask()
      return asking
    },
    refused(token) {
      if (held?.token === token) held = undefined
      return true
    },
  }
}
