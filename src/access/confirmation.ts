/** What must be held beside a token, where the token says so. @see RFC 7800 §3.1 */
import type { Request } from 'express'
import { Refusal } from '../core/refusal.js'
import type { CertificateOf } from './certificate.js'

/**
 * What is bound to a certificate, an access token or a grant, is good only with it, on the same connection.
 * @param cnf of a token's claims, or of a grant
 * @throws Refusal token_other_certificate
 * @see RFC 8705 §3
 */
export function requireBoundCertificate(
  cnf: unknown,
  req: Request,
  certificateOf: CertificateOf,
): void {
  if (typeof cnf !== 'object' || cnf === null || !('x5t#S256' in cnf)) return
  const { thumbprint } = certificateOf(req, 'token_other_certificate')
  if (thumbprint !== cnf['x5t#S256'])
    throw new Refusal('token_other_certificate', 'bound to another certificate')
}
