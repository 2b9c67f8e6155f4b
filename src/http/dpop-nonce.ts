import type { RequestHandler } from 'express'

/**
 * Tells the nonce for the next proof to whoever sends proofs, on every answer, refusals included: a client
 * that keeps the newest is never asked to send again.
 *
 * @see RFC 9449 §8.2, §9
 */
export function offerNonce(nonce: () => Promise<string>): RequestHandler {
  return async (req, res, next) => {
    if (req.headers.dpop !== undefined) res.set('DPoP-Nonce', await nonce())
    next()
  }
}
