import type { Request, RequestHandler, Response } from 'express'
import {
  type AppReturn,
  type AuthorizationRequest,
  type ProvenRedirect,
  readAuthorization,
  readResponseMode,
} from '../core/authorization-request.js'
import type { Client } from '../core/client.js'
import { isSecret, launchOfSecret } from '../core/ids.js'
import type { LaunchSession } from '../core/launch.js'
import type { LaunchSystem } from '../core/launch-system.js'
import { endOf } from '../core/records.js'
import { proveAddress } from '../core/redirect-address.js'
import { parameterFault, Refusal } from '../core/refusal.js'
import { meetsDemand } from '../core/session.js'
import { type EpochSeconds, seconds } from '../core/values.js'
import { browsersOf } from '../http/browser.js'
import { journeyOf, learn } from '../http/journey.js'
import { parameters } from '../http/parameters.js'
import { answerApp } from '../http/redirect.js'
import { askUser } from './ask.js'
import { readHint, requireSubject } from './hint.js'
import { factsOf, grantCode } from './opening.js'
import type { OAuthParts } from './parts.js'
import { type Asking, askingOf, type Parameters } from './request.js'

/** @throws Refusal parameter_missing, redirect_unregistered */
export function proveRedirect(client: Client, sent: string | undefined): ProvenRedirect {
  if (sent === undefined) throw parameterFault('parameter_missing', 'redirect_uri')
  return proveAddress(client.redirectUris, sent)
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
): Promise<{ readonly session: LaunchSession; readonly system: LaunchSystem }> {
  const id = launchOfSecret('hdl', handle)
  const browsers = browsersOf(req)
  const [session, ended, ...known] = await parts.store.getAll([
    { kind: 'session', id: id ?? '' },
    { kind: 'ended', id: endOf('launch', id ?? '') },
    ...browsers.map((browser) => ({ kind: 'browser' as const, id: browser })),
  ])
  // A page that stops here may stand where the launch stood.
  const system = session && (await parts.registry.system(session.launch.system))
  journeyOf(res).frameAncestors = system?.frameAncestors ?? []
  if (!id || !session || !system || ended || !isSecret(handle, session.handle)) {
    throw new Refusal('handle_invalid', 'unknown or ended')
  }
  if (session.launch.app !== client.id) throw new Refusal('handle_other_app', client.id)
  // A launch that was under way when somebody signed on here knows the browser by its cookie of before.
  const names = [...browsers, ...known.flatMap((browser) => browser?.was ?? [])]
  if (!names.includes(session.browser)) throw new Refusal('handle_other_browser', 'cookie')
  if (session.handleUntil <= parts.clock()) throw new Refusal('handle_invalid', 'expired')
  return { session, system }
}

/** The request, with whom the app expects. */
async function read(
  parts: OAuthParts,
  sent: Parameters,
  client: Client,
  now: EpochSeconds,
): Promise<AuthorizationRequest> {
  const asked = readAuthorization(sent, client, [parts.issuer, parts.bases.fhir], now)
  const hint = sent.get('id_token_hint')
  if (hint === undefined) return asked
  const { subject } = await readHint(parts, hint)
  return { ...asked, demand: { ...asked.demand, subject } }
}

function returnOf(redirect: ProvenRedirect, sent: Parameters): AppReturn {
  const state = sent.get('state')
  return {
    to: redirect,
    ...(state === undefined ? {} : { state }),
    mode: readResponseMode(sent),
  }
}

/** A launch that the request itself led to: only the handle of its own landing takes it up again. */
function handleOf(asking: Asking, sent: Parameters, asked: AuthorizationRequest) {
  return asking.request === undefined ? asked.launchHandle : sent.get('launch')
}

/**
 * GET and POST /oauth/authorize
 *
 * @throws Refusal client_unknown, redirect_unregistered, handle_* (pages); what readAuthorization refuses,
 *   login_required, interaction_required, session_ended, authorization_denied, policy_stale (to the app, like
 *   every fault of ours from there on)
 * @see RFC 6749 §4.1.1; SMART App Launch 2.2, "Request authorization code"; RFC 9207
 */
export function authorize(parts: OAuthParts): RequestHandler {
  return async (req, res) => {
    const sent = parameters(req)
    const journey = journeyOf(res)

    // §4.1.2.1 Until client and redirect are proven, a fault is told to the user and to nobody else.
    const client = await parts.registry.client(sent.get('client_id') ?? '')
    if (!client) throw new Refusal('client_unknown', (sent.get('client_id') ?? '').slice(0, 64))
    learn(res, { app: client.id })
    const outer = sent.has('redirect_uri') && proveRedirect(client, sent.get('redirect_uri'))
    if (outer) journey.redirect = returnOf(outer, sent)
    const asking = await askingOf(parts, client, sent)
    const redirect = proveRedirect(client, asking.parameters.get('redirect_uri'))

    // From here on the app is told.
    const answer = returnOf(redirect, asking.parameters)
    journey.redirect = answer
    const asked = await read(parts, asking.parameters, client, seconds(parts.clock()))
    const handle = handleOf(asking, sent, asked)
    if (handle === undefined) return askUser(parts, { req, res }, { client, asked, asking, answer })

    // The launch, though: a handle that is not good here must not send the app on without a patient.
    journey.refusesHere = true
    const { session, system } = await launchOf(parts, { req, res }, handle, client)
    learn(res, factsOf(session))
    if (session.request !== asking.request) throw new Refusal('handle_invalid', 'another request')
    const signOn = await parts.sessions.under(session)
    if (!signOn) throw new Refusal('session_ended', session.signOn)

    journey.refusesHere = false
    if (asking.request === undefined && !meetsDemand(signOn, asked.demand)) {
      if (await parts.store.get('grant', session.launch.id))
        throw new Refusal('handle_spent', 'used before, and asked for with a new sign-on')
      return askUser(parts, { req, res }, { client, asked, asking, answer, session })
    }
    requireSubject(asked.demand, session)
    const styleUrl = system.styleUrl ?? parts.styleUrl
    const proven = { client, redirect, asked, asking, session, signOn, styleUrl }
    const code = await grantCode(parts, proven)
    if (code === undefined) {
      // §10.5 Somebody was quicker with the same handle; nothing tells which of the two is the app.
      journey.refusesHere = true
      throw new Refusal('handle_spent', 'used before')
    }
    answerApp(parts, res, answer, { code })
  }
}
