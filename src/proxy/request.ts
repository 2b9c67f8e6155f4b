/** A client's request as the proxies read it, and headers of the record's answer that may go back. */
import type { Request, Response } from 'express'
import { writeJson } from '../core/json-text.js'
import { Refusal } from '../core/refusal.js'
import { sendText } from '../http/answer.js'
import { jsonBodyOf, textBodyOf } from '../http/json-body.js'
import type { UpstreamAnswer } from '../record/record.js'

const BODY_LIMIT = 1024 * 1024
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{1,250}"$/

/**
 * Path and query relative to our base, exactly as sent: Express's own `path` has been through other hands.
 * The function that is returned throws Refusal not_found.
 */
export function addressUnder(base: string): (req: Request) => string {
  const { pathname } = new URL(base)
  return ({ originalUrl }) => {
    const within = originalUrl.slice(pathname.length)
    const begins = originalUrl.startsWith(pathname)
    if (begins && within.startsWith('/')) return within
    if (!begins || (within !== '' && !within.startsWith('?')))
      throw new Refusal('not_found', 'base')
    return `/${within}`
  }
}

/** The JSON that a client sent, as openEHR's or as FHIR's. @throws Refusal body_too_large, body_unreadable */
export const jsonBody = jsonBodyOf(BODY_LIMIT, { goesOn: true })
const FHIR_JSON = /^application\/(?:fhir\+)?json\s*(?:;|$)/i
export const fhirBody = jsonBodyOf(BODY_LIMIT, { types: FHIR_JSON, exact: true, goesOn: true })
const PATCH_JSON = /^application\/json-patch\+json\s*(?:;|$)/i
export const patchBody = jsonBodyOf(BODY_LIMIT, { types: PATCH_JSON, exact: true, goesOn: true })
/** A search by form. */
export const formBody = textBodyOf(2048, /^application\/x-www-form-urlencoded\s*(?:;|$)/i)

/** Answers with JSON whose numbers are as the record gave them. */
export const sendJson = (res: Response, body: unknown): void => {
  sendText(res, 'application/json; charset=utf-8', writeJson(body))
}

/** Validators of the record's answer, as far as they look like any. */
export function validatorsOf({ headers }: UpstreamAnswer): {
  readonly etag?: string
  readonly lastModified?: string
} {
  const { etag, 'last-modified': modified } = headers
  return {
    ...(etag !== undefined && ETAG.test(etag) ? { etag } : {}),
    ...(modified !== undefined && !Number.isNaN(Date.parse(modified))
      ? { lastModified: new Date(modified).toUTCString() }
      : {}),
  }
}

export function passValidators(res: Response, answer: UpstreamAnswer): void {
  const { etag, lastModified } = validatorsOf(answer)
  if (etag !== undefined) res.set('ETag', etag)
  if (lastModified !== undefined) res.set('Last-Modified', lastModified)
}

/** Of a list: it is there, if empty, and a record that says otherwise has not looked. @throws Refusal upstream_invalid */
export function requireListed({ status }: UpstreamAnswer): void {
  if (status !== 200) throw new Refusal('upstream_invalid', `a list was answered ${status}`)
}

/** @throws Refusal record_absent, upstream_invalid */
export function requireFound(answer: UpstreamAnswer): void {
  if ([204, 404, 410].includes(answer.status)) throw new Refusal('record_absent', 'no such thing')
  if (answer.status !== 200)
    throw new Refusal('upstream_invalid', `a read was answered ${answer.status}`)
}
