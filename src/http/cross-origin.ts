import type { RequestHandler } from 'express'

/** Who may read an endpoint's answers from a page of another origin. */
export type Readers = 'nobody' | 'anyone' | 'apps'

const METHODS = 'GET, POST, PUT, PATCH, DELETE'
const REQUEST_HEADERS =
  'authorization, dpop, content-type, accept, prefer, if-match, if-none-match, if-none-exist, launch-context'
const RESPONSE_HEADERS =
  'location, etag, content-location, last-modified, retry-after, www-authenticate, dpop-nonce, x-request-id'

/**
 * Cross-origin headers on every answer of an endpoint, refusals included, and the answer to a preflight.
 * Never with credentials: a token is sent by hand, a cookie never is.
 *
 * @param isAppOrigin whether a registered app is served from there, asked at each request
 * @see SMART App Launch 2.2, "Support for Cross-Origin Resource Sharing"
 */
export function crossOrigin(
  readers: Exclude<Readers, 'nobody'>,
  isAppOrigin: (origin: string) => Promise<boolean>,
): RequestHandler {
  return async (req, res, next) => {
    const origin = req.get('origin')
    if (readers === 'anyone') res.set('Access-Control-Allow-Origin', '*')
    else {
      // Nobody says before us what else an answer varies by.
      res.setHeader('Vary', 'Origin')
      if (origin !== undefined && (await isAppOrigin(origin))) {
        res.set('Access-Control-Allow-Origin', origin)
      }
    }
    res.setHeader('Access-Control-Expose-Headers', RESPONSE_HEADERS)
    if (req.method !== 'OPTIONS') return next()
    res.set({
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': REQUEST_HEADERS,
      'Access-Control-Max-Age': '600',
    })
    res.status(204).end()
  }
}
