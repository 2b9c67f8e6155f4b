import type { RequestHandler, Response } from 'express'
import helmet from 'helmet'

/**
 * Headers of every answer. Three of Helmet's defaults would break this product and are replaced:
 * X-Frame-Options (framing is by `frame-ancestors`, per launch), `form-action 'self'` (pages lead on to
 * the app), and COOP (the sign-on window reports back to the frame that opened it).
 */
export function securityHeaders(https: boolean): RequestHandler {
  const headers = headersBy(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      frameguard: false,
      crossOriginOpenerPolicy: false,
      crossOriginResourcePolicy: false,
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: https ? { maxAge: 63_072_000, includeSubDomains: false } : false,
    }),
  )
  return (_req, res, next) => {
    for (const [name, value] of headers) res.setHeader(name, value)
    next()
  }
}

/** What Helmet sets depends on no request of ours, so it is asked once: its dozen handlers cost more than the headers. */
function headersBy(handler: ReturnType<typeof helmet>): readonly (readonly [string, string])[] {
  const headers: [string, string][] = []
  const answer = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => undefined,
  }
  handler({} as never, answer as never, (error?: unknown) => {
    if (error) throw error
  })
  return headers
}

const ORIGIN = /^https?:\/\/[a-z0-9.-]+(:\d+)?$/

/**
 * The policy of one page: our own styles and scripts, forms that lead to us and on to `lead`, and only
 * these origins around it.
 *
 * @param connects whether its scripts may ask us, and nobody else
 */
export function pagePolicy(
  res: Response,
  frameAncestors: readonly string[],
  lead: readonly string[] = [],
  connects = false,
): void {
  const ancestors = frameAncestors.filter((origin) => ORIGIN.test(origin))
  res.set(
    'Content-Security-Policy',
    [
      "default-src 'none'",
      "style-src 'self'",
      "script-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      ...(connects ? ["connect-src 'self'"] : []),
      "base-uri 'none'",
      `form-action 'self' ${lead.filter((origin) => ORIGIN.test(origin)).join(' ')}`.trim(),
      `frame-ancestors ${ancestors.length > 0 ? ancestors.join(' ') : "'none'"}`,
    ].join('; '),
  )
}

/** Nothing of a launch may be kept by a cache or a back button. */
export function noStore(res: Response): void {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Pragma', 'no-cache')
}
