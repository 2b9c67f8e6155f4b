import type { Request, RequestHandler } from 'express'
import express from 'express'
import { z } from 'zod'
import { parameterFault, Refusal } from '../core/refusal.js'

const BODY_LIMIT = 1024 * 1024
const MOST_PARAMETERS = 100

/**
 * Reads a form body as text and no further: {@link parameters} parses it, so that a repeated name is
 * seen and refused (RFC 6749 §3.1) instead of becoming an array.
 */
export const formBody: RequestHandler = express.text({
  type: 'application/x-www-form-urlencoded',
  limit: BODY_LIMIT,
})

/**
 * The parameters of a request, from its query (GET) or its form (POST), each at most once. One that is sent
 * without a value is as if it were not (RFC 6749 §3.1, §3.2), but for being counted.
 * @throws Refusal parameter_repeated, body_unreadable
 */
export function parameters(req: Request): ReadonlyMap<string, string> {
  const text = req.method === 'POST' ? formText(req) : queryText(req)
  const values = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (values.has(name)) throw new Refusal('parameter_repeated', name.slice(0, 60))
    if (values.size >= MOST_PARAMETERS)
      throw new Refusal('parameter_invalid', 'too many parameters')
    values.set(name, value)
  }
  return new Map([...values].filter(([, value]) => value !== ''))
}

/** All after the first question mark: RFC 3986 §3.4 lets a query hold more of them. */
function queryText({ originalUrl }: Request): string {
  const at = originalUrl.indexOf('?')
  return at < 0 ? '' : originalUrl.slice(at + 1)
}

function formText(req: Request): string {
  if (typeof req.body !== 'string') throw new Refusal('body_unreadable', 'not a form')
  return req.body
}

/**
 * Checks parameters against an endpoint's table of them. Names that the table does not list are
 * ignored, as RFC 6749 §3.1 asks.
 * @throws Refusal parameter_missing, parameter_invalid
 */
export function readParameters<T>(schema: z.ZodType<T>, values: ReadonlyMap<string, string>): T {
  const read = schema.safeParse(Object.fromEntries(values))
  if (read.success) return read.data
  const name = String(read.error.issues[0]?.path[0] ?? '')
  throw parameterFault(values.has(name) ? 'parameter_invalid' : 'parameter_missing', name)
}

/** A parameter's usual bound. */
export const parameter = (most = 2000) => z.string().min(1).max(most)
