import express, { type Request, type Response } from 'express'
import { isShallow } from '../core/enforcement.js'
import { Refusal } from '../core/refusal.js'

const JSON_TYPE = /^application\/json\s*(?:;|$)/i

/** @param limit in bytes */
const readerOf = (limit: number) => express.text({ type: () => true, limit, inflate: false })

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    throw new Refusal('body_unreadable', 'not JSON')
  }
}

/**
 * Reads the JSON that a client sent. It is judged as parsed and written anew before it goes on, so that a
 * repeated member cannot mean one thing to us and another to whoever reads it next.
 *
 * @param limit the longest body, in bytes
 * @throws Refusal body_too_large, body_unreadable
 */
export function jsonBodyOf(limit: number): (req: Request, res: Response) => Promise<unknown> {
  const readText = readerOf(limit)
  return async (req, res) => {
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
}
