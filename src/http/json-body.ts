import express, { type Request, type Response } from 'express'
import { isShallow } from '../core/enforcement.js'
import { hasBoundlessNumber, hasHalfCharacter, hasRepeatedMember, isCrowded } from '../core/json.js'
import { readJson } from '../core/json-text.js'
import { Refusal } from '../core/refusal.js'

const JSON_TYPE = /^application\/json\s*(?:;|$)/i

interface BodyRules {
  readonly types: RegExp
  /** Whether a member that stands twice is refused, which two readers could read differently. */
  readonly exact: boolean
  /** Whether it goes on to the record: numbers stay as they are written, and half a character is refused. */
  readonly goesOn: boolean
}

/** @param limit in bytes */
const readerOf = (limit: number) => express.raw({ type: () => true, limit, inflate: false })

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/gi
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * What is said to be in other letters than UTF-8, or is, could be read by somebody else as another text; and what is no
 * letter would be written to the record as a question mark.
 * @see RFC 8259 §8.1; FHIR R4, "RESTful API", "Character Encoding"
 */
function textOf(bytes: unknown, type: string): string {
  if ([...type.matchAll(CHARSET)].some(([, name = '']) => !/^(?:utf-?8|us-ascii)$/i.test(name)))
    throw new Refusal('body_unreadable', 'charset')
  if (!Buffer.isBuffer(bytes)) return ''
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Refusal('body_unreadable', 'not UTF-8')
  }
}

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
  const readBytes = readerOf(limit)
  return async (req, res) => {
    const type = req.get('content-type') ?? ''
    if (!types.test(type)) throw new Refusal('body_unreadable', 'content-type')
    await new Promise<void>((resolve, reject) => {
      readBytes(req, res, (error?: unknown) => {
        if (error === undefined) return resolve()
        const tooLarge = (error as { status?: number } | null)?.status === 413
        reject(new Refusal(tooLarge ? 'body_too_large' : 'body_unreadable', 'body'))
      })
    })
    return textOf(req.body, type)
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
  { types = JSON_TYPE, exact = false, goesOn = false }: Partial<BodyRules> = {},
): (req: Request, res: Response) => Promise<unknown> {
  const readText = textBodyOf(limit, types)
  return async (req, res) => {
    const text = await readText(req, res)
    if (isCrowded(text)) throw new Refusal('body_too_large', 'values')
    const value = parse(text, goesOn ? readJson : JSON.parse)
    if (hasBoundlessNumber(text) || (exact && hasRepeatedMember(text)))
      throw new Refusal('body_unreadable', 'a member or a number')
    if (!isShallow(value)) throw new Refusal('body_unreadable', 'nested too deep')
    if (goesOn && hasHalfCharacter(text, value))
      throw new Refusal('body_unreadable', 'half a character')
    return value
  }
}
