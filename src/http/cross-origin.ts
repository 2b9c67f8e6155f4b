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
  const answer: RequestHandler = (req, res, next) => {
    res.setHeader('Access-Control-Expose-Headers', RESPONSE_HEADERS)
    if (req.method !== 'OPTIONS') return next()
    res.set({
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': REQUEST_HEADERS,
      'Access-Control-Max-Age': '600',
    })
    res.status(204).end()
  }
  if (readers === 'anyone')
    return (req, res, next) => {
      res.setHeader('Access-Control-Allow-Origin', '*')
      return answer(req, res, next)
    }
  // Of most calls there is nothing to wait for.
  return (req, res, next) => {
    const { origin } = req.headers
    // Nobody says before us what else an answer varies by.
    res.setHeader('Vary', 'Origin')
    if (origin === undefined) return answer(req, res, next)
    return isAppOrigin(origin).then((known) => {
      if (known) res.setHeader('Access-Control-Allow-Origin', origin)
      return answer(req, res, next)
    })
  }
}
