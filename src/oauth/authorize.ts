import type { Request, RequestHandler, Response } from 'express'
import type { Happening } from '../core/audit.js'
import {
  type AuthorizationRequest,
  narrow,
  reachesData,
  readAuthorization,
} from '../core/authorization.js'
import { circumstancesOf } from '../core/circumstances.js'
import type { Client } from '../core/client.js'
import { openGrant } from '../core/grant.js'
import { hashOf, isSecret, launchOfSecret, newId, newLaunchSecret } from '../core/ids.js'
import type { LaunchSession } from '../core/launch.js'
import { endOf } from '../core/records.js'
import { Refusal } from '../core/refusal.js'
import { personOf, type SignOn } from '../core/session.js'
import { browsersOf } from '../http/browser.js'
import { journeyOf, learn, type ProvenRedirect } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { seeOther } from '../http/redirect.js'
import type { OAuthParts } from './parts.js'

/** RFC 6749 §3.1.2.3: an address is proven by being registered, character by character. */
function proveRedirect(client: Client, sent: string | undefined): ProvenRedirect {
  if (sent === undefined) throw new Refusal('parameter_missing', 'redirect_uri')
  if (!client.redirectUris.includes(sent))
    throw new Refusal('redirect_unregistered', sent.replace(/[?#].*/s, '').slice(0, 200))
  return sent as ProvenRedirect
}

/**
 * The open launch behind a handle, in the browser that owns it. Whatever is wrong stops with a page: an
 * app must never go on without its patient.
 *
 * @throws Refusal handle_invalid, handle_other_app, handle_other_browser
 */
async function launchOf(
  parts: OAuthParts,
  { req, res }: { readonly req: Request; readonly res: Response },
  handle: string,
  client: Client,
): Promise<LaunchSession> {
  const id = launchOfSecret('hdl', handle)
  const [session, ended] = await parts.store.getAll([
    { kind: 'session', id: id ?? '' },
    { kind: 'ended', id: endOf('launch', id ?? '') },
  ])
  // A page that stops here may stand where the launch stood.
  const system = session && (await parts.registry.system(session.launch.system))
  journeyOf(res).frameAncestors = system?.frameAncestors ?? []
  if (!id || !session || ended || !isSecret(handle, session.handle)) {
    throw new Refusal('handle_invalid', 'unknown or ended')
  }
  if (session.launch.app !== client.id) throw new Refusal('handle_other_app', client.id)
  if (!browsersOf(req).includes(session.browser))
    throw new Refusal('handle_other_browser', 'cookie')
  if (session.handleUntil <= parts.clock()) throw new Refusal('handle_invalid', 'expired')
  return session
}

const factsOf = ({ launch, patient, user }: LaunchSession) => ({
  launch: launch.id,
  system: launch.system,
  app: launch.app,
  purpose: launch.purpose,
  user: {
    id: personOf(user, launch.system),
    ...(user.name === undefined ? {} : { name: user.name }),
    roles: user.roles,
    organization: user.organization.odsCode,
  },
  patient: { fhirId: patient.fhirId, nhsNumber: patient.nhsNumber },
})

/**
 * GET and POST /oauth/authorize
 *
 * @throws Refusal client_unknown, redirect_unregistered, handle_* (pages); what readAuthorization refuses,
 *   session_ended, authorization_denied, policy_stale (to the app)
 * @see RFC 6749 §4.1.1; SMART App Launch 2.2, "Request authorization code"; RFC 9207
 */
export function authorize(parts: OAuthParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)

    // §4.1.2.1 Until client and redirect are proven, a fault is told to the user and to nobody else.
    const client = await parts.registry.client(sent.get('client_id') ?? '')
    if (!client) throw new Refusal('client_unknown', (sent.get('client_id') ?? '').slice(0, 64))
    learn(res, { app: client.id })
    const redirect = proveRedirect(client, sent.get('redirect_uri'))

    // From here on the app is told.
    const journey = journeyOf(res)
    journey.redirect = { to: redirect, state: sent.get('state') }
    const asked = readAuthorization(sent, client, [parts.issuer, parts.bases.fhir])

    // The launch, though: a handle that is not good here must not send the app on without a patient.
    delete journey.redirect
    const session = await launchOf(parts, { req, res }, asked.launchHandle, client)
    learn(res, factsOf(session))
    const signOn = await parts.sessions.get(session.signOn)
    if (!signOn) throw new Refusal('session_ended', session.signOn)

    journey.redirect = { to: redirect, state: asked.state }
    const code = await grantCode(parts, { client, redirect, asked, session, signOn })
    if (code === undefined) {
      // §10.5 Somebody was quicker with the same handle; nothing tells which of the two is the app.
      delete journey.redirect
      throw new Refusal('handle_spent', 'used before')
    }
    const url = new URL(redirect)
    url.searchParams.set('code', code)
    if (asked.state !== undefined) url.searchParams.set('state', asked.state)
    url.searchParams.set('iss', parts.issuer)
    seeOther(res, url.href)
  }
}

interface Proven {
  readonly client: Client
  readonly redirect: ProvenRedirect
  readonly asked: AuthorizationRequest
  readonly session: LaunchSession
  readonly signOn: SignOn
}

/**
 * Asks the policies, opens the grant and spends the handle in one commit.
 * @returns the code, or `undefined` when the handle was already spent
 * @throws Refusal authorization_denied, policy_stale
 */
async function grantCode(parts: OAuthParts, proven: Proven): Promise<string | undefined> {
  const { client, redirect, asked, session, signOn } = proven
  if (!parts.policies.mayIssue())
    throw new Refusal('policy_stale', 'the policy version is not known')
  const now = parts.clock()
  const circumstances = circumstancesOf(session.launch, session.user, session.patient, now)
  const version = parts.policies.version()
  const { scopes, policies, errors } = narrow(
    asked.scopes,
    parts.policies,
    circumstances,
    parts.offered,
  )
  const facts = factsOf(session)
  const reaches = reachesData(scopes)
  const decision: Happening = {
    what: 'decision_made',
    outcome: reaches ? 'success' : 'refused',
    ...facts,
    policy: {
      version,
      effect: reaches ? 'allow' : 'deny',
      policies,
      ...(errors.length > 0 ? { errors } : {}),
    },
    detail: { action: 'grant', scopes },
  }
  const claims = [{ what: `handle/${session.launch.id}`, until: signOn.until }]
  if (!reaches) {
    const fresh = await parts.trail.commit({ claims, record: [decision] })
    if (!fresh) return undefined
    throw new Refusal('authorization_denied', 'nothing of what was asked is allowed')
  }
  const code = newLaunchSecret('cod', session.launch.id, parts.random)
  const grant = openGrant(
    newId('grt', parts.random),
    session,
    signOn,
    client,
    {
      scopes,
      redirectUri: redirect,
      challenge: asked.challenge,
      ...(asked.nonce === undefined ? {} : { nonce: asked.nonce }),
      ...(asked.dpopJkt === undefined ? {} : { dpopJkt: asked.dpopJkt }),
      codeHash: hashOf(code),
    },
    { circumstances, policyVersion: version },
    parts.bases,
    { now, code: parts.lifetimes.code },
  )
  const asking: Happening = {
    what: 'authorization_asked',
    outcome: 'success',
    ...facts,
    detail: { scopes: asked.scopes.length },
  }
  const opened: Happening = {
    what: 'grant_opened',
    outcome: 'success',
    ...facts,
    grant: grant.id,
    signOn: signOn.id,
  }
  const won = await parts.trail.commit({
    claims,
    record: [asking, decision, opened],
    puts: [{ kind: 'grant', id: session.launch.id, value: grant, until: grant.until }],
  })
  return won ? code : undefined
}
