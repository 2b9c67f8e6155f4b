import type { Response } from 'express'

/**
 * Ends an answer with a text, as `res.send` does, but for making a buffer of it and looking its type up: together with
 * the headers it leaves in one piece.
 *
 * @param type in full, with its charset
 */
export function sendText(res: Response, type: string, text: string): void {
  if (res.req.fresh) {
    res.status(304).end()
    return
  }
  res.setHeader('Content-Type', type)
  res.end(text)
}
