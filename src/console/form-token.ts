/**
 * What proves that a form was posted from a page of the console to this very session: a mark that only this server
 * and that page know, another for each address, so that a leaked one does nothing elsewhere.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Request } from 'express'
import { Refusal } from '../core/refusal.js'

/** @param path where the form leads, without a query */
export const formToken = (secret: string, path: string): string =>
  createHmac('sha256', secret).update(path).digest('base64url')

/**
 * Browsers say from where a post comes (Fetch Metadata); old ones do not, and then the token alone counts.
 * @throws Refusal console_form_refused
 */
export function requireSameOrigin(req: Request): void {
  const site = req.get('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin')
    throw new Refusal('console_form_refused', 'sent by another site')
}

/** @throws Refusal console_form_refused */
export function requireToken(req: Request, secret: string, sent: string | undefined): void {
  requireSameOrigin(req)
  const [a, b] = [Buffer.from(sent ?? ''), Buffer.from(formToken(secret, req.path))]
  if (a.length !== b.length || !timingSafeEqual(a, b))
    throw new Refusal('console_form_refused', 'token')
}
