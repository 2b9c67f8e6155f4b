/**
 * The browser, as far as a launch is bound to one: an opaque cookie. Two names, because a browser may
 * send a framed page both its partitioned cookie and the one of the top-level window.
 *
 * @see CHIPS: `Partitioned` cookies work where third-party cookies are blocked; `__Host-` pins the host
 */
import type { Request, RequestHandler, Response } from 'express'
import { hashOf, newSecret } from '../core/ids.js'
import type { Random, Seconds } from '../core/values.js'

const TOP = '__Host-browser'
const FRAMED = '__Host-browser-framed'

/** How long a browser is remembered: no longer than a sign-on can last. */
const LIFETIME: Seconds = 43_200

/** Whether the page will stand in a frame (Fetch Metadata, `Sec-Fetch-Dest`). */
export const isFramed = (req: Request): boolean =>
  ['iframe', 'frame', 'embed', 'object'].includes(req.get('sec-fetch-dest') ?? '')

const isPrefetch = (req: Request): boolean =>
  ['sec-purpose', 'purpose', 'x-moz'].some((name) =>
    /prefetch|prerender/i.test(req.get(name) ?? ''),
  )

/** A picture or a script of another page is nothing that a user opened (Fetch Metadata); old browsers do not say. */
const isNavigation = (req: Request): boolean =>
  ['navigate', undefined].includes(req.get('sec-fetch-mode')) &&
  (isFramed(req) || ['document', undefined].includes(req.get('sec-fetch-dest')))

/**
 * Lets through what a user opens. Whatever looks at an address ahead of them (HEAD, prefetch, prerender)
 * gets an empty answer, because opening an address of ours spends something.
 */
export const openedOnly: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' && !isPrefetch(req) && isNavigation(req)) next()
  else res.status(204).end()
}

/** Hashes of the browser cookies that came with a request: one, two or none. */
export function browsersOf(req: Request): readonly string[] {
  const header = req.get('cookie')
  if (header === undefined || header.length > 16_384) return []
  return header
    .split(';')
    .map((pair) => pair.trim().split('='))
    .filter(
      ([name, value]) => (name === TOP || name === FRAMED) && /^brw_[\w-]{32}$/.test(value ?? ''),
    )
    .map(([, value]) => hashOf(value ?? ''))
}

/** This browser, by the hash of its cookie for this way of being shown. */
export interface Browser {
  readonly hash: string
  readonly framed: boolean
  /** The cookie was made for this answer: nobody can have seen it. */
  readonly fresh: boolean
}

/** `SameSite=None` because a launch arrives by a post from another site. */
function giveCookie(res: Response, framed: boolean, random: Random): string {
  const value = newSecret('brw', random)
  const partition = framed ? '; Partitioned' : ''
  res.append(
    'Set-Cookie',
    `${framed ? FRAMED : TOP}=${value}; Path=/; Max-Age=${LIFETIME}; Secure; HttpOnly; SameSite=None${partition}`,
  )
  return hashOf(value)
}

/** This browser; with a new cookie where there was none. */
export function ensureBrowser(req: Request, res: Response, random: Random): Browser {
  const framed = isFramed(req)
  const name = framed ? FRAMED : TOP
  const pair = (req.get('cookie') ?? '').split(';').map((p) => p.trim().split('='))
  const sent = pair.find(([n, v]) => n === name && /^brw_[\w-]{32}$/.test(v ?? ''))?.[1]
  if (sent !== undefined) return { hash: hashOf(sent), framed, fresh: false }
  return { hash: giveCookie(res, framed, random), framed, fresh: true }
}

/** A new cookie in the place of the one that was sent. Answers its hash. */
export const renewBrowser = (res: Response, { framed }: Browser, random: Random): string =>
  giveCookie(res, framed, random)
