/** Which key a request's sender holds, shown by a DPoP proof that is good once. */
import { types as values } from 'node:util'
import type { Request } from 'express'
import { judgeProof, type ProofClaims, readProof, targetUri } from '../core/dpop.js'
import { sha256 } from '../core/ids.js'
import { Refusal } from '../core/refusal.js'
import { after, type Clock, type Seconds } from '../core/values.js'
import { verifyEmbedded } from '../keys/embedded.js'
import type { Store } from '../store/store.js'
import type { Nonces } from './dpop-nonces.js'

/** A key that the sender of one request was shown to hold. */
export interface ProvenKey {
  /** RFC 7638 thumbprint, as `cnf.jkt` names it. */
  readonly jkt: string
}

export interface Demand {
  /** At a resource: the token beside the proof, which `ath` must name. */
  readonly accessToken?: string
  /** Whether a request without a proof is refused. */
  readonly required?: boolean
  /** Whether a proof must carry a nonce of ours. One that it does carry is always judged. */
  readonly requireNonce?: boolean
}

export interface Dpop {
  /**
   * The key of a request's proof, which is spent by being shown; `undefined` without one.
   * @throws Refusal dpop_invalid, dpop_replayed, dpop_nonce_required
   */
  prove(req: Request, demand?: Demand): Promise<ProvenKey | undefined>
  /** For an answer's DPoP-Nonce. */
  nonce(): Promise<string>
}

interface Parts {
  readonly issuer: string
  readonly store: Pick<Store, 'commit'>
  readonly clock: Clock
  readonly skew: Seconds
  readonly nonces: Nonces
  /** The origin that a request came to by its certificate; `undefined` for one that shows none. */
  readonly aliasOf?: (req: Request) => string | undefined
}

/** A claim outlives its proof, so that what was judged fresh in its last moment is not claimed when both are over. */
const KEPT_LONGER: Seconds = 60

/** @throws Refusal dpop_invalid: §4.3, number 1, more than one is none. Node joins what stands twice by commas */
function proofOf({ headersDistinct }: Request): string | undefined {
  const sent = headersDistinct.dpop ?? []
  if (sent.length > 1) throw new Refusal('dpop_invalid', 'more than one DPoP header')
  return sent[0]
}

/**
 * What `htu` must name: the path below our issuer, or below the alias of who comes with a certificate; never by Host.
 * The path as it was sent, for Express's own has been through other hands.
 */
function uriOf({ issuer, aliasOf }: Parts, req: Request, { htu }: ProofClaims): string {
  const alias = aliasOf?.(req)
  const atAlias = `${alias}${req.originalUrl}`
  return alias !== undefined && targetUri(htu) === targetUri(atAlias)
    ? atAlias
    : `${issuer}${req.originalUrl}`
}

/** @see RFC 9449 §4.3, §8, §9, §11.1 */
export function createDpop(parts: Parts): Dpop {
  const { store, clock, skew, nonces } = parts
  return {
    nonce: nonces.current,
    async prove(req, demand = {}) {
      const { accessToken, required = false, requireNonce = false } = demand
      const jws = proofOf(req)
      if (jws === undefined) {
        if (required) throw new Refusal('dpop_invalid', 'no DPoP header')
        return undefined
      }
      const proof = readProof(jws)
      const { jkt, claims } = proof
      const request = { method: req.method, uri: uriOf(parts, req, claims), accessToken }
      const until = judgeProof(claims, request, clock(), skew)
      await verifyEmbedded(jws, proof).catch((cause: unknown) => {
        const detail = values.isNativeError(cause) ? cause.message : 'signature'
        throw new Refusal('dpop_invalid', detail, { cause })
      })
      // Before it is spent: a client that is told a nonce may try the same proof's `jti` again.
      const nonce = claims.nonce ?? (requireNonce ? '' : undefined)
      if (nonce !== undefined && !(await nonces.accepts(nonce)))
        throw new Refusal('dpop_nonce_required', claims.nonce === undefined ? 'none' : 'not ours')
      const what = `dpop/${jkt}/${sha256(claims.jti)}`
      if (!(await store.commit({ claims: [{ what, until: after(until, KEPT_LONGER) }] })))
        throw new Refusal('dpop_replayed', 'jti')
      return { jkt }
    },
  }
}
