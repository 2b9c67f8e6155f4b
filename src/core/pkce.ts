import { timingSafeEqual } from 'node:crypto'
import { sha256 } from './ids.js'

/** RFC 7636 §4.2: the S256 challenge is 43 characters of base64url. */
export const isChallenge = (text: string): boolean => /^[\w-]{43}$/.test(text)

/** RFC 7636 §4.6. A verifier outside §4.1's 43 to 128 unreserved characters never matches. */
export function matchesChallenge(verifier: string, challenge: string | undefined): boolean {
  // An app that was spared PKCE sends no verifier either (RFC 9700 §2.1.1: a downgrade shows).
  if (challenge === undefined) return verifier === ''
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) return false
  return timingSafeEqual(Buffer.from(sha256(verifier)), Buffer.from(challenge))
}
