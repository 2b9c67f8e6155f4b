/** What the tokens of a call are bound to: the key or the certificate that it was made with. */
import type { Request } from 'express'
import type { Client } from '../core/client.js'
import type { Confirmation } from '../core/grant.js'
import { Refusal } from '../core/refusal.js'
import type { CertificateOf } from './certificate.js'
import type { ProvenKey } from './dpop.js'

/**
 * @param proof of a DPoP header, if one came along: any app may bind its tokens so
 * @throws Refusal client_unproven, dpop_invalid where the app's registration or profile wants a proof and there is none
 * @see RFC 8705 §3; RFC 9449 §5; FAPI 2.0 §5.3.2.1
 */
export function bindingOf(
  certificateOf: CertificateOf,
  req: Request,
  { bound, id }: Client,
  proof: ProvenKey | undefined,
): Confirmation | undefined {
  if (bound === 'certificate')
    return { 'x5t#S256': certificateOf(req, 'client_unproven').thumbprint }
  if (bound === 'key' && proof === undefined) throw new Refusal('dpop_invalid', `none, from ${id}`)
  return proof && { jkt: proof.jkt }
}
