import type { RequestHandler } from 'express'

/**
 * Tells the nonce for the next proof to whoever sends proofs, on every answer, refusals included: a client
 * that keeps the newest is never asked to send again.
 *
 * @see RFC 9449 §8.2, §9
 */
export function offerNonce(nonce: () => Promise<string>): RequestHandler {
  return (req, res, next) => {
    if (req.headers.dpop === undefined) return next()
    return nonce().then((value) => {
      res.set('DPoP-Nonce', value)
      next()
    })
  }
}
