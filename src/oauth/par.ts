import type { RequestHandler } from 'express'
import { type ClientAuthentication, needsNonce } from '../access/client.js'
import type { ProvenKey } from '../access/dpop.js'
import { readAuthorization, readResponseMode } from '../core/authorization-request.js'
import { hashOf, newSecret } from '../core/ids.js'
import { parameterFault, Refusal } from '../core/refusal.js'
import { after, seconds } from '../core/values.js'
import { learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { proveRedirect } from './authorize.js'
import type { OAuthParts } from './parts.js'
import { type Parameters, REQUEST_URI, readRequestObject } from './request.js'

/** Proofs of the client, which are no part of what it asks. */
const PROOFS = new Set(['client_assertion', 'client_assertion_type', 'client_secret'])

/**
 * A proof beside the request says which key the code is for, as `dpop_jkt` in it would.
 * @throws Refusal dpop_invalid where both are there and differ
 * @see RFC 9449 §10.1
 */
function boundToProof(asked: Parameters, proof: ProvenKey | undefined): Parameters {
  if (proof === undefined) return asked
  if ((asked.get('dpop_jkt') ?? proof.jkt) !== proof.jkt)
    throw new Refusal('dpop_invalid', 'dpop_jkt is of another key')
  return new Map([...asked, ['dpop_jkt', proof.jkt]])
}

/**
 * POST /oauth/par: an authorize request from server to server, checked as it will be when the browser
 * brings its name.
 *
 * @throws Refusal dpop_*, client_unproven, request_uri_unsupported and what readAuthorization refuses
 * @see RFC 9126 §2; RFC 9101 §6
 */
export function par(parts: OAuthParts, authenticate: ClientAuthentication): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    // RFC 9449 §5 Before the client is: a proof that must be made anew has then spent no assertion.
    const requireNonce = await needsNonce(parts.registry, req, sent)
    const proof = await parts.dpop.prove(req, { requireNonce })
    const client = await authenticate(req, sent)
    learn(res, { app: client.id })
    // §2.1 "The request_uri authorization request parameter … MUST NOT be provided."
    if (sent.has('request_uri')) throw parameterFault('parameter_invalid', 'request_uri')
    const object = sent.get('request')
    if (object === undefined && client.requestObjects === 'required')
      throw new Refusal('request_object_invalid', 'none sent')
    const said =
      object === undefined
        ? new Map([...sent].filter(([name]) => !PROOFS.has(name)))
        : await readRequestObject(parts, client, object)
    const asked = boundToProof(said, proof)

    proveRedirect(client, asked.get('redirect_uri'))
    readResponseMode(asked)
    readAuthorization(asked, client, [parts.issuer, parts.bases.fhir], seconds(parts.clock()))

    const uri = `${REQUEST_URI}${newSecret('par', parts.random)}`
    const value = { client: client.id, parameters: Object.fromEntries(asked) }
    const until = after(parts.clock(), parts.lifetimes.pushed)
    await parts.store.commit({ puts: [{ kind: 'pushed', id: hashOf(uri), value, until }] })
    res.status(201).json({ request_uri: uri, expires_in: parts.lifetimes.pushed })
  }
}
