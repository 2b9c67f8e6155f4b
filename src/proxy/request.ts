/** A client's request as the proxies read it, and headers of the record's answer that may go back. */
import type { Request, Response } from 'express'
import { Refusal } from '../core/refusal.js'
import { jsonBodyOf } from '../http/json-body.js'
import type { UpstreamAnswer } from '../record/record.js'

const BODY_LIMIT = 1024 * 1024
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{1,250}"$/

/**
 * Path and query relative to our base, exactly as sent: Express's own `path` has been through other hands.
 * @throws Refusal not_found
 */
export function addressOf(req: Request, base: string): string {
  const { pathname } = new URL(base)
  if (!req.originalUrl.startsWith(`${pathname}/`)) throw new Refusal('not_found', 'base')
  return req.originalUrl.slice(pathname.length)
}

/** The JSON that a client sent. @throws Refusal body_too_large, body_unreadable */
export const jsonBody = jsonBodyOf(BODY_LIMIT)

/** Validators of the record's answer, as far as they look like any. */
export function passValidators(res: Response, { headers }: UpstreamAnswer): void {
  const { etag, 'last-modified': modified } = headers
  if (etag !== undefined && ETAG.test(etag)) res.set('ETag', etag)
  if (modified !== undefined && !Number.isNaN(Date.parse(modified)))
    res.set('Last-Modified', new Date(modified).toUTCString())
}

/** @throws Refusal record_absent, upstream_invalid */
export function requireFound(answer: UpstreamAnswer): void {
  if ([204, 404, 410].includes(answer.status)) throw new Refusal('record_absent', 'no such thing')
  if (answer.status !== 200)
    throw new Refusal('upstream_invalid', `a read was answered ${answer.status}`)
}
