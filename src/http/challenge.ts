/** How a refused call is told what would be let in. */
import type { Request } from 'express'
import { DPOP_ALGORITHMS } from '../core/dpop.js'
import type { RefusalCode } from '../core/refusal.js'

const ALGORITHMS = `algs="${DPOP_ALGORITHMS.join(' ')}"`
/** What a token says is wrong with it, in either scheme; and what only a proof can. */
const OF_TOKEN = new Set(['invalid_token', 'insufficient_scope'])
const OF_BEARER: ReadonlySet<RefusalCode> = new Set(['registration_unproven', 'command_signed_out'])
const OF_PROOF = new Set(['invalid_dpop_proof', 'use_dpop_nonce'])

/**
 * The value of WWW-Authenticate: in the scheme that was used, or in both when none was. `undefined` for what
 * no other credential would turn.
 *
 * @see RFC 6749 §5.2; RFC 6750 §3; RFC 9449 §7.1, §7.2; RFC 9110 §11.6.1
 */
export function challenge(
  req: Request,
  refusal: { readonly code: RefusalCode; readonly wire: string; readonly atResource: boolean },
  realm: string,
): string | undefined {
  const { code, wire, atResource } = refusal
  const tried = req.get('authorization')
  // RFC 6749 §5.2: in the scheme by which the app tried.
  if (wire === 'invalid_client') return tried && `Basic realm="${realm}"`
  if (OF_BEARER.has(code)) return `Bearer realm="${realm}", error="${wire}"`
  if (!atResource) return undefined
  if (!OF_TOKEN.has(wire) && !OF_PROOF.has(wire)) return undefined
  const bearer = `Bearer realm="${realm}"`
  const dpop = `DPoP realm="${realm}"`
  if (code === 'token_missing') return `${bearer}, ${dpop}, ${ALGORITHMS}`
  const bound = OF_PROOF.has(wire) || /^dpop /i.test(tried ?? '')
  const error = `error="${wire}"`
  return bound ? `${dpop}, ${error}, ${ALGORITHMS}` : `${bearer}, ${error}`
}
