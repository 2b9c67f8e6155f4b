/** Ways on: to the next address, and back to an app with its answer. */
import type { Response } from 'express'
import type { AppReturn } from '../core/authorization-request.js'
import type { Pages } from './pages.js'

/**
 * 303: the browser goes on with a GET. Express's own redirect would first look for the page that the browser
 * likes best, which nobody sees.
 *
 * @param address absolute, as `URL` writes it
 * @see RFC 9110 §15.4.4; RFC 9700 §4.12 (never 307: it would repeat a form)
 */
export function seeOther(res: Response, address: string): void {
  res.statusCode = 303
  res.setHeader('Location', address)
  res.end()
}

/**
 * Answers an app at the address that it registered: by its query, or by a form that posts itself.
 *
 * @param members of the answer, in their order; `state` and `iss` are added here
 * @see RFC 6749 §4.1.2; RFC 9207 §2 (iss); OAuth 2.0 Form Post Response Mode §2
 */
export function answerApp(
  { issuer, pages }: { readonly issuer: string; readonly pages: Pages },
  res: Response,
  { to, state, mode }: AppReturn,
  members: Readonly<Record<string, string>>,
): void {
  const all = { ...members, ...(state === undefined ? {} : { state }), iss: issuer }
  const url = new URL(to)
  if (mode === 'form_post') {
    const fields = Object.entries(all).map(([name, value]) => ({ name, value }))
    pages.send(res, 200, 'form-post', { to, fields }, [url.origin])
    return
  }
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value)
  seeOther(res, url.href)
}
