/** Our calls to an OpenID provider: to the addresses it may have, for a bounded time, for a bounded answer. */
import { types as values } from 'node:util'
import { Agent, type Response as Answer, fetch } from 'undici'
import { Refusal } from '../core/refusal.js'
import type { Seconds } from '../core/values.js'

/**
 * A connection for each call: a kept one may be closed by the provider just as a code is sent on it. A code is good once,
 * so that could not be tried again, and the clinician would have to sign on anew.
 */
const unkept = new Agent({ pipelining: 0 })

/** A userinfo with a few hundred roles stays well below it. */
const MOST_BYTES = 512 * 1024

const isLoopback = ({ hostname }: URL): boolean =>
  ['127.0.0.1', '[::1]', 'localhost'].includes(hostname) || hostname.endsWith('.localhost')

/**
 * Whether we may send anyone or anything there: https, or http to this very machine where the
 * configuration allows it (the demonstration).
 */
export const mayCall = (url: URL, allowHttp: boolean): boolean =>
  url.protocol === 'https:' || (url.protocol === 'http:' && allowHttp && isLoopback(url))

async function readBounded(response: Answer): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > MOST_BYTES) throw new Error('the answer is too large')
    parts.push(part)
  }
  return length === 0 ? null : Buffer.concat(parts)
}

/** The part of `fetch` that openid-client and jose use. */
export type ProviderFetch = (url: string, options: object) => Promise<Response>

/**
 * A `fetch` for the libraries. Redirects are not followed; the whole answer, body included, arrives
 * within the time. Whatever keeps the provider from answering is one refusal; what it answers is
 * judged by the libraries.
 *
 * @throws Refusal sign_on_unavailable
 */
export function providerFetch(timeout: Seconds, allowHttp: boolean): ProviderFetch {
  return async (address, options) => {
    const url = new URL(address)
    const place = `${url.origin}${url.pathname}`
    if (!mayCall(url, allowHttp)) {
      throw new Refusal('sign_on_unavailable', `${place} is neither https nor loopback`)
    }
    try {
      const signal = AbortSignal.timeout(timeout * 1000)
      const asked = { ...options, redirect: 'manual', signal, dispatcher: unkept } as const
      const response = await fetch(url, asked)
      const body = await readBounded(response)
      if (response.status >= 500 || response.status === 429) throw new Error(`${response.status}`)
      return new Response(body, { status: response.status, headers: response.headers })
    } catch (cause) {
      const why = values.isNativeError(cause) ? cause.message : 'aborted'
      throw new Refusal('sign_on_unavailable', `${place}: ${why}`, { cause })
    }
  }
}
