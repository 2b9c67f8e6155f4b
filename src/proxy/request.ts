/** A client's request as the proxies read it, and headers of the record's answer that may go back. */
import express, { type Request, type Response } from 'express'
import { isShallow } from '../core/enforcement.js'
import { Refusal } from '../core/refusal.js'
import type { UpstreamAnswer } from '../record/record.js'

const BODY_LIMIT = 1024 * 1024
const JSON_TYPE = /^application\/json\s*(?:;|$)/i
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

const readText = express.text({ type: () => true, limit: BODY_LIMIT, inflate: false })

/**
 * The JSON that a client sent. It is judged as parsed and written anew before it goes on, so that a
 * repeated member cannot mean one thing to us and another to the record.
 *
 * @throws Refusal body_too_large, body_unreadable
 */
export async function jsonBody(req: Request, res: Response): Promise<unknown> {
  if (!JSON_TYPE.test(req.get('content-type') ?? ''))
    throw new Refusal('body_unreadable', 'content-type')
  await new Promise<void>((resolve, reject) => {
    readText(req, res, (error?: unknown) => {
      if (error === undefined) return resolve()
      const tooLarge = (error as { status?: number } | null)?.status === 413
      reject(new Refusal(tooLarge ? 'body_too_large' : 'body_unreadable', 'body'))
    })
  })
  const value = parse(req.body)
  if (!isShallow(value)) throw new Refusal('body_unreadable', 'nested too deep')
  return value
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    throw new Refusal('body_unreadable', 'not JSON')
  }
}

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
