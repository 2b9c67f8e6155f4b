import express, { type Request, type Response } from 'express'
import { isShallow } from '../core/enforcement.js'
import { hasBoundlessNumber, hasRepeatedMember } from '../core/json.js'
import { Refusal } from '../core/refusal.js'

const JSON_TYPE = /^application\/json\s*(?:;|$)/i

interface BodyRules {
  readonly types: RegExp
  /** Whether a member that stands twice is refused, which two readers could read differently. */
  readonly exact: boolean
  /** How its text is read: core/json-text.ts where it goes on. @throws SyntaxError */
  readonly read?: (text: string) => unknown
}

/** @param limit in bytes */
const readerOf = (limit: number) => express.text({ type: () => true, limit, inflate: false })

function parse(text: string, read: (text: string) => unknown): unknown {
  try {
    return read(text)
  } catch {
    throw new Refusal('body_unreadable', 'not JSON')
  }
}

/**
 * Reads the text that a client sent.
 *
 * @param limit the longest body, in bytes
 * @throws Refusal body_too_large, body_unreadable
 */
export function textBodyOf(
  limit: number,
  types: RegExp,
): (req: Request, res: Response) => Promise<string> {
  const readText = readerOf(limit)
  return async (req, res) => {
    if (!types.test(req.get('content-type') ?? ''))
      throw new Refusal('body_unreadable', 'content-type')
    await new Promise<void>((resolve, reject) => {
      readText(req, res, (error?: unknown) => {
        if (error === undefined) return resolve()
        const tooLarge = (error as { status?: number } | null)?.status === 413
        reject(new Refusal(tooLarge ? 'body_too_large' : 'body_unreadable', 'body'))
      })
    })
    return typeof req.body === 'string' ? req.body : ''
  }
}

/**
 * Reads the JSON that a client sent. It is judged as parsed and written anew before it goes on, so that a
 * repeated member cannot mean one thing to us and another to whoever reads it next. A number without bounds is
 * refused in every body.
 *
 * @param limit the longest body, in bytes
 * @throws Refusal body_too_large, body_unreadable
 */
export function jsonBodyOf(
  limit: number,
  { types = JSON_TYPE, exact = false, read = JSON.parse }: Partial<BodyRules> = {},
): (req: Request, res: Response) => Promise<unknown> {
  const readText = textBodyOf(limit, types)
  return async (req, res) => {
    const text = await readText(req, res)
    const value = parse(text, read)
    if (hasBoundlessNumber(text) || (exact && hasRepeatedMember(text)))
      throw new Refusal('body_unreadable', 'a member or a number')
    if (!isShallow(value)) throw new Refusal('body_unreadable', 'nested too deep')
    return value
  }
}
