import type { RequestHandler, Response } from 'express'
import helmet from 'helmet'

/**
 * Headers of every answer. Three of Helmet's defaults would break this product and are replaced:
 * X-Frame-Options (framing is by `frame-ancestors`, per launch), `form-action 'self'` (pages lead on to
 * the app), and COOP (the sign-on window reports back to the frame that opened it).
 */
export const securityHeaders = (https: boolean): RequestHandler =>
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
  })

const ORIGIN = /^https?:\/\/[a-z0-9.-]+(:\d+)?$/

/**
 * The policy of one page: our own styles and scripts, forms that lead to us and on to `lead`, and only
 * these origins around it.
 */
export function pagePolicy(
  res: Response,
  frameAncestors: readonly string[],
  lead: readonly string[] = [],
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
      "base-uri 'none'",
      `form-action 'self' ${lead.filter((origin) => ORIGIN.test(origin)).join(' ')}`.trim(),
      `frame-ancestors ${ancestors.length > 0 ? ancestors.join(' ') : "'none'"}`,
    ].join('; '),
  )
}

/** Nothing of a launch may be kept by a cache or a back button. */
export const noStore: RequestHandler = (_req, res, next) => {
  res.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' })
  next()
}
