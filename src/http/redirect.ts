import type { Response } from 'express'

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
